// SPDX-License-Identifier: GPL-2.0
/*
 * The event queue: faults come in, are decoded, and find their device.
 *
 * The device fills buffers that it was given ahead. A work item empties the
 * queue, with the queue's callback off while it runs, at most a ringful a run:
 * a storm of faults costs a kernel thread some time and the log a few lines. A
 * fault goes to the handler of the domain that its endpoint is attached to, and
 * where that does not take it, to the log, with the names of the devices.
 *
 * Specification: "Fault reporting".
 */
#include <linux/device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "trace.h"
#include "viommu.h"

#define VIOMMU_EVENTS_MAX	256U

static int viommu_events_give(struct viommu_events *events, struct viommu_event *event)
{
	struct scatterlist sg;

	memset(&event->fault, 0, sizeof(event->fault));
	sg_init_one(&sg, &event->fault, sizeof(event->fault));
	return virtqueue_add_inbuf(events->vq, &sg, 1, event, GFP_KERNEL);
}

static void viommu_fault_log(struct device *dev, const struct viommu_fault *fault)
{
	if (fault->has_address)
		dev_err_ratelimited(dev, "DMA fault: endpoint %#x, address %#llx%s%s%s: %s\n",
				    fault->endpoint, fault->address,
				    fault->read ? ", read" : "", fault->write ? ", write" : "",
				    fault->exec ? ", fetch" : "", viommu_fault_reason(fault));
	else
		dev_err_ratelimited(dev, "DMA fault: endpoint %#x%s%s%s: %s\n", fault->endpoint,
				    fault->read ? ", read" : "", fault->write ? ", write" : "",
				    fault->exec ? ", fetch" : "", viommu_fault_reason(fault));
}

/* Whether the endpoint's domain has a handler, and it took the fault. */
static bool viommu_fault_handled(struct viommu_master *master,
				 const struct viommu_endpoint *endpoint,
				 const struct viommu_fault *fault)
{
	int flags = fault->write ? IOMMU_FAULT_WRITE : IOMMU_FAULT_READ;

	if (!endpoint->domain || !fault->has_address)
		return false;
	return !report_iommu_fault(&endpoint->domain->domain, master->dev, fault->address, flags);
}

static bool viommu_master_faulted(struct viommu_master *master, const struct viommu_fault *fault)
{
	unsigned int i;

	for (i = 0; i < master->nr_endpoints; i++) {
		if (master->endpoints[i]->id != fault->endpoint)
			continue;
		if (!viommu_fault_handled(master, master->endpoints[i], fault))
			viommu_fault_log(master->dev, fault);
		return true;
	}
	return false;
}

static void viommu_fault_remember(struct viommu_device *viommu, const struct viommu_fault *fault)
{
	struct viommu_fault_record *record;

	lockdep_assert_held(&viommu->endpoints_lock);
	record = &viommu->fault_records[viommu->faults++ % VIOMMU_FAULT_RECORDS];
	record->time = ktime_get_boottime_ns();
	record->fault = *fault;
}

static void viommu_fault_route(struct viommu_device *viommu, const struct viommu_fault *fault)
{
	struct viommu_endpoint *endpoint;
	struct viommu_master *master;
	bool found = false;

	trace_viommu_fault(viommu, fault);
	guard(mutex)(&viommu->endpoints_lock);
	viommu_fault_remember(viommu, fault);
	endpoint = xa_load(&viommu->endpoints, fault->endpoint);
	if (endpoint)
		endpoint->faults++;
	list_for_each_entry(master, &viommu->masters, node)
		found |= viommu_master_faulted(master, fault);
	if (!found)
		viommu_fault_log(&viommu->vdev->dev, fault);
}

