// SPDX-License-Identifier: GPL-2.0
/*
 * See fake_memory.h.
 */
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "fake_memory.h"

#define GARBAGE		0xa5

static u8 *memory;
static struct page pages[MEMORY_SIZE / PAGE_SIZE];
unsigned int memory_pages;
unsigned int memory_max_order = -1U;
gfp_t memory_gfp;
void (*memory_on_free)(phys_addr_t phys, size_t size);

__attribute__((constructor)) static void memory_init(void)
{
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		abort();
	ASAN_POISON_MEMORY_REGION(memory, MEMORY_SIZE);
}

static u8 *memory_at(phys_addr_t phys, size_t size)
{
	ASSERT(phys >= MEMORY_START && size <= MEMORY_SIZE &&
	       phys - MEMORY_START <= MEMORY_SIZE - size);
	return memory + (phys - MEMORY_START);
}

u8 *memory_use(phys_addr_t phys, size_t size)
{
	u8 *at = memory_at(phys, size);

	ASSERT(phys + size <= MEMORY_PAGES);
	ASAN_UNPOISON_MEMORY_REGION(at, size);
	return at;
}

void memory_drop(phys_addr_t phys, size_t size)
{
	ASAN_POISON_MEMORY_REGION(memory_at(phys, size), size);
}

__attribute__((no_sanitize_address)) u8 memory_read(phys_addr_t phys)
{
	return *memory_at(phys, 1);
}

__attribute__((no_sanitize_address)) void memory_write(phys_addr_t phys, u8 byte)
{
	*memory_at(phys, 1) = byte;
}

bool pfn_valid(unsigned long pfn)
{
	return pfn >= PHYS_PFN(MEMORY_START) && pfn < PHYS_PFN(MEMORY_START + MEMORY_SIZE);
}

struct page *pfn_to_page(unsigned long pfn)
{
	ASSERT(pfn_valid(pfn));
	return &pages[pfn - PHYS_PFN(MEMORY_START)];
}

phys_addr_t page_to_phys(const struct page *page)
{
	return MEMORY_START + ((phys_addr_t)(page - pages) << PAGE_SHIFT);
}

void *phys_to_virt(phys_addr_t phys)
{
	return memory_at(phys, 1);
}

static bool is_free(const struct page *page, unsigned int nr)
{
	while (nr && !page[nr - 1].order)
		nr--;
	return !nr;
}

struct page *alloc_pages_node(int node, gfp_t gfp, unsigned int order)
{
	unsigned int i, j, nr = 1U << order;

	memory_gfp = gfp;
	if (order > memory_max_order || slab_fails(gfp & ~__GFP_ZERO))
		return NULL;
	for (i = PHYS_PFN(MEMORY_PAGES - MEMORY_START); i + nr <= ARRAY_SIZE(pages); i += nr) {
		if (!is_free(&pages[i], nr))
			continue;
		for (j = 0; j < nr; j++)
			pages[i + j].order = order + 1;
		memory_pages += nr;
		ASAN_UNPOISON_MEMORY_REGION(memory + i * PAGE_SIZE, nr * PAGE_SIZE);
		memset(memory + i * PAGE_SIZE, gfp & __GFP_ZERO ? 0 : GARBAGE, nr * PAGE_SIZE);
		return &pages[i];
	}
	return NULL;
}

void __free_pages(struct page *page, unsigned int order)
{
	unsigned int i, nr = 1U << order;

	if (memory_on_free)
		memory_on_free(page_to_phys(page), nr * PAGE_SIZE);
	for (i = 0; i < nr; i++) {
		ASSERT(page[i].order == order + 1);
		page[i].order = 0;
	}
	memory_pages -= nr;
	ASAN_POISON_MEMORY_REGION(phys_to_virt(page_to_phys(page)), nr * PAGE_SIZE);
}

struct page *virt_to_page(const void *vaddr)
{
	ASSERT((u8 *)vaddr >= memory && (u8 *)vaddr < memory + MEMORY_SIZE);
	return &pages[((u8 *)vaddr - memory) >> PAGE_SHIFT];
}

