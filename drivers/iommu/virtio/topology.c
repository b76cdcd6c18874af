// SPDX-License-Identifier: GPL-2.0
/*
 * Who is behind which IOMMU, where the kernel has not said.
 *
 * The core reads a device tree, and in many kernels a VIOT, when it binds a
 * device's driver, and gives the device a fwspec. It never reads the
 * paravirtualised IORT, some kernels have no reader of a VIOT, and a device
 * without a driver is passed by. The core offers such devices to the driver
 * without a fwspec (see viommu_register()), and this file fills it: from the
 * tables, which were read once when the module was loaded, or the device tree.
 *
 * A PCI device has several endpoint IDs where other requester IDs are put on its
 * DMA: see alias.c. All of them are looked up. Where tables overlap, the range
 * that was read first wins, and so a VIOT wins over an IORT.
 *
 * The ranges are read-only after viommu_topology_init(), so there is no lock.
 */
#include <linux/acpi.h>
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include "viommu.h"

/* ACS as isolation wants it: no function reaches another past the IOMMU. */
#define VIOMMU_PCI_ACS	(PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

/* Ranges of one table: a VIOT has no more nodes than that. */
#define VIOMMU_RANGES_MAX	U16_MAX

static char *topology = "auto";
module_param(topology, charp, 0444);
MODULE_PARM_DESC(topology,
		 "Firmware tables that the driver reads itself: auto, viot, iort or none (default auto: a VIOT, then an IORT)");

/**
 * struct viommu_firmware_table - a kind of ACPI table
 * @signature: ACPI's name for it
 * @name: the same in the module parameter
 * @begin: starts a walk over its ranges
 * @next: the next range
 * @core_waits: the core reads such a table too, and binds the driver of a device in
 *	it only when its IOMMU is there
 * @ranges: what was read
 * @nr: number of @ranges
 */
struct viommu_firmware_table {
	const char *signature;
	const char *name;
	int (*begin)(struct viommu_table_cursor *cursor, const void *table, size_t size);
	int (*next)(struct viommu_table_cursor *cursor, struct viommu_range *range);
	bool core_waits;
	struct viommu_range *ranges;
	unsigned int nr;
};

/* The first that mentions a device has it. */
static struct viommu_firmware_table viommu_tables[] = {
	{
		.signature = ACPI_SIG_VIOT, .name = "viot",
		.begin = viommu_viot_begin, .next = viommu_viot_next,
		.core_waits = IS_ENABLED(CONFIG_ACPI_VIOT),
	},
	{
		.signature = ACPI_SIG_IORT, .name = "iort",
		.begin = viommu_iort_begin, .next = viommu_iort_next,
	},
};

/* Without @ranges, only count. */
static unsigned int viommu_firmware_walk(const struct viommu_firmware_table *kind,
					 const void *table, size_t size,
					 struct viommu_range *ranges, unsigned int max)
{
	struct viommu_table_cursor cursor;
	struct viommu_range range;
	unsigned int nr = 0;
	int ret;

	if (kind->begin(&cursor, table, size)) {
		pr_warn("%s: no room for a table in %zu bytes\n", kind->signature, size);
		return 0;
	}
	while (nr < max && (ret = kind->next(&cursor, &range))) {
		if (ret > 0) {
			if (ranges)
				ranges[nr] = range;
			nr++;
		} else if (!ranges) {
			pr_warn_ratelimited("%s: bad node at offset %zu ignored%s\n",
					    kind->signature, cursor.at,
					    ret == -EINVAL ? ", and all that follow" : "");
		}
	}
	return nr;
}

static int viommu_firmware_read(struct viommu_firmware_table *kind)
{
	struct acpi_table_header *table;
	unsigned int nr;
	int ret = 0;

	if (ACPI_FAILURE(acpi_get_table((char *)kind->signature, 0, &table)))
		return 0;
	nr = viommu_firmware_walk(kind, table, table->length, NULL, VIOMMU_RANGES_MAX);
	if (nr) {
		kind->ranges = kvcalloc(nr, sizeof(*kind->ranges), GFP_KERNEL);
		if (kind->ranges)
			kind->nr = viommu_firmware_walk(kind, table, table->length,
							kind->ranges, nr);
		else
			ret = -ENOMEM;
	}
	acpi_put_table(table);
	return ret;
}

/**
 * viommu_topology_init() - read the firmware's tables
 *
 * Context: Module initialisation; may sleep.
 * Return: 0, also where there is no table; -EINVAL for a bad module parameter;
 * -ENOMEM.
 */
int viommu_topology_init(void)
{
	bool all = !strcmp(topology, "auto"), known = all || !strcmp(topology, "none");
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(viommu_tables) && !ret; i++) {
		bool named = !strcmp(topology, viommu_tables[i].name);

		known |= named;
		if (!acpi_disabled && (all || named))
			ret = viommu_firmware_read(&viommu_tables[i]);
	}
	if (!ret && !known) {
		pr_err("topology=%s: not one of auto, viot, iort, none\n", topology);
		ret = -EINVAL;
	}
	if (ret)
		viommu_topology_exit();
	return ret;
}

/**
 * viommu_topology_exit() - forget the tables
 *
 * Context: Module exit; may sleep.
 */
void viommu_topology_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(viommu_tables); i++) {
		kvfree(viommu_tables[i].ranges);
		viommu_tables[i].nr = 0;
	}
}

