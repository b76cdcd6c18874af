/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_LIMITS_H
#define _VIOMMU_USER_LIMITS_H

#include_next <linux/limits.h>
#include <linux/types.h>
#include <stdint.h>

#define INT_MAX		((int)(~0U >> 1))
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define U64_MAX		((u64)~0ULL)

#endif /* _VIOMMU_USER_LIMITS_H */
