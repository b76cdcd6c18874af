// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of request.c: the input is a ring, a device, and what up to three CPUs do.
 *
 * Four bytes are one operation of one CPU. The device answers in the orders that the
 * input says, what the input says, or not at all. The reference knows of each request
 * what the device made of it, and whether the driver took it back: so who waits for it
 * must have been told just that, once.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "fake_virtqueue.h"
#include "fuzz.h"
#include "viommu.h"

#define CPUS		3
#define OPERATIONS	32
#define REQUESTS	400
#define PROBE_SIZE	16
#define UNSETTLED	4711	/* neither success nor an errno */
#define RELAXES_MAX	1000000	/* more polls than this are an endless wait */

struct operation {
	u8 kind; /* the CPU in its upper two bits */
	u8 a;
	u8 b;
	u8 seed;
};

/**
 * struct note - what the reference knows of a batch
 * @batch: the batch, memory of its own
 * @pending: requests of it that are on the ring
 * @failed: requests that failed and had a result
 * @users: CPUs that wait for it
 */
struct note {
	struct viommu_batch *batch;
	unsigned int pending;
	unsigned int failed;
	unsigned int users;
};

/**
 * struct sent - what it knows of a request
 * @note: its batch; NULL for one of viommu_queue_send()
 * @ret: what it must end with
 * @result: where the driver writes that
 * @probe: memory of a PROBE
 * @seq: in which order it was added; 0: was not
 * @type: of the request
 * @has_result: the driver was given @result
 * @answered: by the device
 * @taken: by the driver, so that it is over
 * @settled: and was seen to be
 */
struct sent {
	struct note *note;
	int ret;
	int result;
	u8 *probe;
	u64 seq;
	u8 type;
	bool has_result;
	bool answered;
	bool taken;
	bool settled;
};

static struct viommu_queue queue;
static struct sent sents[REQUESTS];
static struct note notes[CPUS + 2]; /* of each CPU, of its interrupts, of all */
static struct viommu_counters counters;
static const struct operation *operations;
static unsigned int nr_cpus, nr_sents, nr_operations, first_unsettled;
static unsigned int nr_on_ring, adds, adds_at_death, kicks_at_death;
static u64 waiting_since[2 * CPUS], longest_wait; /* of CPUs and their interrupts */
static bool on_ring[REQUESTS + 1]; /* by sequence number */
static u64 done_seq;
static bool stopped, dead;
static int cause;

/* How the device answers: every how many requests, and what. */
static unsigned int answers_every;
static struct fake_answer answers_as;
static bool holds_oldest;
static bool was_slow; /* and not to answer in time is no surprise */

/* The specification's numbers, and what a caller gets for them. */
static int status_errno(u8 status)
{
	static const int errnos[] = { 0, -EIO, -EOPNOTSUPP, -EIO, -EINVAL, -ERANGE, -ENOENT,
				      -EFAULT, -ENOMEM };

	return status < ARRAY_SIZE(errnos) ? errnos[status] : -EIO;
}

/* Requests are told apart by their endpoint ID, or their IOVA in pages. */
static struct sent *sent_of(const struct fake_request *request)
{
	bool ranged = request->type == VIRTIO_IOMMU_T_MAP || request->type == VIRTIO_IOMMU_T_UNMAP;
	u64 nr = ranged ? get_le(request->copy + 8, 8) >> 12 :
		 get_le(request->copy + (request->type == VIRTIO_IOMMU_T_PROBE ? 4 : 8), 4);

	MUST(nr < nr_sents);
	return &sents[nr];
}

static struct viommu_wire wire_of(unsigned int nr)
{
	u64 start = (u64)nr << 12;

