// SPDX-License-Identifier: GPL-2.0
/*
 * Map, unmap, and the syncs that put them into effect.
 *
 * They come from any context, each for its own range of IOVAs. Map and unmap change
 * the store alone, under the domain's spinlock: a new mapping is not sent yet, an old one
 * becomes stale. The core then syncs, for a whole scatterlist at once: that adds the
 * MAPs, or the UNMAPs, as few as the ranges allow, kicks the device and waits. In
 * lazy mode the core's flush queue syncs now and then for all that was unmapped
 * meanwhile. While a domain has no endpoints the device does not know it, and nothing
 * is sent.
 *
 * A MAP that the device refuses is taken out of the store again; where its answer is not
 * clear, with an UNMAP. What it refuses to
 * unmap stays there, stale, so that nothing is mapped over it, and is tried again with
 * the next sync.
 *
 * Specification: "MAP request", "UNMAP request".
 */
#include "trace.h"
#include "viommu.h"

/* Mappings handled in one go with the domain's lock held. */
#define VIOMMU_PAGING_CHUNK	32

static u32 viommu_domain_map_flags(int prot)
{
	u32 flags = 0;

	if (prot & IOMMU_READ)
		flags |= VIRTIO_IOMMU_MAP_F_READ;
	if (prot & IOMMU_WRITE)
		flags |= VIRTIO_IOMMU_MAP_F_WRITE;
	if (prot & IOMMU_MMIO)
		flags |= VIRTIO_IOMMU_MAP_F_MMIO;
	return flags;
}

static bool viommu_domain_in_range(const struct viommu_domain *domain, u64 start, u64 last)
{
	return !domain->viommu || (start >= domain->viommu->limits.input_start &&
				   last <= domain->viommu->limits.input_last);
}

/* It was not unmapped; but the device forgets a domain without endpoints. */
static void viommu_domain_keep_stale(struct viommu_domain *domain,
				     struct viommu_mapping *mapping)
{
	lockdep_assert_held(&domain->lock);
	if (domain->nr_endpoints) {
		viommu_store_make_stale(&domain->store, mapping);
		return;
	}
	viommu_store_remove(&domain->store, mapping);
	viommu_store_free(&domain->store, mapping);
}

/*
 * Add requests for mappings between two IOVAs to the queue, with both locks held.
 * Return: -EAGAIN where the queue is full; 1 where there may be more to do, with @start
 * where to go on; 0 where there is not; or why one could not be added.
 */
typedef int viommu_send_fn(struct viommu_domain *domain, struct viommu_queue *queue, u64 *start,
			   u64 last);

/* All of them, and kick the device. Return: 0, or why one could not be added. */
static int viommu_domain_send(struct viommu_domain *domain, viommu_send_fn *some, u64 start,
			      u64 last)
{
	struct viommu_queue *queue = &domain->viommu->queue;
	unsigned long flags;
	bool kick;
	int ret;

	do {
		spin_lock_irqsave(&domain->lock, flags);
		spin_lock(&queue->lock);
		ret = some(domain, queue, &start, last);
		kick = !ret && viommu_queue_commit(queue);
		spin_unlock(&queue->lock);
		spin_unlock(&domain->lock);
		if (kick)
			virtqueue_notify(queue->vq);
		local_irq_restore(flags);
		if (ret == -EAGAIN)
			viommu_queue_make_room(queue);
	} while (ret == 1 || ret == -EAGAIN);
	return ret;
}

/* UNMAPs of stale mappings, wherever they are. */
static int viommu_domain_send_stale(struct viommu_domain *domain, struct viommu_queue *queue,
				    u64 *start, u64 last)
{
	struct viommu_mapping *mapping;
	struct viommu_wire *wire;
	int i, ret;

	for (i = 0; i < VIOMMU_PAGING_CHUNK; i++) {
		mapping = viommu_store_next_stale(&domain->store);
		if (!mapping)
			return 0;
		if (!domain->nr_endpoints) {
			viommu_domain_keep_stale(domain, mapping);
			continue;
		}
		wire = viommu_queue_slot(queue);
		ret = PTR_ERR_OR_ZERO(wire);
		if (!ret) {
			mapping->status = VIOMMU_MAPPING_PENDING;
			viommu_wire_unmap(wire, domain->id, mapping->start, mapping->last);
			ret = viommu_queue_add(queue, &domain->batch, &mapping->status);
		}
		if (ret) {
			viommu_store_make_stale(&domain->store, mapping);
			return ret;
		}
		viommu_store_leave(&domain->store, mapping);
	}
	return 1;
}

