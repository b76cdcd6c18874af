/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_TYPES_H
#define _VIOMMU_USER_TYPES_H

#include_next <linux/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <asm/byteorder.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef unsigned __int128 u128;
typedef unsigned int gfp_t;
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;

/* The kernel's build includes these two in every file. */
#define __packed		__attribute__((__packed__))
#define __counted_by(member)
#define container_of(ptr, type, member)					\
	((type *)((char *)(ptr) - offsetof(type, member)))

#endif /* _VIOMMU_USER_TYPES_H */
