// SPDX-License-Identifier: GPL-2.0
/*
 * What VFIO's type 1 IOMMU says may be mapped, on kernels with pages of any size: its first
 * page and its last one are reached by QEMU's edu device, and what is beyond is neither to
 * be mapped nor reached.
 *
 * Usage: vfio-range BDF. Prints "vfio range FIRST-LAST" for each range, "vfio edges" where
 * that held, and "fail WHY" for the first thing that does not.
 */
#include "edu.h"

static uint64_t page;

static void check_page(struct edu *edu, uint64_t iova)
{
	uint8_t *memory = allocate(page);

	must_map(edu->vfio.container, iova, memory, page);
	edu_reaches(edu, iova, memory);
	/* VFIO finds no mapping that ends at 2^64: this one goes with the process */
	if (iova + page)
		must_unmap(edu->vfio.container, iova, page);
}

static void must_refuse(struct edu *edu, uint64_t iova, uint64_t size)
{
	if (map(edu->vfio.container, iova, allocate(size), size, READ_WRITE) != -EINVAL)
		fail("a mapping at %#llx was not refused", (unsigned long long)iova);
}

/* @beyond: the page next to @edge, outside. */
static void check_beyond(struct edu *edu, uint64_t edge, uint64_t beyond)
{
	must_refuse(edu, beyond, page);
	must_refuse(edu, edge < beyond ? edge : beyond, 2 * page);
	edu_stopped(edu, beyond);
}

int main(int argc, char **argv)
{
	struct vfio_iommu_type1_info_cap_iova_range *ranges;
	uint64_t page_sizes, first, last;
	struct edu edu;
	uint32_t i;

	if (argc != 2) {
		fprintf(stderr, "Usage: vfio-range BDF\n");
		return 2;
	}
	setbuf(stdout, NULL);
	page = sysconf(_SC_PAGESIZE);
	edu_open(&edu, argv[1]);
	ranges = container_capability(edu.vfio.container, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
				      &page_sizes);
	if (!ranges->nr_iovas)
		fail("nothing may be mapped");
	for (i = 0; i < ranges->nr_iovas; i++)
		printf("vfio range %#llx-%#llx\n", ranges->iova_ranges[i].start,
		       ranges->iova_ranges[i].end);
	first = ranges->iova_ranges[0].start;
	last = ranges->iova_ranges[ranges->nr_iovas - 1].end;
	check_page(&edu, first);
	check_page(&edu, last - page + 1);
	if (first)
		check_beyond(&edu, first, first - page);
	if (last != UINT64_MAX)
		check_beyond(&edu, last - page + 1, last + 1);
	printf("vfio edges\n");
	return 0;
}
