// SPDX-License-Identifier: GPL-2.0
/*
 * The devices that stayed outside.
 *
 * A device that stands behind a virtio-iommu, but could not be taken in, does its
 * DMA past it, or none at all (bypass.c). Such devices are remembered, to be shown where
 * an operator looks (stats.c) and to be named in the log once, however often the core
 * offers them, until they are taken in after all, are removed, or the virtio-iommu goes.
 *
 * The list is guarded by the virtio-iommu's endpoints_lock.
 */
#include <linux/device.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "viommu.h"

/**
 * struct viommu_outsider - a device that stayed outside
 * @node: in the virtio-iommu's list
 * @dev: the device; only compared, never looked into
 * @live: it had a driver when it was left outside, and has it still
 * @is_bridge: its only DMA are interrupts
 * @name: the device's name
 */
struct viommu_outsider {
	struct list_head node;
	const struct device *dev;
	bool live;
	bool is_bridge;
	char name[];
};

static struct viommu_outsider *viommu_outside_find(struct viommu_device *viommu,
						   const struct device *dev)
{
	struct viommu_outsider *outsider;

	list_for_each_entry(outsider, &viommu->outside, node)
		if (outsider->dev == dev)
			return outsider;
	return NULL;
}

/**
 * viommu_outside_has() - is it known that a device stays outside?
 * @viommu: the virtio-iommu
 * @dev: the device
 *
 * Context: endpoints_lock held.
 * Return: whether it is: then the log has said why.
 */
bool viommu_outside_has(struct viommu_device *viommu, const struct device *dev)
{
	lockdep_assert_held(&viommu->endpoints_lock);
	return viommu_outside_find(viommu, dev);
}

static void viommu_outside_free(struct viommu_outsider *outsider)
{
	list_del(&outsider->node);
	kfree(outsider);
}

/**
 * viommu_outside_add() - remember a device that stays outside, and say so
 * @viommu: the virtio-iommu that it stands behind
 * @dev: the device
 * @why: for the log
 * @error: the errno that goes with it
 *
 * Context: Takes endpoints_lock, may sleep.
 */
void viommu_outside_add(struct viommu_device *viommu, struct device *dev, const char *why,
			int error)
{
	size_t size = strlen(dev_name(dev)) + 1;
	struct viommu_outsider *outsider;

	guard(mutex)(&viommu->endpoints_lock);
	if (viommu_outside_find(viommu, dev))
		return;
	dev_err(dev, "%s: %pe: stays outside\n", why, ERR_PTR(error));
	outsider = kzalloc(struct_size(outsider, name, size), GFP_KERNEL);
	if (!outsider)
		return;
	outsider->dev = dev;
	outsider->live = device_is_bound(dev);
	outsider->is_bridge = dev_is_pci(dev) && pci_is_bridge(to_pci_dev(dev));
	memcpy(outsider->name, dev_name(dev), size);
	list_add_tail(&outsider->node, &viommu->outside);
}

/**
 * viommu_outside_drop() - a device is taken in, or is no more
 * @viommu: the virtio-iommu
 * @dev: the device
 *
 * Context: Takes endpoints_lock, may sleep.
 */
void viommu_outside_drop(struct viommu_device *viommu, const struct device *dev)
{
	struct viommu_outsider *outsider;

	guard(mutex)(&viommu->endpoints_lock);
	outsider = viommu_outside_find(viommu, dev);
	if (!outsider)
		return;
	viommu_outside_free(outsider);
	viommu_bypass_update(viommu);
}

/**
 * viommu_outside_unbound() - a device's driver is gone
 * @viommu: the virtio-iommu
 * @dev: the device
 *
 * Context: Takes endpoints_lock, may sleep.
 */
void viommu_outside_unbound(struct viommu_device *viommu, const struct device *dev)
{
	struct viommu_outsider *outsider;

	guard(mutex)(&viommu->endpoints_lock);
	outsider = viommu_outside_find(viommu, dev);
	if (!outsider)
		return;
	outsider->live = false;
	viommu_bypass_update(viommu);
}

/**
 * viommu_outside_is_live() - does a driver count on DMA that passes by?
 * @viommu: the virtio-iommu
 * @for_interrupts: even if it is only that of bridges, which are interrupts
 *
 * Context: endpoints_lock held.
 * Return: whether a device that stayed outside has the driver that it had then.
 */
bool viommu_outside_is_live(struct viommu_device *viommu, bool for_interrupts)
{
	struct viommu_outsider *outsider;

	lockdep_assert_held(&viommu->endpoints_lock);
	list_for_each_entry(outsider, &viommu->outside, node)
		if (outsider->live && (for_interrupts || !outsider->is_bridge))
			return true;
	return false;
}

/**
 * viommu_outside_names() - who they are
 * @viommu: the virtio-iommu
 * @buf: a page for sysfs
 *
 * Context: Takes endpoints_lock, may sleep.
 * Return: bytes written: a name a line, as many as fit.
 */
ssize_t viommu_outside_names(struct viommu_device *viommu, char *buf)
{
	struct viommu_outsider *outsider;
	ssize_t size = 0;

	guard(mutex)(&viommu->endpoints_lock);
	list_for_each_entry(outsider, &viommu->outside, node)
		size += sysfs_emit_at(buf, size, "%s\n", outsider->name);
	return size;
}

/**
 * viommu_outside_clear() - forget them all
 * @viommu: the virtio-iommu, of which the core knows no more
 *
 * Context: Removal; takes endpoints_lock, may sleep.
 */
void viommu_outside_clear(struct viommu_device *viommu)
{
	struct viommu_outsider *outsider, *next;

	guard(mutex)(&viommu->endpoints_lock);
	list_for_each_entry_safe(outsider, next, &viommu->outside, node)
		viommu_outside_free(outsider);
}
