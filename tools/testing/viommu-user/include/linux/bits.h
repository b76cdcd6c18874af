/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_BITS_H
#define _VIOMMU_USER_BITS_H

#define BIT(nr)		(1UL << (nr))
#define BIT_ULL(nr)	(1ULL << (nr))

#endif /* _VIOMMU_USER_BITS_H */
