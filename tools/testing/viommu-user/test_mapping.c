// SPDX-License-Identifier: GPL-2.0
/*
 * mapping.c: its functions one by one, and then, on random operations that are done the
 * way a domain does them, against an array with one slot for each part of a small window
 * and a model of the device.
 */
#include <linux/slab.h>

#include "harness.h"
#include "mapping.h"

/* Mappings in a store at a time, and memory for mappings. Checked. */
#define MAPPINGS_MAX	2048

static void store_begin(struct viommu_store *store)
{
	ASSERT(viommu_mapping_cache_create() == 0);
	viommu_store_init(store);
}

static struct viommu_mapping *store_lowest(const struct viommu_store *store)
{
	return rb_entry_safe(rb_first(&store->tree), struct viommu_mapping, node);
}

static int pointers_compare(const void *left, const void *right)
{
	const char *a = *(const char *const *)left, *b = *(const char *const *)right;

	return a < b ? -1 : a > b;
}

static void pointers_sort(const void **pointers, unsigned int nr)
{
	unsigned int i;

	qsort(pointers, nr, sizeof(*pointers), pointers_compare);
	for (i = 1; i < nr; i++)
		ASSERT(pointers[i - 1] != pointers[i]);
}

static bool pointers_contain(const void **pointers, unsigned int nr, const void *pointer)
{
	return bsearch(&pointer, pointers, nr, sizeof(*pointers), pointers_compare);
}

/*
 * What holds of the store whenever it is not at work: the tree is in order; what is stale
 * is in one list, and once; what is in a list and not in the tree waits to be freed; all
 * memory is in one place, and nothing else is.
 */
static void store_check(const struct viommu_store *store)
{
	/* too much for a kernel's stack */
	static const void *all[MAPPINGS_MAX], *waiting[MAPPINGS_MAX];
	unsigned int nr = 0, nr_tree, nr_stale = 0, nr_waiting = 0, i;
	const struct viommu_mapping *mapping, *below = NULL;
	struct viommu_mapping *const *end = &store->leaving;
	bool hinted = !store->hint;

	ASSERT(slab_control.objects <= MAPPINGS_MAX);
	for (mapping = store_lowest(store); mapping; mapping = viommu_mapping_next(mapping)) {
		ASSERT(nr < slab_control.objects);
		ASSERT(mapping->start <= mapping->last);
		ASSERT(!below || below->last < mapping->start);
		nr_stale += mapping->stale;
		hinted |= mapping == store->hint;
		all[nr++] = mapping;
		below = mapping;
	}
	nr_tree = nr;
	EXPECT_EQ(store->nr, nr_tree);
	EXPECT(hinted);
	pointers_sort(all, nr_tree);

	for (mapping = store->leaving; mapping; mapping = mapping->next) {
		ASSERT(nr_stale);
		ASSERT(pointers_contain(all, nr_tree, mapping));
		EXPECT(mapping->stale);
		EXPECT(mapping->status != VIOMMU_MAPPING_UNSENT);
		end = &mapping->next;
		nr_stale--;
	}
	EXPECT(store->leaving_end == end);

	for (mapping = store->stale; mapping; mapping = mapping->next) {
		EXPECT(mapping->stale);
		if (mapping->status) {
			EXPECT_EQ(mapping->status, VIOMMU_MAPPING_UNSENT);
			ASSERT(pointers_contain(all, nr_tree, mapping));
			ASSERT(nr_waiting < nr_stale);
			waiting[nr_waiting++] = mapping;
		} else {
			ASSERT(nr < slab_control.objects);
			all[nr++] = mapping;
		}
	}
	pointers_sort(waiting, nr_waiting);
	EXPECT_EQ(nr_waiting, nr_stale);

	ASSERT(store->nr_spares <= VIOMMU_STORE_SPARES);
	ASSERT(nr + store->nr_spares <= slab_control.objects);
	for (i = 0; i < store->nr_spares; i++)
		all[nr++] = store->spares[i];
	EXPECT_EQ(slab_control.objects, nr);
	pointers_sort(all, nr);
	/* Who still looks at these finds nonsense. */
	for (i = 0; i < store->nr_spares; i++)
		memset(store->spares[i], 0x5a, sizeof(struct viommu_mapping));
}

static void store_end(struct viommu_store *store)
{
	struct viommu_mapping *mapping;

	/* No request may be under way. */
	for (mapping = store_lowest(store); mapping; mapping = viommu_mapping_next(mapping))
		if (mapping->status == VIOMMU_MAPPING_PENDING)
			mapping->status = 0;
	store_check(store);
	viommu_store_empty(store);
	EXPECT_EQ(store->nr, 0);
	EXPECT_EQ(slab_control.objects, 0);
	store_check(store);
	viommu_mapping_cache_destroy();
	EXPECT_EQ(slab_control.caches, 0);
}

/* As a domain takes it. */
static struct viommu_mapping *store_memory(struct viommu_store *store)
{
	struct viommu_mapping *mapping = viommu_store_spare(store);

	if (!mapping)
		mapping = viommu_mapping_alloc(GFP_ATOMIC);
	ASSERT(mapping);
	return mapping;
}

/* A mapping that the device holds. */
static struct viommu_mapping *store_add(struct viommu_store *store, u64 start, u64 last, u64 phys)
{
	struct viommu_mapping *mapping = store_memory(store);

	viommu_mapping_init(mapping, start, last, phys, 3);
	mapping->status = 0;
	ASSERT(viommu_store_insert(store, mapping) == 0);
	return mapping;
}

static struct viommu_mapping *store_add_stale(struct viommu_store *store, u64 start, u64 last)
{
	return viommu_store_make_stale(store, store_add(store, start, last, 0));
}

/* One whose UNMAP was sent. Nothing else may be stale and near. */
static struct viommu_mapping *store_add_leaving(struct viommu_store *store, u64 start, u64 last,
						int status)
{
	struct viommu_mapping *mapping = store_add_stale(store, start, last);

	ASSERT(viommu_store_next_stale(store) == mapping);
	mapping->status = status;
	viommu_store_leave(store, mapping);
	return mapping;
}

/* What viommu_store_next_left() returns is gone. */
static void store_gone(struct viommu_store *store, struct viommu_mapping *mapping)
{
	ASSERT(mapping);
	EXPECT_EQ(mapping->status, 0);
	viommu_store_remove(store, mapping);
	viommu_store_free(store, mapping);
}

/* What an insert says, whatever the hint is. If it succeeds, it is undone. */
static int store_insert(struct viommu_store *store, u64 start, u64 last)
{
	struct viommu_mapping *hint = store->hint, *mapping = store_memory(store);
	unsigned long nr = store->nr;
	int ret = 0;
	bool first;

	for (first = true, store->hint = NULL; first || store->hint; first = false) {
		struct viommu_mapping *old = store->hint;
		int again;

		viommu_mapping_init(mapping, start, last, 0, 0);
		again = viommu_store_insert(store, mapping);
		if (again == 0) {
			EXPECT(store->hint == mapping);
			EXPECT_EQ(store->nr, nr + 1);
			store_check(store);
			viommu_store_remove(store, mapping);
		}
		EXPECT(first || again == ret);
		EXPECT_EQ(store->nr, nr);
		ret = again;
		store->hint = old ? viommu_mapping_next(old) : store_lowest(store);
	}
	store->hint = hint;
	viommu_store_free(store, mapping);
	store_check(store);
	return ret;
}

/* The same for viommu_store_first(). */
static struct viommu_mapping *store_first(struct viommu_store *store, u64 start, u64 last)
{
	struct viommu_mapping *hint, *first;

	store->hint = NULL;
	first = viommu_store_first(store, start, last);
	for (hint = store_lowest(store); hint; hint = viommu_mapping_next(hint)) {
		store->hint = hint;
		EXPECT(viommu_store_first(store, start, last) == first);
		EXPECT(store->hint == (first ?: hint));
	}
	return first;
}

static void expect_range(const struct viommu_mapping *mapping, u64 start, u64 last)
{
	ASSERT(mapping);
	EXPECT_EQ(mapping->start, start);
	EXPECT_EQ(mapping->last, last);
}

