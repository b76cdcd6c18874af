// SPDX-License-Identifier: GPL-2.0
/*
 * What a domain must not map, and what it must: the reserved regions of all
 * endpoints that are attached to it, combined.
 *
 * They are combined anew before an attach, when what is mapped already must go
 * together with the newcomer's regions, and after an endpoint has left. Identity
 * regions are mapped to themselves by the driver: before the attach in the store, and
 * with it in the device, which takes no MAP for a domain without endpoints. Nobody
 * else unmaps such a mapping. In a domain of several devices one's identity region may
 * be open to another; a module parameter says whether that is tolerated.
 *
 * The combined list is written under endpoints_lock and domain->lock, and read under
 * either.
 *
 * Specification: "Property RESV_MEM".
 */
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "viommu.h"

static bool identity_holes;
module_param(identity_holes, bool, 0644);
MODULE_PARM_DESC(identity_holes,
		 "Let a device into a domain of user space, or of another driver, in which one device's identity region would be open to another (default: no)");

/**
 * viommu_regions_alloc() - memory for a list of regions
 * @regions: an empty list
 * @max: regions that are to fit
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int viommu_regions_alloc(struct viommu_regions *regions, unsigned int max)
{
	*regions = (struct viommu_regions) { .max = max };
	if (!max)
		return 0;
	regions->entries = kvcalloc(max, sizeof(*regions->entries), GFP_KERNEL);
	return regions->entries ? 0 : -ENOMEM;
}

/**
 * viommu_regions_free() - free a list's memory
 * @regions: the list
 *
 * Context: May sleep.
 */
void viommu_regions_free(struct viommu_regions *regions)
{
	kvfree(regions->entries);
}

/* Domains without mappings have none that could be in the way. */
static bool viommu_domain_has_mappings(const struct viommu_domain *domain)
{
	return !domain->bypass && domain != &domain->viommu->blocking;
}

/* Whether a device is in a domain, or is the one that is about to be. */
static bool viommu_domain_will_have(const struct viommu_domain *domain,
				    const struct viommu_master *newcomer,
				    const struct viommu_master *master)
{
	unsigned int i;

	for (i = 0; i < master->nr_endpoints; i++)
		if (master->endpoints[i]->domain == domain)
			return true;
	return master == newcomer;
}

/* Devices of one group have no choice but to share a domain of the DMA API's. */
static int viommu_domain_check_open(const struct viommu_domain *domain,
				    const struct viommu_master *newcomer)
{
	bool refuse = domain->domain.type == IOMMU_DOMAIN_UNMANAGED && !identity_holes;
	const struct viommu_region *region;
	const struct viommu_master *other;

	list_for_each_entry(other, &domain->viommu->masters, node) {
		if (other == newcomer || !viommu_domain_will_have(domain, NULL, other))
			continue;
		region = viommu_regions_open(&newcomer->regions, &other->regions) ?:
			 viommu_regions_open(&other->regions, &newcomer->regions);
		if (!region)
			continue;
		dev_warn(newcomer->dev, "in a domain with %s, identity region %#llx-%#llx of one is open to the other%s\n",
			 dev_name(other->dev), region->start, region->last,
			 refuse ? ": refused" : "");
		if (refuse)
			return -EINVAL;
	}
	return 0;
}

/* The regions of all devices of a domain, and of @newcomer, if that is not NULL. */
static int viommu_domain_combine(const struct viommu_domain *domain,
				 const struct viommu_master *newcomer,
				 struct viommu_regions *regions)
{
	const struct viommu_master *master;
	struct viommu_regions from = {};
	unsigned int i, max = 0;
	int ret;

	*regions = (struct viommu_regions) {};
	list_for_each_entry(master, &domain->viommu->masters, node)
		if (viommu_domain_will_have(domain, newcomer, master))
			max += master->regions.nr;
	ret = viommu_regions_alloc(&from, max);
	if (!ret)
		ret = viommu_regions_alloc(regions, 2 * max);
	if (!ret) {
		list_for_each_entry(master, &domain->viommu->masters, node)
			for (i = 0; i < master->regions.nr &&
			     viommu_domain_will_have(domain, newcomer, master); i++)
				viommu_regions_add(&from, &master->regions.entries[i]);
		ret = viommu_regions_normalise(regions, &from,
					       domain->viommu->limits.granule);
	}
	viommu_regions_free(&from);
	if (ret)
		viommu_regions_free(regions);
	return ret;
}

/* Put a combined list in the place of the old one, unless a mapping is in its way. */
static int viommu_domain_set_regions(struct viommu_domain *domain, struct viommu_regions *regions)
{
	bool conflict = false;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&domain->lock, flags);
	for (i = 0; i < regions->nr; i++) {
		const struct viommu_region *region = &regions->entries[i];

		conflict |= region->type != VIOMMU_REGION_IDENTITY &&
			    viommu_store_first(&domain->store, region->start, region->last);
	}
	if (!conflict)
		swap(domain->regions, *regions);
	spin_unlock_irqrestore(&domain->lock, flags);
	viommu_regions_free(regions);
	return conflict ? -EINVAL : 0;
}

/**
 * viommu_domain_reserves() - may a range not be mapped?
 * @domain: the domain
 * @start: first IOVA
 * @last: last IOVA
 * @phys: what @start is to be mapped to
 * @map_flags: VIRTIO_IOMMU_MAP_F_*
 *
 * An identity region may be mapped to itself, with all the access it needs.
 *
 * Context: Any, domain->lock held.
 * Return: whether a region is in the way.
 */
