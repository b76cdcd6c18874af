// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA operations: memory that a driver and its device share.
 *
 * That pages are out of the device's reach before they are free, fake_dma.c looks at.
 */
#include <linux/err.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "fake_dma.h"

#define NR	6	/* pages of what is scattered */

static struct device * const dev = &fake_pci.dev;

/* In a lazy domain, as what is freed is no matter of it. */
static void begin(void)
{
	dma_begin_mode(VIOMMU_DMA_ORDINARY, IOMMU_DOMAIN_DMA_FQ);
}

static void *alloc(size_t size, dma_addr_t *addr)
{
	return viommu_dma_alloc(dev, size, addr, GFP_KERNEL, 0);
}

static void release(size_t size, void *vaddr, dma_addr_t addr)
{
	viommu_dma_free(dev, size, vaddr, addr, 0);
}

/* Pages that are in the way: no two that are free are neighbours. */
static struct page *held[2 * NR];
static unsigned int nr_held;

static void scatter(void)
{
	unsigned int i;

	for (i = 0; i < 2 * NR; i++)
		held[i] = alloc_pages_node(-1, GFP_KERNEL, 0);
	for (i = 0; i < 2 * NR; i += 2)
		__free_page(held[i]);
	nr_held = NR;
	memory_max_order = 0;
}

static void gather(void)
{
	unsigned int i;

	for (i = 1; i < 2 * NR; i += 2)
		__free_page(held[i]);
	nr_held = 0;
	memory_max_order = -1U;
}

static void expect_nothing(void)
{
	EXPECT_EQ(memory_pages, nr_held);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(iommu.nr_mappings, 0);
}

/* Whole pages, zeroed, and each finds there what the other one has written. */
static void expect_shared(u8 *vaddr, dma_addr_t addr, size_t size)
{
	size_t at;

	size = PAGE_ALIGN(size);
	EXPECT_EQ(addr % PAGE, 0);
	EXPECT(cpu_sees(vaddr, 0, size) && device_sees(addr, 0, size));
	for (at = 0; at < size; at += PAGE) {
		vaddr[at] = 1 + at / PAGE;
		dma_write(addr + at + PAGE - 1, 0x80 + at / PAGE, 1);
	}
	for (at = 0; at < size; at += PAGE) {
		EXPECT_EQ(dma_read(addr + at), 1 + at / PAGE);
		EXPECT_EQ(vaddr[at + PAGE - 1], 0x80 + at / PAGE);
	}
	EXPECT(!dma_translate(addr - 1) && !dma_translate(addr + size));
	EXPECT_EQ(dma_iovas(), size / PAGE);
	EXPECT_EQ(memory_pages, nr_held + size / PAGE);
}

static void test_one_piece(void)
{
	static const size_t sizes[] = { 1, PAGE, PAGE + 1, 3 * PAGE, 8 * PAGE, 16 * PAGE - 1 };
	dma_addr_t addr;
	unsigned int i;
	void *vaddr;

	begin();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		vaddr = alloc(sizes[i], &addr);
		ASSERT(vaddr && !is_vmalloc_addr(vaddr));
		EXPECT_EQ(dma_translate(addr), virt_to_phys(vaddr));
		EXPECT_EQ(dma_maps(), 1);
		expect_shared(vaddr, addr, sizes[i]);
		dma_kicks();
		release(sizes[i], vaddr, addr);
		EXPECT_EQ(dma_unmaps(), 1);
		EXPECT_EQ(dma_kicks(), 1);
		expect_nothing();
	}
	EXPECT_EQ(dma_pass(1000), 0);
	dma_end();
}

