// SPDX-License-Identifier: GPL-2.0
/*
 * Reader of the ACPI Virtual I/O Translation table (VIOT).
 *
 * The table is a flat list of nodes. PCI range and MMIO endpoint nodes say
 * which endpoints stand behind which virtio-iommu, and name the latter by the
 * offset of its node. The walk hands out the former with the latter resolved.
 * Firmware is not trusted more than the host: a node is looked at only where it
 * lies within the table, a reference only where it hits what looks like a node of
 * the right kind. The reader follows one reference and never further, so there
 * are no loops.
 *
 * Specification: ACPI 6.5, "Virtual I/O Translation Table (VIOT)".
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "pure.h"

#define VIOT_HEADER_SIZE	48
#define VIOT_HEADER_LENGTH	4	/* where the standard header has the length */

#define VIOT_NODE_PCI_RANGE	1
#define VIOT_NODE_MMIO		2
#define VIOT_NODE_IOMMU_PCI	3
#define VIOT_NODE_IOMMU_MMIO	4

struct viot_header {
	__le16 node_count;
	__le16 node_offset;
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

/* Copy a node of at least @want bytes out of the table, if it is there. */
static int viot_read(const struct viommu_viot_cursor *cursor, size_t offset, void *node,
		     size_t want)
{
	if (offset < VIOT_HEADER_SIZE || offset > cursor->size || want > cursor->size - offset)
		return -EINVAL;
	memcpy(node, cursor->table + offset, want);
	return 0;
}

static int viot_read_node(const struct viommu_viot_cursor *cursor, size_t offset, void *node,
			  size_t want)
{
	struct viot_node_head head;

	if (viot_read(cursor, offset, &head, sizeof(head)) || le16_to_cpu(head.length) < want)
		return -EINVAL;
	return viot_read(cursor, offset, node, want);
}

static int viot_read_iommu(const struct viommu_viot_cursor *cursor, size_t offset,
			   struct viommu_node *iommu)
{
	struct viot_node_head head;
	struct viot_iommu_pci pci;
	struct viot_iommu_mmio mmio;

	if (viot_read(cursor, offset, &head, sizeof(head)))
		return -EINVAL;

	switch (head.type) {
	case VIOT_NODE_IOMMU_PCI:
		if (viot_read_node(cursor, offset, &pci, sizeof(pci)))
			return -EINVAL;
		*iommu = (struct viommu_node) {
			.transport = VIOMMU_TRANSPORT_PCI,
			.segment = le16_to_cpu(pci.segment),
			.bdf = le16_to_cpu(pci.bdf),
		};
		return 0;
	case VIOT_NODE_IOMMU_MMIO:
		if (viot_read_node(cursor, offset, &mmio, sizeof(mmio)))
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

static int viot_read_pci_range(const struct viommu_viot_cursor *cursor, size_t offset,
			       struct viommu_viot_range *range)
{
	struct viot_pci_range node;

	if (viot_read_node(cursor, offset, &node, sizeof(node)))
		return -EINVAL;
	*range = (struct viommu_viot_range) {
		.transport = VIOMMU_TRANSPORT_PCI,
		.segment_start = le16_to_cpu(node.segment_start),
		.segment_last = le16_to_cpu(node.segment_last),
		.bdf_start = le16_to_cpu(node.bdf_start),
		.bdf_last = le16_to_cpu(node.bdf_last),
		.endpoint_start = le32_to_cpu(node.endpoint_start),
	};
	if (range->segment_start > range->segment_last || range->bdf_start > range->bdf_last)
		return -EINVAL;
	return viot_read_iommu(cursor, le16_to_cpu(node.output_node), &range->iommu);
}

static int viot_read_mmio_endpoint(const struct viommu_viot_cursor *cursor, size_t offset,
				   struct viommu_viot_range *range)
{
	struct viot_mmio_endpoint node;

	if (viot_read_node(cursor, offset, &node, sizeof(node)))
		return -EINVAL;
	*range = (struct viommu_viot_range) {
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
int viommu_viot_begin(struct viommu_viot_cursor *cursor, const void *table, size_t size)
{
	struct viot_header header;
	__le32 length;

	if (size < VIOT_HEADER_SIZE)
		return -EINVAL;
	memcpy(&length, (const u8 *)table + VIOT_HEADER_LENGTH, sizeof(length));
	if (le32_to_cpu(length) < VIOT_HEADER_SIZE)
		return -EINVAL;
	if (size > le32_to_cpu(length))
		size = le32_to_cpu(length);
	memcpy(&header, (const u8 *)table + VIOT_HEADER_SIZE - 12, sizeof(header));

	*cursor = (struct viommu_viot_cursor) {
		.table = table,
		.size = size,
		.offset = le16_to_cpu(header.node_offset),
		.left = le16_to_cpu(header.node_count),
	};
	return cursor->offset < VIOT_HEADER_SIZE ? -EINVAL : 0;
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
int viommu_viot_next(struct viommu_viot_cursor *cursor, struct viommu_viot_range *range)
{
	struct viot_node_head head;
	size_t offset;
	int ret;

	while (cursor->left) {
		offset = cursor->offset;
		cursor->at = offset;
		if (viot_read(cursor, offset, &head, sizeof(head)) ||
		    le16_to_cpu(head.length) < sizeof(head) ||
		    le16_to_cpu(head.length) > cursor->size - offset) {
			cursor->left = 0;
			return -EINVAL;
		}
		cursor->offset += le16_to_cpu(head.length);
		cursor->left--;

		if (head.type == VIOT_NODE_PCI_RANGE)
			ret = viot_read_pci_range(cursor, offset, range);
		else if (head.type == VIOT_NODE_MMIO)
			ret = viot_read_mmio_endpoint(cursor, offset, range);
		else
			continue;
		return ret ? -EBADMSG : 1;
	}
	return 0;
}

/**
 * viommu_viot_pci_endpoint() - endpoint ID of a PCI function
 * @range: a range
 * @segment: PCI segment of the function
 * @bdf: bus, device and function
 * @endpoint: its endpoint ID, where it lies in the range
 *
 * Context: Any.
 * Return: whether it does.
 */
bool viommu_viot_pci_endpoint(const struct viommu_viot_range *range, u16 segment, u16 bdf,
			      u32 *endpoint)
{
	if (range->transport != VIOMMU_TRANSPORT_PCI ||
	    segment < range->segment_start || segment > range->segment_last ||
	    bdf < range->bdf_start || bdf > range->bdf_last)
		return false;

	*endpoint = ((u32)(segment - range->segment_start) << 16) + bdf - range->bdf_start +
		    range->endpoint_start;
	return true;
}
