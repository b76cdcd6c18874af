// SPDX-License-Identifier: GPL-2.0
/*
 * Domains: address spaces, from allocation to the end.
 *
 * A domain is allocated by itself and becomes one of a virtio-iommu when it is
 * finalised: it gets an ID, its aperture, and, if it is an identity domain and
 * the device has no bypass domains, its mappings. The device knows a domain only
 * while endpoints are attached to it (attach.c). What is mapped and unmapped
 * meanwhile is in paging.c.
 */
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "viommu.h"

/* No supported architecture has more physical address bits. */
#define VIOMMU_PHYS_LAST	(BIT_ULL(52) - 1)

static void viommu_domain_init(struct viommu_domain *domain)
{
	spin_lock_init(&domain->lock);
	viommu_store_init(&domain->store);
}

static int viommu_id_take(struct viommu_device *viommu, u32 *domain_id)
{
	const struct viommu_limits *limits = &viommu->limits;
	int id = ida_alloc_max(&viommu->domain_ids,
			       min_t(u32, limits->domain_last - limits->domain_start, INT_MAX),
			       GFP_KERNEL);

	if (id < 0)
		return id;
	*domain_id = limits->domain_start + id;
	atomic_inc(&viommu->nr_ids);
	return 0;
}

static int viommu_domain_take_id(struct viommu_domain *domain, struct viommu_device *viommu)
{
	int ret = viommu_id_take(viommu, &domain->id);

	domain->owns_id = !ret;
	return ret;
}

static void viommu_domain_return_id(struct viommu_domain *domain, struct viommu_device *viommu)
{
	/* The device still has an endpoint in it: nobody else may join that one. */
	if (domain->owns_id && !domain->stuck) {
		ida_free(&viommu->domain_ids, domain->id - viommu->limits.domain_start);
		atomic_dec(&viommu->nr_ids);
	}
	domain->owns_id = false;
}

/**
 * viommu_domains_left() - how many domains more there are IDs for
 * @viommu: the virtio-iommu
 *
 * Context: Any.
 * Return: their number.
 */
u64 viommu_domains_left(const struct viommu_device *viommu)
{
	const struct viommu_limits *limits = &viommu->limits;

	return (u64)limits->domain_last - limits->domain_start + 1 - atomic_read(&viommu->nr_ids);
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
	u32 more = viommu->limits.domain_last - viommu->limits.domain_start;
	int ret;

	viommu_domain_init(&viommu->blocking);
	viommu->blocking.viommu = viommu;
	if (more >= 1) {
		ret = viommu_domain_take_id(&viommu->blocking, viommu);
		if (ret)
			return ret;
	}
	if (more >= 2 && viommu->has_bypass_config) {
		ret = viommu_id_take(viommu, &viommu->identity_id);
		if (ret)
			return ret;
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
	struct viommu_domain *domain = kzalloc_obj(*domain, GFP_KERNEL);

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
	mapping = viommu_mapping_alloc(GFP_KERNEL);
	if (!mapping)
		return -ENOMEM;
	viommu_mapping_init(mapping, start, last, start, flags);
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

		if (region->type == VIOMMU_REGION_IDENTITY)
			continue;
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

	if (!identity && limits->granule > PAGE_SIZE)
		return -EINVAL;
	if (!identity && domain->store.nr &&
	    ((limits->input_start &&
	      viommu_store_first(&domain->store, 0, limits->input_start - 1)) ||
	     (limits->input_last != U64_MAX &&
	      viommu_store_first(&domain->store, limits->input_last + 1, U64_MAX))))
		return -EINVAL;

	domain->bypass = identity && viommu->has_bypass_config;
	if (domain->bypass && viommu->has_identity_id)
		domain->id = viommu->identity_id;
	else
		ret = viommu_domain_take_id(domain, viommu);
	if (ret)
		return ret;

	if (identity && !domain->bypass) {
		ret = viommu_domain_identity_fill(domain, limits, regions);
		if (ret) {
			viommu_store_empty(&domain->store);
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

	viommu_domain_forget_lost(domain);
	if (viommu) {
		viommu_domain_drain(domain);
		/* The core has attached them elsewhere, unless that failed. */
		scoped_guard(mutex, &viommu->endpoints_lock)
			xa_for_each(&viommu->endpoints, id, endpoint)
				if (endpoint->domain == domain)
					viommu_endpoint_block(viommu, endpoint);
		viommu_queue_wait(&viommu->queue, &domain->batch);
		viommu_domain_return_id(domain, viommu);
		atomic_dec(&viommu->nr_domains);
		viommu_device_put(viommu);
	}
	viommu_store_empty(&domain->store);
	viommu_regions_free(&domain->regions);
	kfree(domain);
	module_put(THIS_MODULE);
}