static void test_alloc(void)
{
	struct viommu_mapping *mapping;
	struct viommu_store store;

	store_begin(&store);
	EXPECT_EQ(store.nr, 0);
	store_check(&store);
	mapping = viommu_mapping_alloc(GFP_ATOMIC);
	ASSERT(mapping);
	EXPECT_EQ(slab_control.gfp, GFP_ATOMIC);
	viommu_mapping_init(mapping, 0x1000, 0x1fff, 0x123456789000, 5);
	expect_range(mapping, 0x1000, 0x1fff);
	EXPECT_EQ(mapping->phys, 0x123456789000);
	EXPECT_EQ(mapping->flags, 5);
	EXPECT_EQ(mapping->status, VIOMMU_MAPPING_UNSENT);
	EXPECT(!mapping->replayed);
	EXPECT(!mapping->stale);
	EXPECT_EQ(store.nr, 0);
	viommu_store_free(&store, mapping);
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
	EXPECT(!viommu_mapping_alloc(GFP_KERNEL));
	mapping = viommu_mapping_alloc(GFP_KERNEL);
	ASSERT(mapping);
	EXPECT_EQ(slab_control.gfp, GFP_KERNEL);
	viommu_store_free(&store, mapping);
	store_end(&store);
}

/* Around 0x1000 to 0x1fff and 0x4000 to 0x5fff. */
static void expect_overlaps(struct viommu_store *store, int ret)
{
	EXPECT_EQ(store_insert(store, 0x1000, 0x1fff), ret);	/* the same */
	EXPECT_EQ(store_insert(store, 0x1800, 0x1801), ret);	/* within one */
	EXPECT_EQ(store_insert(store, 0, 0x2fff), ret);		/* around one */
	EXPECT_EQ(store_insert(store, 0, 0x1000), ret);		/* its first address */
	EXPECT_EQ(store_insert(store, 0x1fff, 0x2000), ret);	/* its last address */
	EXPECT_EQ(store_insert(store, 0x2000, 0x4000), ret);	/* right behind one */
	EXPECT_EQ(store_insert(store, 0x2000, 0x4800), ret);
	EXPECT_EQ(store_insert(store, 0x2000, U64_MAX), ret);
	EXPECT_EQ(store_insert(store, 0x5fff, U64_MAX), ret);
	EXPECT_EQ(store_insert(store, 0, U64_MAX), ret);

	EXPECT_EQ(store_insert(store, 0, 0xfff), 0);		/* right below */
	EXPECT_EQ(store_insert(store, 0x2000, 0x3fff), 0);	/* right between */
	EXPECT_EQ(store_insert(store, 0x2000, 0x2000), 0);
	EXPECT_EQ(store_insert(store, 0x3fff, 0x3fff), 0);
	EXPECT_EQ(store_insert(store, 0x6000, U64_MAX), 0);
}

static void test_overlap(void)
{
	struct viommu_store store;

	store_begin(&store);
	store_add(&store, 0x1000, 0x1fff, 0);
	store_add(&store, 0x4000, 0x5fff, 0);
	expect_overlaps(&store, -EEXIST);
	store_end(&store);

	/* In the other order. */
	store_begin(&store);
	store_add(&store, 0x4000, 0x5fff, 0);
	store_add(&store, 0x1000, 0x1fff, 0);
	expect_overlaps(&store, -EEXIST);
	store_end(&store);
}

static void test_busy(void)
{
	struct viommu_mapping *low, *high, *mapping;
	struct viommu_store store;

	store_begin(&store);
	low = store_add_stale(&store, 0x1000, 0x1fff);
	high = store_add_stale(&store, 0x4000, 0x5fff);
	expect_overlaps(&store, -EBUSY);

	/* Sent as one, so that what is between them is busy too. */
	mapping = viommu_store_next_stale(&store);
	EXPECT(mapping == low || mapping == high);
	expect_range(mapping, 0x1000, 0x5fff);
	mapping->status = VIOMMU_MAPPING_PENDING;
	viommu_store_leave(&store, mapping);
	EXPECT_EQ(store_insert(&store, 0x1000, 0x1000), -EBUSY);
	EXPECT_EQ(store_insert(&store, 0x2000, 0x2fff), -EBUSY);
	EXPECT_EQ(store_insert(&store, 0x3fff, 0x3fff), -EBUSY);
	EXPECT_EQ(store_insert(&store, 0x5fff, 0x6fff), -EBUSY);
	EXPECT_EQ(store_insert(&store, 0, 0xfff), 0);
	EXPECT_EQ(store_insert(&store, 0x6000, U64_MAX), 0);

	/* Refused: still so. */
	mapping->status = -EIO;
	EXPECT_EQ(store_insert(&store, 0x2000, 0x2fff), -EBUSY);
	ASSERT(viommu_store_next_left(&store) == mapping);
	mapping = viommu_store_make_stale(&store, mapping);
	EXPECT_EQ(store_insert(&store, 0x2000, 0x2fff), -EBUSY);

	ASSERT(viommu_store_next_stale(&store) == mapping);
	expect_range(mapping, 0x1000, 0x5fff);
	mapping->status = 0;
	viommu_store_leave(&store, mapping);
	EXPECT_EQ(store_insert(&store, 0x2000, 0x2fff), -EBUSY);
	store_gone(&store, viommu_store_next_left(&store));
	EXPECT_EQ(store_insert(&store, 0x1000, 0x5fff), 0);
	EXPECT_EQ(store_insert(&store, 0, U64_MAX), 0);
	EXPECT_EQ(store.nr, 0);
	store_end(&store);
}

static void test_first(void)
{
	struct viommu_mapping *low, *high;
	struct viommu_store store;

	store_begin(&store);
	EXPECT(!store_first(&store, 0, U64_MAX));
	/* The order they come in does not matter. */
	high = store_add(&store, 0x4000, 0x5fff, 0);
	low = store_add(&store, 0x1000, 0x1fff, 0);

	EXPECT(store_first(&store, 0, U64_MAX) == low);
	EXPECT(store_first(&store, 0, 0x1000) == low);
	EXPECT(store_first(&store, 0x1fff, 0x4000) == low);
	EXPECT(store_first(&store, 0x2000, U64_MAX) == high);
	EXPECT(store_first(&store, 0x5fff, 0x5fff) == high);
	EXPECT(store_first(&store, 0x5fff, U64_MAX) == high);
	EXPECT(store_first(&store, 0x2000, 0x4000) == high);
	EXPECT(!store_first(&store, 0, 0xfff));
	EXPECT(!store_first(&store, 0x2000, 0x3fff));
	EXPECT(!store_first(&store, 0x6000, U64_MAX));

	/* Stale or not. */
	EXPECT(viommu_store_make_stale(&store, low) == low);
	EXPECT(store_first(&store, 0, U64_MAX) == low);
	EXPECT(viommu_store_next_stale(&store) == low);
	EXPECT(store_first(&store, 0x1fff, 0x4000) == low);

	viommu_store_remove(&store, low);
	viommu_store_free(&store, low);
	EXPECT_EQ(store.nr, 1);
	EXPECT(store_first(&store, 0, U64_MAX) == high);
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

	/* What its owner has unmapped is gone for him, whatever the device says. */
	mapping->status = 0;
	EXPECT(viommu_store_make_stale(&store, mapping) == mapping);
	EXPECT(!viommu_store_translate(&store, 0x1000, &phys));
	EXPECT(viommu_store_next_stale(&store) == mapping);
	mapping->status = VIOMMU_MAPPING_PENDING;
	viommu_store_leave(&store, mapping);
	EXPECT(!viommu_store_translate(&store, 0x1000, &phys));
	mapping->status = 0;
	EXPECT(!viommu_store_translate(&store, 0x1000, &phys));
	mapping->status = -EIO;
	EXPECT(!viommu_store_translate(&store, 0x2fff, &phys));
	EXPECT_EQ(phys, 77);
	store_end(&store);
}

/* Whoever it becomes part of, before or behind, then or later, it was refused once. */
static void test_kept(void)
{
	unsigned int which;

	for (which = 0; which < 4; which++) {
		struct viommu_mapping *mappings[3], *all = NULL;
		struct viommu_store store;
		unsigned int i;

		store_begin(&store);
		for (i = 0; i < 3; i++) {
			mappings[i] = store_add(&store, i * 0x1000, i * 0x1000 + 0xfff, 0);
			EXPECT(!mappings[i]->kept);
			mappings[i]->kept = i == which;
		}
		/* the one in the middle last, and then all of them in a row */
		viommu_store_make_stale(&store, mappings[0]);
		viommu_store_make_stale(&store, mappings[2]);
		all = viommu_store_make_stale(&store, mappings[1]);
		expect_range(all, 0, 0x2fff);
		EXPECT_EQ(all->kept, which < 3);
		store_end(&store);

		store_begin(&store);
		for (i = 0; i < 3; i++) {
			mappings[i] = store_add(&store, i * 0x1000, i * 0x1000 + 0xfff, 0);
			mappings[i]->kept = i == which;
		}
		for (i = 3; i-- > 0; )
			all = viommu_store_make_stale(&store, mappings[i]);
		expect_range(all, 0, 0x2fff);
		EXPECT_EQ(all->kept, which < 3);
		store_end(&store);
	}
}

