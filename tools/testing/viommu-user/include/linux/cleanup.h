/* SPDX-License-Identifier: GPL-2.0 */
/* guard() for the kinds of locks that are taken with it. */
#ifndef _VIOMMU_USER_CLEANUP_H
#define _VIOMMU_USER_CLEANUP_H

#include <linux/mutex.h>
#include <linux/spinlock.h>

struct guard_spinlock_irqsave {
	spinlock_t *lock; /* held as long as this is in scope */
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

struct guard_mutex {
	struct mutex *lock; /* likewise */
};

static inline struct guard_mutex guard_mutex_take(struct mutex *lock)
{
	mutex_lock(lock);
	return (struct guard_mutex){ .lock = lock };
}

static inline void guard_mutex_drop(struct guard_mutex *guard)
{
	mutex_unlock(guard->lock);
}

#define guard(kind)							\
	struct guard_##kind						\
	__attribute__((__cleanup__(guard_##kind##_drop), __unused__)) __guard = guard_##kind##_take

/* For the block that follows. */
#define scoped_guard(kind, lock)					\
	for (bool __once = true; __once; __once = false)		\
		for (guard(kind)(lock); __once; __once = false)

#endif /* _VIOMMU_USER_CLEANUP_H */
