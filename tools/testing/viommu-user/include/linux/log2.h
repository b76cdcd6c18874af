/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_LOG2_H
#define _VIOMMU_USER_LOG2_H

#include <linux/types.h>

#define const_ilog2(n)	(31 - __builtin_clz(n))

static inline int ilog2(u32 n)
{
	return const_ilog2(n);
}

#endif /* _VIOMMU_USER_LOG2_H */
