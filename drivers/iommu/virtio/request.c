// SPDX-License-Identifier: GPL-2.0
/*
 * The request queue.
 *
 * Every kick of the device is an exit, so requests are added without a kick and
 * travel together. A caller adds requests to a batch and waits for the batch.
 * Whoever waits looks after the queue for everybody: it takes completions off
 * the ring, hands each status to the batch that asked, and kicks, but only when
 * the device has answered all it was told of before. While the device works,
 * the requests of other CPUs gather, and the next kick carries all of them. Where
 * several CPUs were there at a time, one waits a moment for the others.
 *
 * Slots are allocated once: two descriptors and 64 bytes for each. A full queue
 * makes the adder wait for a slot. Waiting polls, with interrupts as the caller
 * had them (a DMA API call may come from anywhere), no lock held, and a bound:
 * then the device is marked dead, every call fails at once, and what the device
 * might still write to stays allocated until it has been reset. Who may sleep does,
 * when it takes long.
 *
 * queue->lock guards it all, from any context; it is never held across a kick.
 *
 * Specification: "Device operations", "Driver Requirements: Device operations".
 */
#include <linux/bitops.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/moduleparam.h>
#include <linux/processor.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>

#include "trace.h"
#include "viommu.h"

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
	queue->vdev = vdev;
	if (!nr) {
		dev_err(&vdev->dev, "request queue of %u descriptors is too small\n",
			virtqueue_get_vring_size(vq));
		return -EINVAL;
	}

	queue->requests = kcalloc(nr, sizeof(*queue->requests), GFP_KERNEL);
	queue->wires = kcalloc(nr, sizeof(*queue->wires), GFP_KERNEL);
	if (!queue->requests || !queue->wires)
		return -ENOMEM;
	queue->nr_slots = nr;
	for (i = 0; i < nr; i++) {
		struct viommu_request *request = &queue->requests[i];

		request->wire = &queue->wires[i];
		sg_init_table(&request->readable, 1);
		sg_init_table(&request->writable, 1);
	}
	return viommu_queue_restart(queue, vq);
}

/**
 * viommu_queue_restart() - begin anew after a reset of the device
 * @queue: the queue; nothing is sent
 * @vq: its new virtqueue
 *
 * What it has done so far is not forgotten.
 *
 * Context: May sleep. Others may try to send meanwhile, and fail.
 * Return: 0, or -EINVAL where the ring is smaller than it was.
 */
int viommu_queue_restart(struct viommu_queue *queue, struct virtqueue *vq)
{
	unsigned long flags;
	unsigned int i;

	if (virtqueue_get_vring_size(vq) / 2 < queue->nr_slots)
		return -EINVAL;
	spin_lock_irqsave(&queue->lock, flags);
	queue->vq = vq;
	queue->free = NULL;
	for (i = 0; i < queue->nr_slots; i++) {
		queue->requests[i].next = queue->free;
		queue->free = &queue->requests[i];
	}
	queue->done_seq = queue->seq;
	bitmap_zero(queue->done, VIOMMU_SLOTS_MAX);
	queue->dead = false;
	spin_unlock_irqrestore(&queue->lock, flags);
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
	kfree(queue->wires);
	kfree(queue->requests);
	queue->wires = NULL;
	queue->requests = NULL;
}

/* The request is over for its batch. */
static void viommu_request_settle(struct viommu_queue *queue, struct viommu_request *request,
				  u8 status, int ret)
{
	struct viommu_batch *batch = request->batch;

	trace_viommu_request_completed(queue, request, status, ret);
	if (unlikely(ret)) {
		queue->counters.failures[request->type]++;
		queue->counters.statuses[viommu_status_index(status)]++;
	}
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
	unsigned int i;

	lockdep_assert_held(&queue->lock);
	if (queue->dead)
		return;
	queue->dead = true;
	if (why)
		trace_viommu_dead(queue, ret, why);
	for (i = 0; i < queue->nr_slots; i++)
		if (queue->requests[i].batch)
			viommu_request_settle(queue, &queue->requests[i],
					      VIOMMU_STATUS_UNWRITTEN, ret);
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

	tail = (void *)request->buffer + request->readable.length + request->writable.length -
	       sizeof(*tail);
	*status = READ_ONCE(tail->status);
	if (!len || len > request->writable.length)
		*status = VIOMMU_STATUS_UNWRITTEN;
	return viommu_status_errno(*status);
}

