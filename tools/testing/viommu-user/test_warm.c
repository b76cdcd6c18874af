// SPDX-License-Identifier: GPL-2.0
/*
 * The mode reuse: which memory is mapped with a buffer, and for how long.
 */
#include <linux/err.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "fake_dma.h"

#define PHYS		MEMORY_START
#define AREA		SZ_2M
#define SMALL		SZ_64K
#define REUSE_JIFFIES	(HZ / 100)

static struct viommu_warm *warm;

static void begin(void)
{
	dma_begin_mode(VIOMMU_DMA_REUSE, IOMMU_DOMAIN_DMA_FQ);
	warm = fake_dma.warm;
}

static dma_addr_t map(phys_addr_t phys, size_t size, enum dma_data_direction dir)
{
	dma_addr_t addr = viommu_warm_map(warm, phys, size, dir);

	if (addr != DMA_MAPPING_ERROR) {
		EXPECT_EQ(dma_translate(addr), phys);
		EXPECT_EQ(dma_translate(addr + size - 1), phys + size - 1);
	}
	return addr;
}

static void unmap(dma_addr_t addr)
{
	EXPECT(viommu_warm_unmap(warm, addr));
}

/* The memory that the device reaches around a buffer. */
static void expect_area(phys_addr_t phys, size_t size, size_t area)
{
	dma_addr_t addr = map(phys, size, DMA_TO_DEVICE), start;

	ASSERT(addr != DMA_MAPPING_ERROR);
	start = addr - phys % area;
	EXPECT_EQ(start % area, 0);
	EXPECT_EQ(dma_translate(start), phys - phys % area);
	EXPECT_EQ(dma_translate(start + area - 1), phys - phys % area + area - 1);
	/* Beside it there may be others. */
	EXPECT(dma_translate(start - 1) != phys - phys % area - 1);
	EXPECT(dma_translate(start + area) != phys - phys % area + area);
	unmap(addr);
}

static void test_reuse(void)
{
	dma_addr_t first, addr;
	unsigned int i;

	begin();
	first = map(PHYS, 1, DMA_TO_DEVICE);
	EXPECT_EQ(first % AREA, 0);
	EXPECT_EQ(dma_maps(), 1);
	for (i = 0; i < 1000; i++) {
		phys_addr_t at = test_below(AREA);

		addr = map(PHYS + at, 1 + test_below(AREA - at), DMA_TO_DEVICE);
		EXPECT_EQ(addr, first + at);
		if (i % 2)
			unmap(addr);
	}
	for (i = 0; i < 500; i++)
		unmap(addr);
	addr = map(PHYS, AREA, DMA_TO_DEVICE);
	EXPECT_EQ(addr, first);
	unmap(addr);
	EXPECT_EQ(dma_maps(), 0);
	EXPECT_EQ(dma_kicks(), 1);
	EXPECT_EQ(dma_iovas(), AREA / PAGE);
	unmap(first);
	EXPECT_EQ(dma_unmaps(), 0);
	dma_end();
}

static void test_time(void)
{
	dma_addr_t addr;

	begin();
	addr = map(PHYS, 1, DMA_TO_DEVICE);
	EXPECT_EQ(dma_pass(100 * REUSE_JIFFIES), 100);
	EXPECT(dma_readable(addr, 1));
	dma_pass(1);
	unmap(addr);
	/* not when it is looked at next, which is before its time is over */
	EXPECT_EQ(dma_pass(REUSE_JIFFIES), 1);
	EXPECT(dma_readable(addr, 1));
	/* It was used once more. */
	EXPECT_EQ(map(PHYS + 100, 1, DMA_TO_DEVICE), addr + 100);
	unmap(addr + 100);
	EXPECT_EQ(dma_pass(REUSE_JIFFIES), 1);
	EXPECT(dma_readable(addr, 1));
	EXPECT_EQ(dma_maps(), 1);
	EXPECT_EQ(dma_unmaps(), 0);
	EXPECT_EQ(dma_pass(REUSE_JIFFIES), 1);
	EXPECT(!dma_translate(addr));
	EXPECT_EQ(dma_unmaps(), 1);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT(!viommu_warm_unmap(warm, addr));
	/* Nobody looks any more, but from the next one on. */
	EXPECT_EQ(dma_pass(1000), 0);
	addr = map(PHYS, 1, DMA_TO_DEVICE);
	EXPECT_EQ(dma_maps(), 1);
	unmap(addr);
	EXPECT_EQ(dma_pass(REUSE_JIFFIES - 1), 0);
	EXPECT_EQ(dma_pass(1), 1);
	EXPECT(!dma_translate(addr));
	dma_end();
}

