// SPDX-License-Identifier: GPL-2.0
/*
 * Domains: address spaces, from allocation to the last unmap.
 *
 * A domain is allocated by itself and becomes one of a virtio-iommu when it is
 * finalised: it gets an ID, its aperture, and, if it is an identity domain and
 * the device has no bypass domains, its mappings. The device knows a domain only
 * while endpoints are attached to it (attach.c); until then mappings are only
 * remembered.
 *
 * Map and unmap come from any context. They change the store under the domain's
 * spinlock, and add a request to the queue without it; the caller waits in the
 * sync that the core makes for a whole batch. What the device then turns out to
 * have refused is taken out of the store again.
 *
 * Specification: "MAP request", "UNMAP request".
 */
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "viommu.h"

/* Mappings handled in one go with the domain's lock held. */
#define VIOMMU_DOMAIN_CHUNK	64

/* No supported architecture has more physical address bits. */
#define VIOMMU_PHYS_LAST	(BIT_ULL(52) - 1)

static void viommu_domain_init(struct viommu_domain *domain)
{
	spin_lock_init(&domain->lock);
	viommu_store_init(&domain->store);
}

static int viommu_domain_take_id(struct viommu_domain *domain, struct viommu_device *viommu)
{
	const struct viommu_limits *limits = &viommu->limits;
	int id = ida_alloc_max(&viommu->domain_ids,
			       min_t(u32, limits->domain_last - limits->domain_start, INT_MAX),
			       GFP_KERNEL);

	if (id < 0)
		return id;
	domain->id = limits->domain_start + id;
	domain->owns_id = true;
	return 0;
}

static void viommu_domain_return_id(struct viommu_domain *domain, struct viommu_device *viommu)
{
	/* The device still has an endpoint in it: nobody else may join that one. */
	if (domain->owns_id && !domain->stuck)
		ida_free(&viommu->domain_ids, domain->id - viommu->limits.domain_start);
	domain->owns_id = false;
}

/**
 * viommu_domains_init() - set domain IDs aside for blocking and identity
 * @viommu: the virtio-iommu, its limits known
 *
 * With a range of one or two IDs the endpoints' own domains come first.
 *
 * Context: Probe; may sleep.
 * Return: 0 or -ENOMEM.
 */
int viommu_domains_init(struct viommu_device *viommu)
{
	struct viommu_domain identity = {};
	u32 more = viommu->limits.domain_last - viommu->limits.domain_start;
	int ret;

	viommu_domain_init(&viommu->blocking);
	viommu->blocking.viommu = viommu;
	if (more >= 1) {
		ret = viommu_domain_take_id(&viommu->blocking, viommu);
		if (ret)
			return ret;
	}
	if (more >= 2 && viommu->has_bypass_domains) {
		ret = viommu_domain_take_id(&identity, viommu);
		if (ret)
			return ret;
		viommu->identity_id = identity.id;
		viommu->has_identity_id = true;
	}
	return 0;
}

/**
 * viommu_domain_alloc() - a domain that belongs to no virtio-iommu yet
 * @type: IOMMU_DOMAIN_*
 *
 * Context: May sleep.
 * Return: the domain or NULL.
 */
struct viommu_domain *viommu_domain_alloc(unsigned int type)
{
	struct viommu_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL);

	if (!domain)
		return NULL;
	viommu_domain_init(domain);
	domain->domain.type = type;
	domain->domain.ops = &viommu_domain_ops;
	/* The core holds the module for a device, which a domain may outlive. */
	__module_get(THIS_MODULE);
	return domain;
}

static int viommu_domain_identity_map(struct viommu_domain *domain, u64 start, u64 last)
{
	u32 flags = VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE;
	struct viommu_mapping *mapping;

	if (start >= last)
		return 0;
	mapping = viommu_mapping_alloc(start, last, start, flags, GFP_KERNEL);
	if (!mapping)
		return -ENOMEM;
	return viommu_store_insert(&domain->store, mapping);
}

/* Without bypass domains: all memory mapped to itself, around the regions. */
static int viommu_domain_identity_fill(struct viommu_domain *domain,
				       const struct viommu_limits *limits,
				       const struct viommu_regions *regions)
{
	u64 last = min3(limits->input_last, (u64)iomem_resource.end | (limits->granule - 1),
			VIOMMU_PHYS_LAST);
	u64 start = limits->input_start;
	unsigned int i;
	int ret;

	for (i = 0; i < regions->nr && regions->entries[i].start <= last; i++) {
		const struct viommu_region *region = &regions->entries[i];

		if (region->start > start) {
			ret = viommu_domain_identity_map(domain, start, region->start - 1);
			if (ret)
				return ret;
		}
		if (region->last >= last)
			return 0;
		start = max(start, region->last + 1);
	}
	return viommu_domain_identity_map(domain, start, last);
}

