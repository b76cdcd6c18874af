// SPDX-License-Identifier: GPL-2.0
/*
 * A struct device and its endpoints.
 *
 * The core probes a device; its fwspec, or our own reading of the firmware's
 * tables, says which endpoint IDs it has; ids.c asks the device about each. One
 * of them is what its DMA arrives with, and that the virtio-iommu must know: the
 * device stays outside otherwise, loudly. The others may be unknown to it: behind
 * a PCIe-to-PCI bridge a device's own ID never leaves the bus, and a quirk's alias
 * may be no business of the host's.
 *
 * A device depends on its IOMMU: it suspends, resumes and shuts down on the
 * right side of it thanks to a device link, and loses its driver before the
 * IOMMU goes away.
 *
 * viommu->endpoints_lock guards the endpoints and the list of masters.
 */
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "viommu.h"

/* Where a device without a hardware MSI region gets its doorbells mapped, preferably. */
#define VIOMMU_SW_MSI_START	0x8000000
#define VIOMMU_SW_MSI_SIZE	0x100000

#define VIOMMU_MSI_PROT		(IOMMU_WRITE | IOMMU_NOEXEC | IOMMU_MMIO)

/**
 * viommu_master_has() - is an endpoint one of a device's?
 * @master: the device
 * @endpoint: the endpoint
 *
 * Context: endpoints_lock held.
 * Return: whether it is.
 */
bool viommu_master_has(const struct viommu_master *master,
		       const struct viommu_endpoint *endpoint)
{
	unsigned int i;

	for (i = 0; i < master->nr_endpoints; i++)
		if (master->endpoints[i] == endpoint)
			return true;
	return false;
}

static void viommu_master_put_endpoints(struct viommu_master *master)
{
	while (master->nr_endpoints)
		viommu_ids_put(master->viommu, master->endpoints[--master->nr_endpoints]);
}

/*
 * Which ID of the fwspec its DMA arrives with. The core lists them as the bus
 * presents them, and so does topology.c: the device's own first, and the one of
 * the bridge that is nearest to the root complex last.
 */
static unsigned int viommu_master_presented(const struct device *dev,
					    const struct iommu_fwspec *fwspec)
{
	return dev_is_pci(dev) && viommu_pci_is_behind_alias(to_pci_dev(dev)) ?
	       fwspec->num_ids - 1 : 0;
}

static int viommu_master_get_endpoint(struct viommu_master *master, u32 id, bool presented)
{
	struct viommu_device *viommu = master->viommu;
	struct viommu_endpoint *endpoint = viommu_ids_get(viommu, id);
	bool known;

	if (IS_ERR(endpoint)) {
		if (!viommu_outside_has(viommu, master->dev))
			dev_err(master->dev, "probe of endpoint %#x failed: %pe%s\n", id, endpoint,
				PTR_ERR(endpoint) == -EINVAL ?
				": the host has more to report than room for it" : "");
		return PTR_ERR(endpoint);
	}
	known = endpoint->known;
	if (known && !viommu_master_has(master, endpoint)) {
		master->endpoints[master->nr_endpoints++] = endpoint;
		return 0;
	}
	viommu_ids_put(viommu, endpoint);
	if (known || !presented)
		return 0;
	if (!viommu_outside_has(viommu, master->dev))
		dev_err(master->dev,
			"the virtio-iommu does not know endpoint %#x, which its DMA comes from\n",
			id);
	return -ENOENT;
}

/* The IDs of the fwspec, each once, without those that the device denies. */
static int viommu_master_get_endpoints(struct viommu_master *master,
				       const struct iommu_fwspec *fwspec)
{
	unsigned int i, presented;
	int ret;

	if (!fwspec->num_ids)
		return -ENOENT;
	presented = viommu_master_presented(master->dev, fwspec);
	for (i = 0; i < fwspec->num_ids; i++) {
		ret = viommu_master_get_endpoint(master, fwspec->ids[i], i == presented);
		if (ret) {
			viommu_master_put_endpoints(master);
			return ret;
		}
	}
	return 0;
}

