/* SPDX-License-Identifier: GPL-2.0 */
/* What every file of the kernel has without asking for it. */
#ifndef _VIOMMU_USER_COMPILER_H
#define _VIOMMU_USER_COMPILER_H

#include <linux/minmax.h>

#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value)	(*(volatile typeof(x) *)&(x) = (value))

#define smp_store_release(to, value)	__atomic_store_n(to, value, __ATOMIC_RELEASE)
#define smp_load_acquire(from)		__atomic_load_n(from, __ATOMIC_ACQUIRE)
#define smp_rmb()			__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_mb__before_atomic()		__atomic_thread_fence(__ATOMIC_SEQ_CST)

#define ____cacheline_aligned	__attribute__((__aligned__(64)))

#endif /* _VIOMMU_USER_COMPILER_H */
