// SPDX-License-Identifier: GPL-2.0
/*
 * Usage: compare-decoders TABLE ROUNDS
 *
 * What the command says of a table must be what the driver makes of it. Both have readers
 * of their own; this changes a table at random, cuts it off, and compares them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../firmware.h"
#include "decoders.h"

struct options options = { .root = "" };

/* Numbers that mean something in a table, as types, lengths, counts and offsets. */
static const uint8_t numbers[] = {
	0, 1, 2, 3, 4, 7, 8, 16, 20, 24, 32, 36, 48, 56, 0x7f, 0x80, 0xff,
};

static void change(uint8_t *table, size_t size)
{
	int times = rand() % 6;

	while (times--) {
		size_t offset = ACPI_HEADER_SIZE + rand() % (size - ACPI_HEADER_SIZE);

		table[offset] = rand() & 1 ? rand() : numbers[rand() % sizeof(numbers)];
	}
}

static void make_plain(const struct firmware *firmware, const struct firmware_range *range,
		       struct plain_range *plain)
{
	const struct firmware_iommu *iommu = &firmware->iommus[range->iommu];

	memset(plain, 0, sizeof(*plain));
	plain->endpoint = range->endpoint;
	plain->pci = range->pci;
	plain->segment_first = range->segment_first;
	plain->segment_last = range->segment_last;
	plain->bdf_first = range->bdf_first;
	plain->bdf_last = range->bdf_last;
	plain->base = range->base;
	plain->iommu_pci = iommu->pci;
	plain->iommu_bdf = (unsigned int)iommu->segment << 16 | iommu->bdf;
	plain->iommu_base = iommu->base;
}

/* Return: whether both say the same; *@ranges more ranges were seen. */
static bool compare(const uint8_t *data, size_t size, bool iort, unsigned long *ranges)
{
	static struct plain_range theirs[RANGES_MAX];
	struct firmware *firmware = allocate(sizeof(*firmware));
	struct acpi_table table = { .data = data, .size = size };
	struct plain_range ours;
	bool same = true;
	size_t i, nr;

	if (iort)
		iort_decode(firmware, &table);
	else
		viot_decode(firmware, &table);
	nr = driver_ranges(data, size, iort, theirs);
	if (nr < RANGES_MAX)
		same = nr == firmware->nr_ranges;
	for (i = 0; same && i < nr; i++) {
		make_plain(firmware, &firmware->ranges[i], &ours);
		same = !memcmp(&ours, &theirs[i], sizeof(ours));
	}
	if (!same)
		printf("# of %zu bytes the driver reads %zu ranges, the command %zu\n", size, nr,
		       firmware->nr_ranges);
	*ranges += nr;
	firmware_free(firmware);
	return same;
}

int main(int argc, char **argv)
{
	unsigned long i, rounds, ranges = 0, differ = 0;
	uint8_t *table, *changed;
	size_t size, rest;

	if (argc != 3)
		fail(EXIT_USAGE, "compare-decoders TABLE ROUNDS");
	rounds = strtoul(argv[2], NULL, 0);
	table = file_read(argv[1], &size);
	if (!table || size <= 48)
		fail(EXIT_FAILED, "%s: no table", argv[1]);
	srand(1);
	for (i = 0; i < rounds && differ < 10; i++) {
		rest = rand() % 4 ? size : 48 + rand() % (size - 48);
		/* Of its own size, so that the sanitizer sees what is read beyond. */
		changed = allocate(size);
		memcpy(changed, table, size);
		if (i)
			change(changed, size);
		changed = resize(changed, rest);
		differ += !compare(changed, rest, !memcmp(table, "IORT", 4), &ranges);
		free(changed);
	}
	free(table);
	printf("# %lu tables, %lu ranges\n", i, ranges);
	return differ || !ranges ? EXIT_FAILED : EXIT_OK;
}
