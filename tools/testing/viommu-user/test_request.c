// SPDX-License-Identifier: GPL-2.0
/*
 * request.c, over a virtqueue and a device that do as they are told: see
 * fake_virtqueue.h for those, and for what fails every test.
 *
 * Requests are told apart by their IOVA: their number, in pages.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "fake_virtqueue.h"
#include "harness.h"
#include "viommu.h"

#define UNSETTLED	4711	/* neither success nor an errno */
#define RESULTS		400
#define HOUR		(3600ULL * 1000 * NSEC_PER_MSEC)

static struct viommu_queue queue;
static int results[RESULTS];

/* The specification's numbers, and what a caller gets for them. */
static const struct {
	u8 status;
	int ret;
	const char *name;
} statuses[] = {
	{ 0, 0, "OK" }, { 1, -EIO, "IOERR" }, { 2, -EOPNOTSUPP, "UNSUPP" },
	{ 3, -EIO, "DEVERR" }, { 4, -EINVAL, "INVAL" }, { 5, -ERANGE, "RANGE" },
	{ 6, -ENOENT, "NOENT" }, { 7, -EFAULT, "FAULT" }, { 8, -ENOMEM, "NOMEM" },
	{ 9, -EIO, "unknown" }, { 0x80, -EIO, "unknown" }, { 0xfe, -EIO, "unknown" },
	{ 0xff, -EIO, "unwritten" },
};

static void begin_ring(unsigned int descriptors)
{
	unsigned int i;

	memset(&queue, 0, sizeof(queue));
	fake.size = descriptors;
	fake.lock = &queue.lock;
	fake.kicks = 0;
	fake.adds = 0;
	fake.relaxes = 0;
	for (i = 0; i < RESULTS; i++)
		results[i] = UNSETTLED;
	ASSERT(viommu_queue_init(&queue, &fake.vq.vdev, &fake.vq) == 0);
	EXPECT_EQ(slab_control.gfp, GFP_KERNEL);
}

static void begin(unsigned int slots)
{
	begin_ring(2 * slots);
}

/* A request that its number tells from others. */
static struct viommu_wire map(unsigned int nr)
{
	return WIRE(map, 7, (u64)nr << 12, ((u64)nr << 12) + 0xfff, 0x123000, 3);
}

static unsigned int number(const struct fake_request *request)
{
	return get_le(request->readable + 8, 8) >> 12;
}

/* Adds a request if there is room. */
static int try_add(struct viommu_batch *batch, const struct viommu_wire *wire, int *result)
{
	struct viommu_wire *slot;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&queue.lock, flags);
	slot = viommu_queue_slot(&queue);
	if (IS_ERR(slot)) {
		ret = PTR_ERR(slot);
	} else {
		*slot = *wire;
		ret = viommu_queue_add(&queue, batch, result);
	}
	spin_unlock_irqrestore(&queue.lock, flags);
	return ret;
}

/* Adds a request once there is room. */
static int add_wire(struct viommu_batch *batch, const struct viommu_wire *wire, int *result)
{
	int ret;

	while ((ret = try_add(batch, wire, result)) == -EAGAIN)
		viommu_queue_make_room(&queue);
	return ret;
}

/* Tells the device at once, if it is idle: as a domain does. */
static bool kick(void)
{
	unsigned long flags;
	bool due;

	spin_lock_irqsave(&queue.lock, flags);
	due = viommu_queue_commit(&queue);
	spin_unlock(&queue.lock);
	if (due)
		virtqueue_notify(queue.vq);
	local_irq_restore(flags);
	return due;
}

/* Adds MAPs to a batch; the result of each goes where its number says. */
static void add(struct viommu_batch *batch, unsigned int first, unsigned int nr)
{
	unsigned int i;

	for (i = first; i < first + nr; i++) {
		const struct viommu_wire wire = map(i);

		ASSERT(add_wire(batch, &wire, &results[i]) == 0);
	}
}

static void expect_results(unsigned int first, unsigned int nr, int ret)
{
	unsigned int i;

	for (i = first; i < first + nr; i++)
		if (results[i] != ret)
			test_fail(__FILE__, __LINE__, false, "result %u is %d, not %d", i,
				  results[i], ret);
}

/* How many requests go on the ring before it is full. */
static unsigned int fill(struct viommu_batch *batch)
{
	const struct viommu_wire wire = map(0);
	unsigned int nr = 0;
	int ret;

	while ((ret = try_add(batch, &wire, NULL)) == 0)
		nr++;
	EXPECT_EQ(ret, -EAGAIN);
	return nr;
}

static void release(void)
{
	EXPECT_EQ(fake.promised, 0);
	EXPECT_EQ(fake.full, 0);
	EXPECT_EQ(fake.hasty, 0);
	EXPECT_EQ(fake.messages, 0);
	EXPECT_EQ(fake_cpu->locks, 0);
	EXPECT(!fake_cpu->irqs_off);
	viommu_queue_free(&queue);
	EXPECT_EQ(slab_control.objects, 0);
}

/* Afterwards the queue is as it was in the beginning: all slots are free. */
static void end(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	EXPECT_EQ(fake.pending.nr, 0);
	EXPECT_EQ(fake.used.nr, 0);
	fake.at_once = FAKE_ALL;
	fake.answer = (struct fake_answer){ .used = FAKE_ALL };
	fake.script = NULL;
	EXPECT_EQ(fill(&batch), fake.size / 2);
	viommu_queue_wait(&queue, &batch);
	EXPECT_EQ(fake.used.nr, 0);
	release();
}

/* The device is dead: nothing is sent, and nobody waits. */
static void end_dead(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	const struct viommu_wire wire = map(0);
	unsigned int adds = fake.adds, kicks = fake.kicks;
	unsigned long relaxes = fake.relaxes;
	int result = UNSETTLED;

	EXPECT_EQ(viommu_queue_send(&queue, &wire), -EIO);
	EXPECT_EQ(try_add(&batch, &wire, &result), -EIO);
	EXPECT(!kick());
	viommu_queue_wait(&queue, &batch);
	viommu_queue_make_room(&queue);
	EXPECT_EQ(result, UNSETTLED);
	EXPECT_EQ(atomic_read(&batch.failed), 0);
	EXPECT_EQ(fake.adds, adds);
	EXPECT_EQ(fake.kicks, kicks);
	EXPECT_EQ(fake.relaxes, relaxes);
	release();
}

/* One message since the last look, and it has all these parts. */
static void expect_message(int line, bool ratelimited, const char * const *parts)
{
	if (fake.messages != 1)
		test_fail(__FILE__, line, false, "%u messages, not 1", fake.messages);
	if (fake.ratelimited != ratelimited)
		test_fail(__FILE__, line, false, "rate limit is wrong");
	for (; *parts; parts++)
		if (!strstr(fake.message, *parts))
			test_fail(__FILE__, line, false, "no \"%s\" in \"%s\"", *parts,
				  fake.message);
	fake.messages = 0;
	fake.ratelimited = 0;
}

#define EXPECT_MESSAGE(ratelimited, ...)				\
	expect_message(__LINE__, ratelimited, (const char * const []){ __VA_ARGS__, NULL })

static void forget_messages(void)
{
	fake.messages = 0;
	fake.ratelimited = 0;
}

/* Init and free */

static void test_init_too_small(void)
{
	for (fake.size = 0; fake.size < 2; fake.size++) {
		memset(&queue, 0, sizeof(queue));
		EXPECT_EQ(viommu_queue_init(&queue, &fake.vq.vdev, &fake.vq), -EINVAL);
		EXPECT_MESSAGE(false, "too small");
		release();
	}
}

static void test_init_fails(void)
{
	unsigned int i;

	for (i = 1; i <= 2; i++) {
		memset(&queue, 0, sizeof(queue));
		fake.size = 16;
		slab_control.fail_in = i;
		EXPECT_EQ(viommu_queue_init(&queue, &fake.vq.vdev, &fake.vq), -ENOMEM);
		EXPECT_EQ(slab_control.fail_in, 0);
		viommu_queue_free(&queue);
		release();
	}
}

static void test_init_odd(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	unsigned int size;

	for (size = 2; size < 10; size++) {
		begin_ring(size);
		EXPECT_EQ(fill(&batch), size / 2);
		viommu_queue_wait(&queue, &batch);
		end();
	}
}

