/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_MINMAX_H
#define _VIOMMU_USER_MINMAX_H

/* As in the kernel, both sides have one type. */
#define __minmax(x, y, op)						\
	({								\
		typeof(x) __x = (x);					\
		typeof(y) __y = (y);					\
									\
		_Static_assert(__builtin_types_compatible_p(typeof(__x), typeof(__y)), \
			       "min() and max() of two types");		\
		__x op __y ? __x : __y;					\
	})

#define min(x, y)		__minmax(x, y, <)
#define max(x, y)		__minmax(x, y, >)
#define min_t(type, x, y)	min((type)(x), (type)(y))
#define max_t(type, x, y)	max((type)(x), (type)(y))

#endif /* _VIOMMU_USER_MINMAX_H */
