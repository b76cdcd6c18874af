// SPDX-License-Identifier: GPL-2.0
/*
 * A user-space driver of QEMU's edu device, by VFIO: its DMA reaches what is
 * mapped for it, both ways, and nothing else.
 *
 * Usage: vfio-dma CHECK BDF. Prints "fault BDF IOVA" for what the host should have stopped,
 * and "fail WHY" for the first thing that does not hold. "loop" and "claim" are no checks:
 * they go on until the process is killed, and print "ready" when they are at it.
 */
#include "edu.h"

#define IOVA		0xa0000000ull
#define SIZE		0x10000ull
#define LOOP_SIZE	(256ull << 20)

static void check_both_ways(struct edu *edu)
{
	uint8_t *memory = allocate(SIZE), *end = memory + SIZE - PAGE;

	must_map(edu->vfio.container, IOVA, memory, SIZE);
	fill(memory, EDU_BYTES);
	edu_read(edu, IOVA, EDU_BYTES);
	edu_write(edu, IOVA + SIZE - PAGE, EDU_BYTES);
	if (memcmp(memory, end, EDU_BYTES))
		fail("what edu read and wrote back differs");
	/* at no border, and few */
	edu_reaches_bytes(edu, IOVA + 3 * PAGE + 1, memory + 3 * PAGE + 1, 1);
	edu_reaches_bytes(edu, IOVA + 5 * PAGE - 77, memory + 5 * PAGE - 77, 123);
}

/* From one mapping into the next, which is other memory; and out of it. */
static void check_across(struct edu *edu)
{
	uint8_t *memory = allocate(SIZE), data[EDU_BYTES];
	uint64_t middle = IOVA + PAGE, half = EDU_BYTES / 2;

	must_map(edu->vfio.container, IOVA, memory + 8 * PAGE, PAGE);
	must_map(edu->vfio.container, middle, memory, PAGE);
	edu_reaches(edu, IOVA, memory + 8 * PAGE);
	memcpy(data, memory + 8 * PAGE, EDU_BYTES);
	edu_write(edu, middle - half, EDU_BYTES);
	if (memcmp(memory + 9 * PAGE - half, data, half) || memcmp(memory, data + half, half))
		fail("what edu wrote across two mappings is not in both");
	memset(memory, CANARY, SIZE);
	expect_fault(&edu->vfio, middle + PAGE);
	edu_write(edu, middle + PAGE - STOPPED_BYTES, 2 * STOPPED_BYTES);
	if (memory[PAGE] != CANARY || memcmp(memory + PAGE, memory + PAGE + 1, SIZE - PAGE - 1))
		fail("edu wrote past a mapping's end");
}

/* After an unmap nothing is reached any more, and the neighbours as before. */
static void check_unmapped(struct edu *edu)
{
	uint8_t *memory = allocate(SIZE), *scratch = allocate(PAGE);
	int i;

	must_map(edu->vfio.container, IOVA - PAGE, scratch, PAGE);
	for (i = 0; i < 3; i++)
		must_map(edu->vfio.container, IOVA + i * PAGE, memory + i * PAGE, PAGE);
	must_unmap(edu->vfio.container, IOVA + PAGE, PAGE);
	edu_write_stopped(edu, IOVA + PAGE, memory, SIZE);
	edu_read_stopped(edu, IOVA + PAGE, memory + PAGE, IOVA - PAGE, scratch);
	edu_reaches(edu, IOVA + PAGE - EDU_BYTES, memory + PAGE - EDU_BYTES);
	edu_reaches(edu, IOVA + 2 * PAGE, memory + 2 * PAGE);
	/* the same IOVA for other memory */
	must_map(edu->vfio.container, IOVA + PAGE, memory + 8 * PAGE, PAGE);
	memset(memory + PAGE, CANARY, PAGE);
	edu_reaches(edu, IOVA + PAGE, memory + 8 * PAGE);
	if (memory[PAGE] != CANARY || memcmp(memory + PAGE, memory + PAGE + 1, PAGE - 1))
		fail("edu wrote to what was mapped there before");
}

/*
 * A mapping for reads takes no write, and one for writes no read. Memory is touched before
 * it is mapped for reads: of what is not there yet 6.1 pins the page of zeroes, and goes on
 * with that when the process gets a page of its own. 6.12 does not.
 */
static void check_protection(struct edu *edu)
{
	uint8_t *memory = allocate(SIZE), *scratch = allocate(PAGE);
	int container = edu->vfio.container;

	must_map(container, IOVA - PAGE, scratch, PAGE);
	fill(memory, SIZE);
	if (map(container, IOVA, memory, SIZE, VFIO_DMA_MAP_FLAG_READ))
		fail("cannot map for reads");
	edu_read(edu, IOVA, EDU_BYTES);
	edu_write(edu, IOVA - PAGE, EDU_BYTES);
	if (memcmp(memory, scratch, EDU_BYTES))
		fail("edu did not read memory that was mapped for reads");
	edu_write_stopped(edu, IOVA, memory, SIZE);
	must_unmap(container, IOVA, SIZE);

	if (map(container, IOVA, memory, SIZE, VFIO_DMA_MAP_FLAG_WRITE))
		fail("cannot map for writes");
	fill(scratch, EDU_BYTES);
	edu_read(edu, IOVA - PAGE, EDU_BYTES);
	edu_write(edu, IOVA, EDU_BYTES);
	if (memcmp(memory, scratch, EDU_BYTES))
		fail("edu did not write memory that was mapped for writes");
	edu_read_stopped(edu, IOVA, memory, IOVA - PAGE, scratch);
}

/* Much memory, and DMA that never ends. */
static void __attribute__((noreturn)) run_loop(struct edu *edu)
{
	uint8_t *memory = allocate(LOOP_SIZE);

	must_map(edu->vfio.container, IOVA, memory, LOOP_SIZE);
	edu_reaches(edu, IOVA, memory);
	edu_start(edu, EDU_BUFFER, IOVA, EDU_BYTES, EDU_DMA_TO_RAM);
	printf("ready\n");
	for (;;) {
		edu_wait(edu);
		edu_start(edu, EDU_BUFFER, IOVA, EDU_BYTES, EDU_DMA_TO_RAM);
	}
}

/* The group has an owner, who has given it no IOMMU yet. */
static void __attribute__((noreturn)) run_claim(const char *bdf)
{
	int group = open_group(bdf), container = open_container();

	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		fail("%s does not go into the container: %s", bdf, strerror(errno));
	printf("ready\n");
	for (;;)
		pause();
}

static const struct edu_check checks[] = {
	{ "both-ways", check_both_ways },
	{ "across", check_across },
	{ "unmapped", check_unmapped },
	{ "protection", check_protection },
	{ "loop", run_loop },
	{ }
};

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "Usage: vfio-dma CHECK BDF\n");
		return 2;
	}
	setbuf(stdout, NULL);
	if (!strcmp(argv[1], "claim"))
		run_claim(argv[2]);
	edu_run_check(checks, argv[1], argv[2]);
	return 0;
}
