// SPDX-License-Identifier: GPL-2.0
/*
 * IOVAs: which ones are handed out, and when they are free again.
 */
#include <linux/err.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "fake_dma.h"

#define PHYS		MEMORY_START
#define RW		(IOMMU_READ | IOMMU_WRITE)
#define LAZY_JIFFIES	(HZ / 100)
#define ANY		DMA_BIT_MASK(64)
#define TOP		16	/* pages that nobody gets */

static dma_addr_t map(phys_addr_t phys, size_t size)
{
	return viommu_space_map(fake_space, phys, size, RW, ANY, GFP_ATOMIC);
}

static void test_strict(void)
{
	static const size_t sizes[] = { 1, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE };
	dma_addr_t addr;
	unsigned int i, offset;
	unsigned long pages;

	dma_begin(IOMMU_DOMAIN_DMA);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (offset = 0; offset < PAGE; offset += PAGE - 1) {
			pages = (offset + sizes[i] + PAGE - 1) / PAGE;
			addr = map(PHYS + offset, sizes[i]);
			ASSERT(addr != DMA_MAPPING_ERROR);
			EXPECT_EQ(addr % PAGE, offset);
			EXPECT_EQ(dma_translate(addr), PHYS + offset);
			EXPECT_EQ(dma_translate(addr + sizes[i] - 1), PHYS + offset + sizes[i] - 1);
			EXPECT(!dma_translate(addr - offset + pages * PAGE));
			EXPECT(!dma_translate(addr - offset - 1));
			EXPECT(dma_readable(addr, sizes[i]) && dma_writable(addr, sizes[i]));
			EXPECT_EQ(dma_iovas(), pages);
			EXPECT_EQ(dma_maps(), 1);
			EXPECT_EQ(dma_kicks(), 1);
			viommu_space_unmap(fake_space, addr, sizes[i]);
			EXPECT(!dma_translate(addr));
			EXPECT_EQ(dma_iovas(), 0);
			EXPECT_EQ(dma_unmaps(), 1);
			EXPECT_EQ(dma_kicks(), 1);
		}
	}
	EXPECT_EQ(dma_pass(100), 0);
	dma_end();
}

static void test_prot(void)
{
	dma_addr_t addr;

	dma_begin(IOMMU_DOMAIN_DMA);
	addr = viommu_space_map(fake_space, PHYS, PAGE, IOMMU_READ, ANY, GFP_ATOMIC);
	EXPECT(dma_readable(addr, PAGE) && !dma_writable(addr, PAGE));
	viommu_space_unmap(fake_space, addr, PAGE);
	addr = viommu_space_map(fake_space, PHYS, PAGE, IOMMU_WRITE, ANY, GFP_ATOMIC);
	EXPECT(!dma_readable(addr, PAGE) && dma_writable(addr, PAGE));
	viommu_space_unmap(fake_space, addr, PAGE);
	dma_end();
}

/* Ten milliseconds after the first one all are gone, by one kick. */
static void test_lazy(void)
{
	dma_addr_t addrs[3];
	unsigned int i;

	dma_begin(IOMMU_DOMAIN_DMA_FQ);
	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		addrs[i] = map(PHYS + 2 * i * PAGE, 2 * PAGE);
	dma_kicks();
	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		viommu_space_unmap(fake_space, addrs[i], 2 * PAGE);
	EXPECT_EQ(dma_pass(LAZY_JIFFIES - 1), 0);
	EXPECT_EQ(dma_kicks(), 0);
	EXPECT_EQ(dma_iovas(), 6);
	EXPECT_EQ(dma_pass(1), 1);
	EXPECT_EQ(dma_kicks(), 1);
	EXPECT_EQ(dma_iovas(), 0);
	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		EXPECT(!dma_translate(addrs[i]));
	EXPECT_EQ(dma_pass(1000), 0);

	addrs[0] = map(PHYS, PAGE);
	dma_kicks();
	viommu_space_unmap_now(fake_space, addrs[0], PAGE);
	EXPECT(!dma_translate(addrs[0]));
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(dma_kicks(), 1);

	addrs[0] = map(PHYS, PAGE);
	viommu_space_unmap(fake_space, addrs[0], PAGE);
	viommu_space_free(fake_space);
	fake_space = NULL;
	EXPECT(!dma_translate(addrs[0]));
	dma_end();
}

