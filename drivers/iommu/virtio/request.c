// SPDX-License-Identifier: GPL-2.0
/*
 * The request queue.
 *
 * Every kick of the device is an exit, so requests are added without a kick and
 * travel together. A caller adds requests to a batch and waits for the batch.
 * Whoever waits looks after the queue for everybody: it takes completions off
 * the ring, hands each status to the batch that asked, and kicks, but only when
 * the device has answered all it was told of before. While the device works,
 * the requests of other CPUs gather, and the next kick carries all of them.
 *
 * Slots are allocated once: two descriptors and 64 bytes for each. A full queue
 * makes the adder wait for a slot. Waiting polls, with interrupts as the caller
 * had them (a DMA API call may come from anywhere), no lock held, and a bound:
 * then the device is marked dead, every call fails at once, and what the device
 * might still write to stays allocated until it has been reset.
 *
 * queue->lock guards it all, from any context; it is never held across a kick.
 *
 * Specification: "Device operations", "Driver Requirements: Device operations".
 */
#include <linux/moduleparam.h>
#include <linux/processor.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "viommu.h"

#define VIOMMU_SLOTS_MAX	128

static unsigned int timeout_ms = 10000;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms,
		 "How long to wait for an answer of the device, in milliseconds, before it counts as dead (default 10000)");

/**
 * viommu_queue_init() - make the queue ready
 * @queue: the queue, zeroed
 * @vdev: the virtio device
 * @vq: the virtqueue
 *
 * Context: Probe; may sleep. After an error, viommu_queue_free() is still due.
 * Return: 0, -ENOMEM, or -EINVAL where the ring cannot hold one request.
 */
int viommu_queue_init(struct viommu_queue *queue, struct virtio_device *vdev,
		      struct virtqueue *vq)
{
	unsigned int i, nr = min(virtqueue_get_vring_size(vq) / 2, VIOMMU_SLOTS_MAX);

	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->free);
	INIT_LIST_HEAD(&queue->sent);
	INIT_LIST_HEAD(&queue->lost);
	queue->vdev = vdev;
	queue->vq = vq;
	if (!nr) {
		dev_err(&vdev->dev, "request queue of %u descriptors is too small\n",
			virtqueue_get_vring_size(vq));
		return -EINVAL;
	}

	queue->requests = kcalloc(nr, sizeof(*queue->requests), GFP_KERNEL);
	queue->slots = kcalloc(nr, VIOMMU_WIRE_SLOT_SIZE, GFP_KERNEL);
	if (!queue->requests || !queue->slots)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		queue->requests[i].slot = queue->slots + i * VIOMMU_WIRE_SLOT_SIZE;
		list_add_tail(&queue->requests[i].node, &queue->free);
	}
	return 0;
}

/**
 * viommu_queue_free() - free the queue's memory
 * @queue: the queue
 *
 * Context: The device has been reset, or was never made ready. May sleep.
 */
void viommu_queue_free(struct viommu_queue *queue)
{
	kfree(queue->slots);
	kfree(queue->requests);
	queue->slots = NULL;
	queue->requests = NULL;
}

/* The request is over for its batch. */
static void viommu_request_settle(struct viommu_request *request, int ret)
{
	struct viommu_batch *batch = request->batch;

	if (request->result) {
		if (ret)
			atomic_inc(&batch->failed);
		/* Pairs with the acquire in the domain: freed only afterwards. */
		smp_store_release(request->result, ret);
		request->result = NULL;
	}
	request->batch = NULL;
	batch->pending--;
}

/* The device is given up: everybody who waits gets @ret, and the log @why. */
static void viommu_queue_kill(struct viommu_queue *queue, int ret, const char *why)
{
	struct viommu_request *request;

	lockdep_assert_held(&queue->lock);
	if (queue->dead)
		return;
	queue->dead = true;
	list_for_each_entry(request, &queue->sent, node)
		viommu_request_settle(request, ret);
	list_splice_tail_init(&queue->sent, &queue->lost);
	queue->nr_sent = 0;
	queue->in_flight = 0;
	queue->epitaph = why;
}

