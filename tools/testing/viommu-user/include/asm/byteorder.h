/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Byte order. With VIOMMU_SWAPPED the wire has the order that this CPU does not
 * have: what is big-endian hardware to the driver, without such hardware. The
 * tests write and read the wire through put_le() and get_le(), byte by byte.
 */
#ifndef _ASM_BYTEORDER_H
#define _ASM_BYTEORDER_H

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "these tests assume a little-endian machine"
#endif

#ifdef VIOMMU_SWAPPED
#define viommu_swap16(x)	__builtin_bswap16(x)
#define viommu_swap32(x)	__builtin_bswap32(x)
#define viommu_swap64(x)	((__u64)__builtin_bswap64(x))
#else
#define viommu_swap16(x)	((__u16)(x))
#define viommu_swap32(x)	((__u32)(x))
#define viommu_swap64(x)	((__u64)(x))
#endif

#define cpu_to_le16(x)		((__le16)viommu_swap16(x))
#define cpu_to_le32(x)		((__le32)viommu_swap32(x))
#define cpu_to_le64(x)		((__le64)viommu_swap64(x))
#define le16_to_cpu(x)		viommu_swap16(x)
#define le32_to_cpu(x)		viommu_swap32(x)
#define le64_to_cpu(x)		viommu_swap64(x)

#endif /* _ASM_BYTEORDER_H */