/* Whoever finds no room does not wait for the time. */
static void test_full(void)
{
	static dma_addr_t addrs[VIOMMU_SPACE_LAZY + 1];
	unsigned int i, round;

	dma_begin(IOMMU_DOMAIN_DMA_FQ);
	for (round = 0; round < 3; round++) {
		for (i = 0; i <= VIOMMU_SPACE_LAZY; i++)
			addrs[i] = map(PHYS + 2 * i * PAGE, PAGE);
		dma_kicks();
		for (i = 0; i < VIOMMU_SPACE_LAZY; i++)
			viommu_space_unmap(fake_space, addrs[i], PAGE);
		EXPECT_EQ(dma_kicks(), 0);
		EXPECT_EQ(dma_iovas(), VIOMMU_SPACE_LAZY + 1);
		viommu_space_unmap(fake_space, addrs[i], PAGE);
		EXPECT(dma_kicks() > 0);
		EXPECT_EQ(dma_iovas(), 0);
		for (i = 0; i <= VIOMMU_SPACE_LAZY; i++)
			EXPECT(!dma_translate(addrs[i]));
	}
	EXPECT_EQ(dma_pass(1000), 1);
	EXPECT_EQ(dma_kicks(), 0);
	dma_end();
}

static dma_addr_t late;

static void unmap_late(void)
{
	fake.on_notify = NULL;
	viommu_space_unmap(fake_space, late, PAGE);
}

/* What was unmapped while a flush was under way waits for the next one, which comes. */
static void test_during_flush(void)
{
	dma_addr_t addr;

	dma_begin(IOMMU_DOMAIN_DMA_FQ);
	addr = map(PHYS, PAGE);
	late = map(PHYS + 8 * PAGE, PAGE);
	viommu_space_unmap(fake_space, addr, PAGE);
	fake.on_notify = unmap_late;
	EXPECT_EQ(dma_pass(LAZY_JIFFIES), 1);
	EXPECT(!fake.on_notify);
	EXPECT(!dma_translate(addr));
	EXPECT_EQ(dma_translate(late), PHYS + 8 * PAGE);
	EXPECT_EQ(dma_iovas(), 1);
	EXPECT_EQ(dma_pass(LAZY_JIFFIES), 1);
	EXPECT(!dma_translate(late));
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(dma_pass(1000), 0);
	dma_end();
}

static dma_addr_t early;

/* An interrupt, when the flush has done all but to say so. */
static void flush_within(void)
{
	unsigned int i;

	if (dma_translate(early) || fake_cpu->irqs_off)
		return;
	fake.on_step = NULL;
	for (i = 0; i < VIOMMU_SPACE_LAZY; i++)
		viommu_space_unmap(fake_space, map(PHYS, PAGE), PAGE);
	EXPECT_EQ(fake_space->done, 2);
	/* but for the last one itself, which goes at once */
	EXPECT_EQ(dma_iovas(), 0);
}

/* A flush ends before one that began earlier. */
static void test_overtaken(void)
{
	dma_begin(IOMMU_DOMAIN_DMA_FQ);
	early = map(PHYS, PAGE);
	viommu_space_unmap(fake_space, early, PAGE);
	fake.on_step = flush_within;
	dma_pass(LAZY_JIFFIES);
	EXPECT(!fake.on_step);
	EXPECT_EQ(fake_space->started, 2);
	EXPECT_EQ(fake_space->done, 2);
	dma_end();
}

