// SPDX-License-Identifier: GPL-2.0
/*
 * The table of endpoint IDs.
 *
 * An ID is an object of its own, because devices and IDs are not one to one: a
 * device behind a bridge or with a DMA alias has several, and a bridge's alias
 * belongs to all devices behind it. The object counts the devices that have it,
 * remembers what the device was told about the ID, and so sees to it that an ID
 * is probed once, attached once, and given up only with its last user.
 *
 * The table is guarded by the virtio-iommu's endpoints_lock.
 */
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "trace.h"
#include "viommu.h"

static bool identity_regions;
module_param(identity_regions, bool, 0644);
MODULE_PARM_DESC(identity_regions,
		 "Take a host's word for it that a device needs some memory mapped one to one, in the place of reserving the addresses (default: no)");

static void viommu_endpoint_free(struct viommu_endpoint *endpoint)
{
	viommu_regions_free(&endpoint->regions);
	kfree(endpoint);
}

/* D7: with PROBE, every endpoint is probed before it is attached. */
static int viommu_endpoint_probe(struct viommu_device *viommu, struct viommu_endpoint *endpoint)
{
	u32 size = viommu->limits.probe_size;
	struct viommu_wire wire;
	unsigned int refused;
	int ret;

	if (!viommu->probe_buffer)
		return 0;

	guard(mutex)(&viommu->probe_lock);
	/* It may have the buffer still, from a PROBE that it never answered. */
	if (READ_ONCE(viommu->queue.dead))
		return -EIO;
	memset(viommu->probe_buffer, 0, viommu_wire_probe_size(size));
	viommu_wire_probe(&wire, viommu->probe_buffer, endpoint->id, size);
	ret = viommu_queue_send(&viommu->queue, &wire);
	trace_viommu_probe(viommu, endpoint->id, ret);
	if (ret)
		return ret;

	ret = viommu_property_regions(viommu->probe_buffer + wire.readable, size,
				      &endpoint->regions);
	if (ret > 0)
		dev_warn(&viommu->vdev->dev, "endpoint %#x: %d malformed properties ignored\n",
			 endpoint->id, ret);
	if (ret < 0)
		return ret;
	refused = viommu_regions_settle_identity(&endpoint->regions, &viommu->limits,
						 identity_regions);
	if (refused)
		dev_warn(&viommu->vdev->dev, "endpoint %#x: %u identity regions cannot be mapped: reserved\n",
			 endpoint->id, refused);
	return 0;
}

/**
 * viommu_ids_get() - the endpoint of an ID, for one more user
 * @viommu: the virtio-iommu
 * @id: endpoint ID
 *
 * The first user makes the device be asked about the ID.
 *
 * Context: Process context, endpoints_lock held. May sleep.
 * Return: the endpoint; an ERR_PTR: -ENOMEM, or what the device answered to PROBE.
 * An ID that the device does not know is no error: see the endpoint's @known.
 */
struct viommu_endpoint *viommu_ids_get(struct viommu_device *viommu, u32 id)
{
	struct viommu_endpoint *endpoint;
	int ret;

	lockdep_assert_held(&viommu->endpoints_lock);
	endpoint = xa_load(&viommu->endpoints, id);
	if (endpoint) {
		endpoint->users++;
		return endpoint;
	}

	endpoint = kzalloc_obj(*endpoint, GFP_KERNEL);
	if (!endpoint)
		return ERR_PTR(-ENOMEM);
	endpoint->id = id;
	endpoint->users = 1;
	/* A region takes a property of 24 bytes, so there is room for all of them. */
	ret = viommu_regions_alloc(&endpoint->regions, viommu->limits.probe_size /
				   sizeof(struct virtio_iommu_probe_resv_mem));
	if (ret)
		goto err_free;

	ret = viommu_endpoint_probe(viommu, endpoint);
	if (ret && ret != -ENOENT)
		goto err_free;
	endpoint->known = !ret;

	ret = xa_err(xa_store(&viommu->endpoints, id, endpoint, GFP_KERNEL));
	if (ret)
		goto err_free;
	return endpoint;

err_free:
	viommu_endpoint_free(endpoint);
	return ERR_PTR(ret);
}

/**
 * viommu_ids_put() - one user less
 * @viommu: the virtio-iommu
 * @endpoint: the endpoint, not to be used afterwards
 *
 * The last user leaves the endpoint in the blocking domain: its device may still
 * be there, and must not reach memory.
 *
 * Context: Process context, endpoints_lock held. May sleep.
 */
void viommu_ids_put(struct viommu_device *viommu, struct viommu_endpoint *endpoint)
{
	struct viommu_domain *domain = endpoint->domain;

	lockdep_assert_held(&viommu->endpoints_lock);
	if (!--endpoint->users && domain)
		viommu_endpoint_block(viommu, endpoint);
	/* The device that goes may have had more regions than this endpoint's. */
	if (domain)
		viommu_domain_unreserve(domain);
	if (endpoint->users)
		return;

	viommu_endpoint_forget(endpoint);
	viommu_endpoint_found(endpoint);
	xa_erase(&viommu->endpoints, endpoint->id);
	viommu_endpoint_free(endpoint);
}

/**
 * viommu_endpoint_is_first() - whether a domain is met here first
 * @viommu: the virtio-iommu
 * @endpoint: one of its endpoints
 *
 * For going over all domains that have an endpoint, each once.
 *
 * Context: endpoints_lock held.
 * Return: whether it is in a domain, and of the domain's endpoints the one with the lowest ID.
 */
bool viommu_endpoint_is_first(struct viommu_device *viommu,
			      const struct viommu_endpoint *endpoint)
{
	const struct viommu_endpoint *other;
	unsigned long id;

	lockdep_assert_held(&viommu->endpoints_lock);
	if (!endpoint->domain)
		return false;
	xa_for_each(&viommu->endpoints, id, other)
		if (other->domain == endpoint->domain)
			break;
	return other == endpoint;
}