	switch (sents[nr].type) {
	case VIRTIO_IOMMU_T_ATTACH:
		return WIRE(attach, 7, nr, nr & 1);
	case VIRTIO_IOMMU_T_DETACH:
		return WIRE(detach, 7, nr);
	case VIRTIO_IOMMU_T_MAP:
		return WIRE(map, 7, start, start + 0xfff, 0x123000, 3);
	case VIRTIO_IOMMU_T_UNMAP:
		return WIRE(unmap, 7, start, start + 0xfff);
	default:
		/* The device's until it is reset, whatever the driver says. */
		sents[nr].probe = calloc(1, viommu_wire_probe_size(PROBE_SIZE));
		return WIRE(probe, sents[nr].probe, nr, PROBE_SIZE);
	}
}

/* The machine's hooks */

static void note_add(const struct fake_request *request)
{
	struct sent *sent = sent_of(request);

	fuzz_trace("  request %u of type %u\n", (unsigned int)(sent - sents), sent->type);
	MUST(!dead && !sent->seq && request->type == sent->type);
	sent->seq = ++adds;
	on_ring[adds] = true;
	nr_on_ring++;
	counters.requests[sent->type]++;
	if (sent->note)
		sent->note->pending++;
}

static void note_answer(const struct fake_request *request, struct fake_answer *answer)
{
	struct sent *sent = sent_of(request);

	MUST(sent->seq && !sent->answered);
	if (answers_every && sent->seq % answers_every == 0)
		*answer = answers_as;
	fuzz_trace("  answer to %u\n", (unsigned int)(sent - sents));
	sent->answered = true;
	sent->ret = answer->silent || !answer->used ||
		    (answer->used != FAKE_ALL && answer->used > request->nr_writable) ?
		    -EIO : status_errno(answer->status);
}

static void note_take(const struct fake_request *request)
{
	struct sent *sent = sent_of(request);

	MUST(!dead && sent->answered && !sent->taken);
	sent->taken = true;
	on_ring[sent->seq] = false;
	nr_on_ring--;
	while (done_seq < adds && !on_ring[done_seq + 1])
		done_seq++;
}

/* A turn of the device's, too. */
static void relax(void)
{
	MUST(fake.relaxes < RELAXES_MAX);
	if (holds_oldest && fake.pending.nr > 1)
		fake_answer_newest();
}

/* The reference */

/* One that the driver has given up for dead, and why: one reason for all. */
static void check_cause(const struct sent *sent)
{
	cause = cause ?: sent->result;
	MUST(sent->result == cause);
}

static void check_settled(struct sent *sent)
{
	if (!sent->seq || (!sent->taken && !dead)) {
		MUST(!sent->has_result || sent->result == UNSETTLED);
		return;
	}
	if (sent->has_result) {
		if (sent->taken)
			MUST(sent->result == sent->ret);
		else
			check_cause(sent);
	}
	if (!sent->taken)
		sent->ret = cause ?: -EIO;
	sent->settled = true;
	/* Not a second time. */
	sent->result = UNSETTLED;
	counters.failures[sent->type] += sent->ret != 0;
	if (sent->note) {
		sent->note->pending--;
		sent->note->failed += sent->ret && sent->has_result;
	}
}

static void check_death(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(waiting_since); i++)
		if (waiting_since[i])
			longest_wait = max(longest_wait, fake.now - waiting_since[i]);
	if (dead || !queue.dead)
		return;
	dead = true;
	adds_at_death = fake.adds;
	kicks_at_death = fake.kicks + fake.promised;
}

static void check_slots(void)
{
	const struct viommu_request *request;
	unsigned int nr = 0, i, in_flight = 0;

	for (request = queue.free; request; request = request->next) {
		MUST(nr++ < queue.nr_slots);
		MUST(!request->batch && !request->result);
	}
	MUST(nr + nr_on_ring == queue.nr_slots);
	MUST(queue.nr_sent == nr_on_ring);
	MUST(queue.seq == adds && queue.done_seq == done_seq);
	MUST(queue.kicked_seq <= queue.seq);
	for (i = done_seq + 1; i <= queue.kicked_seq; i++)
		in_flight += on_ring[i];
	MUST(queue.in_flight == in_flight);
}