/* Devices that are limited get what they can use, or nothing; others that as well first. */
static void test_mask(void)
{
	static const unsigned int bits[] = { 13, 16, 24, 31, 32, 33, 40, 64 };
	dma_addr_t iova;
	unsigned int i;

	dma_begin(IOMMU_DOMAIN_DMA);
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		iova = viommu_space_take(fake_space, PAGE, DMA_BIT_MASK(bits[i]));
		ASSERT(iova != DMA_MAPPING_ERROR);
		EXPECT(iova && iova + PAGE - 1 <= DMA_BIT_MASK(bits[i]));
		EXPECT(iova + PAGE - 1 <= DMA_BIT_MASK(32));
		viommu_space_give(fake_space, iova, PAGE);
	}
	EXPECT_EQ(viommu_space_take(fake_space, PAGE, DMA_BIT_MASK(12)), DMA_MAPPING_ERROR);
	/* A page is at 0, another one is what there is. */
	iova = viommu_space_take(fake_space, PAGE, DMA_BIT_MASK(13));
	EXPECT_EQ(iova, PAGE);
	EXPECT_EQ(viommu_space_take(fake_space, PAGE, DMA_BIT_MASK(13)), DMA_MAPPING_ERROR);
	EXPECT_EQ(map(PHYS, 1) & ~0xfff, DMA_BIT_MASK(32) + 1 - (TOP + 1) * PAGE);
	viommu_space_unmap(fake_space, DMA_BIT_MASK(32) + 1 - (TOP + 1) * PAGE, 1);
	viommu_space_give(fake_space, iova, PAGE);
	dma_end();
}

/* Where there are none left below 4 GiB. */
static void test_above(void)
{
	dma_addr_t iovas[8];
	unsigned int nr = 0;

	dma_begin(IOMMU_DOMAIN_DMA);
	do {
		ASSERT(nr < ARRAY_SIZE(iovas));
		iovas[nr] = viommu_space_take(fake_space, SZ_1G, ANY);
		ASSERT(iovas[nr] != DMA_MAPPING_ERROR);
		EXPECT_EQ(iovas[nr] % SZ_1G, 0);
	} while (iovas[nr++] <= DMA_BIT_MASK(32));
	EXPECT_EQ(nr, 3);
	EXPECT(iovas[nr - 1] + SZ_1G - 1 <= iommu.input_last);
	EXPECT_EQ(viommu_space_take(fake_space, SZ_1G, DMA_BIT_MASK(32)), DMA_MAPPING_ERROR);
	while (nr--)
		viommu_space_give(fake_space, iovas[nr], SZ_1G);
	dma_end();
}

/* The host's range has an end, and may have a begin. */
static void test_input_range(void)
{
	dma_addr_t iovas[64];
	unsigned int nr = 0;

	iommu.input_start = 0x100000;
	iommu.input_last = 0x13ffff;
	dma_begin(IOMMU_DOMAIN_DMA);
	while ((iovas[nr] = viommu_space_take(fake_space, PAGE, ANY)) != DMA_MAPPING_ERROR) {
		EXPECT(iovas[nr] >= 0x100000 && iovas[nr] + PAGE - 1 <= 0x13ffff);
		nr++;
	}
	/* Below what is both the end of the range and of what 32 bits can have. */
	EXPECT_EQ(nr, 64 - 2 * TOP);
	EXPECT_EQ(iovas[0], 0x140000 - (2 * TOP + 1) * PAGE);
	while (nr--)
		viommu_space_give(fake_space, iovas[nr], PAGE);
	dma_end();
}

static void expect_reserved(u64 start, u64 last)
{
	EXPECT(dma_is_reserved(start));
	EXPECT(dma_is_reserved(start + (last - start) / 2));
	EXPECT(dma_is_reserved(last));
	if (start > PAGE)
		EXPECT(!dma_is_reserved(start - 1));
	if (last < iommu.input_last)
		EXPECT(!dma_is_reserved(last + 1));
}

