// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a virtio-iommu device: endpoints, domains and their mappings, and where
 * an access leads through them. model.c changes it as requests say.
 *
 * The caller serialises. Nothing here sleeps.
 *
 * Specification: "IOMMU Device", "Device operations".
 */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#include "model.h"

/**
 * mock_model_endpoint() - look an endpoint up
 * @model: the device
 * @id: endpoint ID
 *
 * Return: it, or NULL.
 */
struct mock_endpoint *mock_model_endpoint(struct mock_model *model, u32 id)
{
	struct mock_endpoint *endpoint;

	list_for_each_entry(endpoint, &model->endpoints, node)
		if (endpoint->id == id)
			return endpoint;
	return NULL;
}

/**
 * mock_model_endpoint_add() - plug an endpoint in
 * @model: the device
 * @id: endpoint ID
 *
 * Return: it, also where it was there, or NULL for lack of memory.
 */
struct mock_endpoint *mock_model_endpoint_add(struct mock_model *model, u32 id)
{
	struct mock_endpoint *endpoint = mock_model_endpoint(model, id);

	if (endpoint)
		return endpoint;
	endpoint = kzalloc_obj(*endpoint, GFP_ATOMIC);
	if (!endpoint)
		return NULL;
	endpoint->id = id;
	list_add_tail(&endpoint->node, &model->endpoints);
	return endpoint;
}

/**
 * mock_mapping_first() - the first mapping of a domain
 * @domain: the domain
 *
 * Return: it, or NULL.
 */
struct mock_mapping *mock_mapping_first(const struct mock_domain *domain)
{
	struct rb_node *node = rb_first(&domain->mappings);

	return node ? rb_entry(node, struct mock_mapping, node) : NULL;
}

/**
 * mock_mapping_next() - the mapping behind another
 * @mapping: that one
 *
 * Return: it, or NULL.
 */
struct mock_mapping *mock_mapping_next(struct mock_mapping *mapping)
{
	struct rb_node *node = rb_next(&mapping->node);

	return node ? rb_entry(node, struct mock_mapping, node) : NULL;
}

/**
 * mock_mapping_find() - the first mapping that ends at an address or behind it
 * @domain: the domain
 * @start: the address
 *
 * Return: it, or NULL.
 */
struct mock_mapping *mock_mapping_find(const struct mock_domain *domain, u64 start)
{
	struct rb_node *node = domain->mappings.rb_node;
	struct mock_mapping *mapping, *found = NULL;

