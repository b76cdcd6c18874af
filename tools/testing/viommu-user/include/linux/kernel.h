/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_KERNEL_H
#define _VIOMMU_USER_KERNEL_H

#include <stdio.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif
#ifndef fallthrough
#define fallthrough		__attribute__((__fallthrough__))
#endif

#endif /* _VIOMMU_USER_KERNEL_H */
