// SPDX-License-Identifier: GPL-2.0
/*
 * The IOMMU API by hand, for any IOMMU driver: one unmanaged domain that devices are
 * attached to, and mappings in it. For guests under test only.
 *
 * It binds to QEMU's edu devices, whose DMA engines it uses only for a storm. A command
 * is a line written to /sys/kernel/debug/iommu-domain, which fails with the errno of what
 * failed:
 *
 *	new DEVICE		a new domain, for a first device
 *	attach DEVICE, detach DEVICE
 *	map IOVA PHYS SIZE PROT	PROT: IOMMU_READ 1, IOMMU_WRITE 2, IOMMU_MMIO 16
 *	unmap IOVA SIZE
 *	translate IOVA
 *	handler 0|1		whether the domain's handler takes faults
 *	free
 *	storm MS		for so many milliseconds all edu devices write to where nothing
 *				is mapped: 512 faults each 100 ms, for each
 *
 * Reading tells what the last one found: the size that was unmapped, the physical
 * address, how many faults the handler saw, and the last one's address, or how many faults
 * a storm made.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#ifndef HAVE_PAGING_DOMAIN_ALLOC
#define iommu_paging_domain_alloc(dev)	(iommu_domain_alloc((dev)->bus) ?: ERR_PTR(-ENOMEM))
#endif
#ifdef MAP_WITHOUT_GFP
static int map_without_gfp(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys,
			   size_t size, int prot, gfp_t gfp)
{
	return iommu_map(domain, iova, phys, size, prot);
}

#define iommu_map	map_without_gfp
#endif

static DEFINE_MUTEX(test_lock);
static struct dentry *test_file;
static struct iommu_domain *test_domain;
static char test_result[64];
static bool test_takes_faults;
static unsigned long test_faults;
static void __iomem *test_edus[32];
static unsigned int test_nr_edus;

static int test_fault(struct iommu_domain *domain, struct device *dev, unsigned long iova,
		      int flags, void *token)
{
	test_faults++;
	snprintf(test_result, sizeof(test_result), "%lu faults, %s %#lx\n", test_faults,
		 dev_name(dev), iova);
	return test_takes_faults ? 0 : -ENOSYS;
}

#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_DMA_START	1
#define EDU_DMA_WRITE	2
#define EDU_BUFFER	0x40000
#define EDU_BYTES	2048	/* QEMU dies of a DMA of the whole buffer */
#define EDU_ACCESS	4	/* what it moves at a time, and faults for */

static int test_storm(unsigned int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms), faults = 0;
	unsigned int i;

	do {
		for (i = 0; i < test_nr_edus; i++) {
			if (readl(test_edus[i] + EDU_DMA_CMD) & EDU_DMA_START)
				continue;
			writeq(EDU_BUFFER, test_edus[i] + EDU_DMA_SRC);
			writeq(0x5000, test_edus[i] + EDU_DMA_DST);
			writeq(EDU_BYTES, test_edus[i] + EDU_DMA_COUNT);
			writeq(EDU_DMA_START | EDU_DMA_WRITE, test_edus[i] + EDU_DMA_CMD);
			faults += EDU_BYTES / EDU_ACCESS;
		}
		fsleep(5000);
	} while (time_before(jiffies, end));
	snprintf(test_result, sizeof(test_result), "%lu faults\n", faults);
	return 0;
}

static void test_free(void)
{
	if (test_domain)
		iommu_domain_free(test_domain);
	test_domain = NULL;
}

static int test_new(struct device *dev)
{
	struct iommu_domain *domain;

	test_free();
	domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	iommu_set_fault_handler(domain, test_fault, NULL);
	test_faults = 0;
	test_domain = domain;
	return 0;
}

static int test_device(const char *command, const char *name)
{
	struct device *dev = bus_find_device_by_name(&pci_bus_type, NULL, name);
	int ret = -EINVAL;

	if (!dev)
		dev = bus_find_device_by_name(&platform_bus_type, NULL, name);
	if (!dev)
		return -ENODEV;
	if (!strcmp(command, "new"))
		ret = test_new(dev);
	else if (test_domain && !strcmp(command, "attach"))
		ret = iommu_attach_device(test_domain, dev);
	else if (test_domain && iommu_get_domain_for_dev(dev) == test_domain &&
		 !strcmp(command, "detach"))
		ret = 0, iommu_detach_device(test_domain, dev);
	put_device(dev);
	return ret;
}

static int test_run(char *line)
{
	unsigned long long iova, phys, size;
	char command[16], name[32];
	unsigned int prot;

	if (!strcmp(line, "free")) {
		test_free();
		return 0;
	}
	if (sscanf(line, "storm %u", &prot) == 1)
		return test_storm(prot);
	if (sscanf(line, "handler %u", &prot) == 1) {
		test_takes_faults = prot;
		return 0;
	}
	if (test_domain && sscanf(line, "map %llx %llx %llx %u", &iova, &phys, &size, &prot) == 4)
		return iommu_map(test_domain, iova, phys, size, prot, GFP_KERNEL);
	if (test_domain && sscanf(line, "unmap %llx %llx", &iova, &size) == 2) {
		snprintf(test_result, sizeof(test_result), "%#zx\n",
			 iommu_unmap(test_domain, iova, size));
		return 0;
	}
	if (test_domain && sscanf(line, "translate %llx", &iova) == 1) {
		phys = iommu_iova_to_phys(test_domain, iova);
		snprintf(test_result, sizeof(test_result), "%#llx\n", phys);
		return 0;
	}
	if (sscanf(line, "%15s %31s", command, name) == 2)
		return test_device(command, name);
	return -EINVAL;
}

static ssize_t test_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	char line[128];
	int ret;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, size))
		return -EFAULT;
	line[size] = '\0';
	mutex_lock(&test_lock);
	ret = test_run(strim(line));
	mutex_unlock(&test_lock);
	return ret ?: size;
}

static ssize_t test_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	return simple_read_from_buffer(to, size, pos, test_result, strlen(test_result));
}

static const struct file_operations test_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= test_read,
	.write	= test_write,
};

static int test_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int ret = pcim_enable_device(pdev);

	if (ret)
		return ret;
	if (test_nr_edus == ARRAY_SIZE(test_edus))
		return -ENOSPC;
	test_edus[test_nr_edus] = pcim_iomap(pdev, 0, 0);
	if (!test_edus[test_nr_edus])
		return -ENOMEM;
	test_nr_edus++;
	pci_set_master(pdev);
	return 0;
}

static const struct pci_device_id test_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{}
};
MODULE_DEVICE_TABLE(pci, test_ids);

static struct pci_driver test_driver = {
	.name		= KBUILD_MODNAME,
	.id_table	= test_ids,
	.probe		= test_probe,
};

static int __init test_init(void)
{
	int ret = pci_register_driver(&test_driver);

	if (!ret)
		test_file = debugfs_create_file("iommu-domain", 0600, NULL, NULL, &test_fops);
	return ret;
}

static void __exit test_exit(void)
{
	debugfs_remove(test_file);
	test_free();
	pci_unregister_driver(&test_driver);
}

module_init(test_init);
module_exit(test_exit);

MODULE_DESCRIPTION("The IOMMU API by hand, for tests");
MODULE_LICENSE("GPL");
