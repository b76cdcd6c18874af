// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA operations: scatterlists.
 */
#include <linux/err.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "fake_dma.h"

#define PHYS		MEMORY_START
#define NENTS		32

static struct device * const dev = &fake_pci.dev;
static struct scatterlist list[NENTS];

/* Entries of scatterlists: at @phys so many bytes. */
struct entry {
	phys_addr_t phys;
	unsigned int length;
};

static int set_list(const struct entry *entries, unsigned int nr)
{
	unsigned int i;

	sg_init_table(list, nr);
	for (i = 0; i < nr; i++) {
		sg_set_page(&list[i], pfn_to_page(PHYS_PFN(entries[i].phys)), entries[i].length,
			    offset_in_page(entries[i].phys));
		/* as what was there before */
		sg_dma_address(&list[i]) = test_random();
		sg_dma_len(&list[i]) = test_random();
	}
	return nr;
}

#define SET_LIST(...)							\
	({								\
		const struct entry __entries[] = { __VA_ARGS__ };	\
									\
		set_list(__entries, ARRAY_SIZE(__entries));		\
	})

static int map_list(int nents)
{
	return viommu_dma_map_sg(dev, list, nents, DMA_BIDIRECTIONAL, 0);
}

static void unmap_list(int nents)
{
	viommu_dma_unmap_sg(dev, list, nents, DMA_BIDIRECTIONAL, 0);
}

static bool segment_fits(u64 start, u64 size)
{
	return size <= dev->max_seg_size && !((start ^ (start + size - 1)) & ~dev->seg_boundary);
}

/* What the device finds in its segments, behind each other, is the list. */
static void expect_segments(int nents, int nr)
{
	unsigned int at = 0, lengths[NENTS];
	int i, j = 0;

	for (i = 0; i < nents; i++) {
		if (!list[i].length)
			continue;
		ASSERT(j < nr);
		if (!at)
			lengths[j] = list[i].length;
		EXPECT_EQ(dma_translate(sg_dma_address(&list[j]) + at), sg_phys(&list[i]));
		EXPECT_EQ(dma_translate(sg_dma_address(&list[j]) + at + list[i].length - 1),
			  sg_phys(&list[i]) + list[i].length - 1);
		/* One that the device cannot take as a whole is its driver's mistake. */
		if (at)
			EXPECT(segment_fits(sg_dma_address(&list[j]), at + list[i].length));
		at += list[i].length;
		EXPECT(at <= sg_dma_len(&list[j]));
		if (at == sg_dma_len(&list[j])) {
			at = 0;
			j++;
		}
	}
	EXPECT_EQ(j, nr);
	EXPECT_EQ(at, 0);
	for (i = nr; i < nents; i++) {
		EXPECT_EQ(sg_dma_address(&list[i]), DMA_MAPPING_ERROR);
		EXPECT_EQ(sg_dma_len(&list[i]), 0);
	}
	/* As few as can be. */
	for (j = 1; j < nr; j++)
		EXPECT(sg_dma_address(&list[j]) !=
		       sg_dma_address(&list[j - 1]) + sg_dma_len(&list[j - 1]) ||
		       !segment_fits(sg_dma_address(&list[j - 1]),
				     sg_dma_len(&list[j - 1]) + lengths[j]));
}

static void test_merge(void)
{
	int nents;

	dma_begin_mode(VIOMMU_DMA_ORDINARY, IOMMU_DOMAIN_DMA);
	/* whole pages, from anywhere */
	nents = SET_LIST({ PHYS + 100, 4096 - 100 }, { PHYS + 9 * PAGE, 8192 },
			 { PHYS + 3 * PAGE, 50 });
	EXPECT_EQ(map_list(nents), 1);
	EXPECT_EQ(sg_dma_address(list) % PAGE, 100);
	EXPECT_EQ(sg_dma_len(list), 3 * 4096 - 100 + 50);
	expect_segments(nents, 1);
	EXPECT_EQ(dma_kicks(), 1);
	EXPECT_EQ(dma_iovas(), 4);
	unmap_list(nents);
	EXPECT_EQ(dma_kicks(), 1);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(iommu.nr_mappings, 0);

	/* an end, or a begin, within a page is the end of a segment */
	nents = SET_LIST({ PHYS, 4096 }, { PHYS + PAGE, 4095 }, { PHYS + 3 * PAGE, 4096 },
			 { PHYS + 5 * PAGE + 1, 10 }, { PHYS + 6 * PAGE, 10 });
	EXPECT_EQ(map_list(nents), 4);
	expect_segments(nents, 4);
	EXPECT_EQ(dma_iovas(), 5);
	unmap_list(nents);

	nents = SET_LIST({ PHYS + 7, 3 });
	EXPECT_EQ(map_list(nents), 1);
	expect_segments(nents, 1);
	unmap_list(nents);
	EXPECT_EQ(dma_iovas(), 0);

	/* an offset beyond the first page */
	nents = SET_LIST({ PHYS, 100 });
	list[0].offset = 3 * PAGE + 4000;
	EXPECT_EQ(map_list(nents), 1);
	expect_segments(nents, 1);
	EXPECT_EQ(dma_iovas(), 2);
	unmap_list(nents);
	dma_end();
}

