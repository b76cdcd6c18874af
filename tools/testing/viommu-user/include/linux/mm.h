/* SPDX-License-Identifier: GPL-2.0 */
/* Memory by the page: fake_memory.c. */
#ifndef _VIOMMU_USER_MM_H
#define _VIOMMU_USER_MM_H

#include <linux/iommu.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/types.h>

#define PHYS_PFN(phys)		((unsigned long)((phys) >> PAGE_SHIFT))

/**
 * struct page - a page
 * @order: logarithm of how many were allocated with it, plus one; 0: none
 * @reserved: the kernel's own
 * @p2p: memory of another device
 * @offline: nobody's, not even the kernel's
 */
struct page {
	unsigned int order;
	bool reserved;
	bool p2p;
	bool offline;
};

bool pfn_valid(unsigned long pfn);
struct page *pfn_to_page(unsigned long pfn);
phys_addr_t page_to_phys(const struct page *page);
void *phys_to_virt(phys_addr_t phys);
struct page *virt_to_page(const void *vaddr);
struct page *alloc_pages_node(int node, gfp_t gfp, unsigned int order);
void __free_pages(struct page *page, unsigned int order);
void free_pages(unsigned long vaddr, unsigned int order);
void *alloc_pages_exact(size_t size, gfp_t gfp);
void free_pages_exact(void *vaddr, size_t size);

#define __free_page(page)	__free_pages(page, 0)

static inline bool PageReserved(const struct page *page)
{
	return page->reserved;
}

static inline void *page_address(const struct page *page)
{
	return phys_to_virt(page_to_phys(page));
}

static inline phys_addr_t virt_to_phys(const void *vaddr)
{
	return page_to_phys(virt_to_page(vaddr)) + offset_in_page(vaddr);
}

static inline unsigned long page_to_pfn(const struct page *page)
{
	return PHYS_PFN(page_to_phys(page));
}

static inline unsigned int get_order(size_t size)
{
	unsigned int order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

typedef int pgprot_t;

/**
 * struct vm_area_struct - addresses of a process
 * @vm_start: the first
 * @vm_end: behind the last
 * @vm_pgoff: which page of what is mapped is to be at the first
 * @vm_page_prot: how they are mapped
 * @pfns: what is mapped there, by the page; 0: nothing
 */
struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_pgoff;
	pgprot_t vm_page_prot;
	unsigned long *pfns;
};

int remap_pfn_range(struct vm_area_struct *vma, unsigned long at, unsigned long pfn,
		    unsigned long size, pgprot_t prot);

static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

#endif /* _VIOMMU_USER_MM_H */