/**
 * viommu_queue_stop() - let nothing be sent any more
 * @queue: the queue
 *
 * Context: Any.
 */
void viommu_queue_stop(struct viommu_queue *queue)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	viommu_queue_kill(queue, -ENODEV, NULL);
	spin_unlock_irqrestore(&queue->lock, flags);
}

/* What the device answered. @len is its word for how much it wrote. */
static int viommu_request_status(struct viommu_request *request, u32 len, u8 *status)
{
	struct virtio_iommu_req_tail *tail;

	tail = (void *)request->buffer + request->readable + request->writable - sizeof(*tail);
	*status = READ_ONCE(tail->status);
	if (!len || len > request->writable)
		*status = VIOMMU_STATUS_UNWRITTEN;
	return viommu_status_errno(*status);
}

/* A refused PROBE or ATTACH is its caller's to report; these may have none. */
static void viommu_queue_note_refusal(struct viommu_queue *queue,
				      const struct viommu_request *request, u8 status)
{
	const struct virtio_iommu_req_head *head = (void *)request->buffer;

	if (head->type != VIRTIO_IOMMU_T_MAP && head->type != VIRTIO_IOMMU_T_UNMAP)
		return;
	memcpy(queue->refusal.wire.bytes, request->buffer, request->readable);
	queue->refusal.status = status;
	queue->refusal.count++;
}

static void viommu_refusal_log(struct viommu_queue *queue, const struct viommu_refusal *refusal)
{
	const struct virtio_iommu_req_unmap *unmap;

	if (refusal->wire.head.type == VIRTIO_IOMMU_T_MAP) {
		const struct virtio_iommu_req_map *map = &refusal->wire.map;

		dev_err_ratelimited(&queue->vdev->dev,
				    "MAP of %#llx-%#llx to %#llx in domain %u refused: %s (%u refused requests in all)\n",
				    le64_to_cpu(map->virt_start), le64_to_cpu(map->virt_end),
				    le64_to_cpu(map->phys_start), le32_to_cpu(map->domain),
				    viommu_status_name(refusal->status), refusal->count);
		return;
	}
	unmap = &refusal->wire.unmap;
	dev_err_ratelimited(&queue->vdev->dev,
			    "UNMAP of %#llx-%#llx in domain %u refused: %s (%u refused requests in all): the device may still reach it\n",
			    le64_to_cpu(unmap->virt_start), le64_to_cpu(unmap->virt_end),
			    le32_to_cpu(unmap->domain), viommu_status_name(refusal->status),
			    refusal->count);
}

/* Say what has happened. Not under the lock: a console may be behind this IOMMU. */
static void viommu_queue_log(struct viommu_queue *queue)
{
	struct viommu_refusal refusal;
	const char *epitaph;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	refusal = queue->refusal;
	queue->refusal.count = 0;
	epitaph = queue->epitaph;
	queue->epitaph = NULL;
	spin_unlock_irqrestore(&queue->lock, flags);

	if (refusal.count)
		viommu_refusal_log(queue, &refusal);
	if (epitaph)
		dev_err(&queue->vdev->dev, "%s: no request will be sent before a reset\n",
			epitaph);
}

/* Take completions off the ring. At most a ringful, as nobody adds meanwhile. */
static void viommu_queue_reap(struct viommu_queue *queue)
{
	struct viommu_request *request;
	u32 len;
	u8 status;
	int ret;

	lockdep_assert_held(&queue->lock);
	while ((request = virtqueue_get_buf(queue->vq, &len))) {
		ret = viommu_request_status(request, len, &status);
		if (unlikely(ret))
			viommu_queue_note_refusal(queue, request, status);
		queue->nr_sent--;
		if (request->seq <= queue->kicked_seq)
			queue->in_flight--;
		viommu_request_settle(request, ret);
		list_move(&request->node, &queue->free);
	}
	if (unlikely(virtqueue_is_broken(queue->vq)))
		viommu_queue_kill(queue, -EIO, "the device broke the request queue");
}

