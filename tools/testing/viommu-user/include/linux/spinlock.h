/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A lock that knows who holds it. Misuse fails the test, and other CPUs and
 * interrupts come in where they may: fake_virtqueue.c.
 */
#ifndef _VIOMMU_USER_SPINLOCK_H
#define _VIOMMU_USER_SPINLOCK_H

#include <stdlib.h>

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct fake_cpu;

typedef struct {
	const struct fake_cpu *holder;
	bool ready;
} spinlock_t;

#define spin_lock_irqsave(lock, flags)	((flags) = fake_lock_irqsave(lock))
unsigned long fake_lock_irqsave(spinlock_t *lock);

void spin_lock_init(spinlock_t *lock);
void spin_lock(spinlock_t *lock);
void spin_unlock(spinlock_t *lock);
void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags);
/* For who knows that interrupts are enabled. */
static inline void spin_lock_irq(spinlock_t *lock)
{
	if (fake_lock_irqsave(lock))
		abort();
}

static inline void spin_unlock_irq(spinlock_t *lock)
{
	spin_unlock_irqrestore(lock, 0);
}

void local_irq_restore(unsigned long flags);

void fake_assert_spinlock(const spinlock_t *lock);
void fake_assert_mutex(const struct mutex *lock);
#define lockdep_assert_held(lock)					\
	__builtin_choose_expr(__builtin_types_compatible_p(typeof(lock), struct mutex *), \
			      fake_assert_mutex, fake_assert_spinlock)((void *)(lock))

#endif /* _VIOMMU_USER_SPINLOCK_H */