/* The driver's memory has a bound, which is not the host's to set. */
static void test_init_huge(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	unsigned int slots;

	begin_ring(32768);
	EXPECT(slab_control.bytes < 64 * 1024);
	slots = fill(&batch);
	EXPECT(slots >= 16 && slots < FAKE_REQUESTS);
	viommu_queue_wait(&queue, &batch);
	EXPECT_EQ(fake.kicks, 1);
	EXPECT_EQ(fill(&batch), slots);
	viommu_queue_wait(&queue, &batch);
	release();
}

/* One request */

static u8 properties[64];

static struct viommu_wire wire_of_type(u8 type, void *buffer)
{
	switch (type) {
	case VIRTIO_IOMMU_T_ATTACH:
		return WIRE(attach, 7, 8, false);
	case VIRTIO_IOMMU_T_DETACH:
		return WIRE(detach, 7, 8);
	case VIRTIO_IOMMU_T_MAP:
		return map(1);
	case VIRTIO_IOMMU_T_UNMAP:
		return WIRE(unmap, 7, 0x1000, 0x1fff);
	default:
		return WIRE(probe, buffer, 8, sizeof(properties));
	}
}

static int send_type(u8 type)
{
	void *buffer = calloc(1, viommu_wire_probe_size(sizeof(properties)));
	const struct viommu_wire wire = wire_of_type(type, buffer);
	int ret = viommu_queue_send(&queue, &wire);

	free(buffer);
	return ret;
}

static void test_send(void)
{
	u8 type;

	begin(4);
	for (type = 1; type <= 5; type++) {
		fake.kicks = 0;
		EXPECT_EQ(send_type(type), 0);
		EXPECT_EQ(fake.kicks, 1);
		EXPECT_EQ(fake.types[type], 1);
	}
	end();
}

static void test_send_statuses(void)
{
	unsigned int i;
	u8 type;

	begin(4);
	for (type = 1; type <= 5; type++) {
		for (i = 0; i < ARRAY_SIZE(statuses); i++) {
			fake.answer.status = statuses[i].status;
			EXPECT_EQ(send_type(type), statuses[i].ret);
		}
	}
	forget_messages();
	end();
}

static void test_send_unused(void)
{
	unsigned int i;
	u8 type;

	begin(4);
	fake.answer.used = 0;
	for (type = 1; type <= 5; type++) {
		for (i = 0; i < ARRAY_SIZE(statuses); i++) {
			fake.answer.status = statuses[i].status;
			EXPECT_EQ(send_type(type), -EIO);
		}
	}
	forget_messages();
	end();
}

static void test_send_used_too_much(void)
{
	static const u32 lengths[] = { 5, 8, 40, 0x80000000, U32_MAX - 1 - sizeof(properties) };
	unsigned int i;

	begin(4);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		fake.answer.used = lengths[i];
		EXPECT_EQ(send_type(VIRTIO_IOMMU_T_ATTACH), -EIO);
		EXPECT_EQ(send_type(VIRTIO_IOMMU_T_MAP), -EIO);
		fake.answer.used = lengths[i] + sizeof(properties);
		EXPECT_EQ(send_type(VIRTIO_IOMMU_T_PROBE), -EIO);
	}
	forget_messages();
	end();
}

/* There are devices that do not count what they have left as it was. */
static void test_send_used_less(void)
{
	begin(4);
	for (fake.answer.used = 1; fake.answer.used < 4; fake.answer.used++) {
		fake.answer.status = 0;
		EXPECT_EQ(send_type(VIRTIO_IOMMU_T_ATTACH), 0);
		EXPECT_EQ(send_type(VIRTIO_IOMMU_T_PROBE), 0);
		fake.answer.status = 6;
		EXPECT_EQ(send_type(VIRTIO_IOMMU_T_ATTACH), -ENOENT);
	}
	end();
}

static void test_send_silent(void)
{
	u8 type;

	begin(4);
	/* First, so that no slot holds an older status. */
	fake.answer.silent = true;
	for (type = 1; type <= 5; type++)
		EXPECT_EQ(send_type(type), -EIO);
	/* Then in slots that do. */
	fake.answer.silent = false;
	for (type = 1; type <= 5; type++)
		EXPECT_EQ(send_type(type), 0);
	fake.answer.silent = true;
	for (type = 1; type <= 5; type++)
		EXPECT_EQ(send_type(type), -EIO);
	forget_messages();
	end();
}

static const struct viommu_wire *sent;

static void compare_with_sent(const struct fake_request *request, struct fake_answer *answer)
{
	(void)answer;
	EXPECT_EQ(request->nr_readable, sent->readable);
	EXPECT_EQ(request->nr_writable, sent->writable);
	EXPECT(!memcmp(request->readable, sent->external ?: (void *)sent->bytes,
		       sent->readable));
	if (sent->external) {
		EXPECT(request->readable == sent->external);
		EXPECT(request->writable == request->readable + request->nr_readable);
		memcpy(request->writable, properties, request->nr_writable - 4);
	}
}

static void test_send_bytes(void)
{
	struct viommu_wire wire;
	void *buffer;
	u8 type;

	begin(4);
	fake.script = compare_with_sent;
	for (type = 1; type <= 5; type++) {
		buffer = calloc(1, viommu_wire_probe_size(sizeof(properties)));
		test_random_bytes(properties, sizeof(properties));
		wire = wire_of_type(type, buffer);
		sent = &wire;
		EXPECT_EQ(viommu_queue_send(&queue, &wire), 0);
		if (wire.external)
			EXPECT(!memcmp(buffer + wire.readable, properties, sizeof(properties)));
		/* The same buffer, and fewer of them. */
		if (wire.external) {
			wire.writable -= 16;
			EXPECT_EQ(viommu_queue_send(&queue, &wire), 0);
		}
		free(buffer);
	}
	end();
}

static void test_add_fails(void)
{
	static const struct {
		int error, ret;
	} errors[] = { { -ENOMEM, -ENOMEM }, { -ENOSPC, -EIO }, { -EIO, -EIO } };
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	const struct viommu_wire wire = map(1);
	unsigned int i;

	begin(3);
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		add(&batch, 0, 1);
		fake.add_error = errors[i].error;
		EXPECT_EQ(add_wire(&batch, &wire, &results[1]), errors[i].ret);
		add(&batch, 2, 1);
		viommu_queue_wait(&queue, &batch);
		EXPECT_EQ(results[0], 0);
		EXPECT_EQ(results[1], UNSETTLED);
		EXPECT_EQ(results[2], 0);
		fake.add_error = errors[i].error;
		EXPECT_EQ(viommu_queue_send(&queue, &wire), errors[i].ret);
		EXPECT_EQ(viommu_queue_send(&queue, &wire), 0);
	}
	EXPECT_EQ(atomic_read(&batch.failed), 0);
	end();
}

/* Batches and kicks */

/* What @nr requests and one wait take. */
static unsigned int kicks_of(unsigned int slots, unsigned int nr)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	unsigned int kicks;

	begin(slots);
	add(&batch, 0, nr);
	viommu_queue_wait(&queue, &batch);
	expect_results(0, nr, 0);
	EXPECT_EQ(fake.adds, nr);
	kicks = fake.kicks;
	end();
	return kicks;
}

static void test_kicks(unsigned int at_once, unsigned int delay, unsigned int per_poll)
{
	static const unsigned int slots[] = { 1, 2, 5, 64, 128 };
	unsigned int i, n;

	fake.delay = delay;
	fake.per_poll = per_poll;
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		const unsigned int s = slots[i];
		const unsigned int nrs[] = {
			1, s - 1, s, s + 1, 2 * s - 1, 2 * s, 2 * s + 1, 3 * s, 3 * s + 1,
		};

		for (n = 0; n < ARRAY_SIZE(nrs); n++) {
			fake.at_once = at_once;
			EXPECT_EQ(kicks_of(s, nrs[n]), (nrs[n] + s - 1) / s);
		}
	}
}

static void test_kicks_at_once(void)
{
	test_kicks(FAKE_ALL, 0, 0);
}

static void test_kicks_one_a_poll(void)
{
	test_kicks(0, 0, 1);
}