/* What the host reserves, interrupts, what somebody has mapped, and some at the top. */
static void test_reserved(void)
{
	iommu.input_last = U64_MAX;
	iommu.endpoints[0].nr_regions = 2;
	iommu.endpoints[0].regions[0] = (struct fake_region){ .start = 0x8000000,
							      .last = 0x80fffff };
	iommu.endpoints[0].regions[1] = (struct fake_region){ .subtype = 1, .start = 0x9000000,
							      .last = 0x9000fff };
	dma_begin_domain(IOMMU_DOMAIN_DMA);
	dma_map_at(0x10000, PAGE, RW);
	dma_map_at(0x7000000, 3 * PAGE, RW);
	dma_map_at(-PAGE, PAGE, RW);
	fake_space = viommu_space_alloc(fake_domain, fake_device());
	ASSERT(fake_space);
	expect_reserved(0, PAGE - 1);
	expect_reserved(0x10000, 0x10fff);
	expect_reserved(0x7000000, 0x7002fff);
	expect_reserved(0x8000000, 0x80fffff);
	expect_reserved(0x9000000, 0x9000fff);
	expect_reserved(0xfee00000, 0xfeefffff);
	expect_reserved(DMA_BIT_MASK(32) + 1 - TOP * PAGE, DMA_BIT_MASK(32));
	/* below the one that was mapped */
	expect_reserved(-(TOP + 1) * PAGE, U64_MAX);
	dma_unmap_at(0x10000, PAGE);
	dma_unmap_at(0x7000000, 3 * PAGE);
	dma_unmap_at(-PAGE, PAGE);
	dma_end();
}

#define NR_WINDOWS	6

static struct resource resources[NR_WINDOWS];
static struct resource_entry entries[NR_WINDOWS];

static void window(unsigned int i, struct list_head *list, unsigned long flags, u64 start,
		   u64 last, u64 offset)
{
	resources[i] = (struct resource){ .start = start, .end = last, .flags = flags };
	entries[i].res = &resources[i];
	entries[i].offset = offset;
	list_add_tail(&entries[i].node, list);
}

static struct pci_host_bridge bridge;
static struct pci_bus bus = { .bridge = &bridge };

static void begin_bridge(void)
{
	INIT_LIST_HEAD(&bridge.windows);
	INIT_LIST_HEAD(&bridge.dma_ranges);
	fake_pci.bus = &bus;
	dma_begin(IOMMU_DOMAIN_DMA);
}

/* As the bus has them, not the CPU. */
static void test_windows(void)
{
	begin_bridge();
	window(0, &bridge.windows, IORESOURCE_IO, 0x1000, 0xffff, 0);
	window(1, &bridge.windows, IORESOURCE_MEM, 0x80000000, 0x8fffffff, 0);
	window(2, &bridge.windows, IORESOURCE_MEM, 0x7010000000, 0x7010ffffff, 0x7000000000);
	window(3, &bridge.windows, IORESOURCE_MEM, 0x8000000000, 0x3ffffffffff, 0);
	/* the one begins, the other ends in what is left out already */
	window(4, &bridge.windows, IORESOURCE_MEM, 0x88000000, 0x97ffffff, 0);
	window(5, &bridge.windows, IORESOURCE_MEM, 0x78000000, 0x87ffffff, 0);
	viommu_space_admit(fake_space, fake_device());
	/* no PCI device */
	EXPECT(!dma_is_reserved(0x80000000));

	fake_device()->is_pci = true;
	viommu_space_admit(fake_space, fake_device());
	EXPECT(!dma_is_reserved(0x2000));
	expect_reserved(0x78000000, 0x97ffffff);
	expect_reserved(0x10000000, 0x10ffffff);
	/* which goes on where the host's range ends, and some at the top are kept */
	EXPECT(dma_is_reserved(0x8000000000) && dma_is_reserved(0xffffffffff));
	EXPECT(!dma_is_reserved(0x7fffffffff));
	dma_end();
}

/* Those of the first device are left out before there is anything at the top. */
static void test_windows_top(void)
{
	INIT_LIST_HEAD(&bridge.windows);
	INIT_LIST_HEAD(&bridge.dma_ranges);
	fake_pci.bus = &bus;
	fake_device()->is_pci = true;
	window(0, &bridge.windows, IORESOURCE_MEM, 0xffff0000, 0xffffffff, 0);
	dma_begin(IOMMU_DOMAIN_DMA);
	expect_reserved(0xffff0000 - TOP * PAGE, 0xffffffff);
	dma_end();
}

