/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_KREF_H
#define _VIOMMU_USER_KREF_H

struct kref {
	int dummy;
};

#endif /* _VIOMMU_USER_KREF_H */
