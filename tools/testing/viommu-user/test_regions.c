// SPDX-License-Identifier: GPL-2.0
/*
 * regions.c, against a map of single addresses.
 *
 * The random tests play in a window of 256 addresses, at 0, in the middle and up
 * to 2^64-1, and note for each address of it what was reported there. What a
 * normalised list must say of each follows from that, but for one liberty that
 * regions.c takes: MSI addresses below a hole in an MSI region may become
 * RESERVED. The contrary is never right.
 */
#include "harness.h"
#include "pure.h"

#define WINDOW		256

#define RES		VIOMMU_REGION_RESERVED
#define MSI		VIOMMU_REGION_MSI

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
		ASSERT(viommu_regions_add(&regions, entries[i].start, entries[i].last,
					  entries[i].type) == 0);
	return regions;
}

static bool same_region(const struct viommu_region *a, const struct viommu_region *b)
{
	return a->start == b->start && a->last == b->last && a->type == b->type;
}

static void print_regions(const char *title, const struct viommu_region *regions, unsigned int nr)
{
	unsigned int i;

	printf("# %s:", title);
	for (i = 0; i < nr; i++)
		printf(" %s[%#llx %#llx]", regions[i].type == MSI ? "MSI" : "RES",
		       (unsigned long long)regions[i].start, (unsigned long long)regions[i].last);
	printf("\n");
}

struct example {
	u64 granule;
	unsigned int nr_in, nr_out;
	struct viommu_region in[6], out[6];
};

static void check_examples(const struct example *examples, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		const struct example *example = &examples[i];
		struct viommu_regions regions = list_create(example->in, example->nr_in,
							    example->nr_in);
		bool same;
		unsigned int j;

		viommu_regions_normalise(&regions, example->granule);
		same = regions.nr == example->nr_out;
		for (j = 0; same && j < regions.nr; j++)
			same = same_region(&regions.entries[j], &example->out[j]);
		if (!same) {
			print_regions("in", example->in, example->nr_in);
			print_regions("out", regions.entries, regions.nr);
			print_regions("want", example->out, example->nr_out);
		}
		EXPECT(same);
		free(regions.entries);
	}
}

static void test_add(void)
{
	struct viommu_region room[3] = { 0 };
	struct viommu_regions regions = { .entries = room, .max = 2 };

	EXPECT_EQ(viommu_regions_add(&regions, 5, 6, MSI), 0);
	EXPECT_EQ(regions.nr, 1);
	EXPECT_EQ(viommu_regions_add(&regions, 0, U64_MAX, RES), 0);
	EXPECT_EQ(regions.nr, 2);
	EXPECT_EQ(viommu_regions_add(&regions, 1, 2, MSI), -ENOSPC);
	EXPECT_EQ(regions.nr, 2);
	EXPECT_EQ(regions.max, 2);

	EXPECT(same_region(&room[0], &(struct viommu_region) { 5, 6, MSI }));
	EXPECT(same_region(&room[1], &(struct viommu_region) { 0, U64_MAX, RES }));
	EXPECT(same_region(&room[2], &(struct viommu_region) { 0, 0, 0 }));
}

static void test_no_room(void)
{
	struct viommu_regions regions = { .entries = NULL, .max = 0 };

	EXPECT_EQ(viommu_regions_add(&regions, 5, 6, RES), -ENOSPC);
	EXPECT_EQ(regions.nr, 0);
}

static void test_empty(void)
{
	struct viommu_regions regions = { .entries = NULL };

	viommu_regions_normalise(&regions, 0x1000);
	EXPECT_EQ(regions.nr, 0);
}

