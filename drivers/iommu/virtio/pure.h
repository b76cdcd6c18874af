/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the pure files offer: config.c, property.c, regions.c, fault.c, table.c,
 * viot.c and iort.c. They take plain data and return plain results: no device, no
 * lock, no allocation. The user-space tests and fuzzers build the same files.
 */
#ifndef _VIOMMU_PURE_H
#define _VIOMMU_PURE_H

#include <linux/types.h>
#include <asm/byteorder.h>
#include <uapi/linux/virtio_iommu.h>

/* Bounds on what the device dictates. QEMU asks for 512 bytes of properties. */
#define VIOMMU_PROBE_SIZE_MAX	(64 * 1024)

/**
 * struct viommu_limits - what the config space allows, checked
 * @granule: smallest mapping, in bytes, a power of two
 * @input_start: first IOVA, aligned to @granule
 * @input_last: last IOVA, its successor aligned to @granule
 * @domain_start: first domain ID
 * @domain_last: last domain ID
 * @probe_size: bytes of properties in a PROBE request; 0: there is no PROBE
 */
struct viommu_limits {
	u64 granule;
	u64 input_start;
	u64 input_last;
	u32 domain_start;
	u32 domain_last;
	u32 probe_size;
};

int viommu_limits_init(struct viommu_limits *limits, const struct virtio_iommu_config *config,
		       u64 features, const char **why);
bool viommu_limits_are(const struct viommu_limits *limits, const struct viommu_limits *other);

/**
 * enum viommu_region_type - what a reserved region is for
 * @VIOMMU_REGION_MSI: writes there are interrupts, untranslated: nothing may be mapped
 * @VIOMMU_REGION_RESERVED: nothing may be mapped there
 * @VIOMMU_REGION_IDENTITY: the endpoint uses the memory at these very addresses: they
 *	are mapped to themselves, and to nothing else
 *
 * Where two overlap the greater one counts.
 */
enum viommu_region_type {
	VIOMMU_REGION_MSI,
	VIOMMU_REGION_RESERVED,
	VIOMMU_REGION_IDENTITY,
};

/**
 * struct viommu_region - a range of IOVAs that is not for mappings
 * @start: first IOVA
 * @last: last IOVA
 * @type: what it is for
 * @flags: VIRTIO_IOMMU_MAP_F_* of an identity region, one of READ and WRITE among
 *	them; 0 for others
 */
struct viommu_region {
	u64 start;
	u64 last;
	enum viommu_region_type type;
	u32 flags;
};

/**
 * struct viommu_regions - a list of regions
 * @entries: memory for @max regions
 * @nr: regions in use
 * @max: regions that fit
 */
struct viommu_regions {
	struct viommu_region *entries;
	unsigned int nr;
	unsigned int max;
};

int viommu_regions_add(struct viommu_regions *regions, const struct viommu_region *region);
unsigned int viommu_regions_settle_identity(struct viommu_regions *regions,
					    const struct viommu_limits *limits, bool accept);
int viommu_regions_normalise(struct viommu_regions *regions, struct viommu_regions *from,
			     u64 granule);
unsigned int viommu_regions_bound(struct viommu_regions *regions);
const struct viommu_region *viommu_regions_first(const struct viommu_regions *regions, u64 start,
						 u64 last);
const struct viommu_region *viommu_regions_open(const struct viommu_regions *regions,
						const struct viommu_regions *other);
int viommu_regions_place(const struct viommu_regions *regions, const struct viommu_limits *limits,
			 u64 size, u64 wanted, u64 *place);

/**
 * struct viommu_property - one property of a PROBE reply
 * @type: its type, reserved bits included
 * @length: bytes of @value
 * @value: what follows the property's head
 */
struct viommu_property {
	u16 type;
	u16 length;
	const u8 *value;
};

int viommu_property_next(const u8 *buffer, size_t size, size_t *offset,
			 struct viommu_property *property);
int viommu_property_regions(const u8 *buffer, size_t size, struct viommu_regions *regions);