static void test_kicks_in_parts(void)
{
	test_kicks(2, 3, 5);
}

static void test_kicks_all_late(void)
{
	test_kicks(0, 20, FAKE_ALL);
}

static void test_no_kick_wanted(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	begin(4);
	fake.wants_no_kick = true;
	fake.per_poll = 1;
	add(&batch, 0, 11);
	viommu_queue_wait(&queue, &batch);
	expect_results(0, 11, 0);
	EXPECT_EQ(fake.kicks, 0);
	fake.wants_no_kick = false;
	end();
}

static void test_add_does_not_kick(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT, empty = VIOMMU_BATCH_INIT;

	begin(4);
	add(&batch, 0, 3);
	viommu_queue_make_room(&queue);
	/* It is no business of those who wait for nothing. */
	viommu_queue_wait(&queue, &empty);
	EXPECT_EQ(fake.kicks, 0);
	EXPECT_EQ(fake.relaxes, 0);
	add(&batch, 3, 1);
	EXPECT_EQ(fake.kicks, 0);
	expect_results(0, 4, UNSETTLED);
	viommu_queue_wait(&queue, &batch);
	expect_results(0, 4, 0);
	EXPECT_EQ(fake.kicks, 1);
	end();
}

static void test_full(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT, more = VIOMMU_BATCH_INIT;
	const struct viommu_wire wire = map(9);

	begin(4);
	add(&batch, 0, 4);
	EXPECT_EQ(try_add(&more, &wire, &results[9]), -EAGAIN);
	EXPECT_EQ(fake.kicks, 0);
	EXPECT_EQ(fake.relaxes, 0);
	/* Nobody waits for the first four, and yet they must go for a fifth to come. */
	viommu_queue_make_room(&queue);
	EXPECT_EQ(fake.kicks, 1);
	EXPECT_EQ(try_add(&more, &wire, &results[9]), 0);
	viommu_queue_wait(&queue, &more);
	expect_results(0, 4, 0);
	EXPECT_EQ(results[9], 0);
	EXPECT_EQ(fake.kicks, 2);
	end();
}

/* What a caller kicks for is not kicked for again when it waits. */
static void test_kick(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	begin(16);
	fake.at_once = 0;
	EXPECT(!kick());
	add(&batch, 0, 4);
	EXPECT(kick());
	EXPECT_EQ(fake.kicks, 1);
	EXPECT(!kick());
	add(&batch, 4, 3);
	EXPECT(!kick());
	EXPECT_EQ(fake.relaxes, 0);
	fake.per_poll = 1;
	viommu_queue_wait(&queue, &batch);
	expect_results(0, 7, 0);
	EXPECT_EQ(fake.kicks, 2);
	EXPECT(!kick());
	end();
}

/* A caller may hold a lock of its own, as a domain does. */
static void test_try_add_locked(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	unsigned long flags;
	spinlock_t lock; /* a domain's */

	begin(4);
	spin_lock_init(&lock);
	spin_lock_irqsave(&lock, flags);
	EXPECT_EQ(fill(&batch), 4);
	EXPECT(fake_cpu->irqs_off);
	EXPECT_EQ(fake_cpu->locks, 1);
	spin_unlock_irqrestore(&lock, flags);
	viommu_queue_wait(&queue, &batch);
	end();
}

/* Every third request is refused, with statuses that take turns. */
static int refused(unsigned int nr)
{
	return nr % 3 ? 0 : statuses[nr / 3 % ARRAY_SIZE(statuses)].ret;
}

static void refuse_thirds(const struct fake_request *request, struct fake_answer *answer)
{
	unsigned int nr = number(request);

	answer->status = nr % 3 ? 0 : statuses[nr / 3 % ARRAY_SIZE(statuses)].status;
}

static void test_results(void)
{
	struct viommu_batch batches[3] = {
		VIOMMU_BATCH_INIT, VIOMMU_BATCH_INIT, VIOMMU_BATCH_INIT,
	};
	unsigned int i, j, failed[3] = { 0 };

	fake.at_once = 3;
	fake.per_poll = 2;
	begin(8);
	fake.script = refuse_thirds;
	/* Of each batch the last two have no place for their results. */
	for (i = 0; i < 300; i++) {
		const struct viommu_wire wire = map(i);

		j = i / 2 % 3;
		ASSERT(add_wire(&batches[j], &wire, i < 294 ? &results[i] : NULL) == 0);
		failed[j] += i < 294 && refused(i);
	}
	for (i = 0; i < 3; i++) {
		viommu_queue_wait(&queue, &batches[i]);
		for (j = 0; j < 294; j++)
			if (j / 2 % 3 == i)
				EXPECT_EQ(results[j], refused(j));
		EXPECT_EQ(atomic_read(&batches[i].failed), failed[i]);
	}
	expect_results(294, RESULTS - 294, UNSETTLED);
	forget_messages();
	end();
}

static void test_no_result(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	const struct viommu_wire wire = map(0);
	unsigned int i;

	begin(2);
	fake.answer.status = 4;
	for (i = 0; i < 7; i++) {
		EXPECT_EQ(add_wire(&batch, &wire, NULL), 0);
		EXPECT_EQ(add_wire(&batch, &wire, &results[i]), 0);
	}
	viommu_queue_wait(&queue, &batch);
	expect_results(0, 7, -EINVAL);
	/* As many as there are results to look at. */
	EXPECT_EQ(atomic_read(&batch.failed), 7);
	forget_messages();
	end();
}

static void answer_newest(void)
{
	fake_answer_newest();
}

static void test_out_of_order(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	unsigned int i;

	begin(8);
	fake.at_once = 0;
	fake.on_relax = answer_newest;
	fake.script = refuse_thirds;
	add(&batch, 0, 8);
	viommu_queue_wait(&queue, &batch);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(results[i], refused(i));
	EXPECT_EQ(fake.relaxes, 8);
	EXPECT_EQ(fake.kicks, 1);
	forget_messages();
	end();
}

/* Several at a time */

static struct viommu_batch second;

static void add_second(void)
{
	unsigned int nr = fake.relaxes;

	if (nr > 3)
		return;
	EXPECT(fake_busy());
	add(&second, 10 + nr, 1);
	EXPECT_EQ(fake.kicks, 1);
}

static void test_gather(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	begin(16);
	fake.at_once = 0;
	fake.delay = 5;
	fake.per_poll = 2;
	fake.on_relax = add_second;
	add(&batch, 0, 4);
	viommu_queue_wait(&queue, &batch);
	expect_results(0, 4, 0);
	EXPECT_EQ(fake.kicks, 1);
	viommu_queue_wait(&queue, &second);
	expect_results(11, 3, 0);
	EXPECT_EQ(fake.kicks, 2);
	end();
}

/* As an interrupt does that comes while this CPU waits. */
static void wait_second(void)
{
	fake.on_relax = NULL;
	EXPECT(fake_busy());
	add(&second, 10, 3);
	viommu_queue_wait(&queue, &second);
	expect_results(10, 3, 0);
	/* On the way it has looked after those that were there before. */
	expect_results(0, 4, 0);
	EXPECT_EQ(fake.kicks, 2);
}

static void test_gather_nested(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	begin(16);
	fake.at_once = 0;
	fake.delay = 5;
	fake.per_poll = 1;
	fake.on_relax = wait_second;
	add(&batch, 0, 4);
	viommu_queue_wait(&queue, &batch);
	EXPECT(!fake.on_relax);
	EXPECT_EQ(fake.kicks, 2);
	end();
}

/* As an interrupt does that sends something of its own. */
static void send_second(void)
{
	fake.on_relax = NULL;
	add(&second, 10, 1);
	EXPECT(!kick());
	viommu_queue_wait(&queue, &second);
}

/* It is no other CPU: there is nobody for its kick to wait for, 32 polls long. */
static void test_gather_interrupt(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	begin(16);
	fake.at_once = 0;
	fake.delay = 5;
	fake.per_poll = 1;
	fake.on_relax = send_second;
	add(&batch, 0, 1);
	EXPECT(kick());
	viommu_queue_wait(&queue, &batch);
	EXPECT(!fake.on_relax);
	EXPECT_EQ(fake.kicks, 2);
	EXPECT(fake.relaxes < 32);
	expect_results(0, 1, 0);
	expect_results(10, 1, 0);
	end();
}

