// SPDX-License-Identifier: GPL-2.0
/*
 * regions.c, against a map of single addresses.
 *
 * The random tests play in a window of 256 addresses, at 0, in the middle and up
 * to 2^64-1, and note for each address of it what was reported there. What a
 * normalised list must say of each, which identity regions count, where there is
 * room: all of it is looked up there, one address after the other.
 */
#include "harness.h"
#include "pure.h"

#define WINDOW		256

#define READ		VIRTIO_IOMMU_MAP_F_READ
#define WRITE		VIRTIO_IOMMU_MAP_F_WRITE
#define MMIO		VIRTIO_IOMMU_MAP_F_MMIO

#define MSI(_start, _last)						\
	{ .start = (_start), .last = (_last), .type = VIOMMU_REGION_MSI }
#define RES(_start, _last)						\
	{ .start = (_start), .last = (_last), .type = VIOMMU_REGION_RESERVED }
#define IDENTITY(_start, _last, _flags)					\
	{ .start = (_start), .last = (_last), .type = VIOMMU_REGION_IDENTITY, .flags = (_flags) }

/* A list in a block of exactly @max entries. */
static struct viommu_regions list_create(const struct viommu_region *entries, unsigned int nr,
					 unsigned int max)
{
	struct viommu_regions regions = {
		.entries = malloc(max * sizeof(*entries)),
		.max = max,
	};
	unsigned int i;

	for (i = 0; i < nr; i++)
		ASSERT(viommu_regions_add(&regions, &entries[i]) == 0);
	return regions;
}

static int normalise(struct viommu_regions *regions, const struct viommu_region *entries,
		     unsigned int nr, unsigned int max, u64 granule)
{
	struct viommu_regions from = list_create(entries, nr, nr);
	int ret;

	*regions = list_create(NULL, 0, max);
	ret = viommu_regions_normalise(regions, &from, granule);
	ASSERT(regions->nr <= max && regions->max == max);
	ASSERT(from.nr == nr && from.max == nr);
	free(from.entries);
	return ret;
}

/* With the room that is always enough. */
static struct viommu_regions normal(const struct viommu_region *entries, unsigned int nr,
				    u64 granule)
{
	struct viommu_regions regions;

	ASSERT(normalise(&regions, entries, nr, 2 * nr, granule) == 0);
	return regions;
}

static bool same_region(const struct viommu_region *a, const struct viommu_region *b)
{
	return a->start == b->start && a->last == b->last && a->type == b->type &&
	       a->flags == b->flags;
}

static bool same_regions(const struct viommu_regions *a, const struct viommu_region *entries,
			 unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < a->nr && i < nr; i++)
		if (!same_region(&a->entries[i], &entries[i]))
			return false;
	return a->nr == nr;
}

static void print_region(const struct viommu_region *region)
{
	static const char * const names[] = { "MSI", "RES", "IDENTITY" };

	printf(" %s[%#llx %#llx]", names[region->type], (unsigned long long)region->start,
	       (unsigned long long)region->last);
	if (region->flags)
		printf("%s%s%s", region->flags & READ ? "R" : "", region->flags & WRITE ? "W" : "",
		       region->flags & MMIO ? "M" : "");
}

static void print_regions(const char *title, const struct viommu_region *regions, unsigned int nr)
{
	unsigned int i;

	printf("# %s:", title);
	for (i = 0; i < nr; i++)
		print_region(&regions[i]);
	printf("\n");
}

/*
 * Addresses
 */

#define MAPPED_MSI	(1 << 6)
#define MAPPED_RES	(1 << 7)
#define MAPPED_IDENTITY	(READ | WRITE | MMIO)

/* A map of @size addresses from @base on: for each, what was reported. */
static void map_add(u8 *map, u64 base, const struct viommu_region *region, u64 granule)
{
	u64 i, start = region->start / granule * granule - base;
	u64 last = region->last / granule * granule + (granule - 1) - base;

	for (i = start; i <= last; i++) {
		if (region->type == VIOMMU_REGION_MSI)
			map[i] |= MAPPED_MSI;
		else if (region->type == VIOMMU_REGION_RESERVED)
			map[i] |= MAPPED_RES;
		else
			map[i] |= region->flags;
	}
}

/* What is to become of it. */
static u8 map_wanted(u8 reported)
{
	if (reported & MAPPED_IDENTITY)
		return reported & MAPPED_IDENTITY;
	if (reported & MAPPED_RES)
		return MAPPED_RES;
	return reported;
}

/* In whole granules of the map; sorted, disjoint, and merged. */
static bool is_normal(const struct viommu_regions *regions, u64 size, u64 base, u64 granule)
{
	const struct viommu_region *region = regions->entries, *end = region + regions->nr;

	for (; region < end; region++) {
		if (region->start > region->last || region->start % granule ||
		    region->last % granule != granule - 1 ||
		    region->start - base >= size || region->last - base >= size ||
		    (region->type == VIOMMU_REGION_IDENTITY ? !region->flags : region->flags))
			return false;
		if (region == regions->entries)
			continue;
		if (region->start <= region[-1].last ||
		    (region->start == region[-1].last + 1 && region->type == region[-1].type &&
		     region->flags == region[-1].flags))
			return false;
	}
	return true;
}

static bool check_normalised(const struct viommu_regions *regions, const u8 *map, u64 size,
			     u64 base, u64 granule)
{
	u8 *out = calloc(size, 1);
	bool ok = is_normal(regions, size, base, granule);
	u64 i;

	for (i = 0; ok && i < regions->nr; i++)
		map_add(out, base, &regions->entries[i], 1);
	for (i = 0; ok && i < size; i++)
		ok = out[i] == map_wanted(map[i]);
	free(out);
	return ok;
}

static u64 random_window(void)
{
	switch (test_below(3)) {
	case 0:
		return 0;
	case 1:
		return -(u64)WINDOW;
	default:
		return test_random() & ~(u64)(WINDOW - 1);
	}
}

static u64 random_granule(void)
{
	return test_below(2) ? 1 : 1ULL << test_below(9);
}

static void random_type(struct viommu_region *region)
{
	region->type = test_below(3);
	region->flags = 0;
	if (region->type == VIOMMU_REGION_IDENTITY)
		region->flags = (1 + test_below(3)) | (test_below(3) ? 0 : MMIO);
}

static void random_regions(struct viommu_region *regions, unsigned int nr, u64 base)
{
	unsigned int i, longest = 1 + test_below(test_below(2) ? 16 : WINDOW);

	for (i = 0; i < nr; i++) {
		u64 start = test_below(WINDOW), last = start + test_below(longest);

		regions[i].start = base + start;
		regions[i].last = base + (last < WINDOW ? last : WINDOW - 1);
		random_type(&regions[i]);
	}
}

static void shuffle(struct viommu_region *regions, unsigned int nr)
{
	struct viommu_region swap;
	unsigned int i, j;

	for (i = 0; i < nr; i++) {
		j = test_below(nr);
		swap = regions[i];
		regions[i] = regions[j];
		regions[j] = swap;
	}
}

/* A normal list, and the map of it. */
static struct viommu_regions random_normal(u8 map[WINDOW], u64 base, u64 granule)
{
	struct viommu_region in[12];
	unsigned int i, nr = test_below(ARRAY_SIZE(in) + 1);
	struct viommu_regions regions;

	random_regions(in, nr, base);
	regions = normal(in, nr, granule);
	memset(map, 0, WINDOW);
	for (i = 0; i < regions.nr; i++)
		map_add(map, base, &regions.entries[i], 1);
	return regions;
}

/*
 * Lists
 */

static void test_add(void)
{
	static const struct viommu_region regions[] = {
		MSI(5, 6), IDENTITY(0, U64_MAX, WRITE | MMIO), RES(1, 2), {},
	};
	struct viommu_region room[3] = { 0 };
	struct viommu_regions list = { .entries = room, .max = 2 };

	EXPECT_EQ(viommu_regions_add(&list, &regions[0]), 0);
	EXPECT_EQ(list.nr, 1);
	EXPECT_EQ(viommu_regions_add(&list, &regions[1]), 0);
	EXPECT_EQ(list.nr, 2);
	EXPECT_EQ(viommu_regions_add(&list, &regions[2]), -ENOSPC);
	EXPECT_EQ(list.nr, 2);
	EXPECT_EQ(list.max, 2);

	EXPECT(same_region(&room[0], &regions[0]));
	EXPECT(same_region(&room[1], &regions[1]));
	EXPECT(same_region(&room[2], &regions[3]));
}