static int viommu_topology_add_to(struct device *dev, struct viommu_device *viommu, u32 id)
{
	int ret;

	/* The IOMMU does not translate for itself. */
	if (viommu->hwdev == dev)
		return -ENODEV;
	ret = viommu_ops_fwspec_init(dev, viommu->fwnode);
	if (ret)
		return ret;
	/* A fwspec names one IOMMU; an alias behind another has no place in it. */
	if (dev_iommu_fwspec_get(dev)->iommu_fwnode != viommu->fwnode)
		return -ENODEV;
	return iommu_fwspec_add_ids(dev, &id, 1);
}

/* Put one endpoint ID into a device's fwspec. Drops the reference. */
static int viommu_topology_add(struct device *dev, struct viommu_device *viommu, u32 id)
{
	int ret;

	if (!viommu)
		return -ENODEV;
	ret = viommu_topology_add_to(dev, viommu, id);
	viommu_device_put(viommu);
	return ret;
}

/**
 * struct viommu_topology_search - a device whose endpoint IDs are looked up
 * @dev: the device
 * @core_waits: the core would have bound its driver only with its IOMMU there
 */
struct viommu_topology_search {
	struct device *dev;
	bool core_waits;
};

/* What the device tree says of one requester ID. */
static int viommu_topology_add_of(struct viommu_topology_search *search,
				  const struct pci_host_bridge *bridge, u16 rid)
{
	struct device_node *np = bridge->dev.parent ? bridge->dev.parent->of_node : NULL;
	struct viommu_device *viommu;
	struct of_phandle_args args;

	if (!np || of_map_iommu_id(np, rid, &args))
		return -ENODEV;
	viommu = viommu_device_by_fwnode(of_fwnode_handle(args.np));
	of_node_put(args.np);
	search->core_waits = true;
	return viommu_topology_add(search->dev, viommu, args.args[0]);
}

static int viommu_topology_add_rid(struct viommu_topology_search *search, struct pci_dev *pdev,
				   u16 rid)
{
	const struct viommu_firmware_table *table;
	unsigned int i;
	u32 id;

	for (table = viommu_tables; table < viommu_tables + ARRAY_SIZE(viommu_tables); table++) {
		for (i = 0; i < table->nr; i++) {
			if (!viommu_range_pci_endpoint(&table->ranges[i], pci_domain_nr(pdev->bus),
						       rid, &id))
				continue;
			search->core_waits = table->core_waits;
			return viommu_topology_add(search->dev,
						   viommu_device_by_node(&table->ranges[i].iommu),
						   id);
		}
	}
	return viommu_topology_add_of(search, pci_find_host_bridge(pdev->bus), rid);
}

/* An ID that nothing lists is no error: others may be listed. */
static int viommu_topology_add_alias(struct pci_dev *pdev, u16 rid, void *data)
{
	int ret = viommu_topology_add_rid(data, pdev, rid);

	return ret == -ENODEV ? 0 : ret;
}

/*
 * The core enables ACS as it finds the functions, if something told it then that
 * there would be an IOMMU. Where nothing did, it is off everywhere.
 */
static void viommu_topology_enable_acs(struct pci_dev *pdev)
{
	u16 capable, enabled;

	if (!pdev->acs_cap)
		return;
	pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CAP, &capable);
	pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, &enabled);
	if (!(enabled & VIOMMU_PCI_ACS))
		pci_write_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL,
				      enabled | (capable & VIOMMU_PCI_ACS));
}

static int viommu_topology_configure_pci(struct viommu_topology_search *search,
					 struct pci_dev *pdev)
{
	int ret = viommu_pci_walk_aliases(pdev, viommu_topology_add_alias, search);

	if (ret)
		return ret;
	if (!dev_iommu_fwspec_get(search->dev))
		return -ENODEV;
	viommu_topology_enable_acs(pdev);
	return 0;
}

static int viommu_topology_configure_platform(struct viommu_topology_search *search,
					      struct platform_device *pdev)
{
	struct resource *mem = platform_get_resource(pdev, IORESOURCE_MEM, 0);
	const struct viommu_firmware_table *table;
	unsigned int i;

	if (!mem)
		return -ENODEV;
	for (table = viommu_tables; table < viommu_tables + ARRAY_SIZE(viommu_tables); table++) {
		for (i = 0; i < table->nr; i++) {
			const struct viommu_range *range = &table->ranges[i];

			if (range->transport != VIOMMU_TRANSPORT_MMIO || range->base != mem->start)
				continue;
			search->core_waits = table->core_waits;
			return viommu_topology_add(search->dev,
						   viommu_device_by_node(&range->iommu),
						   range->endpoint_start);
		}
	}
	return -ENODEV;
}

/**
 * viommu_topology_configure() - fill a device's fwspec
 * @dev: a device that has none
 * @core_waits: set to whether the core knew of its IOMMU, and would have bound its
 *	driver only with that there
 *
 * Context: The core's probe of the device. May sleep.
 * Return: 0; -ENODEV where nothing says that the device is behind a virtio-iommu
 * that has a driver; -ENOMEM.
 */
int viommu_topology_configure(struct device *dev, bool *core_waits)
{
	struct viommu_topology_search search = { .dev = dev };
	int ret = -ENODEV;

	if (dev_is_pci(dev))
		ret = viommu_topology_configure_pci(&search, to_pci_dev(dev));
	else if (dev_is_platform(dev))
		ret = viommu_topology_configure_platform(&search, to_platform_device(dev));
	*core_waits = search.core_waits;
	return ret;
}