static void test_edges(void)
{
	struct viommu_mapping *all, *low, *high;
	struct viommu_store store;
	u64 phys;

	store_begin(&store);
	low = store_add(&store, 0, 0xfff, 0x10000);
	high = store_add(&store, -0x1000ULL, U64_MAX, 0x20000);
	EXPECT_EQ(store_insert(&store, 0, 0), -EEXIST);
	EXPECT_EQ(store_insert(&store, U64_MAX, U64_MAX), -EEXIST);
	EXPECT_EQ(store_insert(&store, 0, U64_MAX), -EEXIST);
	EXPECT_EQ(store_insert(&store, 0x1000, -0x1001ULL), 0);
	EXPECT(store_first(&store, 0, 0) == low);
	EXPECT(store_first(&store, U64_MAX, U64_MAX) == high);
	EXPECT(!store_first(&store, 0x1000, -0x1001ULL));
	EXPECT(viommu_store_translate(&store, 0, &phys));
	EXPECT_EQ(phys, 0x10000);
	EXPECT(viommu_store_translate(&store, U64_MAX, &phys));
	EXPECT_EQ(phys, 0x20fff);

	/* Neighbours they are not, and the hole between them has 2^64 - 2 * 0x1000 bytes. */
	EXPECT(viommu_store_make_stale(&store, high) == high);
	EXPECT(viommu_store_make_stale(&store, low) == low);
	EXPECT(viommu_store_next_stale(&store) == low);
	expect_range(low, 0, 0xfff);
	viommu_store_remove(&store, low);
	viommu_store_free(&store, low);
	EXPECT(viommu_store_next_stale(&store) == high);
	expect_range(high, -0x1000ULL, U64_MAX);
	high->status = 0;
	viommu_store_leave(&store, high);
	store_end(&store);

	store_begin(&store);
	all = store_add(&store, 0, U64_MAX, 0);
	EXPECT(store_first(&store, U64_MAX, U64_MAX) == all);
	EXPECT(viommu_store_translate(&store, U64_MAX, &phys));
	EXPECT_EQ(phys, U64_MAX);
	EXPECT(viommu_store_make_stale(&store, all) == all);
	EXPECT(viommu_store_next_stale(&store) == all);
	expect_range(all, 0, U64_MAX);
	all->status = 0;
	viommu_store_leave(&store, all);
	store_end(&store);
}

/* No address comes after the last one: 0 does not. */
static void test_edge_hint(void)
{
	struct viommu_mapping *low, *high;
	struct viommu_store store;

	store_begin(&store);
	high = store_add(&store, -0x1000ULL, U64_MAX, 0);
	EXPECT_EQ(store_insert(&store, 0, U64_MAX), -EEXIST);
	EXPECT_EQ(store_insert(&store, 0, 0xfff), 0);
	store.hint = high;
	low = store_add(&store, 0, 0xfff, 0);
	store_check(&store);
	EXPECT(store_first(&store, 0, U64_MAX) == low);
	EXPECT_EQ(store_insert(&store, 0, 0xfff), -EEXIST);
	store_end(&store);
}

/* What may be next to a mapping that becomes stale. */
enum neighbour {
	NOTHING,
	HELD,		/* not stale */
	UNSENT,		/* not stale either */
	STALE,		/* the only one that it may join */
	APART,		/* stale, but not adjacent */
	LEAVING,	/* its UNMAP is under way */
	LEFT,		/* its UNMAP is complete */
	REFUSED,	/* its UNMAP has failed */
	NEIGHBOURS
};

static struct viommu_mapping *store_add_neighbour(struct viommu_store *store,
						  enum neighbour neighbour, u64 start, u64 last)
{
	struct viommu_mapping *mapping;

	switch (neighbour) {
	case HELD:
		return store_add(store, start, last, 0);
	case UNSENT:
		mapping = store_add(store, start, last, 0);
		mapping->status = VIOMMU_MAPPING_UNSENT;
		return mapping;
	case LEAVING:
		return store_add_leaving(store, start, last, VIOMMU_MAPPING_PENDING);
	case LEFT:
		return store_add_leaving(store, start, last, 0);
	case REFUSED:
		return store_add_leaving(store, start, last, -EIO);
	case STALE:
	case APART:
		return store_add_stale(store, start, last);
	default:
		return NULL;
	}
}

/* @refused: what becomes stale is so already, and its UNMAP has failed. */
static void expect_stale_between(enum neighbour before, enum neighbour behind, bool refused)
{
	u64 before_last = before == APART ? 0xffe : 0xfff;
	u64 behind_start = behind == APART ? 0x3001 : 0x3000;
	u64 start = before == STALE ? 0 : 0x1000, last = behind == STALE ? 0x4fff : 0x2fff;
	struct viommu_mapping *mapping, *below = NULL, *above = NULL, *result;
	int below_status = 0, above_status = 0;
	struct viommu_store store;

	store_begin(&store);
	if (refused) {
		mapping = store_add_leaving(&store, 0x1000, 0x2fff, -EIO);
		ASSERT(viommu_store_next_left(&store) == mapping);
	} else {
		mapping = store_add(&store, 0x1000, 0x2fff, 0xabc000);
	}
	/* Those that leave come first, or the others would leave with them. */
	if (before >= LEAVING)
		below = store_add_neighbour(&store, before, 0, before_last);
	if (behind >= LEAVING)
		above = store_add_neighbour(&store, behind, behind_start, 0x4fff);
	if (before < LEAVING)
		below = store_add_neighbour(&store, before, 0, before_last);
	if (behind < LEAVING)
		above = store_add_neighbour(&store, behind, behind_start, 0x4fff);
	if (below)
		below_status = below->status;
	if (above)
		above_status = above->status;

	result = viommu_store_make_stale(&store, mapping);
	store_check(&store);
	expect_range(result, start, last);
	EXPECT(result->stale);
	EXPECT_EQ(result->status, VIOMMU_MAPPING_UNSENT);
	EXPECT(viommu_store_first(&store, 0x1000, 0x2fff) == result);
	/* Its place in the list is kept. */
	EXPECT(result == mapping || result == below || result == above);
	EXPECT_EQ(store.nr, 1 + (below && before != STALE) + (above && behind != STALE));
	if (below && before != STALE) {
		expect_range(below, 0, before_last);
		EXPECT_EQ(below->status, below_status);
		EXPECT_EQ(below->stale, before >= STALE);
	}
	if (above && behind != STALE) {
		expect_range(above, behind_start, 0x4fff);
		EXPECT_EQ(above->status, above_status);
		EXPECT_EQ(above->stale, behind >= STALE);
	}

	/* It is sent, with those only that are apart. */
	if (before == APART)
		start = 0;
	if (behind == APART)
		last = 0x4fff;
	result = viommu_store_next_stale(&store);
	expect_range(result, start, last);
	result->status = VIOMMU_MAPPING_PENDING;
	viommu_store_leave(&store, result);
	store_check(&store);
	EXPECT(!viommu_store_next_stale(&store));
	store_check(&store);
	store_end(&store);
}

static void test_make_stale(void)
{
	enum neighbour before, behind;

	for (before = NOTHING; before < NEIGHBOURS; before++)
		for (behind = NOTHING; behind < NEIGHBOURS; behind++)
			expect_stale_between(before, behind, false);
}

static void test_unmap_fails(void)
{
	enum neighbour before, behind;

	for (before = NOTHING; before < NEIGHBOURS; before++)
		for (behind = NOTHING; behind < NEIGHBOURS; behind++)
			expect_stale_between(before, behind, true);
}

struct run {
	u64 start;
	u64 last;
};

static int runs_compare(const void *left, const void *right)
{
	const struct run *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* All that is sent now, in any order. */
static void expect_runs(struct viommu_store *store, const struct run *runs, unsigned int nr)
{
	struct viommu_mapping *mapping;
	struct run sent[16];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sent); i++) {
		mapping = viommu_store_next_stale(store);
		if (!mapping)
			break;
		EXPECT(mapping->stale);
		EXPECT_EQ(mapping->status, VIOMMU_MAPPING_UNSENT);
		sent[i].start = mapping->start;
		sent[i].last = mapping->last;
		mapping->status = VIOMMU_MAPPING_PENDING;
		viommu_store_leave(store, mapping);
		store_check(store);
	}
	EXPECT(!store->stale);
	EXPECT_EQ(i, nr);
	qsort(sent, i, sizeof(sent[0]), runs_compare);
	while (i--) {
		if (i >= nr)
			continue;
		EXPECT_EQ(sent[i].start, runs[i].start);
		EXPECT_EQ(sent[i].last, runs[i].last);
	}
}

