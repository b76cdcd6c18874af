// SPDX-License-Identifier: GPL-2.0
/*
 * See fake_virtqueue.h.
 *
 * Each CPU is a stack of its own. One of them runs, and hands over to another one in
 * fake_step() and fake_yield() only. So a test is the same each time.
 */
#include <stdarg.h>
#include <ucontext.h>

#include <linux/delay.h>
#include <linux/processor.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>

#include "fake_virtqueue.h"

struct fake fake;

/* Before the first test, too. */
__attribute__((constructor)) void fake_reset(void)
{
	/* All but the rings' memory, of which there is much. */
	memset(&fake, 0, offsetof(struct fake, pending));
	fake.pending.nr = 0;
	fake.used.nr = 0;
	fake.at_once = FAKE_ALL;
	fake.answer.used = FAKE_ALL;
	fake.now = 1000000007; /* no round number, and not 0 */
	fake.tick = 1000;
}

/* CPUs */

static struct fake_cpu boot_cpu;
struct fake_cpu *fake_cpu = &boot_cpu;

static struct {
	struct fake_cpu cpu;
	ucontext_t context;
	bool running;
	u8 stack[128 * 1024];
} cpus[FAKE_CPUS];
static ucontext_t boot_context;
static unsigned int nr_cpus;
static void (*cpus_run)(unsigned int cpu);
static unsigned int this_cpu;

unsigned int raw_smp_processor_id(void)
{
	return this_cpu;
}

/* Whose turn is next, at random; false if no CPU runs any more. */
static bool cpus_next(unsigned int *next)
{
	unsigned int i, start = test_below(nr_cpus);

	for (i = 0; i < nr_cpus; i++) {
		*next = (start + i) % nr_cpus;
		if (cpus[*next].running)
			return true;
	}
	return false;
}

/* Not swapcontext(): AddressSanitizer has its own, which says that it is no good. */
static void cpus_switch(ucontext_t *from, unsigned int next)
{
	volatile bool back = false;

	getcontext(from);
	if (back)
		return;
	back = true;
	this_cpu = next;
	fake_cpu = &cpus[next].cpu;
	setcontext(&cpus[next].context);
}

void fake_yield(void)
{
	unsigned int next;

	if (nr_cpus && cpus_next(&next) && next != this_cpu)
		cpus_switch(&cpus[this_cpu].context, next);
}

static void cpus_main(void)
{
	unsigned int next;

	cpus_run(this_cpu);
	EXPECT_EQ(fake_cpu->locks, 0);
	EXPECT(!fake_cpu->irqs_off);
	cpus[this_cpu].running = false;
	if (cpus_next(&next))
		cpus_switch(&cpus[this_cpu].context, next);
	setcontext(&boot_context);
}

static void cpus_init(unsigned int cpu)
{
	ucontext_t *context = &cpus[cpu].context;

	cpus[cpu].cpu = (struct fake_cpu){};
	cpus[cpu].running = true;
	getcontext(context);
	context->uc_stack.ss_sp = cpus[cpu].stack;
	context->uc_stack.ss_size = sizeof(cpus[cpu].stack);
	makecontext(context, cpus_main, 0);
}

void fake_cpus(unsigned int nr, void (*run)(unsigned int cpu))
{
	unsigned int i;

	ASSERT(nr && nr <= FAKE_CPUS && !nr_cpus);
	nr_cpus = nr;
	cpus_run = run;
	for (i = 0; i < nr; i++)
		cpus_init(i);
	cpus_switch(&boot_context, 0);
	nr_cpus = 0;
	this_cpu = 0;
	fake_cpu = &boot_cpu;
}

/* Here an interrupt may come, another CPU run, the device work. */
void fake_step(void)
{
	void (*interrupt)(void);

	if (fake.still)
		return;
	if (fake.on_step)
		fake.on_step();
	interrupt = fake.interrupt;
	if (interrupt && !fake_cpu->irqs_off) {
		fake.interrupt = NULL;
		ASSERT(!fake_cpu->locks);
		fake_cpu->irqs_off = true;
		interrupt();
		ASSERT(fake_cpu->irqs_off && !fake_cpu->locks);
		fake_cpu->irqs_off = false;
	}
	if (nr_cpus && !test_below(4))
		fake_yield();
}

/* Locks and interrupts */

void spin_lock_init(spinlock_t *lock)
{
	lock->holder = NULL;
	lock->ready = true;
}

unsigned long fake_lock_irqsave(spinlock_t *lock)
{
	unsigned long flags = fake_cpu->irqs_off;

	ASSERT(lock->ready);
	fake_step();
	fake_cpu->irqs_off = true;
	while (lock->holder) {
		/* One CPU alone, or this one itself: it would spin for ever. */
		ASSERT(nr_cpus > 1 && lock->holder != fake_cpu);
		fake_yield();
	}
	lock->holder = fake_cpu;
	fake_cpu->locks++;
	return flags;
}

void spin_lock(spinlock_t *lock)
{
	/* All of the driver's are taken by interrupts, too. */
	ASSERT(fake_cpu->irqs_off);
	fake_lock_irqsave(lock);
}

