// SPDX-License-Identifier: GPL-2.0
/*
 * Reader of the ACPI I/O Remapping Table (IORT), as far as it is about
 * virtio-iommus: ID mappings of PCI root complexes whose output is a
 * paravirtualised IOMMU's node.
 *
 * No published revision of the table has that node. Hosts of the years before
 * the VIOT described their virtio-iommu with it, and no kernel reads it.
 *
 * What leads to an interrupt controller or an IOMMU of another kind is none of
 * our business and skipped without a word. The reader follows one reference,
 * from a mapping to its output, and never further, so there are no loops. It
 * believes the table no more than viot.c does.
 *
 * Specification: Arm DEN0049E.d, "IO Remapping Table", for all but that node.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "pure.h"

#define IORT_NODE_ROOT_COMPLEX	0x02
#define IORT_NODE_PARAVIRT	0x80

#define IORT_PARAVIRT_MMIO	0
#define IORT_PARAVIRT_PCI	1

#define IORT_MAPPING_SINGLE	0x1

struct iort_header {
	u8 standard[36];
	__le32 node_count;
	__le32 node_offset;
	__le32 reserved;
};

struct iort_node_head {
	u8 type;
	__le16 length;
	u8 revision;
	__le32 identifier;
	__le32 mapping_count;
	__le32 mapping_offset;
} __packed;

/* As much of it as every revision has. */
struct iort_root_complex {
	struct iort_node_head head;
	u8 memory_properties[8];
	__le32 ats;
	__le32 segment;
} __packed;

struct iort_paravirt {
	struct iort_node_head head;
	union {
		__le32 bdf;
		__le64 base;
	};
	u8 reserved[8];
	__le32 model;
	__le32 flags;
	u8 reserved2[16];
} __packed;

struct iort_mapping {
	__le32 input_base;
	__le32 id_count;	/* less one */
	__le32 output_base;
	__le32 output_reference;
	__le32 flags;
};

static int iort_read_iommu(const struct viommu_table_cursor *cursor, size_t offset,
			   struct viommu_node *iommu)
{
	struct iort_paravirt node;

	if (!viommu_table_read_node(cursor, offset, &node, sizeof(node)))
		return -EBADMSG;

	switch (le32_to_cpu(node.model)) {
	case IORT_PARAVIRT_PCI:
		/* The node has no segment: it is 0. */
		*iommu = (struct viommu_node) {
			.transport = VIOMMU_TRANSPORT_PCI,
			.bdf = le32_to_cpu(node.bdf),
		};
		return le32_to_cpu(node.bdf) > U16_MAX ? -EBADMSG : 0;
	case IORT_PARAVIRT_MMIO:
		*iommu = (struct viommu_node) {
			.transport = VIOMMU_TRANSPORT_MMIO,
			.base = le64_to_cpu(node.base),
		};
		return 0;
	default:
		return -EBADMSG;
	}
}

/*
 * A single mapping gives all functions one endpoint ID. No virtio-iommu does so,
 * and a range cannot say it.
 */
static int iort_set_range(const struct viommu_table_cursor *cursor,
			  const struct iort_mapping *mapping, struct viommu_range *range)
{
	u32 first = le32_to_cpu(mapping->input_base);
	u64 last = (u64)first + le32_to_cpu(mapping->id_count);

	if (le32_to_cpu(mapping->flags) & IORT_MAPPING_SINGLE || first > U16_MAX)
		return -EBADMSG;
	*range = (struct viommu_range) {
		.transport = VIOMMU_TRANSPORT_PCI,
		.segment_start = cursor->segment,
		.segment_last = cursor->segment,
		.bdf_start = first,
		/* Requester IDs end at 0xffff, mappings of all there are need not. */
		.bdf_last = min_t(u64, last, U16_MAX),
		.endpoint_start = le32_to_cpu(mapping->output_base),
	};
	return viommu_range_check(range) ? -EBADMSG : 0;
}

/* Return: 1 with a range, 0 where the mapping is not ours, -EBADMSG. */
static int iort_read_mapping(const struct viommu_table_cursor *cursor, struct viommu_range *range)
{
	struct iort_node_head output;
	struct iort_mapping mapping;
	size_t reference;
	int ret;

	if (viommu_table_read(cursor, cursor->at, &mapping, sizeof(mapping)))
		return -EBADMSG;
	reference = le32_to_cpu(mapping.output_reference);
	if (!viommu_table_read_node(cursor, reference, &output, sizeof(output)))
		return -EBADMSG;
	if (output.type != IORT_NODE_PARAVIRT)
		return 0;

	ret = iort_set_range(cursor, &mapping, range);
	if (!ret)
		ret = iort_read_iommu(cursor, reference, &range->iommu);
	return ret ? ret : 1;
}

/* From now on, the walk is about the mappings of the node at @cursor->at. */
static int iort_enter_root_complex(struct viommu_table_cursor *cursor)
{
	struct iort_root_complex node;
	u32 count, offset, segment;
	size_t length;

	length = viommu_table_read_node(cursor, cursor->at, &node, sizeof(node));
	if (!length)
		return -EBADMSG;
	count = le32_to_cpu(node.head.mapping_count);
	offset = le32_to_cpu(node.head.mapping_offset);
	segment = le32_to_cpu(node.segment);
	if (!count)
		return 0;
	if (offset < sizeof(node) || offset > length ||
	    count > (length - offset) / sizeof(struct iort_mapping) || segment > U16_MAX)
		return -EBADMSG;

	cursor->mapping = cursor->at + offset;
	cursor->mappings_left = count;
	cursor->segment = segment;
	return 0;
}

/**
 * viommu_iort_begin() - start a walk
 * @cursor: initialised
 * @table: the table, with its standard header
 * @size: bytes that may be read
 *
 * Context: Any.
 * Return: 0, or -EINVAL where there is no room for an IORT.
 */
int viommu_iort_begin(struct viommu_table_cursor *cursor, const void *table, size_t size)
{
	struct iort_header header;

	if (viommu_table_begin(cursor, table, size, &header))
		return -EINVAL;
	cursor->length_at = offsetof(struct iort_node_head, length);
	cursor->offset = le32_to_cpu(header.node_offset);
	cursor->left = le32_to_cpu(header.node_count);
	return cursor->offset < sizeof(header) ? -EINVAL : 0;
}

/**
 * viommu_iort_next() - next range of endpoints
 * @cursor: where the walk stands; @cursor->at is the offset of the ID mapping in
 *	question, after a range as after an error, or of the node where that is bad
 * @range: filled in
 *
 * After -EBADMSG the walk may go on: the mapping, or the node with all of its
 * mappings, is skipped. After -EINVAL the list of nodes itself is broken, and the
 * walk is over.
 *
 * Context: Any.
 * Return: 1 with a range, 0 at the end, -EBADMSG for a bad mapping or node, -EINVAL.
 */
int viommu_iort_next(struct viommu_table_cursor *cursor, struct viommu_range *range)
{
	struct iort_node_head head;
	int ret;

	for (;;) {
		while (cursor->mappings_left) {
			cursor->at = cursor->mapping;
			cursor->mapping += sizeof(struct iort_mapping);
			cursor->mappings_left--;
			ret = iort_read_mapping(cursor, range);
			if (ret)
				return ret;
		}
		ret = viommu_table_next(cursor, &head, sizeof(head));
		if (ret <= 0)
			return ret;
		if (head.type == IORT_NODE_ROOT_COMPLEX && iort_enter_root_complex(cursor))
			return -EBADMSG;
	}
}