static void test_no_room(void)
{
	static const struct viommu_region region = RES(5, 6);
	struct viommu_regions regions = { .entries = NULL, .max = 0 };

	EXPECT_EQ(viommu_regions_add(&regions, &region), -ENOSPC);
	EXPECT_EQ(regions.nr, 0);
}

static void test_empty(void)
{
	struct viommu_regions regions = { .entries = NULL }, from = { .entries = NULL };

	EXPECT_EQ(viommu_regions_normalise(&regions, &from, 0x1000), 0);
	EXPECT_EQ(regions.nr, 0);
}

struct example {
	u64 granule;
	unsigned int nr_in, nr_out;
	struct viommu_region in[6], out[8];
};

/* With every room, of which there may be too little. */
static void check_example(const struct example *example)
{
	struct viommu_regions regions;
	unsigned int max;
	bool same;
	int ret;

	for (max = 0; max <= 2 * example->nr_in; max++) {
		ret = normalise(&regions, example->in, example->nr_in, max, example->granule);
		if (max < example->nr_out) {
			EXPECT_EQ(ret, -ENOSPC);
		} else {
			EXPECT_EQ(ret, 0);
			same = same_regions(&regions, example->out, example->nr_out);
			if (!same) {
				print_regions("in", example->in, example->nr_in);
				print_regions("out", regions.entries, regions.nr);
				print_regions("want", example->out, example->nr_out);
			}
			EXPECT(same);
		}
		free(regions.entries);
	}
}

static void check_examples(const struct example *examples, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		check_example(&examples[i]);
}

