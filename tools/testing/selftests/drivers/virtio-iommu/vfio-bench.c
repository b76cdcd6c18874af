// SPDX-License-Identifier: GPL-2.0
/*
 * What VFIO's map and unmap of 512 MiB cost: in huge pages, and in 4 KiB pages, of
 * which no two neighbours are neighbours in memory.
 *
 * Usage: vfio-bench BDF HOOK. HOOK is run by the shell as "HOOK begin NAME" before
 * and "HOOK end" after each of vfio-huge-map, vfio-huge-unmap, vfio-small-map and
 * vfio-small-unmap. Prints "fail WHY" where one fails.
 */
#include "vfio.h"

#define IOVA	0x40000000ull
#define SIZE	(512ull << 20)
#define HUGE	(2ull << 20)

static const char *hook;
static struct vfio vfio;

static void run_hook(const char *what, const char *name, const char *step)
{
	char command[128];

	snprintf(command, sizeof(command), "%s %s %s%s", hook, what, name, step);
	if (system(command))
		fail("%s failed", command);
}

/* In an order that leaves no two neighbours with neighbouring memory. */
static void touch_scattered(char *memory, uint64_t page)
{
	uint64_t i, nr = SIZE / page;

	for (i = 0; i < nr; i++)
		memory[i * 40503 % nr * page] = 1;
}

static void bench(const char *name, int flags)
{
	char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (memory == MAP_FAILED)
		fail("%s: no memory: %s", name, strerror(errno));
	if (!(flags & MAP_HUGETLB) && madvise(memory, SIZE, MADV_NOHUGEPAGE))
		fail("%s: %s", name, strerror(errno));
	touch_scattered(memory, flags & MAP_HUGETLB ? HUGE : PAGE);
	run_hook("begin", name, "-map");
	if (map(vfio.container, IOVA, memory, SIZE, READ_WRITE))
		fail("%s: cannot map: %s", name, strerror(errno));
	run_hook("end", "", "");
	run_hook("begin", name, "-unmap");
	if (unmap(vfio.container, IOVA, SIZE) != (long long)SIZE)
		fail("%s: cannot unmap", name);
	run_hook("end", "", "");
	munmap(memory, SIZE);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "Usage: vfio-bench BDF HOOK\n");
		return 2;
	}
	setbuf(stdout, NULL);
	hook = argv[2];
	open_device(&vfio, argv[1]);
	bench("vfio-huge", MAP_HUGETLB);
	bench("vfio-small", 0);
	return 0;
}