/* The orders in which things can happen: permutation @index of @nr numbers. */
static void permute(unsigned int *numbers, unsigned int nr, unsigned int index)
{
	unsigned int i, j, number;

	for (i = 0; i < nr; i++)
		numbers[i] = i;
	for (i = nr; i > 1; i--) {
		j = index % i;
		index /= i;
		number = numbers[i - 1];
		numbers[i - 1] = numbers[j];
		numbers[j] = number;
	}
}

/* Three stale mappings, made so in any order, with two holes. */
static void expect_holes(u64 hole, u64 other, u64 base)
{
	const struct run items[] = {
		{ base, base + 0xfff },
		{ base + 0x1000 + hole, base + 0x1fff + hole },
		{ base + 0x2000 + hole + other, base + 0x2fff + hole + other },
	};
	struct viommu_mapping *mappings[ARRAY_SIZE(items)];
	unsigned int order[ARRAY_SIZE(items)], index, i, nr;
	struct run runs[ARRAY_SIZE(items)];
	struct viommu_store store;

	for (i = 0, nr = 0; i < ARRAY_SIZE(items); i++) {
		if (nr && items[i].start - items[i - 1].last - 1 <= VIOMMU_STORE_HOLE)
			runs[nr - 1].last = items[i].last;
		else
			runs[nr++] = items[i];
	}
	for (index = 0; index < 6; index++) {
		store_begin(&store);
		for (i = 0; i < ARRAY_SIZE(items); i++)
			mappings[i] = store_add(&store, items[i].start, items[i].last, 0);
		permute(order, ARRAY_SIZE(items), index);
		for (i = 0; i < ARRAY_SIZE(items); i++)
			viommu_store_make_stale(&store, mappings[order[i]]);
		expect_runs(&store, runs, nr);
		EXPECT_EQ(store.nr, nr);
		store_end(&store);
	}
}

static void test_holes(void)
{
	static const u64 holes[] = {
		0, 1, 0x1000, VIOMMU_STORE_HOLE - 1, VIOMMU_STORE_HOLE, VIOMMU_STORE_HOLE + 1,
		2 * VIOMMU_STORE_HOLE, 1ULL << 32, 1ULL << 63,
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		for (j = 0; j < ARRAY_SIZE(holes); j++) {
			if (holes[i] >> 63 && holes[j] >> 63)
				continue;
			expect_holes(holes[i], holes[j], 0);
			expect_holes(holes[i], holes[j], -0x3000ULL - holes[i] - holes[j]);
		}
	}
}

/* Small holes, but something is in them that an UNMAP must not take away. */
static void test_hole_in_use(void)
{
	static const struct run apart[] = { { 0x1000, 0x1fff }, { 0x3000, 0x3fff } };
	static const struct run together[] = { { 0x1000, 0x3fff } };
	static const enum neighbour kinds[] = { HELD, UNSENT, LEAVING, LEFT, REFUSED };
	struct viommu_mapping *low, *high, *between;
	struct viommu_store store;
	unsigned int i;
	int status;

	for (i = 0; i < 2 * ARRAY_SIZE(kinds); i++) {
		store_begin(&store);
		between = store_add_neighbour(&store, kinds[i / 2], 0x2800, 0x28ff);
		status = between->status;
		low = store_add(&store, 0x1000, 0x1fff, 0);
		high = store_add(&store, 0x3000, 0x3fff, 0);
		viommu_store_make_stale(&store, i & 1 ? low : high);
		viommu_store_make_stale(&store, i & 1 ? high : low);
		expect_runs(&store, apart, ARRAY_SIZE(apart));
		expect_range(between, 0x2800, 0x28ff);
		EXPECT_EQ(between->status, status);
		store_end(&store);
	}

	/* It goes away before they are sent. */
	store_begin(&store);
	between = store_add(&store, 0x2800, 0x28ff, 0);
	store_add_stale(&store, 0x3000, 0x3fff);
	store_add_stale(&store, 0x1000, 0x1fff);
	viommu_store_remove(&store, between);
	viommu_store_free(&store, between);
	expect_runs(&store, together, ARRAY_SIZE(together));
	store_end(&store);

	/* So does one in the first place, or the last. */
	store_begin(&store);
	between = store_add(&store, 0x1000, 0x13ff, 0);
	store_add_stale(&store, 0x3000, 0x3fff);
	store_add_stale(&store, 0x1800, 0x1fff);
	viommu_store_make_stale(&store, between);
	expect_runs(&store, together, ARRAY_SIZE(together));
	store_end(&store);
}

/* Those that cannot become one: newest first. */
static void test_next_stale_order(void)
{
	struct viommu_mapping *mappings[3];
	struct viommu_store store;
	unsigned int i;

	store_begin(&store);
	EXPECT(!viommu_store_next_stale(&store));
	for (i = 0; i < ARRAY_SIZE(mappings); i++)
		mappings[i] = store_add_stale(&store, (u64)i << 32, ((u64)i << 32) + 0xfff);
	for (i = ARRAY_SIZE(mappings); i-- > 0; ) {
		ASSERT(viommu_store_next_stale(&store) == mappings[i]);
		EXPECT_EQ(store.nr, ARRAY_SIZE(mappings));
		mappings[i]->status = VIOMMU_MAPPING_PENDING;
		viommu_store_leave(&store, mappings[i]);
		store_check(&store);
	}
	EXPECT(!viommu_store_next_stale(&store));
	store_end(&store);

	/* It could not be sent: it comes again, and with it what was added to it. */
	store_begin(&store);
	mappings[0] = store_add_stale(&store, 0x1000, 0x1fff);
	ASSERT(viommu_store_next_stale(&store) == mappings[0]);
	mappings[0]->status = VIOMMU_MAPPING_PENDING;
	EXPECT(viommu_store_make_stale(&store, mappings[0]) == mappings[0]);
	store_check(&store);
	EXPECT(store_add_stale(&store, 0x2000, 0x2fff) == mappings[0]);
	store_check(&store);
	ASSERT(viommu_store_next_stale(&store) == mappings[0]);
	expect_range(mappings[0], 0x1000, 0x2fff);
	mappings[0]->status = VIOMMU_MAPPING_PENDING;
	viommu_store_leave(&store, mappings[0]);
	EXPECT(!viommu_store_next_stale(&store));
	store_end(&store);
}

/* Absorbed while it is in the list, first, last or in the middle, and by which. */
static void test_absorbed(void)
{
	static const struct run all[] = { { 0, 0x4fff } };
	struct viommu_mapping *mappings[5];
	struct viommu_store store;
	unsigned int order[5], index, i;

	for (index = 0; index < 120; index++) {
		permute(order, ARRAY_SIZE(order), index);
		store_begin(&store);
		for (i = 0; i < ARRAY_SIZE(mappings); i++)
			mappings[i] = store_add(&store, i * 0x1000, i * 0x1000 + 0xfff, 0);
		for (i = 0; i < ARRAY_SIZE(mappings); i++) {
			viommu_store_make_stale(&store, mappings[order[i]]);
			store_check(&store);
		}
		EXPECT_EQ(store.nr, 1);
		if (index & 1)
			expect_runs(&store, all, ARRAY_SIZE(all));
		store_end(&store);
	}
}

