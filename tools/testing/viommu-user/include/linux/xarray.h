/* SPDX-License-Identifier: GPL-2.0 */
/* A list, by index, searched from its start. */
#ifndef _VIOMMU_USER_XARRAY_H
#define _VIOMMU_USER_XARRAY_H

#include <stdlib.h>

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#define XA_FLAGS_LOCK_IRQ	1

struct xa_node {
	struct xa_node *next;
	unsigned long index;
	void *entry;
};

/* The lock of one that was never initialised is not taken: others guard that one. */
struct xarray {
	struct xa_node *first;
	spinlock_t xa_lock; /* guards it, not against who only looks up */
};

#define xa_lock_irqsave(xa, flags)	spin_lock_irqsave(&(xa)->xa_lock, flags)
#define xa_unlock_irqrestore(xa, flags)	spin_unlock_irqrestore(&(xa)->xa_lock, flags)
#define xa_mk_value(value)	((void *)((unsigned long)(value) << 1 | 1))

static inline void xa_init_flags(struct xarray *xa, unsigned int flags)
{
	xa->first = NULL;
	spin_lock_init(&xa->xa_lock);
	if (flags != XA_FLAGS_LOCK_IRQ)
		abort(); /* nothing here has another kind */
}

/* The one of this index, or where it would have to be. */
static inline struct xa_node **xa_place(struct xarray *xa, unsigned long index)
{
	struct xa_node **place = &xa->first;

	while (*place && (*place)->index < index)
		place = &(*place)->next;
	return place;
}

static inline void *xa_load(struct xarray *xa, unsigned long index)
{
	struct xa_node *node = *xa_place(xa, index);

	return node && node->index == index ? node->entry : NULL;
}

/* The kernel may need memory where an entry is replaced, too. */
static inline void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	struct xa_node *node, **place = xa_place(xa, index);
	void *old = xa_load(xa, index);

	if (xa->xa_lock.ready)
		lockdep_assert_held(&xa->xa_lock);
	if (!entry)
		abort(); /* nothing here needs that */
	if (slab_fails(gfp))
		return ERR_PTR(-ENOMEM);
	if (!old) {
		node = malloc(sizeof(*node));
		node->next = *place;
		node->index = index;
		*place = node;
	}
	(*place)->entry = entry;
	return old;
}

static inline void *__xa_erase(struct xarray *xa, unsigned long index)
{
	struct xa_node *node, **place = xa_place(xa, index);
	void *old = xa_load(xa, index);

	if (xa->xa_lock.ready)
		lockdep_assert_held(&xa->xa_lock);
	if (old) {
		node = *place;
		*place = node->next;
		free(node);
	}
	return old;
}

static inline void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	void *old;

	if (!xa->xa_lock.ready)
		return __xa_store(xa, index, entry, gfp);
	spin_lock(&xa->xa_lock);
	old = __xa_store(xa, index, entry, gfp);
	spin_unlock(&xa->xa_lock);
	return old;
}

static inline void *xa_erase(struct xarray *xa, unsigned long index)
{
	void *old;

	if (!xa->xa_lock.ready)
		return __xa_erase(xa, index);
	spin_lock(&xa->xa_lock);
	old = __xa_erase(xa, index);
	spin_unlock(&xa->xa_lock);
	return old;
}

static inline int xa_err(void *entry)
{
	return PTR_ERR_OR_ZERO(entry);
}

static inline bool xa_is_err(void *entry)
{
	return IS_ERR(entry);
}

static inline int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	int ret = -EBUSY;

	spin_lock(&xa->xa_lock);
	if (!xa_load(xa, index))
		ret = xa_err(__xa_store(xa, index, entry, gfp));
	spin_unlock(&xa->xa_lock);
	return ret;
}

static inline void xa_destroy(struct xarray *xa)
{
	struct xa_node *node;

	while ((node = xa->first)) {
		xa->first = node->next;
		free(node);
	}
}

/* The first of this index or a greater one. */
static inline void *xa_find(struct xarray *xa, unsigned long *index)
{
	struct xa_node *node = *xa_place(xa, *index);

	if (!node)
		return NULL;
	*index = node->index;
	return node->entry;
}

#define xa_for_each(xa, _index, _entry)					\
	for ((_index) = 0; ((_entry) = xa_find(xa, &(_index))); (_index)++)

#endif /* _VIOMMU_USER_XARRAY_H */
