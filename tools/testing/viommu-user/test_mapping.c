// SPDX-License-Identifier: GPL-2.0
/*
 * mapping.c, over an interval tree that is a sorted list (see the shim), against
 * an array with one slot for each address of a small window.
 */
#include <linux/slab.h>

#include "harness.h"
#include "mapping.h"

#define WINDOW		64

static void store_begin(struct viommu_store *store)
{
	ASSERT(viommu_mapping_cache_create() == 0);
	viommu_store_init(store);
}

/* Empties the store the way that a domain does. */
static void store_end(struct viommu_store *store)
{
	struct viommu_mapping *mapping;

	while ((mapping = viommu_store_first(store, 0, U64_MAX))) {
		viommu_store_remove(store, mapping);
		viommu_mapping_free(mapping);
	}
	EXPECT_EQ(store->nr, 0);
	EXPECT_EQ(slab_control.objects, 0);
	viommu_mapping_cache_destroy();
	EXPECT_EQ(slab_control.caches, 0);
}

static struct viommu_mapping *store_add(struct viommu_store *store, u64 start, u64 last, u64 phys)
{
	struct viommu_mapping *mapping = viommu_mapping_alloc(start, last, phys, 3, GFP_KERNEL);

	ASSERT(mapping);
	mapping->status = 0;
	ASSERT(viommu_store_insert(store, mapping) == 0);
	return mapping;
}

static bool store_refuses(struct viommu_store *store, u64 start, u64 last)
{
	struct viommu_mapping *mapping = viommu_mapping_alloc(start, last, 0, 0, GFP_KERNEL);
	unsigned long nr = store->nr;
	int ret = viommu_store_insert(store, mapping);

	if (ret == 0)
		viommu_store_remove(store, mapping);
	viommu_mapping_free(mapping);
	EXPECT_EQ(store->nr, nr);
	EXPECT(ret == 0 || ret == -EEXIST);
	return ret == -EEXIST;
}

static void test_alloc(void)
{
	struct viommu_mapping *mapping;
	struct viommu_store store;

	store_begin(&store);
	mapping = viommu_mapping_alloc(0x1000, 0x1fff, 0x123456789000, 5, GFP_ATOMIC);
	ASSERT(mapping);
	EXPECT_EQ(slab_control.gfp, GFP_ATOMIC);
	EXPECT_EQ(mapping->node.start, 0x1000);
	EXPECT_EQ(mapping->node.last, 0x1fff);
	EXPECT_EQ(mapping->phys, 0x123456789000);
	EXPECT_EQ(mapping->flags, 5);
	EXPECT_EQ(mapping->status, VIOMMU_MAPPING_UNSENT);
	EXPECT_EQ(store.nr, 0);
	viommu_mapping_free(mapping);
	store_end(&store);
}

/* None of them may pass for an errno or for success. */
static void test_statuses(void)
{
	EXPECT(VIOMMU_MAPPING_PENDING > 0);
	EXPECT(VIOMMU_MAPPING_UNSENT > 0);
	EXPECT(VIOMMU_MAPPING_PENDING != VIOMMU_MAPPING_UNSENT);
}

static void test_alloc_fails(void)
{
	struct viommu_mapping *mapping;
	struct viommu_store store;

	slab_control.fail_in = 1;
	EXPECT_EQ(viommu_mapping_cache_create(), -ENOMEM);
	viommu_mapping_cache_destroy();

	store_begin(&store);
	slab_control.fail_in = 1;
	EXPECT(!viommu_mapping_alloc(0, 0xfff, 0, 0, GFP_KERNEL));
	mapping = viommu_mapping_alloc(0, 0xfff, 0, 0, GFP_KERNEL);
	EXPECT(mapping);
	viommu_mapping_free(mapping);
	store_end(&store);
}