/* Entries without any bytes take no room, and the device sees none of them. */
static void test_empty(void)
{
	enum viommu_dma_mode mode;
	int nents;

	memory_use(PHYS, SZ_64K);
	for (mode = 0; mode < VIOMMU_DMA_MODES; mode++) {
		dma_begin_mode(mode, IOMMU_DOMAIN_DMA);
		nents = SET_LIST({ PHYS + 100, 0 }, { PHYS + 9 * PAGE, PAGE }, { PHYS + 5, 0 },
				 { PHYS + 3 * PAGE, PAGE }, { PHYS, 0 }, { PHYS + PAGE, 10 },
				 { PHYS + 7, 0 });
		EXPECT_EQ(map_list(nents), 1);
		expect_segments(nents, 1);
		EXPECT_EQ(sg_dma_len(list), 2 * PAGE + 10);
		unmap_list(nents);
		dma_pass(10 * HZ);
		EXPECT_EQ(dma_iovas(), 0);

		/* of nothing else there is nothing to be mapped */
		nents = SET_LIST({ PHYS + 100, 0 }, { PHYS, 0 });
		EXPECT_EQ(map_list(nents), -EINVAL);
		EXPECT_EQ(dma_iovas(), 0);
		EXPECT_EQ(iommu.nr_mappings, 0);
		dma_end();
	}
}

/* What counts is where it was mapped, whatever the driver has changed since. */
static void test_unmap_as_mapped(void)
{
	int i, nents;

	dma_begin_mode(VIOMMU_DMA_ORDINARY, IOMMU_DOMAIN_DMA);
	dev->seg_boundary = 0xffff;
	nents = SET_LIST({ PHYS + 5, 0x9000 }, { PHYS + 0x20000, 0xa000 },
			 { PHYS + 0x40000, 0x6000 }, { PHYS + 0x60000, 0x1001 });
	EXPECT_EQ(map_list(nents), 3);
	expect_segments(nents, 3);
	dev->seg_boundary = -1UL;
	for (i = 0; i < nents; i++)
		list[i].length = 1;
	unmap_list(nents);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(iommu.nr_mappings, 0);
	dma_end();
}

/* In the midst of a list's IOVAs somebody has mapped something: that stays, and nothing else. */
static void test_somebody_elses(void)
{
	dma_addr_t iova;
	int nents, i;

	dma_begin_mode(VIOMMU_DMA_ORDINARY, IOMMU_DOMAIN_DMA);
	nents = SET_LIST({ PHYS, PAGE }, { PHYS + 3 * PAGE, PAGE }, { PHYS + 9 * PAGE, PAGE });
	for (i = 0; i < nents; i++) {
		iova = dma_next_iova(nents * PAGE);
		dma_map_at(iova + i * PAGE, PAGE, IOMMU_READ);
		EXPECT_EQ(map_list(nents), -EIO);
		EXPECT_EQ(dma_translate(iova + i * PAGE), MEMORY_START);
		EXPECT_EQ(iommu.nr_mappings, 1);
		EXPECT_EQ(dma_iovas(), nents);
		EXPECT_EQ(map_list(nents), 1);
		expect_segments(nents, 1);
		EXPECT(sg_dma_address(list) != iova);
		unmap_list(nents);
		dma_unmap_at(iova + i * PAGE, PAGE);
		viommu_space_give(fake_space, iova, nents * PAGE);
		/* nothing is left there */
		EXPECT_EQ(map_list(nents), 1);
		EXPECT_EQ(sg_dma_address(list), iova);
		unmap_list(nents);
	}
	dma_end();
}

