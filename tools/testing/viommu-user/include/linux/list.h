/* SPDX-License-Identifier: GPL-2.0 */
/* The type alone: nothing that is built here walks a list. */
#ifndef _VIOMMU_USER_LIST_H
#define _VIOMMU_USER_LIST_H

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

#endif /* _VIOMMU_USER_LIST_H */
