/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's red-black tree without the colours: a binary tree of some shape. Users may
 * not depend on the shape, so inserting and erasing turn parts of the tree around as a
 * die says. A node that was erased, or that is in another's place, is noticed.
 */
#ifndef _VIOMMU_USER_RBTREE_H
#define _VIOMMU_USER_RBTREE_H

#include <stdlib.h>
#include <string.h>

#include <linux/compiler.h>
#include <linux/types.h>

struct rb_node {
	struct rb_node *__rb_parent;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT	((struct rb_root) { NULL })
#define rb_entry(ptr, type, member)	container_of(ptr, type, member)
#define rb_entry_safe(ptr, type, member)				\
	({								\
		typeof(ptr) __ptr = (ptr);				\
									\
		__ptr ? rb_entry(__ptr, type, member) : NULL;		\
	})

/* Not 0. The same numbers in each run. */
extern unsigned int rb_die;

static inline unsigned int __rb_die(void)
{
	rb_die ^= rb_die << 13;
	rb_die ^= rb_die >> 17;
	rb_die ^= rb_die << 5;
	return rb_die >> 3;
}

/* The pointer that points to a node. */
static inline struct rb_node **__rb_link_of(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = node->__rb_parent;
	struct rb_node **link = !parent ? &root->rb_node :
				parent->rb_left == node ? &parent->rb_left : &parent->rb_right;

	if (*link != node)
		abort(); /* not in this tree */
	return link;
}

static inline void __rb_hang(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	*link = node;
	if (node)
		node->__rb_parent = parent;
}

/* A node and its parent change places. */
static inline void __rb_rotate(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = node->__rb_parent;
	struct rb_node **link = __rb_link_of(parent, root);

	if (parent->rb_left == node) {
		__rb_hang(node->rb_right, parent, &parent->rb_left);
		__rb_hang(node, parent->__rb_parent, link);
		__rb_hang(parent, node, &node->rb_right);
	} else {
		__rb_hang(node->rb_left, parent, &parent->rb_right);
		__rb_hang(node, parent->__rb_parent, link);
		__rb_hang(parent, node, &node->rb_left);
	}
}

/* The kernel's would lose what is there already. */
static inline void rb_link_node(struct rb_node *node, struct rb_node *parent,
				struct rb_node **link)
{
	if (*link || (parent && link != &parent->rb_left && link != &parent->rb_right))
		abort();
	node->rb_left = NULL;
	node->rb_right = NULL;
	__rb_hang(node, parent, link);
}

static inline void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	unsigned int die;

	for (die = __rb_die(); node->__rb_parent && die & 1; die >>= 1)
		__rb_rotate(node, root);
}

static inline void rb_erase(struct rb_node *node, struct rb_root *root)
{
	while (node->rb_left && node->rb_right)
		__rb_rotate(__rb_die() & 1 ? node->rb_left : node->rb_right, root);
	__rb_hang(node->rb_left ?: node->rb_right, node->__rb_parent, __rb_link_of(node, root));
	/* Nobody may go on from here. */
	memset(node, 0x6b, sizeof(*node));
}

static inline struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

static inline struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *next = node->rb_right;

	if (next) {
		while (next->rb_left)
			next = next->rb_left;
		return next;
	}
	for (next = node->__rb_parent; next && node == next->rb_right; next = next->__rb_parent)
		node = next;
	return next;
}

static inline struct rb_node *rb_prev(const struct rb_node *node)
{
	struct rb_node *prev = node->rb_left;

	if (prev) {
		while (prev->rb_right)
			prev = prev->rb_right;
		return prev;
	}
	for (prev = node->__rb_parent; prev && node == prev->rb_left; prev = prev->__rb_parent)
		node = prev;
	return prev;
}

#endif /* _VIOMMU_USER_RBTREE_H */
