// SPDX-License-Identifier: GPL-2.0
/*
 * What is attached nowhere: does its DMA pass by the IOMMU?
 *
 * A host with the feature BYPASS_CONFIG has a switch for that in the config space. Most
 * start with it open, so that a guest without a driver works. The driver closes it as
 * soon as all devices that were there are attached: from then on one that was plugged in
 * a moment ago, or that firmware did not mention, reaches nothing. Not while a device that
 * has a driver had to be left outside (outside.c): what that is doing would stop. A host
 * without the feature stops such DMA anyway, since the driver does not accept its
 * predecessor, BYPASS.
 *
 * On removal the host gets its own value back. Before a reboot and before another kernel
 * is started the switch is closed even where it was kept open, because the IOMMU is reset
 * then, and an address that was translated a moment ago would mean guest memory.
 *
 * Guarded by the virtio-iommu's endpoints_lock.
 *
 * Specification: "Device configuration layout", "Device operations".
 */
#include <linux/moduleparam.h>
#include <linux/virtio_config.h>

#include "viommu.h"

static bool keep_bypass;
module_param(keep_bypass, bool, 0644);
MODULE_PARM_DESC(keep_bypass,
		 "Leave DMA of devices that are attached nowhere as the host has it, mostly untranslated, in the place of stopping it (default: no)");

static void viommu_bypass_tell(struct viommu_device *viommu, bool open)
{
	u8 value = open;

	if (viommu->has_bypass_config)
		virtio_cwrite_le(viommu->vdev, struct virtio_iommu_config, bypass, &value);
}

static void viommu_bypass_write(struct viommu_device *viommu, bool open)
{
	if (!viommu->asleep)
		viommu_bypass_tell(viommu, open);
	viommu->bypass_open = open;
}

/**
 * viommu_bypass_init() - see what the host has
 * @viommu: the virtio-iommu, its features known
 *
 * Context: Probe; may sleep.
 */
void viommu_bypass_init(struct viommu_device *viommu)
{
	u8 value;

	if (!viommu->has_bypass_config)
		return;
	virtio_cread_le(viommu->vdev, struct virtio_iommu_config, bypass, &value);
	/* D5: the other bits mean nothing. */
	viommu->bypass_offered = value & 1;
	viommu->bypass_open = viommu->bypass_offered;
}

/* Whether nobody's DMA would stop whose driver counts on it. */
static bool viommu_bypass_may_close(struct viommu_device *viommu)
{
	struct viommu_master *master;
	unsigned int i;

	if (!viommu->registered || list_empty(&viommu->masters) ||
	    viommu_outside_is_live(viommu, true))
		return false;
	list_for_each_entry(master, &viommu->masters, node)
		for (i = 0; i < master->nr_endpoints; i++)
			if (!master->endpoints[i]->domain && device_is_bound(master->dev))
				return false;
	return true;
}

/**
 * viommu_bypass_update() - close it, if the time has come
 * @viommu: the virtio-iommu
 *
 * Context: endpoints_lock held. May sleep.
 */
void viommu_bypass_update(struct viommu_device *viommu)
{
	lockdep_assert_held(&viommu->endpoints_lock);
	if (!viommu->bypass_open || keep_bypass || !viommu_bypass_may_close(viommu))
		return;
	viommu_bypass_write(viommu, false);
	dev_info(&viommu->vdev->dev, "bypass closed: devices that are attached nowhere reach nothing\n");
}

/**
 * viommu_bypass_begin() - all devices that were there have been taken in
 * @viommu: the virtio-iommu, of which the core knows now
 *
 * Context: Probe; takes endpoints_lock, may sleep.
 */
void viommu_bypass_begin(struct viommu_device *viommu)
{
	guard(mutex)(&viommu->endpoints_lock);
	viommu->registered = true;
	viommu_bypass_update(viommu);
	if (viommu->bypass_open && !keep_bypass)
		dev_warn(&viommu->vdev->dev, "bypass stays open for now: DMA of devices that are attached nowhere is not translated\n");
}

/**
 * viommu_bypass_restore() - leave it as it was found
 * @viommu: the virtio-iommu, of which the core knows no more
 *
 * Context: Removal; takes endpoints_lock, may sleep.
 */
void viommu_bypass_restore(struct viommu_device *viommu)
{
	guard(mutex)(&viommu->endpoints_lock);
	viommu->registered = false;
	/* One that was not resumed has no features: it may not be told, and stays closed. */
	if (viommu->has_queues && viommu->bypass_open != viommu->bypass_offered)
		viommu_bypass_write(viommu, viommu->bypass_offered);
}

/**
 * viommu_bypass_shut() - the system goes down, or another kernel is about to be started
 * @viommu: the virtio-iommu
 *
 * Context: Takes endpoints_lock, may sleep.
 */
void viommu_bypass_shut(struct viommu_device *viommu)
{
	guard(mutex)(&viommu->endpoints_lock);
	/* Drivers of devices outside have yet to finish their work. */
	if (viommu->bypass_open && !viommu_outside_is_live(viommu, false))
		viommu_bypass_write(viommu, false);
}

/**
 * viommu_bypass_hold() - the endpoints are, or are about to be, attached nowhere
 * @viommu: the virtio-iommu, about to forget its endpoints, or just reset
 *
 * The host's switch survives a reset of the device, but not one of the whole machine, as
 * which some hosts resume.
 *
 * Context: endpoints_lock held. May sleep.
 */
void viommu_bypass_hold(struct viommu_device *viommu)
{
	lockdep_assert_held(&viommu->endpoints_lock);
	viommu_bypass_tell(viommu, viommu->bypass_open && viommu_outside_is_live(viommu, false));
}

/**
 * viommu_bypass_settle() - the endpoints are attached again
 * @viommu: the virtio-iommu
 * @all_attached: all of them; otherwise the DMA of those that are not must not pass by
 *
 * Context: endpoints_lock held. May sleep.
 */
void viommu_bypass_settle(struct viommu_device *viommu, bool all_attached)
{
	lockdep_assert_held(&viommu->endpoints_lock);
	if (viommu->bypass_open)
		viommu_bypass_write(viommu, all_attached);
	viommu_bypass_update(viommu);
}

/**
 * viommu_bypass_state() - in a word
 * @viommu: the virtio-iommu
 *
 * Context: Any.
 * Return: a constant string.
 */
const char *viommu_bypass_state(const struct viommu_device *viommu)
{
	if (!viommu->has_bypass_config)
		return "none";
	return READ_ONCE(viommu->bypass_open) ? "open" : "closed";
}