static void test_next_left(void)
{
	struct viommu_mapping *mappings[4];
	struct viommu_store store;
	unsigned int i;

	store_begin(&store);
	EXPECT(!viommu_store_next_left(&store));
	for (i = 0; i < 3; i++)
		mappings[i] = store_add_leaving(&store, i * 0x1000, i * 0x1000 + 0xfff,
						VIOMMU_MAPPING_PENDING);
	store_check(&store);
	EXPECT(!viommu_store_next_left(&store));
	/* The second is complete, the first is not. */
	mappings[1]->status = 0;
	EXPECT(!viommu_store_next_left(&store));
	mappings[0]->status = -EIO;
	EXPECT(viommu_store_next_left(&store) == mappings[0]);
	/* Which is tried again. */
	EXPECT(viommu_store_make_stale(&store, mappings[0]) == mappings[0]);
	store_check(&store);
	EXPECT(viommu_store_next_left(&store) == mappings[1]);
	store_gone(&store, mappings[1]);
	store_check(&store);
	EXPECT(!viommu_store_next_left(&store));
	EXPECT_EQ(store.nr, 2);

	/* The list goes on at its end. */
	ASSERT(viommu_store_next_stale(&store) == mappings[0]);
	mappings[0]->status = VIOMMU_MAPPING_PENDING;
	viommu_store_leave(&store, mappings[0]);
	mappings[0]->status = 0;
	store_check(&store);
	EXPECT(!viommu_store_next_left(&store));
	mappings[2]->status = 0;
	EXPECT(viommu_store_next_left(&store) == mappings[2]);
	store_gone(&store, mappings[2]);
	EXPECT(viommu_store_next_left(&store) == mappings[0]);
	store_gone(&store, mappings[0]);
	store_check(&store);
	EXPECT(!viommu_store_next_left(&store));

	/* Or begins anew. */
	mappings[3] = store_add_leaving(&store, 0, 0xfff, 0);
	store_check(&store);
	EXPECT(viommu_store_next_left(&store) == mappings[3]);
	store_gone(&store, mappings[3]);
	EXPECT(!viommu_store_next_left(&store));
	EXPECT_EQ(store.nr, 0);
	store_end(&store);
}

static void test_spares(void)
{
	const unsigned int many = 4 * VIOMMU_STORE_SPARES;
	struct viommu_mapping **mappings = calloc(many, sizeof(*mappings));
	unsigned int i, nr;
	struct viommu_store store;

	store_begin(&store);
	EXPECT(!viommu_store_spare(&store));
	/* All that are taken out are others, and those that were put in. */
	for (i = 0; i < 3; i++)
		mappings[i] = viommu_mapping_alloc(GFP_KERNEL);
	for (i = 0; i < 3; i++)
		viommu_store_free(&store, mappings[i]);
	EXPECT_EQ(slab_control.objects, 3);
	pointers_sort((const void **)mappings, 3);
	for (i = 0; i < 3; i++)
		mappings[3 + i] = viommu_store_spare(&store);
	EXPECT(!viommu_store_spare(&store));
	pointers_sort((const void **)mappings + 3, 3);
	EXPECT(!memcmp(mappings, mappings + 3, 3 * sizeof(*mappings)));
	for (i = 0; i < 3; i++)
		viommu_store_free(&store, mappings[i]);
	store_end(&store);

	/* Mapping and unmapping one after the other takes no memory. */
	store_begin(&store);
	for (i = 0; i < many; i++) {
		struct viommu_mapping *mapping = store_add(&store, i * 0x1000, i * 0x1000, 0);

		viommu_store_remove(&store, mapping);
		viommu_store_free(&store, mapping);
		EXPECT_EQ(slab_control.objects, 1);
	}
	store_check(&store);

	/* However many there are, no more are kept. */
	for (i = 0; i < many; i++)
		mappings[i] = store_memory(&store);
	EXPECT_EQ(store.nr_spares, 0);
	EXPECT_EQ(slab_control.objects, many);
	for (i = 0; i < many; i++) {
		/* Not all are freed, nor is one too many. */
		viommu_store_free(&store, mappings[i]);
		EXPECT(store.nr_spares <= VIOMMU_STORE_SPARES);
		EXPECT(i < VIOMMU_STORE_SPARES / 2 || store.nr_spares >= VIOMMU_STORE_SPARES / 2);
		EXPECT_EQ(slab_control.objects, many - i - 1 + store.nr_spares);
	}
	store_check(&store);
	for (nr = store.nr_spares, i = 0; i < nr; i++) {
		mappings[i] = viommu_store_spare(&store);
		ASSERT(mappings[i]);
	}
	EXPECT(!viommu_store_spare(&store));
	EXPECT_EQ(slab_control.objects, nr);
	for (i = 0; i < nr; i++)
		viommu_store_free(&store, mappings[i]);
	store_end(&store);
	free(mappings);
}

/* Each becomes part of another, at once or when it is sent. */
static void test_spares_of_stale(void)
{
	const unsigned int many = 4 * VIOMMU_STORE_SPARES;
	struct viommu_mapping **mappings = calloc(many, sizeof(*mappings));
	const struct run all = { 0, many * 0x1000 - 1 };
	struct viommu_store store;
	unsigned int step, i;

	/* Ascending; every second one and then those between; every third one, ... */
	for (step = 1; step <= 4; step++) {
		store_begin(&store);
		for (i = 0; i < many; i++)
			mappings[i] = store_add(&store, i * 0x1000, i * 0x1000 + 0xfff, 0);
		EXPECT_EQ(slab_control.objects, many);
		for (i = 0; i < many; i++)
			if (i % step == 0)
				viommu_store_make_stale(&store, mappings[i]);
		store_check(&store);
		for (i = 0; i < many; i++)
			if (i % step)
				viommu_store_make_stale(&store, mappings[i]);
		store_check(&store);
		EXPECT_EQ(store.nr, 1);
		expect_runs(&store, &all, 1);
		store_end(&store);
	}

	/* Not adjacent: not before they are sent. */
	store_begin(&store);
	for (i = 0; i < many; i++)
		store_add_stale(&store, i * 0x1000, i * 0x1000 + (i < many - 1 ? 0xffe : 0xfff));
	store_check(&store);
	EXPECT_EQ(store.nr, many);
	expect_runs(&store, &all, 1);
	EXPECT_EQ(store.nr, 1);
	store_end(&store);
	free(mappings);
}

static void test_empty(void)
{
	struct viommu_store store;
	unsigned int i;

	store_begin(&store);
	viommu_store_empty(&store);
	for (i = 0; i < 3; i++) {
		store_add(&store, 0, 0xfff, 0);
		store_add_neighbour(&store, UNSENT, 0x1000, 0x1fff);
		store_add_neighbour(&store, HELD, 0x2000, 0x2fff)->status = -EINVAL;
		store_add_neighbour(&store, LEFT, 0x3000, 0x3fff);
		store_add_neighbour(&store, REFUSED, 0x4000, 0x4fff);
		store_add_neighbour(&store, LEFT, 0x5000, 0x5fff);
		/* Of each two, one is not in the tree. */
		store_add_stale(&store, 0x10000, 0x10fff);
		store_add_stale(&store, 0x12000, 0x12fff);
		store_add_stale(&store, 0x11000, 0x11fff);
		store_add_stale(&store, 0x22000, 0x22fff);
		store_add_stale(&store, 0x20000, 0x20fff);
		store_add_stale(&store, 0x21000, 0x21fff);
		/* Alone */
		store_add_stale(&store, 0x40000000, 0x40000fff);
		store_check(&store);
		viommu_store_empty(&store);
		EXPECT_EQ(store.nr, 0);
		EXPECT_EQ(slab_control.objects, 0);
		/* As good as new. */
		store_check(&store);
	}
	store_end(&store);

	/* One state at a time. */
	for (i = NOTHING + 1; i < NEIGHBOURS; i++) {
		store_begin(&store);
		store_add_neighbour(&store, i, 0, 0xfff);
		store_end(&store);
	}
}

static void test_hint(void)
{
	struct viommu_mapping *low, *middle, *high;
	struct viommu_store store;

	/* What it points to is removed. */
	store_begin(&store);
	low = store_add(&store, 0, 0xfff, 0);
	middle = store_add(&store, 0x1000, 0x1fff, 0);
	EXPECT(store.hint == middle);
	viommu_store_remove(&store, middle);
	viommu_store_free(&store, middle);
	store_check(&store);
	EXPECT(!viommu_store_first(&store, 0x1000, 0x1fff));
	high = store_add(&store, 0x2000, 0x2fff, 0);
	store_check(&store);
	middle = store_add(&store, 0x1000, 0x1fff, 0);
	store_check(&store);

	/* What follows is removed, and comes again. */
	EXPECT(viommu_store_first(&store, 0x1000, 0x1000) == middle);
	viommu_store_remove(&store, high);
	viommu_store_free(&store, high);
	store_check(&store);
	EXPECT(store.hint == middle);
	high = store_add(&store, 0x2000, 0x2fff, 0);
	store_check(&store);

	/* What it points to is looked up, but is not what is asked for. */
	EXPECT(viommu_store_first(&store, 0, 0) == low);
	EXPECT(viommu_store_first(&store, 0x1000, 0x3000) == middle);
	EXPECT(viommu_store_first(&store, 0, U64_MAX) == low);
	EXPECT(!viommu_store_first(&store, 0x3000, U64_MAX));
	store_check(&store);

	/* It becomes part of another, or another becomes part of it. */
	EXPECT(viommu_store_first(&store, 0x1000, 0x1000) == middle);
	viommu_store_make_stale(&store, low);
	middle = viommu_store_make_stale(&store, middle);
	store_check(&store);
	EXPECT(viommu_store_first(&store, 0, 0xfff) == middle);
	EXPECT(viommu_store_first(&store, 0x1fff, 0x2fff) == middle);
	EXPECT(viommu_store_make_stale(&store, high) == middle);
	store_check(&store);
	EXPECT(viommu_store_first(&store, 0x2fff, 0x2fff) == middle);
	high = store_add(&store, 0x3000, 0x3fff, 0);
	store_check(&store);
	EXPECT(viommu_store_first(&store, 0x2000, 0x3fff) == middle);
	/* Something is added elsewhere. */
	store_add(&store, 0x100000, 0x100fff, 0);
	EXPECT(viommu_store_first(&store, 0x2000, 0x3fff) == middle);
	EXPECT(viommu_store_first(&store, 0x3000, 0x3fff) == high);
	store_end(&store);
}

