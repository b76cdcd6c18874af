/* SPDX-License-Identifier: GPL-2.0 */
/* Sleeping moves the fake clock, and lets the fake device work: fake_virtqueue.c. */
#ifndef _VIOMMU_USER_DELAY_H
#define _VIOMMU_USER_DELAY_H

void usleep_range(unsigned long min, unsigned long max);
void might_sleep(void);

#endif /* _VIOMMU_USER_DELAY_H */
