// SPDX-License-Identifier: GPL-2.0
/*
 * The store of a domain's mappings.
 *
 * The device keeps the translations, the driver keeps this list of them: to
 * answer iova_to_phys, to keep an unmap from splitting a mapping, and to tell
 * the device again after it forgot (a domain ceases to exist there with
 * its last endpoint). One MAP is one mapping, never split or merged later,
 * because the device would not split it either. Mappings never overlap.
 *
 * What its owner has unmapped stays here as a stale mapping until the device has
 * confirmed that it is gone: nothing can be mapped there before. The UNMAP is sent
 * when somebody waits for it, and neighbours that have become stale by then share
 * one.
 *
 * A red-black tree by IOVA, which serves for ranges too, since none overlap
 * (Documentation/benchmarks.rst has the alternatives, measured). A mapping takes 56
 * bytes. The store knows no device and takes no lock: the domain's lock guards it.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "mapping.h"

static struct kmem_cache *viommu_mapping_cache;

/**
 * viommu_mapping_cache_create() - make ready to allocate mappings
 *
 * Context: Module initialisation, may sleep.
 * Return: 0 or -ENOMEM.
 */
int viommu_mapping_cache_create(void)
{
	BUILD_BUG_ON(sizeof(struct viommu_mapping) > 56);

	viommu_mapping_cache = kmem_cache_create("viommu_mapping", sizeof(struct viommu_mapping),
						 0, 0, NULL);
	return viommu_mapping_cache ? 0 : -ENOMEM;
}

/**
 * viommu_mapping_cache_destroy() - undo viommu_mapping_cache_create()
 *
 * Context: Module exit, may sleep. No mapping is left.
 */
void viommu_mapping_cache_destroy(void)
{
	kmem_cache_destroy(viommu_mapping_cache);
}

/**
 * viommu_mapping_alloc() - memory for a mapping
 * @gfp: how to allocate
 *
 * Context: As @gfp says.
 * Return: a mapping for viommu_mapping_init(), or NULL.
 */
struct viommu_mapping *viommu_mapping_alloc(gfp_t gfp)
{
	return kmem_cache_alloc(viommu_mapping_cache, gfp);
}

/**
 * viommu_store_free() - free a mapping
 * @store: the store, which may use its memory again
 * @mapping: a mapping that is not in it
 *
 * Context: Caller holds the store's lock.
 */
void viommu_store_free(struct viommu_store *store, struct viommu_mapping *mapping)
{
	if (store->nr_spares == VIOMMU_STORE_SPARES) {
		store->nr_spares -= VIOMMU_STORE_SPARES / 8;
		kmem_cache_free_bulk(viommu_mapping_cache, VIOMMU_STORE_SPARES / 8,
				     &store->spares[store->nr_spares]);
	}
	store->spares[store->nr_spares++] = mapping;
}

static struct viommu_mapping *viommu_mapping_of(struct rb_node *node)
{
	return rb_entry_safe(node, struct viommu_mapping, node);
}

/**
 * viommu_store_first() - lowest mapping that overlaps a range
 * @store: the store
 * @start: first IOVA
 * @last: last IOVA
 *
 * Context: Caller holds the store's lock.
 * Return: the mapping, stale or not, or NULL.
 */
struct viommu_mapping *viommu_store_first(struct viommu_store *store, u64 start, u64 last)
{
	struct viommu_mapping *mapping = store->hint, *first = NULL;
	struct rb_node *node = store->tree.rb_node;

	if (mapping && mapping->start <= start && start <= mapping->last)
		return mapping;
	while (node) {
		mapping = viommu_mapping_of(node);
		if (mapping->last < start) {
			node = node->rb_right;
		} else {
			first = mapping;
			if (mapping->start <= start)
				break;
			node = node->rb_left;
		}
	}
	if (!first || first->start > last)
		return NULL;
	store->hint = first;
	return first;
}

/**
 * viommu_store_insert() - add a mapping
 * @store: the store
 * @mapping: the mapping, the store's on success
 *
 * Context: Caller holds the store's lock.
 * Return: 0; -EEXIST where it would overlap another; -EBUSY where that is a stale one.
 */