void spin_unlock(spinlock_t *lock)
{
	lockdep_assert_held(lock);
	lock->holder = NULL;
	fake_cpu->locks--;
	fake_step();
}

void local_irq_restore(unsigned long flags)
{
	ASSERT(fake_cpu->irqs_off);
	ASSERT(flags || !fake_cpu->locks);
	fake_cpu->irqs_off = flags;
	fake_step();
}

void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	spin_unlock(lock);
	local_irq_restore(flags);
}

void fake_assert_spinlock(const spinlock_t *lock)
{
	ASSERT(lock->ready && lock->holder == fake_cpu && fake_cpu->irqs_off);
}

void mutex_lock(struct mutex *lock)
{
	might_sleep();
	fake_step();
	while (lock->holder) {
		ASSERT(nr_cpus > 1 && lock->holder != fake_cpu);
		fake_yield();
	}
	lock->holder = fake_cpu;
}

void mutex_unlock(struct mutex *lock)
{
	might_sleep();
	fake_assert_mutex(lock);
	lock->holder = NULL;
	fake_step();
}

void fake_assert_mutex(const struct mutex *lock)
{
	ASSERT(lock->holder == fake_cpu);
}

/* Clock and log */

u64 ktime_get_mono_fast_ns(void)
{
	u64 now = fake.now += fake.tick;

	fake_step();
	return now;
}

void fake_log(const struct device *dev, bool ratelimited, const char *format, ...)
{
	va_list args;

	/* Other devices have names. */
	EXPECT(dev == &fake.vq.vdev.dev || dev->name);
	/* A console may be behind this very IOMMU. */
	ASSERT(!fake_cpu->locks);
	va_start(args, format);
	vsnprintf(fake.message, sizeof(fake.message), format, args);
	va_end(args);
	EXPECT(strchr(fake.message, '\n') == fake.message + strlen(fake.message) - 1);
	fake.messages++;
	fake.ratelimited += ratelimited;
}

/* The device */

static struct fake_request *ring_push(struct fake_ring *ring, const struct fake_request *request)
{
	ASSERT(ring->nr < FAKE_REQUESTS);
	ring->requests[ring->nr] = *request;
	return &ring->requests[ring->nr++];
}

static struct fake_request ring_take(struct fake_ring *ring, unsigned int index)
{
	struct fake_request request;

	ASSERT(index < ring->nr);
	request = ring->requests[index];
	ring->nr--;
	memmove(&ring->requests[index], &ring->requests[index + 1],
		(ring->nr - index) * sizeof(request));
	return request;
}

void fake_answer(unsigned int index)
{
	struct fake_request request = ring_take(&fake.pending, index);
	struct fake_answer answer = fake.answer;
	u8 *status = request.writable + request.nr_writable - 4;

	EXPECT(!memcmp(request.readable, request.copy, request.nr_readable));
	EXPECT_EQ(*status, 0xff);
	if (fake.script)
		fake.script(&request, &answer);
	if (!answer.silent) {
		memset(status, 0, 4);
		*status = answer.status;
	}
	request.used = answer.used == FAKE_ALL ? request.nr_writable : answer.used;
	ring_push(&fake.used, &request);
}

static unsigned int fake_nr_told(void)
{
	unsigned int i, told = 0;

	for (i = 0; i < fake.pending.nr; i++)
		told += fake.pending.requests[i].told;
	return told;
}

bool fake_busy(void)
{
	return fake_nr_told();
}

static bool fake_answer_nth_told(unsigned int nth)
{
	unsigned int i;

	for (i = 0; i < fake.pending.nr; i++) {
		if (fake.pending.requests[i].told && !nth--) {
			fake_answer(i);
			return true;
		}
	}
	return false;
}

bool fake_answer_oldest(void)
{
	return fake_answer_nth_told(0);
}

bool fake_answer_newest(void)
{
	unsigned int told = fake_nr_told();

	return told && fake_answer_nth_told(told - 1);
}

bool fake_answer_any(void)
{
	unsigned int told = fake_nr_told();

	return told && fake_answer_nth_told(test_below(told));
}

void fake_answer_all(void)
{
	while (fake.pending.nr)
		fake_answer(0);
}

static void fake_tell(void)
{
	unsigned int i;

	for (i = 0; i < fake.pending.nr; i++)
		fake.pending.requests[i].told = true;
}

static void fake_poll(void)
{
	unsigned int i;

	if (fake.quiet) {
		fake.quiet--;
		return;
	}
	for (i = 0; i < fake.per_poll && fake_answer_oldest(); i++)
		;
}

/* The virtqueue */

unsigned int virtqueue_get_vring_size(const struct virtqueue *vq)
{
	EXPECT(vq == &fake.vq);
	return fake.size;
}

bool virtqueue_is_broken(const struct virtqueue *vq)
{
	EXPECT(vq == &fake.vq);
	return fake.broken;
}

static bool overlaps(const void *a, size_t nr_a, const void *b, size_t nr_b)
{
	return (const u8 *)a < (const u8 *)b + nr_b && (const u8 *)b < (const u8 *)a + nr_a;
}

