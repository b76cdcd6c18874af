// SPDX-License-Identifier: GPL-2.0
/*
 * Who is behind which IOMMU, where the kernel has not said.
 *
 * Most kernels read the firmware's table (or the device tree) themselves and
 * hand each device a fwspec. A kernel without a VIOT reader does not: then the
 * core offers every device to the driver, and this file fills the fwspec from a
 * table that it has read itself, once, when the module was loaded.
 *
 * A PCI device has several endpoint IDs where bridges or quirks put other
 * requester IDs on its DMA. All of them are looked up.
 *
 * The ranges are read-only after viommu_topology_init(), so there is no lock.
 */
#include <linux/acpi.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "viommu.h"

/* Device and function numbers on a bus: the size of a dma_alias_mask. */
#define VIOMMU_NR_DEVFNS	256

/* A VIOT has at most this many nodes. */
#define VIOMMU_RANGES_MAX	U16_MAX

static struct viommu_range *viommu_ranges;
static unsigned int viommu_nr_ranges;

/* Without @ranges, only count. */
static unsigned int viommu_viot_read(const void *table, size_t size,
				     struct viommu_range *ranges, unsigned int max)
{
	struct viommu_table_cursor cursor;
	struct viommu_range range;
	unsigned int nr = 0;
	int ret;

	if (viommu_viot_begin(&cursor, table, size)) {
		pr_warn("VIOT: no room for a table in %zu bytes\n", size);
		return 0;
	}
	while (nr < max && (ret = viommu_viot_next(&cursor, &range))) {
		if (ret > 0) {
			if (ranges)
				ranges[nr] = range;
			nr++;
		} else if (!ranges) {
			pr_warn_ratelimited("VIOT: bad node at offset %zu ignored%s\n", cursor.at,
					    ret == -EINVAL ? ", and all that follow" : "");
		}
	}
	return nr;
}

/**
 * viommu_topology_init() - read the firmware's table
 *
 * Context: Module initialisation; may sleep.
 * Return: 0, also where there is no table; -ENOMEM.
 */
int viommu_topology_init(void)
{
	struct acpi_table_header *table;
	unsigned int nr;
	int ret = 0;

	if (acpi_disabled || ACPI_FAILURE(acpi_get_table(ACPI_SIG_VIOT, 0, &table)))
		return 0;

	nr = viommu_viot_read(table, table->length, NULL, VIOMMU_RANGES_MAX);
	if (nr) {
		viommu_ranges = kvcalloc(nr, sizeof(*viommu_ranges), GFP_KERNEL);
		if (viommu_ranges)
			viommu_nr_ranges = viommu_viot_read(table, table->length,
							    viommu_ranges, nr);
		else
			ret = -ENOMEM;
	}
	acpi_put_table(table);
	return ret;
}

/**
 * viommu_topology_exit() - forget the table
 *
 * Context: Module exit; may sleep.
 */
void viommu_topology_exit(void)
{
	kvfree(viommu_ranges);
	viommu_nr_ranges = 0;
}

static int viommu_topology_add_to(struct device *dev, struct viommu_device *viommu, u32 id)
{
	int ret;

	/* The IOMMU does not translate for itself. */
	if (viommu->hwdev == dev)
		return -ENODEV;
	ret = viommu_ops_fwspec_init(dev, viommu);
	if (ret)
		return ret;
	/* A fwspec names one IOMMU; an alias behind another has no place in it. */
	if (dev_iommu_fwspec_get(dev)->iommu_fwnode != viommu->fwnode)
		return -ENODEV;
	return iommu_fwspec_add_ids(dev, &id, 1);
}

/* Put one endpoint ID into a device's fwspec. */
static int viommu_topology_add(struct device *dev, const struct viommu_node *iommu, u32 id)
{
	struct viommu_device *viommu = viommu_device_by_node(iommu);
	int ret;

	if (!viommu)
		return -ENODEV;
	ret = viommu_topology_add_to(dev, viommu, id);
	viommu_device_put(viommu);
	return ret;
}

