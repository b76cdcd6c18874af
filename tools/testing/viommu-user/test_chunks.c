// SPDX-License-Identifier: GPL-2.0
/*
 * The mode bounce: what becomes of the memory that buffers are copied through.
 */
#include <linux/err.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "fake_dma.h"

#define PHYS		(MEMORY_START + 0x100000)
#define CHUNK		SZ_1M
#define CHUNK_PAGES	(CHUNK / PAGE)

static dma_addr_t addrs[1024];

static unsigned int map_some(size_t size, unsigned int from, unsigned int to)
{
	unsigned int i;

	for (i = from; i < to; i++) {
		addrs[i] = slot_map(PHYS, size, DMA_TO_DEVICE);
		if (addrs[i] == DMA_MAPPING_ERROR)
			break;
	}
	return i;
}

static unsigned int map_all(size_t size, unsigned int from)
{
	return map_some(size, from, ARRAY_SIZE(addrs));
}

static void unmap_all(unsigned int from, unsigned int to)
{
	for (; from < to; from++)
		slot_unmap(addrs[from], DMA_TO_DEVICE);
}

/* As much memory as a device may have, for slots of all sizes. */
static void test_limit(void)
{
	unsigned int i, j;

	dma_begin_bounce(2);
	memory_use(PHYS, SZ_64K);
	EXPECT_EQ(map_all(SZ_64K, 0), 2 * CHUNK / SZ_64K);
	EXPECT_EQ(dma_maps(), 2);
	EXPECT_EQ(memory_pages, 2 * CHUNK_PAGES);
	for (i = 0; i < 32; i++)
		for (j = 0; j < i; j++)
			EXPECT(addrs[i] != addrs[j]);
	EXPECT_EQ(slot_map(PHYS, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(slot_map(PHYS, SZ_64K, DMA_FROM_DEVICE), DMA_MAPPING_ERROR);
	/* which is said, and once */
	EXPECT_EQ(fake.messages, 1);
	slot_unmap(addrs[31], DMA_TO_DEVICE);
	EXPECT_EQ(map_all(SZ_64K, 31), 32);
	/* more, from now on, and none */
	*param_bounce_mib = 3;
	EXPECT_EQ(map_all(SZ_64K, 32), 48);
	unmap_all(0, 48);
	dma_pass(3 * HZ);
	*param_bounce_mib = 0;
	EXPECT_EQ(map_all(SZ_64K, 0), 0);
	EXPECT_EQ(fake.messages, 1);
	dma_end();
}

/* Whichever chunk a slot is given back to, it is found. */
static void test_refill(void)
{
	unsigned int from;

	dma_begin_bounce(2);
	memory_use(PHYS, SZ_4K);
	EXPECT_EQ(map_all(SZ_4K, 0), 512);
	for (from = 0; from < 512; from += 64) {
		unmap_all(from, from + 64);
		EXPECT_EQ(map_some(SZ_4K, from, from + 64), from + 64);
	}
	EXPECT_EQ(dma_maps(), 2);
	unmap_all(0, 512);
	EXPECT_EQ(map_all(SZ_4K, 0), 512);
	unmap_all(0, 512);
	dma_end();
}

/* What was not used for a second or two is given back. */
static void test_trim(void)
{
	dma_addr_t addr, used;

	dma_begin_bounce(64);
	memory_use(PHYS, SZ_64K);
	used = slot_map(PHYS, SZ_64K, DMA_TO_DEVICE);
	addr = slot_map(PHYS, 1, DMA_TO_DEVICE);
	slot_unmap(addr, DMA_TO_DEVICE);
	EXPECT_EQ(dma_pass(HZ - 1), 0);
	EXPECT_EQ(dma_pass(1), 1);
	EXPECT_EQ(memory_pages, 2 * CHUNK_PAGES);
	/* It was used once more. */
	addr = slot_map(PHYS, 1, DMA_TO_DEVICE);
	slot_unmap(addr, DMA_TO_DEVICE);
	EXPECT_EQ(dma_pass(HZ), 1);
	EXPECT_EQ(memory_pages, 2 * CHUNK_PAGES);
	EXPECT_EQ(dma_unmaps(), 0);
	EXPECT_EQ(dma_pass(HZ), 1);
	EXPECT_EQ(memory_pages, CHUNK_PAGES);
	EXPECT_EQ(dma_unmaps(), 1);
	EXPECT(!dma_translate(addr));
	EXPECT_EQ(dma_iovas(), CHUNK_PAGES);
	EXPECT(!viommu_pool_unmap(fake_dma.pool, addr, DMA_TO_DEVICE, 0));
	/* The other is not, while a slot of it is in use. */
	EXPECT_EQ(dma_pass(10 * HZ), 10);
	EXPECT(dma_readable(used, SZ_64K));
	slot_unmap(used, DMA_TO_DEVICE);
	dma_pass(2 * HZ);
	EXPECT_EQ(memory_pages, 0);
	EXPECT_EQ(dma_pass(10 * HZ), 0);
	/* and all begins anew */
	addr = slot_map(PHYS, 1, DMA_TO_DEVICE);
	slot_unmap(addr, DMA_TO_DEVICE);
	EXPECT_EQ(dma_pass(2 * HZ), 2);
	EXPECT_EQ(memory_pages, 0);
	dma_end();
}

/* All that are given back, by one kick. */
static void test_trim_together(void)
{
	dma_begin_bounce(64);
	memory_use(PHYS, SZ_64K);
	EXPECT_EQ(map_some(SZ_64K, 0, 40), 40);
	unmap_all(0, 40);
	EXPECT_EQ(dma_maps(), 3);
	dma_kicks();
	EXPECT_EQ(dma_pass(2 * HZ), 2);
	EXPECT_EQ(dma_kicks(), 1);
	EXPECT_EQ(memory_pages, 0);
	EXPECT_EQ(dma_iovas(), 0);
	dma_end();
}

static unsigned int stage;

static void run_two(unsigned int cpu)
{
	while (stage % 2 != cpu)
		fake_yield();
	if (cpu == 0) {
		EXPECT_EQ(map_all(SZ_64K, 0), 16);
		unmap_all(0, 16);
		stage++;
		while (stage < 2)
			fake_yield();
		EXPECT_EQ(map_all(SZ_64K, 8), 16);
		unmap_all(0, 16);
	} else {
		/* What CPU 0 does not keep for itself; it may unmap what this one has mapped. */
		EXPECT_EQ(map_all(SZ_64K, 0), 8);
		stage++;
	}
}

static void test_two_cpus(void)
{
	dma_begin_bounce(1);
	memory_use(PHYS, SZ_64K);
	fake.still = true;
	fake_cpus(2, run_two);
	fake.still = false;
	EXPECT_EQ(dma_maps(), 1);
	EXPECT_EQ(dma_pass(2 * HZ), 2);
	EXPECT_EQ(memory_pages, 0);
	dma_end();
}

/* A device's driver may ask for less than it had. */
static void test_mask(void)
{
	dma_addr_t addr, high;

	dma_begin_bounce(64);
	memory_use(PHYS, SZ_4K);
	high = slot_map(PHYS, SZ_4K, DMA_TO_DEVICE);
	EXPECT(high > DMA_BIT_MASK(24));
	fake_device()->dma_mask = high + SZ_4K - 1;
	addr = slot_map(PHYS, SZ_4K, DMA_TO_DEVICE);
	EXPECT(addr == DMA_MAPPING_ERROR || addr < high);
	if (addr != DMA_MAPPING_ERROR)
		slot_unmap(addr, DMA_TO_DEVICE);
	slot_unmap(high, DMA_TO_DEVICE);
	addr = slot_map(PHYS, SZ_4K, DMA_TO_DEVICE);
	EXPECT_EQ(addr, high);
	slot_unmap(addr, DMA_TO_DEVICE);
	fake_device()->dma_mask = high + SZ_4K - 2;
	EXPECT_EQ(slot_map(PHYS, SZ_4K, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	addr = slot_map(PHYS, SZ_4K - 1, DMA_TO_DEVICE);
	EXPECT_EQ(addr, high);
	slot_unmap(addr, DMA_TO_DEVICE);
	fake_device()->dma_mask = DMA_BIT_MASK(24);
	EXPECT_EQ(slot_map(PHYS, SZ_4K, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	/* Its slot was not lost. */
	dma_pass(3 * HZ);
	EXPECT_EQ(memory_pages, 0);
	addr = slot_map(PHYS, SZ_4K, DMA_TO_DEVICE);
	EXPECT(addr + SZ_4K - 1 <= DMA_BIT_MASK(24));
	slot_unmap(addr, DMA_TO_DEVICE);
	dma_pass(3 * HZ);
	fake_device()->dma_mask = DMA_BIT_MASK(64);
	fake_device()->bus_dma_limit = DMA_BIT_MASK(22);
	addr = slot_map(PHYS, SZ_4K, DMA_TO_DEVICE);
	EXPECT(addr + SZ_4K - 1 <= DMA_BIT_MASK(22));
	slot_unmap(addr, DMA_TO_DEVICE);
	dma_end();
}

/* No room is lost by what failed. */
static void expect_room(void)
{
	dma_addr_t addr = slot_map(PHYS, 16, DMA_TO_DEVICE);

	EXPECT(addr != DMA_MAPPING_ERROR);
	EXPECT_EQ(memory_pages, CHUNK_PAGES);
	EXPECT(dma_readable(addr, 16));
	slot_unmap(addr, DMA_TO_DEVICE);
	dma_pass(3 * HZ);
	EXPECT_EQ(memory_pages, 0);
}

static void test_refused(void)
{
	dma_begin_bounce(1);
	memory_use(PHYS, 16);
	dma_refuse_map(0, VIRTIO_IOMMU_S_NOMEM);
	EXPECT_EQ(slot_map(PHYS, 16, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(memory_pages, 0);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(iommu.nr_mappings, 0);
	/* what was refused, and that there is no room, which is said once */
	EXPECT_EQ(fake.messages, 2);
	/* it is not asked again at once */
	dma_pass(HZ / 20);
	dma_refuse_map(0, VIRTIO_IOMMU_S_NOMEM);
	EXPECT_EQ(slot_map(PHYS, 16, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(fake.messages, 2);
	dma_pass(HZ / 10);
	EXPECT_EQ(slot_map(PHYS, 16, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(fake.messages, 3);
	dma_pass(HZ / 5);
	expect_room();
	dma_end();
}

/* There is no memory, or no IOVA: nothing is tried for a tenth of a second. */
static void test_retry(void)
{
	unsigned int round;
	dma_addr_t addr;

	dma_begin_bounce(2);
	memory_use(PHYS, 16);
	/* 0 is a time as others are */
	dma_pass(-jiffies);
	for (round = 0; round < 2; round++) {
		slab_control.fail_in = 1;
		EXPECT_EQ(slot_map(PHYS, 16, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
		EXPECT_EQ(slab_control.fail_in, 0);
		EXPECT_EQ(slot_map(PHYS, 16, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
		/* an even time is taken for the next one, which is odd */
		EXPECT(!(jiffies % 2));
		dma_pass(HZ / 10 + 1);
		EXPECT_EQ(slot_map(PHYS, 16, DMA_FROM_DEVICE), DMA_MAPPING_ERROR);
		EXPECT_EQ(dma_maps(), 0);
		dma_pass(1);
		addr = slot_map(PHYS, 16, DMA_TO_DEVICE);
		EXPECT(addr != DMA_MAPPING_ERROR);
		/* and forgotten */
		slot_unmap(slot_map(PHYS, 16, DMA_FROM_DEVICE), DMA_FROM_DEVICE);
		EXPECT_EQ(dma_maps(), 2);
		slot_unmap(addr, DMA_TO_DEVICE);
		EXPECT_EQ(fake.messages, 1);
		dma_pass(3 * HZ);
	}
	/* for ever: as jiffies go, this is before that time */
	jiffies += -1UL >> 1;
	expect_room();
	dma_end();
}

static void test_no_memory(void)
{
	unsigned int i;

	dma_begin(IOMMU_DOMAIN_DMA);
	for (i = 1; i <= 2; i++) {
		slab_control.fail_in = i;
		EXPECT(!viommu_pool_alloc(fake_device(), fake_space));
	}
	dma_end();
	dma_begin_bounce(1);
	memory_use(PHYS, 16);
	fake_device()->dma_mask = DMA_BIT_MASK(32);
	/* the chunk, its memory, IOVAs, the mapping, where it is found */
	for (i = 1; i <= 5; i++) {
		slab_control.fail_in = i;
		EXPECT_EQ(slot_map(PHYS, 16, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
		EXPECT_EQ(slab_control.fail_in, 0);
		EXPECT_EQ(memory_pages, 0);
		EXPECT_EQ(dma_iovas(), 0);
		EXPECT_EQ(iommu.nr_mappings, 0);
		dma_pass(HZ / 5);
	}
	expect_room();
	dma_end();
}

static void test_forgotten(void)
{
	dma_begin_bounce(64);
	memory_use(PHYS, SZ_64K);
	slot_map(PHYS, SZ_64K, DMA_TO_DEVICE);
	slot_map(PHYS, SZ_64K, DMA_TO_DEVICE);
	slot_map(PHYS, 1, DMA_FROM_DEVICE);
	slot_unmap(slot_map(PHYS, 1, DMA_BIDIRECTIONAL), DMA_BIDIRECTIONAL);
	EXPECT_EQ(viommu_pool_free(fake_dma.pool), 3);
	fake_dma.pool = NULL;
	EXPECT_EQ(dma_iovas(), 0);
	dma_end();
}

#define BUFFERS		24
#define BUFFER_BYTES	(3 * SZ_4K)

static struct buffer {
	dma_addr_t addr;
	enum dma_data_direction dir;
	size_t size;
} buffers[FAKE_CPUS][BUFFERS];

static void run_random(unsigned int cpu)
{
	struct buffer *b;
	unsigned int i, j;

	for (i = 0; i < 300 + BUFFERS; i++) {
		u8 *buffer;

		if (cpu == FAKE_CPUS - 1) {
			dma_pass(HZ / 20);
			fake_yield();
			continue;
		}
		j = i < 300 ? test_below(BUFFERS) : i - 300;
		b = &buffers[cpu][j];
		buffer = phys_to_virt(PHYS + (cpu * BUFFERS + j) * BUFFER_BYTES);
		if (b->size) {
			if (b->dir != DMA_FROM_DEVICE)
				EXPECT(device_sees(b->addr, j, b->size));
			if (b->dir != DMA_TO_DEVICE)
				dma_write(b->addr, 0x80 | j, b->size);
			slot_unmap(b->addr, b->dir);
			EXPECT(cpu_sees(buffer, b->dir == DMA_TO_DEVICE ? j : 0x80 | j, b->size));
			b->size = 0;
		} else if (i < 300) {
			b->size = 1 + test_below(BUFFER_BYTES);
			b->dir = test_below(3);
			memset(buffer, j, b->size);
			b->addr = slot_map(PHYS + (cpu * BUFFERS + j) * BUFFER_BYTES, b->size,
					   b->dir);
			if (b->addr == DMA_MAPPING_ERROR)
				b->size = 0;
		}
	}
}

/* Several CPUs and the time, with too little room: no buffer has another one's slot. */
static void test_random_cpus(void)
{
	dma_begin_bounce(4);
	memory_use(PHYS, FAKE_CPUS * BUFFERS * BUFFER_BYTES);
	fake_cpus(FAKE_CPUS, run_random);
	EXPECT_EQ(fake.messages, 1);
	dma_pass(3 * HZ);
	EXPECT_EQ(memory_pages, 0);
	EXPECT_EQ(dma_pass(10 * HZ), 0);
	dma_end();
}

static const struct test_case cases[] = {
	{ "as much memory as a device may have", test_limit },
	{ "slots that were given back, of all chunks", test_refill },
	{ "what is not used is given back", test_trim },
	{ "what is not used is given back at once", test_trim_together },
	{ "what a CPU has left another one finds", test_two_cpus },
	{ "a DMA mask that was lowered", test_mask },
	{ "a MAP that the host refuses", test_refused },
	{ "what could not be had is not tried again at once", test_retry },
	{ "no memory", test_no_memory },
	{ "buffers that a driver has forgotten", test_forgotten },
	{ "several CPUs", test_random_cpus },
};

TEST_SUITE(chunks, cases);
