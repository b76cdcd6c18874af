// SPDX-License-Identifier: GPL-2.0
/*
 * What can be mapped by VFIO's type 1 IOMMU, and what it answers to what cannot.
 * QEMU's edu device shows that what was mapped is reached, and nothing beside it.
 *
 * Usage: vfio-map CHECK BDF, where the IOMMU translates all addresses of 64 bits. Prints, for
 * the host to compare with what it saw:
 *   map IOVA SIZE RUNS     one of that many runs of neighbouring pages
 *   fault BDF IOVA
 * and "fail WHY" for the first thing that does not hold.
 */
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "edu.h"

#define MIB	(1ull << 20)
#define GIB	(1ull << 30)
#define IOVA	0x10000000ull
#define SIZES	0x20000000ull	/* what is counted has IOVAs that no other check uses */

/* Is there a reserved region of the group from this address on? @last: its end. */
static int region_at(const char *bdf, uint64_t start, uint64_t *last)
{
	unsigned long long first, end;
	char line[128];
	int found = 0;
	FILE *file;

	snprintf(line, sizeof(line), "/sys/bus/pci/devices/%s/iommu_group/reserved_regions", bdf);
	file = fopen(line, "r");
	if (!file)
		fail("no %s", line);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%llx %llx", &first, &end) == 2 && first == start) {
			*last = end;
			found = 1;
		}
	fclose(file);
	return found;
}

/* Ranges and reserved regions take turns, and together are all that there is. */
static void check_info(struct edu *edu)
{
	struct vfio_iommu_type1_info_cap_iova_range *ranges;
	uint64_t page_sizes, next = 0, regions = 0;
	uint32_t i;

	ranges = container_capability(edu->vfio.container, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
				      &page_sizes);
	if ((page_sizes & -page_sizes) != PAGE)
		fail("page sizes %#llx", (unsigned long long)page_sizes);
	for (i = 0; i < ranges->nr_iovas; i++) {
		uint64_t start = ranges->iova_ranges[i].start, last;

		for (; next != start && region_at(edu->vfio.bdf, next, &last); next = last + 1)
			regions++;
		if (next != start)
			fail("range %u starts at %#llx instead of %#llx", i,
			     (unsigned long long)start, (unsigned long long)next);
		next = ranges->iova_ranges[i].end + 1;
	}
	if (next)
		fail("the last range ends at %#llx", (unsigned long long)next - 1);
	if (!regions)
		fail("no region is left out, not even the MSI window");
}

/* The runs of memory that is mapped, and so stays where it is. */
static uint64_t count_runs(const uint8_t *memory, uint64_t size)
{
	uint64_t entries[512], i, pages = size / PAGE, runs = 0, previous = 0;
	int pagemap = open("/proc/self/pagemap", O_RDONLY);

	for (i = 0; i < pages; i++) {
		if (i % 512 == 0 &&
		    pread(pagemap, entries, sizeof(entries),
			  ((uintptr_t)memory / PAGE + i) * 8) < 8)
			fail("cannot read pagemap: %s", strerror(errno));
		/* bits 0 to 54: the page's number */
		entries[i % 512] &= (1ull << 55) - 1;
		if (!entries[i % 512])
			fail("page %llu is not in memory", (unsigned long long)i);
		runs += entries[i % 512] != previous + 1;
		previous = entries[i % 512];
	}
	close(pagemap);
	return runs;
}

/* Both ends are reached, and what is next to them is not. */
static void check_size(struct edu *edu, uint64_t iova, uint64_t size)
{
	uint8_t *memory = allocate(size);

	must_map(edu->vfio.container, iova, memory, size);
	printf("map %#llx %#llx %llu\n", (unsigned long long)iova, (unsigned long long)size,
	       (unsigned long long)count_runs(memory, size));
	edu_reaches(edu, iova, memory);
	edu_reaches(edu, iova + size - EDU_BYTES, memory + size - EDU_BYTES);
	edu_stopped(edu, iova - STOPPED_BYTES);
	edu_stopped(edu, iova + size);
	must_unmap(edu->vfio.container, iova, size);
	edu_write_stopped(edu, iova, memory, PAGE);
	munmap(memory, size);
}

