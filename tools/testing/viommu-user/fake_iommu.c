// SPDX-License-Identifier: GPL-2.0
/*
 * See fake_iommu.h.
 */
#include <uapi/linux/virtio_iommu.h>

#include "fake_iommu.h"

#define PROPERTY_HEAD	4
#define RESV_MEM_BYTES	28	/* an identity region's: flags and four reserved bytes more */

static u8 complain(struct fake_iommu *iommu, u8 status, const char *complaint)
{
	iommu->complaint = complaint;
	return status;
}

static bool all_zero(const u8 *bytes, size_t size)
{
	while (size && !bytes[size - 1])
		size--;
	return !size;
}

struct fake_endpoint *fake_iommu_endpoint(struct fake_iommu *iommu, u32 id)
{
	unsigned int i;

	for (i = 0; i < iommu->nr_endpoints; i++)
		if (iommu->endpoints[i].id == id)
			return &iommu->endpoints[i];
	return NULL;
}

static const struct fake_endpoint *domain_member(const struct fake_iommu *iommu, u32 domain)
{
	unsigned int i;

	for (i = 0; i < iommu->nr_endpoints; i++)
		if (iommu->endpoints[i].attached && iommu->endpoints[i].domain == domain)
			return &iommu->endpoints[i];
	return NULL;
}

bool fake_iommu_has_domain(const struct fake_iommu *iommu, u32 domain)
{
	return domain_member(iommu, domain);
}

const struct fake_mapping *fake_iommu_find(const struct fake_iommu *iommu, u32 domain, u64 iova)
{
	unsigned int i;

	for (i = 0; i < iommu->nr_mappings; i++)
		if (iommu->mappings[i].domain == domain && iommu->mappings[i].start <= iova &&
		    iova <= iommu->mappings[i].last)
			return &iommu->mappings[i];
	return NULL;
}

/* All mappings that lie in a range. */
static void domain_remove(struct fake_iommu *iommu, u32 domain, u64 start, u64 last)
{
	unsigned int i = 0;

	while (i < iommu->nr_mappings) {
		struct fake_mapping *mapping = &iommu->mappings[i];

		if (mapping->domain == domain && start <= mapping->start && mapping->last <= last)
			*mapping = iommu->mappings[--iommu->nr_mappings];
		else
			i++;
	}
}

void fake_iommu_detach(struct fake_iommu *iommu, struct fake_endpoint *endpoint)
{
	endpoint->attached = false;
	if (!domain_member(iommu, endpoint->domain))
		domain_remove(iommu, endpoint->domain, 0, U64_MAX);
}

static u8 check_domain(struct fake_iommu *iommu, u32 domain)
{
	if (domain < iommu->domain_start || domain > iommu->domain_last)
		return complain(iommu, VIRTIO_IOMMU_S_NOENT, "D12: domain ID out of range");
	return VIRTIO_IOMMU_S_OK;
}

static u8 handle_attach(struct fake_iommu *iommu, const u8 *bytes)
{
	u32 domain = get_le(bytes + 4, 4), flags = get_le(bytes + 12, 4);
	struct fake_endpoint *endpoint = fake_iommu_endpoint(iommu, get_le(bytes + 8, 4));
	const struct fake_endpoint *other;
	bool bypass = flags & VIRTIO_IOMMU_ATTACH_F_BYPASS;

	if (!all_zero(bytes + 16, 4)) /* V9 */
		return complain(iommu, VIRTIO_IOMMU_S_INVAL, "D13: reserved bytes");
	if (flags & ~(iommu->has_bypass_config ? VIRTIO_IOMMU_ATTACH_F_BYPASS : 0)) /* V10 */
		return complain(iommu, VIRTIO_IOMMU_S_INVAL, "unknown flags of ATTACH");
	if (!endpoint) /* V11 */
		return VIRTIO_IOMMU_S_NOENT;
	if (check_domain(iommu, domain))
		return VIRTIO_IOMMU_S_NOENT;
	other = domain_member(iommu, domain);
	if (other && other->bypass != bypass) /* V13 */
		return complain(iommu, VIRTIO_IOMMU_S_INVAL, "D15: bypass or not");
	if (other && other != endpoint && iommu->no_share) /* V12 */
		return VIRTIO_IOMMU_S_UNSUPP;
	if (endpoint->attached && iommu->no_move) /* V14 */
		return VIRTIO_IOMMU_S_UNSUPP;

	/* V14; not where it was there already: a mapping would be lost with the domain. */
	if (endpoint->attached && endpoint->domain != domain)
		fake_iommu_detach(iommu, endpoint);
	endpoint->attached = true;
	endpoint->domain = domain;
	endpoint->bypass = bypass;
	return VIRTIO_IOMMU_S_OK;
}

