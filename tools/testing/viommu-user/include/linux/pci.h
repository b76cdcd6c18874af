/* SPDX-License-Identifier: GPL-2.0 */
/* A host bridge, and what is behind it. */
#ifndef _VIOMMU_USER_PCI_H
#define _VIOMMU_USER_PCI_H

#include <linux/device.h>
#include <linux/ioport.h>
#include <linux/list.h>

struct resource_entry {
	struct list_head node;
	struct resource *res;
	u64 offset;
};

#define resource_list_for_each_entry(entry, list)	list_for_each_entry(entry, list, node)

struct pci_host_bridge {
	struct list_head windows;
	struct list_head dma_ranges;
};

struct pci_bus {
	struct pci_host_bridge *bridge;
};

struct pci_dev {
	struct device dev;
	struct pci_bus *bus;
};

#define to_pci_dev(device)	container_of(device, struct pci_dev, dev)

static inline bool dev_is_pci(const struct device *dev)
{
	return dev->is_pci;
}

static inline struct pci_host_bridge *pci_find_host_bridge(struct pci_bus *bus)
{
	return bus->bridge;
}

#endif /* _VIOMMU_USER_PCI_H */