	while (node) {
		mapping = rb_entry(node, struct mock_mapping, node);
		if (mapping->last >= start) {
			found = mapping;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

static void mock_mapping_insert(struct mock_domain *domain, struct mock_mapping *mapping)
{
	struct rb_node **link = &domain->mappings.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = mapping->start < rb_entry(parent, struct mock_mapping, node)->start ?
		       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&mapping->node, parent, link);
	rb_insert_color(&mapping->node, &domain->mappings);
}

/**
 * mock_mapping_add() - add a mapping
 * @model: the device
 * @domain: a domain
 * @start: first IOVA
 * @last: last IOVA; no mapping of the domain overlaps
 * @phys: where @start leads
 * @flags: VIRTIO_IOMMU_MAP_F_*
 *
 * Return: 0 or -ENOMEM.
 */
int mock_mapping_add(struct mock_model *model, struct mock_domain *domain, u64 start, u64 last,
		     u64 phys, u32 flags)
{
	struct mock_mapping *mapping = kzalloc_obj(*mapping, GFP_ATOMIC);

	if (!mapping)
		return -ENOMEM;
	mapping->start = start;
	mapping->last = last;
	mapping->phys = phys;
	mapping->flags = flags;
	mock_mapping_insert(domain, mapping);
	model->nr_mappings++;
	return 0;
}

/**
 * mock_mapping_del() - delete a mapping
 * @model: the device
 * @domain: its domain
 * @mapping: the mapping
 */
void mock_mapping_del(struct mock_model *model, struct mock_domain *domain,
		      struct mock_mapping *mapping)
{
	rb_erase(&mapping->node, &domain->mappings);
	kfree(mapping);
	model->nr_mappings--;
}

/**
 * mock_domain_find() - look a domain up
 * @model: the device
 * @id: domain ID
 *
 * Return: it, or NULL.
 */
struct mock_domain *mock_domain_find(struct mock_model *model, u32 id)
{
	struct mock_domain *domain;

	list_for_each_entry(domain, &model->domains, node)
		if (domain->id == id)
			return domain;
	return NULL;
}

/**
 * mock_domain_create() - make a domain
 * @model: the device
 * @id: domain ID, of no other
 * @bypass: a bypass domain
 *
 * Return: it, which mock_domain_move() is to fill, or NULL for lack of memory.
 */
struct mock_domain *mock_domain_create(struct mock_model *model, u32 id, bool bypass)
{
	struct mock_domain *domain = kzalloc_obj(*domain, GFP_ATOMIC);

	if (!domain)
		return NULL;
	domain->id = id;
	domain->bypass = bypass;
	domain->mappings = RB_ROOT;
	list_add_tail(&domain->node, &model->domains);
	return domain;
}

/* A domain goes with its last endpoint, and its mappings go with it. */
static void mock_domain_put(struct mock_model *model, struct mock_domain *domain)
{
	struct mock_mapping *mapping;

	if (--domain->nr_endpoints)
		return;
	while ((mapping = mock_mapping_first(domain)))
		mock_mapping_del(model, domain, mapping);
	list_del(&domain->node);
	kfree(domain);
}

/**
 * mock_domain_move() - attach an endpoint
 * @model: the device
 * @endpoint: the endpoint
 * @domain: to this domain, and to no other; NULL: to none
 */
void mock_domain_move(struct mock_model *model, struct mock_endpoint *endpoint,
		      struct mock_domain *domain)
{
	/* First: the endpoint may be all that keeps this very domain. */
	if (domain)
		domain->nr_endpoints++;
	if (endpoint->domain)
		mock_domain_put(model, endpoint->domain);
	endpoint->domain = domain;
}

/**
 * mock_model_endpoint_del() - unplug an endpoint
 * @model: the device
 * @endpoint: the endpoint; freed
 */
void mock_model_endpoint_del(struct mock_model *model, struct mock_endpoint *endpoint)
{
	mock_domain_move(model, endpoint, NULL);
	list_del(&endpoint->node);
	kfree(endpoint->properties);
	kfree(endpoint);
}

/**
 * mock_model_reset() - reset the device
 * @model: the device
 *
 * V4: bypass stays as it is.
 */
void mock_model_reset(struct mock_model *model)
{
	struct mock_endpoint *endpoint;

	list_for_each_entry(endpoint, &model->endpoints, node) {
		mock_domain_move(model, endpoint, NULL);
		endpoint->probed = false;
	}
	model->accepted = 0;
}

/**
 * mock_model_destroy() - free all that a device has
 * @model: the device
 */
void mock_model_destroy(struct mock_model *model)
{
	struct mock_endpoint *endpoint, *next;

	list_for_each_entry_safe(endpoint, next, &model->endpoints, node)
		mock_model_endpoint_del(model, endpoint);
}

/**
 * struct mock_region - a RESV_MEM property, while they are walked over
 * @offset: where the next property begins
 * @mem: this one
 */
struct mock_region {
	u32 offset;
	struct virtio_iommu_probe_resv_mem mem;
};

/* The endpoint's next reserved region. Properties are a test's own: bounds are checked. */
static bool mock_region_next(const struct mock_endpoint *endpoint, struct mock_region *region)
{
	struct virtio_iommu_probe_property head;

	while (region->offset + sizeof(head) <= endpoint->nr_properties) {
		const u8 *at = endpoint->properties + region->offset;

		memcpy(&head, at, sizeof(head));
		region->offset += sizeof(head) + le16_to_cpu(head.length);
		if (region->offset > endpoint->nr_properties ||
		    le16_to_cpu(head.type) == VIRTIO_IOMMU_PROBE_T_NONE)
			return false;
		if (le16_to_cpu(head.type) != VIRTIO_IOMMU_PROBE_T_RESV_MEM ||
		    le16_to_cpu(head.length) < sizeof(region->mem) - sizeof(head))
			continue;
		memcpy(&region->mem, at, sizeof(region->mem));
		return true;
	}
	return false;
}

/* An identity region (a draft's subtype) is there to be mapped, to itself. */
#define MOCK_SUBTYPE_IDENTITY	2

/**
 * mock_endpoint_reserves() - does a range meet a reserved region of an endpoint?
 * @endpoint: the endpoint
 * @start: first IOVA
 * @last: last IOVA
 *
 * Return: whether it does.
 */
bool mock_endpoint_reserves(const struct mock_endpoint *endpoint, u64 start, u64 last)
{
	struct mock_region region = {};

	while (mock_region_next(endpoint, &region))
		if (region.mem.subtype != MOCK_SUBTYPE_IDENTITY &&
		    start <= le64_to_cpu(region.mem.end) && last >= le64_to_cpu(region.mem.start))
			return true;
	return false;
}

static int mock_fault(struct mock_access *access, u8 reason)
{
	access->run = 0;
	memset(&access->fault, 0, sizeof(access->fault));	/* V45, V46 */
	access->fault.reason = reason;
	access->fault.flags = cpu_to_le32(VIRTIO_IOMMU_FAULT_F_ADDRESS |
					  (access->write ? VIRTIO_IOMMU_FAULT_F_WRITE :
							   VIRTIO_IOMMU_FAULT_F_READ));
	access->fault.endpoint = cpu_to_le32(access->endpoint);
	access->fault.address = cpu_to_le64(access->address);
	return -EFAULT;
}

/* What is attached nowhere: V8 */
static bool mock_passes_by(const struct mock_model *model)
{
	return mock_has(model, VIRTIO_IOMMU_F_BYPASS) || model->config.bypass & 1;
}

/**
 * mock_model_translate() - where an access leads
 * @model: the device
 * @access: the access; what it leads to is filled in, for its first bytes
 *
 * Return: 0, or -EFAULT with the fault filled in.
 */
int mock_model_translate(struct mock_model *model, struct mock_access *access)
{
	struct mock_endpoint *endpoint = mock_model_endpoint(model, access->endpoint);
	u32 needed = access->write ? VIRTIO_IOMMU_MAP_F_WRITE : VIRTIO_IOMMU_MAP_F_READ;
	struct mock_mapping *mapping;

	access->phys = access->address;
	access->run = access->size;
	if (!endpoint || !endpoint->domain)
		return mock_passes_by(model) ? 0 : mock_fault(access, VIRTIO_IOMMU_FAULT_R_DOMAIN);
	if (endpoint->domain->bypass)
		return 0;
	mapping = mock_mapping_find(endpoint->domain, access->address);
	/* V26 */
	if (!mapping || mapping->start > access->address || !(mapping->flags & needed))
		return mock_fault(access, VIRTIO_IOMMU_FAULT_R_MAPPING);
	if (access->size - 1 > mapping->last - access->address) {
		if (model->quirks & MOCK_NO_CROSSING)
			return mock_fault(access, VIRTIO_IOMMU_FAULT_R_MAPPING);
		access->run = mapping->last - access->address + 1;
	}
	access->phys = mapping->phys + (access->address - mapping->start);
	return 0;
}
