// SPDX-License-Identifier: GPL-2.0
/*
 * The virtio transport: what the virtio core and the driver see of the device.
 *
 * A kick is a call. It carries the requests out at once, as a host does that handles
 * them within the exit, or hands them to a worker.
 *
 * Specification: "Basic Facilities of a Virtio Device".
 */
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "mock.h"

/* How many bytes a tail has: what is written where a status is wanted of us. */
#define MOCK_TAIL	sizeof(struct virtio_iommu_req_tail)

static void mock_answer_later(struct mock_device *mock, const struct mock_buffer *buffer, u32 len,
			      unsigned int ms)
{
	struct mock_late *late = kzalloc_obj(*late, GFP_ATOMIC);

	if (!late)
		return;
	late->head = buffer->head;
	late->len = len;
	late->due = ktime_add_ms(ktime_get(), ms);
	list_add_tail(&late->node, &mock->late);
	queue_work(mock->workers, &mock->late_work);
}

static void mock_answer_status(const struct mock_buffer *buffer, u8 status)
{
	struct virtio_iommu_req_tail tail = { .status = status };

	memset(buffer->writable, 0, buffer->nr_writable);
	if (buffer->nr_writable >= MOCK_TAIL)
		memcpy(buffer->writable + buffer->nr_writable - MOCK_TAIL, &tail, MOCK_TAIL);
}

static u32 mock_carry_out(struct mock_device *mock, const struct mock_buffer *buffer)
{
	return mock_model_request(&mock->model, buffer->readable, buffer->nr_readable,
				  buffer->writable, buffer->nr_writable);
}

static void mock_request_break(struct mock_device *mock, const struct mock_buffer *buffer,
			       const struct mock_rule *rule)
{
	struct mock_queue *queue = &mock->queues[MOCK_REQUESTS];
	u32 len;

	switch (rule->action) {
	case MOCK_STATUS:
		mock_answer_status(buffer, rule->value);
		mock_queue_push(queue, buffer->head, buffer->nr_writable);
		break;
	case MOCK_USED:
		mock_carry_out(mock, buffer);
		mock_queue_push(queue, buffer->head, rule->value);
		break;
	case MOCK_SILENT:
		break;
	case MOCK_LATE:
		len = mock_carry_out(mock, buffer);
		mock_answer_later(mock, buffer, len, rule->value);
		break;
	case MOCK_TWICE:
		len = mock_carry_out(mock, buffer);
		mock_queue_push(queue, buffer->head, len);
		mock_queue_push(queue, buffer->head, len);
		break;
	case MOCK_BOGUS:
		len = mock_carry_out(mock, buffer);
		mock_queue_push(queue, rule->value, len);
		break;
	case MOCK_RESET:
		mock->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
		break;
	}
}

static void mock_request_run(struct mock_device *mock, const struct mock_buffer *buffer)
{
	const struct virtio_iommu_req_head *head = buffer->readable;
	const struct mock_rule *rule;

	rule = mock_rules_match(&mock->rules, buffer->nr_readable ? head->type : 0);
	if (rule)
		mock_request_break(mock, buffer, rule);
	else
		mock_queue_push(&mock->queues[MOCK_REQUESTS], buffer->head,
				mock_carry_out(mock, buffer));
}

/**
 * mock_requests_run() - carry out all requests on the queue
 * @mock: the device
 *
 * Context: Any.
 */
void mock_requests_run(struct mock_device *mock)
{
	struct mock_queue *queue = &mock->queues[MOCK_REQUESTS];
	struct mock_buffer buffer;
	unsigned long flags;

	spin_lock_irqsave(&mock->lock, flags);
	while (queue->vq && !(mock->status & VIRTIO_CONFIG_S_NEEDS_RESET)) {
		if (!mock_queue_pop(queue, &buffer)) {
			mock_queue_rearm(queue);
			if (!mock_queue_pop(queue, &buffer))
				break;
		}
		mock_request_run(mock, &buffer);
	}
	spin_unlock_irqrestore(&mock->lock, flags);
}

static void mock_work(struct work_struct *work)
{
	mock_requests_run(container_of(work, struct mock_device, work));
}

/* Return: whether there is more to come. */
static bool mock_late_answers(struct mock_device *mock)
{
	struct mock_late *late, *next;
	unsigned long flags;
	bool more;

	spin_lock_irqsave(&mock->lock, flags);
	list_for_each_entry_safe(late, next, &mock->late, node) {
		if (ktime_before(ktime_get(), late->due))
			continue;
		mock_queue_push(&mock->queues[MOCK_REQUESTS], late->head, late->len);
		list_del(&late->node);
		kfree(late);
	}
	more = !list_empty(&mock->late);
	spin_unlock_irqrestore(&mock->lock, flags);
	return more;
}