void free_pages(unsigned long vaddr, unsigned int order)
{
	__free_pages(virt_to_page((void *)vaddr), order);
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	struct page *page;
	unsigned int i;

	/* which the kernel warns of, or has no address for */
	ASSERT(!(gfp & (__GFP_COMP | __GFP_HIGHMEM)));
	page = alloc_pages_node(-1, gfp, get_order(size));
	if (!page)
		return NULL;
	for (i = 0; i < 1U << get_order(size); i++) {
		page[i].order = 1;
		if (i * PAGE_SIZE >= size)
			__free_page(&page[i]);
	}
	return page_address(page);
}

void free_pages_exact(void *vaddr, size_t size)
{
	struct page *page = virt_to_page(vaddr);

	ASSERT(!offset_in_page(vaddr));
	for (; size; size -= size < PAGE_SIZE ? size : PAGE_SIZE)
		__free_page(page++);
}

/* Other addresses of pages */

static struct vmap_area {
	struct vmap_area *next;
	u8 *start;
	unsigned int nr;
	struct page **pages;
} *areas;

static struct vmap_area *area_of(const void *vaddr)
{
	struct vmap_area *area = areas;

	while (area && ((u8 *)vaddr < area->start ||
			(u8 *)vaddr >= area->start + area->nr * PAGE_SIZE))
		area = area->next;
	return area;
}

static void map_file(void *at, int file, off_t offset)
{
	ASSERT(mmap(at, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file,
		    offset) == at);
}

void *vmap(struct page **of, unsigned int nr, unsigned long flags, pgprot_t prot)
{
	struct vmap_area *area;
	unsigned int i;
	int file;

	ASSERT(flags == (VM_MAP | VM_MAP_PUT_PAGES) && prot == PAGE_KERNEL && nr);
	area = kzalloc_obj(*area, GFP_KERNEL);
	if (!area)
		return NULL;
	area->nr = nr;
	area->pages = of;
	area->start = mmap(NULL, nr * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	file = memfd_create("vmap", 0);
	ASSERT(area->start != MAP_FAILED && file >= 0 && !ftruncate(file, nr * PAGE_SIZE));
	/* From now on both are the file's. */
	for (i = 0; i < nr; i++) {
		off_t offset = i * PAGE_SIZE;

		ASSERT(of[i]->order == 1);
		ASSERT(pwrite(file, page_address(of[i]), PAGE_SIZE, offset) == PAGE_SIZE);
		map_file(page_address(of[i]), file, offset);
		map_file(area->start + offset, file, offset);
	}
	close(file);
	area->next = areas;
	areas = area;
	return area->start;
}

void vfree(const void *vaddr)
{
	struct vmap_area *area = area_of(vaddr), **link = &areas;
	unsigned int i;

	might_sleep();
	ASSERT(area && vaddr == area->start);
	munmap(area->start, area->nr * PAGE_SIZE);
	for (i = 0; i < area->nr; i++)
		__free_page(area->pages[i]);
	while (*link != area)
		link = &(*link)->next;
	*link = area->next;
	kvfree(area->pages);
	kfree(area);
}

bool is_vmalloc_addr(const void *vaddr)
{
	return area_of(vaddr);
}

struct page *vmalloc_to_page(const void *vaddr)
{
	const struct vmap_area *area = area_of(vaddr);

	ASSERT(area);
	return area->pages[((u8 *)vaddr - area->start) >> PAGE_SHIFT];
}

int remap_pfn_range(struct vm_area_struct *vma, unsigned long at, unsigned long pfn,
		    unsigned long size, pgprot_t prot)
{
	ASSERT(at >= vma->vm_start && size && size <= vma->vm_end - at);
	ASSERT(!offset_in_page(at) && !offset_in_page(size) && prot == vma->vm_page_prot);
	if (slab_fails(GFP_KERNEL))
		return -ENOMEM;
	for (; size; size -= PAGE_SIZE, at += PAGE_SIZE)
		vma->pfns[(at - vma->vm_start) >> PAGE_SHIFT] = pfn++;
	return 0;
}
