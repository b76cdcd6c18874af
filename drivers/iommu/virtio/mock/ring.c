// SPDX-License-Identifier: GPL-2.0
/*
 * The device's side of a split virtqueue. The driver's side is the kernel's own, and its
 * memory is at hand: an address in a descriptor is a guest-physical one, since the
 * device does not offer ACCESS_PLATFORM.
 *
 * mock->lock is held throughout.
 *
 * Specification: "Split Virtqueues".
 */
#include <linux/io.h>
#include <linux/virtio_ring.h>

#include "mock.h"

static struct vring *mock_vring(const struct mock_queue *queue)
{
	return (struct vring *)virtqueue_get_vring(queue->vq);
}

/**
 * mock_queue_pop() - take the next buffer that the driver has offered
 * @queue: the queue
 * @buffer: filled in
 *
 * A buffer of more than one part of a kind cannot be read: such a part is NULL.
 *
 * Context: mock->lock held.
 * Return: whether there was one.
 */
bool mock_queue_pop(struct mock_queue *queue, struct mock_buffer *buffer)
{
	const struct vring *vring = mock_vring(queue);
	struct virtio_device *vdev = queue->vq->vdev;
	const struct vring_desc *desc;
	unsigned int i, steps;
	bool split = false;

	if (queue->next == virtio16_to_cpu(vdev, READ_ONCE(vring->avail->idx)))
		return false;
	/* the entry after the index that says it is there */
	virt_rmb();
	*buffer = (struct mock_buffer) {};
	i = virtio16_to_cpu(vdev, vring->avail->ring[queue->next++ % vring->num]);
	buffer->head = i;
	for (steps = 0; steps < vring->num && i < vring->num; steps++) {
		u16 flags;
		void *at;
		u32 size;

		desc = &vring->desc[i];
		flags = virtio16_to_cpu(vdev, desc->flags);
		at = phys_to_virt(virtio64_to_cpu(vdev, desc->addr));
		size = virtio32_to_cpu(vdev, desc->len);
		if (flags & VRING_DESC_F_WRITE) {
			split |= !!buffer->writable;
			buffer->writable = at;
			buffer->nr_writable = size;
		} else {
			split |= !!buffer->readable;
			buffer->readable = at;
			buffer->nr_readable = size;
		}
		if (!(flags & VRING_DESC_F_NEXT))
			break;
		i = virtio16_to_cpu(vdev, desc->next);
	}
	if (split) {
		buffer->nr_readable = 0;
		buffer->nr_writable = 0;
	}
	return true;
}

/**
 * mock_queue_push() - return a buffer to the driver
 * @queue: the queue
 * @head: its first descriptor, or what the device says it is
 * @len: how many bytes it wrote, or says it did
 *
 * Context: mock->lock held.
 */
void mock_queue_push(struct mock_queue *queue, u32 head, u32 len)
{
	struct vring *vring = mock_vring(queue);
	struct virtio_device *vdev = queue->vq->vdev;
	u16 idx = virtio16_to_cpu(vdev, vring->used->idx);

	vring->used->ring[idx % vring->num] = (struct vring_used_elem) {
		.id = cpu_to_virtio32(vdev, head),
		.len = cpu_to_virtio32(vdev, len),
	};
	/* the entry before the index that says so */
	virt_wmb();
	WRITE_ONCE(vring->used->idx, cpu_to_virtio16(vdev, idx + 1));
}

/**
 * mock_queue_rearm() - have the driver kick for its next buffer
 * @queue: the queue, which mock_queue_pop() found empty; look once more afterwards
 *
 * Context: mock->lock held.
 */
void mock_queue_rearm(struct mock_queue *queue)
{
	struct virtio_device *vdev = queue->vq->vdev;

	if (virtio_has_feature(vdev, VIRTIO_RING_F_EVENT_IDX))
		vring_avail_event(mock_vring(queue)) = cpu_to_virtio16(vdev, queue->next);
	/* the wish before the caller looks once more */
	virt_mb();
}