static int viommu_master_merge_regions(struct viommu_master *master)
{
	const struct viommu_regions *regions;
	struct viommu_regions from = {};
	unsigned int i, j, refused, max = 0;
	int ret;

	for (i = 0; i < master->nr_endpoints; i++)
		max += master->endpoints[i]->regions.nr;
	ret = viommu_regions_alloc(&from, max);
	if (!ret)
		ret = viommu_regions_alloc(&master->regions, 2 * max);
	for (i = 0; i < master->nr_endpoints && !ret; i++) {
		regions = &master->endpoints[i]->regions;
		for (j = 0; j < regions->nr; j++)
			viommu_regions_add(&from, &regions->entries[j]);
	}
	if (!ret)
		ret = viommu_regions_normalise(&master->regions, &from,
					       master->viommu->limits.granule);
	viommu_regions_free(&from);
	if (ret)
		return ret;
	refused = viommu_regions_bound(&master->regions);
	if (refused)
		dev_warn(master->dev, "%u reserved regions are too large for their type: nothing is mapped there\n",
			 refused);
	return 0;
}

static bool viommu_master_has_msi_region(const struct viommu_master *master)
{
	unsigned int i;

	for (i = 0; i < master->regions.nr; i++)
		if (master->regions.entries[i].type == VIOMMU_REGION_MSI)
			return true;
	return false;
}

/**
 * struct viommu_transport_search - is a device a virtio transport, and in use?
 * @bus: the virtio bus
 * @found: it is one: there is a device on it
 * @bound: that has a driver
 */
struct viommu_transport_search {
	const struct bus_type *bus;
	bool found;
	bool bound;
};

static int viommu_transport_child(struct device *child, void *data)
{
	struct viommu_transport_search *search = data;

	if (child->bus == search->bus) {
		search->found = true;
		search->bound |= !!child->driver;
	}
	return 0;
}

/*
 * A driver that was there before us may have DMA under way, with addresses that
 * mean memory. Not so that of a bridge, whose only DMA are interrupts, and that of
 * a virtio transport, unless its virtio device has a driver as well. What has the
 * same driver as the virtio-iommu's own transport may become one any moment.
 */
static bool viommu_driver_is_live(const struct viommu_device *viommu, struct device *dev)
{
	struct viommu_transport_search search = {
		.bus = viommu->vdev->dev.bus,
		.found = dev->driver == viommu->hwdev->driver,
	};

	if (dev_is_pci(dev) && pci_is_bridge(to_pci_dev(dev)))
		return false;
	device_for_each_child(dev, &search, viommu_transport_child);
	return !search.found || search.bound;
}

/*
 * A bridge's interrupts pass by untranslated where there is a window for them, and
 * on x86 are never mapped at all. Elsewhere they are written to addresses that
 * would have to be mapped now.
 */
static bool viommu_master_is_live(const struct viommu_master *master)
{
	struct device *dev = master->dev;

	if (!master->bound_first)
		return false;
	if (!IS_ENABLED(CONFIG_X86) && dev_is_pci(dev) && pci_is_bridge(to_pci_dev(dev)))
		return !viommu_master_has_msi_region(master);
	return viommu_driver_is_live(master->viommu, dev);
}

static int viommu_master_init(struct viommu_master *master, const struct iommu_fwspec *fwspec)
{
	int ret;

	guard(mutex)(&master->viommu->endpoints_lock);
	if (master->viommu->gone)
		return -ENODEV;
	ret = viommu_master_get_endpoints(master, fwspec);
	if (ret)
		return ret;
	ret = viommu_master_merge_regions(master);
	if (ret) {
		viommu_regions_free(&master->regions);
		viommu_master_put_endpoints(master);
		return ret;
	}
	list_add_tail(&master->node, &master->viommu->masters);
	return 0;
}

static struct viommu_master *viommu_master_alloc(struct device *dev, struct viommu_device *viommu)
{
	struct iommu_fwspec *fwspec = dev_iommu_fwspec_get(dev);
	struct viommu_master *master;
	int ret;