static void test_overlap(void)
{
	struct viommu_store store;

	store_begin(&store);
	store_add(&store, 0x1000, 0x1fff, 0);
	store_add(&store, 0x4000, 0x5fff, 0);

	EXPECT(store_refuses(&store, 0x1000, 0x1fff));	/* the same */
	EXPECT(store_refuses(&store, 0x1800, 0x1801));	/* within one */
	EXPECT(store_refuses(&store, 0, 0x2fff));	/* around one */
	EXPECT(store_refuses(&store, 0, 0x1000));	/* its first address */
	EXPECT(store_refuses(&store, 0x1fff, 0x2000));	/* its last address */
	EXPECT(store_refuses(&store, 0x2000, 0x4000));
	EXPECT(store_refuses(&store, 0x5fff, U64_MAX));
	EXPECT(store_refuses(&store, 0, U64_MAX));

	EXPECT(!store_refuses(&store, 0, 0xfff));	/* right below */
	EXPECT(!store_refuses(&store, 0x2000, 0x3fff));	/* right between */
	EXPECT(!store_refuses(&store, 0x6000, U64_MAX));
	store_end(&store);
}

static void test_first(void)
{
	struct viommu_mapping *low, *high;
	struct viommu_store store;

	store_begin(&store);
	EXPECT(!viommu_store_first(&store, 0, U64_MAX));
	/* The order they come in does not matter. */
	high = store_add(&store, 0x4000, 0x5fff, 0);
	low = store_add(&store, 0x1000, 0x1fff, 0);

	EXPECT(viommu_store_first(&store, 0, U64_MAX) == low);
	EXPECT(viommu_store_first(&store, 0x1fff, 0x4000) == low);
	EXPECT(viommu_store_first(&store, 0x2000, U64_MAX) == high);
	EXPECT(viommu_store_first(&store, 0x5fff, 0x5fff) == high);
	EXPECT(viommu_store_first(&store, 0x2000, 0x4000) == high);
	EXPECT(!viommu_store_first(&store, 0, 0xfff));
	EXPECT(!viommu_store_first(&store, 0x2000, 0x3fff));
	EXPECT(!viommu_store_first(&store, 0x6000, U64_MAX));

	viommu_store_remove(&store, low);
	viommu_mapping_free(low);
	EXPECT_EQ(store.nr, 1);
	EXPECT(viommu_store_first(&store, 0, U64_MAX) == high);
	store_end(&store);
}

/* What viommu_store_whole() makes of the last IOVA; 0 where it refuses, unchanged. */
static u64 whole(struct viommu_store *store, u64 start, u64 last)
{
	u64 grown = last;

	if (!viommu_store_whole(store, start, &grown))
		return grown;
	EXPECT_EQ(grown, last);
	return 0;
}

static void test_whole(void)
{
	struct viommu_store store;

	store_begin(&store);
	EXPECT_EQ(whole(&store, 0, U64_MAX), U64_MAX);
	store_add(&store, 0x1000, 0x2fff, 0);
	store_add(&store, 0x3000, 0x3fff, 0);
	store_add(&store, 0x8000, 0x9fff, 0);

	/* D25, D26, D27: whole mappings, several of them, holes on any side */
	EXPECT_EQ(whole(&store, 0x1000, 0x2fff), 0x2fff);
	EXPECT_EQ(whole(&store, 0x1000, 0x3fff), 0x3fff);
	EXPECT_EQ(whole(&store, 0x3000, 0x7fff), 0x7fff);
	EXPECT_EQ(whole(&store, 0x3000, 0x9fff), 0x9fff);
	EXPECT_EQ(whole(&store, 0, U64_MAX), U64_MAX);
	EXPECT_EQ(whole(&store, 0x4000, 0x7fff), 0x7fff);
	EXPECT_EQ(whole(&store, 0x5000, 0x5fff), 0x5fff);
	EXPECT_EQ(whole(&store, 0, 0xfff), 0xfff);
	EXPECT_EQ(whole(&store, 0xa000, U64_MAX), U64_MAX);

	/* D26 */
	EXPECT_EQ(whole(&store, 0x1001, 0x2fff), 0);
	EXPECT_EQ(whole(&store, 0x2000, 0x9fff), 0);
	EXPECT_EQ(whole(&store, 0x2fff, 0x3fff), 0);
	EXPECT_EQ(whole(&store, 0x9fff, U64_MAX), 0);
	/* D27 */
	EXPECT_EQ(whole(&store, 0x1000, 0x1fff), 0x2fff);
	EXPECT_EQ(whole(&store, 0x1000, 0x2ffe), 0x2fff);
	EXPECT_EQ(whole(&store, 0, 0x1000), 0x2fff);
	EXPECT_EQ(whole(&store, 0x1000, 0x8000), 0x9fff);
	/* both, in one mapping and in two */
	EXPECT_EQ(whole(&store, 0x1800, 0x1fff), 0);
	EXPECT_EQ(whole(&store, 0x2000, 0x8fff), 0);
	store_end(&store);
}