/* Free what the device has confirmed to be gone. Return: 1 where there may be more. */
static int viommu_domain_free_left(struct viommu_domain *domain)
{
	struct viommu_mapping *mapping;
	int i;

	lockdep_assert_held(&domain->lock);
	for (i = 0; i < VIOMMU_PAGING_CHUNK; i++) {
		mapping = viommu_store_next_left(&domain->store);
		if (!mapping)
			return 0;
		if (unlikely(mapping->status)) {
			atomic_dec(&domain->batch.failed);
			mapping->kept = true;
			viommu_domain_keep_stale(domain, mapping);
			continue;
		}
		viommu_store_remove(&domain->store, mapping);
		viommu_store_free(&domain->store, mapping);
	}
	return 1;
}

/**
 * viommu_domain_drain() - have the device forget what was unmapped, and wait for it
 * @domain: a finalised domain
 *
 * What the device refuses to unmap, or cannot be told to, stays stale.
 *
 * Context: Any. Polls, for at most timeout_ms.
 */
void viommu_domain_drain(struct viommu_domain *domain)
{
	unsigned long flags;
	int ret;

	ret = viommu_domain_send(domain, viommu_domain_send_stale, 0, U64_MAX);
	/* -EIO is a dead device, of which everybody knows. */
	if (unlikely(ret == -ENOMEM))
		dev_err_ratelimited(&domain->viommu->vdev->dev,
				    "UNMAPs in domain %u not sent yet: %pe\n", domain->id,
				    ERR_PTR(ret));

	viommu_queue_wait(&domain->viommu->queue, &domain->batch);
	do {
		spin_lock_irqsave(&domain->lock, flags);
		ret = viommu_domain_free_left(domain);
		spin_unlock_irqrestore(&domain->lock, flags);
	} while (ret);
}

static int viommu_domain_insert_locked(struct viommu_domain *domain,
				       struct viommu_mapping *mapping)
{
	lockdep_assert_held(&domain->lock);
	if (unlikely(viommu_domain_reserves(domain, mapping->start, mapping->last,
					    mapping->phys, mapping->flags)))
		return -EADDRNOTAVAIL;
	return viommu_store_insert(&domain->store, mapping);
}

static int viommu_domain_insert(struct viommu_domain *domain, u64 start, u64 last,
				phys_addr_t phys, u32 map_flags, gfp_t gfp)
{
	struct viommu_mapping *mapping;
	unsigned long flags;
	int ret, tries = 2;

	spin_lock_irqsave(&domain->lock, flags);
	mapping = viommu_store_spare(&domain->store);
	if (!mapping) {
		spin_unlock_irqrestore(&domain->lock, flags);
		mapping = viommu_mapping_alloc(gfp);
		if (!mapping)
			return -ENOMEM;
		spin_lock_irqsave(&domain->lock, flags);
	}
	viommu_mapping_init(mapping, start, last, phys, map_flags);
	while ((ret = viommu_domain_insert_locked(domain, mapping)) == -EBUSY && --tries) {
		spin_unlock_irqrestore(&domain->lock, flags);
		viommu_domain_drain(domain);
		spin_lock_irqsave(&domain->lock, flags);
	}
	if (ret)
		viommu_store_free(&domain->store, mapping);
	spin_unlock_irqrestore(&domain->lock, flags);
	return ret;
}