/* No timer, nor sleep: the CPU that would end it may be the one that polls for the answer. */
static void mock_late_work(struct work_struct *work)
{
	struct mock_device *mock = container_of(work, struct mock_device, late_work);

	while (mock_late_answers(mock))
		cond_resched();
}

/**
 * mock_event_post() - report something to the driver
 * @mock: the device
 * @event: what
 * @size: bytes; more than the driver's buffer holds are left out
 *
 * Context: Any.
 */
void mock_event_post(struct mock_device *mock, const void *event, u32 size)
{
	struct mock_queue *queue = &mock->queues[MOCK_EVENTS];
	struct mock_buffer buffer;
	unsigned long flags;

	spin_lock_irqsave(&mock->lock, flags);
	if (queue->vq && mock_queue_pop(queue, &buffer)) {
		memcpy(buffer.writable, event, min(size, buffer.nr_writable));
		mock_queue_push(queue, buffer.head, size);
		vring_interrupt(0, queue->vq);
	} else {
		mock->dropped++;
	}
	spin_unlock_irqrestore(&mock->lock, flags);
}

/**
 * mock_event_spurious() - interrupt the driver for nothing
 * @mock: the device
 *
 * Context: Any.
 */
void mock_event_spurious(struct mock_device *mock)
{
	unsigned long flags;

	spin_lock_irqsave(&mock->lock, flags);
	if (mock->queues[MOCK_EVENTS].vq && mock->queues[MOCK_EVENTS].vq->callback)
		mock->queues[MOCK_EVENTS].vq->callback(mock->queues[MOCK_EVENTS].vq);
	spin_unlock_irqrestore(&mock->lock, flags);
}

/**
 * mock_needs_reset() - the device gives up
 * @mock: the device
 *
 * Context: Any.
 */
void mock_needs_reset(struct mock_device *mock)
{
	unsigned long flags;

	spin_lock_irqsave(&mock->lock, flags);
	mock->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	spin_unlock_irqrestore(&mock->lock, flags);
	virtio_config_changed(&mock->vdev);
}

static bool mock_notify(struct virtqueue *vq)
{
	struct mock_device *mock = to_mock_device(vq->vdev);

	/* Buffers for events are taken when there is something to report. */
	if (vq->index != MOCK_REQUESTS)
		return true;
	mock->kicks++;
	if (mock->async)
		queue_work(mock->workers, &mock->work);
	else
		mock_requests_run(mock);
	return true;
}

/**
 * mock_transport_get() - the driver reads the config space
 * @vdev: the virtio device
 * @offset: from this byte on
 * @to: to here
 * @size: bytes
 *
 * Context: Any.
 */
void mock_transport_get(struct virtio_device *vdev, unsigned int offset, void *to,
			unsigned int size)
{
	struct mock_device *mock = to_mock_device(vdev);
	unsigned long flags;

	spin_lock_irqsave(&mock->lock, flags);
	mock_model_config_read(&mock->model, offset, to, size);
	spin_unlock_irqrestore(&mock->lock, flags);
}

/**
 * mock_transport_set() - the driver writes to the config space
 * @vdev: the virtio device
 * @offset: from this byte on
 * @from: what
 * @size: bytes
 *
 * Context: Any.
 */
void mock_transport_set(struct virtio_device *vdev, unsigned int offset, const void *from,
			unsigned int size)
{
	struct mock_device *mock = to_mock_device(vdev);
	unsigned long flags;

	spin_lock_irqsave(&mock->lock, flags);
	mock_model_config_write(&mock->model, offset, from, size);
	spin_unlock_irqrestore(&mock->lock, flags);
}

/**
 * mock_transport_get_status() - the driver reads the device status
 * @vdev: the virtio device
 *
 * Context: Any.
 * Return: VIRTIO_CONFIG_S_*.
 */
u8 mock_transport_get_status(struct virtio_device *vdev)
{
	return to_mock_device(vdev)->status;
}

/**
 * mock_transport_set_status() - the driver writes the device status
 * @vdev: the virtio device
 * @status: VIRTIO_CONFIG_S_*
 *
 * Context: Any.
 */
void mock_transport_set_status(struct virtio_device *vdev, u8 status)
{
	to_mock_device(vdev)->status = status;
}

/**
 * mock_transport_reset() - the driver resets the device
 * @vdev: the virtio device
 *
 * What was to be answered later is not any more.
 *
 * Context: Any.
 */
void mock_transport_reset(struct virtio_device *vdev)
{
	struct mock_device *mock = to_mock_device(vdev);
	struct mock_late *late, *next;
	unsigned long flags;

	spin_lock_irqsave(&mock->lock, flags);
	mock->status = 0;
	mock_model_reset(&mock->model);
	list_for_each_entry_safe(late, next, &mock->late, node) {
		list_del(&late->node);
		kfree(late);
	}
	spin_unlock_irqrestore(&mock->lock, flags);
}

