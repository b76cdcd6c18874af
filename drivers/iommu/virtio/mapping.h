/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The store of a domain's mappings: see mapping.c.
 */
#ifndef _VIOMMU_MAPPING_H
#define _VIOMMU_MAPPING_H

#include <linux/rbtree.h>
#include <linux/types.h>

/* A mapping's status, beside 0 (the device did as told) and errnos (it refused). */
#define VIOMMU_MAPPING_PENDING	1	/* a request is under way */
#define VIOMMU_MAPPING_UNSENT	2	/* the device was not told */

/**
 * struct viommu_mapping - one MAP, or, once stale, one UNMAP
 * @node: in the store's tree
 * @start: first IOVA
 * @last: last IOVA
 * @phys: physical address of the first IOVA
 * @next: in one of the store's lists, in the place of @phys once it is stale
 * @status: of its MAP, or of its UNMAP once it is stale: 0, a VIOMMU_MAPPING_* or a
 *	negative errno; written under the domain's lock while no request is under
 *	way, by the queue while one is
 * @flags: VIRTIO_IOMMU_MAP_F_*
 * @replayed: its last MAP was sent by a replay, which looks after @status
 * @unclear: a MAP of it had no clear answer: the device may hold it, whatever @status says
 * @stale: its owner has unmapped it, and the device may still hold it
 * @kept: an UNMAP of it, stale as it is, or of a part has failed before
 * @identity: the driver's own, for an identity region: nobody else unmaps it
 */
struct viommu_mapping {
	struct rb_node node;
	u64 start;
	u64 last;
	union {
		u64 phys;
		struct viommu_mapping *next;
	};
	int status;
	u16 flags;
	bool replayed:1;
	bool unclear:1;
	bool stale:1;
	bool kept:1;
	bool identity:1;
};

/* One UNMAP spans holes of up to so many bytes. */
#define VIOMMU_STORE_HOLE	(1024 * 1024)

/* Memory for mappings that a store keeps. */
#define VIOMMU_STORE_SPARES	256

/**
 * struct viommu_store - the mappings of a domain
 * @tree: struct viommu_mapping, by their IOVAs
 * @nr: mappings in it
 * @stale: stale mappings whose UNMAP is to be sent, newest first, and some whose range
 *	has become another's
 * @leaving: stale mappings whose UNMAP was sent, oldest first
 * @leaving_end: where the next one is added
 * @hint: the mapping that was added or looked up last, or NULL: often the next one too
 * @spares: memory for mappings to come
 * @nr_spares: how many of @spares there are
 */
struct viommu_store {
	struct rb_root tree;
	unsigned long nr;
	struct viommu_mapping *stale;
	struct viommu_mapping *leaving;
	struct viommu_mapping **leaving_end;
	struct viommu_mapping *hint;
	void *spares[VIOMMU_STORE_SPARES];
	unsigned int nr_spares;
};

static inline void viommu_store_init(struct viommu_store *store)
{
	store->tree = RB_ROOT;
	store->nr = 0;
	store->stale = NULL;
	store->leaving = NULL;
	store->leaving_end = &store->leaving;
	store->hint = NULL;
	store->nr_spares = 0;
}

/* The next mapping in the order of IOVAs, or NULL. */
static inline struct viommu_mapping *viommu_mapping_next(const struct viommu_mapping *mapping)
{
	return rb_entry_safe(rb_next(&mapping->node), struct viommu_mapping, node);
}

/* Whether it is there for the owner of the domain to unmap. */
static inline bool viommu_mapping_is_owned(const struct viommu_mapping *mapping)
{
	return !mapping->stale && !mapping->identity;
}

/**
 * viommu_mapping_init() - a mapping that is in no store yet
 * @mapping: memory for it
 * @start: first IOVA
 * @last: last IOVA
 * @phys: physical address of @start
 * @flags: VIRTIO_IOMMU_MAP_F_*
 *
 * Its status is VIOMMU_MAPPING_UNSENT.
 *
 * Context: Any.
 */
static inline void viommu_mapping_init(struct viommu_mapping *mapping, u64 start, u64 last,
				       u64 phys, u32 flags)
{
	mapping->start = start;
	mapping->last = last;
	mapping->phys = phys;
	mapping->flags = flags;
	mapping->replayed = false;
	mapping->unclear = false;
	mapping->stale = false;
	mapping->kept = false;
	mapping->identity = false;
	mapping->status = VIOMMU_MAPPING_UNSENT;
}

/**
 * viommu_store_spare() - memory for a mapping out of the store's own
 * @store: the store
 *
 * Context: Caller holds the store's lock.
 * Return: a mapping for viommu_mapping_init(), or NULL.
 */
static inline struct viommu_mapping *viommu_store_spare(struct viommu_store *store)
{
	return store->nr_spares ? store->spares[--store->nr_spares] : NULL;
}

struct viommu_mapping *viommu_mapping_alloc(gfp_t gfp);
int viommu_mapping_cache_create(void);
void viommu_mapping_cache_destroy(void);

int viommu_store_insert(struct viommu_store *store, struct viommu_mapping *mapping);
void viommu_store_remove(struct viommu_store *store, struct viommu_mapping *mapping);
void viommu_store_free(struct viommu_store *store, struct viommu_mapping *mapping);
void viommu_store_empty(struct viommu_store *store);
struct viommu_mapping *viommu_store_first(struct viommu_store *store, u64 start, u64 last);
bool viommu_store_translate(struct viommu_store *store, u64 iova, u64 *phys);

struct viommu_mapping *viommu_store_make_stale(struct viommu_store *store,
					       struct viommu_mapping *mapping);
struct viommu_mapping *viommu_store_next_stale(struct viommu_store *store);
void viommu_store_leave(struct viommu_store *store, struct viommu_mapping *mapping);
struct viommu_mapping *viommu_store_next_left(struct viommu_store *store);

#endif /* _VIOMMU_MAPPING_H */