static u8 handle_detach(struct fake_iommu *iommu, const u8 *bytes)
{
	struct fake_endpoint *endpoint = fake_iommu_endpoint(iommu, get_le(bytes + 8, 4));

	if (!all_zero(bytes + 12, 8))
		iommu->complaint = "D16: reserved bytes";
	if (!endpoint) /* V18 */
		return VIRTIO_IOMMU_S_NOENT;
	if (!endpoint->attached || endpoint->domain != get_le(bytes + 4, 4)) /* V19 */
		return VIRTIO_IOMMU_S_INVAL;
	fake_iommu_detach(iommu, endpoint);
	return VIRTIO_IOMMU_S_OK;
}

static bool in_range(const struct fake_iommu *iommu, u64 start, u64 last)
{
	return iommu->input_start <= start && start < last && last <= iommu->input_last;
}

static u8 handle_map(struct fake_iommu *iommu, const u8 *bytes)
{
	struct fake_mapping mapping = {
		.domain = get_le(bytes + 4, 4), .start = get_le(bytes + 8, 8),
		.last = get_le(bytes + 16, 8), .phys = get_le(bytes + 24, 8),
		.flags = get_le(bytes + 32, 4),
	};
	const struct fake_endpoint *member = domain_member(iommu, mapping.domain);
	u32 known = VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE |
		    (iommu->has_mmio ? VIRTIO_IOMMU_MAP_F_MMIO : 0);
	unsigned int i;

	if (!in_range(iommu, mapping.start, mapping.last))
		return complain(iommu, VIRTIO_IOMMU_S_RANGE, "D11, D19: range of MAP");
	if ((mapping.start | (mapping.last + 1) | mapping.phys) % iommu->granule) /* V21 */
		return complain(iommu, VIRTIO_IOMMU_S_RANGE, "MAP is not aligned");
	if (mapping.flags & ~known) /* V23 */
		return complain(iommu, VIRTIO_IOMMU_S_INVAL, "D17, D23: flags of MAP");
	if (!member) /* V24 */
		return VIRTIO_IOMMU_S_NOENT;
	if (member->bypass) /* V25 */
		return complain(iommu, VIRTIO_IOMMU_S_INVAL, "D18: MAP in a bypass domain");
	for (i = 0; i < iommu->nr_mappings; i++) {
		const struct fake_mapping *other = &iommu->mappings[i];

		if (other->domain != mapping.domain ||
		    !fake_overlaps(mapping.start, mapping.last, other->start, other->last))
			continue;
		/* V22. The driver did what it could to get rid of one that is kept. */
		if (!other->kept)
			iommu->complaint = "MAP over a mapping";
		return VIRTIO_IOMMU_S_INVAL;
	}
	ASSERT(iommu->nr_mappings < FAKE_MAPPINGS);
	iommu->mappings[iommu->nr_mappings++] = mapping;
	return VIRTIO_IOMMU_S_OK;
}

/* The driver did what it could to get rid of a mapping that is kept, and knows no more of it. */
static u8 refuse_split(struct fake_iommu *iommu, const struct fake_mapping *mapping,
		       const char *complaint)
{
	if (!mapping->kept)
		iommu->complaint = complaint;
	return VIRTIO_IOMMU_S_RANGE;
}