static void test_time_param(void)
{
	static const struct {
		unsigned int ms;
		unsigned int ticks;
	} times[] = { { 0, 1 }, { 1, 1 }, { 3, 2 }, { 100, HZ / 10 } };
	dma_addr_t addr;
	unsigned int i;

	begin();
	*param_reuse_max_ms = 0;
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		*param_reuse_ms = times[i].ms;
		addr = map(PHYS, 1, DMA_TO_DEVICE);
		EXPECT_EQ(dma_pass(3 * times[i].ticks), 3);
		unmap(addr);
		EXPECT_EQ(dma_pass(times[i].ticks - 1), 0);
		EXPECT(dma_readable(addr, 1));
		EXPECT_EQ(dma_pass(1), 1);
		EXPECT(!dma_translate(addr));
	}
	dma_end();
}

/* How long an area stays that is mapped, used for so long, and not any more. */
static unsigned int stays_behind(phys_addr_t phys, unsigned long used)
{
	dma_addr_t addr = map(phys, 1, DMA_TO_DEVICE);
	unsigned int ticks = 0;

	dma_pass(used);
	unmap(addr);
	while (dma_translate(addr)) {
		dma_pass(1);
		ticks++;
	}
	return ticks;
}

static unsigned int stays(void)
{
	return stays_behind(PHYS, 0);
}

/* Mapped again too soon, each time twice as long, up to a bound; and half of it again. */
static void test_longer(void)
{
	unsigned int i;

	begin();
	*param_reuse_max_ms = 100;
	for (i = 1; i <= 8; i *= 2)
		EXPECT_EQ(stays(), i * REUSE_JIFFIES);
	EXPECT_EQ(stays(), 10 * REUSE_JIFFIES);
	EXPECT_EQ(stays(), 10 * REUSE_JIFFIES);
	/* more than a second later */
	dma_pass(HZ + 1);
	EXPECT_EQ(stays(), 5 * REUSE_JIFFIES);
	dma_pass(HZ + 1);
	dma_pass(HZ + 1);
	EXPECT_EQ(stays(), 2 * REUSE_JIFFIES);
	/* another one is none that was there before */
	unmap(map(PHYS + AREA, 1, DMA_TO_DEVICE));
	unmap(map(PHYS, 1, DMA_FROM_DEVICE));
	dma_pass(HZ + 1);
	EXPECT_EQ(stays(), REUSE_JIFFIES);
	dma_end();
}

/* A second is counted from when it was made longer last. */
static void test_longer_each(void)
{
	const unsigned int used = 60 * REUSE_JIFFIES;

	begin();
	ASSERT(used < HZ - REUSE_JIFFIES && 2 * used > 3 * HZ / 4 + REUSE_JIFFIES);
	dma_pass(HZ / 4);
	EXPECT_EQ(stays(), REUSE_JIFFIES);
	EXPECT_EQ(stays_behind(PHYS, used), 2 * REUSE_JIFFIES);
	EXPECT_EQ(stays_behind(PHYS, used), 4 * REUSE_JIFFIES);
	dma_end();
}

#define RECENT	64	/* areas of which it is known when they were unmapped */

/* It is known of so many, and the oldest ones are forgotten. */
static void test_recent(void)
{
	dma_addr_t addrs[RECENT + 6];
	unsigned int i;

	*param_reuse_kib = PAGE / 1024;
	begin();
	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		addrs[i] = map(PHYS + i * PAGE, 1, DMA_TO_DEVICE);
	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		unmap(addrs[i]);
	EXPECT_EQ(dma_pass(REUSE_JIFFIES), 1);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(stays_behind(PHYS + 5 * PAGE, 0), REUSE_JIFFIES);
	EXPECT_EQ(stays_behind(PHYS + 7 * PAGE, 0), 2 * REUSE_JIFFIES);
	EXPECT_EQ(stays_behind(PHYS + (RECENT + 5) * PAGE, 0), 4 * REUSE_JIFFIES);
	EXPECT_EQ(stays_behind(PHYS + 5 * PAGE, 0), 8 * REUSE_JIFFIES);
	dma_end();
}

