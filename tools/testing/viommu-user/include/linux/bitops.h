/* SPDX-License-Identifier: GPL-2.0 */
/* Bitmaps, not atomic. */
#ifndef _VIOMMU_USER_BITOPS_H
#define _VIOMMU_USER_BITOPS_H

#include <linux/bits.h>
#include <linux/types.h>
#include <string.h>

#define BITS_PER_LONG		(8 * sizeof(long))
#define BITS_TO_LONGS(nr)	(((nr) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define DECLARE_BITMAP(name, bits)	unsigned long name[BITS_TO_LONGS(bits)]

static inline unsigned int hweight64(u64 word)
{
	return __builtin_popcountll(word);
}

static inline bool test_bit(unsigned long nr, const unsigned long *bitmap)
{
	return bitmap[nr / BITS_PER_LONG] >> (nr % BITS_PER_LONG) & 1;
}

static inline void __set_bit(unsigned long nr, unsigned long *bitmap)
{
	bitmap[nr / BITS_PER_LONG] |= 1UL << (nr % BITS_PER_LONG);
}

static inline void __clear_bit(unsigned long nr, unsigned long *bitmap)
{
	bitmap[nr / BITS_PER_LONG] &= ~(1UL << (nr % BITS_PER_LONG));
}

static inline bool __test_and_clear_bit(unsigned long nr, unsigned long *bitmap)
{
	bool set = test_bit(nr, bitmap);

	__clear_bit(nr, bitmap);
	return set;
}

static inline void bitmap_zero(unsigned long *bitmap, unsigned int bits)
{
	memset(bitmap, 0, BITS_TO_LONGS(bits) * sizeof(long));
}

#endif /* _VIOMMU_USER_BITOPS_H */
