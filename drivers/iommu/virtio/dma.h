/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DMA operations of the driver's own, in the place of the kernel's, for devices that are
 * to cost fewer exits: see dma_mode.c for who has them and dma_map.c for what they do.
 */
#ifndef _VIOMMU_DMA_H
#define _VIOMMU_DMA_H

#include <linux/dma-direction.h>
#include <linux/dma-map-ops.h>
#include <linux/iova.h>
#include <linux/xarray.h>

#include "viommu.h"

/* For each of which a mode has memory of its own: DMA_BIDIRECTIONAL and what follows. */
#define VIOMMU_DIRECTIONS	3

/* Ranges of IOVAs that wait for a flush, at most. A power of two. */
#define VIOMMU_SPACE_LAZY	256

struct viommu_kept {
	u64 start;
	u64 last;
};

/**
 * struct viommu_space - the IOVAs of a domain whose devices have our operations
 * @domain: the domain, whose default domain it is for its group
 * @users: devices that have our operations; guarded by viommu_dma_lock
 * @iovad: which IOVAs are in use
 * @limit: the last IOVA
 * @kept: IOVAs that are not for buffers
 * @nr_kept: how many ranges those are
 * @lock: guards the ring and @done
 * @ring: IOVAs that wait for a flush, the oldest at @head modulo its size
 * @head: the oldest
 * @tail: where the next one goes
 * @started: flushes begun so far
 * @done: what was put into the ring before flush number @done began is free
 * @flusher: flushes 10 ms after the first one was put there
 */
struct viommu_space {
	struct viommu_domain *domain;
	unsigned int users;
	struct iova_domain iovad;
	dma_addr_t limit;
	struct viommu_kept *kept;
	unsigned int nr_kept;
	spinlock_t lock; /* guards the ring and done */
	struct {
		unsigned long pfn;
		unsigned long nr;
		u64 started;
	} ring[VIOMMU_SPACE_LAZY];
	unsigned int head;
	unsigned int tail;
	u64 started;
	u64 done;
	struct delayed_work flusher;
};

struct viommu_space *viommu_space_alloc(struct viommu_domain *domain, struct device *dev);
int viommu_space_admit(struct viommu_space *space, struct device *dev);
unsigned int viommu_space_free(struct viommu_space *space);
dma_addr_t viommu_space_take(struct viommu_space *space, size_t size, u64 mask);
void viommu_space_give(struct viommu_space *space, dma_addr_t iova, size_t size);
int viommu_space_add(struct viommu_space *space, dma_addr_t iova, phys_addr_t phys, size_t size,
		     int prot, gfp_t gfp);
int viommu_space_sync(struct viommu_space *space, dma_addr_t iova, size_t size);
void viommu_space_undo(struct viommu_space *space, dma_addr_t iova, size_t size, size_t added,
		       int ret);
dma_addr_t viommu_space_map(struct viommu_space *space, phys_addr_t phys, size_t size, int prot,
			    u64 mask, gfp_t gfp);
void viommu_space_remove(struct viommu_space *space, dma_addr_t iova, size_t size);
void viommu_space_unmap(struct viommu_space *space, dma_addr_t addr, size_t size);
void viommu_space_unmap_now(struct viommu_space *space, dma_addr_t addr, size_t size);

struct viommu_pool;
struct viommu_warm;

/**
 * struct viommu_dma - a device with our operations
 * @dev: the device
 * @space: IOVAs of its group's domain
 * @mode: how its DMA is mapped
 * @pool: memory to copy through, in the mode bounce
 * @warm: what is mapped, in the mode reuse
 * @before: what it had before
 */
struct viommu_dma {
	struct device *dev;
	struct viommu_space *space;
	enum viommu_dma_mode mode;
	struct viommu_pool *pool;
	struct viommu_warm *warm;
	const struct dma_map_ops *before;
};

struct viommu_pool *viommu_pool_alloc(struct device *dev, struct viommu_space *space);
unsigned int viommu_pool_free(struct viommu_pool *pool);
dma_addr_t viommu_pool_map(struct viommu_pool *pool, phys_addr_t phys, size_t size,
			   enum dma_data_direction dir);
bool viommu_pool_unmap(struct viommu_pool *pool, dma_addr_t addr, enum dma_data_direction dir,
		       unsigned long attrs);
bool viommu_pool_sync(struct viommu_pool *pool, dma_addr_t addr, size_t size, bool for_device);
size_t viommu_pool_max(const struct viommu_pool *pool);

struct viommu_warm *viommu_warm_alloc(struct device *dev, struct viommu_space *space);
unsigned int viommu_warm_free(struct viommu_warm *warm);
dma_addr_t viommu_warm_map(struct viommu_warm *warm, phys_addr_t phys, size_t size,
			   enum dma_data_direction dir);
bool viommu_warm_unmap(struct viommu_warm *warm, dma_addr_t addr);

int viommu_dma_prot(enum dma_data_direction dir);
u64 viommu_dma_mask(struct device *dev);
dma_addr_t viommu_dma_map(struct device *dev, phys_addr_t phys, size_t size,
			  enum dma_data_direction dir, unsigned long attrs);
dma_addr_t viommu_dma_map_mmio(struct device *dev, phys_addr_t phys, size_t size,
			       enum dma_data_direction dir, unsigned long attrs);
void viommu_dma_unmap(struct device *dev, dma_addr_t addr, size_t size,
		      enum dma_data_direction dir, unsigned long attrs);
int viommu_dma_map_sg(struct device *dev, struct scatterlist *sg, int nents,
		      enum dma_data_direction dir, unsigned long attrs);
void viommu_dma_unmap_sg(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir, unsigned long attrs);
void viommu_dma_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir);
void viommu_dma_sync_for_device(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir);
void viommu_dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
				enum dma_data_direction dir);
void viommu_dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
				   enum dma_data_direction dir);
size_t viommu_dma_max_mapping_size(struct device *dev);
size_t viommu_dma_opt_mapping_size(void);

void *viommu_dma_alloc(struct device *dev, size_t size, dma_addr_t *addr, gfp_t gfp,
		       unsigned long attrs);
void viommu_dma_free(struct device *dev, size_t size, void *vaddr, dma_addr_t addr,
		     unsigned long attrs);
struct page *viommu_dma_alloc_pages(struct device *dev, size_t size, dma_addr_t *addr,
				    enum dma_data_direction dir, gfp_t gfp);
void viommu_dma_free_pages(struct device *dev, size_t size, struct page *page, dma_addr_t addr,
			   enum dma_data_direction dir);
int viommu_dma_mmap(struct device *dev, struct vm_area_struct *vma, void *vaddr,
		    dma_addr_t addr, size_t size, unsigned long attrs);
int viommu_dma_get_sgtable(struct device *dev, struct sg_table *table, void *vaddr,
			   dma_addr_t addr, size_t size, unsigned long attrs);

/* What dma_ops.c offers, or the seam file of compat/ in its place. */
extern const struct dma_map_ops viommu_dma_ops;
extern const bool viommu_dma_possible;
int viommu_dma_ops_set(struct device *dev, const struct dma_map_ops **before);
void viommu_dma_ops_restore(struct device *dev, const struct dma_map_ops *before);

#endif /* _VIOMMU_DMA_H */