/* Those that are not used any more are unmapped by one kick, the others stay. */
static void test_together(void)
{
	dma_addr_t addrs[6];
	unsigned int i;

	begin();
	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		addrs[i] = map(PHYS + i * AREA, 1, DMA_FROM_DEVICE);
	EXPECT_EQ(dma_maps(), ARRAY_SIZE(addrs));
	for (i = 0; i < ARRAY_SIZE(addrs); i += 2)
		unmap(addrs[i]);
	dma_kicks();
	EXPECT_EQ(dma_pass(REUSE_JIFFIES), 1);
	EXPECT_EQ(dma_kicks(), 1);
	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		EXPECT_EQ(!dma_translate(addrs[i]), i % 2 == 0);
	EXPECT_EQ(dma_iovas(), 3 * AREA / PAGE);
	for (i = 1; i < ARRAY_SIZE(addrs); i += 2)
		unmap(addrs[i]);
	dma_end();
}

static void test_directions(void)
{
	dma_addr_t addrs[3];
	unsigned int dir;

	begin();
	for (dir = 0; dir < 3; dir++) {
		addrs[dir] = map(PHYS, AREA, dir);
		EXPECT_EQ(dma_maps(), 1);
		EXPECT_EQ(dma_readable(addrs[dir], 1), dir != DMA_FROM_DEVICE);
		EXPECT_EQ(dma_writable(addrs[dir], 1), dir != DMA_TO_DEVICE);
	}
	for (dir = 0; dir < 3; dir++)
		unmap(addrs[dir]);
	dma_end();
}

static void reserve(phys_addr_t phys, bool reserved)
{
	pfn_to_page(PHYS_PFN(phys))->reserved = reserved;
}

