/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_WORKQUEUE_H
#define _VIOMMU_USER_WORKQUEUE_H

struct work_struct {
	int dummy;
};

#endif /* _VIOMMU_USER_WORKQUEUE_H */
