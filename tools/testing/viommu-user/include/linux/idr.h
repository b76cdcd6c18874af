/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_IDR_H
#define _VIOMMU_USER_IDR_H

struct ida {
	int dummy;
};

#endif /* _VIOMMU_USER_IDR_H */
