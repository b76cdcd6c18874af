// SPDX-License-Identifier: GPL-2.0
/*
 * A user-space driver of QEMU's edu device, by VFIO: its DMA reaches what is
 * mapped for it, both ways, and nothing else.
 *
 * Usage: vfio-dma BDF GROUP. Prints "vfio WHAT" for each thing that held, and
 * "fail WHY" for the first that did not.
 */
#include "vfio.h"

#define IOVA		0x400000ull
#define SIZE		0x10000ull

/* The window that the host reports, on arm64 that of QEMU's GICv2m. */
#ifdef __aarch64__
#define MSI_START	0x08020000ull
#define MSI_LAST	0x08020fffull
#else
#define MSI_START	0xfee00000ull
#define MSI_LAST	0xfeefffffull
#endif

/* edu's registers and its buffer */
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_DMA_START	1
#define EDU_DMA_TO_RAM	2
#define EDU_BUFFER	0x40000
#define EDU_BYTES	2048ull	/* of 4096; QEMU dies of a DMA of the whole buffer */

static volatile uint8_t *registers;
static uint64_t page;

static void edu_dma(uint64_t src, uint64_t dst, uint64_t count, uint64_t direction)
{
	int tries;

	*(volatile uint64_t *)(registers + EDU_DMA_SRC) = src;
	*(volatile uint64_t *)(registers + EDU_DMA_DST) = dst;
	*(volatile uint64_t *)(registers + EDU_DMA_COUNT) = count;
	*(volatile uint64_t *)(registers + EDU_DMA_CMD) = EDU_DMA_START | direction;
	for (tries = 0; tries < 300; tries++) {
		if (!(*(volatile uint64_t *)(registers + EDU_DMA_CMD) & EDU_DMA_START))
			return;
		usleep(10000);
	}
	fail("edu's DMA did not end");
}

static void open_registers(void)
{
	struct vfio_region_info region = { .argsz = sizeof(region) };
	uint16_t command = 6; /* memory and bus mastering */

	region.index = VFIO_PCI_CONFIG_REGION_INDEX;
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region) ||
	    pwrite(device, &command, sizeof(command), region.offset + 4) != sizeof(command))
		fail("no config space: %s", strerror(errno));
	region.index = VFIO_PCI_BAR0_REGION_INDEX;
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region))
		fail("no BAR 0: %s", strerror(errno));
	registers = mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
			 region.offset);
	if (registers == MAP_FAILED)
		fail("BAR 0 cannot be mapped: %s", strerror(errno));
}

/* What may be mapped, as the host's limits and the MSI window leave it. */
static struct vfio_iommu_type1_info_cap_iova_range *get_ranges(void)
{
	struct vfio_iommu_type1_info *info = calloc(1, 4096);
	struct vfio_info_cap_header *cap;
	uint32_t offset;

	info->argsz = 4096;
	if (ioctl(container, VFIO_IOMMU_GET_INFO, info))
		fail("no information: %s", strerror(errno));
	for (offset = info->cap_offset; offset; offset = cap->next) {
		cap = (void *)((char *)info + offset);
		if (cap->id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE &&
		    ((struct vfio_iommu_type1_info_cap_iova_range *)cap)->nr_iovas)
			return (void *)cap;
	}
	fail("no ranges");
}

static void check_ranges(const struct vfio_iommu_type1_info_cap_iova_range *ranges)
{
	uint32_t i;

	for (i = 0; i < ranges->nr_iovas; i++) {
		printf("vfio range %#llx-%#llx\n", ranges->iova_ranges[i].start,
		       ranges->iova_ranges[i].end);
		if (ranges->iova_ranges[i].start <= MSI_LAST &&
		    ranges->iova_ranges[i].end >= MSI_START)
			fail("the MSI window is offered for mappings");
	}
	/* one below the window, one above, unless the host's limits end below it */
	if (ranges->nr_iovas < 2 && ranges->iova_ranges[0].end > MSI_START)
		fail("%u ranges, with a hole among them", ranges->nr_iovas);
	printf("vfio ranges\n");
}

