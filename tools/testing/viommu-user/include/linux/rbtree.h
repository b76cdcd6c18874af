/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's types with the kernel's sizes; see interval_tree.h for their use. */
#ifndef _VIOMMU_USER_RBTREE_H
#define _VIOMMU_USER_RBTREE_H

#include <linux/types.h>

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
	struct rb_node *rb_leftmost;
};

#define RB_ROOT_CACHED	((struct rb_root_cached) { { NULL }, NULL })

#endif /* _VIOMMU_USER_RBTREE_H */