/* A device that comes later brings regions of its own. */
static void test_admit_regions(void)
{
	static const u32 ids[CORE_IDS] = { 2 };
	static struct device other = { .name = "other" };
	struct viommu_master *master;
	dma_addr_t iova, addr;

	dma_begin(IOMMU_DOMAIN_DMA);
	iova = dma_next_iova(PAGE);
	iommu.nr_endpoints = 2;
	iommu.endpoints[1].id = 2;
	iommu.endpoints[1].nr_regions = 1;
	iommu.endpoints[1].regions[0] = (struct fake_region){ .start = iova - PAGE,
							      .last = iova + PAGE - 1 };
	master = core_plug(&other, ids);
	ASSERT(!viommu_domain_attach(fake_domain, master));
	/* nobody has left it out yet: an error, and the IOVA is not tried again */
	EXPECT_EQ(map(PHYS, PAGE), DMA_MAPPING_ERROR);
	EXPECT_EQ(dma_iovas(), 1);
	EXPECT(!viommu_space_admit(fake_space, &other));
	EXPECT(dma_is_reserved(iova - PAGE));
	addr = map(PHYS, PAGE);
	EXPECT_EQ(addr, iova - 2 * PAGE);
	viommu_space_unmap(fake_space, addr, PAGE);
	viommu_space_give(fake_space, iova, PAGE);
	EXPECT_EQ(viommu_domain_attach(&viommu.blocking, master), 0);
	core_unplug(master);
	dma_end();
}

/* What a bridge takes from devices, where it says so: only that. */
static void test_dma_ranges(void)
{
	begin_bridge();
	fake_device()->is_pci = true;
	window(0, &bridge.dma_ranges, IORESOURCE_MEM, 0x40000000, 0x4fffffff, 0x20000000);
	window(1, &bridge.dma_ranges, IORESOURCE_MEM, 0x80000000, 0x9fffffff, 0);
	window(2, &bridge.dma_ranges, IORESOURCE_MEM, 0xa0000000, 0xa0ffffff, 0);
	viommu_space_admit(fake_space, fake_device());
	EXPECT(dma_is_reserved(0x1fffffff) && dma_is_reserved(PAGE));
	EXPECT(!dma_is_reserved(0x20000000) && !dma_is_reserved(0x2fffffff));
	EXPECT(dma_is_reserved(0x30000000) && dma_is_reserved(0x7fffffff));
	EXPECT(!dma_is_reserved(0x80000000) && !dma_is_reserved(0x9fffffff));
	EXPECT(!dma_is_reserved(0xa0000000) && !dma_is_reserved(0xa0ffffff));
	EXPECT(dma_is_reserved(0xa1000000) && dma_is_reserved(0xffffffff));
	EXPECT(dma_is_reserved(0x100000000));
	dma_end();
}

/* All of them, and a range up to the last address that there is. */
static void test_dma_ranges_all(void)
{
	begin_bridge();
	fake_device()->is_pci = true;
	window(0, &bridge.dma_ranges, IORESOURCE_MEM, 0, U64_MAX, 0);
	viommu_space_admit(fake_space, fake_device());
	EXPECT(!dma_is_reserved(PAGE) && !dma_is_reserved(0x20000000));
	EXPECT(!dma_is_reserved(0x100000000));
	dma_end();
}

/* The host's range has nothing for 32 bits. */
static void test_input_high(void)
{
	dma_addr_t iova;

	iommu.input_start = 0x200000000;
	dma_begin(IOMMU_DOMAIN_DMA);
	iova = viommu_space_take(fake_space, PAGE, ANY);
	EXPECT(iova >= 0x200000000 && iova != DMA_MAPPING_ERROR);
	viommu_space_give(fake_space, iova, PAGE);
	EXPECT_EQ(viommu_space_take(fake_space, PAGE, DMA_BIT_MASK(32)), DMA_MAPPING_ERROR);
	dma_end();
}