static void viommu_domain_empty(struct viommu_domain *domain)
{
	struct viommu_mapping *mapping;

	while ((mapping = viommu_store_first(&domain->store, 0, U64_MAX))) {
		viommu_store_remove(&domain->store, mapping);
		viommu_mapping_free(mapping);
	}
}

/**
 * viommu_domain_finalise() - make a domain one of a virtio-iommu
 * @domain: the domain
 * @viommu: the virtio-iommu
 * @regions: what an identity domain must leave out, if it is made of mappings
 *
 * Context: May sleep. The domain is not shared yet, or endpoints_lock is held.
 * Return: 0; -ENOMEM; -ENOSPC where all domain IDs are in use; -EINVAL where the
 * device's granule is larger than a page, or mappings made earlier do not fit.
 */
int viommu_domain_finalise(struct viommu_domain *domain, struct viommu_device *viommu,
			   const struct viommu_regions *regions)
{
	const struct viommu_limits *limits = &viommu->limits;
	bool identity = domain->domain.type == IOMMU_DOMAIN_IDENTITY;
	int ret = 0;

	if (!identity && limits->granule > PAGE_SIZE) {
		dev_err(&viommu->vdev->dev,
			"granule of %llu bytes is larger than a page: only identity domains work\n",
			limits->granule);
		return -EINVAL;
	}
	if (!identity && domain->store.nr &&
	    ((limits->input_start &&
	      viommu_store_first(&domain->store, 0, limits->input_start - 1)) ||
	     (limits->input_last != U64_MAX &&
	      viommu_store_first(&domain->store, limits->input_last + 1, U64_MAX))))
		return -EINVAL;

	domain->bypass = identity && viommu->has_bypass_domains;
	if (domain->bypass && viommu->has_identity_id)
		domain->id = viommu->identity_id;
	else
		ret = viommu_domain_take_id(domain, viommu);
	if (ret)
		return ret;

	if (identity && !domain->bypass) {
		ret = viommu_domain_identity_fill(domain, limits, regions);
		if (ret) {
			viommu_domain_empty(domain);
			viommu_domain_return_id(domain, viommu);
			return ret;
		}
	}

	/*
	 * Only the granule: a device takes any multiple of it as one MAP, and
	 * with larger sizes on offer the core would cut a run at their borders.
	 */
	domain->domain.pgsize_bitmap = limits->granule;
	domain->domain.geometry.aperture_start = limits->input_start;
	domain->domain.geometry.aperture_end = limits->input_last;
	domain->domain.geometry.force_aperture = true;
	kref_get(&viommu->kref);
	atomic_inc(&viommu->nr_domains);
	domain->viommu = viommu;
	return 0;
}

/**
 * viommu_domain_alloc_for() - a domain for a device
 * @master: the device
 * @type: IOMMU_DOMAIN_*
 *
 * Context: May sleep.
 * Return: the domain, or an ERR_PTR: -ENOMEM, or as viommu_domain_finalise().
 */
struct iommu_domain *viommu_domain_alloc_for(struct viommu_master *master, unsigned int type)
{
	struct viommu_domain *domain = viommu_domain_alloc(type);
	int ret;

	if (!domain)
		return ERR_PTR(-ENOMEM);
	ret = viommu_domain_finalise(domain, master->viommu, &master->regions);
	if (ret) {
		viommu_domain_free(&domain->domain);
		return ERR_PTR(ret);
	}
	return &domain->domain;
}

/**
 * viommu_domain_free() - free a domain
 * @iommu_domain: the domain; nobody maps, unmaps or attaches any more
 *
 * Context: May sleep.
 */
void viommu_domain_free(struct iommu_domain *iommu_domain)
{
	struct viommu_domain *domain = to_viommu_domain(iommu_domain);
	struct viommu_device *viommu = domain->viommu;
	struct viommu_endpoint *endpoint;
	unsigned long id;

	if (viommu) {
		/* The core has attached them elsewhere, unless that failed. */
		scoped_guard(mutex, &viommu->endpoints_lock) {
			xa_for_each(&viommu->endpoints, id, endpoint) {
				if (endpoint->domain != domain)
					continue;
				viommu_endpoint_block(viommu, endpoint);
			}
		}
		viommu_queue_wait(&viommu->queue, &domain->batch);
		viommu_domain_return_id(domain, viommu);
		atomic_dec(&viommu->nr_domains);
		viommu_device_put(viommu);
	}
	viommu_domain_empty(domain);
	kfree(domain);
	module_put(THIS_MODULE);
}

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