/* Out of single pages, which are mapped by one kick. */
static void test_scattered(void)
{
	dma_addr_t addr;
	unsigned int nr;
	void *vaddr;

	begin();
	scatter();
	for (nr = 2; nr <= NR; nr++) {
		dma_kicks();
		vaddr = alloc(nr * PAGE - 1, &addr);
		ASSERT(vaddr && is_vmalloc_addr(vaddr));
		EXPECT_EQ(dma_maps(), nr);
		EXPECT_EQ(dma_kicks(), 1);
		expect_shared(vaddr, addr, nr * PAGE);
		release(nr * PAGE - 1, vaddr, addr);
		EXPECT_EQ(dma_kicks(), 1);
		expect_nothing();
	}
	EXPECT_EQ(dma_pass(1000), 0);
	gather();
	dma_end();
}

/* Where the caller may not sleep, wants one piece, or cannot have less. */
static void test_not_scattered(void)
{
	dma_addr_t addr;

	begin();
	scatter();
	EXPECT(!viommu_dma_alloc(dev, 2 * PAGE, &addr, GFP_ATOMIC, 0));
	EXPECT(!viommu_dma_alloc(dev, 2 * PAGE, &addr, GFP_KERNEL, DMA_ATTR_FORCE_CONTIGUOUS));
	slab_control.fail_in = 1;
	EXPECT(!alloc(PAGE, &addr));
	EXPECT_EQ(slab_control.fail_in, 0);
	EXPECT(!viommu_dma_alloc_pages(dev, 2 * PAGE, &addr, DMA_TO_DEVICE, GFP_KERNEL));
	expect_nothing();
	gather();
	dma_end();
}

static void expect_gfp(size_t size, gfp_t gfp, unsigned long attrs, gfp_t want)
{
	dma_addr_t addr;
	void *vaddr = viommu_dma_alloc(dev, size, &addr, gfp, attrs);

	ASSERT(vaddr);
	EXPECT_EQ(memory_gfp, want);
	viommu_dma_free(dev, size, vaddr, addr, attrs);
}

/* From any place, without much ado where single pages will do as well. */
static void test_gfp(void)
{
	const gfp_t not = __GFP_COMP | __GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM;
	struct page *page;
	dma_addr_t addr;

	begin();
	expect_gfp(PAGE, GFP_KERNEL | not, 0, GFP_KERNEL | __GFP_ZERO);
	expect_gfp(2 * PAGE, GFP_KERNEL | not, 0,
		   GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY);
	expect_gfp(2 * PAGE, GFP_KERNEL, DMA_ATTR_FORCE_CONTIGUOUS, GFP_KERNEL | __GFP_ZERO);
	expect_gfp(2 * PAGE, GFP_ATOMIC | not, 0, GFP_ATOMIC | __GFP_ZERO);
	page = viommu_dma_alloc_pages(dev, PAGE, &addr, DMA_TO_DEVICE, GFP_ATOMIC);
	EXPECT_EQ(memory_gfp, GFP_ATOMIC | __GFP_ZERO);
	viommu_dma_free_pages(dev, PAGE, page, addr, DMA_TO_DEVICE);
	scatter();
	expect_gfp(2 * PAGE, GFP_KERNEL | not, 0, GFP_KERNEL | __GFP_ZERO);
	expect_nothing();
	gather();
	dma_end();
}

static void test_atomic(void)
{
	struct page *page;
	dma_addr_t addr;
	void *vaddr;

	begin();
	fake_cpu->irqs_off = true;
	vaddr = viommu_dma_alloc(dev, 5 * PAGE, &addr, GFP_ATOMIC, 0);
	ASSERT(vaddr);
	expect_shared(vaddr, addr, 5 * PAGE);
	release(5 * PAGE, vaddr, addr);
	expect_nothing();
	fake_cpu->irqs_off = false;
	dma_end();

	/* with nothing that was kept of a mapping */
	begin();
	fake_cpu->irqs_off = true;
	page = viommu_dma_alloc_pages(dev, 5 * PAGE, &addr, DMA_TO_DEVICE, GFP_ATOMIC);
	ASSERT(page);
	viommu_dma_free_pages(dev, 5 * PAGE, page, addr, DMA_TO_DEVICE);
	expect_nothing();
	fake_cpu->irqs_off = false;
	dma_end();
}