int viommu_store_insert(struct viommu_store *store, struct viommu_mapping *mapping)
{
	struct rb_node **link = &store->tree.rb_node, *parent = NULL;
	struct viommu_mapping *hint = store->hint;

	/* A scatterlist's pages come one right after the other: no need to search. */
	if (hint && mapping->start && hint->last + 1 == mapping->start) {
		struct rb_node *next = rb_next(&hint->node);

		if (!next || mapping->last < viommu_mapping_of(next)->start) {
			if (next && hint->node.rb_right) {
				parent = next;
				link = &parent->rb_left;
			} else {
				parent = &hint->node;
				link = &parent->rb_right;
			}
		}
	}
	while (*link) {
		struct viommu_mapping *other = viommu_mapping_of(*link);

		parent = *link;
		if (mapping->last < other->start)
			link = &parent->rb_left;
		else if (mapping->start > other->last)
			link = &parent->rb_right;
		else
			return other->stale ? -EBUSY : -EEXIST;
	}
	rb_link_node(&mapping->node, parent, link);
	rb_insert_color(&mapping->node, &store->tree);
	store->hint = mapping;
	store->nr++;
	return 0;
}

/**
 * viommu_store_remove() - take a mapping out
 * @store: the store
 * @mapping: a mapping in its tree and none of its lists, the caller's afterwards
 *
 * Context: Caller holds the store's lock.
 */
void viommu_store_remove(struct viommu_store *store, struct viommu_mapping *mapping)
{
	rb_erase(&mapping->node, &store->tree);
	if (store->hint == mapping)
		store->hint = NULL;
	store->nr--;
}

/**
 * viommu_store_translate() - what an IOVA translates to
 * @store: the store
 * @iova: the IOVA
 * @phys: physical address, on success
 *
 * Context: Caller holds the store's lock.
 * Return: whether there is a mapping that is not stale and that the device was not
 * seen to refuse.
 */
bool viommu_store_translate(struct viommu_store *store, u64 iova, u64 *phys)
{
	struct viommu_mapping *mapping = viommu_store_first(store, iova, iova);

	if (!mapping || mapping->stale || mapping->status < 0)
		return false;
	*phys = mapping->phys + (iova - mapping->start);
	return true;
}

/* A stale mapping whose UNMAP was not sent: it may grow. */
static bool viommu_mapping_joins(const struct viommu_mapping *mapping)
{
	return mapping && mapping->stale && mapping->status == VIOMMU_MAPPING_UNSENT;
}

/* @other, which is in the list of stale ones, becomes part of @mapping. */
static void viommu_store_join(struct viommu_store *store, struct viommu_mapping *mapping,
			      struct viommu_mapping *other)
{
	viommu_store_remove(store, other);
	/* It stays in the list until the list is taken. */
	other->status = 0;
	mapping->kept |= other->kept;
	mapping->start = min(mapping->start, other->start);
	mapping->last = max(mapping->last, other->last);
}

/**
 * viommu_store_make_stale() - the owner of a mapping has unmapped it
 * @store: the store
 * @mapping: a mapping in it that the device may hold, with no request under way
 *
 * It becomes one with stale neighbours whose UNMAP was not sent. Also for a stale
 * mapping whose UNMAP has failed.
 *
 * Context: Caller holds the store's lock.
 * Return: the mapping that it has become or has become part of.
 */
struct viommu_mapping *viommu_store_make_stale(struct viommu_store *store,
					       struct viommu_mapping *mapping)
{
	struct viommu_mapping *before = viommu_mapping_of(rb_prev(&mapping->node));
	struct viommu_mapping *behind = viommu_mapping_next(mapping);

	if (!viommu_mapping_joins(before) || before->last + 1 != mapping->start)
		before = NULL;
	if (!viommu_mapping_joins(behind) || mapping->last + 1 != behind->start)
		behind = NULL;
	if (!before && !behind) {
		mapping->stale = true;
		mapping->status = VIOMMU_MAPPING_UNSENT;
		mapping->next = store->stale;
		store->stale = mapping;
		return mapping;
	}