static void check_sizes(struct edu *edu)
{
	check_size(edu, SIZES, PAGE);
	check_size(edu, SIZES + 2 * PAGE, 3 * PAGE);
	check_size(edu, SIZES + 2 * MIB, 2 * MIB);
	/* neither the address nor the size a multiple of anything but pages */
	check_size(edu, SIZES + 6 * MIB + 5 * PAGE, 2 * MIB + 7 * PAGE);
	check_size(edu, GIB, GIB);
}

/* Memory that the guest can spare, mapped in one go. */
static void check_whole(struct edu *edu)
{
	uint64_t size = 0, at;
	uint8_t *memory;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu kB", (unsigned long long *)&size) == 1)
			break;
	fclose(file);
	/* what the kernel needs for page tables and for its own peace */
	size = (size << 10) - 96 * MIB;
	size -= size % PAGE;
	if (size < GIB)
		fail("only %llu MiB to spare", (unsigned long long)size / MIB);
	memory = allocate(size);
	must_map(edu->vfio.container, 8 * GIB, memory, size);
	printf("map %#llx %#llx %llu\n", 8 * GIB, (unsigned long long)size,
	       (unsigned long long)count_runs(memory, size));
	for (at = 0; at < size; at += 521 * MIB + 3 * PAGE)
		edu_reaches(edu, 8 * GIB + at, memory + at);
	edu_reaches(edu, 8 * GIB + size - EDU_BYTES, memory + size - EDU_BYTES);
	edu_stopped(edu, 8 * GIB + size);
	must_unmap(edu->vfio.container, 8 * GIB, size);
	edu_write_stopped(edu, 8 * GIB, memory, PAGE);
}

/*
 * Where the numbers get long: across 4 GiB, at each power of two that a width of addresses
 * may end at, and near the end of 64 bits. The very last page is left out: these kernels'
 * type 1 counts with the address after a mapping, which would be 0.
 */
static void check_high(struct edu *edu)
{
	static const uint64_t iovas[] = {
		(4 * GIB) - PAGE, 1ull << 39, 1ull << 48, 1ull << 52, 1ull << 63,
		-3 * PAGE,
	};
	uint8_t *memory = allocate(2 * PAGE);
	unsigned int i;

	for (i = 0; i < LENGTH(iovas); i++) {
		must_map(edu->vfio.container, iovas[i], memory, 2 * PAGE);
		/* across the border of the two pages */
		edu_reaches(edu, iovas[i] + PAGE - EDU_BYTES / 2, memory + PAGE - EDU_BYTES / 2);
		must_unmap(edu->vfio.container, iovas[i], 2 * PAGE);
		edu_write_stopped(edu, iovas[i], memory, 2 * PAGE);
	}
}

/* An answer, and the same one from each kernel that this runs on. */
static void expect(const char *what, long long got, long long want)
{
	if (got != want)
		fail("%s: %lld instead of %lld", what, got, want);
}

/* Kernels of 7.x have a name for it. */
static void expect_beyond(const char *what, long long ret)
{
	expect(what, ret, ret == -EOVERFLOW ? -EOVERFLOW : -EINVAL);
}

/* EINVAL for all that touches a reserved region, and what is next to it can be had. */
static void check_region(struct edu *edu)
{
	int container = edu->vfio.container;
	uint8_t *memory = allocate(2 * MIB);

	expect("map of the MSI window's first page",
	       map(container, MSI_START, memory, PAGE, READ_WRITE), -EINVAL);
	expect("map of the MSI window's last page",
	       map(container, MSI_LAST + 1 - PAGE, memory, PAGE, READ_WRITE), -EINVAL);
	expect("map into the MSI window",
	       map(container, MSI_START - PAGE, memory, 2 * PAGE, READ_WRITE), -EINVAL);
	expect("map out of the MSI window",
	       map(container, MSI_LAST + 1 - PAGE, memory, 2 * PAGE, READ_WRITE), -EINVAL);
	expect("map over the MSI window",
	       map(container, MSI_START - PAGE, memory, 2 * MIB, READ_WRITE), -EINVAL);
	edu_stopped(edu, MSI_START - PAGE);
	edu_stopped(edu, MSI_LAST + 1);
	must_map(container, MSI_START - PAGE, memory, PAGE);
	must_map(container, MSI_LAST + 1, memory + PAGE, PAGE);
	edu_reaches(edu, MSI_START - EDU_BYTES, memory + PAGE - EDU_BYTES);
	edu_reaches(edu, MSI_LAST + 1, memory + PAGE);
}

