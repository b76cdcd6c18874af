/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_PROCESSOR_H
#define _VIOMMU_USER_PROCESSOR_H

/* Lets the fake device work on: fake_virtqueue.c. */
void cpu_relax(void);

#endif /* _VIOMMU_USER_PROCESSOR_H */