/* Whether the device must be told: not while it is busy with what it was told of. */
static bool viommu_queue_kick_prepare(struct viommu_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (queue->in_flight || !queue->nr_sent)
		return false;
	queue->kicked_seq = queue->seq;
	queue->in_flight = queue->nr_sent;
	return virtqueue_kick_prepare(queue->vq);
}

/* Every request up to @seq is complete, whoever asked for it. */
static bool viommu_queue_passed(struct viommu_queue *queue, u64 seq)
{
	struct viommu_request *oldest =
		list_first_entry_or_null(&queue->sent, struct viommu_request, node);

	return !oldest || oldest->seq > seq;
}

/*
 * One turn of a wait: look after the queue, and see whether @batch is complete
 * up to its request @seq; without a batch, whether there is a free slot.
 */
static bool viommu_queue_turn(struct viommu_queue *queue, const struct viommu_batch *batch,
			      u64 seq)
{
	bool met, kick = false;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	if (!queue->dead)
		viommu_queue_reap(queue);
	if (queue->dead)
		met = true;
	else if (batch)
		met = !batch->pending || viommu_queue_passed(queue, seq);
	else
		met = !list_empty(&queue->free);
	if (!met)
		kick = viommu_queue_kick_prepare(queue);
	spin_unlock(&queue->lock);
	/*
	 * From here on everybody relies on this CPU's kick: an interrupt before
	 * it, whose handler waits as well, would wait for ever.
	 */
	if (kick)
		virtqueue_notify(queue->vq);
	local_irq_restore(flags);
	return met;
}

static void viommu_queue_poll(struct viommu_queue *queue, const struct viommu_batch *batch,
			      u64 seq)
{
	u64 now, last = ktime_get_mono_fast_ns(), waited = 0;
	unsigned long flags;

	while (!viommu_queue_turn(queue, batch, seq)) {
		/* A longer gap is a guest that was paused, not a device that is slow. */
		now = ktime_get_mono_fast_ns();
		waited += min_t(u64, now - last, NSEC_PER_MSEC);
		last = now;
		if (waited >= (u64)READ_ONCE(timeout_ms) * NSEC_PER_MSEC) {
			spin_lock_irqsave(&queue->lock, flags);
			viommu_queue_kill(queue, -ETIMEDOUT, "the device does not answer");
			spin_unlock_irqrestore(&queue->lock, flags);
			break;
		}
		cpu_relax();
	}
	if (unlikely(READ_ONCE(queue->refusal.count) || READ_ONCE(queue->epitaph)))
		viommu_queue_log(queue);
}

/**
 * viommu_queue_wait() - wait for a batch
 * @queue: the queue
 * @batch: the batch
 *
 * Waits for the requests that were in the batch at the time of the call; others
 * may add more meanwhile. Afterwards their results are written, which a dead
 * device makes errors.
 *
 * Context: Any. Polls, for at most the module parameter timeout_ms.
 */
void viommu_queue_wait(struct viommu_queue *queue, struct viommu_batch *batch)
{
	unsigned long flags;
	bool pending;
	u64 seq;

	spin_lock_irqsave(&queue->lock, flags);
	pending = batch->pending;
	seq = batch->last_seq;
	spin_unlock_irqrestore(&queue->lock, flags);
	if (pending)
		viommu_queue_poll(queue, batch, seq);
}