static void expect_below(u64 limit)
{
	struct page *page;
	dma_addr_t addr;
	void *vaddr;

	vaddr = alloc(2 * PAGE, &addr);
	EXPECT_EQ(!vaddr, limit < 3 * PAGE - 1);
	if (vaddr) {
		EXPECT(addr + 2 * PAGE - 1 <= limit);
		release(2 * PAGE, vaddr, addr);
	}
	/* which cannot be had where all is scattered */
	page = viommu_dma_alloc_pages(dev, PAGE, &addr, DMA_TO_DEVICE, GFP_KERNEL);
	EXPECT_EQ(!page, limit < 2 * PAGE - 1);
	if (page) {
		EXPECT(addr + PAGE - 1 <= limit);
		viommu_dma_free_pages(dev, PAGE, page, addr, DMA_TO_DEVICE);
	}
	expect_nothing();
}

/* The device's mask for this, not for streaming DMA, and its bus's limit. */
static void test_mask(void)
{
	unsigned int i;

	begin();
	for (i = 0; i < 2; i++) {
		dev->dma_mask = DMA_BIT_MASK(12);
		expect_below(DMA_BIT_MASK(32));
		dev->coherent_dma_mask = DMA_BIT_MASK(24);
		dev->dma_mask = DMA_BIT_MASK(64);
		expect_below(DMA_BIT_MASK(24));
		dev->bus_dma_limit = DMA_BIT_MASK(22);
		expect_below(DMA_BIT_MASK(22));
		dev->coherent_dma_mask = DMA_BIT_MASK(12);
		expect_below(DMA_BIT_MASK(12));
		dev->bus_dma_limit = 0;
		dev->coherent_dma_mask = DMA_BIT_MASK(64);
		if (!i)
			scatter();
	}
	gather();
	dma_end();
}

/* A MAP that the host refuses, the first or any other: nothing is left of it. */
static void test_refused(void)
{
	unsigned int behind;
	dma_addr_t addr;
	void *vaddr;

	begin();
	dma_refuse_map(0, VIRTIO_IOMMU_S_NOMEM);
	EXPECT(!alloc(5 * PAGE, &addr));
	expect_nothing();
	dma_refuse_map(0, VIRTIO_IOMMU_S_NOMEM);
	EXPECT(!viommu_dma_alloc_pages(dev, 5 * PAGE, &addr, DMA_TO_DEVICE, GFP_KERNEL));
	expect_nothing();
	scatter();
	for (behind = 0; behind < NR; behind++) {
		dma_refuse_map(behind, VIRTIO_IOMMU_S_NOMEM);
		EXPECT(!alloc(NR * PAGE, &addr));
		expect_nothing();
	}
	vaddr = alloc(NR * PAGE, &addr);
	ASSERT(vaddr);
	release(NR * PAGE, vaddr, addr);
	gather();
	dma_end();
}

/* Somebody has mapped something at any of the pages' IOVAs: that stays, and nothing else. */
static void test_somebody_elses(void)
{
	dma_addr_t addr, iova;
	unsigned int i;
	void *vaddr;

	begin();
	for (i = 0; i < 2 * NR; i++) {
		if (i == NR)
			scatter();
		iova = dma_next_iova(NR * PAGE);
		dma_map_at(iova + i % NR * PAGE, PAGE, IOMMU_READ);
		EXPECT(!alloc(NR * PAGE, &addr));
		EXPECT_EQ(dma_translate(iova + i % NR * PAGE), MEMORY_START);
		EXPECT_EQ(iommu.nr_mappings, 1);
		EXPECT_EQ(memory_pages, nr_held);
		EXPECT_EQ(dma_iovas(), NR);
		vaddr = alloc(NR * PAGE, &addr);
		ASSERT(vaddr);
		EXPECT(addr != iova);
		release(NR * PAGE, vaddr, addr);
		dma_unmap_at(iova + i % NR * PAGE, PAGE);
		viommu_space_give(fake_space, iova, NR * PAGE);
		/* nothing is left there */
		vaddr = alloc(NR * PAGE, &addr);
		ASSERT(vaddr);
		EXPECT_EQ(addr, iova);
		release(NR * PAGE, vaddr, addr);
		expect_nothing();
	}
	gather();
	dma_end();
}