static void test_round(void)
{
	static const struct example examples[] = {
		{ 0x1000, 1, 1, { RES(0x1000, 0x1fff) }, { RES(0x1000, 0x1fff) } },
		{ 0x1000, 1, 1, { RES(0x1fff, 0x2000) }, { RES(0x1000, 0x2fff) } },
		{ 0x1000, 1, 1, { MSI(0x1234, 0x1234) }, { MSI(0x1000, 0x1fff) } },
		{ 0x1000, 1, 1, { IDENTITY(0x1234, 0x2000, READ) },
		  { IDENTITY(0x1000, 0x2fff, READ) } },
		{ 0x10000, 1, 1, { MSI(0x1000, 0x1fff) }, { MSI(0, 0xffff) } },
		{ 1, 1, 1, { RES(5, 5) }, { RES(5, 5) } },
		{ 1ULL << 63, 1, 1, { RES(5, 5) }, { RES(0, U64_MAX >> 1) } },
		{ 1ULL << 63, 1, 1, { RES(U64_MAX >> 1, 1ULL << 63) }, { RES(0, U64_MAX) } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

static void test_edges(void)
{
	static const struct example examples[] = {
		{ 0x1000, 1, 1, { RES(0, U64_MAX) }, { RES(0, U64_MAX) } },
		{ 0x1000, 1, 1, { RES(0, 0) }, { RES(0, 0xfff) } },
		{ 0x1000, 1, 1, { MSI(U64_MAX, U64_MAX) }, { MSI(-0x1000ULL, U64_MAX) } },
		{ 0x1000, 2, 2, { RES(U64_MAX, U64_MAX), RES(0, 0) },
		  { RES(0, 0xfff), RES(-0x1000ULL, U64_MAX) } },
		{ 0x1000, 2, 1, { RES(-0x1000ULL, U64_MAX), RES(-0x2000ULL, -0x1001ULL) },
		  { RES(-0x2000ULL, U64_MAX) } },
		{ 0x1000, 2, 1, { RES(-0x1000ULL, U64_MAX), MSI(U64_MAX, U64_MAX) },
		  { RES(-0x1000ULL, U64_MAX) } },
		{ 0x1000, 2, 1, { RES(0, U64_MAX), MSI(0, U64_MAX) }, { RES(0, U64_MAX) } },
		{ 0x1000, 2, 2, { MSI(0, U64_MAX), RES(0, 0) },
		  { RES(0, 0xfff), MSI(0x1000, U64_MAX) } },
		{ 0x1000, 2, 2, { MSI(0, U64_MAX), RES(U64_MAX, U64_MAX) },
		  { MSI(0, -0x1001ULL), RES(-0x1000ULL, U64_MAX) } },
		{ 0x1000, 2, 1, { MSI(0, U64_MAX), MSI(5, U64_MAX) }, { MSI(0, U64_MAX) } },
		{ 1, 3, 5, { MSI(0, U64_MAX), RES(1, U64_MAX - 1), IDENTITY(2, U64_MAX - 2, READ) },
		  { MSI(0, 0), RES(1, 1), IDENTITY(2, U64_MAX - 2, READ),
		    RES(U64_MAX - 1, U64_MAX - 1), MSI(U64_MAX, U64_MAX) } },
		{ 1, 3, 2, { MSI(0, U64_MAX), RES(U64_MAX, U64_MAX),
			     IDENTITY(U64_MAX, U64_MAX, WRITE) },
		  { MSI(0, U64_MAX - 1), IDENTITY(U64_MAX, U64_MAX, WRITE) } },
		{ 1, 3, 2, { MSI(0, U64_MAX), RES(0, 0), IDENTITY(0, 0, WRITE) },
		  { IDENTITY(0, 0, WRITE), MSI(1, U64_MAX) } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

static void test_merge(void)
{
	static const struct example examples[] = {
		/* overlapping, nested, equal, adjacent, and not */
		{ 1, 2, 1, { RES(10, 20), RES(15, 30) }, { RES(10, 30) } },
		{ 1, 2, 1, { RES(10, 30), RES(15, 20) }, { RES(10, 30) } },
		{ 1, 2, 1, { MSI(10, 20), MSI(10, 20) }, { MSI(10, 20) } },
		{ 1, 2, 1, { MSI(21, 30), MSI(10, 20) }, { MSI(10, 30) } },
		{ 1, 2, 2, { RES(22, 30), RES(10, 20) }, { RES(10, 20), RES(22, 30) } },
		/* apart, until they are rounded */
		{ 16, 2, 1, { RES(0, 3), RES(20, 21) }, { RES(0, 31) } },
		/* one that swallows all behind it */
		{ 1, 4, 1, { RES(40, 50), RES(20, 30), RES(0, 100), RES(60, 70) },
		  { RES(0, 100) } },
		/* adjacent, but not alike */
		{ 1, 2, 2, { MSI(21, 30), RES(10, 20) }, { RES(10, 20), MSI(21, 30) } },
		{ 1, 2, 2, { RES(21, 30), MSI(10, 20) }, { MSI(10, 20), RES(21, 30) } },
		{ 1, 2, 2, { IDENTITY(21, 30, READ), IDENTITY(10, 20, WRITE) },
		  { IDENTITY(10, 20, WRITE), IDENTITY(21, 30, READ) } },
		{ 1, 2, 2, { IDENTITY(21, 30, READ | MMIO), IDENTITY(10, 20, READ) },
		  { IDENTITY(10, 20, READ), IDENTITY(21, 30, READ | MMIO) } },
		{ 1, 2, 1, { IDENTITY(21, 30, READ | MMIO), IDENTITY(10, 20, READ | MMIO) },
		  { IDENTITY(10, 30, READ | MMIO) } },
		/* neighbours only once what lay between them is gone */
		{ 1, 3, 1, { RES(0, 10), MSI(5, 10), RES(11, 20) }, { RES(0, 20) } },
		{ 1, 3, 1, { IDENTITY(0, 10, WRITE), RES(5, 15), IDENTITY(11, 20, WRITE) },
		  { IDENTITY(0, 20, WRITE) } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

static void test_reserved_wins(void)
{
	static const struct example examples[] = {
		/* the same, within, at either end, across either end */
		{ 1, 2, 1, { MSI(10, 20), RES(10, 20) }, { RES(10, 20) } },
		{ 1, 2, 1, { MSI(12, 18), RES(10, 20) }, { RES(10, 20) } },
		{ 1, 2, 1, { MSI(10, 18), RES(10, 20) }, { RES(10, 20) } },
		{ 1, 2, 1, { MSI(12, 20), RES(10, 20) }, { RES(10, 20) } },
		{ 1, 2, 2, { MSI(10, 20), RES(10, 12) }, { RES(10, 12), MSI(13, 20) } },
		{ 1, 2, 2, { MSI(10, 20), RES(18, 20) }, { MSI(10, 17), RES(18, 20) } },
		{ 1, 2, 2, { MSI(10, 20), RES(5, 10) }, { RES(5, 10), MSI(11, 20) } },
		{ 1, 2, 2, { MSI(10, 20), RES(20, 25) }, { MSI(10, 19), RES(20, 25) } },
		/* because of rounding alone */
		{ 16, 2, 2, { MSI(0, 20), RES(30, 40) }, { MSI(0, 15), RES(16, 47) } },
		/* a hole, or two, and nothing but the hole, in one piece or in more */
		{ 1, 2, 3, { MSI(0, 100), RES(40, 50) },
		  { MSI(0, 39), RES(40, 50), MSI(51, 100) } },
		{ 1, 3, 5, { MSI(0, 100), RES(40, 50), RES(60, 70) },
		  { MSI(0, 39), RES(40, 50), MSI(51, 59), RES(60, 70), MSI(71, 100) } },
		{ 1, 3, 3, { MSI(0, 100), RES(51, 60), RES(40, 50) },
		  { MSI(0, 39), RES(40, 60), MSI(61, 100) } },
		{ 0x1000, 2, 3, { MSI(0, U64_MAX), RES(0x5000, 0x5fff) },
		  { MSI(0, 0x4fff), RES(0x5000, 0x5fff), MSI(0x6000, U64_MAX) } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

static void test_identity_wins(void)
{
	static const struct example examples[] = {
		{ 1, 2, 1, { RES(10, 20), IDENTITY(10, 20, READ) }, { IDENTITY(10, 20, READ) } },
		{ 1, 2, 1, { MSI(10, 20), IDENTITY(10, 20, WRITE) }, { IDENTITY(10, 20, WRITE) } },
		{ 1, 3, 1, { MSI(10, 20), RES(10, 20), IDENTITY(10, 20, READ | WRITE) },
		  { IDENTITY(10, 20, READ | WRITE) } },
		{ 1, 2, 3, { RES(0, 100), IDENTITY(40, 50, READ) },
		  { RES(0, 39), IDENTITY(40, 50, READ), RES(51, 100) } },
		{ 1, 2, 2, { MSI(0, 45), IDENTITY(40, 50, READ | MMIO) },
		  { MSI(0, 39), IDENTITY(40, 50, READ | MMIO) } },
		{ 1, 2, 2, { RES(45, 60), IDENTITY(40, 50, WRITE | MMIO) },
		  { IDENTITY(40, 50, WRITE | MMIO), RES(51, 60) } },
		{ 16, 2, 2, { IDENTITY(0, 16, READ), RES(31, 40) },
		  { IDENTITY(0, 31, READ), RES(32, 47) } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

static void test_flags_add_up(void)
{
	static const struct example examples[] = {
		{ 1, 2, 1, { IDENTITY(10, 20, READ), IDENTITY(10, 20, WRITE) },
		  { IDENTITY(10, 20, READ | WRITE) } },
		{ 1, 2, 3, { IDENTITY(10, 20, READ), IDENTITY(15, 30, WRITE) },
		  { IDENTITY(10, 14, READ), IDENTITY(15, 20, READ | WRITE),
		    IDENTITY(21, 30, WRITE) } },
		/* One flag more for a part, and none where it says no more than the other. */
		{ 1, 2, 3, { IDENTITY(0, 99, READ | WRITE), IDENTITY(40, 50, READ | MMIO) },
		  { IDENTITY(0, 39, READ | WRITE), IDENTITY(40, 50, READ | WRITE | MMIO),
		    IDENTITY(51, 99, READ | WRITE) } },
		{ 1, 2, 1, { IDENTITY(0, 99, READ | WRITE), IDENTITY(40, 50, WRITE) },
		  { IDENTITY(0, 99, READ | WRITE) } },
		{ 1, 2, 2, { IDENTITY(0, 50, READ), IDENTITY(40, 99, READ | WRITE) },
		  { IDENTITY(0, 39, READ), IDENTITY(40, 99, READ | WRITE) } },
		/* what lies below them has no part in it */
		{ 1, 3, 4, { RES(0, 99), IDENTITY(10, 20, READ), IDENTITY(21, 30, WRITE) },
		  { RES(0, 9), IDENTITY(10, 20, READ), IDENTITY(21, 30, WRITE), RES(31, 99) } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

static bool is_rounded_and_sorted(const struct viommu_regions *regions, u64 granule)
{
	unsigned int i;

	for (i = 0; i < regions->nr; i++)
		if (regions->entries[i].start % granule ||
		    regions->entries[i].last % granule != granule - 1 ||
		    (i && regions->entries[i].start < regions->entries[i - 1].start))
			return false;
	return true;
}

static void test_random_lists(void)
{
	unsigned long round, types[3] = { 0 };

	for (round = 0; round < test_rounds(100000); round++) {
		struct viommu_region in[12];
		unsigned int i, nr = test_below(ARRAY_SIZE(in) + 1);
		u64 base = random_window(), granule = random_granule();
		struct viommu_regions regions, again, from;
		u8 map[WINDOW] = { 0 };
		bool ok;

		random_regions(in, nr, base);
		for (i = 0; i < nr; i++)
			map_add(map, base, &in[i], granule);
		from = list_create(in, nr, nr);
		regions = list_create(NULL, 0, 2 * nr);
		ASSERT(viommu_regions_normalise(&regions, &from, granule) == 0);
		ok = check_normalised(&regions, map, WINDOW, base, granule);
		if (!ok) {
			printf("# granule %llu\n", (unsigned long long)granule);
			print_regions("in", in, nr);
			print_regions("out", regions.entries, regions.nr);
		}
		EXPECT(ok);
		EXPECT(is_rounded_and_sorted(&from, granule));
		for (i = 0; i < regions.nr; i++)
			types[regions.entries[i].type]++;
		free(from.entries);

		/* What is normal stays as it is, and needs no more room than it has. */
		ASSERT(normalise(&again, regions.entries, regions.nr, regions.nr, granule) == 0);
		EXPECT(same_regions(&again, regions.entries, regions.nr));
		free(again.entries);

		if (regions.nr) {
			EXPECT_EQ(normalise(&again, in, nr, test_below(regions.nr), granule),
				  -ENOSPC);
			free(again.entries);
		}
		free(regions.entries);
	}
	for (round = 0; round < ARRAY_SIZE(types); round++)
		EXPECT(types[round] > test_rounds(50000));
}

/* One normal form, whatever the order in which endpoints and properties came. */
static void test_random_order(void)
{
	unsigned long round;

	for (round = 0; round < test_rounds(50000); round++) {
		struct viommu_region in[8];
		unsigned int i, nr = 1 + test_below(ARRAY_SIZE(in));
		bool near = test_below(2), ok;
		struct viommu_regions a, b;

		for (i = 0; i < nr; i++) {
			u64 x = near ? test_below(64) << 12 : test_edge();
			u64 y = near ? test_below(64) << 12 : test_edge();

			in[i].start = x < y ? x : y;
			in[i].last = x < y ? y : x;
			random_type(&in[i]);
		}
		a = normal(in, nr, 0x1000);
		shuffle(in, nr);
		b = normal(in, nr, 0x1000);
		ok = same_regions(&a, b.entries, b.nr);
		if (!ok) {
			print_regions("in", in, nr);
			print_regions("out", b.entries, b.nr);
			print_regions("out, in another order", a.entries, a.nr);
		}
		EXPECT(ok);
		free(a.entries);
		free(b.entries);
	}
}

/* Endpoints are normalised one by one, and once more together: that is the same. */
static void test_random_steps(void)
{
	unsigned long round;

	for (round = 0; round < test_rounds(50000); round++) {
		struct viommu_region in[12], both[4 * ARRAY_SIZE(in)];
		unsigned int nr = test_below(ARRAY_SIZE(in) + 1), first = test_below(nr + 1);
		u64 base = random_window(), granule = random_granule();
		struct viommu_regions a, b, steps, once;

		random_regions(in, nr, base);
		a = normal(in, first, granule);
		b = normal(in + first, nr - first, granule);
		memcpy(both, b.entries, b.nr * sizeof(*both));
		memcpy(both + b.nr, a.entries, a.nr * sizeof(*both));
		steps = normal(both, a.nr + b.nr, granule);
		once = normal(in, nr, granule);
		EXPECT(same_regions(&steps, once.entries, once.nr));
		free(a.entries);
		free(b.entries);
		free(steps.entries);
		free(once.entries);
	}
}

/*
 * As many as 64 KiB of properties can hold: it ends, and soon.
 */

#define MANY		(VIOMMU_PROBE_SIZE_MAX / 24)

static void test_many_single(void)
{
	struct viommu_region *in = malloc(MANY * sizeof(*in));
	struct viommu_regions regions;
	u64 first;
	int i;

	/* From above, each of one page and of another type than the next. */
	for (i = 0; i < MANY; i++) {
		first = (u64)(MANY - i) << 12;
		in[i] = (struct viommu_region)MSI(first, first + 0xfff);
		in[i].type = i % 2 ? VIOMMU_REGION_MSI : VIOMMU_REGION_RESERVED;
	}
	regions = normal(in, MANY, 0x1000);
	EXPECT_EQ(regions.nr, MANY);
	free(regions.entries);

	/* In twos: the lowest is alone in its granule, and MSI; all others are not. */
	regions = normal(in, MANY, 0x2000);
	EXPECT_EQ(regions.nr, 2);
	EXPECT_EQ(regions.entries[0].type, VIOMMU_REGION_MSI);
	EXPECT_EQ(regions.entries[0].last, 0x1fff);
	EXPECT_EQ(regions.entries[1].type, VIOMMU_REGION_RESERVED);
	EXPECT_EQ(regions.entries[1].last, (u64)((MANY | 1) + 1) * 0x1000 - 1);
	free(regions.entries);
	free(in);
}

/* No list becomes longer: one region with a hole for each of the others. */
static void test_many_holes(void)
{
	static const struct viommu_region outer[] = {
		MSI(0, U64_MAX), RES(0, U64_MAX), IDENTITY(0, U64_MAX, READ),
	};
	struct viommu_region *in = malloc(MANY * sizeof(*in));
	struct viommu_regions regions;
	unsigned int i, j;

	for (j = 0; j < ARRAY_SIZE(outer); j++) {
		in[0] = outer[j];
		for (i = 1; i < MANY; i++)
			in[i] = (struct viommu_region)IDENTITY((u64)i << 13,
							       ((u64)i << 13) + 0xfff, WRITE);
		regions = normal(in, MANY, 0x1000);
		EXPECT_EQ(regions.nr, 2 * MANY - 1);
		for (i = 0; i < regions.nr; i += 2) {
			EXPECT_EQ(regions.entries[i].type, outer[j].type);
			EXPECT_EQ(regions.entries[i].flags, outer[j].flags);
		}
		EXPECT_EQ(regions.entries[regions.nr - 1].last, U64_MAX);
		free(regions.entries);

		EXPECT_EQ(normalise(&regions, in, MANY, 2 * MANY - 1, 0x1000), 0);
		free(regions.entries);
		EXPECT_EQ(normalise(&regions, in, MANY, 2 * MANY - 2, 0x1000), -ENOSPC);
		free(regions.entries);
	}
	free(in);
}

/* Each within the one before, with all of them open at once in the middle. */
static void test_many_nested(void)
{
	struct viommu_region *in = malloc(MANY * sizeof(*in));
	const struct viommu_region want[] = {
		MSI(0, MANY / 3 - 1),
		RES(MANY / 3, MANY / 3 * 2 - 1),
		IDENTITY(MANY / 3 * 2, U64_MAX - MANY / 3 * 2, READ | WRITE),
		RES(U64_MAX - MANY / 3 * 2 + 1, U64_MAX - MANY / 3),
		MSI(U64_MAX - MANY / 3 + 1, U64_MAX),
	};
	struct viommu_regions regions;
	int i;

	for (i = 0; i < MANY; i++) {
		in[i] = (struct viommu_region)MSI(i, U64_MAX - i);
		if (i >= MANY / 3)
			in[i].type = VIOMMU_REGION_RESERVED;
		if (i >= MANY / 3 * 2) {
			in[i].type = VIOMMU_REGION_IDENTITY;
			in[i].flags = READ | WRITE;
		}
	}
	regions = normal(in, MANY, 1);
	EXPECT(same_regions(&regions, want, ARRAY_SIZE(want)));
	free(regions.entries);

	/* The worst order for the sort. */
	for (i = 0; i < MANY / 2; i++) {
		struct viommu_region swap = in[i];

		in[i] = in[MANY - 1 - i];
		in[MANY - 1 - i] = swap;
	}
	regions = normal(in, MANY, 1);
	EXPECT(same_regions(&regions, want, ARRAY_SIZE(want)));
	free(regions.entries);
	free(in);
}

/* In and out of each other, in any order. */
static void test_many_interleaved(void)
{
	struct viommu_region *in = malloc(MANY * sizeof(*in));
	const u64 size = 4 * MANY, bases[] = { 0, -size };
	u8 *map = malloc(size);
	struct viommu_regions regions;
	unsigned long round;
	int i;

	for (round = 0; round < test_rounds(10); round++) {
		u64 base = bases[round % 2], longest = 1 + test_below(40);

		memset(map, 0, size);
		for (i = 0; i < MANY; i++) {
			u64 start = test_below(size), last = start + test_below(longest);

			in[i].start = base + start;
			in[i].last = base + (last < size ? last : size - 1);
			random_type(&in[i]);
			map_add(map, base, &in[i], 1);
		}
		regions = normal(in, MANY, 1);
		EXPECT(check_normalised(&regions, map, size, base, 1));
		EXPECT(regions.nr > MANY / 8);
		free(regions.entries);
	}
	free(map);
	free(in);
}

/*
 * Identity regions that count
 */

/* The letters of @types: what became of each region. */
static void check_settled(const struct viommu_region *in, unsigned int nr,
			  const struct viommu_limits *limits, bool accept, const char *types)
{
	struct viommu_regions regions = list_create(in, nr, nr);
	unsigned int i, refused = 0;
	bool ok = true;

	for (i = 0; i < nr; i++)
		refused += in[i].type == VIOMMU_REGION_IDENTITY && types[i] != 'I';
	EXPECT_EQ(viommu_regions_settle_identity(&regions, limits, accept),
		  accept ? refused : 0);
	ASSERT(regions.nr == nr && regions.max == nr);
	for (i = 0; i < nr; i++) {
		struct viommu_region want = in[i];

		if (want.type == VIOMMU_REGION_IDENTITY && types[i] != 'I') {
			want.type = VIOMMU_REGION_RESERVED;
			want.flags = 0;
		}
		ok = ok && same_region(&regions.entries[i], &want);
	}
	if (!ok) {
		printf("# granule %#llx, input %#llx %#llx, want %s\n",
		       (unsigned long long)limits->granule,
		       (unsigned long long)limits->input_start,
		       (unsigned long long)limits->input_last, types);
		print_regions("in", in, nr);
		print_regions("out", regions.entries, nr);
	}
	EXPECT(ok);
	free(regions.entries);
}

static void test_settle(void)
{
	static const struct {
		const char *types;
		struct viommu_region in[4];
	} examples[] = {
		{ "", { {} } },
		{ "R", { RES(0x5000, 0x5fff) } },
		{ "M", { MSI(0, U64_MAX) } },
		/* the whole range, and its ends; one byte further is out of it */
		{ "I", { IDENTITY(0x2000, 0xffff, READ) } },
		{ "I", { IDENTITY(0x2000, 0x2000, WRITE | MMIO) } },
		{ "I", { IDENTITY(0xffff, 0xffff, READ | WRITE) } },
		{ "R", { IDENTITY(0x1fff, 0x2fff, READ) } },
		{ "R", { IDENTITY(0xf000, 0x10000, READ) } },
		{ "R", { IDENTITY(0x1000, 0x1fff, READ) } },
		{ "R", { IDENTITY(0x10000, 0x10fff, READ) } },
		{ "R", { IDENTITY(0, U64_MAX, READ | WRITE | MMIO) } },
		/* something else on the same page, and on the next */
		{ "RR", { IDENTITY(0x5000, 0x5fff, READ), RES(0x5000, 0x5fff) } },
		{ "MR", { MSI(0x5000, 0x5fff), IDENTITY(0x5000, 0x5fff, WRITE) } },
		{ "RR", { IDENTITY(0x5000, 0x5fff, READ), RES(0, U64_MAX) } },
		{ "RR", { IDENTITY(0x3000, 0x6fff, READ), RES(0x5555, 0x5555) } },
		{ "RR", { IDENTITY(0x5000, 0x50ff, READ), RES(0x5f00, 0x5fff) } },
		{ "RR", { IDENTITY(0x5f00, 0x5fff, READ), RES(0x5000, 0x50ff) } },
		{ "RM", { IDENTITY(0x5000, 0x60ff, READ), MSI(0x6f00, 0x8fff) } },
		{ "RM", { IDENTITY(0x6f00, 0x8fff, READ), MSI(0x5000, 0x60ff) } },
		{ "IR", { IDENTITY(0x5000, 0x5fff, READ), RES(0x6000, 0x6fff) } },
		{ "IM", { IDENTITY(0x5000, 0x5fff, READ), MSI(0x4000, 0x4fff) } },
		/* several of the kind may overlap, whatever their flags */
		{ "II", { IDENTITY(0x5000, 0x5fff, READ), IDENTITY(0x5000, 0x6fff, WRITE) } },
		{ "II", { IDENTITY(0x5000, 0x5fff, READ), IDENTITY(0x5000, 0x5fff, READ) } },
		/* one that is refused takes no other with it, first or last */
		{ "IRR", { IDENTITY(0x5000, 0x5fff, READ), IDENTITY(0x5800, 0x6fff, READ),
			   RES(0x6000, 0x6fff) } },
		{ "RRI", { RES(0x6000, 0x6fff), IDENTITY(0x5800, 0x6fff, READ),
			   IDENTITY(0x5000, 0x5fff, READ) } },
		{ "RIIR", { IDENTITY(0x1000, 0x5fff, READ), IDENTITY(0x2000, 0x2fff, READ),
			    IDENTITY(0x5000, 0x5fff, WRITE), IDENTITY(0x5000, 0x10000, READ) } },
	};
	const struct viommu_limits limits = {
		.granule = 0x1000, .input_start = 0x2000, .input_last = 0xffff,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		check_settled(examples[i].in, strlen(examples[i].types), &limits, true,
			      examples[i].types);
		check_settled(examples[i].in, strlen(examples[i].types), &limits, false, "RRRR");
	}
}

static void test_settle_edges(void)
{
	static const struct viommu_region ends[] = {
		IDENTITY(0, 0xfff, READ), IDENTITY(U64_MAX, U64_MAX, WRITE), RES(0x1000, 0x1fff),
		MSI(-0x2000ULL, -0x1001ULL),
	};
	static const struct viommu_region taken[] = {
		IDENTITY(0xfff, 0xfff, READ), IDENTITY(U64_MAX, U64_MAX, WRITE), RES(0, 0),
		MSI(-0x1000ULL, -0x1000ULL),
	};
	const struct viommu_limits all = { .granule = 0x1000, .input_last = U64_MAX };
	const struct viommu_limits huge = { .granule = 1ULL << 63, .input_last = U64_MAX };

	check_settled(ends, ARRAY_SIZE(ends), &all, true, "IIRM");
	check_settled(taken, ARRAY_SIZE(taken), &all, true, "RRRM");
	check_settled(ends, 2, &huge, true, "II");
	check_settled(ends, 3, &huge, true, "RIR");
	check_settled(ends, ARRAY_SIZE(ends), &huge, true, "RRRM");
}

static void test_settle_random(void)
{
	unsigned long round, settled[2] = { 0 };

	for (round = 0; round < test_rounds(100000); round++) {
		u64 base = random_window(), granule = random_granule();
		u64 x = test_below(WINDOW / granule), y = test_below(WINDOW / granule);
		const struct viommu_limits limits = {
			.granule = granule,
			.input_start = test_below(4) ? base + (x < y ? x : y) * granule : base,
			.input_last = (test_below(4) ? base + (x < y ? y : x) * granule :
				       base + WINDOW - granule) + (granule - 1),
		};
		struct viommu_region in[8];
		unsigned int i, nr = test_below(ARRAY_SIZE(in) + 1);
		u8 map[WINDOW] = { 0 };
		char types[ARRAY_SIZE(in)];

		random_regions(in, nr, base);
		for (i = 0; i < nr; i++)
			if (test_below(2))
				in[i].last = in[i].start;
		for (i = 0; i < nr; i++)
			map_add(map, base, &in[i], granule);
		for (i = 0; i < nr; i++) {
			u64 at;

			if (in[i].type != VIOMMU_REGION_IDENTITY)
				continue;
			types[i] = 'I';
			for (at = in[i].start / granule * granule - base;
			     at <= in[i].last / granule * granule + (granule - 1) - base; at++)
				if (map[at] & (MAPPED_MSI | MAPPED_RES) ||
				    base + at < limits.input_start || base + at > limits.input_last)
					types[i] = 'R';
			settled[types[i] == 'I']++;
		}
		check_settled(in, nr, &limits, true, types);
	}
	EXPECT(settled[0] > round / 4 && settled[1] > round / 4);
}

/* As many as a reply can hold, and each has to be compared with each of the others. */
static void test_settle_many(void)
{
	const struct viommu_limits limits = { .granule = 0x1000, .input_last = U64_MAX };
	struct viommu_region *in = malloc(MANY * sizeof(*in));
	char *types = malloc(MANY);
	int i;

	for (i = 0; i < MANY; i++) {
		u64 first = (u64)i << 12;

		in[i] = (struct viommu_region)IDENTITY(first, first + 0xfff, READ);
		types[i] = 'I';
		if (i % 2)
			in[i] = (struct viommu_region)RES(first, first + 0xfff);
	}
	check_settled(in, MANY, &limits, true, types);

	/* The last one says something else of all. */
	in[MANY - 1].start = 0;
	memset(types, 'R', MANY);
	check_settled(in, MANY, &limits, true, types);
	free(types);
	free(in);
}

/*
 * Regions too large for their type
 */

static void test_bound(void)
{
	const u64 msi = 0x1000000, identity = 0x1000000000, other = 0x100000000000;
	const struct {
		const char *types;
		struct viommu_region in[4];
	} examples[] = {
		{ "", { {} } },
		/* as much as is allowed, and a byte more */
		{ "M", { MSI(0x5000, 0x5000 + msi - 1) } },
		{ "R", { MSI(0x5000, 0x5000 + msi) } },
		{ "I", { IDENTITY(0, identity - 1, READ) } },
		{ "R", { IDENTITY(0, identity, READ) } },
		{ "R", { MSI(0, U64_MAX) } },
		{ "R", { IDENTITY(0, U64_MAX, READ | WRITE | MMIO) } },
		/* together; one that is too large takes nothing from the others */
		{ "MMR", { MSI(0, 0xfff), MSI(0x5000, 0x5000 + msi - 0x1001),
			   MSI(other, other) } },
		{ "MRM", { MSI(0, 0xfff), MSI(0x5000, 0x5000 + msi - 1), MSI(other, other) } },
		{ "IRI", { IDENTITY(0, 0xfff, READ), IDENTITY(0x5000, 0x5000 + identity - 1, READ),
			   IDENTITY(other, other, WRITE) } },
		/* each type for itself */
		{ "IMR", { IDENTITY(0, identity - 1, READ), MSI(identity, identity + msi - 1),
			   IDENTITY(other, other, READ) } },
		{ "RMI", { RES(0, identity), MSI(2 * identity, 2 * identity + msi - 1),
			   IDENTITY(other, other + identity - 1, READ) } },
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		const char *types = examples[i].types;
		unsigned int nr = strlen(types), refused = 0;
		struct viommu_regions regions = list_create(examples[i].in, nr, nr);
		unsigned int got = viommu_regions_bound(&regions);

		for (j = 0; j < nr; j++) {
			struct viommu_region want = examples[i].in[j];

			if (types[j] == 'R' && want.type != VIOMMU_REGION_RESERVED) {
				want.type = VIOMMU_REGION_RESERVED;
				want.flags = 0;
				refused++;
			}
			EXPECT(same_region(&regions.entries[j], &want));
		}
		EXPECT_EQ(got, refused);
		EXPECT_EQ(regions.nr, nr);
		free(regions.entries);
	}
}

/*
 * Several endpoints
 */

/* What an endpoint reports of one page: None, Reserved, Msi or Identity, with flags. */
static struct viommu_regions endpoint_create(char type, u32 flags,
					     const struct viommu_limits *limits)
{
	static const char types[] = { 'M', 'R', 'I' };
	struct viommu_region region = { .start = 0x5000, .last = 0x5fff };
	struct viommu_regions regions;
	unsigned int nr = type != 'N';

	if (nr)
		region.type = (const char *)memchr(types, type, sizeof(types)) - types;
	if (type == 'I')
		region.flags = flags;
	regions = list_create(&region, nr, nr);
	EXPECT_EQ(viommu_regions_settle_identity(&regions, limits, true), 0);
	return regions;
}

static char regions_letter(const struct viommu_regions *regions)
{
	if (!regions->nr)
		return 'N';
	EXPECT_EQ(regions->nr, 1);
	EXPECT_EQ(regions->entries[0].start, 0x5000);
	EXPECT_EQ(regions->entries[0].last, 0x5fff);
	return "MRI"[regions->entries[0].type];
}

static void check_combination(char a, char b, char both, bool open)
{
	const struct viommu_limits limits = { .granule = 0x1000, .input_last = U64_MAX };
	struct viommu_regions raw_a = endpoint_create(a, READ, &limits);
	struct viommu_regions raw_b = endpoint_create(b, WRITE, &limits);
	struct viommu_regions one = normal(raw_a.entries, raw_a.nr, limits.granule);
	struct viommu_regions other = normal(raw_b.entries, raw_b.nr, limits.granule);
	struct viommu_regions combined;
	struct viommu_region all[2];
	unsigned int i, nr = 0;

	for (i = 0; i < one.nr; i++)
		all[nr++] = one.entries[i];
	for (i = 0; i < other.nr; i++)
		all[nr++] = other.entries[i];
	combined = normal(all, nr, limits.granule);

	EXPECT_EQ(regions_letter(&one), a);
	EXPECT_EQ(regions_letter(&other), b);
	EXPECT_EQ(regions_letter(&combined), both);
	if (combined.nr)
		EXPECT_EQ(combined.entries[0].flags,
			  (a == 'I' ? READ : 0) | (b == 'I' ? WRITE : 0));
	EXPECT(viommu_regions_open(&one, &other) == (open && a == 'I' ? one.entries : NULL));
	EXPECT(viommu_regions_open(&other, &one) == (open && b == 'I' ? other.entries : NULL));
	free(raw_a.entries);
	free(raw_b.entries);
	free(one.entries);
	free(other.entries);
	free(combined.entries);
}

static void test_combinations(void)
{
	/* What one endpoint reports, the other, and what holds for both. */
	static const struct {
		char a, b, both;
		bool open;
	} cells[] = {
		{ 'N', 'N', 'N', false },
		{ 'N', 'R', 'R', false },
		{ 'N', 'M', 'M', false },
		{ 'N', 'I', 'I', true },
		{ 'R', 'R', 'R', false },
		{ 'R', 'M', 'R', false },
		{ 'R', 'I', 'I', false },
		{ 'M', 'M', 'M', false },
		{ 'M', 'I', 'I', false },
		{ 'I', 'I', 'I', false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		check_combination(cells[i].a, cells[i].b, cells[i].both, cells[i].open);
		check_combination(cells[i].b, cells[i].a, cells[i].both, cells[i].open);
	}
}

/* Index of the region that is open, or -1. */
static void check_open(const struct viommu_region *one, unsigned int nr_one,
		       const struct viommu_region *other, unsigned int nr_other, int want)
{
	struct viommu_regions a = list_create(one, nr_one, nr_one);
	struct viommu_regions b = list_create(other, nr_other, nr_other);
	const struct viommu_region *open = viommu_regions_open(&a, &b);

	if (open != (want < 0 ? NULL : &a.entries[want])) {
		print_regions("one", one, nr_one);
		print_regions("other", other, nr_other);
	}
	EXPECT_EQ(open ? open - a.entries : -1, want);
	free(a.entries);
	free(b.entries);
}

static void test_open(void)
{
	static const struct {
		unsigned int nr_one, nr_other;
		int want;
		struct viommu_region one[3], other[4];
	} examples[] = {
		{ 0, 0, -1, {}, {} },
		{ 0, 1, -1, {}, { IDENTITY(0, 9, READ) } },
		{ 2, 0, -1, { RES(0, 9), MSI(20, 29) }, {} },
		{ 1, 0, 0, { IDENTITY(10, 19, READ) }, {} },
		/* covered, with and without something to spare */
		{ 1, 1, -1, { IDENTITY(10, 19, READ) }, { RES(10, 19) } },
		{ 1, 1, -1, { IDENTITY(10, 19, READ) }, { MSI(9, 19) } },
		{ 1, 1, -1, { IDENTITY(10, 19, READ) }, { IDENTITY(10, 20, WRITE) } },
		{ 1, 1, -1, { IDENTITY(10, 19, READ) }, { RES(0, U64_MAX) } },
		/* a part of it, beside it, and all but one address at either end */
		{ 1, 1, 0, { IDENTITY(10, 19, READ) }, { RES(0, 9) } },
		{ 1, 1, 0, { IDENTITY(10, 19, READ) }, { RES(20, 29) } },
		{ 1, 1, 0, { IDENTITY(10, 19, READ) }, { RES(11, 19) } },
		{ 1, 1, 0, { IDENTITY(10, 19, READ) }, { RES(10, 18) } },
		{ 1, 1, 0, { IDENTITY(10, 19, READ) }, { RES(14, 15) } },
		{ 1, 2, 0, { IDENTITY(10, 19, READ) }, { RES(0, 9), RES(20, 29) } },
		/* by several, with a hole of one address or without */
		{ 1, 2, -1, { IDENTITY(10, 19, READ) }, { RES(0, 14), MSI(15, 29) } },
		{ 1, 4, -1, { IDENTITY(10, 19, READ) },
		  { RES(10, 10), MSI(11, 14), IDENTITY(15, 18, READ), RES(19, 19) } },
		{ 1, 2, 0, { IDENTITY(10, 19, READ) }, { RES(0, 14), MSI(16, 29) } },
		{ 1, 3, 0, { IDENTITY(10, 19, READ) }, { RES(10, 14), MSI(15, 18), RES(20, 29) } },
		{ 1, 2, 0, { IDENTITY(10, 19, READ) }, { RES(10, 14), MSI(15, 18) } },
		/* one of several */
		{ 2, 2, 1, { IDENTITY(10, 19, READ), IDENTITY(30, 39, READ) },
		  { RES(0, 20), RES(30, 38) } },
		{ 3, 1, -1, { RES(0, 4), IDENTITY(10, 19, READ), MSI(30, 39) }, { MSI(10, 29) } },
		/* 0 and 2^64-1 */
		{ 1, 1, -1, { IDENTITY(0, U64_MAX, READ) }, { MSI(0, U64_MAX) } },
		{ 1, 0, 0, { IDENTITY(0, U64_MAX, READ) }, {} },
		{ 1, 1, 0, { IDENTITY(0, U64_MAX, READ) }, { MSI(1, U64_MAX) } },
		{ 1, 1, 0, { IDENTITY(0, U64_MAX, READ) }, { MSI(0, U64_MAX - 1) } },
		{ 1, 2, -1, { IDENTITY(0, U64_MAX, READ) },
		  { RES(0, U64_MAX - 1), MSI(U64_MAX, U64_MAX) } },
		{ 1, 1, -1, { IDENTITY(U64_MAX, U64_MAX, READ) }, { MSI(U64_MAX, U64_MAX) } },
		{ 1, 1, 0, { IDENTITY(U64_MAX, U64_MAX, READ) }, { MSI(0, U64_MAX - 1) } },
		{ 1, 1, -1, { IDENTITY(0, 0, READ) }, { MSI(0, 0) } },
		{ 1, 1, 0, { IDENTITY(0, 0, READ) }, { MSI(1, 1) } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(examples); i++)
		check_open(examples[i].one, examples[i].nr_one, examples[i].other,
			   examples[i].nr_other, examples[i].want);
}

static void test_open_random(void)
{
	unsigned long round, results[2] = { 0 };

	for (round = 0; round < test_rounds(100000); round++) {
		u64 base = random_window(), granule = random_granule();
		u8 one_map[WINDOW], other_map[WINDOW];
		struct viommu_regions one = random_normal(one_map, base, granule);
		struct viommu_regions other = random_normal(other_map, base, granule);
		const struct viommu_region *open, *want = NULL;
		bool identity = false;
		unsigned int i;
		u64 at;

		for (i = 0; i < one.nr && !want; i++) {
			const struct viommu_region *region = &one.entries[i];

			if (region->type != VIOMMU_REGION_IDENTITY)
				continue;
			identity = true;
			for (at = region->start - base; at <= region->last - base; at++)
				if (!other_map[at])
					want = region;
		}
		open = viommu_regions_open(&one, &other);
		if (open != want) {
			print_regions("one", one.entries, one.nr);
			print_regions("other", other.entries, other.nr);
		}
		EXPECT(open == want);
		results[!want] += identity;
		free(one.entries);
		free(other.entries);
	}
	EXPECT(results[0] > round / 8 && results[1] > round / 8);
}

/*
 * Looking for regions, and for room
 */

static const struct viommu_region *first_reference(const struct viommu_regions *regions, u64 start,
						   u64 last)
{
	const struct viommu_region *first = NULL, *region = regions->entries;
	unsigned int i;

	for (i = 0; i < regions->nr; i++, region++)
		if (region->start <= last && region->last >= start &&
		    (!first || region->start < first->start))
			first = region;
	return first;
}

static void check_first(const struct viommu_regions *regions, u64 start, u64 last)
{
	const struct viommu_region *want = first_reference(regions, start, last);
	const struct viommu_region *got = viommu_regions_first(regions, start, last);

	if (got != want) {
		printf("# %#llx %#llx\n", (unsigned long long)start, (unsigned long long)last);
		print_regions("in", regions->entries, regions->nr);
	}
	EXPECT(got == want);
}

static void test_first(void)
{
	static const struct viommu_region in[] = {
		RES(0, 9), MSI(10, 19), IDENTITY(40, 49, READ), RES(U64_MAX - 9, U64_MAX),
	};
	static const u64 addresses[] = {
		0, 1, 9, 10, 11, 19, 20, 21, 39, 40, 41, 49, 50, 51,
		U64_MAX - 10, U64_MAX - 9, U64_MAX - 8, U64_MAX - 1, U64_MAX,
	};
	struct viommu_regions regions = list_create(in, ARRAY_SIZE(in), ARRAY_SIZE(in));
	unsigned int i, j;

	EXPECT(viommu_regions_first(&regions, 10, 45) == &regions.entries[1]);
	EXPECT(!viommu_regions_first(&regions, 20, 39));
	for (regions.nr = 0; regions.nr <= ARRAY_SIZE(in); regions.nr++)
		for (i = 0; i < ARRAY_SIZE(addresses); i++)
			for (j = i; j < ARRAY_SIZE(addresses); j++)
				check_first(&regions, addresses[i], addresses[j]);
	free(regions.entries);
}

static void test_first_random(void)
{
	unsigned long round;

	for (round = 0; round < test_rounds(30000); round++) {
		u64 base = random_window();
		u8 map[WINDOW];
		struct viommu_regions regions = random_normal(map, base, 1);
		unsigned int i;

		for (i = 0; i < 10; i++) {
			u64 x = test_below(4) ? base + test_below(WINDOW) : test_edge();
			u64 y = test_below(4) ? base + test_below(WINDOW) : test_edge();

			if (!test_below(4))
				y = x;
			check_first(&regions, x < y ? x : y, x < y ? y : x);
		}
		free(regions.entries);
	}
}

/* What viommu_regions_place() does not return. */
#define NOWHERE		U64_MAX

static void check_place(const struct viommu_regions *regions, const struct viommu_limits *limits,
			u64 size, u64 wanted, u64 want)
{
	u64 place = NOWHERE;
	int ret = viommu_regions_place(regions, limits, size, wanted, &place);

	if (ret != (want == NOWHERE ? -ENOSPC : 0) || (!ret && place != want)) {
		printf("# input %#llx %#llx, size %#llx, wanted at %#llx\n",
		       (unsigned long long)limits->input_start,
		       (unsigned long long)limits->input_last, (unsigned long long)size,
		       (unsigned long long)wanted);
		print_regions("in", regions->entries, regions->nr);
	}
	EXPECT_EQ(ret, want == NOWHERE ? -ENOSPC : 0);
	EXPECT_EQ(ret ? NOWHERE : place, want);
}

static void test_place(void)
{
	static const struct {
		u64 input_start, input_last, size, wanted, want;
		unsigned int nr;
		struct viommu_region in[3];
	} examples[] = {
		{ 0, U64_MAX, 0x1000, 0x8000, 0x8000, 0, {} },
		/* free, with neighbours; taken, wholly or by one address: the next above */
		{ 0, U64_MAX, 0x1000, 0x8000, 0x8000, 2,
		  { RES(0x7000, 0x7fff), RES(0x9000, 0x9fff) } },
		{ 0, U64_MAX, 0x1000, 0x8000, 0x9000, 1, { RES(0x8000, 0x8000) } },
		{ 0, U64_MAX, 0x1000, 0x8000, 0x9000, 1, { MSI(0x8fff, 0x8fff) } },
		{ 0, U64_MAX, 0x1000, 0x8000, 0x9000, 1, { IDENTITY(0, 0x8fff, READ) } },
		{ 0, U64_MAX, 0x1000, 0x8000, 0xa000, 1, { IDENTITY(0, 0x9000, READ) } },
		{ 0, U64_MAX, 0x1000, 0x8000, 0xb000, 2,
		  { RES(0x8000, 0x8fff), RES(0x9800, 0xa7ff) } },
		/* aligned: a gap that is large enough may be none */
		{ 0, U64_MAX, 0x1000, 0x8000, 0xc000, 2,
		  { RES(0x7000, 0x9000), RES(0xafff, 0xbfff) } },
		{ 0, U64_MAX, 1, 5, 8, 1, { RES(0, 7) } },
		/* none above: the lowest below */
		{ 0, U64_MAX, 0x1000, 0x8000, 0, 1, { RES(0x8000, U64_MAX) } },
		{ 0, U64_MAX, 0x1000, 0x8000, 0x2000, 2,
		  { RES(0, 0x1000), RES(0x4000, U64_MAX) } },
		{ 0, U64_MAX, 0x1000, 0x8000, NOWHERE, 1, { RES(0, U64_MAX) } },
		{ 0, U64_MAX, 0x1000, 0x8000, NOWHERE, 2,
		  { RES(0xfff, 0x1000), RES(0x2000, -2ULL) } },
		/* the range: not where it begins at 0, in its last place, too small */
		{ 0x8000, 0xffff, 0x1000, 0x8000, 0x8000, 0, {} },
		{ 0x8000, 0xffff, 0x1000, 0xf000, 0xf000, 0, {} },
		{ 0x8000, 0xffff, 0x1000, 0x7000, 0x8000, 0, {} },
		{ 0x8000, 0xffff, 0x1000, 0, 0x9000, 1, { RES(0, 0x8000) } },
		{ 0x8000, 0xffff, 0x1000, 0x10000, 0x8000, 0, {} },
		{ 0x8000, 0xffff, 0x1000, -0x1000ULL, 0x8000, 0, {} },
		{ 0x8000, 0xffff, 0x1000, 0xf000, 0x9000, 2,
		  { RES(0x8000, 0x8fff), RES(0xffff, 0xffff) } },
		{ 0x8000, 0xffff, 0x8000, 0, 0x8000, 0, {} },
		{ 0x8000, 0xffff, 0x8000, 0, NOWHERE, 1, { RES(0xffff, 0xffff) } },
		{ 0x8000, 0xffff, 0x10000, 0, NOWHERE, 0, {} },
		{ 0x7000, 0xffff, 0x8000, 0, 0x8000, 0, {} },
		{ 0x9000, 0x17fff, 0x8000, 0x10000, 0x10000, 0, {} },
		{ 0x9000, 0x16fff, 0x8000, 0x10000, NOWHERE, 0, {} },
		{ 0x5000, 0x5fff, 0x1000, 0x5000, 0x5000, 0, {} },
		{ 0x5000, 0x5fff, 0x1000, 0x5000, NOWHERE, 1, { MSI(0x5800, 0x5800) } },
		{ 0x5000, 0x5fff, 0x2000, 0, NOWHERE, 0, {} },
		/* up to 2^64-1 */
		{ 0, U64_MAX, 0x1000, -0x1000ULL, -0x1000ULL, 0, {} },
		{ 0, U64_MAX, 0x1000, -0x1000ULL, 0, 1, { RES(U64_MAX, U64_MAX) } },
		{ 0, U64_MAX, 0x1000, -0x1000ULL, 0, 1, { RES(-0x1000ULL, -0x1000ULL) } },
		{ 0, U64_MAX, 0x1000, -0x2000ULL, -0x1000ULL, 1, { RES(0x1000, -0x1001ULL) } },
		{ 0, U64_MAX, 0x1000, -0x2000ULL, 0, 1, { RES(0x1000, -0x1000ULL) } },
		{ 0, U64_MAX - 0x1000, 0x1000, -0x1000ULL, 0, 0, {} },
		{ -0x1000ULL, U64_MAX, 0x1000, 0, -0x1000ULL, 0, {} },
		{ -0x1000ULL, U64_MAX, 0x2000, 0, NOWHERE, 0, {} },
		{ -0x1000ULL, U64_MAX, 0x2000, -0x2000ULL, NOWHERE, 0, {} },
		{ -0x1000ULL, U64_MAX, 1ULL << 63, 1ULL << 63, NOWHERE, 0, {} },
		{ -0x1000ULL, U64_MAX, 0x1000, 0, NOWHERE, 1, { RES(U64_MAX, U64_MAX) } },
		/* halves of everything */
		{ 0, U64_MAX, 1ULL << 63, 0, 1ULL << 63, 1, { RES(0, 0) } },
		{ 0, U64_MAX, 1ULL << 63, 1ULL << 63, 0, 1, { RES(U64_MAX, U64_MAX) } },
		{ 0, U64_MAX, 1ULL << 63, 0, NOWHERE, 2, { RES(0, 0), RES(U64_MAX, U64_MAX) } },
		{ 1, U64_MAX, 1ULL << 63, 0, 1ULL << 63, 0, {} },
		{ 1, U64_MAX - 1, 1ULL << 63, 0, NOWHERE, 0, {} },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		struct viommu_regions regions = list_create(examples[i].in, examples[i].nr,
							    examples[i].nr);
		const struct viommu_limits limits = {
			.granule = 1,
			.input_start = examples[i].input_start,
			.input_last = examples[i].input_last,
		};

		check_place(&regions, &limits, examples[i].size, examples[i].wanted,
			    examples[i].want);
		free(regions.entries);
	}
}

static bool map_is_free(const u8 *map, u64 start, u64 size)
{
	u64 i;

	for (i = start; i < start + size; i++)
		if (map[i])
			return false;
	return true;
}

/* The lowest from @wanted on, or else the lowest. */
static u64 place_reference(const u8 *map, u64 base, const struct viommu_limits *limits, u64 size,
			   u64 wanted)
{
	u64 at, place, lowest = NOWHERE;

	for (at = 0; at < WINDOW && size <= WINDOW - at; at++) {
		place = base + at;
		if (place % size || place < limits->input_start ||
		    place + (size - 1) > limits->input_last || !map_is_free(map, at, size))
			continue;
		if (place >= wanted)
			return place;
		if (lowest == NOWHERE)
			lowest = place;
	}
	return lowest;
}

static void test_place_random(void)
{
	unsigned long round, above = 0, below = 0, nowhere = 0, just = 0;

	for (round = 0; round < test_rounds(150000); round++) {
		u64 base = random_window(), x = test_below(WINDOW), y = test_below(WINDOW), wanted;
		const struct viommu_limits limits = {
			.granule = 1,
			.input_start = base + (test_below(3) ? x < y ? x : y : 0),
			.input_last = base + (test_below(3) ? x < y ? y : x : WINDOW - 1),
		};
		u64 size = 1ULL << test_below(test_below(8) ? 7 : 64), want;
		u8 map[WINDOW];
		struct viommu_regions regions = random_normal(map, base, 1);

		wanted = test_below(4) ? base + test_below(WINDOW) : test_edge();
		/* Where alone NOWHERE could be meant. */
		if (size == 1 && limits.input_last == U64_MAX)
			size = 2;
		wanted &= ~(size - 1);
		want = place_reference(map, base, &limits, size, wanted);
		check_place(&regions, &limits, size, wanted, want);
		if (want == NOWHERE)
			nowhere++;
		else if (want == wanted)
			just++;
		else if (want > wanted)
			above++;
		else
			below++;
		free(regions.entries);
	}
	EXPECT(just > round / 8 && above > round / 8 && below > round / 8 && nowhere > round / 8);
}

static const struct test_case cases[] = {
	{ "a region is added as it is; a full list takes none", test_add },
	{ "a list without room takes none", test_no_room },
	{ "an empty list stays empty", test_empty },
	{ "regions are rounded outwards", test_round },
	{ "regions at 0 and 2^64-1", test_edges },
	{ "regions of one type and one set of flags are merged", test_merge },
	{ "D35 RESERVED wins over MSI, just where it is", test_reserved_wins },
	{ "D35 IDENTITY wins over both", test_identity_wins },
	{ "flags of identity regions add up where they overlap", test_flags_add_up },
	{ "D35 random lists against a map of addresses", test_random_lists },
	{ "random lists, in any order", test_random_order },
	{ "random lists, at once and endpoint by endpoint", test_random_steps },
	{ "as many regions as a reply can hold, from above", test_many_single },
	{ "as many holes as a reply can hold", test_many_holes },
	{ "as many regions as a reply can hold, nested", test_many_nested },
	{ "as many regions as a reply can hold, interleaved", test_many_interleaved },
	{ "which identity regions count", test_settle },
	{ "which identity regions count at 0 and 2^64-1", test_settle_edges },
	{ "which identity regions count, against a map of addresses", test_settle_random },
	{ "which identity regions count, of as many as a reply can hold", test_settle_many },
	{ "regions too large for their type", test_bound },
	{ "D35 the table of combinations of two endpoints' regions, every cell",
	  test_combinations },
	{ "identity regions that would be open to another endpoint", test_open },
	{ "random regions that would be open, against a map of addresses", test_open_random },
	{ "the first region that overlaps a range", test_first },
	{ "the first region of random lists", test_first_random },
	{ "a place for a window: as wanted, above, below, none", test_place },
	{ "a place for a window, against a map of addresses", test_place_random },
};

TEST_SUITE(regions, cases);