/* A bridge's ranges that there was no memory to leave out. */
static void test_admit_no_memory(void)
{
	unsigned int i, failed, kept;

	begin_bridge();
	fake_device()->is_pci = true;
	window(0, &bridge.windows, IORESOURCE_MEM, 0x10000000, 0x10ffffff, 0);
	window(1, &bridge.dma_ranges, IORESOURCE_MEM, 0x20000, 0x4fffffff, 0);
	window(2, &bridge.dma_ranges, IORESOURCE_MEM, 0x80000000, 0x9fffffff, 0);
	for (i = 1, failed = 1; failed; i++) {
		slab_control.fail_in = i;
		failed = viommu_space_admit(fake_space, fake_device()) == -ENOMEM;
		EXPECT_EQ(!slab_control.fail_in, failed);
	}
	/* each of the four takes two, but those that an earlier try had left out already */
	EXPECT_EQ(i - 2, 4);
	slab_control.fail_in = 0;
	kept = fake_space->nr_kept;
	EXPECT(!viommu_space_admit(fake_space, fake_device()));
	EXPECT_EQ(fake_space->nr_kept, kept);
	dma_end();
}

static void test_alloc_no_memory(void)
{
	unsigned int i;

	iommu.endpoints[0].nr_regions = 1;
	iommu.endpoints[0].regions[0] = (struct fake_region){ .start = 0x8000000,
							      .last = 0x80fffff };
	dma_begin_domain(IOMMU_DOMAIN_DMA);
	dma_map_at(0x10000, PAGE, RW);
	/* itself, two caches, and twice the host's region, MSIs, what is mapped */
	for (i = 1; i <= 9; i++) {
		slab_control.fail_in = i;
		EXPECT(!viommu_space_alloc(fake_domain, fake_device()));
		EXPECT_EQ(slab_control.fail_in, 0);
	}
	/* one of those that are kept at the top */
	slab_control.fail_in = i;
	fake_space = viommu_space_alloc(fake_domain, fake_device());
	ASSERT(fake_space);
	EXPECT(dma_is_reserved(DMA_BIT_MASK(32) - (TOP - 2) * PAGE));
	EXPECT(!dma_is_reserved(DMA_BIT_MASK(32) - (TOP - 1) * PAGE));
	dma_unmap_at(0x10000, PAGE);
	dma_end();
}

static void test_map_no_memory(void)
{
	unsigned int i;
	dma_addr_t addr;

	dma_begin(IOMMU_DOMAIN_DMA_FQ);
	/* of the IOVAs, and of the mapping */
	for (i = 1; i <= 2; i++) {
		slab_control.fail_in = i;
		addr = viommu_space_map(fake_space, PHYS, 3 * PAGE, RW, DMA_BIT_MASK(32),
					GFP_ATOMIC);
		EXPECT_EQ(addr, DMA_MAPPING_ERROR);
		EXPECT_EQ(slab_control.fail_in, 0);
		EXPECT_EQ(dma_iovas(), 0);
		EXPECT_EQ(dma_maps(), 0);
	}
	/* There was none below 4 GiB. */
	slab_control.fail_in = 1;
	addr = map(PHYS, 3 * PAGE);
	EXPECT(addr > DMA_BIT_MASK(32) && dma_writable(addr, 3 * PAGE));
	viommu_space_unmap_now(fake_space, addr, 3 * PAGE);
	dma_end();
}

/* A lazy domain's, too: nothing was ever seen of it. */
static void test_refused(void)
{
	dma_begin(IOMMU_DOMAIN_DMA_FQ);
	dma_refuse_map(0, VIRTIO_IOMMU_S_NOMEM);
	EXPECT_EQ(map(PHYS, 3 * PAGE), DMA_MAPPING_ERROR);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(iommu.nr_mappings, 0);
	/* where nothing may be mapped */
	EXPECT_EQ(viommu_space_map(fake_space, PHYS, PAGE, 0, ANY, GFP_ATOMIC), DMA_MAPPING_ERROR);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(dma_pass(1000), 0);
	dma_end();
}

/* What somebody else has mapped stays, and its IOVA is not tried again. */
static void test_somebody_elses(void)
{
	dma_addr_t addr, other;

	dma_begin(IOMMU_DOMAIN_DMA);
	other = dma_next_iova(PAGE);
	dma_map_at(other, PAGE, RW);
	EXPECT_EQ(map(PHYS + PAGE, PAGE), DMA_MAPPING_ERROR);
	EXPECT_EQ(dma_translate(other), MEMORY_START);
	addr = map(PHYS + PAGE, PAGE);
	EXPECT(addr != DMA_MAPPING_ERROR && addr != other);
	viommu_space_unmap(fake_space, addr, PAGE);
	EXPECT_EQ(iommu.nr_mappings, 1);
	dma_unmap_at(other, PAGE);
	/* the one that was given up */
	viommu_space_give(fake_space, other, PAGE);
	dma_end();
}

