/* SPDX-License-Identifier: GPL-2.0 */
/* Work runs when a test lets time pass: fake_dma.c. */
#ifndef _VIOMMU_USER_WORKQUEUE_H
#define _VIOMMU_USER_WORKQUEUE_H

#include <linux/jiffies.h>
#include <linux/types.h>

struct work_struct {
	void (*func)(struct work_struct *work);
};

/**
 * struct delayed_work - what is to be done later
 * @work: what
 * @next: another one that is pending
 * @pending: it is to be done
 * @when: in jiffies
 */
struct delayed_work {
	struct work_struct work;
	struct delayed_work *next;
	bool pending;
	unsigned long when;
};

#define to_delayed_work(work_)		container_of(work_, struct delayed_work, work)
#define INIT_DELAYED_WORK(dwork, function)	((dwork)->work.func = (function))

bool fake_queue_work(struct delayed_work *dwork, unsigned long delay);
#define schedule_delayed_work(dwork, delay)	fake_queue_work(dwork, delay)
bool cancel_delayed_work_sync(struct delayed_work *dwork);

#endif /* _VIOMMU_USER_WORKQUEUE_H */