static void test_max_segment(void)
{
	int nents;

	dma_begin_mode(VIOMMU_DMA_ORDINARY, IOMMU_DOMAIN_DMA);
	nents = SET_LIST({ PHYS, 0x4000 }, { PHYS + 0x10000, 0x4000 }, { PHYS + 0x20000, 0x4000 },
			 { PHYS + 0x30000, 0x4000 });
	dev->max_seg_size = 0x8000;
	EXPECT_EQ(map_list(nents), 2);
	expect_segments(nents, 2);
	unmap_list(nents);
	dev->max_seg_size = 0x7fff;
	EXPECT_EQ(map_list(nents), 4);
	expect_segments(nents, 4);
	unmap_list(nents);
	dev->max_seg_size = 0x10000;
	EXPECT_EQ(map_list(nents), 1);
	expect_segments(nents, 1);
	unmap_list(nents);
	/* too large by itself */
	dev->max_seg_size = 0x1000;
	EXPECT_EQ(map_list(nents), 4);
	expect_segments(nents, 4);
	unmap_list(nents);
	dev->max_seg_size = U32_MAX;
	EXPECT_EQ(map_list(nents), 1);
	expect_segments(nents, 1);
	unmap_list(nents);
	dma_end();
}

/* What would cross the device's boundary begins behind it, and leaves a gap. */
static void test_boundary(void)
{
	dma_addr_t addr;
	int nents;

	dma_begin_mode(VIOMMU_DMA_ORDINARY, IOMMU_DOMAIN_DMA);
	dev->max_seg_size = U32_MAX;
	dev->seg_boundary = 0xffff;
	nents = SET_LIST({ PHYS, 0xa000 }, { PHYS + 0x20000, 0xa000 }, { PHYS + 0x40000, 0x6000 },
			 { PHYS + 0x60000, 0x1000 });
	EXPECT_EQ(map_list(nents), 3);
	expect_segments(nents, 3);
	addr = sg_dma_address(list);
	EXPECT_EQ(addr % 0x20000, 0);
	EXPECT_EQ(sg_dma_len(list), 0xa000);
	EXPECT(!dma_translate(addr + 0xa000) && !dma_translate(addr + 0xffff));
	EXPECT_EQ(sg_dma_address(&list[1]), addr + 0x10000);
	EXPECT_EQ(sg_dma_len(&list[1]), 0x10000);
	EXPECT_EQ(sg_dma_address(&list[2]), addr + 0x20000);
	EXPECT_EQ(dma_iovas(), 0x21);
	unmap_list(nents);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(iommu.nr_mappings, 0);

	/* up to it there is room */
	nents = SET_LIST({ PHYS, 0xa000 }, { PHYS + 0x20000, 0x6000 });
	EXPECT_EQ(map_list(nents), 1);
	expect_segments(nents, 1);
	unmap_list(nents);
	/* but for a byte more */
	nents = SET_LIST({ PHYS, 0x10000 }, { PHYS + 0x20000, 1 });
	EXPECT_EQ(map_list(nents), 2);
	expect_segments(nents, 2);
	unmap_list(nents);
	/* one that is larger itself */
	nents = SET_LIST({ PHYS, 0x1000 }, { PHYS + 0x20000, 0x18000 }, { PHYS, 0x1000 });
	EXPECT_EQ(map_list(nents), 3);
	EXPECT_EQ(sg_dma_address(&list[1]) % 0x10000, 0);
	EXPECT_EQ(dma_iovas(), 0x29);
	unmap_list(nents);
	EXPECT_EQ(dma_iovas(), 0);
	dma_end();
}

/* Lists, boundaries and sizes at random: the device finds all of each. */
static void test_random_lists(void)
{
	struct entry entries[NENTS];
	unsigned long round;
	int i, nents, nr;

	dma_begin_mode(VIOMMU_DMA_ORDINARY, IOMMU_DOMAIN_DMA_FQ);
	for (round = 0; round < test_rounds(300); round++) {
		dev->max_seg_size = 1 + test_below(0x20000);
		dev->seg_boundary = test_below(2) ? -1UL : (0x10000UL << test_below(6)) - 1;
		nents = 1 + test_below(NENTS);
		for (i = 0; i < nents; i++) {
			bool whole = test_below(2);

			entries[i].phys = PHYS + test_below(64) * SZ_64K +
					  (whole ? 0 : test_below(PAGE));
			entries[i].length = whole ? PAGE << test_below(4) :
						    1 + test_below(3 * PAGE);
			if (i && !test_below(8))
				entries[i].length = 0;
		}
		nr = map_list(set_list(entries, nents));
		ASSERT(nr > 0 && nr <= nents);
		expect_segments(nents, nr);
		unmap_list(nents);
		if (test_below(2))
			dma_pass(10);
	}
	dma_pass(100);
	EXPECT_EQ(iommu.nr_mappings, 0);
	dma_end();
}