static void test_round(void)
{
	static const struct example examples[] = {
		{ 0x1000, 1, 1, { { 0x1000, 0x1fff, RES } }, { { 0x1000, 0x1fff, RES } } },
		{ 0x1000, 1, 1, { { 0x1fff, 0x2000, RES } }, { { 0x1000, 0x2fff, RES } } },
		{ 0x1000, 1, 1, { { 0x1234, 0x1234, MSI } }, { { 0x1000, 0x1fff, MSI } } },
		{ 0x10000, 1, 1, { { 0x1000, 0x1fff, MSI } }, { { 0, 0xffff, MSI } } },
		{ 1, 1, 1, { { 5, 5, RES } }, { { 5, 5, RES } } },
		{ 1ULL << 63, 1, 1, { { 5, 5, RES } }, { { 0, U64_MAX >> 1, RES } } },
		{ 1ULL << 63, 1, 1, { { U64_MAX >> 1, 1ULL << 63, RES } },
		  { { 0, U64_MAX, RES } } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

static void test_edges(void)
{
	static const struct example examples[] = {
		{ 0x1000, 1, 1, { { 0, U64_MAX, RES } }, { { 0, U64_MAX, RES } } },
		{ 0x1000, 1, 1, { { 0, 0, RES } }, { { 0, 0xfff, RES } } },
		{ 0x1000, 1, 1, { { U64_MAX, U64_MAX, MSI } }, { { -0x1000ULL, U64_MAX, MSI } } },
		{ 0x1000, 2, 2, { { U64_MAX, U64_MAX, RES }, { 0, 0, RES } },
		  { { 0, 0xfff, RES }, { -0x1000ULL, U64_MAX, RES } } },
		{ 0x1000, 2, 1, { { -0x1000ULL, U64_MAX, RES }, { -0x2000ULL, -0x1001ULL, RES } },
		  { { -0x2000ULL, U64_MAX, RES } } },
		{ 0x1000, 2, 1, { { -0x1000ULL, U64_MAX, RES }, { U64_MAX, U64_MAX, MSI } },
		  { { -0x1000ULL, U64_MAX, RES } } },
		{ 0x1000, 2, 1, { { 0, U64_MAX, RES }, { 0, U64_MAX, MSI } },
		  { { 0, U64_MAX, RES } } },
		{ 0x1000, 2, 2, { { 0, U64_MAX, MSI }, { 0, 0, RES } },
		  { { 0, 0xfff, RES }, { 0x1000, U64_MAX, MSI } } },
		{ 0x1000, 2, 2, { { 0, U64_MAX, MSI }, { U64_MAX, U64_MAX, RES } },
		  { { 0, -0x1001ULL, MSI }, { -0x1000ULL, U64_MAX, RES } } },
		{ 0x1000, 2, 1, { { 0, U64_MAX, MSI }, { 5, U64_MAX, MSI } },
		  { { 0, U64_MAX, MSI } } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

static void test_merge(void)
{
	static const struct example examples[] = {
		/* overlapping, nested, equal, adjacent, and not */
		{ 1, 2, 1, { { 10, 20, RES }, { 15, 30, RES } }, { { 10, 30, RES } } },
		{ 1, 2, 1, { { 10, 30, RES }, { 15, 20, RES } }, { { 10, 30, RES } } },
		{ 1, 2, 1, { { 10, 20, MSI }, { 10, 20, MSI } }, { { 10, 20, MSI } } },
		{ 1, 2, 1, { { 21, 30, MSI }, { 10, 20, MSI } }, { { 10, 30, MSI } } },
		{ 1, 2, 2, { { 22, 30, RES }, { 10, 20, RES } },
		  { { 10, 20, RES }, { 22, 30, RES } } },
		/* apart, until they are rounded */
		{ 16, 2, 1, { { 0, 3, RES }, { 20, 21, RES } }, { { 0, 31, RES } } },
		/* one that swallows all behind it */
		{ 1, 4, 1, { { 40, 50, RES }, { 20, 30, RES }, { 0, 100, RES }, { 60, 70, RES } },
		  { { 0, 100, RES } } },
		/* adjacent, but not alike */
		{ 1, 2, 2, { { 21, 30, MSI }, { 10, 20, RES } },
		  { { 10, 20, RES }, { 21, 30, MSI } } },
		{ 1, 2, 2, { { 21, 30, RES }, { 10, 20, MSI } },
		  { { 10, 20, MSI }, { 21, 30, RES } } },
		/* neighbours only once what lay between them is gone */
		{ 1, 3, 1, { { 0, 10, RES }, { 5, 10, MSI }, { 11, 20, RES } },
		  { { 0, 20, RES } } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

static void test_reserved_wins(void)
{
	static const struct example examples[] = {
		/* the same, within, at either end, across either end */
		{ 1, 2, 1, { { 10, 20, MSI }, { 10, 20, RES } }, { { 10, 20, RES } } },
		{ 1, 2, 1, { { 12, 18, MSI }, { 10, 20, RES } }, { { 10, 20, RES } } },
		{ 1, 2, 1, { { 10, 18, MSI }, { 10, 20, RES } }, { { 10, 20, RES } } },
		{ 1, 2, 1, { { 12, 20, MSI }, { 10, 20, RES } }, { { 10, 20, RES } } },
		{ 1, 2, 2, { { 10, 20, MSI }, { 10, 12, RES } },
		  { { 10, 12, RES }, { 13, 20, MSI } } },
		{ 1, 2, 2, { { 10, 20, MSI }, { 18, 20, RES } },
		  { { 10, 17, MSI }, { 18, 20, RES } } },
		{ 1, 2, 2, { { 10, 20, MSI }, { 5, 10, RES } },
		  { { 5, 10, RES }, { 11, 20, MSI } } },
		{ 1, 2, 2, { { 10, 20, MSI }, { 20, 25, RES } },
		  { { 10, 19, MSI }, { 20, 25, RES } } },
		/* because of rounding alone */
		{ 16, 2, 2, { { 0, 20, MSI }, { 30, 40, RES } },
		  { { 0, 15, MSI }, { 16, 47, RES } } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

static void test_hole(void)
{
	static const struct example examples[] = {
		{ 1, 2, 2, { { 0, 100, MSI }, { 40, 50, RES } },
		  { { 0, 50, RES }, { 51, 100, MSI } } },
		{ 1, 3, 2, { { 0, 100, MSI }, { 40, 50, RES }, { 60, 70, RES } },
		  { { 0, 70, RES }, { 71, 100, MSI } } },
		/* what is left reaches to 2^64-1 */
		{ 0x1000, 2, 2, { { 0, U64_MAX, MSI }, { 0x5000, 0x5fff, RES } },
		  { { 0, 0x5fff, RES }, { 0x6000, U64_MAX, MSI } } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

/* What reaches past the end of an MSI region is no hole, however it was reported. */
static void test_pieces(void)
{
	static const struct example examples[] = {
		{ 1, 2, 2, { { 0, 100, MSI }, { 40, 120, RES } },
		  { { 0, 39, MSI }, { 40, 120, RES } } },
		{ 1, 3, 2, { { 0, 100, MSI }, { 40, 50, RES }, { 51, 120, RES } },
		  { { 0, 39, MSI }, { 40, 120, RES } } },
		{ 1, 3, 2, { { 0, 100, MSI }, { 40, 120, RES }, { 40, 50, RES } },
		  { { 0, 39, MSI }, { 40, 120, RES } } },
		{ 1, 3, 2, { { 0, 100, MSI }, { 40, 50, RES }, { 40, 120, RES } },
		  { { 0, 39, MSI }, { 40, 120, RES } } },
	};

	check_examples(examples, ARRAY_SIZE(examples));
}

#define MAPPED_RES	1
#define MAPPED_MSI	2

static void map_add(u8 *map, u64 base, u64 start, u64 last, unsigned int type)
{
	u64 i;

	for (i = start - base; i <= last - base; i++)
		map[i] |= type == MSI ? MAPPED_MSI : MAPPED_RES;
}

/*
 * MSI there and on through a RESERVED address, with nothing but MSI right behind
 * it. Two RESERVED regions side by side are one hole, or none where they reach
 * the end of the MSI region: the result is not to depend on how it was reported.
 */
static bool below_hole(const u8 *map, unsigned int at)
{
	bool reserved = false;

	for (; at < WINDOW && map[at] & MAPPED_MSI; at++) {
		if (reserved && !(map[at] & MAPPED_RES))
			return true;
		reserved = map[at] & MAPPED_RES;
	}
	return false;
}

static bool check_normalised(const struct viommu_regions *regions, const u8 *in, u64 base,
			     u64 granule)
{
	u8 out[WINDOW] = { 0 };
	unsigned int i;

	for (i = 0; i < regions->nr; i++) {
		const struct viommu_region *region = &regions->entries[i], *next = region + 1;

		if (region->start > region->last || region->start % granule ||
		    (region->last + 1) % granule ||
		    region->start - base >= WINDOW || region->last - base >= WINDOW)
			return false;
		map_add(out, base, region->start, region->last, region->type);
		if (i + 1 == regions->nr)
			break;
		if (next->start <= region->last ||
		    (next->start == region->last + 1 && next->type == region->type))
			return false;
	}
	for (i = 0; i < WINDOW; i++) {
		u8 want = in[i] & MAPPED_RES ? MAPPED_RES : in[i];

		if (out[i] != want && !(in[i] == MAPPED_MSI && out[i] == MAPPED_RES &&
					below_hole(in, i)))
			return false;
	}
	return true;
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

static void test_random_lists(void)
{
	unsigned long round, kinds[2] = { 0 };

	for (round = 0; round < test_rounds(150000); round++) {
		struct viommu_region in[12];
		unsigned int i, nr = test_below(ARRAY_SIZE(in) + 1);
		u64 base = random_window(), granule = 1ULL << test_below(9);
		unsigned int longest = 1 + test_below(test_below(2) ? 16 : WINDOW);
		struct viommu_regions regions, again;
		u8 map[WINDOW] = { 0 };
		bool ok;

		if (test_below(2))
			granule = 1;
		for (i = 0; i < nr; i++) {
			u64 start = test_below(WINDOW), last = start + test_below(longest);

			in[i].start = base + start;
			in[i].last = base + (last < WINDOW ? last : WINDOW - 1);
			in[i].type = test_below(2) ? MSI : RES;
			map_add(map, base, in[i].start / granule * granule,
				in[i].last / granule * granule + (granule - 1), in[i].type);
		}
		regions = list_create(in, nr, nr);
		viommu_regions_normalise(&regions, granule);
		ASSERT(regions.nr <= nr && regions.max == nr);
		ok = check_normalised(&regions, map, base, granule);
		if (!ok) {
			printf("# granule %llu\n", (unsigned long long)granule);
			print_regions("in", in, nr);
			print_regions("out", regions.entries, regions.nr);
		}
		EXPECT(ok);
		for (i = 0; i < regions.nr; i++)
			kinds[regions.entries[i].type == MSI]++;

		/* What is normal stays as it is. */
		again = list_create(regions.entries, regions.nr, regions.nr);
		viommu_regions_normalise(&again, granule);
		ok = again.nr == regions.nr;
		for (i = 0; ok && i < again.nr; i++)
			ok = same_region(&again.entries[i], &regions.entries[i]);
		EXPECT(ok);
		free(again.entries);
		free(regions.entries);
	}
	EXPECT(kinds[0] > round / 2 && kinds[1] > round / 2);
}

/* One normal form, whatever the order in which endpoints and properties came. */
static void test_random_order(void)
{
	unsigned long round;

	for (round = 0; round < test_rounds(50000); round++) {
		struct viommu_region in[8], swap;
		unsigned int i, j, nr = 1 + test_below(ARRAY_SIZE(in));
		bool near = test_below(2), ok;
		struct viommu_regions a, b;

		for (i = 0; i < nr; i++) {
			u64 x = near ? test_below(64) << 12 : test_edge();
			u64 y = near ? test_below(64) << 12 : test_edge();

			in[i].start = x < y ? x : y;
			in[i].last = x < y ? y : x;
			in[i].type = test_below(2) ? MSI : RES;
		}
		a = list_create(in, nr, nr);
		for (i = 0; i < nr; i++) {
			j = test_below(nr);
			swap = in[i];
			in[i] = in[j];
			in[j] = swap;
		}
		b = list_create(in, nr, nr);
		viommu_regions_normalise(&a, 0x1000);
		viommu_regions_normalise(&b, 0x1000);
		ok = a.nr == b.nr;
		for (i = 0; ok && i < a.nr; i++)
			ok = same_region(&a.entries[i], &b.entries[i]);
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

/* As many as 64 KiB of properties can hold, interleaved: it ends, and soon. */
static void test_many(void)
{
	unsigned int i, nr = VIOMMU_PROBE_SIZE_MAX / 24;
	struct viommu_regions regions = {
		.entries = malloc(nr * sizeof(*regions.entries)),
		.max = nr,
	};

	for (i = 0; i < nr; i++)
		viommu_regions_add(&regions, (u64)(nr - i) << 12, ((u64)(nr - i) << 12) + 0xfff,
				   i % 2 ? MSI : RES);
	EXPECT_EQ(viommu_regions_add(&regions, 0, 0, RES), -ENOSPC);
	viommu_regions_normalise(&regions, 0x1000);
	EXPECT_EQ(regions.nr, nr);

	/* In twos: the lowest is alone in its granule, and MSI; all others are not. */
	viommu_regions_normalise(&regions, 0x2000);
	EXPECT_EQ(regions.nr, 2);
	EXPECT_EQ(regions.entries[0].type, MSI);
	EXPECT_EQ(regions.entries[0].last, 0x1fff);
	EXPECT_EQ(regions.entries[1].type, RES);
	EXPECT_EQ(regions.entries[1].last, (u64)((nr | 1) + 1) * 0x1000 - 1);
	free(regions.entries);
}

/* The same number, nested: an outer MSI region with a hole for each of the others. */
static void test_many_holes(void)
{
	unsigned int i, nr = VIOMMU_PROBE_SIZE_MAX / 24;
	struct viommu_regions regions = {
		.entries = malloc(nr * sizeof(*regions.entries)),
		.max = nr,
	};

	viommu_regions_add(&regions, 0, U64_MAX, MSI);
	for (i = 1; i < nr; i++)
		viommu_regions_add(&regions, (u64)i << 13, ((u64)i << 13) + 0xfff, RES);
	viommu_regions_normalise(&regions, 0x1000);
	EXPECT_EQ(regions.nr, 2);
	EXPECT_EQ(regions.entries[0].start, 0);
	EXPECT_EQ(regions.entries[0].type, RES);
	EXPECT_EQ(regions.entries[1].start, ((u64)(nr - 1) << 13) + 0x1000);
	EXPECT_EQ(regions.entries[1].last, U64_MAX);
	EXPECT_EQ(regions.entries[1].type, MSI);
	free(regions.entries);
}

static const struct test_case cases[] = {
	{ "a region is added as it is; a full list takes none", test_add },
	{ "a list without room takes none", test_no_room },
	{ "an empty list stays empty", test_empty },
	{ "regions are rounded outwards", test_round },
	{ "regions at 0 and 2^64-1", test_edges },
	{ "regions of one type are merged", test_merge },
	{ "D35 RESERVED wins over MSI", test_reserved_wins },
	{ "D35 a hole in an MSI region: RESERVED up to its end", test_hole },
	{ "D35 no hole, reported whole, in pieces and twice", test_pieces },
	{ "D35 random lists against a map of addresses", test_random_lists },
	{ "random lists, in any order", test_random_order },
	{ "as many regions as a reply can hold", test_many },
	{ "as many holes as a reply can hold", test_many_holes },
};

TEST_SUITE(regions, cases);