static int viommu_request_submit(struct viommu_queue *queue, struct viommu_request *request,
				 const struct viommu_wire *wire)
{
	struct scatterlist readable, writable, *sgs[] = { &readable, &writable };
	struct virtio_iommu_req_tail *tail;

	lockdep_assert_held(&queue->lock);
	request->readable = wire->readable;
	request->writable = wire->writable;
	request->buffer = wire->external;
	if (!request->buffer) {
		request->buffer = request->slot;
		memcpy(request->slot, wire->bytes, wire->readable);
	}
	tail = (void *)request->buffer + wire->readable + wire->writable - sizeof(*tail);
	tail->status = VIOMMU_STATUS_UNWRITTEN;

	sg_init_one(&readable, request->buffer, wire->readable);
	sg_init_one(&writable, request->buffer + wire->readable, wire->writable);
	return virtqueue_add_sgs(queue->vq, sgs, 1, 1, request, GFP_ATOMIC);
}

static int viommu_queue_add_locked(struct viommu_queue *queue, struct viommu_batch *batch,
				   const struct viommu_wire *wire, int *result)
{
	struct viommu_request *request;
	int ret;

	lockdep_assert_held(&queue->lock);
	if (queue->dead)
		return -EIO;
	request = list_first_entry_or_null(&queue->free, struct viommu_request, node);
	if (!request)
		return -EAGAIN;
	ret = viommu_request_submit(queue, request, wire);
	if (ret)
		return ret == -ENOMEM ? ret : -EIO;

	request->batch = batch;
	request->result = result;
	request->seq = ++queue->seq;
	list_move_tail(&request->node, &queue->sent);
	queue->nr_sent++;
	batch->last_seq = request->seq;
	batch->pending++;
	return 0;
}

/**
 * viommu_queue_try_add() - add a request to a batch, if there is room
 * @queue: the queue
 * @batch: the batch
 * @wire: the request
 * @result: where its errno goes once it is complete; NULL if nobody looks
 *
 * Context: Any, also with a domain's lock held.
 * Return: as viommu_queue_add(); -EAGAIN where the queue is full.
 */
int viommu_queue_try_add(struct viommu_queue *queue, struct viommu_batch *batch,
			 const struct viommu_wire *wire, int *result)
{
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&queue->lock, flags);
	ret = viommu_queue_add_locked(queue, batch, wire, result);
	spin_unlock_irqrestore(&queue->lock, flags);
	return ret;
}

/**
 * viommu_queue_make_room() - wait until there is room for a request
 * @queue: the queue
 *
 * Context: Any, no lock of the driver held. Polls, for at most timeout_ms.
 */
void viommu_queue_make_room(struct viommu_queue *queue)
{
	viommu_queue_poll(queue, NULL, 0);
}

/**
 * viommu_queue_add() - add a request to a batch
 * @queue: the queue
 * @batch: the batch
 * @wire: the request
 * @result: where its errno goes once it is complete; NULL if nobody looks
 *
 * The device is not told before somebody waits, or the queue is full.
 *
 * Context: Any. Polls where the queue is full, for at most timeout_ms.
 * Return: 0, -EIO where the device is dead, -ENOMEM where the transport has no
 * room to bounce the request.
 */
int viommu_queue_add(struct viommu_queue *queue, struct viommu_batch *batch,
		     const struct viommu_wire *wire, int *result)
{
	int ret;

	while ((ret = viommu_queue_try_add(queue, batch, wire, result)) == -EAGAIN)
		viommu_queue_make_room(queue);
	return ret;
}

/**
 * viommu_queue_send() - send one request and wait for it
 * @queue: the queue
 * @wire: the request
 *
 * Context: Any. Polls, for at most timeout_ms.
 * Return: what the device answered, as an errno; -ETIMEDOUT or -EIO where it is
 * dead.
 */
int viommu_queue_send(struct viommu_queue *queue, const struct viommu_wire *wire)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	int result = -EIO;
	int ret;

	ret = viommu_queue_add(queue, &batch, wire, &result);
	if (ret)
		return ret;
	viommu_queue_wait(queue, &batch);
	return result;
}