static dma_addr_t stray;

/* The device writes to what it was not told of yet. */
static void write_early(void)
{
	if (sg_dma_address(list) == stray)
		dma_write(stray, 0x22, 1);
}

/* A list goes one way. Its bytes in all decide, then whether there is room for all. */
static void test_bounce_list(void)
{
	u8 *buffer = memory_use(PHYS, SZ_1M);
	int nents;

	dma_begin_mode(VIOMMU_DMA_BOUNCE, IOMMU_DOMAIN_DMA);
	*param_bounce_mib = 2;
	memset(buffer, 0x11, SZ_1M);
	nents = SET_LIST({ PHYS, 0x8000 }, { PHYS + 0x20004, 0x7000 }, { PHYS + 0x30000, 0x1000 });
	EXPECT_EQ(map_list(nents), nents);
	EXPECT(dma_translate(sg_dma_address(&list[0])) >= MEMORY_PAGES);
	EXPECT_EQ(sg_dma_len(&list[1]), 0x7000);
	dma_write(sg_dma_address(&list[0]), 0x22, 0x8000);
	dma_write(sg_dma_address(&list[2]), 0x33, 0x1000);
	unmap_list(nents);
	EXPECT(buffer[0] == 0x22 && buffer[0x7fff] == 0x22 && buffer[0x20004] == 0x11);
	EXPECT(buffer[0x30fff] == 0x33 && buffer[0x31000] == 0x11);
	EXPECT_EQ(dma_maps(), 2);

	/* a byte more */
	list[2].length++;
	EXPECT(map_list(nents) > 0);
	expect_segments(nents, 3);
	unmap_list(nents);
	EXPECT_EQ(dma_unmaps(), 1);
	EXPECT_EQ(iommu.nr_mappings, 2);

	/* room for the first one only, and it is not lost, nor copied back */
	buffer[0] = 0x11;
	stray = buffer_map(PHYS, 0x8000, DMA_BIDIRECTIONAL);
	buffer_unmap(stray, 0x8000, DMA_BIDIRECTIONAL);
	nents = SET_LIST({ PHYS, 0x8000 }, { PHYS + 0x20000, 0x2000 });
	fake.on_step = write_early;
	EXPECT_EQ(map_list(nents), 1);
	fake.on_step = NULL;
	expect_segments(nents, 1);
	EXPECT_EQ(dma_read(stray), 0x22);
	EXPECT_EQ(buffer[0], 0x11);
	unmap_list(nents);
	dma_end();
}

static void test_no_copy_back(void)
{
	u8 *buffer = memory_use(PHYS, SZ_1M);
	dma_addr_t addr;
	int nents;

	dma_begin_mode(VIOMMU_DMA_BOUNCE, IOMMU_DOMAIN_DMA);
	*param_bounce_mib = 1;
	addr = buffer_map(PHYS, SZ_4K, DMA_BIDIRECTIONAL);
	dma_write(addr & ~0xfffffULL, 0x77, SZ_1M);
	buffer_unmap(addr, SZ_4K, DMA_BIDIRECTIONAL);
	memset(buffer, 0x11, SZ_1M);
	/* Behind each other they are one piece, as the device sees it. */
	nents = SET_LIST({ PHYS, SZ_4K }, { PHYS + SZ_4K, SZ_8K });
	EXPECT_EQ(map_list(nents), 1);
	dma_write(sg_dma_address(list), 0x22, 3 * SZ_4K);
	EXPECT(buffer[0] == 0x22 && buffer[3 * SZ_4K - 1] == 0x22 && buffer[3 * SZ_4K] == 0x11);
	unmap_list(nents);
	EXPECT(buffer[0] == 0x22 && buffer[3 * SZ_4K - 1] == 0x22);
	dma_end();
}

