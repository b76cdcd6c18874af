/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A model of the virtio-iommu device: requests in, answers out. See model.c and space.c.
 *
 * It shares nothing with the driver but the uapi header, so that one mistake is not in
 * both. V1 to V49 are the clauses for the device and D1 to D41 those for the driver, in
 * the order of the specification; Documentation/conformance.rst lists them.
 */
#ifndef _VIOMMU_MOCK_MODEL_H
#define _VIOMMU_MOCK_MODEL_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>
#include <uapi/linux/virtio_iommu.h>

#define MOCK_CLAUSES		42	/* D1 to D41; 0 is for what no clause is about */

/* What hosts do that the specification would have otherwise, or leaves open. */
#define MOCK_ANY_ENDPOINT	0x01	/* every endpoint ID is one */
#define MOCK_NO_MOVE		0x02	/* who is attached stays attached: UNSUPP */
#define MOCK_UNCHECKED		0x04	/* alignment, ranges, reserved fields and regions */
#define MOCK_NO_EVENTS		0x08	/* no fault is reported */
#define MOCK_MUTE		0x10	/* what is refused has a used length of 0 */
#define MOCK_NO_CROSSING	0x20	/* no access goes from one mapping into the next */
#define MOCK_BYPASS_HIDDEN	0x40	/* bypass reads as 0, whatever it is */
#define MOCK_NO_TOP		0x80	/* no mapping ends at 2^64-1: DEVERR */
#define MOCK_BYPASS_DIRTY	0x100	/* bits 1 to 7 of bypass read as 1 */
#define MOCK_TAIL_DIRTY		0x200	/* so do the reserved bytes of a tail */

/**
 * struct mock_domain - a domain; exists as long as an endpoint is attached
 * @node: in the model's list
 * @id: domain ID
 * @bypass: a bypass domain
 * @nr_endpoints: how many are attached
 * @mappings: by address
 */
struct mock_domain {
	struct list_head node;
	u32 id;
	bool bypass;
	unsigned int nr_endpoints;
	struct rb_root mappings;
};

/**
 * struct mock_mapping - a mapping
 * @node: in its domain
 * @start: first IOVA
 * @last: last IOVA
 * @phys: where @start is
 * @flags: VIRTIO_IOMMU_MAP_F_*
 */
struct mock_mapping {
	struct rb_node node;
	u64 start;
	u64 last;
	u64 phys;
	u32 flags;
};

/**
 * struct mock_endpoint - an endpoint
 * @node: in the model's list
 * @id: endpoint ID
 * @domain: where it is attached, or NULL
 * @probed: since the last reset
 * @properties: what PROBE answers, or NULL
 * @nr_properties: bytes
 */
struct mock_endpoint {
	struct list_head node;
	u32 id;
	struct mock_domain *domain;
	bool probed;
	u8 *properties;
	u32 nr_properties;
};

/**
 * struct mock_model - a device
 * @features: offered
 * @accepted: negotiated, 0 after a reset
 * @config: the config space
 * @quirks: MOCK_*
 * @max_mappings: beyond which MAP answers NOMEM; 0: no bound
 * @nr_mappings: in all domains
 * @is_ram: is an address memory, and no device's register? NULL: all is
 * @domains: by no order
 * @endpoints: by no order
 * @counts: requests by type, 0 for unknown ones
 * @refused: those that were not answered with OK
 * @broken: how often the driver broke a clause, by its number
 * @complaint: about what, the last time
 */
struct mock_model {
	u64 features;
	u64 accepted;
	struct virtio_iommu_config config;
	u32 quirks;
	u32 max_mappings;
	u32 nr_mappings;
	bool (*is_ram)(u64 phys);
	struct list_head domains;
	struct list_head endpoints;
	u64 counts[6];
	u64 refused[6];
	unsigned int broken[MOCK_CLAUSES];
	const char *complaint;
};

/**
 * struct mock_access - an access by an endpoint
 * @endpoint: its ID
 * @address: IOVA
 * @size: bytes, at least 1
 * @write: it writes
 * @phys: where @address leads
 * @run: for how many bytes, at most @size
 * @fault: why it leads nowhere
 */
struct mock_access {
	u32 endpoint;
	u64 address;
	u64 size;
	bool write;
	u64 phys;
	u64 run;
	struct virtio_iommu_fault fault;
};

struct mock_mapping *mock_mapping_first(const struct mock_domain *domain);
struct mock_mapping *mock_mapping_next(struct mock_mapping *mapping);
struct mock_mapping *mock_mapping_find(const struct mock_domain *domain, u64 start);
int mock_mapping_add(struct mock_model *model, struct mock_domain *domain, u64 start, u64 last,
		     u64 phys, u32 flags);
void mock_mapping_del(struct mock_model *model, struct mock_domain *domain,
		      struct mock_mapping *mapping);
struct mock_domain *mock_domain_find(struct mock_model *model, u32 id);
struct mock_domain *mock_domain_create(struct mock_model *model, u32 id, bool bypass);
void mock_domain_move(struct mock_model *model, struct mock_endpoint *endpoint,
		      struct mock_domain *domain);
bool mock_endpoint_reserves(const struct mock_endpoint *endpoint, u64 start, u64 last);

static inline bool mock_has(const struct mock_model *model, unsigned int feature)
{
	return model->accepted >> feature & 1;
}

void mock_model_init(struct mock_model *model);
void mock_model_reset(struct mock_model *model);
void mock_model_destroy(struct mock_model *model);
void mock_model_accept(struct mock_model *model, u64 features);
void mock_model_config_read(const struct mock_model *model, u32 offset, void *to, u32 size);
void mock_model_config_write(struct mock_model *model, u32 offset, const void *from, u32 size);
u32 mock_model_request(struct mock_model *model, const void *readable, u32 nr_readable,
		       void *writable, u32 nr_writable);
int mock_model_translate(struct mock_model *model, struct mock_access *access);
struct mock_endpoint *mock_model_endpoint(struct mock_model *model, u32 id);
struct mock_endpoint *mock_model_endpoint_add(struct mock_model *model, u32 id);
void mock_model_endpoint_del(struct mock_model *model, struct mock_endpoint *endpoint);

#endif /* _VIOMMU_MOCK_MODEL_H */