/* On another CPU, as interrupts are off: it adds just before the device looks. */
static void add_at_notify(void)
{
	fake.on_notify = NULL;
	EXPECT(fake_cpu->irqs_off);
	fake_cpu->irqs_off = false;
	add(&second, 10, 3);
	fake_cpu->irqs_off = true;
}

static void test_add_during_kick(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	unsigned int at_once;

	for (at_once = 2; at_once <= 7; at_once++) {
		second = (struct viommu_batch)VIOMMU_BATCH_INIT;
		begin(16);
		fake.at_once = at_once;
		fake.per_poll = 1;
		fake.on_notify = add_at_notify;
		add(&batch, 0, 4);
		viommu_queue_wait(&queue, &batch);
		expect_results(0, 4, 0);
		viommu_queue_wait(&queue, &second);
		expect_results(10, 3, 0);
		/* A second one for those three is too much only if all went at once. */
		EXPECT(fake.kicks <= 2);
		if (at_once == 7)
			EXPECT_EQ(fake.kicks, 1);
		end();
	}
}

/* The other CPU has three polls in the midst of this one's kick. */
static void stall_kick(void)
{
	unsigned long relaxes = fake.relaxes;

	fake.on_notify = NULL;
	while (fake.relaxes < relaxes + 3)
		fake_yield();
}

static void send_one(unsigned int cpu)
{
	const struct viommu_wire wire = map(cpu);

	results[cpu] = viommu_queue_send(&queue, &wire);
}

static void test_wait_during_kick(void)
{
	unsigned int round;

	for (round = 0; round < 50; round++) {
		begin(4);
		fake.at_once = 0;
		fake.per_poll = 1;
		fake.on_notify = stall_kick;
		fake_cpus(2, send_one);
		expect_results(0, 2, 0);
		EXPECT(!fake.on_notify);
		EXPECT(fake.kicks <= 2);
		end();
	}
}

static void send_many(unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < 50; i++)
		send_one(cpu * 50 + i);
}

static void test_crowd(void)
{
	unsigned int i;

	for (i = 0; i < 10; i++) {
		begin(8);
		fake.at_once = i % 2 ? FAKE_ALL : 0;
		fake.delay = 5;
		fake.per_poll = 1;
		fake_cpus(FAKE_CPUS, send_many);
		expect_results(0, 50 * FAKE_CPUS, 0);
		EXPECT(fake.kicks <= 150);
		end();
	}
}

/* Whoever has had company does not wait for it any longer than an exit takes. */
static void test_alone_again(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	unsigned int i, nr;
	u64 then;

	begin(16);
	fake.delay = 3;
	fake.per_poll = FAKE_ALL;
	for (i = 0; i < 300; i++) {
		if (i % 10 < 8) {
			/* Which one of them is the kick, the driver may choose. */
			fake.at_once = 0;
			for (nr = 0; nr < 3; nr++) {
				add(&batch, nr, 1);
				kick();
			}
			viommu_queue_wait(&queue, &batch);
			continue;
		}
		fake.at_once = FAKE_ALL;
		fake.relaxes = 0;
		then = fake.now;
		send_one(i);
		EXPECT(fake.now - then <= 100 * NSEC_PER_USEC);
		EXPECT(fake.relaxes <= 100);
	}
	end();
}

static void interrupt_waits(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	add(&batch, 10, 1);
	viommu_queue_wait(&queue, &batch);
}

static void raise_interrupt(void)
{
	fake.on_prepare = NULL;
	fake.interrupt = interrupt_waits;
}

static void test_interrupted_kick(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	unsigned int at_once;

	fake.tick = 100 * NSEC_PER_USEC;
	fake.per_poll = 1;
	for (at_once = 0; at_once <= 4; at_once++) {
		begin(8);
		fake.at_once = at_once;
		fake.on_prepare = raise_interrupt;
		add(&batch, 0, 4);
		viommu_queue_wait(&queue, &batch);
		EXPECT(!fake.interrupt);
		EXPECT_EQ(results[10], 0);
		expect_results(0, 4, 0);
		EXPECT_EQ(fake.kicks, 2);
		end();
	}
}

/* Only one who may, and only where an answer takes its time. */
static void test_sleep(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	unsigned int i;

	begin(2);
	send_one(0);
	EXPECT_EQ(fake.sleeps, 0);
	/* An exit takes some microseconds, as these polls do. */
	fake.at_once = 0;
	fake.delay = 60;
	fake.per_poll = 1;
	for (i = 1; i < 3; i++)
		send_one(i);
	EXPECT_EQ(fake.sleeps, 0);

	fake.delay = 2000;
	add(&batch, 3, 5);
	viommu_queue_make_room(&queue);
	viommu_queue_wait(&queue, &batch);
	EXPECT_EQ(fake.sleeps, 0);
	EXPECT(fake.relaxes > 3 * 2000);

	send_one(8);
	EXPECT(fake.sleeps > 10);
	expect_results(0, 9, 0);

	/* The same where it waits for a slot. */
	fake.sleeps = 0;
	fake.kicks = 0;
	EXPECT_EQ(fill(&batch), 2);
	send_one(9);
	EXPECT(fake.sleeps > 20);
	EXPECT_EQ(results[9], 0);
	EXPECT_EQ(fake.kicks, 2);
	end();
}

static bool irqs_off;

static void expect_irqs(void)
{
	EXPECT_EQ(fake_cpu->irqs_off, irqs_off);
}

static void test_irqs(void)
{
	struct viommu_batch batch;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		batch = (struct viommu_batch)VIOMMU_BATCH_INIT;
		irqs_off = i;
		begin(2);
		fake.at_once = 0;
		fake.delay = 2;
		fake.per_poll = 1;
		fake.on_relax = expect_irqs;
		fake_cpu->irqs_off = irqs_off;
		add(&batch, 0, 7);
		expect_irqs();
		viommu_queue_wait(&queue, &batch);
		expect_irqs();
		viommu_queue_make_room(&queue);
		expect_irqs();
		EXPECT(fake.relaxes >= 10);
		fake_cpu->irqs_off = false;
		fake.on_relax = NULL;
		expect_results(0, 7, 0);
		end();
	}
}

static unsigned int answers_left;

static void answer_few(void)
{
	if (answers_left && fake_answer_oldest())
		answers_left--;
}

static void test_wait_for_own(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	begin(8);
	fake.at_once = 0;
	fake.on_relax = answer_few;
	answers_left = 2;
	add(&batch, 0, 2);
	add(&second, 10, 2);
	viommu_queue_wait(&queue, &batch);
	expect_results(0, 2, 0);
	expect_results(10, 2, UNSETTLED);
	EXPECT_EQ(fake.relaxes, 2);
	EXPECT_EQ(fake.kicks, 1);

	answers_left = 2;
	viommu_queue_wait(&queue, &second);
	expect_results(10, 2, 0);
	EXPECT_EQ(fake.kicks, 1);
	end();
}

static void add_to_second(void)
{
	if (fake.relaxes == 1)
		add(&second, 2, 3);
	answer_few();
}

/* As in a domain that is mapped to all the time. */
static void check_wait_for_earlier(void)
{
	second = (struct viommu_batch)VIOMMU_BATCH_INIT;
	memset(results, 0x77, sizeof(results));
	fake.relaxes = 0;
	fake.at_once = 0;
	fake.on_relax = add_to_second;
	answers_left = 2;
	add(&second, 0, 2);
	viommu_queue_wait(&queue, &second);
	expect_results(0, 2, 0);
	expect_results(2, 3, 0x77777777);
	EXPECT_EQ(fake.relaxes, 2);

	answers_left = 3;
	viommu_queue_wait(&queue, &second);
	expect_results(2, 3, 0);
	fake.on_relax = NULL;
}

static void test_wait_for_earlier(void)
{
	begin(8);
	fake.tick = 100 * NSEC_PER_USEC;
	check_wait_for_earlier();
	check_wait_for_earlier();
	end();
}

/* The oldest one only where there is nothing else to do. */
static void hold_oldest(void)
{
	if (fake.pending.nr > 1 || !test_below(4))
		fake_answer_newest();
}

