/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_MUTEX_H
#define _VIOMMU_USER_MUTEX_H

struct mutex {
	int dummy;
};

#endif /* _VIOMMU_USER_MUTEX_H */