static void viommu_domain_drop(struct viommu_domain *domain, struct viommu_mapping *mapping)
{
	unsigned long flags;

	spin_lock_irqsave(&domain->lock, flags);
	viommu_store_remove(&domain->store, mapping);
	spin_unlock_irqrestore(&domain->lock, flags);
	viommu_mapping_free(mapping);
}

/**
 * viommu_domain_wire_map() - MAP request for a domain
 * @domain: a finalised domain
 * @start: first IOVA
 * @last: last IOVA
 * @phys: physical address of @start
 * @flags: VIRTIO_IOMMU_MAP_F_*; the MMIO flag, which not every device knows, is
 *	dropped for one that does not (D23): the mapping works without
 *
 * Context: Any.
 * Return: the request.
 */
struct viommu_wire viommu_domain_wire_map(const struct viommu_domain *domain, u64 start,
					  u64 last, u64 phys, u32 flags)
{
	if (!domain->viommu->has_mmio)
		flags &= ~VIRTIO_IOMMU_MAP_F_MMIO;
	return viommu_wire_map(domain->id, start, last, phys, flags);
}

static int viommu_domain_map(struct viommu_domain *domain, u64 iova, u64 last, phys_addr_t phys,
			     u32 map_flags, gfp_t gfp)
{
	struct viommu_mapping *mapping = viommu_mapping_alloc(iova, last, phys, map_flags, gfp);
	struct viommu_wire wire;
	unsigned long flags;
	bool send;
	int ret;

	if (!mapping)
		return -ENOMEM;
	spin_lock_irqsave(&domain->lock, flags);
	ret = viommu_store_insert(&domain->store, mapping);
	send = !ret && domain->nr_endpoints;
	if (send)
		mapping->status = VIOMMU_MAPPING_PENDING;
	spin_unlock_irqrestore(&domain->lock, flags);
	if (ret) {
		viommu_mapping_free(mapping);
		return ret;
	}
	if (!send)
		return 0;

	wire = viommu_domain_wire_map(domain, iova, last, phys, map_flags);
	ret = viommu_queue_add(&domain->viommu->queue, &domain->batch, &wire, &mapping->status);
	if (ret)
		viommu_domain_drop(domain, mapping);
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
 * The request is added to the queue, not sent: see viommu_domain_sync_map().
 *
 * Context: Any, as @gfp says. Polls where the queue is full.
 * Return: 0; -EINVAL without access rights; -ERANGE outside of the input range;
 * -EEXIST where there is a mapping already; -ENOMEM; -EIO where the device is
 * dead.
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
		return -EINVAL;
	if (!viommu_domain_in_range(domain, iova, last))
		return -ERANGE;
	ret = viommu_domain_map(domain, iova, last, phys, flags, gfp);
	if (!ret)
		*mapped += pgsize * pgcount;
	return ret;
}

/*
 * Take the first mapping of a range that the device refused out of the store.
 * Return: its errno, or 0 where there is none. @start: where to go on.
 */
static int viommu_domain_collect_one(struct viommu_domain *domain, u64 *start, u64 last)
{
	struct viommu_mapping *mapping;
	int status;

	lockdep_assert_held(&domain->lock);
	while ((mapping = viommu_store_first(&domain->store, *start, last))) {
		status = mapping->status;
		*start = mapping->node.last;
		if (status < 0) {
			atomic_dec(&domain->batch.failed);
			viommu_store_remove(&domain->store, mapping);
			viommu_mapping_free(mapping);
			return status;
		}
		if (*start >= last)
			break;
		++*start;
	}
	return 0;
}

/* All of them. Return: the first errno. */
static int viommu_domain_collect(struct viommu_domain *domain, u64 start, u64 last)
{
	unsigned long flags;
	int status, ret = 0;

	do {
		spin_lock_irqsave(&domain->lock, flags);
		status = viommu_domain_collect_one(domain, &start, last);
		spin_unlock_irqrestore(&domain->lock, flags);
		ret = ret ?: status;
	} while (status);
	return ret;
}

/**
 * viommu_domain_sync_map() - wait until mappings are in effect
 * @iommu_domain: the domain
 * @iova: first IOVA
 * @size: bytes
 *
 * Mappings of the range that the device refused are gone afterwards, so that
 * the driver remembers what the device holds.
 *
 * Context: Any. Polls, for at most timeout_ms.
 * Return: 0, or the first errno among the range's mappings.
 */
