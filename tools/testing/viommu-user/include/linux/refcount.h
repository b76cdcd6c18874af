/* SPDX-License-Identifier: GPL-2.0 */
/* As the kernel's: one that was misused stays where it is, with a warning. */
#ifndef _VIOMMU_USER_REFCOUNT_H
#define _VIOMMU_USER_REFCOUNT_H

#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/types.h>

#define REFCOUNT_SATURATED	(-INT_MAX / 2)

typedef struct {
	int refs;
} refcount_t;

/* Another CPU may come in: fake_virtqueue.c. */
void fake_step(void);

static inline void refcount_set(refcount_t *refcount, int refs)
{
	refcount->refs = refs;
}

static inline bool refcount_inc_not_zero(refcount_t *refcount)
{
	fake_step();
	if (!refcount->refs)
		return false;
	if (!WARN_ON_ONCE(refcount->refs < 0))
		refcount->refs++;
	return true;
}

static inline unsigned int refcount_read(const refcount_t *refcount)
{
	return refcount->refs;
}

static inline void refcount_dec(refcount_t *refcount)
{
	if (WARN_ON_ONCE(refcount->refs <= 1))
		refcount->refs = REFCOUNT_SATURATED;
	else
		refcount->refs--;
}

static inline bool refcount_dec_if_one(refcount_t *refcount)
{
	if (refcount->refs != 1)
		return false;
	refcount->refs = 0;
	return true;
}

#endif /* _VIOMMU_USER_REFCOUNT_H */