static void test_oldest_last(void)
{
	static const unsigned int slots[] = { 8, 9, 64, 128 };
	struct viommu_batch batch;
	unsigned int i, nr;

	fake.tick = 100 * NSEC_PER_USEC;
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		batch = (struct viommu_batch)VIOMMU_BATCH_INIT;
		begin(slots[i]);
		fake.at_once = 0;
		fake.on_relax = hold_oldest;
		fake.script = refuse_thirds;
		fake.greedy = true;
		add(&batch, 0, RESULTS);
		viommu_queue_wait(&queue, &batch);
		for (nr = 0; nr < RESULTS; nr++)
			EXPECT_EQ(results[nr], refused(nr));
		fake.script = NULL;
		fake.greedy = false;
		forget_messages();
		/* It still knows which ones are older than others. */
		check_wait_for_earlier();
		end();
	}
}

static void answer_last_two(void)
{
	if (fake.pending.nr > 2)
		fake_answer(2);
}

static void test_overtaken(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	begin(8);
	fake.at_once = 0;
	fake.on_relax = answer_last_two;
	add(&batch, 0, 2);
	add(&second, 10, 2);
	viommu_queue_wait(&queue, &second);
	expect_results(0, 2, UNSETTLED);
	expect_results(10, 2, 0);
	EXPECT_EQ(fake.relaxes, 2);

	fake.on_relax = NULL;
	fake.per_poll = 1;
	viommu_queue_wait(&queue, &batch);
	expect_results(0, 2, 0);
	end();
}

/* Devices that die */

/* What is over stays as it is: its owner has freed all of it. */
static void use_slots(void)
{
	struct viommu_batch *batch = calloc(1, sizeof(*batch));
	int *result = malloc(sizeof(*result));
	const struct viommu_wire wire = map(0);
	unsigned int at_once = fake.at_once, i;

	fake.at_once = FAKE_ALL;
	for (i = 0; i < 4; i++)
		EXPECT_EQ(add_wire(batch, &wire, i ? result : NULL), 0);
	viommu_queue_wait(&queue, batch);
	EXPECT_EQ(*result, 0);
	free(result);
	free(batch);
	fake.at_once = at_once;
	fake.relaxes = 0;
}

static void test_timeout(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	u64 bound, then, late = 100 * NSEC_PER_MSEC;
	u8 *probe = calloc(1, viommu_wire_probe_size(64));
	const struct viommu_wire wire = WIRE(probe, probe, 8, 64);
	unsigned int i;

	EXPECT_EQ(*param_timeout_ms, 10000);
	for (i = 0; i < 2; i++) {
		batch = (struct viommu_batch)VIOMMU_BATCH_INIT;
		second = (struct viommu_batch)VIOMMU_BATCH_INIT;
		begin(8);
		fake.tick = 100 * NSEC_PER_USEC;
		fake.at_once = 0;
		use_slots();
		add(&batch, 0, 3);
		EXPECT_EQ(add_wire(&batch, &wire, &results[3]), 0);
		add(&second, 4, 1);
		bound = *param_timeout_ms * (u64)NSEC_PER_MSEC;
		then = fake.now;
		viommu_queue_wait(&queue, &batch);
		EXPECT(fake.now - then >= bound);
		EXPECT(fake.now - then <= bound + late);
		/* All that were on the ring, whoever waits for them. */
		expect_results(0, 5, -ETIMEDOUT);
		EXPECT_EQ(atomic_read(&batch.failed), 4);
		EXPECT_EQ(atomic_read(&second.failed), 1);
		EXPECT_MESSAGE(false, "does not answer");
		then = fake.now;
		viommu_queue_wait(&queue, &second);
		EXPECT(fake.now - then <= 10 * fake.tick);
		EXPECT_EQ(fake.pending.nr, 5);

		/* The device may be late, but what it writes to is there still. */
		memset(results, 0x77, sizeof(results));
		fake_answer_all();
		end_dead();
		expect_results(0, 5, 0x77777777);
		fake.used.nr = 0;
		*param_timeout_ms = 300;
	}
	free(probe);
}

static void test_timeout_unadded(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	const struct viommu_wire wire = map(9);

	begin(4);
	fake.tick = 100 * NSEC_PER_USEC;
	fake.at_once = 0;
	add(&batch, 0, 4);
	/* It waits for a slot, in vain. */
	EXPECT_EQ(add_wire(&batch, &wire, &results[9]), -EIO);
	expect_results(0, 4, -ETIMEDOUT);
	EXPECT_EQ(results[9], UNSETTLED);
	EXPECT_MESSAGE(false, "does not answer");
	fake_answer_all();
	end_dead();
}

static void test_timeout_sleeping(void)
{
	u64 bound = *param_timeout_ms * (u64)NSEC_PER_MSEC, then = fake.now;

	begin(4);
	fake.at_once = 0;
	send_one(0);
	EXPECT(fake.now - then >= bound);
	EXPECT(fake.now - then <= bound + 100 * NSEC_PER_MSEC);
	EXPECT(fake.sleeps);
	EXPECT_EQ(results[0], -ETIMEDOUT);
	EXPECT_MESSAGE(false, "does not answer");
	fake_answer_all();
	end_dead();
}

static void test_timeout_everybody(void)
{
	unsigned int round;
	u64 then;

	fake.tick = 100 * NSEC_PER_USEC;
	fake.at_once = 0;
	*param_timeout_ms = 30;
	for (round = 0; round < 50; round++) {
		begin(8);
		then = fake.now;
		fake_cpus(FAKE_CPUS, send_one);
		expect_results(0, FAKE_CPUS, -ETIMEDOUT);
		/* The clock goes on for each that reads it. */
		EXPECT(fake.now - then <= FAKE_CPUS * 40 * (u64)NSEC_PER_MSEC);
		EXPECT_MESSAGE(false, "does not answer");
		fake_answer_all();
		end_dead();
		fake.used.nr = 0;
	}
}

static u64 kicked;

static void note_kick(void)
{
	kicked = fake.now;
}

/* Each request after 90 % of the time that it may take. */
static void answer_slowly(void)
{
	if (fake.now - kicked >= *param_timeout_ms * (u64)NSEC_PER_MSEC * 9 / 10)
		fake_answer_oldest();
}

static void test_slow(void)
{
	unsigned int i;

	begin(4);
	*param_timeout_ms = 1000;
	fake.tick = 100 * NSEC_PER_USEC;
	fake.at_once = 0;
	fake.on_notify = note_kick;
	fake.on_relax = answer_slowly;
	for (i = 0; i < 4; i++)
		send_one(i);
	expect_results(0, 4, 0);
	fake.on_relax = NULL;
	end();
}

static void pause_guest(void)
{
	if (fake.relaxes % 10 == 3)
		fake.now += HOUR;
}

static void test_paused(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	begin(4);
	fake.at_once = 0;
	fake.delay = 50;
	fake.per_poll = 1;
	fake.on_relax = pause_guest;
	add(&batch, 0, 9);
	viommu_queue_wait(&queue, &batch);
	expect_results(0, 9, 0);
	EXPECT(fake.now > 10 * HOUR);
	end();
}

static void break_queue(void)
{
	if (fake.relaxes == 3)
		fake.broken = true;
}

static void test_broken(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	begin(8);
	use_slots();
	fake.at_once = 0;
	fake.on_relax = break_queue;
	add(&batch, 0, 3);
	add(&second, 3, 1);
	viommu_queue_wait(&queue, &batch);
	EXPECT_EQ(fake.relaxes, 3);
	expect_results(0, 4, -EIO);
	EXPECT_EQ(atomic_read(&batch.failed), 3);
	EXPECT_EQ(atomic_read(&second.failed), 1);
	EXPECT_MESSAGE(false, "broke");
	fake_answer_all();
	end_dead();
}

static void test_broken_full(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	const struct viommu_wire wire = map(9);

	begin(4);
	fake.at_once = 0;
	fake.on_relax = break_queue;
	add(&batch, 0, 4);
	EXPECT_EQ(add_wire(&batch, &wire, &results[9]), -EIO);
	EXPECT_EQ(fake.relaxes, 3);
	expect_results(0, 4, -EIO);
	EXPECT_EQ(results[9], UNSETTLED);
	EXPECT_MESSAGE(false, "broke");
	end_dead();
}