static struct virtqueue *mock_vq_create(struct mock_device *mock, unsigned int index,
					const struct virtqueue_info *info)
{
	struct virtqueue *vq;
	unsigned long flags;

	vq = vring_create_virtqueue(index, mock->queue_size, PAGE_SIZE, &mock->vdev, true, false,
				    false, mock_notify, info->callback, info->name);
	if (!vq)
		return NULL;
	spin_lock_irqsave(&mock->lock, flags);
	mock->queues[index] = (struct mock_queue) { .vq = vq };
	spin_unlock_irqrestore(&mock->lock, flags);
	return vq;
}

/**
 * mock_transport_find_vqs() - make virtqueues
 * @vdev: the virtio device
 * @nvqs: how many
 * @vqs: filled in
 * @infos: their names and callbacks
 *
 * Context: May sleep.
 * Return: 0, -ENOENT where the device has fewer, -ENOMEM.
 */
int mock_transport_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
			    struct virtqueue *vqs[], struct virtqueue_info infos[])
{
	struct mock_device *mock = to_mock_device(vdev);
	unsigned int i;

	if (nvqs > MOCK_QUEUES)
		return -ENOENT;
	for (i = 0; i < nvqs; i++) {
		vqs[i] = mock_vq_create(mock, i, &infos[i]);
		if (!vqs[i]) {
			mock_transport_del_vqs(vdev);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * mock_transport_del_vqs() - delete the virtqueues
 * @vdev: the virtio device, reset
 *
 * Context: May sleep.
 */
void mock_transport_del_vqs(struct virtio_device *vdev)
{
	struct mock_device *mock = to_mock_device(vdev);
	struct virtqueue *vq;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < MOCK_QUEUES; i++) {
		spin_lock_irqsave(&mock->lock, flags);
		vq = mock->queues[i].vq;
		mock->queues[i].vq = NULL;
		spin_unlock_irqrestore(&mock->lock, flags);
		if (vq)
			vring_del_virtqueue(vq);
	}
}

/**
 * mock_transport_get_features() - what the device offers
 * @vdev: the virtio device
 *
 * Context: Any.
 * Return: feature bits.
 */
u64 mock_transport_get_features(struct virtio_device *vdev)
{
	return to_mock_device(vdev)->model.features;
}

/**
 * mock_transport_finalize_features() - the driver has chosen
 * @vdev: the virtio device, with its features
 *
 * Context: Any.
 * Return: 0.
 */
int mock_transport_finalize_features(struct virtio_device *vdev)
{
	struct mock_device *mock = to_mock_device(vdev);
	unsigned long flags;

	vring_transport_features(vdev);
	spin_lock_irqsave(&mock->lock, flags);
	mock_model_accept(&mock->model, vdev->features);
	spin_unlock_irqrestore(&mock->lock, flags);
	return 0;
}

/**
 * mock_transport_bus_name() - what the device is called
 * @vdev: the virtio device
 *
 * Context: Any.
 * Return: its name.
 */
const char *mock_transport_bus_name(struct virtio_device *vdev)
{
	return to_mock_device(vdev)->name;
}

static void mock_transport_release(struct device *dev)
{
	complete(&to_mock_device(dev_to_virtio(dev))->released);
}

/**
 * mock_transport_register() - make the device known
 * @mock: the device, set up
 *
 * Context: May sleep.
 * Return: 0 or the core's errno; mock_transport_unregister() is due only after 0.
 */
int mock_transport_register(struct mock_device *mock)
{
	int ret;

	/* Not of one CPU: the driver may be polling there. */
	mock->workers = alloc_workqueue("virtio-iommu-mock", WQ_UNBOUND, 0);
	if (!mock->workers)
		return -ENOMEM;
	init_completion(&mock->released);
	INIT_LIST_HEAD(&mock->late);
	INIT_WORK(&mock->work, mock_work);
	INIT_WORK(&mock->late_work, mock_late_work);
	mock->vdev.dev.parent = &mock->pdev->dev;
	mock->vdev.dev.release = mock_transport_release;
	mock->vdev.config = &mock_config_ops;
	mock->vdev.id.device = VIRTIO_ID_IOMMU;
	ret = register_virtio_device(&mock->vdev);
	if (ret) {
		put_device(&mock->vdev.dev);
		wait_for_completion(&mock->released);
		destroy_workqueue(mock->workers);
	}
	return ret;
}

/**
 * mock_transport_unregister() - take the device away
 * @mock: the device
 *
 * Context: May sleep, until nobody has the device any more.
 */
void mock_transport_unregister(struct mock_device *mock)
{
	unregister_virtio_device(&mock->vdev);
	cancel_work_sync(&mock->work);
	cancel_work_sync(&mock->late_work);
	destroy_workqueue(mock->workers);
	wait_for_completion(&mock->released);
}