static void test_translate(void)
{
	struct viommu_mapping *mapping;
	struct viommu_store store;
	u64 phys = 77;

	store_begin(&store);
	EXPECT(!viommu_store_translate(&store, 0, &phys));
	mapping = store_add(&store, 0x1000, 0x2fff, 0xabc000);

	EXPECT(viommu_store_translate(&store, 0x1000, &phys));
	EXPECT_EQ(phys, 0xabc000);
	EXPECT(viommu_store_translate(&store, 0x2fff, &phys));
	EXPECT_EQ(phys, 0xabdfff);
	phys = 77;
	EXPECT(!viommu_store_translate(&store, 0xfff, &phys));
	EXPECT(!viommu_store_translate(&store, 0x3000, &phys));
	EXPECT_EQ(phys, 77);

	/* On the way, or not sent for lack of an endpoint: good; refused: not. */
	mapping->status = VIOMMU_MAPPING_PENDING;
	EXPECT(viommu_store_translate(&store, 0x1000, &phys));
	mapping->status = VIOMMU_MAPPING_UNSENT;
	EXPECT(viommu_store_translate(&store, 0x1000, &phys));
	phys = 77;
	mapping->status = -EINVAL;
	EXPECT(!viommu_store_translate(&store, 0x1000, &phys));
	mapping->status = -1;
	EXPECT(!viommu_store_translate(&store, 0x1000, &phys));
	EXPECT_EQ(phys, 77);
	store_end(&store);
}

static void test_edges(void)
{
	struct viommu_mapping *all;
	struct viommu_store store;
	u64 phys;

	store_begin(&store);
	store_add(&store, 0, 0xfff, 0x10000);
	store_add(&store, -0x1000ULL, U64_MAX, 0x20000);
	EXPECT(store_refuses(&store, 0, 0));
	EXPECT(store_refuses(&store, U64_MAX, U64_MAX));
	EXPECT(!store_refuses(&store, 0x1000, -0x1001ULL));
	EXPECT_EQ(whole(&store, 0, U64_MAX), U64_MAX);
	EXPECT_EQ(whole(&store, 1, U64_MAX), 0);
	EXPECT_EQ(whole(&store, 0, U64_MAX - 1), U64_MAX);
	EXPECT_EQ(whole(&store, U64_MAX, U64_MAX), 0);
	EXPECT_EQ(whole(&store, 0, 0), 0xfff);
	EXPECT(viommu_store_translate(&store, 0, &phys));
	EXPECT_EQ(phys, 0x10000);
	EXPECT(viommu_store_translate(&store, U64_MAX, &phys));
	EXPECT_EQ(phys, 0x20fff);
	store_end(&store);

	store_begin(&store);
	all = store_add(&store, 0, U64_MAX, 0);
	EXPECT(viommu_store_first(&store, U64_MAX, U64_MAX) == all);
	EXPECT(viommu_store_translate(&store, U64_MAX, &phys));
	EXPECT_EQ(phys, U64_MAX);
	EXPECT_EQ(whole(&store, 0, U64_MAX), U64_MAX);
	store_end(&store);
}

struct reference {
	struct viommu_mapping *at[WINDOW];
	unsigned int nr;
};

