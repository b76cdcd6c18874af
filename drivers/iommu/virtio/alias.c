// SPDX-License-Identifier: GPL-2.0
/*
 * The requester IDs that the bus puts on a PCI function's DMA.
 *
 * A function's own ID reaches the root complex unless something on the way
 * replaces it: a bridge from PCI Express to PCI sends all that comes from below
 * under one ID of its own, and so do bridges on conventional buses. Quirks add
 * IDs that a broken function uses beside its own. The core walks the same road
 * in pci_for_each_dma_alias(), which modules cannot call.
 *
 * Specification: PCI Express to PCI/PCI-X Bridge Specification 1.0, 2.3.
 */
#include <linux/pci.h>

#include "viommu.h"

/* Device and function numbers on a bus: the size of a dma_alias_mask. */
#define VIOMMU_NR_DEVFNS	256

/* Behind a VMD, functions have a segment of their own and the VMD's ID. */
static struct pci_dev *viommu_pci_requester(struct pci_dev *pdev)
{
#if defined(CONFIG_X86) && IS_ENABLED(CONFIG_VMD)
	struct pci_dev *vmd = to_pci_sysdata(pdev->bus)->vmd_dev;

	return vmd ?: pdev;
#else
	return pdev;
#endif
}

/*
 * The ID that a bridge puts in the place of those below it.
 * Return: whether it does.
 */
static bool viommu_pci_bridge_alias(struct pci_dev *bridge, u16 *rid)
{
	int type = pci_is_pcie(bridge) ? pci_pcie_type(bridge) : -1;

	if (type == PCI_EXP_TYPE_PCI_BRIDGE ||
	    (type < 0 && bridge->dev_flags & PCI_DEV_FLAG_PCIE_BRIDGE_ALIAS)) {
		*rid = PCI_DEVID(bridge->subordinate->number, 0);
		return true;
	}
	*rid = pci_dev_id(bridge);
	return type < 0 || type == PCI_EXP_TYPE_PCIE_BRIDGE;
}

static int viommu_pci_walk_bridge_aliases(struct pci_dev *pdev,
					  int (*fn)(struct pci_dev *pdev, u16 rid, void *data),
					  void *data)
{
	struct pci_dev *bridge;
	struct pci_bus *bus;
	u16 rid;
	int ret;

	for (bus = pdev->bus; !pci_is_root_bus(bus); bus = bus->parent) {
		bridge = bus->self;
		/* A bus of virtual functions may have none. */
		if (!bridge)
			continue;
		if (bridge->dev_flags & PCI_DEV_FLAGS_BRIDGE_XLATE_ROOT)
			break;
		if (!viommu_pci_bridge_alias(bridge, &rid))
			continue;
		ret = fn(bridge, rid, data);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * viommu_pci_walk_aliases() - walk over the requester IDs of a function's DMA
 * @pdev: the function
 * @fn: called with each, the one that reaches the root complex last if a bridge
 *	replaces IDs, first if none does; also gets a function of the ID's segment,
 *	and @data. What it returns ends the walk, if it is not 0
 * @data: for @fn
 *
 * Context: @pdev is on its bus. May sleep if @fn does.
 * Return: what ended the walk, or 0.
 */
int viommu_pci_walk_aliases(struct pci_dev *pdev,
			    int (*fn)(struct pci_dev *pdev, u16 rid, void *data), void *data)
{
	unsigned int devfn;
	int ret;

	pdev = viommu_pci_requester(pdev);
	ret = fn(pdev, pci_dev_id(pdev), data);
	if (ret)
		return ret;
	if (pdev->dma_alias_mask) {
		for_each_set_bit(devfn, pdev->dma_alias_mask, VIOMMU_NR_DEVFNS) {
			ret = fn(pdev, PCI_DEVID(pdev->bus->number, devfn), data);
			if (ret)
				return ret;
		}
	}
	return viommu_pci_walk_bridge_aliases(pdev, fn, data);
}

static int viommu_pci_any_alias(struct pci_dev *pdev, u16 rid, void *data)
{
	return 1;
}

/**
 * viommu_pci_is_behind_alias() - does a bridge replace a function's requester ID?
 * @pdev: the function
 *
 * Context: @pdev is on its bus.
 * Return: whether one does: then its own ID never reaches the root complex.
 */
bool viommu_pci_is_behind_alias(struct pci_dev *pdev)
{
	return viommu_pci_walk_bridge_aliases(viommu_pci_requester(pdev), viommu_pci_any_alias,
					      NULL);
}
