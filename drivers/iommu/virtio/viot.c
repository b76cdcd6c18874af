// SPDX-License-Identifier: GPL-2.0
/*
 * Reader of the ACPI Virtual I/O Translation table (VIOT).
 *
 * The table is a flat list of nodes. PCI range and MMIO endpoint nodes say
 * which endpoints stand behind which virtio-iommu, and name the latter by the
 * offset of its node. The walk hands out the former with the latter resolved.
 * A reference counts only where it hits what looks like a node of the right kind.
 * The reader follows one and never further, so there are no loops.
 *
 * Specification: ACPI 6.5, "Virtual I/O Translation Table (VIOT)".
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "pure.h"

#define VIOT_NODE_PCI_RANGE	1
#define VIOT_NODE_MMIO		2
#define VIOT_NODE_IOMMU_PCI	3
#define VIOT_NODE_IOMMU_MMIO	4

struct viot_header {
	u8 standard[36];
	__le16 node_count;
	__le16 node_offset;
	u8 reserved[8];
};

struct viot_node_head {
	u8 type;
	u8 reserved;
	__le16 length;
} __packed;

struct viot_pci_range {
	struct viot_node_head head;
	__le32 endpoint_start;
	__le16 segment_start;
	__le16 segment_last;
	__le16 bdf_start;
	__le16 bdf_last;
	__le16 output_node;
	u8 reserved[6];
} __packed;

struct viot_mmio_endpoint {
	struct viot_node_head head;
	__le32 endpoint;
	__le64 base;
	__le16 output_node;
	u8 reserved[6];
} __packed;

struct viot_iommu_pci {
	struct viot_node_head head;
	__le16 segment;
	__le16 bdf;
	u8 reserved[8];
} __packed;

struct viot_iommu_mmio {
	struct viot_node_head head;
	u8 reserved[4];
	__le64 base;
} __packed;

static int viot_read_iommu(const struct viommu_table_cursor *cursor, size_t offset,
			   struct viommu_node *iommu)
{
	struct viot_node_head head;
	struct viot_iommu_pci pci;
	struct viot_iommu_mmio mmio;

	if (!viommu_table_read_node(cursor, offset, &head, sizeof(head)))
		return -EINVAL;

	switch (head.type) {
	case VIOT_NODE_IOMMU_PCI:
		if (!viommu_table_read_node(cursor, offset, &pci, sizeof(pci)))
			return -EINVAL;
		*iommu = (struct viommu_node) {
			.transport = VIOMMU_TRANSPORT_PCI,
			.segment = le16_to_cpu(pci.segment),
			.bdf = le16_to_cpu(pci.bdf),
		};
		return 0;
	case VIOT_NODE_IOMMU_MMIO:
		if (!viommu_table_read_node(cursor, offset, &mmio, sizeof(mmio)))
			return -EINVAL;
		*iommu = (struct viommu_node) {
			.transport = VIOMMU_TRANSPORT_MMIO,
			.base = le64_to_cpu(mmio.base),
		};
		return 0;
	default:
		return -EINVAL;
	}
}

static int viot_read_pci_range(const struct viommu_table_cursor *cursor, size_t offset,
			       struct viommu_range *range)
{
	struct viot_pci_range node;

	if (!viommu_table_read_node(cursor, offset, &node, sizeof(node)))
		return -EINVAL;
	*range = (struct viommu_range) {
		.transport = VIOMMU_TRANSPORT_PCI,
		.segment_start = le16_to_cpu(node.segment_start),
		.segment_last = le16_to_cpu(node.segment_last),
		.bdf_start = le16_to_cpu(node.bdf_start),
		.bdf_last = le16_to_cpu(node.bdf_last),
		.endpoint_start = le32_to_cpu(node.endpoint_start),
	};
	if (viommu_range_check(range))
		return -EINVAL;
	return viot_read_iommu(cursor, le16_to_cpu(node.output_node), &range->iommu);
}

static int viot_read_mmio_endpoint(const struct viommu_table_cursor *cursor, size_t offset,
				   struct viommu_range *range)
{
	struct viot_mmio_endpoint node;

	if (!viommu_table_read_node(cursor, offset, &node, sizeof(node)))
		return -EINVAL;
	*range = (struct viommu_range) {
		.transport = VIOMMU_TRANSPORT_MMIO,
		.base = le64_to_cpu(node.base),
		.endpoint_start = le32_to_cpu(node.endpoint),
	};
	return viot_read_iommu(cursor, le16_to_cpu(node.output_node), &range->iommu);
}

/**
 * viommu_viot_begin() - start a walk
 * @cursor: initialised
 * @table: the table, with its standard header
 * @size: bytes that may be read
 *
 * Context: Any.
 * Return: 0, or -EINVAL where there is no room for a VIOT.
 */
int viommu_viot_begin(struct viommu_table_cursor *cursor, const void *table, size_t size)
{
	struct viot_header header;

	if (viommu_table_begin(cursor, table, size, &header))
		return -EINVAL;
	cursor->length_at = offsetof(struct viot_node_head, length);
	cursor->offset = le16_to_cpu(header.node_offset);
	cursor->left = le16_to_cpu(header.node_count);
	return cursor->offset < sizeof(header) ? -EINVAL : 0;
}

/**
 * viommu_viot_next() - next range of endpoints
 * @cursor: where the walk stands; @cursor->at is the offset of the node in question,
 *	after a range as after an error
 * @range: filled in
 *
 * After -EBADMSG the walk may go on: the node is skipped. After -EINVAL the list
 * of nodes itself is broken, and the walk is over.
 *
 * Context: Any.
 * Return: 1 with a range, 0 at the end, -EBADMSG for a bad node, -EINVAL.
 */
int viommu_viot_next(struct viommu_table_cursor *cursor, struct viommu_range *range)
{
	struct viot_node_head head;
	int ret;

	while ((ret = viommu_table_next(cursor, &head, sizeof(head))) > 0) {
		if (head.type == VIOT_NODE_PCI_RANGE)
			ret = viot_read_pci_range(cursor, cursor->at, range);
		else if (head.type == VIOT_NODE_MMIO)
			ret = viot_read_mmio_endpoint(cursor, cursor->at, range);
		else
			continue;
		return ret ? -EBADMSG : 1;
	}
	return ret;
}
