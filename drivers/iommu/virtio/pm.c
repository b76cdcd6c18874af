// SPDX-License-Identifier: GPL-2.0
/*
 * Suspend and hibernation: the device goes through a reset, and forgets everything.
 *
 * When the system is suspended, the devices behind the virtio-iommu are before it, and are
 * resumed after it: see viommu_master_link(). So no driver waits for DMA in between. But
 * flush queues have timers, and drivers that are being suspended or resumed unmap what they
 * have: while the device is asleep, map and unmap are carried out in the books alone, as
 * for a domain that has no endpoint. Nobody waits, and nothing is lost: the device
 * is told afterwards, endpoint by endpoint, a domain's mappings in batches (attach.c).
 * A request of another kind fails at once, as with a dead device.
 *
 * A host may be another one after hibernation. One that offers less, or something else,
 * is not used: the device then counts as dead, and what is behind it reaches nothing.
 * Bypass is closed until all endpoints are attached again (bypass.c).
 *
 * The virtio core calls both hooks when it suspends or resumes the transport, and resets
 * the device before a restore.
 */
#include "viommu.h"

/**
 * viommu_pm_freeze() - the system is about to sleep, or its memory to be copied
 * @vdev: the virtio device
 *
 * Context: Suspend of the transport; may sleep.
 * Return: 0.
 */
int viommu_pm_freeze(struct virtio_device *vdev)
{
	struct viommu_device *viommu = vdev->priv;

	scoped_guard(mutex, &viommu->endpoints_lock) {
		/* Not resumed since the last time, or in vain: there is nothing to do. */
		if (!viommu->has_queues)
			return 0;
		viommu_bypass_hold(viommu);
		viommu_endpoints_park(viommu);
	}
	viommu_events_flush(viommu);
	viommu_device_stop(viommu);
	return 0;
}

/* Up to where requests can be sent. */
static int viommu_pm_restart(struct viommu_device *viommu)
{
	struct virtqueue *vqs[VIOMMU_NR_VQS];
	struct viommu_limits limits;
	int ret;

	ret = viommu_device_read_limits(viommu, &limits);
	if (ret)
		return ret;
	if (!viommu_limits_are(&limits, &viommu->limits)) {
		dev_err(&viommu->vdev->dev, "the config space has changed during suspend\n");
		return -EINVAL;
	}
	ret = viommu_device_find_queues(viommu, vqs);
	if (ret)
		return ret;
	ret = viommu_events_refill(viommu, vqs[VIOMMU_VQ_EVENT]);
	if (ret) {
		dev_err(&viommu->vdev->dev, "the event queue has changed during suspend\n");
		return ret;
	}
	virtio_device_ready(viommu->vdev);
	viommu_events_start(viommu);
	ret = viommu_queue_restart(&viommu->queue, vqs[VIOMMU_VQ_REQUEST]);
	if (ret)
		dev_err(&viommu->vdev->dev, "the request queue has changed during suspend\n");
	return ret;
}

/**
 * viommu_pm_restore() - the system is awake again, or its memory has been copied
 * @vdev: the virtio device, its features negotiated
 *
 * Context: Resume of the transport; may sleep.
 * Return: 0; -EINVAL where the host is another one; -EIO where the device is dead; the
 * transport's errno, or -ENOMEM.
 */
int viommu_pm_restore(struct virtio_device *vdev)
{
	struct viommu_device *viommu = vdev->priv;
	bool all_attached;
	int ret;

	scoped_guard(mutex, &viommu->endpoints_lock)
		viommu_bypass_hold(viommu);
	ret = viommu_pm_restart(viommu);
	scoped_guard(mutex, &viommu->endpoints_lock) {
		all_attached = !viommu_endpoints_return(viommu);
		if (!ret && READ_ONCE(viommu->queue.dead))
			ret = -EIO;
		viommu_bypass_settle(viommu, all_attached && !ret);
	}
	if (!ret)
		return 0;
	viommu_device_stop(viommu);
	dev_err(&vdev->dev, "not resumed: %pe: the devices behind it reach nothing\n",
		ERR_PTR(ret));
	return ret;
}