/**
 * struct viommu_fault - a fault report, checked
 * @endpoint: endpoint ID
 * @address: IOVA of the access, if @has_address
 * @reason: VIRTIO_IOMMU_FAULT_R_*, one that the specification knows
 * @has_address: whether the report has an address
 * @read: the access was a read
 * @write: the access was a write
 * @exec: the access was an instruction fetch
 */
struct viommu_fault {
	u32 endpoint;
	u64 address;
	u8 reason;
	bool has_address;
	bool read;
	bool write;
	bool exec;
};

int viommu_fault_decode(struct viommu_fault *fault, const void *buffer, size_t size);
const char *viommu_fault_reason(const struct viommu_fault *fault);

/**
 * enum viommu_transport - what a virtio-iommu is reached through
 * @VIOMMU_TRANSPORT_PCI: a PCI function
 * @VIOMMU_TRANSPORT_MMIO: a virtio-mmio window
 */
enum viommu_transport {
	VIOMMU_TRANSPORT_PCI,
	VIOMMU_TRANSPORT_MMIO,
};

/**
 * struct viommu_node - which virtio-iommu a table means
 * @transport: which of the other members count
 * @segment: PCI segment
 * @bdf: bus, device and function, 8:5:3 bits
 * @base: physical address of the virtio-mmio window
 */
struct viommu_node {
	enum viommu_transport transport;
	u16 segment;
	u16 bdf;
	u64 base;
};

/**
 * struct viommu_range - endpoints that stand behind one virtio-iommu
 * @transport: whether the endpoints are PCI functions or one MMIO device
 * @segment_start: first PCI segment
 * @segment_last: last PCI segment
 * @bdf_start: first function of every segment
 * @bdf_last: last function of every segment
 * @base: physical address of the MMIO device
 * @endpoint_start: endpoint ID of the first function, or of the MMIO device
 * @iommu: the virtio-iommu
 *
 * Ranges may overlap: the first of a table that holds a function counts.
 */
struct viommu_range {
	enum viommu_transport transport;
	u16 segment_start;
	u16 segment_last;
	u16 bdf_start;
	u16 bdf_last;
	u64 base;
	u32 endpoint_start;
	struct viommu_node iommu;
};

int viommu_range_check(const struct viommu_range *range);
bool viommu_range_pci_endpoint(const struct viommu_range *range, u16 segment, u16 bdf,
			       u32 *endpoint);

/* ACPI's standard header, and twelve bytes of the table's own. */
#define VIOMMU_TABLE_HEADER_SIZE	48

/**
 * struct viommu_table_cursor - where a walk over a VIOT or an IORT stands
 * @table: the table, its standard header included
 * @size: bytes of @table that may be read
 * @length_at: where in a node its length is
 * @offset: of the next node
 * @at: of the node, or ID mapping, that was read last
 * @left: nodes that the header still promises
 * @mapping: IORT: offset of the next ID mapping
 * @mappings_left: IORT: ID mappings that the node still has
 * @segment: IORT: PCI segment that they are about
 */
struct viommu_table_cursor {
	const u8 *table;
	size_t size;
	size_t length_at;
	size_t offset;
	size_t at;
	u32 left;
	size_t mapping;
	u32 mappings_left;
	u16 segment;
};

int viommu_table_begin(struct viommu_table_cursor *cursor, const void *table, size_t size,
		       void *header);
int viommu_table_read(const struct viommu_table_cursor *cursor, size_t offset, void *to,
		      size_t want);
size_t viommu_table_read_node(const struct viommu_table_cursor *cursor, size_t offset,
			      void *node, size_t want);
int viommu_table_next(struct viommu_table_cursor *cursor, void *head, size_t size);

int viommu_viot_begin(struct viommu_table_cursor *cursor, const void *table, size_t size);
int viommu_viot_next(struct viommu_table_cursor *cursor, struct viommu_range *range);

int viommu_iort_begin(struct viommu_table_cursor *cursor, const void *table, size_t size);
int viommu_iort_next(struct viommu_table_cursor *cursor, struct viommu_range *range);

#endif /* _VIOMMU_PURE_H */