/**
 * viommu_domain_map_pages() - add a mapping
 * @iommu_domain: the domain
 * @iova: first IOVA, aligned to the granule
 * @phys: physical address
 * @pgsize: bytes of a page, a multiple of the granule
 * @pgcount: pages, at least one
 * @prot: IOMMU_*
 * @gfp: how to allocate
 * @mapped: bytes mapped, added to on success
 *
 * The device is told with viommu_domain_sync_map().
 *
 * Context: Any, as @gfp says. Polls where an earlier mapping is still to be unmapped.
 * Return: 0; -EINVAL without access rights; -ERANGE outside of the input range;
 * -EADDRNOTAVAIL where an endpoint of the domain has a reserved region; -EEXIST where
 * there is a mapping already; -EBUSY where there was one that the device refuses to
 * unmap; -EIO where an endpoint could not be attached; -ENOMEM.
 */
int viommu_domain_map_pages(struct iommu_domain *iommu_domain, unsigned long iova,
			    phys_addr_t phys, size_t pgsize, size_t pgcount, int prot, gfp_t gfp,
			    size_t *mapped)
{
	struct viommu_domain *domain = to_viommu_domain(iommu_domain);
	u32 flags = viommu_domain_map_flags(prot);
	u64 last = iova + pgsize * pgcount - 1;
	int ret;

	if (!(flags & (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)))
		ret = -EINVAL;
	else if (!viommu_domain_in_range(domain, iova, last))
		ret = -ERANGE;
	else if (unlikely(READ_ONCE(domain->nr_lost)))
		ret = -EIO;
	else
		ret = viommu_domain_insert(domain, iova, last, phys, flags, gfp);
	trace_viommu_map(domain, iova, last, phys, flags, ret);
	if (!ret)
		*mapped += pgsize * pgcount;
	return ret;
}

/**
 * viommu_mapping_send() - add the MAP of a mapping to the queue
 * @domain: the domain
 * @mapping: one of its mappings, which the device was not told of
 * @queue: the queue
 *
 * The MMIO flag, which not every device knows, is dropped for one that does not (D23):
 * the mapping works without.
 *
 * Context: domain->lock and queue->lock held.
 * Return: 0; -EAGAIN where the queue is full; as viommu_queue_add().
 */
int viommu_mapping_send(struct viommu_domain *domain, struct viommu_mapping *mapping,
			struct viommu_queue *queue)
{
	struct viommu_wire *wire = viommu_queue_slot(queue);
	u32 flags = mapping->flags;
	int ret;

	if (IS_ERR(wire))
		return PTR_ERR(wire);
	if (!domain->viommu->has_mmio)
		flags &= ~VIRTIO_IOMMU_MAP_F_MMIO;
	viommu_wire_map(wire, domain->id, mapping->start, mapping->last, mapping->phys, flags);
	mapping->status = VIOMMU_MAPPING_PENDING;
	ret = viommu_queue_add(queue, &domain->batch, &mapping->status);
	if (ret)
		mapping->status = VIOMMU_MAPPING_UNSENT;
	return ret;
}

/* MAPs of those that the device was not told of. */
static int viommu_domain_send_maps(struct viommu_domain *domain, struct viommu_queue *queue,
				   u64 *start, u64 last)
{
	struct viommu_mapping *mapping;
	int i, ret;

	if (!domain->nr_endpoints)
		return 0;
	mapping = viommu_store_first(&domain->store, *start, last);
	for (i = 0; i < VIOMMU_PAGING_CHUNK; i++) {
		if (!mapping || mapping->start > last)
			return 0;
		*start = mapping->start;
		if (!mapping->stale && mapping->status == VIOMMU_MAPPING_UNSENT) {
			ret = viommu_mapping_send(domain, mapping, queue);
			if (ret)
				return ret;
		}
		if (mapping->last >= last)
			return 0;
		mapping = viommu_mapping_next(mapping);
	}
	return 1;
}

/* -EIO is what no clear answer to a MAP becomes: the device may have made it all the same. */
static bool viommu_mapping_may_be_held(const struct viommu_mapping *mapping, int status)
{
	return !status || status == -EIO || mapping->unclear;
}

/* A mapping could not be made. The device is told to unmap it if there may be need. */
static void viommu_domain_give_up(struct viommu_domain *domain, struct viommu_mapping *mapping)
{
	if (viommu_mapping_may_be_held(mapping, mapping->status) &&
	    !READ_ONCE(domain->viommu->queue.dead)) {
		viommu_domain_keep_stale(domain, mapping);
		return;
	}
	viommu_store_remove(&domain->store, mapping);
	viommu_store_free(&domain->store, mapping);
}