	master = kzalloc(struct_size(master, endpoints, fwspec->num_ids), GFP_KERNEL);
	if (!master)
		return ERR_PTR(-ENOMEM);
	master->dev = dev;
	master->viommu = viommu;
	ret = viommu_master_init(master, fwspec);
	if (ret) {
		kfree(master);
		return ERR_PTR(ret);
	}
	return master;
}

static void viommu_master_link(struct viommu_master *master)
{
	struct device *supplier = &master->viommu->vdev->dev;

	if (!device_link_add(master->dev, supplier, DL_FLAG_STATELESS))
		dev_warn(master->dev,
			 "no device link to %s: the order of suspend and shutdown is left to chance\n",
			 dev_name(supplier));
}

/* Take a device in, or leave it outside. @bound_first: see struct viommu_master. */
static int viommu_master_take_in(struct device *dev, struct viommu_device *viommu,
				 bool bound_first)
{
	struct viommu_master *master;
	int ret;

	if (bound_first && !viommu_ops_takes_bound) {
		viommu_outside_add(viommu, dev, "its driver was bound before its IOMMU was there",
				   -EBUSY);
		return -EBUSY;
	}
	master = viommu_master_alloc(dev, viommu);
	if (IS_ERR(master)) {
		ret = PTR_ERR(master);
		viommu_outside_add(viommu, dev, "its IOMMU cannot take it in", ret);
		return ret;
	}
	viommu_outside_drop(viommu, dev);

	master->bound_first = bound_first;
	master->live = viommu_master_is_live(master);
	if (master->live)
		dev_warn(dev, "driver %s was bound before its IOMMU was there: identity domain, not protected\n",
			 dev_driver_string(dev));
	viommu_master_link(master);
	dev_iommu_priv_set(dev, master);
	viommu_dma_add(master);
	return 0;
}

/**
 * viommu_master_probe() - take a device in
 * @dev: the device
 *
 * Context: The core's probe of the device. May sleep.
 * Return: its IOMMU; ERR_PTR(-ENODEV) where it has none, or where that went wrong,
 * which is logged: for any other error the core would give up all devices.
 */
struct iommu_device *viommu_master_probe(struct device *dev)
{
	bool bound_first, core_waits = true;
	struct viommu_device *viommu;

	if (!dev_iommu_fwspec_get(dev) && viommu_topology_configure(dev, &core_waits))
		return ERR_PTR(-ENODEV);
	viommu = viommu_device_by_fwnode(dev_iommu_fwspec_get(dev)->iommu_fwnode);
	if (!viommu)
		return ERR_PTR(-ENODEV);

	/*
	 * A driver that the core held back may be on its way, and will find the IOMMU.
	 * Any other was there first, even if its probe is not over.
	 */
	bound_first = core_waits ? device_is_bound(dev) : !!dev->driver;
	if (viommu_master_take_in(dev, viommu, bound_first)) {
		viommu_device_put(viommu);
		return ERR_PTR(-ENODEV);
	}
	return &viommu->iommu;
}

/* The group of another device that has one of this one's endpoints. */
static struct iommu_group *viommu_master_shared_group(const struct viommu_master *master)
{
	struct iommu_group *group = NULL;
	struct viommu_master *other;
	unsigned int i;

	guard(mutex)(&master->viommu->endpoints_lock);
	list_for_each_entry(other, &master->viommu->masters, node) {
		for (i = 0; i < master->nr_endpoints && !group; i++)
			if (viommu_master_has(other, master->endpoints[i]))
				group = iommu_group_get(other->dev);
	}
	return group;
}

/* Not where its default domain is the identity domain that all share. */
static bool viommu_master_needs_id(const struct viommu_master *master)
{
	return !master->viommu->has_identity_id ||
	       !(iommu_default_passthrough() ||
		 viommu_master_default_domain(master->dev) == IOMMU_DOMAIN_IDENTITY);
}

/*
 * Whether there is a domain ID for the group of a device that is about to join, and for
 * all groups that wait for their default domain.
 */
