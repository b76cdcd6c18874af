// SPDX-License-Identifier: GPL-2.0
/*
 * What a virtio-iommu device does, as the specification has it: requests in, answers
 * out, and where an endpoint's access leads. Plain data: no queue, no kernel around it
 * but lists, trees and memory.
 *
 * It does what it SHOULD as well as what it MUST, so it is stricter than any host;
 * quirks make it like one. What the driver MUST NOT or SHOULD NOT send is counted by
 * clause, and answered all the same.
 *
 * The caller serialises. Nothing here sleeps.
 *
 * Specification: "IOMMU Device", the "Device Requirements" of each section.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <asm/byteorder.h>

#include "model.h"

#define MOCK_PAGE		4096ULL
#define MOCK_TAIL		((u32)sizeof(struct virtio_iommu_req_tail))
#define MOCK_MAP_FLAGS		(VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)
/* Of a layout whose last part is the tail. */
#define MOCK_READABLE(layout)	((u32)offsetof(struct virtio_iommu_req_##layout, tail))

static void mock_broke(struct mock_model *model, unsigned int clause, const char *complaint)
{
	model->broken[clause]++;
	model->complaint = complaint;
}

static bool mock_is_clear(const u8 *bytes, size_t size)
{
	while (size--)
		if (*bytes++)
			return false;
	return true;
}

/**
 * mock_model_init() - make a device that nobody has set up
 * @model: the device, zeroed
 */
void mock_model_init(struct mock_model *model)
{
	INIT_LIST_HEAD(&model->domains);
	INIT_LIST_HEAD(&model->endpoints);
}

/* One for a request: where every ID is an endpoint, this is where it becomes one. */
static struct mock_endpoint *mock_endpoint_asked(struct mock_model *model, u32 id)
{
	return model->quirks & MOCK_ANY_ENDPOINT ? mock_model_endpoint_add(model, id) :
						   mock_model_endpoint(model, id);
}

/**
 * mock_model_accept() - the driver has chosen
 * @model: the device
 * @features: of those that were offered
 */
void mock_model_accept(struct mock_model *model, u64 features)
{
	const u64 wanted = 1 << VIRTIO_IOMMU_F_INPUT_RANGE | 1 << VIRTIO_IOMMU_F_DOMAIN_RANGE |
			   1 << VIRTIO_IOMMU_F_PROBE;

	model->accepted = features;
	if (model->features & wanted & ~features)
		mock_broke(model, 1, "a range or PROBE was offered and not accepted");
}

/**
 * mock_model_config_read() - the driver reads the config space
 * @model: the device
 * @offset: from this byte on
 * @to: to here
 * @size: bytes; those behind the config space read as 0
 */
void mock_model_config_read(const struct mock_model *model, u32 offset, void *to, u32 size)
{
	struct virtio_iommu_config config = model->config;

	if (model->quirks & MOCK_BYPASS_HIDDEN)
		config.bypass = 0;
	if (model->quirks & MOCK_BYPASS_DIRTY)
		config.bypass |= 0xfe;
	memset(to, 0, size);
	if (offset < sizeof(config))
		memcpy(to, (u8 *)&config + offset, min_t(u32, size, sizeof(config) - offset));
}

/**
 * mock_model_config_write() - the driver writes to the config space
 * @model: the device
 * @offset: from this byte on
 * @from: what
 * @size: bytes
 */
void mock_model_config_write(struct mock_model *model, u32 offset, const void *from, u32 size)
{
	u8 value;

	if (offset != offsetof(struct virtio_iommu_config, bypass) || size != 1) {
		mock_broke(model, 3, "a write to a field of the config space other than bypass");
		return;
	}
	if (!mock_has(model, VIRTIO_IOMMU_F_BYPASS_CONFIG)) {
		mock_broke(model, 2, "a write to bypass without BYPASS_CONFIG");
		return;
	}
	value = *(const u8 *)from;
	if (value > 1)
		mock_broke(model, 4, "bypass set to neither 0 nor 1");
	else
		model->config.bypass = value;
}

