/* SPDX-License-Identifier: GPL-2.0 */
/* A short list, searched from its start. */
#ifndef _VIOMMU_USER_XARRAY_H
#define _VIOMMU_USER_XARRAY_H

#include <stdlib.h>

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/slab.h>

#define XARRAY_ENTRIES	16

struct xarray {
	struct {
		unsigned long index;
		void *entry;
	} slots[XARRAY_ENTRIES];
};

static inline unsigned int xa_slot(const struct xarray *xa, unsigned long index)
{
	unsigned int i;

	for (i = 0; i < XARRAY_ENTRIES; i++)
		if (xa->slots[i].entry && xa->slots[i].index == index)
			break;
	return i;
}

static inline void *xa_load(struct xarray *xa, unsigned long index)
{
	unsigned int slot = xa_slot(xa, index);

	return slot < XARRAY_ENTRIES ? xa->slots[slot].entry : NULL;
}

static inline void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	unsigned int slot = 0;

	if (!entry || gfp != GFP_KERNEL || xa_load(xa, index))
		abort(); /* nothing here needs that */
	if (slab_fails(gfp))
		return ERR_PTR(-ENOMEM);
	while (xa->slots[slot].entry)
		if (++slot == XARRAY_ENTRIES)
			abort();
	xa->slots[slot].index = index;
	xa->slots[slot].entry = entry;
	return NULL;
}

static inline int xa_err(void *entry)
{
	return PTR_ERR_OR_ZERO(entry);
}

static inline void xa_erase(struct xarray *xa, unsigned long index)
{
	unsigned int slot = xa_slot(xa, index);

	if (slot < XARRAY_ENTRIES)
		xa->slots[slot].entry = NULL;
}

/* In some order. */
#define xa_for_each(xa, _index, _entry)							\
	for (unsigned int __slot = 0; __slot < XARRAY_ENTRIES &&			\
	     ((_index) = (xa)->slots[__slot].index, (void)(_index),			\
	      (_entry) = (xa)->slots[__slot].entry, true); __slot++)			\
		if (_entry)

#endif /* _VIOMMU_USER_XARRAY_H */