static void test_reuse_list(void)
{
	int nents;

	dma_begin_mode(VIOMMU_DMA_REUSE, IOMMU_DOMAIN_DMA);
	nents = SET_LIST({ PHYS, SZ_1M }, { PHYS + SZ_1M, 100 }, { PHYS + SZ_2M + 5, SZ_1M });
	EXPECT_EQ(map_list(nents), nents);
	expect_segments(nents, nents);
	EXPECT_EQ(dma_maps(), 2);
	unmap_list(nents);
	EXPECT_EQ(dma_unmaps(), 0);
	EXPECT_EQ(dma_iovas(), 2 * SZ_2M / PAGE);
	/* Across a border one cannot, so none does, and the areas are not kept by it. */
	nents = SET_LIST({ PHYS, PAGE }, { PHYS + SZ_2M - 1, 2 });
	EXPECT_EQ(map_list(nents), 2);
	expect_segments(nents, 2);
	EXPECT_EQ(dma_iovas(), 2 * SZ_2M / PAGE + 3);
	unmap_list(nents);
	EXPECT_EQ(dma_iovas(), 2 * SZ_2M / PAGE);
	dma_pass(100);
	EXPECT_EQ(dma_iovas(), 0);
	EXPECT_EQ(dma_pass(100), 0);
	dma_end();
}

/* A list that was copied is synced, all of it; one that was not, merged or not, is not. */
static void test_sync_list(void)
{
	u8 *buffer = memory_use(PHYS, SZ_1M);
	unsigned int dir;
	int nents;

	dma_begin_mode(VIOMMU_DMA_BOUNCE, IOMMU_DOMAIN_DMA);
	for (dir = 0; dir < 3; dir++) {
		nents = SET_LIST({ PHYS, 8 }, { PHYS + 100, 8 });
		memset(buffer, 0x11, 200);
		EXPECT_EQ(viommu_dma_map_sg(dev, list, nents, dir, 0), 2);
		memset(buffer, 0x22, 200);
		viommu_dma_sync_sg_for_device(dev, list, nents, dir);
		EXPECT_EQ(memory_read(dma_translate(sg_dma_address(&list[1]) + 7)),
			  dir == DMA_FROM_DEVICE ? 0x11 : 0x22);
		memory_write(dma_translate(sg_dma_address(&list[0])), 0x33);
		memory_write(dma_translate(sg_dma_address(&list[1])), 0x33);
		viommu_dma_sync_sg_for_cpu(dev, list, nents, dir);
		EXPECT_EQ(buffer[0], dir == DMA_TO_DEVICE ? 0x22 : 0x33);
		EXPECT_EQ(buffer[100], dir == DMA_TO_DEVICE ? 0x22 : 0x33);
		buffer[100] = 0x44;
		viommu_dma_unmap_sg(dev, list, nents, dir, DMA_ATTR_SKIP_CPU_SYNC);
		EXPECT_EQ(buffer[100], 0x44);
	}
	memset(buffer, 0x11, SZ_1M);
	nents = SET_LIST({ PHYS, SZ_64K }, { PHYS + SZ_128K, SZ_64K }, { PHYS + SZ_64K, SZ_64K });
	dev->max_seg_size = U32_MAX;
	EXPECT_EQ(map_list(nents), 1);
	/* What comes behind the merged ones counts for nothing, were it the pool's. */
	sg_dma_address(&list[2]) = buffer_map(PHYS, 8, DMA_BIDIRECTIONAL);
	sg_dma_len(&list[2]) = 8;
	dma_write(sg_dma_address(&list[2]), 0x55, 8);
	viommu_dma_sync_sg_for_cpu(dev, list, nents, DMA_BIDIRECTIONAL);
	viommu_dma_sync_sg_for_device(dev, list, nents, DMA_BIDIRECTIONAL);
	EXPECT_EQ(buffer[0], 0x11);
	EXPECT_EQ(buffer[SZ_64K], 0x11);
	EXPECT_EQ(dma_read(sg_dma_address(&list[2])), 0x55);
	buffer_unmap(sg_dma_address(&list[2]), 8, DMA_BIDIRECTIONAL);
	unmap_list(nents);
	dma_end();
}