bool viommu_domain_reserves(const struct viommu_domain *domain, u64 start, u64 last, u64 phys,
			    u32 map_flags)
{
	const struct viommu_regions *regions = &domain->regions;
	const struct viommu_region *region = viommu_regions_first(regions, start, last);

	for (; region && region < regions->entries + regions->nr && region->start <= last;
	     region++)
		if (region->type != VIOMMU_REGION_IDENTITY || phys != start ||
		    region->flags & ~map_flags & ~VIRTIO_IOMMU_MAP_F_MMIO)
			return true;
	return false;
}

/*
 * See that an identity region is mapped at @cursor, which moves on. Return: 1 where
 * there is more to see to; 0 where that was all; -EINVAL where something else is mapped.
 */
static int viommu_domain_map_identity_at(struct viommu_domain *domain,
					 const struct viommu_region *region, u64 *cursor,
					 struct viommu_mapping **spare)
{
	struct viommu_mapping *mapping = viommu_store_first(&domain->store, *cursor,
							    region->last);
	u64 last = region->last;

	lockdep_assert_held(&domain->lock);
	if (mapping && mapping->start <= *cursor) {
		if (mapping->stale || mapping->phys != mapping->start ||
		    region->flags & ~mapping->flags & ~VIRTIO_IOMMU_MAP_F_MMIO)
			return -EINVAL;
		last = mapping->last;
	} else {
		if (mapping)
			last = mapping->start - 1;
		viommu_mapping_init(*spare, *cursor, last, *cursor, region->flags);
		(*spare)->identity = true;
		viommu_store_insert(&domain->store, *spare);
		*spare = NULL;
		domain->has_identity = true;
	}
	if (last >= region->last)
		return 0;
	*cursor = last + 1;
	return 1;
}

static int viommu_domain_map_identity(struct viommu_domain *domain,
				      const struct viommu_region *region)
{
	struct viommu_mapping *spare = NULL;
	u64 cursor = region->start;
	unsigned long flags;
	int ret;

	do {
		spare = spare ?: viommu_mapping_alloc(GFP_KERNEL);
		if (!spare)
			return -ENOMEM;
		spin_lock_irqsave(&domain->lock, flags);
		ret = viommu_domain_map_identity_at(domain, region, &cursor, &spare);
		spin_unlock_irqrestore(&domain->lock, flags);
	} while (ret > 0);

	if (spare) {
		spin_lock_irqsave(&domain->lock, flags);
		viommu_store_free(&domain->store, spare);
		spin_unlock_irqrestore(&domain->lock, flags);
	}
	/* Where the device knows the domain already. */
	return ret ?: viommu_domain_sync_map(&domain->domain, region->start,
					     region->last - region->start + 1);
}

/**
 * viommu_domain_reserve() - make a domain fit for one more device
 * @domain: a finalised domain
 * @newcomer: the device, about to be attached
 *
 * Context: Process context, endpoints_lock held. May sleep.
 * Return: 0; -EINVAL where a mapping is in the way of one of the device's regions, or an
 * identity region would be open to those who must not reach it; -ENOMEM; what the device
 * answered to MAP, as an errno. After an error nothing has changed.
 */
int viommu_domain_reserve(struct viommu_domain *domain, const struct viommu_master *newcomer)
{
	struct viommu_regions regions;
	unsigned int i;
	int ret;

	lockdep_assert_held(&domain->viommu->endpoints_lock);
	if (!viommu_domain_has_mappings(domain))
		return 0;
	ret = viommu_domain_check_open(domain, newcomer);
	if (ret)
		return ret;
	ret = viommu_domain_combine(domain, newcomer, &regions);
	if (ret)
		return ret;
	ret = viommu_domain_set_regions(domain, &regions);
	for (i = 0; i < domain->regions.nr && !ret; i++)
		if (domain->regions.entries[i].type == VIOMMU_REGION_IDENTITY)
			ret = viommu_domain_map_identity(domain, &domain->regions.entries[i]);
	if (ret)
		viommu_domain_unreserve(domain);
	return ret;
}

/* Ends a walk at an identity mapping that is nobody's any more, and makes it ordinary. */
static int viommu_mapping_release(struct viommu_domain *domain, struct viommu_mapping *mapping)
{
	const struct viommu_region *region;

	if (!mapping->identity)
		return 0;
	region = viommu_regions_first(&domain->regions, mapping->start, mapping->last);
	if (region && region->type == VIOMMU_REGION_IDENTITY)
		return 0;
	mapping->identity = false;
	return 1;
}

static void viommu_domain_unmap_identity(struct viommu_domain *domain)
{
	u64 cursor = 0;

	/* An unmap of any part takes all of a mapping. */
	while (viommu_domain_walk(domain, &cursor, viommu_mapping_release))
		viommu_domain_unmap_pages(&domain->domain, cursor, 1, 1, NULL);
	viommu_domain_drain(domain);
}

/**
 * viommu_domain_unreserve() - let go of regions whose devices are not in a domain any more
 * @domain: a finalised domain
 *
 * Without memory they stay reserved for now, which does no harm.
 *
 * Context: Process context, endpoints_lock held. May sleep.
 */
void viommu_domain_unreserve(struct viommu_domain *domain)
{
	struct viommu_regions regions;
	unsigned long flags;

	lockdep_assert_held(&domain->viommu->endpoints_lock);
	if (!viommu_domain_has_mappings(domain) || !domain->regions.nr)
		return;
	if (viommu_domain_combine(domain, NULL, &regions))
		return;
	/* All that is left was reserved before, so no mapping is in its way. */
	spin_lock_irqsave(&domain->lock, flags);
	swap(domain->regions, regions);
	spin_unlock_irqrestore(&domain->lock, flags);
	viommu_regions_free(&regions);
	if (domain->has_identity)
		viommu_domain_unmap_identity(domain);
}
