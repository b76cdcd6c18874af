/* SPDX-License-Identifier: GPL-2.0 */
/* They go on when a test says so: fake_dma.c. */
#ifndef _VIOMMU_USER_JIFFIES_H
#define _VIOMMU_USER_JIFFIES_H

#define HZ			500

extern unsigned long jiffies;

#define time_before(a, b)	((long)((a) - (b)) < 0)
#define time_after(a, b)	time_before(b, a)

static inline unsigned long msecs_to_jiffies(unsigned int ms)
{
	return (ms * (unsigned long)HZ + 999) / 1000;
}

#endif /* _VIOMMU_USER_JIFFIES_H */
