/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_BUILD_BUG_H
#define _VIOMMU_USER_BUILD_BUG_H

#define BUILD_BUG_ON(condition)	_Static_assert(!(condition), #condition)

#endif /* _VIOMMU_USER_BUILD_BUG_H */
