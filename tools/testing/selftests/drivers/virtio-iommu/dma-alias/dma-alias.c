// SPDX-License-Identifier: GPL-2.0
/*
 * Give PCI functions DMA aliases, as the kernel's quirks do for broken hardware,
 * which QEMU has none of. For guests under test only; not to be unloaded.
 *
 *	insmod dma-alias.ko alias=DEVFN@DOMAIN:BUS:SLOT.FUNCTION,...
 */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/pci.h>

#define NR_DEVFNS	256

static char *alias[8];
static int nr;
module_param_array(alias, charp, &nr, 0);
MODULE_PARM_DESC(alias, "Which device and function number which function's DMA may have too");

static int __init dma_alias_add(const char *text)
{
	unsigned int devfn, domain, bus, slot, function;
	struct pci_dev *pdev;
	int ret = 0;

	if (sscanf(text, "%x@%x:%x:%x.%x", &devfn, &domain, &bus, &slot, &function) != 5 ||
	    devfn >= NR_DEVFNS)
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
	if (!pdev)
		return -ENODEV;
	if (!pdev->dma_alias_mask)
		pdev->dma_alias_mask = bitmap_zalloc(NR_DEVFNS, GFP_KERNEL);
	if (pdev->dma_alias_mask)
		set_bit(devfn, pdev->dma_alias_mask);
	else
		ret = -ENOMEM;
	pci_dev_put(pdev);
	return ret;
}

static int __init dma_alias_init(void)
{
	int i, ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = dma_alias_add(alias[i]);
	return ret;
}
module_init(dma_alias_init);

MODULE_DESCRIPTION("DMA aliases for PCI functions, for tests");
MODULE_LICENSE("GPL");