/* Why, and whether its IOVAs are free again. */
static const struct {
	int ret;
	bool given;
} failures[] = {
	{ -ENOMEM, true }, { -EIO, true }, { -ERANGE, true }, { -EINVAL, true },
	{ -EEXIST, false }, { -EBUSY, false }, { -EADDRNOTAVAIL, false },
};

/* After what failed half-way, be it that the device has heard of the first half. */
static void test_undo(void)
{
	unsigned int i, added;
	dma_addr_t iova;

	dma_begin(IOMMU_DOMAIN_DMA_FQ);
	for (i = 0; i < ARRAY_SIZE(failures); i++) {
		for (added = 0; added < 3; added++) {
			iova = viommu_space_take(fake_space, 3 * PAGE, ANY);
			ASSERT(iova != DMA_MAPPING_ERROR);
			if (added) {
				ASSERT(!viommu_space_add(fake_space, iova, PHYS, added * PAGE, RW,
							 GFP_ATOMIC));
				ASSERT(!viommu_space_sync(fake_space, iova, added * PAGE));
			}
			/* what is in the way */
			if (!failures[i].given)
				dma_map_at(iova + added * PAGE, PAGE, RW);
			dma_kicks();
			viommu_space_undo(fake_space, iova, 3 * PAGE, added * PAGE,
					  failures[i].ret);
			EXPECT_EQ(dma_kicks(), !!added);
			EXPECT_EQ(dma_iovas(), failures[i].given ? 0 : 3);
			EXPECT_EQ(iommu.nr_mappings, !failures[i].given);
			if (failures[i].given)
				continue;
			EXPECT_EQ(dma_translate(iova + added * PAGE), MEMORY_START);
			dma_unmap_at(iova + added * PAGE, PAGE);
			viommu_space_give(fake_space, iova, 3 * PAGE);
		}
	}
	EXPECT_EQ(dma_pass(1000), 0);
	dma_end();
}

/* Whose mappings they are that nobody has left out shows by what may be done there. */
static void test_forgotten_registers(void)
{
	static const int prots[] = {
		IOMMU_WRITE, RW | IOMMU_MMIO, IOMMU_READ | IOMMU_MMIO, IOMMU_READ,
	};
	unsigned int i;

	dma_begin(IOMMU_DOMAIN_DMA_FQ);
	for (i = 0; i < ARRAY_SIZE(prots); i++)
		dma_map_at(0x20000 + i * PAGE, PAGE, prots[i]);
	/* interrupts, before and behind them */
	dma_map_at(0x10000, PAGE, IOMMU_WRITE | IOMMU_MMIO);
	dma_map_at(0x30000, PAGE, IOMMU_WRITE | IOMMU_MMIO);
	EXPECT_EQ(viommu_space_free(fake_space), ARRAY_SIZE(prots));
	fake_space = NULL;
	EXPECT_EQ(iommu.nr_mappings, 2);
	EXPECT(dma_translate(0x10000) && dma_translate(0x30000));
	dma_unmap_at(0x10000, PAGE);
	dma_unmap_at(0x30000, PAGE);
	dma_end();
}