static void viommu_events_work(struct work_struct *work)
{
	struct viommu_events *events = container_of(work, struct viommu_events, work);
	struct viommu_device *viommu = container_of(events, struct viommu_device, events);
	struct device *dev = &viommu->vdev->dev;
	struct viommu_event *event;
	unsigned int i, len;

	for (i = 0; i < events->nr; i++) {
		struct viommu_fault fault;

		event = virtqueue_get_buf(events->vq, &len);
		if (!event)
			break;
		len = min_t(size_t, len, sizeof(event->fault));
		if (viommu_fault_decode(&fault, &event->fault, len))
			dev_warn_ratelimited(dev, "fault report of an unknown kind dropped\n");
		else
			viommu_fault_route(viommu, &fault);
		if (viommu_events_give(events, event))
			dev_warn_ratelimited(dev, "one buffer less for fault reports\n");
	}
	virtqueue_kick(events->vq);
	/* More has come, or may have: another run, after others had their turn. */
	if (i == events->nr || !virtqueue_enable_cb(events->vq))
		schedule_work(&events->work);
}

/**
 * viommu_events_callback() - the event queue's callback
 * @vq: the virtqueue
 *
 * Context: Interrupt.
 */
void viommu_events_callback(struct virtqueue *vq)
{
	struct viommu_device *viommu = vq->vdev->priv;

	/* A host may interrupt before it was told that the driver is ready. */
	if (!READ_ONCE(viommu->events.started))
		return;
	virtqueue_disable_cb(vq);
	schedule_work(&viommu->events.work);
}

/**
 * viommu_events_init() - fill the event queue
 * @viommu: the virtio-iommu
 * @vq: the virtqueue
 *
 * Context: Probe, before the device is made ready; may sleep.
 * Return: 0 or -ENOMEM.
 */
int viommu_events_init(struct viommu_device *viommu, struct virtqueue *vq)
{
	struct viommu_events *events = &viommu->events;

	INIT_WORK(&events->work, viommu_events_work);
	events->nr = min(virtqueue_get_vring_size(vq), VIOMMU_EVENTS_MAX);
	events->buffers = kcalloc(events->nr, sizeof(*events->buffers), GFP_KERNEL);
	if (!events->buffers)
		return -ENOMEM;
	return viommu_events_refill(viommu, vq);
}

/**
 * viommu_events_refill() - give a new queue all buffers
 * @viommu: the virtio-iommu, its device not ready
 * @vq: the virtqueue
 *
 * Context: May sleep.
 * Return: 0; -ENOMEM; -ENOSPC where the ring is smaller than it was.
 */
int viommu_events_refill(struct viommu_device *viommu, struct virtqueue *vq)
{
	struct viommu_events *events = &viommu->events;
	unsigned int i;
	int ret = 0;

	events->vq = vq;
	for (i = 0; i < events->nr && !ret; i++)
		ret = viommu_events_give(events, &events->buffers[i]);
	return ret;
}

/**
 * viommu_events_start() - let faults come
 * @viommu: the virtio-iommu, its device ready
 *
 * From here on the queue belongs to the work item.
 *
 * Context: Probe; may sleep.
 */
void viommu_events_start(struct viommu_device *viommu)
{
	WRITE_ONCE(viommu->events.started, true);
	schedule_work(&viommu->events.work);
}

/**
 * viommu_events_flush() - handle what has come
 * @viommu: the virtio-iommu
 *
 * Context: endpoints_lock not held. May sleep.
 */
void viommu_events_flush(struct viommu_device *viommu)
{
	schedule_work(&viommu->events.work);
	flush_work(&viommu->events.work);
}

/**
 * viommu_events_stop() - let no fault come any more
 * @viommu: the virtio-iommu; its queues are broken, so that no callback comes
 *
 * Context: May sleep.
 */
void viommu_events_stop(struct viommu_device *viommu)
{
	WRITE_ONCE(viommu->events.started, false);
	cancel_work_sync(&viommu->events.work);
}

/**
 * viommu_events_free() - free the event queue's memory
 * @viommu: the virtio-iommu; viommu_events_stop() was called
 *
 * Context: May sleep.
 */
void viommu_events_free(struct viommu_device *viommu)
{
	kfree(viommu->events.buffers);
}