/* Whenever nobody has the lock. */
static void check(void)
{
	unsigned int i;

	if (queue.lock.holder)
		return;
	check_death();
	for (i = first_unsettled; i < nr_sents; i++)
		if (!sents[i].settled)
			check_settled(&sents[i]);
	while (first_unsettled < nr_sents && sents[first_unsettled].settled)
		first_unsettled++;
	for (i = 0; i < ARRAY_SIZE(notes); i++) {
		MUST(notes[i].batch->pending == notes[i].pending);
		MUST((unsigned int)atomic_read(&notes[i].batch->failed) == notes[i].failed);
	}
	MUST(!memcmp(queue.counters.requests, counters.requests, sizeof(counters.requests)));
	MUST(!memcmp(queue.counters.failures, counters.failures, sizeof(counters.failures)));
	MUST(queue.counters.kicks == fake.kicks + fake.promised);
	MUST(!fake.hasty && !fake.full);
	if (!dead) {
		check_slots();
		return;
	}
	MUST(fake.adds == adds_at_death && fake.kicks + fake.promised == kicks_at_death);
	if (cause == -ETIMEDOUT)
		MUST((was_slow || nr_cpus > 1) &&
		     longest_wait >= max(*param_timeout_ms, 1u) * NSEC_PER_MSEC);
	else if (cause)
		MUST(cause == -EIO ? fake.broken : cause == -ENODEV && stopped);
}

/* What a CPU does */

static struct sent *sent_new(struct note *note, u8 a)
{
	struct sent *sent = &sents[nr_sents];

	if (nr_sents == REQUESTS)
		return NULL;
	nr_sents++;
	*sent = (struct sent){
		.note = note, .type = 1 + a % 5, .has_result = note && !(a & 0x40),
		.result = UNSETTLED,
	};
	return sent;
}

static int try_add(struct note *note, struct sent *sent, const struct viommu_wire *wire)
{
	struct viommu_wire *slot;
	unsigned long flags;
	int ret, add_error;

	spin_lock_irqsave(&queue.lock, flags);
	slot = viommu_queue_slot(&queue);
	if (IS_ERR(slot)) {
		ret = PTR_ERR(slot);
		MUST(ret == (queue.dead ? -EIO : -EAGAIN));
		MUST(queue.dead || nr_on_ring == queue.nr_slots ||
		     adds - done_seq >= VIOMMU_SLOTS_MAX);
	} else {
		MUST(!queue.dead && adds - done_seq < VIOMMU_SLOTS_MAX);
		*slot = *wire;
		add_error = fake.add_error;
		ret = viommu_queue_add(&queue, note->batch,
				       sent->has_result ? &sent->result : NULL);
		MUST(!ret == !!sent->seq);
		if (ret)
			MUST(ret == (add_error == -ENOMEM && !fake.broken ? -ENOMEM : -EIO));
	}
	spin_unlock_irqrestore(&queue.lock, flags);
	return ret;
}

static u64 *wait_begin(void)
{
	unsigned int i = 0;

	while (waiting_since[i])
		MUST(++i < ARRAY_SIZE(waiting_since));
	waiting_since[i] = fake.now;
	return &waiting_since[i];
}

static void wait_end(u64 *since)
{
	check();
	*since = 0;
}

static void make_room(void)
{
	u64 *since = wait_begin();

	viommu_queue_make_room(&queue);
	wait_end(since);
}

static void add(struct note *note, u8 a)
{
	struct sent *sent = sent_new(note, a);
	struct viommu_wire wire;

	if (!sent)
		return;
	wire = wire_of(sent - sents);
	note->users++;
	while (try_add(note, sent, &wire) == -EAGAIN && !(a & 0x80))
		make_room();
	note->users--;
}

static void commit(void)
{
	unsigned long flags;
	bool kick;

	spin_lock_irqsave(&queue.lock, flags);
	kick = viommu_queue_commit(&queue);
	spin_unlock(&queue.lock);
	if (kick)
		virtqueue_notify(queue.vq);
	local_irq_restore(flags);
}

