/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_XARRAY_H
#define _VIOMMU_USER_XARRAY_H

struct xarray {
	int dummy;
};

#endif /* _VIOMMU_USER_XARRAY_H */
