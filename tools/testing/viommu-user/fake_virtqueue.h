/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine that request.c runs on in its tests: a virtqueue with a device behind
 * it that does as the test says, a clock, a log, CPUs with locks and interrupts.
 *
 * There is one of each, new for each test. Some things fail any test: the virtqueue
 * used without the lock, a kick or a wait or a message with a lock held, a kick
 * that was not asked for, never made, or about nothing new, interrupts not as they
 * were, memory of a request that changes or is used twice while the device has it.
 */
#ifndef _FAKE_VIRTQUEUE_H
#define _FAKE_VIRTQUEUE_H

#include <linux/spinlock.h>
#include <linux/virtio.h>

#include "harness.h"

#define FAKE_REQUESTS		512	/* that are on the ring at a time */
#define FAKE_READABLE		72	/* bytes of a request */
#define FAKE_ALL		U32_MAX
#define FAKE_CPUS		4

/**
 * struct fake_request - a request on the ring
 * @data: the driver's cookie
 * @readable: what the device reads, at most FAKE_READABLE bytes
 * @writable: what it writes, the last four bytes of it the status
 * @nr_readable: bytes
 * @nr_writable: bytes
 * @type: of the request
 * @nth: how many of this type were on the ring before
 * @offered: was there when the driver last decided to kick
 * @told: the device knows of it
 * @used: the used length, once it is answered
 * @copy: what @readable was when it was added
 */
struct fake_request {
	void *data;
	u8 *readable;
	u8 *writable;
	u32 nr_readable;
	u32 nr_writable;
	u8 type;
	unsigned int nth;
	bool offered;
	bool told;
	u32 used;
	u8 copy[FAKE_READABLE];
};

/**
 * struct fake_answer - what the device makes of a request
 * @status: the status that it writes
 * @silent: it writes none
 * @used: the used length that it reports; FAKE_ALL: what is writable
 */
struct fake_answer {
	u8 status;
	bool silent;
	u32 used;
};

/**
 * struct fake_ring - requests in their order
 * @nr: how many
 * @requests: they
 */
struct fake_ring {
	unsigned int nr;
	struct fake_request requests[FAKE_REQUESTS];
};

/* What request.c knows of it is its address. */
struct virtqueue {
	struct virtio_device vdev;
};

/**
 * struct fake - the machine, and what a test wants of it
 * @vq: the virtqueue
 * @lock: what guards the virtqueue
 * @size: descriptors; a request takes two
 * @at_once: how many requests the device answers at a kick, before it returns
 * @delay: polls of the driver after a kick in which it then answers nothing
 * @per_poll: how many it answers at each poll after those
 * @greedy: while it has something to answer it sees new requests without a kick,
 *	and wants none
 * @wants_no_kick: it always sees them
 * @answer: what it answers
 * @script: changes that for a request; may be NULL
 * @add_error: what the next request fails with, once
 * @notify_fails: a kick does not get through, and breaks the virtqueue
 * @broken: the virtqueue is
 * @types: how many requests there were of each type
 * @adds: how many in all
 * @full: how many found the ring full
 * @kicks: how often the device was kicked
 * @hasty: how often it was busy then with what it had been told of before
 * @promised: kicks that the driver has decided on, and not made yet
 * @quiet: polls that are left of @delay
 *
 * @now: the time in nanoseconds
 * @tick: what passes when the time is read
 * @relaxes: polls, of those who sleep as well
 * @sleeps: how often somebody slept
 *
 * @on_add: called when the driver has added a request, with the lock held
 * @on_take: called when it takes one back, likewise
 * @on_prepare: called when the driver has asked whether to kick
 * @on_notify: called when it kicks, before the device knows
 * @on_relax: called at each poll, after the device had its turn
 * @on_step: called wherever something else may happen
 * @still: nothing else happens
 * @interrupt: runs once, as an interrupt, as soon as those are enabled
 *
 * @messages: messages since the test last looked
 * @ratelimited: those of them with a rate limit
 * @message: the last one
 *
 * @pending: requests that the device has
 * @used: requests that it has answered, and the driver has not taken
 */
struct fake {
	struct virtqueue vq;
	const spinlock_t *lock;
	unsigned int size;
	unsigned int at_once;
	unsigned int delay;
	unsigned int per_poll;
	bool greedy;
	bool wants_no_kick;
	struct fake_answer answer;
	void (*script)(const struct fake_request *request, struct fake_answer *answer);
	int add_error;
	bool notify_fails;
	bool broken;
	unsigned int types[256];
	unsigned int adds;
	unsigned int full;
	unsigned int kicks;
	unsigned int hasty;
	unsigned int promised;
	unsigned int quiet;

	u64 now;
	u64 tick;
	unsigned long relaxes;
	unsigned long sleeps;

	void (*on_add)(const struct fake_request *request);
	void (*on_take)(const struct fake_request *request);
	void (*on_prepare)(void);
	void (*on_notify)(void);
	void (*on_relax)(void);
	void (*on_step)(void);
	bool still;
	void (*interrupt)(void);

	unsigned int messages;
	unsigned int ratelimited;
	char message[256];

	struct fake_ring pending;
	struct fake_ring used;
};

extern struct fake fake;

/* A new machine: as at first. Not while CPUs run. */
void fake_reset(void);

/**
 * struct fake_cpu - a CPU
 * @locks: spinlocks that it holds
 * @irqs_off: interrupts are disabled
 */
struct fake_cpu {
	unsigned int locks;
	bool irqs_off;
};

/* The one that runs. */
extern struct fake_cpu *fake_cpu;

/* The module parameter: see the shim of module_param(). */
extern unsigned int * const param_timeout_ms;

/* Has the device answer the pending request of this index. */
void fake_answer(unsigned int index);
/* One of those that it was told of; false where there is none. */
bool fake_answer_oldest(void);
bool fake_answer_newest(void);
bool fake_answer_any(void);
/* All that it has, told or not. */
void fake_answer_all(void);
/* Whether there is any that it was told of. */
bool fake_busy(void);

/*
 * Runs @run on several CPUs, which take turns at random: at every lock, poll and
 * kick, or where one asks for it by fake_yield().
 */
void fake_cpus(unsigned int nr, void (*run)(unsigned int cpu));
void fake_yield(void);
/* What every lock and poll does: an interrupt may come, or another CPU run. */
void fake_step(void);

#endif /* _FAKE_VIRTQUEUE_H */