/*
 * Six pages that come in any order, each after a look at one of the others: its place is
 * found from there, whatever the tree looks like.
 */
static void test_hint_shapes(void)
{
	unsigned int order[6], index, i, j;
	struct viommu_mapping *mapping;
	struct viommu_store store;

	store_begin(&store);
	for (index = 0; index < 720; index++) {
		permute(order, ARRAY_SIZE(order), index);
		for (i = 0; i < ARRAY_SIZE(order); i++) {
			u64 start = order[i] * 0x1000;

			if (order[i] && index & 1)
				viommu_store_first(&store, start - 1, start - 1);
			else if (i)
				viommu_store_first(&store, order[i / 2] * 0x1000, U64_MAX);
			store_add(&store, start, start + 0xfff, start);
			for (mapping = store_lowest(&store), j = 1;
			     (mapping = viommu_mapping_next(mapping)); j++)
				ASSERT(viommu_mapping_next(mapping) != mapping && j <= i);
			EXPECT_EQ(j, i + 1);
		}
		store_check(&store);
		for (i = 0; i < ARRAY_SIZE(order); i++) {
			mapping = viommu_store_first(&store, order[i] * 0x1000, U64_MAX);
			ASSERT(mapping && mapping->phys == order[i] * 0x1000);
			viommu_store_remove(&store, mapping);
			viommu_store_free(&store, mapping);
		}
	}
	store_end(&store);
}

/* The model: so many slots, and so many requests that are under way at most. */
#define WINDOW		64
#define REQUESTS	24

enum slot_state {
	SLOT_FREE,
	SLOT_LIVE,
	SLOT_STALE,	/* its UNMAP was not sent */
	SLOT_LEAVING,	/* its UNMAP was sent */
};

/**
 * struct slot - a part of the window
 * @state: what the store should say of it
 * @mapping: which one covers it, while it is live or leaving
 * @serial: the last MAP of @mapping, while it is live
 * @held: what the device holds there: the number of a MAP; 0: nothing
 */
struct slot {
	enum slot_state state;
	struct viommu_mapping *mapping;
	unsigned long serial;
	unsigned long held;
};

/**
 * struct request - a MAP or an UNMAP under way
 * @mapping: where the device's answer goes
 * @first: first slot
 * @last: last slot
 * @serial: of a MAP, 0 for an UNMAP
 */
struct request {
	struct viommu_mapping *mapping;
	unsigned int first;
	unsigned int last;
	unsigned long serial;
};

/**
 * struct model - a store, and what should be in it
 * @store: the store
 * @address: where each slot starts and, at the end, where the window ends
 * @slots: the slots
 * @requests: requests under way, oldest first
 * @nr_requests: how many
 * @leaving: mappings whose UNMAP was sent, oldest first
 * @nr_leaving: how many
 * @serial: the last MAP
 */
struct model {
	struct viommu_store store;
	u64 address[WINDOW + 1];
	struct slot slots[WINDOW];
	struct request requests[REQUESTS];
	unsigned int nr_requests;
	struct viommu_mapping *leaving[WINDOW];
	unsigned int nr_leaving;
	unsigned long serial;
};

/* The last address of a slot. */
static u64 model_last(const struct model *model, unsigned int slot)
{
	return model->address[slot + 1] - 1;
}

static bool slot_matches(const struct slot *slot, const struct viommu_mapping *mapping)
{
	switch (slot->state) {
	case SLOT_LIVE:
		/* The device holds what it said that it does. */
		return !mapping->stale && mapping == slot->mapping &&
		       slot->held == (mapping->status ? 0 : slot->serial);
	case SLOT_STALE:
		return mapping->stale && mapping->status == VIOMMU_MAPPING_UNSENT;
	case SLOT_LEAVING:
		return mapping->stale && mapping->status != VIOMMU_MAPPING_UNSENT &&
		       mapping == slot->mapping;
	default:
		return false;
	}
}

/* Which slots a mapping covers; those before @from are done. */
static void model_slots(const struct model *model, const struct viommu_mapping *mapping,
			unsigned int from, unsigned int *first, unsigned int *last)
{
	ASSERT(mapping);
	while (from < WINDOW && model->address[from] != mapping->start)
		from++;
	ASSERT(from < WINDOW);
	*first = from;
	while (from < WINDOW && model_last(model, from) != mapping->last)
		from++;
	ASSERT(from < WINDOW);
	*last = from;
}

static void model_set(struct model *model, unsigned int first, unsigned int last,
		      enum slot_state state, struct viommu_mapping *mapping)
{
	while (first <= last) {
		model->slots[first].state = state;
		model->slots[first++].mapping = mapping;
	}
}

static void model_compare(const struct model *model)
{
	struct viommu_mapping *mapping, *below = NULL;
	unsigned int i = 0, first, last;
	unsigned long nr = 0;

	for (mapping = store_lowest(&model->store); mapping;
	     below = mapping, mapping = viommu_mapping_next(mapping)) {
		model_slots(model, mapping, i, &first, &last);
		/* Nothing is stale at the device that is free for the owner. */
		for (; i < first; i++)
			ASSERT(model->slots[i].state == SLOT_FREE && !model->slots[i].held);
		for (; i <= last; i++)
			ASSERT(slot_matches(&model->slots[i], mapping));
		if (below && model->slots[first].state == SLOT_STALE &&
		    below->last + 1 == mapping->start)
			ASSERT(model->slots[first - 1].state != SLOT_STALE);
		nr++;
	}
	for (; i < WINDOW; i++)
		ASSERT(model->slots[i].state == SLOT_FREE && !model->slots[i].held);
	EXPECT_EQ(model->store.nr, nr);
}

/* Whether an UNMAP takes away whole mappings of the device, and of those no live one. */
static void model_check_unmap(const struct model *model, const struct request *request)
{
	const struct slot *slots = model->slots;
	unsigned int first = request->first, last = request->last, i;

	EXPECT(!first || !slots[first].held || slots[first].held != slots[first - 1].held);
	EXPECT(last == WINDOW - 1 || !slots[last].held ||
	       slots[last].held != slots[last + 1].held);
	for (i = first; i <= last; i++)
		EXPECT(slots[i].state == SLOT_LEAVING && slots[i].mapping == request->mapping);
}

static void model_answer(struct model *model, unsigned int index, bool refuse)
{
	struct request request = model->requests[index];
	unsigned int i;

	memmove(&model->requests[index], &model->requests[index + 1],
		(--model->nr_requests - index) * sizeof(request));
	EXPECT_EQ(request.mapping->status, VIOMMU_MAPPING_PENDING);
	if (!request.serial)
		model_check_unmap(model, &request);
	request.mapping->status = refuse ? -(int)(1 + test_below(100)) : 0;
	if (refuse)
		return;
	for (i = request.first; i <= request.last; i++) {
		EXPECT(!request.serial || !model->slots[i].held);
		model->slots[i].held = request.serial;
	}
}

/* @refusals: one of how many; 0: none. */
static void model_answer_all(struct model *model, unsigned int refusals)
{
	while (model->nr_requests)
		model_answer(model, test_below(model->nr_requests),
			     refusals && !test_below(refusals));
}

static void model_request(struct model *model, struct viommu_mapping *mapping,
			  unsigned int first, unsigned int last, unsigned long serial)
{
	const struct request request = { mapping, first, last, serial };

	if (model->nr_requests == REQUESTS)
		model_answer(model, 0, !test_below(4));
	model->requests[model->nr_requests++] = request;
	mapping->status = VIOMMU_MAPPING_PENDING;
	if (serial)
		return;
	model_check_unmap(model, &request);
}