static bool mock_domain_in_range(struct mock_model *model, u32 id)
{
	if (!mock_has(model, VIRTIO_IOMMU_F_DOMAIN_RANGE) ||
	    (id >= le32_to_cpu(model->config.domain_range.start) &&
	     id <= le32_to_cpu(model->config.domain_range.end)))
		return true;
	mock_broke(model, 12, "a domain ID outside of the domain range");
	return model->quirks & MOCK_UNCHECKED;
}

static bool mock_input_in_range(struct mock_model *model, u64 start, u64 last)
{
	if (!mock_has(model, VIRTIO_IOMMU_F_INPUT_RANGE) ||
	    (start >= le64_to_cpu(model->config.input_range.start) &&
	     last <= le64_to_cpu(model->config.input_range.end)))
		return true;
	mock_broke(model, 11, "an address outside of the input range");
	return model->quirks & MOCK_UNCHECKED;
}

static u64 mock_granule(const struct mock_model *model)
{
	u64 mask = le64_to_cpu(model->config.page_size_mask);

	return mask & -mask;
}

/* V15: may an endpoint join a domain that has mappings? */
static bool mock_fits(const struct mock_endpoint *endpoint, const struct mock_domain *domain)
{
	struct mock_mapping *mapping;

	for (mapping = mock_mapping_first(domain); mapping; mapping = mock_mapping_next(mapping))
		if (mock_endpoint_reserves(endpoint, mapping->start, mapping->last))
			return false;
	return true;
}

static u8 mock_attach(struct mock_model *model, const void *readable)
{
	const struct virtio_iommu_req_attach *req = readable;
	u32 flags = le32_to_cpu(req->flags), id = le32_to_cpu(req->domain), allowed = 0;
	bool bypass = flags & VIRTIO_IOMMU_ATTACH_F_BYPASS;
	struct mock_endpoint *endpoint;
	struct mock_domain *domain;

	if (mock_has(model, VIRTIO_IOMMU_F_BYPASS_CONFIG))
		allowed = VIRTIO_IOMMU_ATTACH_F_BYPASS;
	if (!mock_is_clear(req->reserved, sizeof(req->reserved))) {
		mock_broke(model, 13, "ATTACH: reserved bytes set");
		if (!(model->quirks & MOCK_UNCHECKED))
			return VIRTIO_IOMMU_S_INVAL;	/* V9 */
	}
	if (flags & ~allowed) {
		mock_broke(model, 13, "ATTACH: undefined flags set");
		return VIRTIO_IOMMU_S_INVAL;		/* V10 */
	}
	if (!mock_domain_in_range(model, id))
		return VIRTIO_IOMMU_S_RANGE;
	endpoint = mock_endpoint_asked(model, le32_to_cpu(req->endpoint));
	if (!endpoint)
		return VIRTIO_IOMMU_S_NOENT;		/* V11 */
	if (mock_has(model, VIRTIO_IOMMU_F_PROBE) && !endpoint->probed)
		mock_broke(model, 7, "ATTACH of an endpoint that was not probed");
	if (endpoint->domain && model->quirks & MOCK_NO_MOVE)
		return VIRTIO_IOMMU_S_UNSUPP;		/* V14 */

	domain = mock_domain_find(model, id);
	if (domain && domain->bypass != bypass) {
		mock_broke(model, 15, "ATTACH: the bypass flag is not the domain's");
		return VIRTIO_IOMMU_S_INVAL;		/* V13 */
	}
	if (domain && domain != endpoint->domain && !mock_fits(endpoint, domain))
		return VIRTIO_IOMMU_S_UNSUPP;		/* V15 */
	if (!domain)
		domain = mock_domain_create(model, id, bypass);
	if (!domain)
		return VIRTIO_IOMMU_S_NOMEM;
	mock_domain_move(model, endpoint, domain);	/* V14 */
	return VIRTIO_IOMMU_S_OK;			/* V16 */
}

