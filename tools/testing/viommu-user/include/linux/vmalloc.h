/* SPDX-License-Identifier: GPL-2.0 */
/* Pages that the CPU sees behind each other: fake_memory.c. */
#ifndef _VIOMMU_USER_VMALLOC_H
#define _VIOMMU_USER_VMALLOC_H

#include <linux/mm.h>

#define VM_MAP			0x1
#define VM_MAP_PUT_PAGES	0x2
#define PAGE_KERNEL		0

void *vmap(struct page **of, unsigned int nr, unsigned long flags, pgprot_t prot);
void vfree(const void *vaddr);
bool is_vmalloc_addr(const void *vaddr);
struct page *vmalloc_to_page(const void *vaddr);

#endif /* _VIOMMU_USER_VMALLOC_H */