	/* Its memory can be used again at once, that of one in the list cannot. */
	viommu_store_remove(store, mapping);
	if (before) {
		before->kept |= mapping->kept;
		before->last = mapping->last;
		if (behind)
			viommu_store_join(store, before, behind);
	} else {
		behind->kept |= mapping->kept;
		behind->start = mapping->start;
	}
	viommu_store_free(store, mapping);
	return before ?: behind;
}

/* Whether nothing but a small hole, or nothing, is between two mappings. */
static bool viommu_mapping_is_near(const struct viommu_mapping *before,
				   const struct viommu_mapping *behind)
{
	return behind->start - before->last - 1 <= VIOMMU_STORE_HOLE;
}

/**
 * viommu_store_next_stale() - what the next UNMAP is for
 * @store: the store
 *
 * Stale mappings that are near become part of it, together with the holes between
 * them: an UNMAP may span those. Nobody can map anything there before it is complete.
 *
 * Context: Caller holds the store's lock.
 * Return: a stale mapping, still in the tree, for viommu_store_leave(),
 * viommu_store_make_stale() or viommu_store_remove(); NULL where there is none.
 */
struct viommu_mapping *viommu_store_next_stale(struct viommu_store *store)
{
	struct viommu_mapping *mapping, *other;

	while ((mapping = store->stale)) {
		store->stale = mapping->next;
		if (mapping->status)
			break;
		/* It has become part of another. */
		viommu_store_free(store, mapping);
	}
	if (!mapping)
		return NULL;
	while (viommu_mapping_joins(other = viommu_mapping_of(rb_prev(&mapping->node))) &&
	       viommu_mapping_is_near(other, mapping))
		viommu_store_join(store, mapping, other);
	while (viommu_mapping_joins(other = viommu_mapping_next(mapping)) &&
	       viommu_mapping_is_near(mapping, other))
		viommu_store_join(store, mapping, other);
	return mapping;
}

/**
 * viommu_store_leave() - the UNMAP of a stale mapping was sent
 * @store: the store
 * @mapping: what viommu_store_next_stale() returned
 *
 * Context: Caller holds the store's lock.
 */
void viommu_store_leave(struct viommu_store *store, struct viommu_mapping *mapping)
{
	mapping->next = NULL;
	*store->leaving_end = mapping;
	store->leaving_end = &mapping->next;
}

/**
 * viommu_store_next_left() - whose UNMAP is complete
 * @store: the store
 *
 * Context: Caller holds the store's lock.
 * Return: a stale mapping, still in the tree, whose UNMAP is not under way any more,
 * for viommu_store_make_stale() or viommu_store_remove(); NULL where there is none.
 */
struct viommu_mapping *viommu_store_next_left(struct viommu_store *store)
{
	struct viommu_mapping *mapping = store->leaving;

	/* Pairs with the release when the queue writes the result. */
	if (!mapping || smp_load_acquire(&mapping->status) == VIOMMU_MAPPING_PENDING)
		return NULL;
	store->leaving = mapping->next;
	if (!store->leaving)
		store->leaving_end = &store->leaving;
	return mapping;
}

/**
 * viommu_store_empty() - free all mappings
 * @store: the store; no request is under way
 *
 * Context: Caller holds the store's lock, or nobody else knows the store.
 */
void viommu_store_empty(struct viommu_store *store)
{
	struct viommu_mapping *mapping;

	while ((mapping = viommu_store_next_stale(store)) ||
	       (mapping = viommu_store_next_left(store)) ||
	       (mapping = viommu_store_first(store, 0, U64_MAX))) {
		viommu_store_remove(store, mapping);
		viommu_store_free(store, mapping);
	}
	if (store->nr_spares)
		kmem_cache_free_bulk(viommu_mapping_cache, store->nr_spares, store->spares);
	store->nr_spares = 0;
}
