/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's edu device: its DMA engine copies between its buffer and any address.
 */
#ifndef _EDU_H
#define _EDU_H

#include "vfio.h"

#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_DMA_START	1
#define EDU_DMA_TO_RAM	2
#define EDU_BUFFER	0x40000
#define EDU_BYTES	2048ull	/* of 4096; QEMU dies of a DMA of the whole buffer */

/* Few, since each 4 of them are a fault, and the event queue holds so many. */
#define STOPPED_BYTES	64
#define CANARY		0x5a

struct edu {
	struct vfio vfio;
	volatile uint8_t *registers;
};

static inline void edu_open_in_container(struct edu *edu, const char *bdf, int container)
{
	open_in_container(&edu->vfio, bdf, container);
	edu->registers = open_registers(&edu->vfio);
}

static inline void edu_open(struct edu *edu, const char *bdf)
{
	edu_open_in_container(edu, bdf, open_container());
}

static inline void edu_start(struct edu *edu, uint64_t src, uint64_t dst, uint64_t count,
			     uint64_t direction)
{
	*(volatile uint64_t *)(edu->registers + EDU_DMA_SRC) = src;
	*(volatile uint64_t *)(edu->registers + EDU_DMA_DST) = dst;
	*(volatile uint64_t *)(edu->registers + EDU_DMA_COUNT) = count;
	*(volatile uint64_t *)(edu->registers + EDU_DMA_CMD) = EDU_DMA_START | direction;
}

static inline void edu_wait(struct edu *edu)
{
	int tries;

	for (tries = 0; tries < 3000; tries++) {
		if (!(*(volatile uint64_t *)(edu->registers + EDU_DMA_CMD) & EDU_DMA_START))
			return;
		usleep(1000);
	}
	fail("edu's DMA did not end");
}

/* The device reads memory. */
static inline void edu_read(struct edu *edu, uint64_t iova, uint64_t count)
{
	edu_start(edu, iova, EDU_BUFFER, count, 0);
	edu_wait(edu);
}

/* The device writes memory. */
static inline void edu_write(struct edu *edu, uint64_t iova, uint64_t count)
{
	edu_start(edu, EDU_BUFFER, iova, count, EDU_DMA_TO_RAM);
	edu_wait(edu);
}

/* It reads what is in memory and writes it back. */
static inline void edu_reaches_bytes(struct edu *edu, uint64_t iova, uint8_t *memory,
				     uint64_t count)
{
	uint8_t before[EDU_BYTES];

	fill(memory, count);
	memcpy(before, memory, count);
	edu_read(edu, iova, count);
	memset(memory, 0, count);
	edu_write(edu, iova, count);
	if (memcmp(memory, before, count))
		fail("%s read and wrote other memory at %#llx", edu->vfio.bdf,
		     (unsigned long long)iova);
}

static inline void edu_reaches(struct edu *edu, uint64_t iova, uint8_t *memory)
{
	edu_reaches_bytes(edu, iova, memory, EDU_BYTES);
}

/* It writes, and @memory, of @size bytes, does not change. */
static inline void edu_write_stopped(struct edu *edu, uint64_t iova, uint8_t *memory,
				     uint64_t size)
{
	memset(memory, CANARY, size);
	expect_fault(&edu->vfio, iova);
	edu_write(edu, iova, STOPPED_BYTES);
	if (memory[0] != CANARY || memcmp(memory, memory + 1, size - 1))
		fail("%s wrote to %#llx, which is not mapped for that", edu->vfio.bdf,
		     (unsigned long long)iova);
}

/* The same where no memory could be changed. */
static inline void edu_stopped(struct edu *edu, uint64_t iova)
{
	expect_fault(&edu->vfio, iova);
	edu_write(edu, iova, STOPPED_BYTES);
}

/*
 * It reads, and gets nothing of @memory. What it got instead is written to @scratch, which
 * is mapped at @scratch_iova.
 */
static inline void edu_read_stopped(struct edu *edu, uint64_t iova, uint8_t *memory,
				    uint64_t scratch_iova, uint8_t *scratch)
{
	unsigned int i;

	fill(scratch, STOPPED_BYTES);
	edu_read(edu, scratch_iova, STOPPED_BYTES);
	fill(memory, STOPPED_BYTES);
	expect_fault(&edu->vfio, iova);
	edu_read(edu, iova, STOPPED_BYTES);
	edu_write(edu, scratch_iova, STOPPED_BYTES);
	for (i = 0; i < STOPPED_BYTES; i += 8)
		if (!memcmp(scratch + i, memory + i, 8))
			fail("%s read %#llx, which is not mapped for that", edu->vfio.bdf,
			     (unsigned long long)iova);
}

struct edu_check {
	const char *name;
	void (*run)(struct edu *edu);
};

/* Run the check of that name; the list ends with one that has none. */
static inline void edu_run_check(const struct edu_check *check, const char *name,
				 const char *bdf)
{
	struct edu edu;

	while (check->name && strcmp(check->name, name))
		check++;
	if (!check->name)
		fail("no check named %s", name);
	edu_open(&edu, bdf);
	check->run(&edu);
}

#endif /* _EDU_H */