/* What a driver has forgotten is unmapped, and nothing else. */
static void test_forgotten(void)
{
	iommu.input_last = U64_MAX;
	dma_begin_domain(IOMMU_DOMAIN_DMA_FQ);
	dma_map_at(0x10000, PAGE, RW);
	dma_map_at(-PAGE, PAGE, RW);
	fake_space = viommu_space_alloc(fake_domain, fake_device());
	ASSERT(fake_space);
	EXPECT(map(PHYS, PAGE) != DMA_MAPPING_ERROR);
	EXPECT(map(PHYS, 3 * PAGE) != DMA_MAPPING_ERROR);
	viommu_space_unmap(fake_space, map(PHYS, PAGE), PAGE);
	EXPECT_EQ(viommu_space_free(fake_space), 2);
	EXPECT_EQ(iommu.nr_mappings, 2);
	EXPECT_EQ(dma_translate(0x10000), MEMORY_START);
	EXPECT_EQ(dma_translate(-PAGE), MEMORY_START);
	fake_space = NULL;
	dma_unmap_at(0x10000, PAGE);
	dma_unmap_at(-PAGE, PAGE);
	dma_end();
}

#define BUFFERS		40

static struct {
	dma_addr_t addr;
	size_t size;
} buffers[FAKE_CPUS][BUFFERS];

static void run_random(unsigned int cpu)
{
	unsigned int i, j;

	for (i = 0; i < 400; i++) {
		phys_addr_t phys = PHYS + ((u64)cpu << 20);

		if (cpu == FAKE_CPUS - 1) {
			dma_pass(1);
			fake_yield();
			continue;
		}
		j = test_below(BUFFERS);
		if (buffers[cpu][j].size) {
			EXPECT_EQ(dma_translate(buffers[cpu][j].addr), phys + j);
			viommu_space_unmap(fake_space, buffers[cpu][j].addr, buffers[cpu][j].size);
			buffers[cpu][j].size = 0;
		} else {
			buffers[cpu][j].size = 1 + test_below(4 * PAGE);
			buffers[cpu][j].addr = map(phys + j, buffers[cpu][j].size);
			ASSERT(buffers[cpu][j].addr != DMA_MAPPING_ERROR);
			EXPECT_EQ(dma_translate(buffers[cpu][j].addr), phys + j);
		}
	}
	for (j = 0; j < BUFFERS; j++)
		if (buffers[cpu][j].size)
			viommu_space_unmap(fake_space, buffers[cpu][j].addr, buffers[cpu][j].size);
}

/* Several CPUs and the time: nobody's IOVA is another one's, and in the end all are free. */
static void test_random_cpus(void)
{
	dma_begin(IOMMU_DOMAIN_DMA_FQ);
	fake_cpus(FAKE_CPUS, run_random);
	dma_pass(2 * LAZY_JIFFIES);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(iommu.nr_mappings, 0);
	EXPECT_EQ(dma_pass(1000), 0);
	dma_end();
}

static const struct test_case cases[] = {
	{ "a strict domain: one MAP, one UNMAP, at once", test_strict },
	{ "what the device may do", test_prot },
	{ "a lazy domain: unmapped together, ten milliseconds later", test_lazy },
	{ "a lazy domain: too many wait", test_full },
	{ "what somebody else has mapped", test_somebody_elses },
	{ "a lazy domain: unmapped while a flush is under way", test_during_flush },
	{ "a lazy domain: a flush that overtakes another", test_overtaken },
	{ "IOVAs that the device can use", test_mask },
	{ "IOVAs above 4 GiB only where there are none below", test_above },
	{ "IOVAs in the host's range", test_input_range },
	{ "IOVAs in the host's range, above 4 GiB", test_input_high },
	{ "IOVAs that nobody gets", test_reserved },
	{ "IOVAs that a host bridge sends elsewhere", test_windows },
	{ "IOVAs that a host bridge sends elsewhere, at the top", test_windows_top },
	{ "IOVAs that the host reserves for another device", test_admit_regions },
	{ "IOVAs that a host bridge takes", test_dma_ranges },
	{ "IOVAs of a host bridge that takes all", test_dma_ranges_all },
	{ "a host bridge, without memory", test_admit_no_memory },
	{ "a space, without memory", test_alloc_no_memory },
	{ "a mapping, without memory", test_map_no_memory },
	{ "a mapping that the host refuses", test_refused },
	{ "a mapping that fails half-way", test_undo },
	{ "mappings that a driver has forgotten", test_forgotten },
	{ "mappings of registers that somebody has", test_forgotten_registers },
	{ "a lazy domain and several CPUs", test_random_cpus },
};

TEST_SUITE(space, cases);
