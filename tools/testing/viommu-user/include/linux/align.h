/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_ALIGN_H
#define _VIOMMU_USER_ALIGN_H

#define ALIGN(x, a)		(((x) + ((typeof(x))(a) - 1)) & ~((typeof(x))(a) - 1))
#define ALIGN_DOWN(x, a)	((x) & ~((typeof(x))(a) - 1))
#define IS_ALIGNED(x, a)	(((x) & ((typeof(x))(a) - 1)) == 0)

#endif /* _VIOMMU_USER_ALIGN_H */