static u8 mock_detach(struct mock_model *model, const void *readable)
{
	const struct virtio_iommu_req_detach *req = readable;
	struct mock_endpoint *endpoint;

	if (!mock_is_clear(req->reserved, sizeof(req->reserved)))
		mock_broke(model, 16, "DETACH: reserved bytes set");	/* V17 */
	if (!mock_domain_in_range(model, le32_to_cpu(req->domain)))
		return VIRTIO_IOMMU_S_RANGE;
	endpoint = mock_model_endpoint(model, le32_to_cpu(req->endpoint));
	if (!endpoint)
		return VIRTIO_IOMMU_S_NOENT;		/* V18 */
	if (!endpoint->domain || endpoint->domain->id != le32_to_cpu(req->domain))
		return VIRTIO_IOMMU_S_INVAL;		/* V19 */
	if (model->quirks & MOCK_NO_MOVE)
		return VIRTIO_IOMMU_S_UNSUPP;
	mock_domain_move(model, endpoint, NULL);	/* V20 */
	return VIRTIO_IOMMU_S_OK;
}

/* D20, D21: registers have a flag of their own, where there is one, and a MAP of theirs. */
static void mock_check_memory_type(struct mock_model *model, u64 phys, u64 size, bool mmio)
{
	u64 at;

	if (!model->is_ram)
		return;
	for (at = phys & -MOCK_PAGE; at < phys + size; at += MOCK_PAGE) {
		if (model->is_ram(at) != model->is_ram(phys)) {
			mock_broke(model, 21, "MAP of memory and of registers at once");
			return;
		}
	}
	if (mock_has(model, VIRTIO_IOMMU_F_MMIO) && !model->is_ram(phys) && !mmio)
		mock_broke(model, 20, "MAP of registers without the MMIO flag");
}

static u8 mock_check_map(struct mock_model *model, const struct virtio_iommu_req_map *req)
{
	u64 start = le64_to_cpu(req->virt_start), last = le64_to_cpu(req->virt_end);
	u64 phys = le64_to_cpu(req->phys_start), mask = mock_granule(model) - 1;
	u32 flags = le32_to_cpu(req->flags), allowed = MOCK_MAP_FLAGS;

	if (mock_has(model, VIRTIO_IOMMU_F_MMIO))
		allowed |= VIRTIO_IOMMU_MAP_F_MMIO;
	if (flags & VIRTIO_IOMMU_MAP_F_MMIO & ~allowed)
		mock_broke(model, 23, "MAP with the MMIO flag without the feature");
	else if (flags & ~allowed)
		mock_broke(model, 17, "MAP: undefined flags set");
	if (flags & ~allowed)
		return VIRTIO_IOMMU_S_INVAL;		/* V23 */
	if (last <= start) {
		mock_broke(model, 19, "MAP of less than two bytes");
		return VIRTIO_IOMMU_S_INVAL;
	}
	if (!mock_input_in_range(model, start, last) ||
	    !mock_domain_in_range(model, le32_to_cpu(req->domain)))
		return VIRTIO_IOMMU_S_RANGE;
	if (((start | phys | (last + 1)) & mask) && !(model->quirks & MOCK_UNCHECKED)) {
		mock_broke(model, 0, "MAP: not aligned to the granule");
		return VIRTIO_IOMMU_S_RANGE;		/* V21 */
	}
	if (model->quirks & MOCK_NO_TOP && last == ~0ULL)
		return VIRTIO_IOMMU_S_DEVERR;
	mock_check_memory_type(model, phys, last - start + 1, flags & VIRTIO_IOMMU_MAP_F_MMIO);
	return VIRTIO_IOMMU_S_OK;
}

static bool mock_domain_reserves(const struct mock_model *model,
				 const struct mock_domain *domain, u64 start, u64 last)
{
	struct mock_endpoint *endpoint;

	list_for_each_entry(endpoint, &model->endpoints, node)
		if (endpoint->domain == domain && mock_endpoint_reserves(endpoint, start, last))
			return true;
	return false;
}