static struct viommu_mapping *reference_first(const struct reference *reference,
					      unsigned int start, unsigned int last)
{
	unsigned int i;

	for (i = start; i <= last; i++)
		if (reference->at[i])
			return reference->at[i];
	return NULL;
}

/* Whether a range may be unmapped, and where it then ends. */
static bool reference_whole(const struct reference *reference, unsigned int start,
			    unsigned int *last)
{
	if (start && reference->at[start] && reference->at[start] == reference->at[start - 1])
		return false;
	while (*last + 1 < WINDOW && reference->at[*last] &&
	       reference->at[*last] == reference->at[*last + 1])
		++*last;
	return true;
}

static void reference_set(struct reference *reference, unsigned int start, unsigned int last,
			  struct viommu_mapping *mapping)
{
	while (start <= last)
		reference->at[start++] = mapping;
}

static void random_operation(struct viommu_store *store, struct reference *reference, u64 base)
{
	unsigned int start = test_below(WINDOW);
	unsigned int last = start + test_below(test_below(2) ? 4 : WINDOW - start);
	struct viommu_mapping *mapping, *first;
	unsigned int grown;
	u64 phys, want;
	bool allowed;

	if (last >= WINDOW)
		last = WINDOW - 1;
	first = reference_first(reference, start, last);
	EXPECT(viommu_store_first(store, base + start, base + last) == first);
	grown = last;
	allowed = reference_whole(reference, start, &grown);
	want = base + last;
	EXPECT_EQ(viommu_store_whole(store, base + start, &want), allowed ? 0 : -EINVAL);
	EXPECT_EQ(want, base + grown);

	switch (test_below(3)) {
	case 0: /* map */
		mapping = viommu_mapping_alloc(base + start, base + last, test_edge(), 0,
					       GFP_KERNEL);
		mapping->status = test_below(4) ? (int)test_below(3) : -(int)test_below(200);
		if (first) {
			EXPECT_EQ(viommu_store_insert(store, mapping), -EEXIST);
			viommu_mapping_free(mapping);
			break;
		}
		ASSERT(viommu_store_insert(store, mapping) == 0);
		reference_set(reference, start, last, mapping);
		reference->nr++;
		break;
	case 1: /* unmap, as a domain does it */
		if (!allowed)
			break;
		while ((mapping = viommu_store_first(store, base + start, base + grown))) {
			viommu_store_remove(store, mapping);
			reference_set(reference, mapping->node.start - base,
				      mapping->node.last - base, NULL);
			viommu_mapping_free(mapping);
			reference->nr--;
		}
		EXPECT(!reference_first(reference, start, grown));
		break;
	default: /* translate */
		first = reference->at[start];
		phys = want = 77;
		if (first && first->status >= 0)
			want = first->phys + (base + start) - first->node.start;
		EXPECT_EQ(viommu_store_translate(store, base + start, &phys),
			  first && first->status >= 0);
		EXPECT_EQ(phys, want);
	}
	EXPECT_EQ(store->nr, reference->nr);
}

static void test_random_operations(void)
{
	static const u64 bases[] = { 0, -(u64)WINDOW, 1ULL << 32, (1ULL << 63) - WINDOW / 2 };
	unsigned long round;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		struct reference reference = { 0 };
		struct viommu_store store;

		store_begin(&store);
		for (round = 0; round < test_rounds(50000); round++)
			random_operation(&store, &reference, bases[i]);
		store_end(&store);
	}
}

static const struct test_case cases[] = {
	{ "a new mapping is as asked for, and unsent", test_alloc },
	{ "statuses of a mapping are no errnos", test_statuses },
	{ "allocation failures", test_alloc_fails },
	{ "a mapping that overlaps another is refused", test_overlap },
	{ "the lowest mapping that overlaps a range", test_first },
	{ "D25 D26 D27 a range grows to whole mappings, or is refused", test_whole },
	{ "translation, but not of what the device refused", test_translate },
	{ "mappings at 0 and 2^64-1", test_edges },
	{ "D25 D26 D27 random operations against an array", test_random_operations },
};

TEST_SUITE(mapping, cases);