/* All that were in the batch are over then. Once nothing is pending it may be freed. */
static void wait_for(struct note *note)
{
	unsigned int i, nr = adds;
	u64 *since = wait_begin();

	note->users++;
	viommu_queue_wait(&queue, note->batch);
	wait_end(since);
	for (i = first_unsettled; i < nr_sents; i++)
		MUST(sents[i].note != note || sents[i].settled || !sents[i].seq ||
		     sents[i].seq > nr);
	if (--note->users || note->pending)
		return;
	free(note->batch);
	note->batch = calloc(1, sizeof(*note->batch));
	note->failed = 0;
}

static void send(u8 a)
{
	struct sent *sent = sent_new(NULL, a);
	struct viommu_wire wire;
	int ret;
	u64 *since;

	if (!sent)
		return;
	wire = wire_of(sent - sents);
	since = wait_begin();
	ret = viommu_queue_send(&queue, &wire);
	wait_end(since);
	if (!sent->seq)
		MUST(ret == -EIO || ret == -ENOMEM);
	else if (sent->taken)
		MUST(ret == sent->ret);
	else
		MUST(dead && ret && (!cause || ret == cause));
}

static void interrupt(void)
{
	struct note *note = &notes[CPUS];

	add(note, 2);
	wait_for(note);
}

static void device_answers(const struct operation *operation)
{
	static const u8 statuses[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x80, 0xfe, 0xff };
	static const u32 useds[] = { FAKE_ALL, 0, 1, 3, 4, 5, PROBE_SIZE + 4, PROBE_SIZE + 5,
				     0x80000000, U32_MAX - 1 };

	answers_every = operation->a % 8;
	answers_as.status = statuses[operation->b % ARRAY_SIZE(statuses)];
	answers_as.used = useds[operation->seed % ARRAY_SIZE(useds)];
	answers_as.silent = operation->b >= 0xf0;
}

/* When it answers, and whether it wants to be told. */
static void device_works(const struct operation *operation)
{
	static const unsigned int numbers[] = { 0, 1, 2, FAKE_ALL };

	fake.at_once = numbers[operation->a % 4];
	fake.per_poll = numbers[operation->a / 4 % 4];
	fake.delay = operation->a / 16;
	fake.greedy = operation->b & 1;
	fake.wants_no_kick = operation->b & 2;
	holds_oldest = operation->b & 4;
	if (holds_oldest) {
		fake.at_once = 0;
		fake.per_poll = 0;
	}
	was_slow |= fake.per_poll != FAKE_ALL || fake.delay;
}

static void device_fails(const struct operation *operation)
{
	static const int errors[] = { -ENOMEM, -ENOSPC, -EIO };

	if (operation->a < 0xc0)
		fake.add_error = errors[operation->a % ARRAY_SIZE(errors)];
	else if (operation->a < 0xe0)
		fake.notify_fails = true;
	else
		fake.broken = true;
}

static void device_answers_some(const struct operation *operation)
{
	unsigned int i;

	for (i = 0; i <= operation->b % 16; i++)
		if (operation->a % 3 ? operation->a % 3 == 1 ? !fake_answer_newest() :
							       !fake_answer_any() :
				       !fake_answer_oldest())
			break;
}

static void operate(unsigned int cpu, const struct operation *operation)
{
	struct note *note = &notes[operation->b & 1 ? cpu : CPUS + 1];
	unsigned int i;

	fuzz_trace("%u: operation %u %#x %#x %#x\n", cpu, operation->kind % 13, operation->a,
		   operation->b, operation->seed);
	fuzz_chance(operation->seed);
	switch (operation->kind % 13) {
	case 0:
	case 1:
		add(note, operation->a);
		break;
	case 2:
		for (i = 0; i <= operation->seed % 32; i++)
			add(note, operation->a);
		break;
	case 3:
		commit();
		break;
	case 4:
	case 5:
		wait_for(note);
		break;
	case 6:
		send(operation->a);
		break;
	case 7:
		make_room();
		break;
	case 8:
		fake.interrupt = interrupt;
		break;
	case 9:
		device_answers(operation);
		break;
	case 10:
		device_works(operation);
		break;
	case 11:
		device_answers_some(operation);
		break;
	default:
		if (operation->b >= 0xf8) {
			stopped = true;
			viommu_queue_stop(&queue);
		} else {
			device_fails(operation);
		}
	}
}

