/* SPDX-License-Identifier: GPL-2.0 */
/* An array. */
#ifndef _VIOMMU_USER_PERCPU_H
#define _VIOMMU_USER_PERCPU_H

#include <linux/slab.h>
#include <linux/smp.h>

#define __percpu
#define NR_CPUS			4

#define alloc_percpu(type)		kcalloc(NR_CPUS, sizeof(type), GFP_KERNEL)
#define free_percpu(base)		kfree(base)
#define per_cpu_ptr(base, cpu)		(&(base)[cpu])
#define raw_cpu_ptr(base)		(&(base)[raw_smp_processor_id()])
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < NR_CPUS; (cpu)++)

#endif /* _VIOMMU_USER_PERCPU_H */
