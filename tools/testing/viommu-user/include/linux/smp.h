/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_SMP_H
#define _VIOMMU_USER_SMP_H

/* The machine's to say. */
unsigned int raw_smp_processor_id(void);

#endif /* _VIOMMU_USER_SMP_H */