/* Memory of another device among it: nothing of the list is mapped. */
static void test_p2p(void)
{
	enum viommu_dma_mode mode;
	int nents;

	for (mode = 0; mode < VIOMMU_DMA_MODES; mode++) {
		memory_use(PHYS, SZ_4K);
		dma_begin_mode(mode, IOMMU_DOMAIN_DMA);
		nents = SET_LIST({ PHYS, 8 }, { PHYS + PAGE, 8 });
		sg_page(&list[1])->p2p = true;
		EXPECT_EQ(map_list(nents), -EREMOTEIO);
		EXPECT_EQ(dma_maps(), 0);
		EXPECT_EQ(dma_iovas(), 0);
		sg_page(&list[1])->p2p = false;
		dma_end();
	}
}

/* Each of its MAPs in turn, refused for any reason. */
static void test_refused_list(void)
{
	static const struct {
		u8 status;
		int error;
	} reasons[] = {
		{ VIRTIO_IOMMU_S_NOMEM, -ENOMEM }, { VIRTIO_IOMMU_S_RANGE, -EIO },
		{ VIRTIO_IOMMU_S_DEVERR, -EIO }, { VIRTIO_IOMMU_S_INVAL, -EIO },
	};
	unsigned int i, j;
	int nents;

	dma_begin_mode(VIOMMU_DMA_ORDINARY, IOMMU_DOMAIN_DMA_FQ);
	nents = SET_LIST({ PHYS, 8 }, { PHYS + 3 * PAGE, PAGE }, { PHYS + 9 * PAGE, 8192 });
	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		for (j = 0; j < 3; j++) {
			dma_refuse_map(j, reasons[i].status);
			EXPECT_EQ(map_list(nents), reasons[i].error);
			EXPECT_EQ(dma_iovas(), 0);
			EXPECT_EQ(iommu.nr_mappings, 0);
		}
	}
	fake.messages = 0;
	dev->dma_mask = DMA_BIT_MASK(13);
	EXPECT_EQ(map_list(nents), -ENOMEM);
	EXPECT_EQ(dma_pass(1000), 0);
	dma_end();
}

/* Each allocation in turn: all of it is mapped, some way, or nothing. */
static void test_no_memory(void)
{
	enum viommu_dma_mode mode;
	unsigned int i, failures;
	dma_addr_t addr;
	int nents, nr, j;

	memory_use(PHYS, SZ_64K);
	for (mode = 0; mode < VIOMMU_DMA_MODES; mode++) {
		for (i = 1, failures = 1; failures; i++) {
			dma_begin_mode(mode, IOMMU_DOMAIN_DMA);
			nents = SET_LIST({ PHYS, 8 }, { PHYS + 3 * PAGE, 5000 },
					 { PHYS + PAGE, 9 });
			slab_control.fail_in = i;
			addr = buffer_map(PHYS + 5, 100, DMA_BIDIRECTIONAL);
			nr = map_list(nents);
			failures = !slab_control.fail_in;
			slab_control.fail_in = 0;
			EXPECT(nr == -ENOMEM || nr == nents);
			/* What has no memory in its mode goes the ordinary way. */
			EXPECT(mode == VIOMMU_DMA_ORDINARY || addr != DMA_MAPPING_ERROR);
			EXPECT(mode == VIOMMU_DMA_ORDINARY || nr == nents);
			if (addr != DMA_MAPPING_ERROR) {
				EXPECT(dma_writable(addr, 100));
				buffer_unmap(addr, 100, DMA_BIDIRECTIONAL);
			}
			for (j = 0; j < nr; j++)
				EXPECT(dma_writable(sg_dma_address(&list[j]),
						    sg_dma_len(&list[j])));
			if (nr > 0)
				unmap_list(nents);
			dma_pass(10 * HZ);
			EXPECT_EQ(dma_iovas(), 0);
			EXPECT_EQ(memory_pages, 0);
			dma_end();
		}
		EXPECT(i > 5);
	}
}

static const struct test_case cases[] = {
	{ "merged where there is no gap", test_merge },
	{ "empty entries", test_empty },
	{ "unmapped as it was mapped", test_unmap_as_mapped },
	{ "what somebody else has mapped", test_somebody_elses },
	{ "no segment larger than the device can take", test_max_segment },
	{ "no segment across the device's boundary", test_boundary },
	{ "random lists", test_random_lists },
	{ "bounce all of it, or nothing", test_bounce_list },
	{ "what went the ordinary way is not copied", test_no_copy_back },
	{ "reuse all of it, or nothing", test_reuse_list },
	{ "syncs", test_sync_list },
	{ "memory of another device", test_p2p },
	{ "a MAP that the host refuses", test_refused_list },
	{ "no memory", test_no_memory },
};

TEST_SUITE(sg, cases);
