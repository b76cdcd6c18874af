/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The store of a domain's mappings: see mapping.c.
 */
#ifndef _VIOMMU_MAPPING_H
#define _VIOMMU_MAPPING_H

#include <linux/interval_tree.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/* A mapping's status, beside 0 (the device holds it) and errnos (refused). */
#define VIOMMU_MAPPING_PENDING	1	/* its MAP is under way */
#define VIOMMU_MAPPING_UNSENT	2	/* the device was never told */

/**
 * struct viommu_mapping - one MAP
 * @node: first and last IOVA, in the store's tree
 * @phys: physical address of the first IOVA
 * @status: 0, a VIOMMU_MAPPING_* or a negative errno; written under the
 *	domain's lock while no MAP is under way, by the queue while one is
 * @flags: VIRTIO_IOMMU_MAP_F_*
 * @replayed: its last MAP was sent by a replay, which looks after @status
 */
struct viommu_mapping {
	struct interval_tree_node node;
	u64 phys;
	int status;
	u16 flags;
	bool replayed;
};

/**
 * struct viommu_store - the mappings of a domain
 * @tree: interval tree of struct viommu_mapping
 * @nr: mappings in it
 */
struct viommu_store {
	struct rb_root_cached tree;
	unsigned long nr;
};

static inline void viommu_store_init(struct viommu_store *store)
{
	store->tree = RB_ROOT_CACHED;
	store->nr = 0;
}

struct viommu_mapping *viommu_mapping_alloc(u64 start, u64 last, u64 phys, u32 flags, gfp_t gfp);
void viommu_mapping_free(struct viommu_mapping *mapping);
int viommu_mapping_cache_create(void);
void viommu_mapping_cache_destroy(void);

int viommu_store_insert(struct viommu_store *store, struct viommu_mapping *mapping);
void viommu_store_remove(struct viommu_store *store, struct viommu_mapping *mapping);
struct viommu_mapping *viommu_store_first(struct viommu_store *store, u64 start, u64 last);
int viommu_store_whole(struct viommu_store *store, u64 start, u64 *last);
bool viommu_store_translate(struct viommu_store *store, u64 iova, u64 *phys);

#endif /* _VIOMMU_MAPPING_H */
