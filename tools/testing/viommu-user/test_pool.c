// SPDX-License-Identifier: GPL-2.0
/*
 * The mode bounce: what the device sees of a buffer, and the CPU of it afterwards.
 */
#include <linux/err.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "fake_dma.h"

#define PHYS		(MEMORY_START + 0x100000)
#define SLOT_MAX	SZ_64K
#define CHUNK		SZ_1M

/* The smallest slot that is large enough, a power of two. */
static void test_sizes(void)
{
	static const struct {
		size_t size;
		size_t slot;
	} sizes[] = {
		{ 1, SZ_4K }, { SZ_4K, SZ_4K }, { SZ_4K + 1, SZ_8K }, { SZ_8K, SZ_8K },
		{ SZ_8K + 1, SZ_16K }, { SZ_16K, SZ_16K }, { SZ_32K, SZ_32K },
		{ SZ_32K + 1, SZ_64K }, { SZ_64K, SZ_64K },
	};
	dma_addr_t a, b;
	unsigned int i;

	dma_begin_bounce(64);
	memory_use(PHYS, 2 * SLOT_MAX);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		a = slot_map(PHYS, sizes[i].size, DMA_TO_DEVICE);
		b = slot_map(PHYS, sizes[i].size, DMA_TO_DEVICE);
		ASSERT(a != DMA_MAPPING_ERROR && b != DMA_MAPPING_ERROR);
		EXPECT_EQ(a < b ? b - a : a - b, sizes[i].slot);
		EXPECT_EQ((a | b) % sizes[i].slot, 0);
		EXPECT(dma_readable(a, sizes[i].size) && dma_readable(b, sizes[i].size));
		slot_unmap(a, DMA_TO_DEVICE);
		slot_unmap(b, DMA_TO_DEVICE);
	}
	/* one for a kind */
	EXPECT_EQ(dma_maps(), 5);
	EXPECT_EQ(slot_map(PHYS, 0, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(slot_map(PHYS, SZ_64K + 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	EXPECT_EQ(slot_map(PHYS, SIZE_MAX, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	*param_bounce_size = SZ_1M;
	EXPECT_EQ(viommu_pool_max(fake_dma.pool), SLOT_MAX);
	EXPECT_EQ(slot_map(PHYS, SZ_64K + 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	*param_bounce_size = 5000;
	EXPECT_EQ(viommu_pool_max(fake_dma.pool), 5000);
	EXPECT_EQ(slot_map(PHYS, 5001, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	a = slot_map(PHYS, 5000, DMA_TO_DEVICE);
	EXPECT(a != DMA_MAPPING_ERROR);
	slot_unmap(a, DMA_TO_DEVICE);
	EXPECT_EQ(dma_maps(), 0);
	EXPECT_EQ(dma_unmaps(), 0);
	dma_end();
}

/* Nothing beside the buffer is touched: AddressSanitizer would see it. */
static void test_content(void)
{
	static const size_t sizes[] = { 1, 100, SZ_4K, SZ_4K + 13, SZ_64K };
	unsigned int i, dir;
	dma_addr_t addr;
	u8 *buffer;

	dma_begin_bounce(64);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		buffer = memory_use(PHYS + 64, sizes[i]);
		for (dir = DMA_BIDIRECTIONAL; dir <= DMA_FROM_DEVICE; dir++) {
			memset(buffer, 0x11, sizes[i]);
			addr = slot_map(PHYS + 64, sizes[i], dir);
			ASSERT(addr != DMA_MAPPING_ERROR);
			EXPECT_EQ(dma_readable(addr, sizes[i]), dir != DMA_FROM_DEVICE);
			EXPECT_EQ(dma_writable(addr, sizes[i]), dir != DMA_TO_DEVICE);
			if (dir != DMA_FROM_DEVICE)
				EXPECT(device_sees(addr, 0x11, sizes[i]));
			if (dir != DMA_TO_DEVICE)
				dma_write(addr, 0x22, sizes[i]);
			EXPECT(cpu_sees(buffer, 0x11, sizes[i]));
			memset(buffer, 0x33, sizes[i]);
			slot_unmap(addr, dir);
			EXPECT(cpu_sees(buffer, dir == DMA_TO_DEVICE ? 0x33 : 0x22, sizes[i]));
		}
		memory_drop(PHYS + 64, SZ_64K);
	}
	dma_end();
}

static void test_skip_sync(void)
{
	u8 *buffer = memory_use(PHYS, 100);
	dma_addr_t addr;

	dma_begin_bounce(64);
	memset(buffer, 0x11, 100);
	addr = slot_map(PHYS, 100, DMA_FROM_DEVICE);
	dma_write(addr, 0x22, 100);
	EXPECT(viommu_pool_unmap(fake_dma.pool, addr, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC));
	EXPECT(cpu_sees(buffer, 0x11, 100));
	dma_end();
}

/* What the device did not write is what it was, not what another buffer had been. */
static void test_stale(void)
{
	u8 *buffer = memory_use(PHYS, SZ_4K), *other = memory_use(PHYS + SZ_8K, SZ_4K);
	dma_addr_t addr, again;

	dma_begin_bounce(64);
	memset(buffer, 0x11, SZ_4K);
	addr = slot_map(PHYS, SZ_4K, DMA_FROM_DEVICE);
	dma_write(addr, 0x22, SZ_4K);
	slot_unmap(addr, DMA_FROM_DEVICE);
	memset(other, 0x44, SZ_4K);
	again = slot_map(PHYS + SZ_8K, SZ_4K, DMA_FROM_DEVICE);
	EXPECT_EQ(again, addr);
	dma_write(again, 0x55, 10);
	slot_unmap(again, DMA_FROM_DEVICE);
	EXPECT(cpu_sees(other, 0x55, 10) && cpu_sees(other + 10, 0x44, SZ_4K - 10));
	dma_end();
}

/* Nor does the device see what the memory was before it was the pool's. */
static void test_clean(void)
{
	u8 *buffer = memory_use(PHYS, 16);
	dma_addr_t addr;

	dma_begin_bounce(64);
	memset(buffer, 0x11, 16);
	addr = slot_map(PHYS, 10, DMA_BIDIRECTIONAL);
	EXPECT(device_sees(addr, 0x11, 10));
	EXPECT(device_sees(addr + 10, 0, SZ_4K - 10));
	slot_unmap(addr, DMA_BIDIRECTIONAL);
	dma_end();
}

/* Each direction has a chunk of its own, so a device cannot do more than it is to. */
static void test_directions(void)
{
	dma_addr_t addrs[3];
	unsigned int dir;

	dma_begin_bounce(64);
	memory_use(PHYS, 16);
	for (dir = 0; dir < 3; dir++) {
		addrs[dir] = slot_map(PHYS, 16, dir);
		EXPECT_EQ(dma_maps(), 1);
		EXPECT_EQ(dma_readable(addrs[dir] & ~(CHUNK - 1ULL), CHUNK),
			  dir != DMA_FROM_DEVICE);
		EXPECT_EQ(dma_writable(addrs[dir] & ~(CHUNK - 1ULL), CHUNK),
			  dir != DMA_TO_DEVICE);
	}
	for (dir = 0; dir < 3; dir++)
		slot_unmap(addrs[dir], dir);
	dma_end();
}

static void test_align_mask(void)
{
	static const struct {
		unsigned int mask;
		unsigned int at;
		size_t size;
		size_t slot; /* 0: too large */
	} cases[] = {
		{ 0xfff, 0x208, 0xdf8, SZ_4K }, { 0xfff, 0x208, 0xdf9, SZ_8K },
		{ 0xff, 0x208, 0xff8, SZ_4K }, { 0xff, 0x208, 0xff9, SZ_8K },
		{ 0xfff, 0x10, SZ_64K - 0x10, SZ_64K }, { 0xfff, 0x10, SZ_64K - 0xf, 0 },
		{ 0xffff, 0xfff8, 8, SZ_64K }, { 0xffff, 0xfff8, 9, 0 },
		/* a slot is aligned to what its offset is in */
		{ 0x1fff, 0x208, 8, SZ_8K }, { 0x3fff, 0x208, 8, SZ_16K }, { 0xffff, 0, 1, SZ_64K },
		{ 0x1ffff, 0, 1, 0 }, { -1U, 0, 1, 0 },
	};
	dma_addr_t a, b;
	unsigned int i;
	u8 *buffer;

	dma_begin_bounce(64);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_device()->min_align_mask = cases[i].mask;
		buffer = memory_use(PHYS + cases[i].at, cases[i].size);
		memset(buffer, 0x11, cases[i].size);
		a = slot_map(PHYS + cases[i].at, cases[i].size, DMA_BIDIRECTIONAL);
		b = slot_map(PHYS + cases[i].at, cases[i].size, DMA_BIDIRECTIONAL);
		EXPECT_EQ(a == DMA_MAPPING_ERROR, !cases[i].slot);
		if (cases[i].slot) {
			EXPECT_EQ(a < b ? b - a : a - b, cases[i].slot);
			EXPECT_EQ(a & cases[i].mask, cases[i].at & cases[i].mask);
			EXPECT(device_sees(a, 0x11, cases[i].size));
			dma_write(a, 0x22, cases[i].size);
			slot_unmap(b, DMA_BIDIRECTIONAL);
			EXPECT(cpu_sees(buffer, 0x11, cases[i].size));
			slot_unmap(a, DMA_BIDIRECTIONAL);
			EXPECT(cpu_sees(buffer, 0x22, cases[i].size));
		}
		memory_drop(PHYS, SZ_128K);
	}
	dma_end();
}

/* A part of it, each way, and no byte more. */
static void test_sync(void)
{
	u8 *buffer = memory_use(PHYS + 8, 200);
	dma_addr_t addr;

	dma_begin_bounce(64);
	fake_device()->min_align_mask = 0xff;
	memset(buffer, 0x11, 200);
	addr = slot_map(PHYS + 8, 200, DMA_BIDIRECTIONAL);
	memset(buffer, 0x22, 200);
	EXPECT(viommu_pool_sync(fake_dma.pool, addr + 50, 20, true));
	EXPECT(device_sees(addr, 0x11, 50) && device_sees(addr + 50, 0x22, 20) &&
	       device_sees(addr + 70, 0x11, 130));
	dma_write(addr, 0x33, 200);
	EXPECT(viommu_pool_sync(fake_dma.pool, addr + 190, 10, false));
	EXPECT(cpu_sees(buffer, 0x22, 190) && cpu_sees(buffer + 190, 0x33, 10));
	EXPECT(viommu_pool_sync(fake_dma.pool, addr, 1, false));
	EXPECT(cpu_sees(buffer, 0x33, 1) && cpu_sees(buffer + 1, 0x22, 189));
	EXPECT(viommu_pool_sync(fake_dma.pool, addr + 200, 0, false));
	EXPECT(viommu_pool_sync(fake_dma.pool, addr, 200, false));
	EXPECT(cpu_sees(buffer, 0x33, 200));
	memset(buffer, 0x44, 200);
	EXPECT(viommu_pool_sync(fake_dma.pool, addr, 200, true));
	EXPECT(device_sees(addr, 0x44, 200));
	EXPECT(!viommu_pool_sync(fake_dma.pool, addr ^ CHUNK, 1, true));
	slot_unmap(addr, DMA_BIDIRECTIONAL);
	dma_end();
}

/* More than there is of it: a warning, and nothing happens. */
static void test_sync_outside(void)
{
	u8 *buffer = memory_use(PHYS + 8, 200);
	dma_addr_t addr;

	dma_begin_bounce(64);
	fake_device()->min_align_mask = 0xff;
	memset(buffer, 0x11, 200);
	addr = slot_map(PHYS + 8, 200, DMA_BIDIRECTIONAL);
	memset(buffer, 0x22, 200);
	EXPECT(viommu_pool_sync(fake_dma.pool, addr - 1, 1, true));
	EXPECT(viommu_pool_sync(fake_dma.pool, addr, 201, true));
	EXPECT(viommu_pool_sync(fake_dma.pool, addr + 199, 2, true));
	EXPECT(viommu_pool_sync(fake_dma.pool, addr + 200, 1, true));
	EXPECT(viommu_pool_sync(fake_dma.pool, addr + 201, 0, true));
	EXPECT(viommu_pool_sync(fake_dma.pool, addr + 1, SIZE_MAX, true));
	EXPECT_EQ(fake_warnings, 6);
	EXPECT(device_sees(addr, 0x11, 200));
	slot_unmap(addr, DMA_BIDIRECTIONAL);
	EXPECT(viommu_pool_sync(fake_dma.pool, addr, 1, true));
	EXPECT_EQ(fake_warnings, 7);
	fake_warnings = 0;
	dma_end();
}

static void test_double_unmap(void)
{
	u8 *buffer = memory_use(PHYS, 100);
	dma_addr_t addr, a, b;

	dma_begin_bounce(64);
	EXPECT(!viommu_pool_unmap(fake_dma.pool, 0x12345000, DMA_FROM_DEVICE, 0));
	memset(buffer, 0x11, 100);
	addr = slot_map(PHYS, 100, DMA_FROM_DEVICE);
	dma_write(addr, 0x22, 100);
	slot_unmap(addr, DMA_FROM_DEVICE);
	memset(buffer, 0x33, 100);
	slot_unmap(addr, DMA_FROM_DEVICE);
	EXPECT_EQ(fake_warnings, 1);
	fake_warnings = 0;
	EXPECT(cpu_sees(buffer, 0x33, 100));
	/* The slot is there once. */
	a = slot_map(PHYS, 100, DMA_FROM_DEVICE);
	b = slot_map(PHYS, 100, DMA_FROM_DEVICE);
	EXPECT(a != b);
	slot_unmap(a, DMA_FROM_DEVICE);
	slot_unmap(b, DMA_FROM_DEVICE);
	dma_end();
}

static const struct test_case cases[] = {
	{ "slots of the size that is needed", test_sizes },
	{ "content of a buffer, in and out", test_content },
	{ "content is left where it is, if that is asked for", test_skip_sync },
	{ "what the device did not write", test_stale },
	{ "memory beside a buffer is clean", test_clean },
	{ "directions are apart", test_directions },
	{ "low bits of an address that are a buffer's", test_align_mask },
	{ "a part of a buffer is synced", test_sync },
	{ "more than a buffer is not", test_sync_outside },
	{ "a buffer that is unmapped twice", test_double_unmap },
};

TEST_SUITE(pool, cases);
