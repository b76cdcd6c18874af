/* SPDX-License-Identifier: GPL-2.0 */
/* guard() for the one kind of lock that is taken with it. */
#ifndef _VIOMMU_USER_CLEANUP_H
#define _VIOMMU_USER_CLEANUP_H

#include <linux/spinlock.h>

struct guard_spinlock_irqsave {
	spinlock_t *lock;
	unsigned long flags;
};

static inline struct guard_spinlock_irqsave guard_spinlock_irqsave_take(spinlock_t *lock)
{
	struct guard_spinlock_irqsave guard = { .lock = lock };

	spin_lock_irqsave(lock, guard.flags);
	return guard;
}

static inline void guard_spinlock_irqsave_drop(struct guard_spinlock_irqsave *guard)
{
	spin_unlock_irqrestore(guard->lock, guard->flags);
}

#define guard(kind)							\
	struct guard_##kind __attribute__((__cleanup__(guard_##kind##_drop))) __guard = \
		guard_##kind##_take

#endif /* _VIOMMU_USER_CLEANUP_H */