static void test_broken_before(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	const struct viommu_wire wire = map(9);

	begin(8);
	add(&batch, 0, 2);
	fake.broken = true;
	EXPECT_EQ(add_wire(&batch, &wire, &results[9]), -EIO);
	EXPECT_EQ(viommu_queue_send(&queue, &wire), -EIO);
	viommu_queue_wait(&queue, &batch);
	EXPECT(fake.relaxes <= 1);
	expect_results(0, 2, -EIO);
	EXPECT_EQ(results[9], UNSETTLED);
	EXPECT_MESSAGE(false, "broke");
	end_dead();
}

static void test_notify_fails(void)
{
	begin(8);
	fake.notify_fails = true;
	send_one(0);
	EXPECT_EQ(results[0], -EIO);
	EXPECT(fake.relaxes <= 1);
	EXPECT_MESSAGE(false, "broke");
	end_dead();
}

static void stop_queue(void)
{
	if (fake.relaxes == 3)
		viommu_queue_stop(&queue);
}

static void test_stop(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	begin(8);
	use_slots();
	fake.at_once = 0;
	fake.on_relax = stop_queue;
	add(&batch, 0, 3);
	add(&second, 3, 1);
	viommu_queue_wait(&queue, &batch);
	EXPECT_EQ(fake.relaxes, 3);
	expect_results(0, 4, -ENODEV);
	EXPECT_EQ(atomic_read(&batch.failed), 3);
	/* It was the driver's own doing. */
	EXPECT_EQ(fake.messages, 0);
	fake_answer_all();
	viommu_queue_stop(&queue);
	expect_results(0, 4, -ENODEV);
	end_dead();
}

static void test_stop_idle(void)
{
	begin(8);
	use_slots();
	send_one(0);
	EXPECT_EQ(results[0], 0);
	viommu_queue_stop(&queue);
	viommu_queue_stop(&queue);
	end_dead();
}

static void test_stop_dead(void)
{
	begin(8);
	fake.at_once = 0;
	fake.tick = 100 * NSEC_PER_USEC;
	send_one(0);
	EXPECT_EQ(results[0], -ETIMEDOUT);
	EXPECT_MESSAGE(false, "does not answer");
	viommu_queue_stop(&queue);
	fake_answer_all();
	end_dead();
}

/* A reset of the device, which forgets what it was told of */

static void answer_newest_and_stop(void)
{
	if (fake.relaxes <= 3)
		fake_answer_newest();
	else
		viommu_queue_stop(&queue);
}

/* Of eight requests three are answered, in another order. */
static void lose_requests(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;

	begin(8);
	fake.at_once = 0;
	fake.on_relax = answer_newest_and_stop;
	add(&batch, 0, 8);
	viommu_queue_wait(&queue, &batch);
	expect_results(0, 5, -ENODEV);
	expect_results(5, 3, 0);
	fake.pending.nr = 0;
	fake.on_relax = NULL;
	fake.at_once = FAKE_ALL;
}

static void test_restart(void)
{
	unsigned int i;

	lose_requests();
	ASSERT(viommu_queue_restart(&queue, &fake.vq) == 0);
	/* Until all sequence numbers have come round. */
	for (i = 0; i < 2 * VIOMMU_SLOTS_MAX; i++)
		EXPECT_EQ(send_type(VIRTIO_IOMMU_T_MAP), 0);
	EXPECT_EQ(viommu_queue_counters(&queue).requests[VIRTIO_IOMMU_T_MAP],
		  8 + 2 * VIOMMU_SLOTS_MAX);
	EXPECT_EQ(viommu_queue_counters(&queue).failures[VIRTIO_IOMMU_T_MAP], 5);
	end();
}

static void test_restart_smaller(void)
{
	lose_requests();
	fake.size -= 2;
	EXPECT_EQ(viommu_queue_restart(&queue, &fake.vq), -EINVAL);
	end_dead();
}

/* The queue was made for fewer. */
static void test_restart_larger(void)
{
	lose_requests();
	fake.size += 2;
	ASSERT(viommu_queue_restart(&queue, &fake.vq) == 0);
	fake.size -= 2;
	end();
}

/* What is counted, and what the log says */

static void test_counters(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	struct viommu_counters counters;
	unsigned int i;
	u8 type;

	begin(4);
	counters = viommu_queue_counters(&queue);
	for (type = 0; type <= 5; type++)
		EXPECT(!counters.requests[type] && !counters.failures[type]);
	for (type = 1; type <= 5; type++) {
		fake.answer.status = 6;
		EXPECT_EQ(send_type(type), -ENOENT);
		fake.answer.status = 0;
		for (i = 0; i < type; i++)
			EXPECT_EQ(send_type(type), 0);
	}
	forget_messages();
	/* Those for which the device is not told apart are no kicks. */
	EXPECT_EQ(viommu_queue_counters(&queue).kicks, fake.kicks);
	fake.wants_no_kick = true;
	fake.per_poll = 1;
	EXPECT_EQ(send_type(VIRTIO_IOMMU_T_ATTACH), 0);
	fake.wants_no_kick = false;
	EXPECT_EQ(viommu_queue_counters(&queue).kicks, fake.kicks);

	/* What is not on the ring does not count, what a dead device has does. */
	fake.add_error = -ENOMEM;
	EXPECT_EQ(send_type(VIRTIO_IOMMU_T_DETACH), -ENOMEM);
	fake.at_once = 0;
	fake.per_poll = 0;
	fake.on_relax = break_queue;
	fake.relaxes = 0;
	add(&batch, 0, 2);
	viommu_queue_wait(&queue, &batch);
	forget_messages();
	end_dead();
	counters = viommu_queue_counters(&queue);
	for (type = 1; type <= 5; type++) {
		EXPECT_EQ(counters.requests[type], type + (type == 1 ? 2 : type == 3 ? 3 : 1));
		EXPECT_EQ(counters.failures[type], type == 3 ? 3 : 1);
	}
	EXPECT_EQ(counters.kicks, fake.kicks);
}

/* A kick for so many requests is counted with those for as many up to the next power of two. */
static void test_kick_sizes(void)
{
	static const unsigned int nrs[] = { 1, 2, 3, 4, 7, 8, 15, 16, 63, 64, 127, 128 };
	unsigned int i, bucket, log;

	for (i = 0; i < ARRAY_SIZE(nrs); i++) {
		struct viommu_batch batch = VIOMMU_BATCH_INIT;

		begin(128);
		fake.at_once = FAKE_ALL;
		add(&batch, 0, nrs[i]);
		viommu_queue_wait(&queue, &batch);
		for (log = 0; nrs[i] >> (log + 1); log++)
			;
		for (bucket = 0; bucket < VIOMMU_KICK_BUCKETS; bucket++)
			EXPECT_EQ(queue.counters.kick_sizes[bucket], bucket == log);
		end();
	}
}

/* What a wait for one answer counts as that comes after so many looks at such a clock. */
static unsigned int wait_bucket(u64 tick, unsigned int looks)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	unsigned int i, bucket = VIOMMU_WAIT_BUCKETS;

	begin(4);
	fake.tick = tick;
	fake.at_once = 0;
	fake.per_poll = FAKE_ALL;
	fake.delay = looks;
	add(&batch, 0, 1);
	viommu_queue_wait(&queue, &batch);
	/* There is nothing left to wait for. */
	viommu_queue_wait(&queue, &batch);
	for (i = 0; i < VIOMMU_WAIT_BUCKETS; i++) {
		EXPECT(queue.counters.waits[i] <= 1);
		if (queue.counters.waits[i])
			bucket = i;
	}
	end();
	return bucket;
}

static void test_wait_times(void)
{
	u64 tick;
	unsigned int bucket;

	/* Too short for a look at the clock. */
	EXPECT_EQ(wait_bucket(NSEC_PER_MSEC, 0), 0);
	EXPECT_EQ(wait_bucket(NSEC_PER_MSEC, 10), 0);
	EXPECT_EQ(wait_bucket(10, 40), 0);
	for (tick = 100, bucket = 1; bucket <= 7; tick *= 10, bucket++)
		EXPECT_EQ(wait_bucket(tick, 45), bucket);
	*param_timeout_ms = 60000;
	EXPECT_EQ(wait_bucket(100 * NSEC_PER_MSEC, 245), 8);
	EXPECT_EQ(wait_bucket(100 * NSEC_PER_MSEC, 545), 8);
}