/*
 * Take the first mapping of a range that the device refused out of the store, or, if
 * @unsent says why, that it was not told of. Return: its errno, or 0 where there is none.
 * @start: where to go on.
 */
static int viommu_domain_collect_one(struct viommu_domain *domain, u64 *start, u64 last,
				     int unsent)
{
	struct viommu_mapping *mapping;
	int status;

	lockdep_assert_held(&domain->lock);
	while ((mapping = viommu_store_first(&domain->store, *start, last))) {
		status = mapping->stale ? 0 : mapping->status;
		*start = mapping->last;
		if (status < 0)
			atomic_dec(&domain->batch.failed);
		else if (status == VIOMMU_MAPPING_UNSENT)
			status = unsent;
		if (status < 0) {
			viommu_domain_give_up(domain, mapping);
			return status;
		}
		if (*start >= last)
			break;
		++*start;
	}
	return 0;
}

/* All of them. Return: the first errno. */
static int viommu_domain_collect(struct viommu_domain *domain, u64 start, u64 last, int unsent)
{
	unsigned long flags;
	int status, ret = 0;

	do {
		spin_lock_irqsave(&domain->lock, flags);
		status = viommu_domain_collect_one(domain, &start, last, unsent);
		spin_unlock_irqrestore(&domain->lock, flags);
		ret = ret ?: status;
	} while (status);
	return ret;
}

/* Whether no MAP was refused, one of a replay, which has looked after it since, included. */
static bool viommu_domain_all_held(struct viommu_domain *domain, unsigned int taken_back)
{
	if (atomic_read(&domain->batch.failed))
		return false;
	/* Pairs with the barrier in viommu_mapping_collect(). */
	smp_rmb();
	return READ_ONCE(domain->nr_taken_back) == taken_back;
}

/**
 * viommu_domain_sync_map() - put mappings into effect
 * @iommu_domain: the domain
 * @iova: first IOVA
 * @size: bytes
 *
 * Adds the requests, kicks the device and waits. After an error those of the range's
 * mappings that the device refused, or could not be told of, are gone, so that the
 * driver remembers what the device holds.
 *
 * Context: Any. Polls, for at most timeout_ms.
 * Return: 0, or the first errno among the range's mappings; -EIO where the device is
 * dead.
 */
int viommu_domain_sync_map(struct iommu_domain *iommu_domain, unsigned long iova, size_t size)
{
	struct viommu_domain *domain = to_viommu_domain(iommu_domain);
	u64 last = iova + size - 1;
	unsigned int taken_back;
	int ret, status;

	if (!domain->viommu)
		return 0;
	do {
		taken_back = READ_ONCE(domain->nr_taken_back);
		ret = viommu_domain_send(domain, viommu_domain_send_maps, iova, last);
		viommu_queue_wait(&domain->viommu->queue, &domain->batch);
		if (likely(!ret && viommu_domain_all_held(domain, taken_back)))
			return 0;
		status = viommu_domain_collect(domain, iova, last, ret);
	} while (!ret && !status && taken_back != READ_ONCE(domain->nr_taken_back));
	viommu_domain_drain(domain);
	return status ?: ret;
}

/*
 * Unmap some of the mappings of a range, and move its @last to the end of the mapping that
 * it lies in. Return: 1 where there may be more, with @start where to go on; -EBUSY where
 * a MAP is still under way; 0 at the end.
 */
