/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio-iommu, as the specification has it: what it holds, what it translates, and
 * what it answers to a request. It is slow and obvious, reads the wire byte by byte, and
 * trusts nobody. What a driver must not send it answers as the specification says,
 * and complains of.
 *
 * V9 to V39 in the .c file number the device's clauses of the section "IOMMU device", in
 * their order.
 */
#ifndef _FAKE_IOMMU_H
#define _FAKE_IOMMU_H

#include "fake_virtqueue.h"

#define FAKE_ENDPOINTS	8
#define FAKE_REGIONS	2	/* of an endpoint */
#define FAKE_MAPPINGS	512

/**
 * struct fake_region - what PROBE reports: a RESV_MEM property
 * @subtype: 0: reserved, 1: MSI, 2: identity
 * @start: first IOVA
 * @last: last IOVA
 * @flags: of an identity region
 */
struct fake_region {
	u8 subtype;
	u64 start;
	u64 last;
	u32 flags;
};

/**
 * struct fake_endpoint - an endpoint
 * @id: its ID
 * @attached: to a domain
 * @domain: to which
 * @bypass: which is a bypass domain
 * @nr_regions: number of @regions
 * @regions: what it reserves
 */
struct fake_endpoint {
	u32 id;
	bool attached;
	u32 domain;
	bool bypass;
	unsigned int nr_regions;
	struct fake_region regions[FAKE_REGIONS];
};

/**
 * struct fake_mapping - a mapping
 * @domain: of which domain
 * @start: first IOVA
 * @last: last IOVA
 * @phys: what @start translates to
 * @flags: VIRTIO_IOMMU_MAP_F_*
 * @kept: an UNMAP of it was refused for no good reason
 * @lost: and one of all that there is: the driver may take it for gone
 */
struct fake_mapping {
	u32 domain;
	u64 start;
	u64 last;
	u64 phys;
	u32 flags;
	bool kept;
	bool lost;
};

/**
 * struct fake_iommu - the device
 * @granule: addresses are multiples of it
 * @input_start: first IOVA
 * @input_last: last IOVA
 * @domain_start: first domain ID
 * @domain_last: last domain ID
 * @has_mmio: the driver has accepted the feature MMIO
 * @has_bypass_config: or BYPASS_CONFIG
 * @no_move: an endpoint in a domain must be detached before it is attached (V14)
 * @no_share: a domain has one endpoint (V12)
 * @nr_endpoints: number of @endpoints
 * @endpoints: the endpoints that there are
 * @nr_mappings: number of @mappings
 * @mappings: what it holds. A domain exists while an endpoint is attached to it
 * @complaint: what the driver did last that it must not do; NULL: nothing
 */
struct fake_iommu {
	u64 granule;
	u64 input_start;
	u64 input_last;
	u32 domain_start;
	u32 domain_last;
	bool has_mmio;
	bool has_bypass_config;
	bool no_move;
	bool no_share;
	unsigned int nr_endpoints;
	struct fake_endpoint endpoints[FAKE_ENDPOINTS];
	unsigned int nr_mappings;
	struct fake_mapping mappings[FAKE_MAPPINGS];
	const char *complaint;
};

/* Does as a request says, if it is right. Return: the status. */
u8 fake_iommu_handle(struct fake_iommu *iommu, const struct fake_request *request);

struct fake_endpoint *fake_iommu_endpoint(struct fake_iommu *iommu, u32 id);

/* Takes an endpoint out of its domain, which ends with its last one. */
void fake_iommu_detach(struct fake_iommu *iommu, struct fake_endpoint *endpoint);

bool fake_iommu_has_domain(const struct fake_iommu *iommu, u32 domain);

/* The mapping of an IOVA, or NULL. */
const struct fake_mapping *fake_iommu_find(const struct fake_iommu *iommu, u32 domain, u64 iova);

/* Whether two ranges have an address in common. */
static inline bool fake_overlaps(u64 start, u64 last, u64 other_start, u64 other_last)
{
	return start <= other_last && other_start <= last;
}

#endif /* _FAKE_IOMMU_H */