/* One allocation fails, in a new machine. Return: whether there were so many. */
static bool fail_one(unsigned int nth, size_t size, bool scattered)
{
	dma_addr_t addr;
	void *vaddr;
	bool failed;

	begin();
	/* so that there are no other IOVAs */
	dev->coherent_dma_mask = DMA_BIT_MASK(32);
	if (scattered)
		scatter();
	slab_control.fail_in = nth;
	vaddr = alloc(size, &addr);
	failed = !slab_control.fail_in;
	slab_control.fail_in = 0;
	EXPECT_EQ(!vaddr, failed);
	if (vaddr)
		release(size, vaddr, addr);
	expect_nothing();
	if (scattered)
		gather();
	dma_end();
	return failed;
}

static void test_no_memory(void)
{
	dma_addr_t addr;
	unsigned int i;
	void *vaddr;

	/* the page, IOVAs, and the mapping */
	for (i = 1; fail_one(i, PAGE, false); i++)
		;
	EXPECT_EQ(i - 1, 3);
	/* the pages, what they are noted in, IOVAs, their mappings, and the CPU's addresses */
	for (i = 1; fail_one(i, NR * PAGE, true); i++)
		;
	EXPECT_EQ(i - 1, 2 * NR + 3);

	begin();
	dev->coherent_dma_mask = DMA_BIT_MASK(32);
	for (i = 1; i <= 3; i++) {
		slab_control.fail_in = i;
		EXPECT(!viommu_dma_alloc_pages(dev, PAGE, &addr, DMA_TO_DEVICE, GFP_KERNEL));
		EXPECT_EQ(slab_control.fail_in, 0);
		expect_nothing();
	}
	/* there is none in one piece */
	slab_control.fail_in = 1;
	vaddr = alloc(2 * PAGE, &addr);
	ASSERT(vaddr && is_vmalloc_addr(vaddr));
	release(2 * PAGE, vaddr, addr);
	expect_nothing();
	dma_end();
}

static void test_pages(void)
{
	static const size_t sizes[] = { 1, PAGE, 5000, 3 * PAGE, 5 * PAGE };
	unsigned int dir, i;
	struct page *page;
	dma_addr_t addr;

	begin();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (dir = 0; dir < 3; dir++) {
			page = viommu_dma_alloc_pages(dev, sizes[i], &addr, dir, GFP_KERNEL);
			ASSERT(page);
			EXPECT_EQ(memory_pages, 1 << get_order(sizes[i]));
			EXPECT_EQ(dma_translate(addr), page_to_phys(page));
			EXPECT_EQ(dma_readable(addr, sizes[i]), dir != DMA_FROM_DEVICE);
			EXPECT_EQ(dma_writable(addr, sizes[i]), dir != DMA_TO_DEVICE);
			EXPECT(!dma_translate(addr + PAGE_ALIGN(sizes[i])));
			EXPECT(cpu_sees(page_address(page), 0, PAGE << get_order(sizes[i])));
			EXPECT_EQ(dma_maps(), 1);
			dma_kicks();
			viommu_dma_free_pages(dev, sizes[i], page, addr, dir);
			EXPECT_EQ(dma_kicks(), 1);
			expect_nothing();
		}
	}
	EXPECT_EQ(dma_pass(1000), 0);
	dma_end();
}

static struct page *page_of(void *vaddr)
{
	return is_vmalloc_addr(vaddr) ? vmalloc_to_page(vaddr) : virt_to_page(vaddr);
}