static void run(unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < nr_operations; i++) {
		if ((operations[i].kind >> 6) % nr_cpus != cpu)
			continue;
		operate(cpu, &operations[i]);
		check();
	}
}

static void begin(const u8 *data)
{
	static const unsigned int sizes[] = { 2, 3, 4, 6, 8, 12, 16, 17, 32, 64 };
	unsigned int i;

	fake_reset();
	memset(&queue, 0, sizeof(queue));
	memset(&counters, 0, sizeof(counters));
	memset(on_ring, 0, sizeof(on_ring));
	memset(waiting_since, 0, sizeof(waiting_since));
	nr_sents = 0;
	first_unsettled = 0;
	nr_on_ring = 0;
	adds = 0;
	longest_wait = 0;
	done_seq = 0;
	stopped = false;
	dead = false;
	cause = 0;
	answers_every = 0;
	holds_oldest = false;
	was_slow = false;
	for (i = 0; i < ARRAY_SIZE(notes); i++)
		notes[i] = (struct note){ .batch = calloc(1, sizeof(*notes[i].batch)) };

	*param_timeout_ms = data[1] & 3;
	fake.tick = 50 * NSEC_PER_USEC;
	fake.size = sizes[data[0] % ARRAY_SIZE(sizes)];
	fake.per_poll = FAKE_ALL;
	fake.lock = &queue.lock;
	fake.script = note_answer;
	fake.on_add = note_add;
	fake.on_take = note_take;
	fake.on_relax = relax;
	fuzz_begin(data[3]);
	MUST(!viommu_queue_init(&queue, &fake.vq.vdev, &fake.vq));
}

/* The device comes to its senses, if it can: all is over then, and all slots are free. */
static void settle(void)
{
	unsigned int i, nr = 0, slots = queue.nr_slots;
	struct sent *sent;

	holds_oldest = false;
	fake.at_once = FAKE_ALL;
	fake.per_poll = FAKE_ALL;
	fake.delay = 0;
	fake.interrupt = NULL;
	fake.add_error = 0;
	for (i = 0; i < ARRAY_SIZE(notes); i++) {
		wait_for(&notes[i]);
		MUST(!notes[i].pending);
	}
	fake.at_once = 0;
	fake.per_poll = 0;
	while (!dead && nr_sents < REQUESTS) {
		struct viommu_wire wire;

		sent = sent_new(&notes[0], 2);
		wire = wire_of(sent - sents);
		if (try_add(&notes[0], sent, &wire))
			break;
		nr++;
	}
	check();
	MUST(dead || nr_sents == REQUESTS || nr == slots);
	fake.per_poll = FAKE_ALL;
	wait_for(&notes[0]);
	MUST(!fake.promised && !fake_cpu->locks && !fake_cpu->irqs_off);
}

static void end(void)
{
	unsigned int i;

	viommu_queue_free(&queue);
	MUST(!slab_control.objects);
	for (i = 0; i < ARRAY_SIZE(notes); i++)
		free(notes[i].batch);
	for (i = 0; i < nr_sents; i++)
		free(sents[i].probe);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (size < 2 * sizeof(struct operation))
		return 0;
	operations = (const struct operation *)data + 1;
	nr_operations = min_t(size_t, size / sizeof(struct operation) - 1, OPERATIONS);
	nr_cpus = 1 + data[2] % CPUS;
	begin(data);
	if (nr_cpus == 1)
		run(0);
	else
		fake_cpus(nr_cpus, run);
	settle();
	end();
	return 0;
}
