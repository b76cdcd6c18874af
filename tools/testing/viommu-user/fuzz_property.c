// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of property.c, and of regions.c with what comes out of it. The input is
 * the number of regions that there is room for, the granule, and a PROBE reply.
 */
#include "fuzz.h"

static void check_walk(const u8 *reply, size_t size)
{
	struct viommu_property property;
	size_t offset = 0, before = 0;
	int ret;

	while ((ret = viommu_property_next(reply, size, &offset, &property)) > 0) {
		MUST(ret == 1);
		MUST(offset >= before + 4 && offset <= size);
		MUST(property.value == reply + before + 4);
		MUST(property.value + property.length == reply + offset);
		before = offset;
	}
	MUST(ret == 0 || ret == -EINVAL);
}

static void check_normal(const struct viommu_regions *regions, u64 granule)
{
	unsigned int i;

	for (i = 0; i < regions->nr; i++) {
		const struct viommu_region *region = &regions->entries[i];

		MUST(region->start < region->last);
		MUST(region->start % granule == 0);
		MUST(region->last % granule == granule - 1);
		MUST(!i || region[-1].last < region->start);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct viommu_regions regions = { };
	unsigned int i;
	u64 granule;
	int ret;

	if (size < 2)
		return 0;
	regions.max = data[0];
	granule = 4096ULL << data[1] % 40;
	data += 2;
	size -= 2;

	check_walk(data, size);
	regions.entries = malloc(regions.max * sizeof(*regions.entries));
	ret = viommu_property_regions(data, size, &regions);
	MUST(ret >= 0 ? (size_t)ret <= size / 4 : ret == -ENOSPC && regions.nr == regions.max);
	MUST(regions.nr <= regions.max && regions.nr <= size / 24);
	for (i = 0; i < regions.nr; i++)
		MUST(regions.entries[i].start <= regions.entries[i].last);
	viommu_regions_normalise(&regions, granule);
	check_normal(&regions, granule);
	free(regions.entries);
	return 0;
}