static int map_process(void *vaddr, dma_addr_t addr, unsigned long first, unsigned long nr,
		       unsigned long *pfns)
{
	struct vm_area_struct vma = {
		.vm_start = 0x10000, .vm_end = 0x10000 + nr * PAGE, .vm_pgoff = first,
		.vm_page_prot = 5, .pfns = pfns,
	};

	return viommu_dma_mmap(dev, &vma, vaddr, addr, NR * PAGE - 1, 0);
}

/* Into a process: any pages of it, and none behind them. */
static void test_mmap(void)
{
	unsigned long pfns[NR], first, nr;
	unsigned int i, j;
	dma_addr_t addr;
	void *vaddr;

	begin();
	for (i = 0; i < 2; i++) {
		vaddr = alloc(NR * PAGE - 1, &addr);
		ASSERT(vaddr);
		EXPECT_EQ(is_vmalloc_addr(vaddr), i);
		for (first = 0; first <= NR; first++) {
			for (nr = 1; nr <= NR - first; nr++) {
				EXPECT_EQ(map_process(vaddr, addr, first, nr, pfns), 0);
				for (j = 0; j < nr; j++)
					EXPECT_EQ(pfns[j], page_to_pfn(page_of(vaddr + (first + j) *
									       PAGE)));
			}
			EXPECT_EQ(map_process(vaddr, addr, first, nr, pfns), -ENXIO);
		}
		EXPECT_EQ(map_process(vaddr, addr, -1UL, 2, pfns), -ENXIO);
		slab_control.fail_in = i + 1;
		EXPECT_EQ(map_process(vaddr, addr, 0, 3, pfns), -ENOMEM);
		EXPECT_EQ(slab_control.fail_in, 0);
		release(NR * PAGE - 1, vaddr, addr);
		if (!i)
			scatter();
	}
	gather();
	dma_end();
}

static void test_sgtable(void)
{
	struct sg_table table;
	dma_addr_t addr;
	unsigned int i, j;
	void *vaddr;

	begin();
	for (i = 0; i < 2; i++) {
		vaddr = alloc(NR * PAGE - 1, &addr);
		ASSERT(vaddr);
		EXPECT_EQ(is_vmalloc_addr(vaddr), i);
		for (j = 1; j <= 2; j++) {
			slab_control.fail_in = j;
			EXPECT_EQ(viommu_dma_get_sgtable(dev, &table, vaddr, addr, NR * PAGE - 1,
							 0), -ENOMEM);
			EXPECT_EQ(slab_control.fail_in, 0);
		}
		ASSERT(!viommu_dma_get_sgtable(dev, &table, vaddr, addr, NR * PAGE - 1, 0));
		EXPECT_EQ(table.nents, NR);
		for (j = 0; j < NR; j++) {
			EXPECT(sg_page(&table.sgl[j]) == page_of(vaddr + j * PAGE));
			EXPECT_EQ(table.sgl[j].length, j < NR - 1 ? PAGE : PAGE - 1);
		}
		sg_free_table(&table);
		release(NR * PAGE - 1, vaddr, addr);
		if (!i)
			scatter();
	}
	gather();
	dma_end();
}

static const struct test_case cases[] = {
	{ "memory in one piece", test_one_piece },
	{ "memory out of single pages", test_scattered },
	{ "memory that is not to be scattered", test_not_scattered },
	{ "how the pages are asked for", test_gfp },
	{ "memory where nobody may sleep", test_atomic },
	{ "memory that the device can reach", test_mask },
	{ "a MAP that the host refuses", test_refused },
	{ "what somebody else has mapped", test_somebody_elses },
	{ "no memory", test_no_memory },
	{ "pages, and which way their data go", test_pages },
	{ "memory in a process", test_mmap },
	{ "memory as a scatterlist", test_sgtable },
};

TEST_SUITE(alloc, cases);