static int viommu_domain_let_go(struct viommu_domain *domain, struct viommu_mapping *mapping,
				u64 *start, u64 *last)
{
	struct viommu_mapping *next;
	int i, status;
	bool more;

	lockdep_assert_held(&domain->lock);
	for (i = 0; i < VIOMMU_PAGING_CHUNK; i++, mapping = next) {
		if (!mapping || mapping->start > *last)
			return 0;
		*start = mapping->start;
		if (!viommu_mapping_is_owned(mapping)) {
			next = viommu_mapping_next(mapping);
			continue;
		}
		/* Pairs with the release when the queue writes the result. */
		status = smp_load_acquire(&mapping->status);
		if (status == VIOMMU_MAPPING_PENDING)
			return -EBUSY;
		more = mapping->last < *last;
		*last = max(*last, mapping->last);
		if (status < 0)
			atomic_dec(&domain->batch.failed);
		if (viommu_mapping_may_be_held(mapping, status) && domain->nr_endpoints) {
			mapping = viommu_store_make_stale(&domain->store, mapping);
			next = more ? viommu_mapping_next(mapping) : NULL;
		} else {
			next = more ? viommu_mapping_next(mapping) : NULL;
			viommu_store_remove(&domain->store, mapping);
			viommu_store_free(&domain->store, mapping);
		}
	}
	if (!mapping)
		return 0;
	*start = mapping->start;
	return 1;
}

/**
 * viommu_domain_unmap_pages() - remove all mappings of a range
 * @iommu_domain: the domain
 * @iova: first IOVA
 * @pgsize: bytes of a page
 * @pgcount: pages, at least one
 * @gather: not used: the domain gathers
 *
 * The device is told with the next viommu_domain_sync() or viommu_domain_flush(). A
 * range that starts within a mapping is refused before anything changes; one that
 * ends within a mapping takes all of it; holes do not matter. The driver's own mappings
 * of identity regions stay.
 *
 * Context: Any. Polls where a MAP of the range is under way.
 * Return: bytes of the range that was unmapped, or 0 where nothing was.
 */
size_t viommu_domain_unmap_pages(struct iommu_domain *iommu_domain, unsigned long iova,
				 size_t pgsize, size_t pgcount, struct iommu_iotlb_gather *gather)
{
	struct viommu_domain *domain = to_viommu_domain(iommu_domain);
	u64 start = iova, last = iova + pgsize * pgcount - 1;
	struct viommu_mapping *mapping;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&domain->lock, flags);
	mapping = viommu_store_first(&domain->store, start, last);
	while (mapping && !viommu_mapping_is_owned(mapping))
		mapping = viommu_mapping_next(mapping);
	if (!mapping || mapping->start < iova || mapping->start > last) {
		spin_unlock_irqrestore(&domain->lock, flags);
		return 0;
	}
	while ((ret = viommu_domain_let_go(domain, mapping, &start, &last))) {
		spin_unlock_irqrestore(&domain->lock, flags);
		if (ret == -EBUSY)
			viommu_queue_wait(&domain->viommu->queue, &domain->batch);
		spin_lock_irqsave(&domain->lock, flags);
		mapping = viommu_store_first(&domain->store, start, last);
	}
	spin_unlock_irqrestore(&domain->lock, flags);
	trace_viommu_unmap(domain, iova, last);
	return last - iova + 1;
}

/**
 * viommu_domain_flush() - wait until what was unmapped is unreachable
 * @iommu_domain: the domain
 *
 * Context: Any. Polls, for at most timeout_ms.
 */
void viommu_domain_flush(struct iommu_domain *iommu_domain)
{
	struct viommu_domain *domain = to_viommu_domain(iommu_domain);

	if (domain->viommu)
		viommu_domain_drain(domain);
}

/**
 * viommu_domain_sync() - wait until what was unmapped is unreachable
 * @iommu_domain: the domain
 * @gather: not used: the wait is for all that is stale
 *
 * Context: Any. Polls, for at most timeout_ms.
 */
void viommu_domain_sync(struct iommu_domain *iommu_domain, struct iommu_iotlb_gather *gather)
{
	viommu_domain_flush(iommu_domain);
}

/**
 * viommu_domain_iova_to_phys() - what an IOVA translates to
 * @iommu_domain: the domain
 * @iova: the IOVA
 *
 * Context: Any.
 * Return: the physical address, or 0 where there is no mapping.
 */
phys_addr_t viommu_domain_iova_to_phys(struct iommu_domain *iommu_domain, dma_addr_t iova)
{
	struct viommu_domain *domain = to_viommu_domain(iommu_domain);
	unsigned long flags;
	u64 phys = 0;

	spin_lock_irqsave(&domain->lock, flags);
	viommu_store_translate(&domain->store, iova, &phys);
	spin_unlock_irqrestore(&domain->lock, flags);
	return phys;
}
