/* SPDX-License-Identifier: GPL-2.0 */
/* What readers may still look at is freed when there are none: fake_dma.c. */
#ifndef _VIOMMU_USER_RCUPDATE_H
#define _VIOMMU_USER_RCUPDATE_H

#include <linux/types.h>

struct rcu_head {
	struct rcu_head *next;
	void *object;
};

void rcu_read_lock(void);
void rcu_read_unlock(void);
void fake_free_rcu(struct rcu_head *head, void *object);

#define kfree_rcu(object, member)	fake_free_rcu(&(object)->member, object)

#endif /* _VIOMMU_USER_RCUPDATE_H */