static void test_status_counts(void)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		begin(4);
		fake.answer.status = statuses[i].status;
		EXPECT_EQ(send_type(VIRTIO_IOMMU_T_ATTACH), statuses[i].ret);
		for (j = 0; j < VIOMMU_NR_STATUSES; j++)
			EXPECT_EQ(queue.counters.statuses[j],
				  statuses[i].ret && j == viommu_status_index(statuses[i].status));
		end();
	}
}

static void test_log_map(void)
{
	const struct viommu_wire wire =
		WIRE(map, 0xabcde, 0x123456789000, 0x123456789fff, 0xfedcba987000, 1);
	unsigned int i;

	begin(4);
	for (i = 1; i < ARRAY_SIZE(statuses); i++) {
		fake.answer.status = statuses[i].status;
		EXPECT_EQ(viommu_queue_send(&queue, &wire), statuses[i].ret);
		EXPECT_MESSAGE(true, "MAP of ", "0x123456789000-0x123456789fff",
			       "0xfedcba987000", "domain 703710 ", statuses[i].name, "(1 ");
		EXPECT(!strstr(fake.message, "UNMAP"));
	}
	/* The device's word about what it wrote counts more than what is there. */
	fake.answer.status = 0;
	fake.answer.used = 0;
	EXPECT_EQ(viommu_queue_send(&queue, &wire), -EIO);
	EXPECT_MESSAGE(true, "MAP of ", "unwritten");
	end();
}

static void test_log_unmap(void)
{
	const struct viommu_wire wire = WIRE(unmap, 9, 0, U64_MAX);
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	unsigned int i;

	begin(4);
	for (i = 1; i < ARRAY_SIZE(statuses); i++) {
		fake.answer.status = statuses[i].status;
		EXPECT_EQ(add_wire(&batch, &wire, NULL), 0);
		EXPECT_EQ(fake.messages, 0);
		viommu_queue_wait(&queue, &batch);
		EXPECT_MESSAGE(true, "UNMAP of ", "0-0xffffffffffffffff", "domain 9 ",
			       statuses[i].name, "(1 ");
	}
	end();
}

static void test_log_others(void)
{
	begin(4);
	fake.answer.status = 6;
	EXPECT_EQ(send_type(VIRTIO_IOMMU_T_ATTACH), -ENOENT);
	EXPECT_EQ(send_type(VIRTIO_IOMMU_T_DETACH), -ENOENT);
	EXPECT_EQ(send_type(VIRTIO_IOMMU_T_PROBE), -ENOENT);
	EXPECT_EQ(fake.messages, 0);
	end();
}

static void test_log_count(void)
{
	struct viommu_batch batch = VIOMMU_BATCH_INIT;
	const struct viommu_wire unmap = WIRE(unmap, 9, 0x1000, 0x1fff);

	begin(64);
	fake.answer.status = 5;
	add(&batch, 0, 40);
	EXPECT_EQ(add_wire(&batch, &unmap, NULL), 0);
	viommu_queue_wait(&queue, &batch);
	EXPECT_MESSAGE(true, "RANGE", "(41 ");
	fake.answer.status = 0;
	add(&batch, 0, 5);
	viommu_queue_wait(&queue, &batch);
	EXPECT_EQ(fake.messages, 0);
	fake.answer.status = 5;
	add(&batch, 100, 2);
	viommu_queue_wait(&queue, &batch);
	EXPECT_MESSAGE(true, "MAP", "(2 ");
	end();
}

/* By a bug of the host: what is there then is nobody's request. */
static u8 written_type;

static void write_readable(const struct fake_request *request, struct fake_answer *answer)
{
	memset(request->readable, 0xee, request->nr_readable);
	request->readable[0] = written_type;
	answer->status = 6;
}

static void test_readable_written(void)
{
	static const u8 types[] = { 0, 1, 2, 3, 4, 5, 6, 0x80, 0xff };
	unsigned int i;
	u8 type;

	begin(4);
	for (type = 1; type <= 5; type++) {
		for (i = 0; i < ARRAY_SIZE(types); i++) {
			written_type = types[i];
			fake.script = write_readable;
			EXPECT_EQ(send_type(type), -ENOENT);
			if (type == VIRTIO_IOMMU_T_MAP)
				EXPECT_MESSAGE(true, "MAP of ");
			else if (type == VIRTIO_IOMMU_T_UNMAP)
				EXPECT_MESSAGE(true, "UNMAP of ");
			EXPECT_EQ(fake.messages, 0);
			forget_messages();
		}
	}
	end();
}

static void test_broken_idle(void)
{
	const struct viommu_wire wire = map(1);

	begin(4);
	fake.broken = true;
	EXPECT_EQ(viommu_queue_send(&queue, &wire), -EIO);
	EXPECT_EQ(viommu_queue_send(&queue, &wire), -EIO);
	EXPECT_MESSAGE(false, "broke");
	end_dead();
}

/* Random runs */

#define MODEL_REQUESTS	4000

static struct model_request {
	int result;		/* where request.c puts it */
	int want;		/* what the device made of it */
	unsigned int answers;	/* how often the device had it */
	bool looked;		/* @result was given to request.c */
	bool added;
	bool checked;
} model[MODEL_REQUESTS];

static unsigned int model_nr;

/* Requests of a batch; those below @checked are known to be over. */
static struct model_batch {
	struct viommu_batch batch;
	unsigned int ids[MODEL_REQUESTS];
	unsigned int nr;
	unsigned int checked;
	int failed;
} model_own[FAKE_CPUS], model_shared;

static bool model_in_order;
static bool model_holds; /* the oldest request back */
static unsigned int model_idle; /* the device works in one of so many steps */
static bool model_interrupts;

static void model_answer(const struct fake_request *request, struct fake_answer *answer)
{
	struct model_request *entry = &model[number(request)];
	unsigned int i = test_below(2) ? 0 : test_below(ARRAY_SIZE(statuses));

	answer->status = statuses[i].status;
	entry->want = statuses[i].ret;
	if (!test_below(20)) {
		answer->used = test_below(2) ? 0 : 5 + test_below(100);
		entry->want = -EIO;
	} else if (!test_below(20)) {
		answer->silent = true;
		entry->want = -EIO;
	} else if (!test_below(4)) {
		answer->used = 1 + test_below(4);
	}
	entry->answers++;
}

/* A new request, or NULL where there were enough. */
static struct model_request *model_request(struct viommu_wire *wire)
{
	u64 start = (u64)model_nr << 12;

	if (model_nr == MODEL_REQUESTS)
		return NULL;
	if (test_below(2))
		*wire = WIRE(map, test_random(), start, start + test_random(), 0, 3);
	else
		*wire = WIRE(unmap, test_random(), start, test_random());
	model[model_nr].result = UNSETTLED;
	return &model[model_nr++];
}

static void model_check(struct model_request *entry)
{
	EXPECT(entry->added);
	EXPECT_EQ(entry->answers, 1);
	EXPECT_EQ(entry->result, entry->looked ? entry->want : UNSETTLED);
	/* Whoever writes there from now on is wrong. */
	entry->result = UNSETTLED;
	entry->checked = true;
}

static void model_send(void)
{
	struct model_request *entry;
	struct viommu_wire wire;

	entry = model_request(&wire);
	if (!entry)
		return;
	entry->looked = true;
	entry->result = viommu_queue_send(&queue, &wire);
	if (entry->answers) {
		entry->added = true;
		model_check(entry);
	} else {
		EXPECT_EQ(entry->result, -ENOMEM);
		entry->result = UNSETTLED;
	}
}

static void model_add(struct model_batch *batch, bool try)
{
	struct model_request *entry;
	struct viommu_wire wire;
	int *result, ret;

	entry = model_request(&wire);
	if (!entry)
		return;
	entry->looked = test_below(4);
	result = entry->looked ? &entry->result : NULL;
	if (try)
		ret = try_add(&batch->batch, &wire, result);
	else
		ret = add_wire(&batch->batch, &wire, result);
	if (ret) {
		EXPECT(ret == -ENOMEM || (try && ret == -EAGAIN));
		return;
	}
	entry->added = true;
	batch->ids[batch->nr++] = entry - model;
}

