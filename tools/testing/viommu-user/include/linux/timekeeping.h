/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_TIMEKEEPING_H
#define _VIOMMU_USER_TIMEKEEPING_H

#include <linux/types.h>

#define NSEC_PER_USEC	1000L
#define NSEC_PER_MSEC	1000000L

/* The test's clock: fake_virtqueue.c. */
u64 ktime_get_mono_fast_ns(void);

#endif /* _VIOMMU_USER_TIMEKEEPING_H */
