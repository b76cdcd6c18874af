/* SPDX-License-Identifier: GPL-2.0 */
/* Who waits for one lets other CPUs run: fake_virtqueue.c. */
#ifndef _VIOMMU_USER_MUTEX_H
#define _VIOMMU_USER_MUTEX_H

struct fake_cpu;

struct mutex {
	const struct fake_cpu *holder;
};

#define DEFINE_MUTEX(name)	struct mutex name

void mutex_lock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);

#endif /* _VIOMMU_USER_MUTEX_H */
