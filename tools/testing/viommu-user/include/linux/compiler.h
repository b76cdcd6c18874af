/* SPDX-License-Identifier: GPL-2.0 */
/* What every file of the kernel has without asking for it. */
#ifndef _VIOMMU_USER_COMPILER_H
#define _VIOMMU_USER_COMPILER_H

#include <linux/minmax.h>

/* Where something is 1, and where it is not defined. */
#define CONFIG_X86		1
#define __is_defined_1		0,
#define __is_defined_2(zero_or_junk)	__is_defined_3(zero_or_junk 1, 0, 0)
#define __is_defined_3(zero, value, ...)	(value)
#define __is_defined(value)	__is_defined_2(__is_defined_##value)
#define IS_ENABLED(CONFIG_NAME)	__is_defined(CONFIG_NAME)

/* Warnings so far. */
extern unsigned int fake_warnings;
#define WARN_ON_ONCE(condition)						\
	({								\
		bool __bad = (condition);				\
									\
		fake_warnings += __bad;					\
		__bad;							\
	})

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