/* EEXIST for whatever touches a mapping, which stays what it was. */
static void check_overlap(struct edu *edu)
{
	int container = edu->vfio.container;
	uint8_t *memory = allocate(4 * PAGE), *other = allocate(6 * PAGE);

	must_map(container, IOVA, memory, 4 * PAGE);
	expect("map of the same", map(container, IOVA, memory, 4 * PAGE, READ_WRITE), -EEXIST);
	expect("map within", map(container, IOVA + PAGE, other, PAGE, READ_WRITE), -EEXIST);
	expect("map around", map(container, IOVA - PAGE, other, 6 * PAGE, READ_WRITE), -EEXIST);
	expect("map across the start", map(container, IOVA - PAGE, other, 2 * PAGE, READ_WRITE),
	       -EEXIST);
	expect("map across the end", map(container, IOVA + 3 * PAGE, other, 2 * PAGE, READ_WRITE),
	       -EEXIST);
	edu_reaches(edu, IOVA, memory);
	edu_reaches(edu, IOVA + PAGE, memory + PAGE);
	edu_reaches(edu, IOVA + 4 * PAGE - EDU_BYTES, memory + 4 * PAGE - EDU_BYTES);
	edu_stopped(edu, IOVA - PAGE);
	edu_stopped(edu, IOVA + 4 * PAGE);
}

/*
 * Version 2 of type 1 unmaps whole mappings: EINVAL where a border of the range lies
 * within one, 0 bytes where there is none, else the bytes of all that the range holds.
 */
static void check_unmap(struct edu *edu)
{
	int container = edu->vfio.container;
	uint8_t *memory = allocate(8 * PAGE);

	must_map(container, IOVA, memory, 4 * PAGE);
	must_map(container, IOVA + 6 * PAGE, memory + 4 * PAGE, 4 * PAGE);
	expect("unmap of the first page", unmap(container, IOVA, PAGE), -EINVAL);
	expect("unmap of the last page", unmap(container, IOVA + 3 * PAGE, PAGE), -EINVAL);
	expect("unmap within", unmap(container, IOVA + PAGE, 2 * PAGE), -EINVAL);
	expect("unmap across the end", unmap(container, IOVA + PAGE, 4 * PAGE), -EINVAL);
	expect("unmap of one and a half", unmap(container, IOVA, 8 * PAGE), -EINVAL);
	edu_reaches(edu, IOVA, memory);
	edu_reaches(edu, IOVA + 3 * PAGE, memory + 3 * PAGE);
	edu_reaches(edu, IOVA + 6 * PAGE, memory + 4 * PAGE);
	expect("unmap of nothing", unmap(container, IOVA + 4 * PAGE, 2 * PAGE), 0);
	expect("unmap of two", unmap(container, IOVA - PAGE, 12 * PAGE), 8 * PAGE);
	edu_write_stopped(edu, IOVA, memory, 8 * PAGE);
	edu_write_stopped(edu, IOVA + 6 * PAGE, memory, 8 * PAGE);
	expect("unmap again", unmap(container, IOVA, 4 * PAGE), 0);

	must_map(container, IOVA, memory, PAGE);
	must_map(container, 4 * GIB, memory, PAGE);
	expect("unmap of all", unmap_flags(container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 2 * PAGE);
	edu_write_stopped(edu, IOVA, memory, PAGE);
	edu_write_stopped(edu, 4 * GIB, memory, PAGE);
}

/* What makes no sense, EINVAL. */
static void check_nonsense(struct edu *edu)
{
	int container = edu->vfio.container;
	uint8_t *memory = allocate(2 * PAGE);

	expect("map of no bytes", map(container, IOVA, memory, 0, READ_WRITE), -EINVAL);
	expect("map of half a page", map(container, IOVA, memory, PAGE / 2, READ_WRITE), -EINVAL);
	expect("map at half a page", map(container, IOVA + 512, memory, PAGE, READ_WRITE),
	       -EINVAL);
	expect("map of half pages", map(container, IOVA, memory + 512, PAGE, READ_WRITE),
	       -EINVAL);
	expect("map without access", map(container, IOVA, memory, PAGE, 0), -EINVAL);
	expect("map with unknown flags", map(container, IOVA, memory, PAGE, READ_WRITE | 1u << 31),
	       -EINVAL);
	expect_beyond("map beyond 64 bits", map(container, -PAGE, memory, 2 * PAGE, READ_WRITE));
	expect("unmap of no bytes", unmap(container, IOVA, 0), -EINVAL);
	expect("unmap of half a page", unmap(container, IOVA, PAGE / 2), -EINVAL);
	expect("unmap at half a page", unmap(container, IOVA + 512, PAGE), -EINVAL);
	expect_beyond("unmap beyond 64 bits", unmap(container, -PAGE, 2 * PAGE));
	edu_stopped(edu, IOVA);
}

/* EFAULT where memory ends within the range, and nothing of it stays mapped. */
static void check_hole(struct edu *edu)
{
	int container = edu->vfio.container;
	uint8_t *memory = allocate(16 * PAGE);

	munmap(memory + 8 * PAGE, PAGE);
	expect("map of a hole", map(container, IOVA, memory, 16 * PAGE, READ_WRITE), -EFAULT);
	edu_write_stopped(edu, IOVA, memory, 8 * PAGE);
	edu_write_stopped(edu, IOVA + 7 * PAGE, memory, 8 * PAGE);
	must_map(container, IOVA, memory, 8 * PAGE);
	edu_reaches(edu, IOVA, memory);
}

/* What counts as locked memory of this process, in bytes. */
static unsigned long long locked_bytes(void)
{
	unsigned long long kilobytes = ~0ull;
	char line[128];
	FILE *file = fopen("/proc/self/status", "r");

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmLck: %llu kB", &kilobytes) == 1)
			break;
	fclose(file);
	return kilobytes << 10;
}

static void set_locked_limit(uint64_t bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = 2 * MIB };

	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		fail("setrlimit: %s", strerror(errno));
}