static void model_wait(struct model_batch *batch)
{
	unsigned int nr = batch->nr;

	viommu_queue_wait(&queue, &batch->batch);
	for (; batch->checked < nr; batch->checked++) {
		struct model_request *entry = &model[batch->ids[batch->checked]];

		batch->failed += entry->looked && entry->want;
		model_check(entry);
	}
}

static void model_operation(struct model_batch *batch)
{
	unsigned int i;

	switch (test_below(8)) {
	case 0:
		/* It may sleep. */
		if (!fake_cpu->irqs_off)
			model_send();
		break;
	case 1:
		model_wait(batch);
		if (batch != &model_shared)
			EXPECT_EQ(atomic_read(&batch->batch.failed), batch->failed);
		break;
	case 2:
		viommu_queue_make_room(&queue);
		break;
	case 3:
		if (!test_below(10))
			fake.add_error = -ENOMEM;
		break;
	case 4:
		model_add(batch, true);
		if (test_below(2))
			kick();
		break;
	default:
		for (i = test_below(test_below(10) ? 6 : 100); i; i--)
			model_add(batch, false);
	}
}

static void model_interrupt(void)
{
	model_operation(&model_shared);
}

static void model_step(void)
{
	if (!test_below(model_idle)) {
		if (model_in_order)
			fake_answer_oldest();
		else if (!model_holds || !fake_answer_newest() || !test_below(30))
			fake_answer_any();
	}
	if (model_interrupts && !test_below(150))
		fake.interrupt = model_interrupt;
}

static void model_run(unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < 60; i++)
		model_operation(test_below(3) ? &model_own[cpu] : &model_shared);
	model_wait(&model_own[cpu]);
	EXPECT_EQ(atomic_read(&model_own[cpu].batch.failed), model_own[cpu].failed);
}

static void model_round(unsigned int nr_cpus)
{
	static const unsigned int at_once[] = { 0, 1, 3, FAKE_ALL };
	unsigned int i;

	begin(1 + test_below(test_below(2) ? 4 : 128));
	memset(model, 0, sizeof(model));
	model_nr = 0;
	memset(model_own, 0, sizeof(model_own));
	memset(&model_shared, 0, sizeof(model_shared));
	model_in_order = !test_below(3);
	model_holds = test_below(2);
	model_idle = 2 + test_below(8);
	model_interrupts = true;
	fake.tick = 10 * NSEC_PER_USEC;
	fake.at_once = at_once[test_below(ARRAY_SIZE(at_once))];
	fake.greedy = test_below(2);
	fake.wants_no_kick = !test_below(5);
	fake.script = model_answer;
	fake.on_step = model_step;
	if (nr_cpus == 1)
		model_run(0);
	else
		fake_cpus(nr_cpus, model_run);
	fake.interrupt = NULL;
	model_interrupts = false;
	model_wait(&model_shared);
	EXPECT_EQ(atomic_read(&model_shared.batch.failed), model_shared.failed);

	fake.on_step = NULL;
	fake.add_error = 0;
	fake.wants_no_kick = false;
	EXPECT_EQ(fake.messages, fake.ratelimited);
	forget_messages();
	for (i = 0; i < model_nr; i++) {
		EXPECT_EQ(model[i].answers, model[i].added);
		EXPECT_EQ(model[i].checked, model[i].added);
		EXPECT_EQ(model[i].result, UNSETTLED);
	}
	end();
}

static void test_random_one_cpu(void)
{
	unsigned long round;

	for (round = 0; round < test_rounds(100); round++)
		model_round(1);
}

static void test_random_cpus(void)
{
	unsigned long round;

	for (round = 0; round < test_rounds(40); round++)
		model_round(2 + test_below(FAKE_CPUS - 1));
}

static const struct test_case cases[] = {
	{ "a ring without room for a request is refused", test_init_too_small },
	{ "allocation failures", test_init_fails },
	{ "a slot for every two descriptors", test_init_odd },
	{ "a huge ring does not take more memory", test_init_huge },
	{ "each request is sent, with a kick of its own", test_send },
	{ "each status is its errno, for every request", test_send_statuses },
	{ "a used length of 0 is a failure, whatever the status", test_send_unused },
	{ "a used length beyond the buffer is a failure", test_send_used_too_much },
	{ "a used length short of the buffer leaves it to the status", test_send_used_less },
	{ "a status that was not written is a failure", test_send_silent },
	{ "the device sees the request's bytes, PROBE in its own buffer", test_send_bytes },
	{ "a request that does not go on the ring takes no slot", test_add_fails },
	{ "n requests in s slots: n/s kicks, answered at once", test_kicks_at_once },
	{ "n requests in s slots: n/s kicks, answered one a poll", test_kicks_one_a_poll },
	{ "n requests in s slots: n/s kicks, answered in parts", test_kicks_in_parts },
	{ "n requests in s slots: n/s kicks, answered together", test_kicks_all_late },
	{ "a device that wants no kick gets none", test_no_kick_wanted },
	{ "adding does not kick, nor do waits for nothing", test_add_does_not_kick },
	{ "a full queue: refused, or kicked to make room", test_full },
	{ "a caller that kicks before it waits", test_kick },
	{ "adding with a lock held and interrupts off", test_try_add_locked },
	{ "results and failures go to the batch that asked", test_results },
	{ "without a place for its result a failure is not counted", test_no_result },
	{ "answers out of order", test_out_of_order },
	{ "requests added while the device works share the next kick", test_gather },
	{ "the same from an interrupt that waits for them", test_gather_nested },
	{ "an interrupt that sends is not another CPU", test_gather_interrupt },
	{ "requests added in the midst of a kick", test_add_during_kick },
	{ "a CPU that waits in the midst of another one's kick", test_wait_during_kick },
	{ "CPUs that send all the time share kicks", test_crowd },
	{ "a CPU that is alone again does not wait for others", test_alone_again },
	{ "an interrupt between the decision to kick and the kick", test_interrupted_kick },
	{ "who may sleep does, but not at once", test_sleep },
	{ "interrupts stay as the caller had them", test_irqs },
	{ "a wait ends with its own requests", test_wait_for_own },
	{ "a wait ends with the requests there at its begin", test_wait_for_earlier },
	{ "the oldest request is answered last, again and again", test_oldest_last },
	{ "a wait ends before older requests of others", test_overtaken },
	{ "a device that never answers: an error in time, and for all", test_timeout },
	{ "the same for one who waits for a slot", test_timeout_unadded },
	{ "the same for one who sleeps", test_timeout_sleeping },
	{ "the same for several CPUs, said once", test_timeout_everybody },
	{ "a slow device has the whole time for each wait", test_slow },
	{ "a guest that was paused for an hour", test_paused },
	{ "a queue that breaks during a wait", test_broken },
	{ "a queue that breaks while it is full", test_broken_full },
	{ "a queue that is broken before the wait", test_broken_before },
	{ "a kick that fails", test_notify_fails },
	{ "a queue that is stopped during a wait", test_stop },
	{ "a queue that is stopped while idle", test_stop_idle },
	{ "a queue that is stopped after its device died", test_stop_dead },
	{ "a queue that begins anew after a reset", test_restart },
	{ "the same with a smaller ring: refused", test_restart_smaller },
	{ "the same with a larger ring", test_restart_larger },
	{ "kicks, requests and failures are counted", test_counters },
	{ "kicks are counted by their size", test_kick_sizes },
	{ "waits are counted by their length", test_wait_times },
	{ "answers are counted by their status", test_status_counts },
	{ "a refused MAP is logged", test_log_map },
	{ "a refused UNMAP is logged", test_log_unmap },
	{ "other refused requests are not", test_log_others },
	{ "many refusals are one message", test_log_count },
	{ "a device that writes to what it may only read", test_readable_written },
	{ "a queue that breaks while nobody waits is said", test_broken_idle },
	{ "random operations against a model", test_random_one_cpu },
	{ "random operations on several CPUs, with interrupts", test_random_cpus },
};

TEST_SUITE(request, cases);