static u8 mock_map(struct mock_model *model, const void *readable)
{
	const struct virtio_iommu_req_map *req = readable;
	struct mock_domain *domain = mock_domain_find(model, le32_to_cpu(req->domain));
	u64 start = le64_to_cpu(req->virt_start), last = le64_to_cpu(req->virt_end);
	struct mock_mapping *mapping;
	u8 status = mock_check_map(model, req);

	if (status != VIRTIO_IOMMU_S_OK)
		return status;
	if (!domain)
		return VIRTIO_IOMMU_S_NOENT;		/* V24 */
	if (domain->bypass) {
		mock_broke(model, 18, "MAP in a bypass domain");
		return VIRTIO_IOMMU_S_INVAL;		/* V25 */
	}
	if (mock_domain_reserves(model, domain, start, last)) {
		mock_broke(model, 35, "MAP in a reserved region");
		if (!(model->quirks & MOCK_UNCHECKED))
			return VIRTIO_IOMMU_S_INVAL;	/* V43 */
	}
	mapping = mock_mapping_find(domain, start);
	if (mapping && mapping->start <= last) {
		mock_broke(model, 0, "MAP over a mapping");
		return VIRTIO_IOMMU_S_INVAL;		/* V22 */
	}
	if (model->max_mappings && model->nr_mappings >= model->max_mappings)
		return VIRTIO_IOMMU_S_NOMEM;
	return mock_mapping_add(model, domain, start, last, le64_to_cpu(req->phys_start),
				le32_to_cpu(req->flags)) ?
	       VIRTIO_IOMMU_S_NOMEM : VIRTIO_IOMMU_S_OK;
}

/* V30: a mapping goes whole, or nothing goes. */
static bool mock_splits(struct mock_model *model, const struct mock_domain *domain, u64 start,
			u64 last)
{
	struct mock_mapping *mapping = mock_mapping_find(domain, start);
	bool first, end;

	first = mapping && mapping->start < start;
	mapping = mock_mapping_find(domain, last);
	end = mapping && mapping->start <= last && mapping->last > last;
	if (first)
		mock_broke(model, 26, "UNMAP begins within a mapping");
	if (end)
		mock_broke(model, 27, "UNMAP ends within a mapping");
	return first || end;
}

static u8 mock_unmap(struct mock_model *model, const void *readable)
{
	const struct virtio_iommu_req_unmap *req = readable;
	struct mock_domain *domain = mock_domain_find(model, le32_to_cpu(req->domain));
	u64 start = le64_to_cpu(req->virt_start), last = le64_to_cpu(req->virt_end);
	struct mock_mapping *mapping, *next;

	if (!mock_is_clear(req->reserved, sizeof(req->reserved))) {
		mock_broke(model, 24, "UNMAP: reserved bytes set");
		return VIRTIO_IOMMU_S_INVAL;		/* V27 */
	}
	if (!mock_input_in_range(model, start, last) ||
	    !mock_domain_in_range(model, le32_to_cpu(req->domain)))
		return VIRTIO_IOMMU_S_RANGE;
	if (!domain)
		return VIRTIO_IOMMU_S_NOENT;		/* V28 */
	if (domain->bypass) {
		mock_broke(model, 28, "UNMAP in a bypass domain");
		return VIRTIO_IOMMU_S_INVAL;		/* V29 */
	}
	if (mock_splits(model, domain, start, last))
		return VIRTIO_IOMMU_S_RANGE;
	mapping = mock_mapping_find(domain, start);
	if (!mapping || mapping->start > last)
		mock_broke(model, 25, "UNMAP of nothing");
	/* V31: what lies between mappings does not matter. */
	for (; mapping && mapping->start <= last; mapping = next) {
		next = mock_mapping_next(mapping);
		mock_mapping_del(model, domain, mapping);
	}
	return VIRTIO_IOMMU_S_OK;
}

/* @properties: of @room bytes, zeroed: V39 */
static u8 mock_probe(struct mock_model *model, const void *readable, u8 *properties, u32 room)
{
	const struct virtio_iommu_req_probe *req = readable;
	struct mock_endpoint *endpoint = mock_endpoint_asked(model, le32_to_cpu(req->endpoint));

	if (!mock_is_clear(req->reserved, sizeof(req->reserved)))
		mock_broke(model, 30, "PROBE: reserved bytes set");	/* V32 */
	if (!endpoint)
		return VIRTIO_IOMMU_S_NOENT;		/* V33 */
	endpoint->probed = true;
	if (endpoint->nr_properties > room)
		return VIRTIO_IOMMU_S_INVAL;		/* V38 */
	if (endpoint->nr_properties)
		memcpy(properties, endpoint->properties, endpoint->nr_properties);
	return VIRTIO_IOMMU_S_OK;
}

