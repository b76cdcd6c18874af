/* SPDX-License-Identifier: GPL-2.0 */
/* The allocator of IOVAs: the highest that are free. fake_dma.c. */
#ifndef _VIOMMU_USER_IOVA_H
#define _VIOMMU_USER_IOVA_H

#include <linux/types.h>

/**
 * struct iova - pages that are not free
 * @next: another one, in no order
 * @pfn_lo: the first
 * @pfn_hi: the last
 * @reserved: nobody gives them back
 */
struct iova {
	struct iova *next;
	unsigned long pfn_lo;
	unsigned long pfn_hi;
	bool reserved;
};

struct iova_domain {
	struct iova *first;
	unsigned long start_pfn;
	bool has_caches;
};

int iova_cache_get(void);
void iova_cache_put(void);
void init_iova_domain(struct iova_domain *iovad, unsigned long granule, unsigned long start_pfn);
int iova_domain_init_rcaches(struct iova_domain *iovad);
void put_iova_domain(struct iova_domain *iovad);
struct iova *reserve_iova(struct iova_domain *iovad, unsigned long pfn_lo, unsigned long pfn_hi);
struct iova *alloc_iova(struct iova_domain *iovad, unsigned long size, unsigned long limit_pfn,
			bool size_aligned);
unsigned long alloc_iova_fast(struct iova_domain *iovad, unsigned long size,
			      unsigned long limit_pfn, bool flush_rcache);
void free_iova_fast(struct iova_domain *iovad, unsigned long pfn, unsigned long size);

#endif /* _VIOMMU_USER_IOVA_H */
