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
 * An interval tree, because lookups go by ranges. A mapping takes 64 bytes.
 * The store knows no device and takes no lock: the domain's lock guards it.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
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
	BUILD_BUG_ON(sizeof(struct viommu_mapping) > 64);

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
 * viommu_mapping_alloc() - a mapping that is in no store yet
 * @start: first IOVA
 * @last: last IOVA
 * @phys: physical address of @start
 * @flags: VIRTIO_IOMMU_MAP_F_*
 * @gfp: how to allocate
 *
 * Context: As @gfp says.
 * Return: the mapping, its status VIOMMU_MAPPING_UNSENT, or NULL.
 */
struct viommu_mapping *viommu_mapping_alloc(u64 start, u64 last, u64 phys, u32 flags, gfp_t gfp)
{
	struct viommu_mapping *mapping = kmem_cache_alloc(viommu_mapping_cache, gfp);

	if (!mapping)
		return NULL;
	mapping->node.start = start;
	mapping->node.last = last;
	mapping->phys = phys;
	mapping->flags = flags;
	mapping->replayed = false;
	mapping->status = VIOMMU_MAPPING_UNSENT;
	return mapping;
}

/**
 * viommu_mapping_free() - free a mapping that is in no store
 * @mapping: the mapping
 *
 * Context: Any.
 */
void viommu_mapping_free(struct viommu_mapping *mapping)
{
	kmem_cache_free(viommu_mapping_cache, mapping);
}

/**
 * viommu_store_first() - lowest mapping that overlaps a range
 * @store: the store
 * @start: first IOVA
 * @last: last IOVA
 *
 * Context: Caller holds the store's lock.
 * Return: the mapping, or NULL.
 */
struct viommu_mapping *viommu_store_first(struct viommu_store *store, u64 start, u64 last)
{
	struct interval_tree_node *node = interval_tree_iter_first(&store->tree, start, last);

	return node ? container_of(node, struct viommu_mapping, node) : NULL;
}

/**
 * viommu_store_insert() - add a mapping
 * @store: the store
 * @mapping: the mapping, the store's on success
 *
 * Context: Caller holds the store's lock.
 * Return: 0, or -EEXIST where it would overlap another.
 */
int viommu_store_insert(struct viommu_store *store, struct viommu_mapping *mapping)
{
	if (viommu_store_first(store, mapping->node.start, mapping->node.last))
		return -EEXIST;
	interval_tree_insert(&mapping->node, &store->tree);
	store->nr++;
	return 0;
}

/**
 * viommu_store_remove() - take a mapping out
 * @store: the store
 * @mapping: a mapping in it, the caller's afterwards
 *
 * Context: Caller holds the store's lock.
 */
void viommu_store_remove(struct viommu_store *store, struct viommu_mapping *mapping)
{
	interval_tree_remove(&mapping->node, &store->tree);
	store->nr--;
}

/**
 * viommu_store_whole() - make a range one of whole mappings
 * @store: the store
 * @start: first IOVA
 * @last: last IOVA; moved to the end of the mapping that it lies in
 *
 * No mapping can be split. Callers of the IOMMU API know this from superpages:
 * who unmaps the first page of one gets all of it unmapped, and is told so.
 *
 * Context: Caller holds the store's lock.
 * Return: 0, or -EINVAL where @start lies in a mapping and is not its first IOVA.
 */
int viommu_store_whole(struct viommu_store *store, u64 start, u64 *last)
{
	struct viommu_mapping *mapping = viommu_store_first(store, start, start);

	if (mapping && mapping->node.start < start)
		return -EINVAL;
	mapping = viommu_store_first(store, *last, *last);
	if (mapping)
		*last = mapping->node.last;
	return 0;
}

/**
 * viommu_store_translate() - what an IOVA translates to
 * @store: the store
 * @iova: the IOVA
 * @phys: physical address, on success
 *
 * Context: Caller holds the store's lock.
 * Return: whether there is a mapping that the device was not seen to refuse.
 */
bool viommu_store_translate(struct viommu_store *store, u64 iova, u64 *phys)
{
	struct viommu_mapping *mapping = viommu_store_first(store, iova, iova);

	if (!mapping || mapping->status < 0)
		return false;
	*phys = mapping->phys + (iova - mapping->node.start);
	return true;
}
