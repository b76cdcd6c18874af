// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA operations: which way a buffer goes.
 */
#include <linux/err.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "fake_dma.h"

#define PHYS		MEMORY_START

static struct device * const dev = &fake_pci.dev;

static void test_prot(void)
{
	dma_begin_mode(VIOMMU_DMA_ORDINARY, IOMMU_DOMAIN_DMA);
	EXPECT_EQ(viommu_dma_prot(DMA_TO_DEVICE), IOMMU_READ);
	EXPECT_EQ(viommu_dma_prot(DMA_FROM_DEVICE), IOMMU_WRITE);
	EXPECT_EQ(viommu_dma_prot(DMA_BIDIRECTIONAL), IOMMU_READ | IOMMU_WRITE);
	EXPECT_EQ(viommu_dma_mask(dev), DMA_BIT_MASK(64));
	dev->bus_dma_limit = 12345;
	EXPECT_EQ(viommu_dma_mask(dev), 12345);
	dev->dma_mask = 1234;
	EXPECT_EQ(viommu_dma_mask(dev), 1234);
	EXPECT_EQ(viommu_dma_max_mapping_size(dev), SIZE_MAX);
	EXPECT_EQ(viommu_dma_opt_mapping_size(), 32 * PAGE);
	dma_end();
}

static void test_ordinary(void)
{
	unsigned int dir, i;
	dma_addr_t addr;

	dma_begin_mode(VIOMMU_DMA_ORDINARY, IOMMU_DOMAIN_DMA);
	for (i = 0; i < 3; i++) {
		for (dir = 0; dir < 3; dir++) {
			addr = buffer_map(PHYS + 5, 5000, dir);
			EXPECT_EQ(dma_translate(addr), PHYS + 5);
			EXPECT_EQ(dma_translate(addr + 4999), PHYS + 5004);
			EXPECT_EQ(dma_readable(addr, 5000), dir != DMA_FROM_DEVICE);
			EXPECT_EQ(dma_writable(addr, 5000), dir != DMA_TO_DEVICE);
			EXPECT_EQ(dma_maps(), 1);
			viommu_dma_sync_for_cpu(dev, addr, 5000, dir);
			viommu_dma_sync_for_device(dev, addr, 5000, dir);
			buffer_unmap(addr, 5000, dir);
			EXPECT(!dma_translate(addr));
			EXPECT_EQ(dma_unmaps(), 1);
		}
	}
	dev->dma_mask = DMA_BIT_MASK(24);
	addr = buffer_map(PHYS, 1, DMA_TO_DEVICE);
	EXPECT(addr <= DMA_BIT_MASK(24));
	buffer_unmap(addr, 1, DMA_TO_DEVICE);
	dev->dma_mask = DMA_BIT_MASK(12);
	EXPECT_EQ(buffer_map(PHYS, 1, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	dma_end();
}

/* What both sides use without a sync is not copied. */
static void test_in_place(void)
{
	dma_addr_t addr;

	dma_begin_mode(VIOMMU_DMA_BOUNCE, IOMMU_DOMAIN_DMA);
	addr = viommu_dma_map(dev, PHYS, PAGE, DMA_BIDIRECTIONAL, DMA_ATTR_REQUIRE_COHERENT);
	EXPECT_EQ(dma_translate(addr), PHYS);
	buffer_unmap(addr, PAGE, DMA_BIDIRECTIONAL);
	EXPECT(!dma_translate(addr));
	dma_end();
}

/* Whatever the mode is. */
static void test_mmio(void)
{
	enum viommu_dma_mode mode;
	dma_addr_t addr;

	for (mode = 0; mode < VIOMMU_DMA_MODES; mode++) {
		dma_begin_mode(mode, IOMMU_DOMAIN_DMA);
		addr = viommu_dma_map_mmio(dev, PHYS + 8, 16, DMA_TO_DEVICE, 0);
		EXPECT_EQ(dma_translate(addr), PHYS + 8);
		EXPECT_EQ(fake_iommu_find(&iommu, fake_domain->id, addr)->flags,
			  VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_MMIO);
		EXPECT_EQ(dma_iovas(), 1);
		buffer_unmap(addr, 16, DMA_TO_DEVICE);
		EXPECT_EQ(dma_iovas(), 0);
		dma_end();
	}
}

/* What is too large, or has no room, goes the ordinary way. */
static void test_bounce(void)
{
	u8 *buffer = memory_use(PHYS, SZ_128K);
	dma_addr_t small, large, more;

	dma_begin_mode(VIOMMU_DMA_BOUNCE, IOMMU_DOMAIN_DMA);
	*param_bounce_mib = 1;
	memset(buffer, 0x11, SZ_128K);
	small = buffer_map(PHYS, SZ_64K, DMA_BIDIRECTIONAL);
	EXPECT(dma_translate(small) >= MEMORY_PAGES);
	EXPECT_EQ(dma_read(small), 0x11);
	large = buffer_map(PHYS, SZ_64K + 1, DMA_BIDIRECTIONAL);
	EXPECT_EQ(dma_translate(large), PHYS);
	more = buffer_map(PHYS, 1, DMA_TO_DEVICE);
	EXPECT_EQ(dma_translate(more), PHYS);
	EXPECT_EQ(dma_maps(), 3);
	buffer_unmap(more, 1, DMA_TO_DEVICE);
	EXPECT(!dma_translate(more));
	buffer_unmap(large, SZ_64K + 1, DMA_BIDIRECTIONAL);
	EXPECT(!dma_translate(large));
	dma_write(small, 0x22, SZ_64K);
	EXPECT_EQ(buffer[0], 0x11);
	viommu_dma_unmap(dev, small, SZ_64K, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	EXPECT_EQ(buffer[0], 0x11);
	EXPECT_EQ(dma_unmaps(), 2);
	EXPECT(dma_translate(small));
	small = buffer_map(PHYS, 1, DMA_BIDIRECTIONAL);
	EXPECT_EQ(dma_translate(small), PHYS);
	buffer_unmap(small, 1, DMA_BIDIRECTIONAL);
	small = buffer_map(PHYS, SZ_64K, DMA_BIDIRECTIONAL);
	dma_write(small, 0x22, SZ_64K);
	buffer_unmap(small, SZ_64K, DMA_BIDIRECTIONAL);
	EXPECT_EQ(buffer[SZ_64K - 1], 0x22);
	dma_end();
}

/* Who has written is who the other one hears of, and only then. */
static void test_sync(void)
{
	u8 *buffer = memory_use(PHYS, 8);
	unsigned int dir;
	dma_addr_t addr;

	dma_begin_mode(VIOMMU_DMA_BOUNCE, IOMMU_DOMAIN_DMA);
	for (dir = 0; dir < 3; dir++) {
		memset(buffer, 0x11, 8);
		addr = buffer_map(PHYS, 8, dir);
		memset(buffer, 0x22, 8);
		viommu_dma_sync_for_device(dev, addr + 1, 1, dir);
		EXPECT_EQ(memory_read(dma_translate(addr + 1)),
			  dir == DMA_FROM_DEVICE ? 0x11 : 0x22);
		EXPECT_EQ(memory_read(dma_translate(addr)), 0x11);
		memory_write(dma_translate(addr + 2), 0x33);
		memory_write(dma_translate(addr + 3), 0x33);
		viommu_dma_sync_for_cpu(dev, addr + 2, 1, dir);
		EXPECT_EQ(buffer[2], dir == DMA_TO_DEVICE ? 0x22 : 0x33);
		EXPECT_EQ(buffer[3], 0x22);
		buffer_unmap(addr, 8, dir);
	}
	dma_end();
}

static void test_reuse(void)
{
	dma_addr_t addr, other, across;

	dma_begin_mode(VIOMMU_DMA_REUSE, IOMMU_DOMAIN_DMA);
	addr = buffer_map(PHYS + 5, 10, DMA_TO_DEVICE);
	other = buffer_map(PHYS + 10, SZ_1M, DMA_TO_DEVICE);
	EXPECT_EQ(other, addr + 5);
	across = buffer_map(PHYS + SZ_2M - 1, 2, DMA_TO_DEVICE);
	EXPECT_EQ(dma_translate(across), PHYS + SZ_2M - 1);
	EXPECT_EQ(dma_maps(), 2);
	EXPECT_EQ(dma_iovas(), SZ_2M / PAGE + 2);
	buffer_unmap(across, 2, DMA_TO_DEVICE);
	EXPECT_EQ(dma_iovas(), SZ_2M / PAGE);
	buffer_unmap(addr, 10, DMA_TO_DEVICE);
	buffer_unmap(other, SZ_1M, DMA_TO_DEVICE);
	EXPECT_EQ(dma_unmaps(), 1);
	EXPECT_EQ(dma_translate(addr), PHYS + 5);
	dma_end();
}

static const struct test_case cases[] = {
	{ "what a device may do, and where", test_prot },
	{ "the ordinary way", test_ordinary },
	{ "memory that is not to be copied", test_in_place },
	{ "registers go the ordinary way", test_mmio },
	{ "bounce: what is taken, and what is not", test_bounce },
	{ "bounce: syncs", test_sync },
	{ "reuse: what is taken, and what is not", test_reuse },
};

TEST_SUITE(dma, cases);
