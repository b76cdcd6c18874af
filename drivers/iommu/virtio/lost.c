// SPDX-License-Identifier: GPL-2.0
/*
 * Endpoints that should be in a domain and could not be attached.
 *
 * No map succeeds in a domain while there is one: where bypass is open, it would take
 * an IOVA for an address of memory. Such a domain may be one that belongs to no
 * virtio-iommu yet, or to another, so all endpoints of this kind are in one list.
 */
#include "viommu.h"

static DEFINE_MUTEX(viommu_lost_lock);
static LIST_HEAD(viommu_lost);

static void viommu_endpoint_count_out(struct viommu_endpoint *endpoint)
{
	lockdep_assert_held(&viommu_lost_lock);
	WRITE_ONCE(endpoint->lost->nr_lost, endpoint->lost->nr_lost - 1);
	endpoint->lost = NULL;
	list_del(&endpoint->lost_node);
}

/**
 * viommu_endpoint_lose() - an endpoint should be in a domain and could not be attached
 * @endpoint: the endpoint
 * @domain: the domain
 *
 * Context: Process context, endpoints_lock held.
 */
void viommu_endpoint_lose(struct viommu_endpoint *endpoint, struct viommu_domain *domain)
{
	guard(mutex)(&viommu_lost_lock);
	if (endpoint->lost)
		viommu_endpoint_count_out(endpoint);
	endpoint->lost = domain;
	list_add_tail(&endpoint->lost_node, &viommu_lost);
	WRITE_ONCE(domain->nr_lost, domain->nr_lost + 1);
}

/**
 * viommu_endpoint_found() - an endpoint is where it should be, or is to be nowhere
 * @endpoint: the endpoint
 *
 * Context: Process context, endpoints_lock held.
 */
void viommu_endpoint_found(struct viommu_endpoint *endpoint)
{
	guard(mutex)(&viommu_lost_lock);
	if (endpoint->lost)
		viommu_endpoint_count_out(endpoint);
}

/**
 * viommu_domain_forget_lost() - no endpoint is to be in a domain any more
 * @domain: the domain, about to be freed
 *
 * Context: Process context. May sleep.
 */
void viommu_domain_forget_lost(struct viommu_domain *domain)
{
	struct viommu_endpoint *endpoint, *next;

	guard(mutex)(&viommu_lost_lock);
	list_for_each_entry_safe(endpoint, next, &viommu_lost, lost_node)
		if (endpoint->lost == domain)
			viommu_endpoint_count_out(endpoint);
}
