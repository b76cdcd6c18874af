// SPDX-License-Identifier: GPL-2.0
/*
 * Random reads of a disk, past the page cache, so many at a time; the same ones
 * each time. What fio would do, but with buffers of which no two neighbouring pages
 * are neighbours in memory, so that the number of segments, and with it that of
 * DMA mappings, does not depend on luck.
 *
 * Usage: disk-read DEVICE BYTES DEPTH COUNT [MARK WARM]
 *
 * With MARK: WARM reads more come first, and between the two is that mark in QEMU's trace
 * (see guest/mark), with no pause; after the last one is 255. Prints the nanoseconds between.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

#include "mark.h"

#define PAGE		4096
#define DEPTH_MAX	64

static uint64_t next_offset(uint64_t blocks)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % blocks;
}

/* Touched in an order that leaves no two neighbours with neighbouring memory. */
static char *scattered(unsigned long size)
{
	unsigned long i, nr = size / PAGE; /* a power of two */
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || madvise(memory, size, MADV_NOHUGEPAGE))
		err(1, "no memory");
	for (i = 0; i < nr; i++)
		memory[i * 40503 % nr * PAGE] = 1;
	return memory;
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 0);

	if (*end || end == text)
		errx(2, "%s: bad value", text);
	return value;
}

int main(int argc, char **argv)
{
	unsigned long bytes, depth, count, warm = 0, sent = 0, done = 0, i;
	struct io_event events[DEPTH_MAX];
	struct iocb requests[DEPTH_MAX];
	aio_context_t context = 0;
	uint64_t size, began = 0;
	char *memory;
	int fd;

	if (argc != 5 && argc != 7)
		errx(2, "Usage: disk-read DEVICE BYTES DEPTH COUNT [MARK WARM]");
	bytes = number(argv[2]);
	depth = number(argv[3]);
	count = number(argv[4]);
	if (argc == 7)
		warm = number(argv[6]);
	count += warm;
	if (bytes < PAGE || bytes & (bytes - 1) || !depth || depth > DEPTH_MAX)
		errx(2, "bad number");
	fd = open(argv[1], O_RDONLY | O_DIRECT);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size))
		err(1, "%s", argv[1]);
	memory = scattered(bytes * DEPTH_MAX);
	if (syscall(SYS_io_setup, DEPTH_MAX, &context))
		err(1, "io_setup");

	for (i = 0; i < depth; i++)
		requests[i] = (struct iocb){ .aio_data = i, .aio_lio_opcode = IOCB_CMD_PREAD,
					     .aio_fildes = fd, .aio_nbytes = bytes,
					     .aio_buf = (uintptr_t)(memory + i * bytes) };
	for (i = 0; i < depth && sent < count; i++, sent++) {
		struct iocb *request = &requests[i];

		request->aio_offset = next_offset(size / bytes) * bytes;
		if (syscall(SYS_io_submit, context, 1, &request) != 1)
			err(1, "io_submit");
	}
	while (done < count) {
		long got = syscall(SYS_io_getevents, context, 1, depth, events, NULL);

		if (got < 1)
			err(1, "io_getevents");
		for (i = 0; i < (unsigned long)got; i++, done++) {
			struct iocb *request = &requests[events[i].data];

			if (events[i].res != (int64_t)bytes)
				errx(1, "%s: read %lld bytes of %lu", argv[1],
				     (long long)events[i].res, bytes);
			if (warm && done == warm) {
				mark(number(argv[5]));
				began = nanoseconds();
			}
			if (sent == count)
				continue;
			sent++;
			request->aio_offset = next_offset(size / bytes) * bytes;
			if (syscall(SYS_io_submit, context, 1, &request) != 1)
				err(1, "io_submit");
		}
	}
	if (warm) {
		printf("%llu\n", (unsigned long long)(nanoseconds() - began));
		mark(255);
	}
	return 0;
}