/* Around the kernel's own memory areas get smaller, and in it there are none. */
static void test_reserved(void)
{
	phys_addr_t own = PHYS + AREA + 3 * SMALL + 5 * PAGE;

	begin();
	reserve(own, true);
	expect_area(PHYS + AREA - 1, 1, AREA);
	expect_area(PHYS + 2 * AREA, 1, AREA);
	expect_area(PHYS + AREA, 1, SMALL);
	expect_area(PHYS + 2 * AREA - 1, 1, SMALL);
	expect_area(PHYS + AREA + 3 * SMALL - 10, 10, SMALL);
	expect_area(PHYS + AREA + 4 * SMALL, SMALL, SMALL);
	expect_area(own - 1, 1, PAGE);
	expect_area(own + PAGE, PAGE, PAGE);
	EXPECT_EQ(map(own, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(map(own + PAGE - 1, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	/* each of the smaller ones has borders, too */
	EXPECT_EQ(map(own - 1, 2, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(map(own - PAGE - 1, 2, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(map(PHYS + AREA + SMALL - 1, 2, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	/* The first page of an area, and the last one. */
	reserve(PHYS + 3 * AREA, true);
	expect_area(PHYS + 3 * AREA + PAGE, 1, PAGE);
	reserve(PHYS + 5 * AREA - PAGE, true);
	expect_area(PHYS + 4 * AREA, 1, SMALL);
	expect_area(PHYS + 5 * AREA - PAGE - 1, 1, PAGE);
	/* That it is so is not found out again, but of pages. */
	reserve(own, false);
	expect_area(PHYS + AREA, 1, SMALL);
	expect_area(own, PAGE, PAGE);
	dma_end();
}

/* Where memory ends within an area, and where there is none. */
static void test_no_such_memory(void)
{
	*param_reuse_kib = 2 * MEMORY_SIZE / 1024;
	begin();
	expect_area(PHYS, 1, SMALL);
	expect_area(PHYS + MEMORY_SIZE - 1, 1, SMALL);
	EXPECT_EQ(viommu_warm_map(warm, PHYS + MEMORY_SIZE, 1, DMA_TO_DEVICE),
		  DMA_MAPPING_ERROR);
	EXPECT_EQ(viommu_warm_map(warm, PHYS - 1, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(viommu_warm_map(warm, 0, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	/* and where it has no struct page that counts */
	pfn_to_page(PHYS_PFN(PHYS + 5 * SMALL + PAGE))->offline = true;
	expect_area(PHYS + 5 * SMALL, 1, PAGE);
	expect_area(PHYS + 6 * SMALL, 1, SMALL);
	EXPECT_EQ(map(PHYS + 5 * SMALL + PAGE, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	dma_end();
}

static void test_borders(void)
{
	begin();
	EXPECT_EQ(map(PHYS + AREA - 1, 2, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(map(PHYS, AREA + 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(map(PHYS + 1, AREA, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(map(PHYS + AREA - 1, 3 * AREA, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(viommu_warm_map(warm, PHYS, 0, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(viommu_warm_map(warm, PHYS + 1, 0, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(dma_maps(), 0);
	expect_area(PHYS, AREA, AREA);
	dma_end();
}

static void test_sizes(void)
{
	static const struct {
		unsigned int kib;
		size_t area;
	} sizes[] = {
		{ 0, PAGE }, { 4, PAGE }, { 7, PAGE }, { 8, SZ_8K }, { 64, SZ_64K },
		{ 127, SZ_64K }, { 1024, SZ_1M }, { 3000, SZ_2M }, { -1U, SZ_64K },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		*param_reuse_kib = sizes[i].kib;
		begin();
		reserve(PHYS + AREA, false);
		expect_area(PHYS + AREA, 1, sizes[i].area);
		reserve(PHYS + AREA, true);
		EXPECT_EQ(map(PHYS + AREA, 1, DMA_BIDIRECTIONAL), DMA_MAPPING_ERROR);
		dma_end();
	}
}

/* As many as a device may have: what failed does not count, what is gone neither. */
static void test_limit(void)
{
	dma_addr_t a, b, c;

	begin();
	*param_reuse_areas = 2;
	a = map(PHYS, 1, DMA_TO_DEVICE);
	dma_refuse_map(0, VIRTIO_IOMMU_S_NOMEM);
	EXPECT_EQ(map(PHYS + AREA, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	reserve(PHYS + 2 * AREA, true);
	EXPECT_EQ(map(PHYS + 2 * AREA, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	b = map(PHYS + AREA, 1, DMA_TO_DEVICE);
	EXPECT(a != DMA_MAPPING_ERROR && b != DMA_MAPPING_ERROR);
	EXPECT_EQ(map(PHYS, 1, DMA_FROM_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(map(PHYS + 3 * AREA, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(dma_maps(), 3);
	EXPECT_EQ(map(PHYS + 5, 1, DMA_TO_DEVICE), a + 5);
	unmap(a);
	unmap(a + 5);
	dma_pass(2 * REUSE_JIFFIES);
	c = map(PHYS + 3 * AREA, 1, DMA_TO_DEVICE);
	EXPECT(c != DMA_MAPPING_ERROR);
	EXPECT_EQ(map(PHYS, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	unmap(b);
	unmap(c);
	dma_end();
}

static dma_addr_t first;

static void map_first(void)
{
	first = map(PHYS, 1, DMA_TO_DEVICE);
}

/* Somebody makes the area while somebody else does. */
static void test_race(void)
{
	dma_addr_t addr, other;

	begin();
	*param_reuse_areas = 2;
	fake.interrupt = map_first;
	addr = map(PHYS + 100, 1, DMA_TO_DEVICE);
	EXPECT(!fake.interrupt);
	EXPECT_EQ(addr, first + 100);
	EXPECT_EQ(dma_maps(), 2);
	EXPECT_EQ(dma_unmaps(), 1);
	EXPECT_EQ(dma_iovas(), AREA / PAGE);
	other = map(PHYS + AREA, 1, DMA_TO_DEVICE);
	EXPECT(other != DMA_MAPPING_ERROR);
	/* Both are users. */
	unmap(first);
	dma_pass(3 * REUSE_JIFFIES);
	EXPECT(dma_readable(addr, 1));
	unmap(addr);
	dma_pass(3 * REUSE_JIFFIES);
	EXPECT(!dma_translate(addr));
	unmap(other);
	dma_end();
}

static void run_same(unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < 300; i++) {
		dma_addr_t addr;

		if (cpu == 2) {
			dma_pass(1);
		} else {
			addr = map(PHYS, 1, DMA_TO_DEVICE);
			if (addr != DMA_MAPPING_ERROR)
				unmap(addr);
		}
		fake_yield();
	}
}

/* Whoever finds the area, while it is made, can also unmap. */
static void test_race_at_random(void)
{
	*param_reuse_ms = 1;
	*param_reuse_max_ms = 1;
	begin();
	fake_cpus(3, run_same);
	dma_pass(10);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT(dma_maps() > 20);
	dma_end();
}

static void reap(void)
{
	fake.on_step = NULL;
	dma_pass(2 * REUSE_JIFFIES);
	EXPECT_EQ(iommu.nr_mappings, 0);
}

/* Who has looked an area up finds that it is gone: there is another one then. */
static void test_gone(void)
{
	dma_addr_t addr;

	begin();
	unmap(map(PHYS, 1, DMA_TO_DEVICE));
	fake.on_step = reap;
	addr = map(PHYS, 1, DMA_TO_DEVICE);
	EXPECT(!fake.on_step);
	EXPECT(addr != DMA_MAPPING_ERROR);
	EXPECT_EQ(dma_maps(), 2);
	EXPECT_EQ(iommu.nr_mappings, 1);
	unmap(addr);
	dma_end();
}

static void test_mask(void)
{
	dma_addr_t addr;

	begin();
	fake_device()->dma_mask = DMA_BIT_MASK(32);
	addr = map(PHYS, 10, DMA_TO_DEVICE);
	EXPECT(addr + AREA - 1 <= DMA_BIT_MASK(32));
	fake_device()->dma_mask = addr + 99;
	EXPECT_EQ(map(PHYS, 100, DMA_TO_DEVICE), addr);
	EXPECT_EQ(map(PHYS, 101, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	fake_device()->dma_mask = DMA_BIT_MASK(64);
	fake_device()->bus_dma_limit = addr + 98;
	EXPECT_EQ(map(PHYS, 100, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	/* What was refused does not keep it. */
	unmap(addr);
	unmap(addr);
	dma_pass(2 * REUSE_JIFFIES);
	EXPECT(!dma_translate(addr));
	/* Another one is where the device reaches it. */
	fake_device()->bus_dma_limit = DMA_BIT_MASK(24);
	addr = map(PHYS, 10, DMA_TO_DEVICE);
	EXPECT(addr + AREA - 1 <= DMA_BIT_MASK(24));
	unmap(addr);
	dma_end();
}

/* The area stays until the device's driver is gone, and is no danger. */
static void test_double_unmap(void)
{
	dma_addr_t addr;

	begin();
	EXPECT(!viommu_warm_unmap(warm, 0x12345000));
	addr = map(PHYS, 1, DMA_TO_DEVICE);
	unmap(addr);
	unmap(addr);
	EXPECT_EQ(fake_warnings, 1);
	dma_pass(10 * REUSE_JIFFIES);
	EXPECT(dma_readable(addr, 1));
	EXPECT_EQ(map(PHYS, 1, DMA_TO_DEVICE), addr);
	fake_warnings = 0;
	dma_end();
}

/* The driver is gone; what it forgot is as well. */
static void test_forgotten(void)
{
	dma_addr_t addr;

	begin();
	addr = map(PHYS, 1, DMA_TO_DEVICE);
	map(PHYS + AREA, 1, DMA_TO_DEVICE);
	unmap(map(PHYS + 2 * AREA, 1, DMA_TO_DEVICE));
	dma_kicks();
	EXPECT_EQ(viommu_warm_free(warm), 2);
	fake_dma.warm = NULL;
	EXPECT(!dma_translate(addr));
	EXPECT_EQ(dma_kicks(), 1);
	EXPECT_EQ(dma_iovas(), 0);
	dma_end();
}

static void test_refused(void)
{
	begin();
	dma_refuse_map(0, VIRTIO_IOMMU_S_NOMEM);
	EXPECT_EQ(map(PHYS, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(iommu.nr_mappings, 0);
	EXPECT_EQ(dma_pass(1000), 0);
	expect_area(PHYS, 1, AREA);
	dma_end();
}

static void test_no_memory(void)
{
	/* the area, IOVAs, the mapping, whose memory is kept then, and where it is found */
	static const unsigned int nths[] = { 1, 2, 3, 4, 4 };
	unsigned int i;

	dma_begin(IOMMU_DOMAIN_DMA);
	slab_control.fail_in = 1;
	EXPECT(!viommu_warm_alloc(fake_device(), fake_space));
	dma_end();
	begin();
	*param_reuse_areas = 1;
	fake_device()->dma_mask = DMA_BIT_MASK(32);
	for (i = 0; i < ARRAY_SIZE(nths); i++) {
		slab_control.fail_in = nths[i];
		EXPECT_EQ(map(PHYS, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
		EXPECT_EQ(slab_control.fail_in, 0);
		EXPECT_EQ(dma_iovas(), 0);
		EXPECT_EQ(iommu.nr_mappings, 0);
	}
	expect_area(PHYS, 1, AREA);
	dma_pass(2 * REUSE_JIFFIES);
	EXPECT_EQ(iommu.nr_mappings, 0);
	/* Not even to remember that an area is none. */
	reserve(PHYS + AREA + SMALL, true);
	slab_control.fail_in = 1;
	expect_area(PHYS + AREA, 1, SMALL);
	EXPECT_EQ(slab_control.fail_in, 0);
	dma_end();
}

#define BUFFERS		8
#define AREAS		3

static struct buffer {
	dma_addr_t addr;
	phys_addr_t phys;
	size_t size;
	enum dma_data_direction dir;
} buffers[FAKE_CPUS][BUFFERS];

static void use(struct buffer *buffer)
{
	if (buffer->size) {
		EXPECT_EQ(dma_translate(buffer->addr), buffer->phys);
		EXPECT_EQ(dma_readable(buffer->addr, 1), buffer->dir != DMA_FROM_DEVICE);
		EXPECT_EQ(dma_writable(buffer->addr, 1), buffer->dir != DMA_TO_DEVICE);
		unmap(buffer->addr);
		buffer->size = 0;
		return;
	}
	buffer->phys = PHYS + test_below(AREAS * AREA);
	buffer->size = 1 + test_below(2 * PAGE);
	buffer->dir = test_below(2);
	buffer->addr = map(buffer->phys, buffer->size, buffer->dir);
	if (buffer->addr == DMA_MAPPING_ERROR)
		buffer->size = 0;
}

static void run_random(unsigned int cpu)
{
	unsigned int i, j;

	for (i = 0; i < 600; i++) {
		if (cpu == FAKE_CPUS - 1) {
			dma_pass(1);
			fake_yield();
			continue;
		}
		use(&buffers[cpu][test_below(BUFFERS)]);
		/* now and then nothing is used */
		for (j = 0; j < BUFFERS && i % 50 > 30; j++)
			if (buffers[cpu][j].size)
				use(&buffers[cpu][j]);
		while (i % 50 > 30 && test_below(4))
			fake_yield();
	}
	for (j = 0; j < BUFFERS; j++)
		if (buffers[cpu][j].size)
			use(&buffers[cpu][j]);
}

/* Several CPUs and the time: what is used is mapped, and in the end nothing is. */
static void test_random_cpus(void)
{
	*param_reuse_ms = 1;
	*param_reuse_max_ms = 1;
	*param_reuse_areas = 5;
	begin();
	reserve(PHYS + AREA + SMALL, true);
	fake_cpus(FAKE_CPUS, run_random);
	dma_pass(10);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT(dma_unmaps() > 20);
	EXPECT_EQ(dma_pass(1000), 0);
	dma_end();
}

static const struct test_case cases[] = {
	{ "one MAP for an area", test_reuse },
	{ "how long an area stays", test_time },
	{ "how long an area stays, as the parameter says", test_time_param },
	{ "an area that is mapped again stays longer", test_longer },
	{ "an area that is mapped again and again", test_longer_each },
	{ "areas of which it is known when they were unmapped", test_recent },
	{ "areas are unmapped together", test_together },
	{ "directions are apart", test_directions },
	{ "memory of the kernel's own", test_reserved },
	{ "where there is no memory", test_no_such_memory },
	{ "across a border", test_borders },
	{ "sizes of areas", test_sizes },
	{ "as many areas as a device may have", test_limit },
	{ "two make the same area", test_race },
	{ "two make the same area, at random", test_race_at_random },
	{ "an area that goes while it is looked up", test_gone },
	{ "a DMA mask that was lowered", test_mask },
	{ "a buffer that is unmapped twice", test_double_unmap },
	{ "buffers that a driver has forgotten", test_forgotten },
	{ "a MAP that the host refuses", test_refused },
	{ "no memory", test_no_memory },
	{ "several CPUs", test_random_cpus },
};

TEST_SUITE(warm, cases);