static bool viommu_master_gets_id(struct viommu_master *master, const struct iommu_group *group)
{
	struct viommu_device *viommu = master->viommu;
	struct iommu_group *other_group;
	struct viommu_master *other;
	unsigned int wanted = 1;

	guard(mutex)(&viommu->endpoints_lock);
	if (!viommu_master_needs_id(master))
		return true;
	list_for_each_entry(other, &viommu->masters, node) {
		if (other == master)
			continue;
		other_group = iommu_group_get(other->dev);
		iommu_group_put(other_group);
		if (other_group == group)
			return true;
		wanted += other->leads && !other->endpoints[0]->domain &&
			  viommu_master_needs_id(other);
	}
	master->leads = true;
	return wanted <= viommu_domains_left(viommu);
}

/**
 * viommu_master_group() - the IOMMU group for a device
 * @dev: the device
 *
 * An endpoint is in one domain at a time, so all devices that share it must be in
 * one group, whatever else is known of them. A group without a domain would be an error
 * for which the core gives up all devices: where domain IDs are used up its device stays
 * outside.
 *
 * Context: The core's probe of the device. May sleep.
 * Return: the group, with a reference, or an ERR_PTR of the core's; ERR_PTR(-ENODEV) for
 * a device that stays outside.
 */
struct iommu_group *viommu_master_group(struct device *dev)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);
	struct iommu_group *group = viommu_master_shared_group(master);

	if (!group)
		group = dev_is_pci(dev) ? pci_device_group(dev) : generic_device_group(dev);
	if (IS_ERR(group) || viommu_master_gets_id(master, group))
		return group;
	iommu_group_put(group);
	viommu_outside_add(master->viommu, dev, "no domain ID is left", -ENOSPC);
	return ERR_PTR(-ENODEV);
}

/**
 * viommu_master_release() - let a device go
 * @dev: the device
 *
 * Its endpoints are left blocked, those that other devices share excepted.
 *
 * Context: The core's release of the device. May sleep.
 */
void viommu_master_release(struct device *dev)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);
	struct viommu_device *viommu = master->viommu;

	viommu_dma_remove(master);
	device_link_remove(dev, &viommu->vdev->dev);
	scoped_guard(mutex, &viommu->endpoints_lock) {
		list_del(&master->node);
		viommu_master_put_endpoints(master);
	}
	viommu_regions_free(&master->regions);
	kfree(master);
	viommu_device_put(viommu);
}

/**
 * viommu_master_default_domain() - what domain a device needs
 * @dev: the device
 *
 * Context: Any.
 * Return: IOMMU_DOMAIN_IDENTITY for one that may have DMA under way, and for all
 * where the device's granule is larger than a page, else 0.
 */
int viommu_master_default_domain(struct device *dev)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);
	bool live = master->live && dev->driver;

	return live || master->viommu->limits.granule > PAGE_SIZE ? IOMMU_DOMAIN_IDENTITY : 0;
}

static int viommu_resv_region_add(struct list_head *head, u64 start, u64 last, int prot,
				  enum iommu_resv_type type)
{
	/* The core counts in bytes, and 2^64 of them do not fit. */
	size_t size = last - start == U64_MAX ? SIZE_MAX : last - start + 1;
	struct iommu_resv_region *region = iommu_alloc_resv_region(start, size, prot, type,
								   GFP_KERNEL);

	if (!region)
		return -ENOMEM;
	list_add_tail(&region->list, head);
	return 0;
}

static int viommu_resv_region_report(struct list_head *head, const struct viommu_region *region)
{
	enum iommu_resv_type type = IOMMU_RESV_RESERVED;
	int prot = 0;

	switch (region->type) {
	case VIOMMU_REGION_MSI:
		type = IOMMU_RESV_MSI;
		prot = VIOMMU_MSI_PROT;
		break;
	case VIOMMU_REGION_RESERVED:
		break;
	case VIOMMU_REGION_IDENTITY:
		type = IOMMU_RESV_DIRECT;
		if (region->flags & VIRTIO_IOMMU_MAP_F_READ)
			prot |= IOMMU_READ;
		if (region->flags & VIRTIO_IOMMU_MAP_F_WRITE)
			prot |= IOMMU_WRITE;
		if (region->flags & VIRTIO_IOMMU_MAP_F_MMIO)
			prot |= IOMMU_MMIO;
		break;
	}
	return viommu_resv_region_add(head, region->start, region->last, prot, type);
}