static void check_page(uint8_t *memory, uint64_t iova)
{
	if (map(iova, memory, page, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE))
		fail("cannot map %#llx: %s", (unsigned long long)iova, strerror(errno));
	memset(memory, 0x5a, EDU_BYTES);
	memory[0] = 0xa5;
	edu_dma(iova, EDU_BUFFER, EDU_BYTES, 0);
	memset(memory, 0, EDU_BYTES);
	edu_dma(EDU_BUFFER, iova, EDU_BYTES, EDU_DMA_TO_RAM);
	if (memory[0] != 0xa5 || memory[1] != 0x5a || memcmp(memory + 1, memory + 2, EDU_BYTES - 2))
		fail("what edu read and wrote back at %#llx differs", (unsigned long long)iova);
	/* VFIO finds no mapping that ends at 2^64: this one goes with the process */
	if (iova + page && unmap(iova, page) != (long long)page)
		fail("cannot unmap %#llx", (unsigned long long)iova);
}

/* The first page and the last one can be used, those beyond cannot be mapped. */
static void check_edges(uint8_t *memory, const struct vfio_iommu_type1_info_cap_iova_range *ranges)
{
	uint64_t first = ranges->iova_ranges[0].start;
	uint64_t last = ranges->iova_ranges[ranges->nr_iovas - 1].end;

	check_page(memory, first);
	check_page(memory, last - page + 1);
	if (first && map(first - page, memory, page, VFIO_DMA_MAP_FLAG_READ) != -EINVAL)
		fail("a mapping below all ranges was not refused");
	if (last != UINT64_MAX && map(last + 1, memory, page, VFIO_DMA_MAP_FLAG_READ) != -EINVAL)
		fail("a mapping above all ranges was not refused");
	printf("vfio edges\n");
}

static void check_dma(uint8_t *memory)
{
	uint64_t i;

	if (map(IOVA, memory, SIZE, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE))
		fail("cannot map: %s", strerror(errno));
	for (i = 0; i < EDU_BYTES; i++)
		memory[i] = i * 7 + 3;
	edu_dma(IOVA, EDU_BUFFER, EDU_BYTES, 0);
	edu_dma(EDU_BUFFER, IOVA + SIZE - page, EDU_BYTES, EDU_DMA_TO_RAM);
	if (memcmp(memory, memory + SIZE - page, EDU_BYTES))
		fail("what edu read and wrote back differs");
	printf("vfio dma\n");
}

/* Type 1 unmaps all or nothing of a mapping, and reports 0 bytes for nothing. */
static void check_unmap(uint8_t *memory)
{
	if (map(IOVA + page, memory, page, VFIO_DMA_MAP_FLAG_READ) != -EEXIST)
		fail("a mapping over another was not refused");
	if (unmap(IOVA + page, page) > 0)
		fail("a part of a mapping was unmapped");
	if (map(MSI_START, memory, page, VFIO_DMA_MAP_FLAG_READ) != -EINVAL)
		fail("a mapping in the MSI window was not refused");
	printf("vfio refusals\n");

	if (unmap(IOVA, SIZE) != (long long)SIZE)
		fail("cannot unmap");
	memset(memory, 0x5a, SIZE);
	edu_dma(EDU_BUFFER, IOVA, EDU_BYTES, EDU_DMA_TO_RAM);
	if (memory[0] != 0x5a || memcmp(memory, memory + 1, SIZE - 1))
		fail("edu wrote to memory after it was unmapped");
	printf("vfio unmapped\n");
}

/* A mapping for reads takes no write. */
static void check_protection(uint8_t *memory)
{
	if (map(IOVA, memory, SIZE, VFIO_DMA_MAP_FLAG_READ))
		fail("cannot map for reads: %s", strerror(errno));
	edu_dma(EDU_BUFFER, IOVA, EDU_BYTES, EDU_DMA_TO_RAM);
	if (memory[0] != 0x5a || memcmp(memory, memory + 1, SIZE - 1))
		fail("edu wrote to memory that was mapped for reads");
	printf("vfio read-only\n");
}

int main(int argc, char **argv)
{
	const struct vfio_iommu_type1_info_cap_iova_range *ranges;
	uint8_t *memory;

	if (argc != 3) {
		fprintf(stderr, "Usage: vfio-dma BDF GROUP\n");
		return 2;
	}
	setbuf(stdout, NULL);
	page = sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("no memory");
	open_device(argv[1], argv[2]);
	open_registers();
	ranges = get_ranges();
	check_ranges(ranges);
	check_dma(memory);
	check_unmap(memory);
	check_protection(memory);
	check_edges(memory, ranges);
	/* What is still mapped goes with the process. */
	return 0;
}
