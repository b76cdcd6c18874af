/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interval tree's interface over a sorted list: rb_right is the next node.
 * Too simple to be wrong, and too slow for anything but tests.
 */
#ifndef _VIOMMU_USER_INTERVAL_TREE_H
#define _VIOMMU_USER_INTERVAL_TREE_H

#include <stdlib.h>

#include <linux/rbtree.h>

struct interval_tree_node {
	struct rb_node rb;
	unsigned long start;
	unsigned long last;
	unsigned long __subtree_last;
};

#define interval_tree_entry(node)	container_of(node, struct interval_tree_node, rb)

static inline void interval_tree_insert(struct interval_tree_node *node,
					struct rb_root_cached *root)
{
	struct rb_node **link = &root->rb_leftmost;

	while (*link && interval_tree_entry(*link)->start < node->start)
		link = &(*link)->rb_right;
	node->rb.rb_right = *link;
	*link = &node->rb;
}

/* The kernel's tree would be corrupted by a node that is not in it. */
static inline void interval_tree_remove(struct interval_tree_node *node,
					struct rb_root_cached *root)
{
	struct rb_node **link = &root->rb_leftmost;

	while (*link && *link != &node->rb)
		link = &(*link)->rb_right;
	if (!*link)
		abort();
	*link = node->rb.rb_right;
}

static inline struct interval_tree_node *
interval_tree_find(struct rb_node *rb, unsigned long start, unsigned long last)
{
	for (; rb; rb = rb->rb_right) {
		struct interval_tree_node *node = interval_tree_entry(rb);

		if (node->start <= last && start <= node->last)
			return node;
	}
	return NULL;
}

static inline struct interval_tree_node *
interval_tree_iter_first(struct rb_root_cached *root, unsigned long start, unsigned long last)
{
	return interval_tree_find(root->rb_leftmost, start, last);
}

static inline struct interval_tree_node *
interval_tree_iter_next(struct interval_tree_node *node, unsigned long start, unsigned long last)
{
	return interval_tree_find(node->rb.rb_right, start, last);
}

#endif /* _VIOMMU_USER_INTERVAL_TREE_H */