static void check_memory(const struct fake_ring *ring, const struct fake_request *request)
{
	const struct fake_request *other;

	for (other = ring->requests; other < ring->requests + ring->nr; other++) {
		ASSERT(!overlaps(other->writable, other->nr_writable,
				 request->writable, request->nr_writable));
		ASSERT(!overlaps(other->readable, other->nr_readable,
				 request->writable, request->nr_writable));
		ASSERT(!overlaps(other->writable, other->nr_writable,
				 request->readable, request->nr_readable));
		ASSERT(other->data != request->data);
	}
}

int virtqueue_add_sgs(struct virtqueue *vq, struct scatterlist *sgs[], unsigned int out_sgs,
		      unsigned int in_sgs, void *data, gfp_t gfp)
{
	struct fake_request request = { .data = data };
	int ret = fake.add_error;

	EXPECT(vq == &fake.vq);
	EXPECT_EQ(gfp, GFP_ATOMIC);
	lockdep_assert_held(fake.lock);
	ASSERT(data && out_sgs == 1 && in_sgs == 1 && sgs[0]->last && sgs[1]->last);
	if (fake.broken)
		return -EIO;
	fake.add_error = 0;
	if (ret)
		return ret;
	if (2 * (fake.pending.nr + fake.used.nr + 1) > fake.size) {
		fake.full++;
		return -ENOSPC;
	}

	request.readable = sgs[0]->buffer;
	request.nr_readable = sgs[0]->length;
	request.writable = sgs[1]->buffer;
	request.nr_writable = sgs[1]->length;
	ASSERT(request.nr_readable >= 4 && request.nr_readable <= FAKE_READABLE);
	ASSERT(request.nr_writable >= 4);
	ASSERT(!overlaps(request.readable, request.nr_readable,
			 request.writable, request.nr_writable));
	check_memory(&fake.pending, &request);
	check_memory(&fake.used, &request);
	memcpy(request.copy, request.readable, request.nr_readable);
	request.type = request.copy[0];
	request.nth = fake.types[request.type]++;
	request.told = fake.wants_no_kick || (fake.greedy && fake_busy());
	ring_push(&fake.pending, &request);
	fake.adds++;
	if (fake.on_add)
		fake.on_add(&request);
	return 0;
}

static unsigned int ring_offer(struct fake_ring *ring)
{
	unsigned int i, before = 0;

	for (i = 0; i < ring->nr; i++) {
		before += ring->requests[i].offered;
		ring->requests[i].offered = true;
	}
	return before;
}

bool virtqueue_kick_prepare(struct virtqueue *vq)
{
	unsigned int before;

	EXPECT(vq == &fake.vq);
	lockdep_assert_held(fake.lock);
	before = ring_offer(&fake.pending) + ring_offer(&fake.used);
	/* There is something new to say. */
	EXPECT(before < fake.pending.nr + fake.used.nr);
	fake.hasty += before > 0;
	if (fake.on_prepare)
		fake.on_prepare();
	if (fake.wants_no_kick || (fake.greedy && fake_busy())) {
		/* Since when, does not matter: it looks. */
		fake_tell();
		return false;
	}
	fake.promised++;
	return true;
}

bool virtqueue_notify(struct virtqueue *vq)
{
	unsigned int i;

	EXPECT(vq == &fake.vq);
	/* It is an exit, and takes as long as the host wants. */
	ASSERT(!fake_cpu->locks);
	/* Everybody relies on it, as soon as it was decided. */
	ASSERT(fake_cpu->irqs_off);
	ASSERT(fake.promised);
	fake_step();
	if (fake.on_notify)
		fake.on_notify();
	fake.promised--;
	fake.kicks++;
	if (fake.notify_fails)
		fake.broken = true;
	if (fake.broken)
		return false;
	fake_tell();
	fake.quiet = fake.delay;
	for (i = 0; i < fake.at_once && fake_answer_oldest(); i++)
		;
	fake_step();
	return true;
}

void *virtqueue_get_buf(struct virtqueue *vq, unsigned int *len)
{
	struct fake_request request;

	EXPECT(vq == &fake.vq);
	lockdep_assert_held(fake.lock);
	if (fake.broken || !fake.used.nr)
		return NULL;
	request = ring_take(&fake.used, 0);
	if (fake.on_take)
		fake.on_take(&request);
	*len = request.used;
	return request.data;
}

/* A turn of whoever waits: the device's turn, too. */
static void fake_wait(void)
{
	ASSERT(!fake_cpu->locks);
	fake.relaxes++;
	fake_poll();
	if (fake.on_relax)
		fake.on_relax();
	fake_step();
}

void cpu_relax(void)
{
	fake_wait();
}

void might_sleep(void)
{
	ASSERT(!fake_cpu->irqs_off && !fake_cpu->locks);
}

void usleep_range(unsigned long min, unsigned long max)
{
	might_sleep();
	ASSERT(min <= max);
	fake.sleeps++;
	fake.now += max * NSEC_PER_USEC;
	fake_wait();
}