static void model_insert(struct model *model, unsigned int first, unsigned int last)
{
	struct viommu_mapping *mapping = NULL;
	bool live = false, stale = false;
	unsigned int i;
	int ret;

	/* A domain always tries that first, but then there would be few. */
	if (test_below(4))
		mapping = viommu_store_spare(&model->store);
	if (!mapping)
		mapping = viommu_mapping_alloc(GFP_ATOMIC);
	viommu_mapping_init(mapping, model->address[first], model_last(model, last), test_edge(),
			    test_below(8));
	for (i = first; i <= last; i++) {
		live |= model->slots[i].state == SLOT_LIVE;
		stale |= model->slots[i].state > SLOT_LIVE;
	}
	ret = viommu_store_insert(&model->store, mapping);
	if (live || stale) {
		EXPECT((live && ret == -EEXIST) || (stale && ret == -EBUSY));
		viommu_store_free(&model->store, mapping);
		return;
	}
	ASSERT(ret == 0);
	model_set(model, first, last, SLOT_LIVE, mapping);
}

/* As viommu_domain_send_maps(). */
static void model_send_maps(struct model *model, unsigned int first, unsigned int last)
{
	struct viommu_mapping *mapping;
	unsigned int i;

	mapping = viommu_store_first(&model->store, model->address[first],
				     model_last(model, last));
	for (; mapping && mapping->start <= model_last(model, last);
	     mapping = viommu_mapping_next(mapping)) {
		unsigned int start, end;

		if (mapping->stale || mapping->status != VIOMMU_MAPPING_UNSENT)
			continue;
		model_slots(model, mapping, 0, &start, &end);
		model->serial++;
		for (i = start; i <= end; i++)
			model->slots[i].serial = model->serial;
		model_request(model, mapping, start, end, model->serial);
	}
}

/* As viommu_domain_collect_one(): those that the device refused are gone. */
static void model_collect_maps(struct model *model)
{
	struct viommu_mapping *mapping, *next;
	unsigned int first, last;

	for (mapping = store_lowest(&model->store); mapping; mapping = next) {
		next = viommu_mapping_next(mapping);
		if (mapping->stale || mapping->status >= 0)
			continue;
		model_slots(model, mapping, 0, &first, &last);
		viommu_store_remove(&model->store, mapping);
		viommu_store_free(&model->store, mapping);
		model_set(model, first, last, SLOT_FREE, NULL);
	}
}

/* As viommu_domain_unmap_pages(). */
static void model_unmap(struct model *model, unsigned int first, unsigned int last)
{
	u64 start = model->address[first], end = model_last(model, last);
	struct viommu_store *store = &model->store;
	struct viommu_mapping *mapping, *next;
	unsigned int i, from, to;

	mapping = viommu_store_first(store, start, end);
	while (mapping && mapping->stale)
		mapping = viommu_mapping_next(mapping);
	if (mapping && mapping->start > end)
		mapping = NULL;
	for (i = first; i <= last && model->slots[i].state != SLOT_LIVE; i++)
		;
	EXPECT(mapping == (i <= last ? model->slots[i].mapping : NULL));
	if (!mapping || mapping->start < start)
		return;

	for (; mapping && mapping->start <= end; mapping = next) {
		start = mapping->start;
		if (mapping->stale) {
			next = viommu_mapping_next(mapping);
			continue;
		}
		if (mapping->status == VIOMMU_MAPPING_PENDING)
			model_answer_all(model, 4);
		end = max(end, mapping->last);
		model_slots(model, mapping, 0, &from, &to);
		if (!mapping->status) {
			mapping = viommu_store_make_stale(store, mapping);
			model_set(model, from, to, SLOT_STALE, NULL);
			EXPECT(mapping->start <= model->address[from]);
			EXPECT(mapping->last >= model_last(model, to));
			next = viommu_mapping_next(mapping);
		} else {
			next = viommu_mapping_next(mapping);
			viommu_store_remove(store, mapping);
			viommu_store_free(store, mapping);
			model_set(model, from, to, SLOT_FREE, NULL);
		}
		/* The lock was given away. */
		if (test_below(4) == 0)
			next = viommu_store_first(store, start, end);
	}
}

/* Whether a run ends where a slot begins, the one to the right of it or to the left. */
static bool model_run_ends(const struct model *model, unsigned int slot, bool right)
{
	const struct slot *slots = model->slots;
	unsigned int i;

	if (right) {
		for (i = slot; i < WINDOW && slots[i].state == SLOT_FREE; i++)
			;
		return i == WINDOW || slots[i].state != SLOT_STALE ||
		       model->address[i] - model->address[slot] > VIOMMU_STORE_HOLE;
	}
	for (i = slot; i && slots[i - 1].state == SLOT_FREE; i--)
		;
	return !i || slots[i - 1].state != SLOT_STALE ||
	       model->address[slot] - model->address[i] > VIOMMU_STORE_HOLE;
}

/* What viommu_store_next_stale() returned, before the slots are changed. */
static void model_check_run(const struct model *model, unsigned int first, unsigned int last)
{
	const struct slot *slots = model->slots;
	unsigned int i, hole;

	ASSERT(slots[first].state == SLOT_STALE && slots[last].state == SLOT_STALE);
	for (i = first, hole = first; i <= last; i++) {
		ASSERT(slots[i].state == SLOT_STALE || slots[i].state == SLOT_FREE);
		if (slots[i].state == SLOT_FREE)
			continue;
		EXPECT(model->address[i] - model->address[hole] <= VIOMMU_STORE_HOLE);
		hole = i + 1;
	}
	EXPECT(model_run_ends(model, first, false));
	EXPECT(model_run_ends(model, last + 1, true));
}

/* As viommu_domain_send_stale(). Return: whether there may be more. */
static bool model_send_stale(struct model *model, unsigned int full)
{
	struct viommu_mapping *mapping = viommu_store_next_stale(&model->store);
	unsigned int first, last, i;

	if (!mapping) {
		for (i = 0; i < WINDOW; i++)
			EXPECT(model->slots[i].state != SLOT_STALE);
		return false;
	}
	EXPECT(mapping->stale);
	EXPECT_EQ(mapping->status, VIOMMU_MAPPING_UNSENT);
	model_slots(model, mapping, 0, &first, &last);
	model_check_run(model, first, last);
	if (full && !test_below(full)) {
		mapping->status = VIOMMU_MAPPING_PENDING;
		mapping = viommu_store_make_stale(&model->store, mapping);
		model_set(model, first, last, SLOT_STALE, NULL);
		return false;
	}
	model_set(model, first, last, SLOT_LEAVING, mapping);
	model_request(model, mapping, first, last, 0);
	viommu_store_leave(&model->store, mapping);
	model->leaving[model->nr_leaving++] = mapping;
	return true;
}

/* As viommu_domain_free_left(); @forgotten: the domain has no endpoint. */
static bool model_free_left(struct model *model, bool forgotten)
{
	struct viommu_mapping *mapping, *want = NULL;
	unsigned int first, last;

	if (model->nr_leaving && model->leaving[0]->status != VIOMMU_MAPPING_PENDING)
		want = model->leaving[0];
	mapping = viommu_store_next_left(&model->store);
	ASSERT(mapping == want);
	if (!mapping)
		return false;
	memmove(&model->leaving[0], &model->leaving[1],
		--model->nr_leaving * sizeof(model->leaving[0]));
	model_slots(model, mapping, 0, &first, &last);
	if (mapping->status && !forgotten) {
		mapping = viommu_store_make_stale(&model->store, mapping);
		EXPECT(mapping->start <= model->address[first]);
		EXPECT(mapping->last >= model_last(model, last));
		model_set(model, first, last, SLOT_STALE, NULL);
		return true;
	}
	viommu_store_remove(&model->store, mapping);
	viommu_store_free(&model->store, mapping);
	model_set(model, first, last, SLOT_FREE, NULL);
	return true;
}

/* The domain's last endpoint left; as viommu_domain_gain() when the next one comes. */
static void model_forget(struct model *model)
{
	struct viommu_mapping *mapping;
	unsigned int i, first, last;

	model_answer_all(model, 4);
	for (i = 0; i < WINDOW; i++)
		model->slots[i].held = 0;
	while ((mapping = viommu_store_next_stale(&model->store))) {
		model_slots(model, mapping, 0, &first, &last);
		viommu_store_remove(&model->store, mapping);
		viommu_store_free(&model->store, mapping);
		model_set(model, first, last, SLOT_FREE, NULL);
	}
	while (model_free_left(model, true))
		;
	for (mapping = store_lowest(&model->store); mapping; mapping = viommu_mapping_next(mapping))
		if (!mapping->status)
			mapping->status = VIOMMU_MAPPING_UNSENT;
}