static int viommu_topology_add_pci(struct pci_dev *pdev, u16 rid)
{
	int segment = pci_domain_nr(pdev->bus);
	unsigned int i;
	u32 id;

	for (i = 0; i < viommu_nr_ranges; i++)
		if (viommu_range_pci_endpoint(&viommu_ranges[i], segment, rid, &id))
			return viommu_topology_add(&pdev->dev, &viommu_ranges[i].iommu, id);
	return -ENODEV;
}

/*
 * The requester ID that a bridge puts in place of those below it, if any.
 * Return: whether it does.
 */
static bool viommu_pci_bridge_alias(struct pci_dev *bridge, u16 *rid)
{
	bool takes_ownership = !pci_is_pcie(bridge);

	if (pci_is_pcie(bridge)) {
		switch (pci_pcie_type(bridge)) {
		case PCI_EXP_TYPE_PCI_BRIDGE:
			*rid = PCI_DEVID(bridge->subordinate->number, 0);
			return true;
		case PCI_EXP_TYPE_PCIE_BRIDGE:
			takes_ownership = true;
			break;
		}
	} else if (bridge->dev_flags & PCI_DEV_FLAG_PCIE_BRIDGE_ALIAS) {
		*rid = PCI_DEVID(bridge->subordinate->number, 0);
		return true;
	}
	*rid = pci_dev_id(bridge);
	return takes_ownership;
}

/* All requester IDs that a function's DMA may carry. -ENODEV where none is known. */
static int viommu_topology_add_pci_aliases(struct pci_dev *pdev)
{
	int ret = viommu_topology_add_pci(pdev, pci_dev_id(pdev));
	struct pci_bus *bus;
	unsigned int devfn;
	u16 rid;

	/* -ENODEV is an ID that the table does not list; others may be. */
	if (ret && ret != -ENODEV)
		return ret;
	if (pdev->dma_alias_mask) {
		for_each_set_bit(devfn, pdev->dma_alias_mask, VIOMMU_NR_DEVFNS) {
			ret = viommu_topology_add_pci(pdev, PCI_DEVID(pdev->bus->number, devfn));
			if (ret && ret != -ENODEV)
				return ret;
		}
	}
	for (bus = pdev->bus; !pci_is_root_bus(bus); bus = bus->parent) {
		/* A virtual function's bus may have no bridge of its own. */
		if (!bus->self)
			continue;
		if (bus->self->dev_flags & PCI_DEV_FLAGS_BRIDGE_XLATE_ROOT)
			break;
		if (!viommu_pci_bridge_alias(bus->self, &rid))
			continue;
		ret = viommu_topology_add_pci(pdev, rid);
		if (ret && ret != -ENODEV)
			return ret;
	}
	return dev_iommu_fwspec_get(&pdev->dev) ? 0 : -ENODEV;
}

static int viommu_topology_add_platform(struct platform_device *pdev)
{
	struct resource *mem = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	unsigned int i;

	if (!mem)
		return -ENODEV;
	for (i = 0; i < viommu_nr_ranges; i++)
		if (viommu_ranges[i].transport == VIOMMU_TRANSPORT_MMIO &&
		    viommu_ranges[i].base == mem->start)
			return viommu_topology_add(&pdev->dev, &viommu_ranges[i].iommu,
						   viommu_ranges[i].endpoint_start);
	return -ENODEV;
}

/**
 * viommu_topology_configure() - fill a device's fwspec
 * @dev: a device that has none
 *
 * Context: The core's probe of the device. May sleep.
 * Return: 0; -ENODEV where no table mentions the device, or its IOMMU has no
 * driver; -ENOMEM.
 */
int viommu_topology_configure(struct device *dev)
{
	if (!viommu_nr_ranges)
		return -ENODEV;
	if (dev_is_pci(dev))
		return viommu_topology_add_pci_aliases(to_pci_dev(dev));
	if (dev_is_platform(dev))
		return viommu_topology_add_platform(to_platform_device(dev));
	return -ENODEV;
}
