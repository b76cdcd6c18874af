// SPDX-License-Identifier: GPL-2.0
/*
 * Random reads of a disk, past the page cache, so many at a time; the same ones
 * each time. What fio would do, but with buffers of which no two neighbouring pages
 * are neighbours in memory, so that the number of segments, and with it that of
 * DMA mappings, does not depend on luck.
 *
 * Usage: disk-read DEVICE BYTES DEPTH COUNT
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
#include <unistd.h>
#include <linux/fs.h>

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

int main(int argc, char **argv)
{
	unsigned long bytes, depth, count, sent = 0, done = 0, i;
	struct io_event events[DEPTH_MAX];
	struct iocb requests[DEPTH_MAX];
	aio_context_t context = 0;
	uint64_t size;
	char *memory;
	int fd;

	if (argc != 5)
		errx(2, "Usage: disk-read DEVICE BYTES DEPTH COUNT");
	bytes = strtoul(argv[2], NULL, 0);
	depth = strtoul(argv[3], NULL, 0);
	count = strtoul(argv[4], NULL, 0);
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
			if (sent == count)
				continue;
			sent++;
			request->aio_offset = next_offset(size / bytes) * bytes;
			if (syscall(SYS_io_submit, context, 1, &request) != 1)
				err(1, "io_submit");
		}
	}
	return 0;
}