/* Some address in a slot. */
static u64 model_some(const struct model *model, unsigned int slot)
{
	return model->address[slot] + test_below(model->address[slot + 1] - model->address[slot]);
}

static void model_look(struct model *model, unsigned int first, unsigned int last)
{
	u64 start = model_some(model, first), end = model_some(model, last), phys = 77, want = 77;
	const struct viommu_mapping *mapping;
	const struct slot *slot;
	unsigned int i;
	bool good;

	if (start > end)
		end = start;
	mapping = viommu_store_first(&model->store, start, end);
	for (i = first; i <= last && model->slots[i].state == SLOT_FREE; i++)
		;
	if (i > last) {
		EXPECT(!mapping);
	} else {
		ASSERT(mapping && slot_matches(&model->slots[i], mapping));
		EXPECT(mapping->start <= model->address[i]);
		EXPECT(mapping->last >= model_last(model, i));
		EXPECT(i == first || mapping->start == model->address[i]);
	}

	slot = &model->slots[first];
	good = slot->state == SLOT_LIVE && slot->mapping->status >= 0;
	if (good)
		want = slot->mapping->phys + (start - slot->mapping->start);
	EXPECT_EQ(viommu_store_translate(&model->store, start, &phys), good);
	EXPECT_EQ(phys, want);
}

static void model_operation(struct model *model)
{
	unsigned int first = test_below(WINDOW), last = first, nr;

	last += test_below(test_below(4) ? 3 : 12);
	if (test_below(40) == 0)
		last = WINDOW - 1;
	last = min(last, (unsigned int)WINDOW - 1);
	nr = 1 + test_below(4);

	switch (test_below(16)) {
	case 0 ... 2:
		model_insert(model, first, last);
		break;
	case 3: /* as a scatterlist */
		for (; nr && first < WINDOW; nr--, first++)
			model_insert(model, first, first);
		break;
	case 4 ... 5:
		model_send_maps(model, first, last);
		break;
	case 6 ... 8:
		model_unmap(model, first, last);
		break;
	case 9:
		if (test_below(4))
			break;
		while (model_send_stale(model, 8) && --nr)
			;
		break;
	case 10 ... 12: /* in order or out of order */
		while (model->nr_requests && nr--)
			model_answer(model, test_below(2) ? 0 : test_below(model->nr_requests),
				     !test_below(4));
		break;
	case 13:
		while (model_free_left(model, false) && --nr)
			;
		break;
	case 14:
		if (test_below(50) == 0)
			model_forget(model);
		else if (test_below(4) == 0)
			model_collect_maps(model);
		break;
	default:
		model_look(model, first, last);
	}
	model_compare(model);
}

/* All is sent, and the device does as told: it holds what is live, and nothing else. */
static void model_settle(struct model *model)
{
	unsigned int i;

	model_answer_all(model, 4);
	model_collect_maps(model);
	while (model_free_left(model, false))
		;
	model_compare(model);
	model_send_maps(model, 0, WINDOW - 1);
	while (model_send_stale(model, 0))
		;
	model_answer_all(model, 0);
	model_compare(model);
	while (model_free_left(model, false))
		;
	/* Where too many were to be under way at a time, some were answered, not all well. */
	model_collect_maps(model);
	if (model_send_stale(model, 0))
		model_settle(model);
	model_compare(model);
	for (i = 0; i < WINDOW; i++) {
		const struct slot *slot = &model->slots[i];

		EXPECT(slot->state == SLOT_FREE || slot->state == SLOT_LIVE);
		EXPECT_EQ(slot->held, slot->state == SLOT_LIVE ? slot->serial : 0);
	}
}

/* Where a window is. */
enum place { AT_ZERO, AT_END, AT_BOTH, AT_2_32, AT_2_63, PLACES };

static void model_place(struct model *model, enum place place, const u64 *sizes)
{
	u64 below = 0, size = 0;
	unsigned int i;

	for (i = 0; i < WINDOW; i++) {
		below += i < WINDOW / 2 ? sizes[i] : 0;
		size += sizes[i];
	}
	model->address[0] = place == AT_END ? -size : place == AT_2_32 ? (1ULL << 32) - below :
			    place == AT_2_63 ? (1ULL << 63) - below : 0;
	for (i = 0; i < WINDOW; i++)
		model->address[i + 1] = model->address[i] + sizes[i];
	if (place != AT_BOTH)
		return;
	/* The slot in the middle is all that is between the two ends. */
	model->address[WINDOW] = 0;
	for (i = WINDOW; i > WINDOW / 2; i--)
		model->address[i - 1] = model->address[i] - sizes[i - 1];
}

/* @units: sizes of slots, of which each window has one or, mixed, all. */
static void random_operations(const u64 *units, unsigned int nr)
{
	unsigned long rounds = test_rounds(3000), round;
	struct model *model = malloc(sizeof(*model));
	unsigned int episode, i;
	u64 sizes[WINDOW];

	for (episode = 0; episode < 4 * PLACES; episode++) {
		memset(model, 0, sizeof(*model));
		store_begin(&model->store);
		for (i = 0; i < WINDOW; i++)
			sizes[i] = units[test_below(nr)];
		model_place(model, episode % PLACES, sizes);
		for (round = 0; round < rounds; round++) {
			model_operation(model);
			if (round % 16 == 0)
				store_check(&model->store);
		}
		/* The store is emptied in the state that it is in, or when all is over. */
		model_answer_all(model, 4);
		if (episode / PLACES % 2)
			model_settle(model);
		store_end(&model->store);
	}
	free(model);
}

/* All holes in the window are small ones. */
static void test_random_small(void)
{
	static const u64 byte = 1, page = 0x1000;

	random_operations(&byte, 1);
	random_operations(&page, 1);
}

/* Two slots are a hole that may be spanned, three are not. */
static void test_random_halves(void)
{
	static const u64 half = VIOMMU_STORE_HOLE / 2;

	random_operations(&half, 1);
}

/* Three slots miss a byte to the largest hole; or have some too many. */
static void test_random_thirds(void)
{
	static const u64 third = VIOMMU_STORE_HOLE / 3, more = VIOMMU_STORE_HOLE / 3 + 1;

	random_operations(&third, 1);
	random_operations(&more, 1);
}

static void test_random_mixed(void)
{
	static const u64 mixed[] = {
		1, 1, 0x1000, VIOMMU_STORE_HOLE / 2, VIOMMU_STORE_HOLE - 1, VIOMMU_STORE_HOLE,
		VIOMMU_STORE_HOLE + 1, 1ULL << 26,
	};

	random_operations(mixed, ARRAY_SIZE(mixed));
}

static const struct test_case cases[] = {
	{ "a new mapping is as asked for, and unsent", test_alloc },
	{ "statuses of a mapping are no errnos", test_statuses },
	{ "allocation failures", test_alloc_fails },
	{ "a mapping that overlaps another is refused", test_overlap },
	{ "a mapping where a stale one is must wait", test_busy },
	{ "the lowest mapping that overlaps a range", test_first },
	{ "translation, but not of what is stale or was refused", test_translate },
	{ "mappings at 0 and 2^64-1", test_edges },
	{ "a mapping at 0 after one at 2^64-1", test_edge_hint },
	{ "what becomes stale joins stale neighbours, but no others", test_make_stale },
	{ "what could not be unmapped is stale again", test_unmap_fails },
	{ "D26 D27 one UNMAP spans small holes", test_holes },
	{ "D26 D27 one UNMAP spans nothing live, and nothing that leaves", test_hole_in_use },
	{ "what is to be unmapped, newest first", test_next_stale_order },
	{ "mappings that have become part of another", test_absorbed },
	{ "what has left, oldest first, up to one that has not", test_next_left },
	{ "what could not be unmapped is known as that, whatever it joins", test_kept },
	{ "memory is kept and used again, within a bound", test_spares },
	{ "memory of mappings that have become part of another", test_spares_of_stale },
	{ "a store is emptied in any state", test_empty },
	{ "the hint is never out of date", test_hint },
	{ "the hint is right in trees of any shape", test_hint_shapes },
	{ "D25 D26 D27 random operations, small units", test_random_small },
	{ "D25 D26 D27 random operations, units of half a hole", test_random_halves },
	{ "D25 D26 D27 random operations, units of a third of a hole", test_random_thirds },
	{ "D25 D26 D27 random operations, mixed units", test_random_mixed },
};

TEST_SUITE(mapping, cases);
