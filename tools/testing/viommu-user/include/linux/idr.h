/* SPDX-License-Identifier: GPL-2.0 */
/* The lowest free number, of so many as a test has use for. */
#ifndef _VIOMMU_USER_IDR_H
#define _VIOMMU_USER_IDR_H

#include <stdlib.h>

#include <linux/errno.h>
#include <linux/slab.h>

struct ida {
	unsigned long used;
};

static inline int ida_alloc_max(struct ida *ida, unsigned int max, gfp_t gfp)
{
	int id = __builtin_ctzl(~ida->used);

	if (gfp != GFP_KERNEL || ida->used >> 62)
		abort(); /* nothing here needs so many */
	if (slab_fails(gfp))
		return -ENOMEM;
	if ((unsigned int)id > max)
		return -ENOSPC;
	ida->used |= 1UL << id;
	return id;
}

static inline void ida_free(struct ida *ida, unsigned int id)
{
	if (id > 62 || !(ida->used >> id & 1))
		abort();
	ida->used &= ~(1UL << id);
}

#endif /* _VIOMMU_USER_IDR_H */