/* A refused PROBE or ATTACH is its caller's to report; these may have none. */
static void viommu_queue_note_refusal(struct viommu_queue *queue,
				      const struct viommu_request *request, u8 status)
{
	if (request->type != VIRTIO_IOMMU_T_MAP && request->type != VIRTIO_IOMMU_T_UNMAP)
		return;
	memcpy(queue->refusal.wire.bytes, request->buffer, request->readable.length);
	queue->refusal.wire.type = request->type;
	queue->refusal.status = status;
	queue->refusal.count++;
}

static void viommu_refusal_log(struct viommu_queue *queue, const struct viommu_refusal *refusal)
{
	const struct virtio_iommu_req_unmap *unmap;

	if (refusal->wire.type == VIRTIO_IOMMU_T_MAP) {
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

/* Say what has happened, if anything. Not under the lock: a console may be behind this IOMMU. */
static void viommu_queue_log(struct viommu_queue *queue)
{
	struct viommu_refusal refusal;
	const char *epitaph;
	unsigned long flags;

	if (likely(!READ_ONCE(queue->refusal.count) && !READ_ONCE(queue->epitaph)))
		return;
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

/* The device may answer in another order than it was asked in. */
static void viommu_queue_pass(struct viommu_queue *queue, u64 seq)
{
	if (seq != queue->done_seq + 1) {
		__set_bit(seq % VIOMMU_SLOTS_MAX, queue->done);
		return;
	}
	do
		queue->done_seq++;
	while (__test_and_clear_bit((queue->done_seq + 1) % VIOMMU_SLOTS_MAX, queue->done));
}

/* One kick of so many is for that. */
#define VIOMMU_GATHER_PROBE	64

/* How many CPUs there are at a time. Now and then see whether one more would join. */
static void viommu_queue_count_crowd(struct viommu_queue *queue)
{
	queue->crowd = hweight64(queue->flying | queue->gathered);
	if (queue->crowd > 1 && !(queue->counters.kicks % VIOMMU_GATHER_PROBE))
		queue->crowd++;
	/* Served without a kick: the device was still looking. */
	if (!queue->nr_sent)
		queue->gathered = 0;
}

/* Take completions off the ring. At most a ringful, as nobody adds meanwhile. */
static void viommu_queue_reap(struct viommu_queue *queue)
{
	struct viommu_request *request;
	u32 len;
	u8 status;
	int ret;

	lockdep_assert_held(&queue->lock);
	while (queue->nr_sent && (request = virtqueue_get_buf(queue->vq, &len))) {
		ret = viommu_request_status(request, len, &status);
		if (unlikely(ret))
			viommu_queue_note_refusal(queue, request, status);
		queue->nr_sent--;
		if (request->seq <= queue->kicked_seq)
			queue->in_flight--;
		viommu_request_settle(queue, request, status, ret);
		viommu_queue_pass(queue, request->seq);
		request->next = queue->free;
		queue->free = request;
		if (!queue->in_flight)
			viommu_queue_count_crowd(queue);
	}
	if (unlikely(virtqueue_is_broken(queue->vq)))
		viommu_queue_kill(queue, -EIO, "the device broke the request queue");
}

/* Have the device told of all that was added. Return: whether to notify it. */
static bool viommu_queue_kick_prepare(struct viommu_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (queue->in_flight || !queue->nr_sent)
		return false;
	queue->kicked_seq = queue->seq;
	queue->in_flight = queue->nr_sent;
	queue->flying = queue->gathered;
	queue->gathered = 0;
	if (!virtqueue_kick_prepare(queue->vq))
		return false;
	trace_viommu_kick(queue);
	queue->counters.kicks++;
	queue->counters.kick_sizes[ilog2(queue->in_flight)]++;
	return true;
}

/* Whether more CPUs were there a moment ago than have come by now. */
static bool viommu_queue_expects_more(const struct viommu_queue *queue)
{
	return queue->crowd > 1 && hweight64(queue->gathered) < queue->crowd;
}

/**
 * viommu_queue_commit() - whether the device must be told of what was added
 * @queue: the queue
 *
 * Not while it is busy with what it was told of, or where others may join: who waits
 * will tell it then.
 *
 * Context: queue->lock held. Where the answer is yes, the caller drops the lock and calls
 * virtqueue_notify() with interrupts still disabled, because from now on everybody
 * relies on that: an interrupt before it, whose handler waits as well, would wait for
 * ever.
 * Return: whether to call virtqueue_notify().
 */
bool viommu_queue_commit(struct viommu_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (!queue->nr_sent)
		return false;
	queue->gathered |= BIT_ULL(raw_smp_processor_id() % 64);
	return !viommu_queue_expects_more(queue) && viommu_queue_kick_prepare(queue);
}

/* Room for a request: a slot, and a sequence number that is not too far ahead. */
static bool viommu_queue_has_room(const struct viommu_queue *queue)
{
	return queue->free && queue->seq - queue->done_seq < VIOMMU_SLOTS_MAX;
}

/* How many times to look for an answer before looking at the clock. */
#define VIOMMU_UNTIMED_TURNS	16

/* How long to poll before sleeping, where that is allowed. An exit is shorter. */
#define VIOMMU_SPIN_NS		(100 * NSEC_PER_USEC)

/* How often to look whether others join a kick. */
#define VIOMMU_GATHER_TURNS	32

/* Between two looks more time than this is a guest that was paused. */
#define VIOMMU_PAUSE_NS		(100 * NSEC_PER_MSEC)

/**
 * struct viommu_wait - a wait
 * @batch: what is waited for; NULL: for room
 * @seq: the request of @batch that must be complete, or 0: as yet unknown
 * @turns: how often was looked for an answer
 * @waited: how long, in nanoseconds, since the clock was read first
 * @needed: there was something to wait for
 */
struct viommu_wait {
	const struct viommu_batch *batch;
	u64 seq;
	unsigned long turns;
	u64 waited;
	bool needed;
};

/*
 * Who had an answer just now is about to come back with more. One kick for all is worth a
 * short wait for them.
 */
static bool viommu_queue_gathers(const struct viommu_queue *queue, const struct viommu_wait *wait)
{
	return wait->batch && wait->turns < VIOMMU_GATHER_TURNS && viommu_queue_expects_more(queue);
}

/* One turn of a wait: look after the queue, and see whether it is over. */
static bool viommu_queue_turn(struct viommu_queue *queue, struct viommu_wait *wait)
{
	const struct viommu_batch *batch = wait->batch;
	bool met, kick = false;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	if (batch && !wait->seq)
		wait->seq = batch->last_seq;
	wait->needed |= !batch || batch->pending;
	/* Hardly anything is complete where all there is was added just now. */
	if (!queue->dead && (queue->in_flight || !batch || queue->nr_sent != batch->pending))
		viommu_queue_reap(queue);
	if (queue->dead)
		met = true;
	else if (batch)
		met = !batch->pending || queue->done_seq >= wait->seq;
	else
		met = viommu_queue_has_room(queue);
	if (met && wait->needed)
		queue->counters.waits[viommu_wait_bucket(wait->waited)]++;
	if (!met && !viommu_queue_gathers(queue, wait))
		kick = viommu_queue_kick_prepare(queue);
	spin_unlock(&queue->lock);
	if (kick)
		virtqueue_notify(queue->vq);
	local_irq_restore(flags);
	return met;
}

/* Wait for @batch, or, without one, for room. */
static void viommu_queue_poll(struct viommu_queue *queue, const struct viommu_batch *batch,
			      bool may_sleep)
{
	struct viommu_wait wait = { .batch = batch };
	u64 now, last = 0;
	unsigned long flags;

	while (!viommu_queue_turn(queue, &wait)) {
		cpu_relax();
		if (wait.turns++ < VIOMMU_UNTIMED_TURNS)
			continue;
		now = ktime_get_mono_fast_ns();
		wait.waited += last ? min_t(u64, now - last, VIOMMU_PAUSE_NS) : 0;
		last = now;
		if (wait.waited >= max(READ_ONCE(timeout_ms), 1u) * (u64)NSEC_PER_MSEC) {
			spin_lock_irqsave(&queue->lock, flags);
			viommu_queue_kill(queue, -ETIMEDOUT, "the device does not answer");
			spin_unlock_irqrestore(&queue->lock, flags);
		} else if (may_sleep && wait.waited >= VIOMMU_SPIN_NS) {
			usleep_range(50, 100);
		}
	}
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
	viommu_queue_poll(queue, batch, false);
}

/**
 * viommu_queue_slot() - memory for the next request
 * @queue: the queue
 *
 * Context: queue->lock held, until viommu_queue_add().
 * Return: what to fill in; ERR_PTR(-EAGAIN) where the queue is full, ERR_PTR(-EIO) where
 * the device is dead.
 */
struct viommu_wire *viommu_queue_slot(struct viommu_queue *queue)
{
	lockdep_assert_held(&queue->lock);
	if (queue->dead)
		return ERR_PTR(-EIO);
	return viommu_queue_has_room(queue) ? queue->free->wire : ERR_PTR(-EAGAIN);
}

static int viommu_request_submit(struct viommu_queue *queue, struct viommu_request *request)
{
	struct scatterlist *sgs[] = { &request->readable, &request->writable };
	const struct viommu_wire *wire = request->wire;
	u8 *buffer = wire->external ?: request->wire->bytes;
	struct virtio_iommu_req_tail *tail;

	tail = (void *)buffer + wire->readable + wire->writable - sizeof(*tail);
	tail->status = VIOMMU_STATUS_UNWRITTEN;
	request->type = wire->type;

	/* As a rule the slot had a request like this one before. */
	if (request->buffer != buffer || request->readable.length != wire->readable ||
	    request->writable.length != wire->writable) {
		request->buffer = buffer;
		sg_set_buf(&request->readable, buffer, wire->readable);
		sg_set_buf(&request->writable, buffer + wire->readable, wire->writable);
	}
	return virtqueue_add_sgs(queue->vq, sgs, 1, 1, request, GFP_ATOMIC);
}

/**
 * viommu_queue_add() - add the request in viommu_queue_slot() to a batch
 * @queue: the queue
 * @batch: the batch
 * @result: where its errno goes once it is complete; NULL if nobody looks
 *
 * The device is not told before somebody waits, or calls viommu_queue_commit().
 *
 * Context: queue->lock held, which several requests may share.
 * Return: 0; -EIO where the device is dead; -ENOMEM where the transport has no room to
 * bounce the request.
 */
int viommu_queue_add(struct viommu_queue *queue, struct viommu_batch *batch, int *result)
{
	struct viommu_request *request = queue->free;
	int ret;

	lockdep_assert_held(&queue->lock);
	ret = viommu_request_submit(queue, request);
	if (unlikely(ret)) {
		if (virtqueue_is_broken(queue->vq))
			viommu_queue_kill(queue, -EIO, "the device broke the request queue");
		return ret == -ENOMEM ? ret : -EIO;
	}

	request->batch = batch;
	request->result = result;
	request->seq = ++queue->seq;
	queue->counters.requests[request->type]++;
	queue->free = request->next;
	queue->nr_sent++;
	batch->last_seq = request->seq;
	batch->pending++;
	trace_viommu_request_queued(queue, request);
	return 0;
}

/**
 * viommu_queue_make_room() - wait until there is room for a request
 * @queue: the queue
 *
 * Context: Any, no lock of the driver held. Polls, for at most timeout_ms.
 */
void viommu_queue_make_room(struct viommu_queue *queue)
{
	viommu_queue_poll(queue, NULL, false);
}

static int viommu_queue_try_send(struct viommu_queue *queue, struct viommu_batch *batch,
				 const struct viommu_wire *wire, int *result)
{
	struct viommu_wire *slot;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&queue->lock, flags);
	slot = viommu_queue_slot(queue);
	ret = PTR_ERR_OR_ZERO(slot);
	if (!ret) {
		*slot = *wire;
		ret = viommu_queue_add(queue, batch, result);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	return ret;
}

/**
 * viommu_queue_send() - send one request and wait for it
 * @queue: the queue
 * @wire: the request
 *
 * Context: May sleep. For at most timeout_ms, and the same again where the queue is full.
 * Return: what the device answered, as an errno; -ETIMEDOUT or -EIO where it is
 * dead; -ENOMEM where the transport has no room to bounce the request.
 */
int viommu_queue_send(struct viommu_queue *queue, const struct viommu_wire *wire)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	int result = -EIO;
	int ret;

	might_sleep();
	while ((ret = viommu_queue_try_send(queue, &batch, wire, &result)) == -EAGAIN)
		viommu_queue_poll(queue, NULL, true);
	if (ret) {
		viommu_queue_log(queue);
		return ret;
	}
	viommu_queue_poll(queue, &batch, true);
	return result;
}
