/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_MINMAX_H
#define _VIOMMU_USER_MINMAX_H

/* As in the kernel, both sides have one type, or the second is a constant above 0. */
#define __minmax(x, y, op)						\
	({								\
		typeof(x) __x = (x);					\
		typeof(x) __y = (y);					\
									\
		_Static_assert(__builtin_types_compatible_p(typeof(x), typeof(y)) || \
			       __builtin_choose_expr(__builtin_constant_p(y), y, 0) > 0, \
			       "min() and max() of two types");		\
		__x op __y ? __x : __y;					\
	})

#define min(x, y)		__minmax(x, y, <)
#define max(x, y)		__minmax(x, y, >)
#define min_t(type, x, y)	min((type)(x), (type)(y))
#define max_t(type, x, y)	max((type)(x), (type)(y))

#define min3(x, y, z)		min(min(x, y), z)

#define min_not_zero(x, y)						\
	({								\
		typeof(x) __a = (x);					\
		typeof(y) __b = (y);					\
									\
		!__a ? __b : !__b ? __a : min(__a, __b);		\
	})
#define clamp_t(type, x, low, high)	min_t(type, max_t(type, x, low), high)

#define swap(x, y)							\
	do {								\
		typeof(x) __swap = (x);					\
									\
		(x) = (y);						\
		(y) = __swap;						\
	} while (0)

#endif /* _VIOMMU_USER_MINMAX_H */