/* ENOMEM beyond the limit of locked memory, which root keeps to when it drops a capability. */
static void check_limit(struct edu *edu)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	int container = edu->vfio.container;
	uint8_t *memory = allocate(2 * MIB);

	if (syscall(SYS_capget, &header, data))
		fail("capget: %s", strerror(errno));
	data[0].effective &= ~(1u << CAP_IPC_LOCK);
	if (syscall(SYS_capset, &header, data))
		fail("capset: %s", strerror(errno));
	set_locked_limit(MIB);
	expect("map of more than the limit", map(container, IOVA, memory, 2 * MIB, READ_WRITE),
	       -ENOMEM);
	expect("locked after that", locked_bytes(), 0);
	edu_write_stopped(edu, IOVA, memory, MIB);
	must_map(container, IOVA, memory, MIB);
	expect("locked by a map", locked_bytes(), MIB);
	expect("map of one page more", map(container, IOVA + MIB, memory + MIB, PAGE, READ_WRITE),
	       -ENOMEM);
	set_locked_limit(2 * MIB);
	must_map(container, IOVA + MIB, memory + MIB, MIB);
	edu_reaches(edu, IOVA + MIB - EDU_BYTES / 2, memory + MIB - EDU_BYTES / 2);
	must_unmap(container, IOVA, 2 * MIB);
	expect("locked at the end", locked_bytes(), 0);
}

static const struct edu_check checks[] = {
	{ "info", check_info },
	{ "sizes", check_sizes },
	{ "whole", check_whole },
	{ "high", check_high },
	{ "region", check_region },
	{ "overlap", check_overlap },
	{ "unmap", check_unmap },
	{ "nonsense", check_nonsense },
	{ "hole", check_hole },
	{ "limit", check_limit },
	{ }
};

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "Usage: vfio-map CHECK BDF\n");
		return 2;
	}
	setbuf(stdout, NULL);
	edu_run_check(checks, argv[1], argv[2]);
	return 0;
}