/* What a request of that type must be long, or 0. */
static u32 mock_readable(u8 type)
{
	switch (type) {
	case VIRTIO_IOMMU_T_ATTACH:
		return MOCK_READABLE(attach);
	case VIRTIO_IOMMU_T_DETACH:
		return MOCK_READABLE(detach);
	case VIRTIO_IOMMU_T_MAP:
		return MOCK_READABLE(map);
	case VIRTIO_IOMMU_T_UNMAP:
		return MOCK_READABLE(unmap);
	case VIRTIO_IOMMU_T_PROBE:
		return sizeof(struct virtio_iommu_req_probe);
	default:
		return 0;
	}
}

/* Whether it can be read at all; what cannot is returned unwritten. */
static bool mock_is_sound(struct mock_model *model, u8 type, u32 nr_readable, u32 nr_writable)
{
	u32 extra = 0;

	if (!mock_readable(type)) {
		mock_broke(model, 0, "a request of an unknown type");	/* V6 */
		return false;
	}
	if (type == VIRTIO_IOMMU_T_PROBE) {
		if (!mock_has(model, VIRTIO_IOMMU_F_PROBE)) {
			mock_broke(model, 0, "PROBE without the feature");	/* V34 */
			return false;
		}
		extra = le32_to_cpu(model->config.probe_size);
	} else if (!mock_has(model, VIRTIO_IOMMU_F_MAP_UNMAP) &&
		   (type == VIRTIO_IOMMU_T_MAP || type == VIRTIO_IOMMU_T_UNMAP)) {
		mock_broke(model, 6, "MAP or UNMAP without the feature");
		return false;
	}
	if (nr_readable == mock_readable(type) && nr_writable == extra + MOCK_TAIL)
		return true;
	mock_broke(model, type == VIRTIO_IOMMU_T_PROBE ? 29 : 0, "a request of a wrong size");
	return false;
}

/**
 * mock_model_request() - carry a request out
 * @model: the device
 * @readable: what the device reads
 * @nr_readable: bytes
 * @writable: what it writes
 * @nr_writable: bytes
 *
 * Return: how many bytes it wrote: the used length.
 */
u32 mock_model_request(struct mock_model *model, const void *readable, u32 nr_readable,
		       void *writable, u32 nr_writable)
{
	const struct virtio_iommu_req_head *head = readable;
	struct virtio_iommu_req_tail tail = {};		/* V7 */
	u8 type = nr_readable >= sizeof(*head) ? head->type : 0;

	model->counts[mock_readable(type) ? type : 0]++;
	if (!mock_is_sound(model, type, nr_readable, nr_writable)) {
		model->refused[mock_readable(type) ? type : 0]++;
		return 0;
	}
	if (!mock_is_clear(head->reserved, sizeof(head->reserved)))
		mock_broke(model, 8, "reserved bytes of a head set");	/* V7 */
	memset(writable, 0, nr_writable);
	switch (type) {
	case VIRTIO_IOMMU_T_ATTACH:
		tail.status = mock_attach(model, readable);
		break;
	case VIRTIO_IOMMU_T_DETACH:
		tail.status = mock_detach(model, readable);
		break;
	case VIRTIO_IOMMU_T_MAP:
		tail.status = mock_map(model, readable);
		break;
	case VIRTIO_IOMMU_T_UNMAP:
		tail.status = mock_unmap(model, readable);
		break;
	case VIRTIO_IOMMU_T_PROBE:
		tail.status = mock_probe(model, readable, writable, nr_writable - MOCK_TAIL);
		break;
	}
	if (model->quirks & MOCK_TAIL_DIRTY)
		memset(tail.reserved, 0xff, sizeof(tail.reserved));
	memcpy((u8 *)writable + nr_writable - MOCK_TAIL, &tail, MOCK_TAIL);
	if (tail.status == VIRTIO_IOMMU_S_OK)
		return nr_writable;
	model->refused[type]++;
	return model->quirks & MOCK_MUTE ? 0 : nr_writable;
}