static u8 handle_unmap(struct fake_iommu *iommu, const u8 *bytes)
{
	u64 start = get_le(bytes + 8, 8), last = get_le(bytes + 16, 8);
	u32 domain = get_le(bytes + 4, 4);
	const struct fake_endpoint *member = domain_member(iommu, domain);
	const struct fake_mapping *mapping;

	if (!all_zero(bytes + 24, 4)) /* V27 */
		return complain(iommu, VIRTIO_IOMMU_S_INVAL, "D24: reserved bytes");
	if (!in_range(iommu, start, last))
		return complain(iommu, VIRTIO_IOMMU_S_RANGE, "D11: range of UNMAP");
	if (!member) /* V28 */
		return VIRTIO_IOMMU_S_NOENT;
	if (member->bypass) /* V29 */
		return complain(iommu, VIRTIO_IOMMU_S_INVAL, "D28: UNMAP in a bypass domain");
	/* V30; V31: holes are no reason. */
	mapping = fake_iommu_find(iommu, domain, start);
	if (mapping && mapping->start < start)
		return refuse_split(iommu, mapping, "D26: UNMAP splits a mapping");
	mapping = fake_iommu_find(iommu, domain, last);
	if (mapping && mapping->last > last)
		return refuse_split(iommu, mapping, "D27: UNMAP splits a mapping");
	domain_remove(iommu, domain, start, last);
	return VIRTIO_IOMMU_S_OK;
}

static u8 handle_probe(struct fake_iommu *iommu, const struct fake_request *request)
{
	const struct fake_endpoint *endpoint =
		fake_iommu_endpoint(iommu, get_le(request->copy + 4, 4));
	size_t size = request->nr_writable - 4;
	u8 *at = request->writable;
	unsigned int i;

	if (!all_zero(request->copy + 8, 64)) /* V32 */
		iommu->complaint = "D30: reserved bytes";
	if (!endpoint) /* V33 */
		return VIRTIO_IOMMU_S_NOENT;
	if (size < endpoint->nr_regions * (PROPERTY_HEAD + RESV_MEM_BYTES)) /* V38 */
		return VIRTIO_IOMMU_S_INVAL;
	memset(at, 0, size); /* V39 */
	for (i = 0; i < endpoint->nr_regions; i++) {
		const struct fake_region *region = &endpoint->regions[i];

		put_le(at, VIRTIO_IOMMU_PROBE_T_RESV_MEM, 2);
		put_le(at + 2, RESV_MEM_BYTES, 2); /* V36 */
		at[PROPERTY_HEAD] = region->subtype;
		put_le(at + 8, region->start, 8);
		put_le(at + 16, region->last, 8);
		put_le(at + 24, region->flags, 4);
		at += PROPERTY_HEAD + RESV_MEM_BYTES;
	}
	return VIRTIO_IOMMU_S_OK;
}

u8 fake_iommu_handle(struct fake_iommu *iommu, const struct fake_request *request)
{
	static const u8 sizes[] = { 0, 20, 20, 36, 28, 72 };
	const u8 *bytes = request->copy;

	if (request->type >= ARRAY_SIZE(sizes) || request->nr_readable != sizes[request->type])
		return complain(iommu, VIRTIO_IOMMU_S_UNSUPP, "type or size of a request");
	if (!all_zero(bytes + 1, 3))
		iommu->complaint = "D8: reserved bytes";
	switch (request->type) {
	case VIRTIO_IOMMU_T_ATTACH:
		return handle_attach(iommu, bytes);
	case VIRTIO_IOMMU_T_DETACH:
		return handle_detach(iommu, bytes);
	case VIRTIO_IOMMU_T_MAP:
		return handle_map(iommu, bytes);
	case VIRTIO_IOMMU_T_UNMAP:
		return handle_unmap(iommu, bytes);
	default:
		return handle_probe(iommu, request);
	}
}