/*
 * Where the host says nothing of interrupts. x86's pass by every IOMMU without being
 * translated, at one place. Others' are written to addresses that the core or VFIO maps,
 * in a window of their own, where there is room for one.
 */
static void viommu_resv_region_msi(const struct viommu_master *master, struct list_head *head)
{
	u64 start;

	if (IS_ENABLED(CONFIG_X86))
		viommu_resv_region_add(head, VIOMMU_X86_MSI_START, VIOMMU_X86_MSI_LAST,
				       VIOMMU_MSI_PROT, IOMMU_RESV_MSI);
	else if (!viommu_regions_place(&master->regions, &master->viommu->limits,
				       VIOMMU_SW_MSI_SIZE, VIOMMU_SW_MSI_START, &start))
		viommu_resv_region_add(head, start, start + VIOMMU_SW_MSI_SIZE - 1,
				       VIOMMU_MSI_PROT, IOMMU_RESV_SW_MSI);
	else
		dev_warn_once(master->dev, "no room for a window for interrupts: VFIO cannot have them\n");
}

/**
 * viommu_master_resv_regions() - report a device's reserved regions
 * @dev: the device
 * @head: list to add to
 *
 * Context: May sleep.
 */
void viommu_master_resv_regions(struct device *dev, struct list_head *head)
{
	struct viommu_master *master = dev_iommu_priv_get(dev);
	unsigned int i;

	for (i = 0; i < master->regions.nr; i++)
		if (viommu_resv_region_report(head, &master->regions.entries[i]))
			return;
	if (!viommu_master_has_msi_region(master))
		viommu_resv_region_msi(master, head);
}

/**
 * viommu_master_is_coherent() - does a device's DMA see the processors' caches?
 * @dev: the device
 *
 * A MAP has no say in it: it is as firmware describes the device.
 *
 * Context: Any.
 * Return: whether it does.
 */
bool viommu_master_is_coherent(struct device *dev)
{
	return dev_is_dma_coherent(dev);
}

/* A device that was not yet evicted; it is returned once, with a reference. */
static struct device *viommu_masters_next(struct viommu_device *viommu)
{
	struct viommu_master *master;

	guard(mutex)(&viommu->endpoints_lock);
	list_for_each_entry(master, &viommu->masters, node) {
		if (master->evicted ||
		    (dev_is_pci(master->dev) && pci_is_bridge(to_pci_dev(master->dev))))
			continue;
		master->evicted = true;
		return get_device(master->dev);
	}
	return NULL;
}

/*
 * Without a driver, and out of its group before one comes: drivers bind with the device's
 * lock held, and may be about to, because they have waited for the IOMMU.
 */
static void viommu_device_evict(struct device *dev)
{
	bool out;

	do {
		if (device_is_bound(dev))
			dev_warn(dev, "its IOMMU goes away: driver %s is unbound\n",
				 dev_driver_string(dev));
		device_release_driver(dev);
		device_lock(dev);
		out = !dev->driver;
		if (out)
			iommu_group_remove_device(dev);
		device_unlock(dev);
	} while (!out);
}

/**
 * viommu_masters_evict() - unbind the drivers of all devices, and take in no more
 * @viommu: the virtio-iommu, about to go
 *
 * Their DMA would lose its translations under them. Bridges do no DMA.
 *
 * Context: Removal of the virtio-iommu. May sleep.
 */
void viommu_masters_evict(struct viommu_device *viommu)
{
	struct device *dev;

	scoped_guard(mutex, &viommu->endpoints_lock)
		viommu->gone = true;
	while ((dev = viommu_masters_next(viommu))) {
		viommu_device_evict(dev);
		put_device(dev);
	}
}