int viommu_domain_sync_map(struct iommu_domain *iommu_domain, unsigned long iova, size_t size)
{
	struct viommu_domain *domain = to_viommu_domain(iommu_domain);

	if (!domain->viommu)
		return 0;
	viommu_queue_wait(&domain->viommu->queue, &domain->batch);
	if (likely(!atomic_read(&domain->batch.failed)))
		return 0;
	return viommu_domain_collect(domain, iova, iova + size - 1);
}

/*
 * Take some mappings of a range out of the store. Return: how many; -EBUSY where
 * one has its MAP still under way. @told: the device holds one of them.
 */
static int viommu_domain_take_out(struct viommu_domain *domain, u64 start, u64 last, bool *told)
{
	struct viommu_mapping *mapping;
	int i, status;

	lockdep_assert_held(&domain->lock);
	for (i = 0; i < VIOMMU_DOMAIN_CHUNK; i++) {
		mapping = viommu_store_first(&domain->store, start, last);
		if (!mapping)
			break;
		/* Pairs with the release when the queue writes the result. */
		status = smp_load_acquire(&mapping->status);
		if (status == VIOMMU_MAPPING_PENDING)
			return i ?: -EBUSY;
		if (status < 0)
			atomic_dec(&domain->batch.failed);
		else if (!status && domain->nr_endpoints)
			*told = true;
		viommu_store_remove(&domain->store, mapping);
		viommu_mapping_free(mapping);
	}
	return i;
}

/**
 * viommu_domain_send_unmap() - add an UNMAP to the queue
 * @domain: the domain
 * @start: first IOVA, first of a mapping or outside any
 * @last: last IOVA, last of a mapping or outside any
 *
 * Context: Any. Polls where the queue is full. A request that cannot be sent is
 * logged.
 */
void viommu_domain_send_unmap(struct viommu_domain *domain, u64 start, u64 last)
{
	struct viommu_device *viommu = domain->viommu;
	struct viommu_wire wire;
	int ret;

	/* D11: no mapping is outside, but a caller's range may be wider. */
	start = max(start, viommu->limits.input_start);
	last = min(last, viommu->limits.input_last);
	wire = viommu_wire_unmap(domain->id, start, last);
	ret = viommu_queue_add(&viommu->queue, &domain->batch, &wire, NULL);
	if (ret)
		dev_err_ratelimited(&viommu->vdev->dev,
				    "UNMAP of %#llx-%#llx in domain %u not sent: %pe\n",
				    start, last, domain->id, ERR_PTR(ret));
}

/**
 * viommu_domain_unmap_pages() - remove all mappings of a range
 * @iommu_domain: the domain
 * @iova: first IOVA
 * @pgsize: bytes of a page
 * @pgcount: pages, at least one
 * @gather: not used: what was unmapped is in the queue
 *
 * One request, added to the queue, not sent: see viommu_domain_sync(). A range
 * that starts within a mapping is refused before anything changes; one that ends
 * within a mapping takes all of it; holes do not matter.
 *
 * Context: Any. Polls where the queue is full.
 * Return: bytes of the range that was unmapped, or 0 where nothing was.
 */
size_t viommu_domain_unmap_pages(struct iommu_domain *iommu_domain, unsigned long iova,
				 size_t pgsize, size_t pgcount, struct iommu_iotlb_gather *gather)
{
	struct viommu_domain *domain = to_viommu_domain(iommu_domain);
	u64 last = iova + pgsize * pgcount - 1;
	bool told = false, found = false;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&domain->lock, flags);
	if (viommu_store_whole(&domain->store, iova, &last))
		ret = 0;
	else
		ret = viommu_domain_take_out(domain, iova, last, &told);
	while (ret) {
		spin_unlock_irqrestore(&domain->lock, flags);
		if (ret > 0)
			found = true;
		else
			viommu_queue_wait(&domain->viommu->queue, &domain->batch);
		spin_lock_irqsave(&domain->lock, flags);
		ret = viommu_domain_take_out(domain, iova, last, &told);
	}
	spin_unlock_irqrestore(&domain->lock, flags);
	if (told)
		viommu_domain_send_unmap(domain, iova, last);
	return found ? last - iova + 1 : 0;
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
		viommu_queue_wait(&domain->viommu->queue, &domain->batch);
}

/**
 * viommu_domain_sync() - wait until what was unmapped is unreachable
 * @iommu_domain: the domain
 * @gather: not used: the wait is for all that is under way
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
