// SPDX-License-Identifier: GPL-2.0
/*
 * What the readers of VIOT and IORT share: both tables are a header of 48 bytes
 * and a list of nodes, each with its length.
 *
 * Firmware is not trusted more than the host: nothing is looked at outside of
 * the table, nor before it is known to lie within a node that is long enough.
 * Each step of a walk goes forward by at least the size of a node's head, so
 * there is an end.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "pure.h"

#define TABLE_LENGTH	4	/* where the standard header has the table's length */

/**
 * viommu_table_begin() - check a table's header
 * @cursor: @cursor->table and @cursor->size are set, the reader sets the rest
 * @table: the table, with its standard header
 * @size: bytes that may be read
 * @header: the first VIOMMU_TABLE_HEADER_SIZE bytes are copied there
 *
 * Context: Any.
 * Return: 0, or -EINVAL where there is no room for a header.
 */
int viommu_table_begin(struct viommu_table_cursor *cursor, const void *table, size_t size,
		       void *header)
{
	__le32 length;

	if (size < VIOMMU_TABLE_HEADER_SIZE)
		return -EINVAL;
	memcpy(header, table, VIOMMU_TABLE_HEADER_SIZE);
	memcpy(&length, (const u8 *)table + TABLE_LENGTH, sizeof(length));

	*cursor = (struct viommu_table_cursor) {
		.table = table,
		.size = min_t(size_t, size, le32_to_cpu(length)),
	};
	return cursor->size < VIOMMU_TABLE_HEADER_SIZE ? -EINVAL : 0;
}

/**
 * viommu_table_read() - copy bytes out of a table
 * @cursor: of a walk over the table
 * @offset: of the bytes; those of the header are refused
 * @to: where to
 * @want: how many
 *
 * Context: Any.
 * Return: 0, or -EINVAL where they do not lie in the table.
 */
int viommu_table_read(const struct viommu_table_cursor *cursor, size_t offset, void *to,
		      size_t want)
{
	if (offset < VIOMMU_TABLE_HEADER_SIZE || offset > cursor->size ||
	    want > cursor->size - offset)
		return -EINVAL;
	memcpy(to, cursor->table + offset, want);
	return 0;
}

/**
 * viommu_table_read_node() - copy the start of a node out of a table
 * @cursor: of a walk over the table
 * @offset: of the node
 * @node: where to
 * @want: how much of it, its length included
 *
 * Context: Any.
 * Return: the node's own length, at least @want; 0 where there is no such node.
 */
size_t viommu_table_read_node(const struct viommu_table_cursor *cursor, size_t offset,
			      void *node, size_t want)
{
	__le16 length;

	if (viommu_table_read(cursor, offset, node, want))
		return 0;
	memcpy(&length, (u8 *)node + cursor->length_at, sizeof(length));
	return le16_to_cpu(length) < want ? 0 : le16_to_cpu(length);
}

/**
 * viommu_table_next() - step to the next node
 * @cursor: where the walk stands; @cursor->at becomes the offset of the node
 * @head: the node's head is copied there
 * @size: bytes of the head
 *
 * Context: Any.
 * Return: 1 with a node that lies in the table as a whole, 0 at the end of the
 * list, -EINVAL where the list is broken: the walk is over.
 */
int viommu_table_next(struct viommu_table_cursor *cursor, void *head, size_t size)
{
	size_t length;

	if (!cursor->left)
		return 0;
	cursor->at = cursor->offset;
	length = viommu_table_read_node(cursor, cursor->at, head, size);
	if (!length || length > cursor->size - cursor->at) {
		cursor->left = 0;
		return -EINVAL;
	}
	cursor->offset += length;
	cursor->left--;
	return 1;
}

static u64 viommu_range_last(const struct viommu_range *range)
{
	return ((u64)(range->segment_last - range->segment_start) << 16) +
	       (range->bdf_last - range->bdf_start) + range->endpoint_start;
}

/**
 * viommu_range_check() - whether a range of PCI functions makes sense
 * @range: as the table has it
 *
 * Context: Any.
 * Return: 0; -EINVAL where it is inverted, or has endpoint IDs of more than 32 bits.
 */
int viommu_range_check(const struct viommu_range *range)
{
	if (range->segment_start > range->segment_last || range->bdf_start > range->bdf_last)
		return -EINVAL;
	return viommu_range_last(range) > U32_MAX ? -EINVAL : 0;
}

/**
 * viommu_range_pci_endpoint() - endpoint ID of a PCI function
 * @range: a range
 * @segment: PCI segment of the function
 * @bdf: bus, device and function
 * @endpoint: its endpoint ID, where it lies in the range
 *
 * Context: Any.
 * Return: whether it does.
 */
bool viommu_range_pci_endpoint(const struct viommu_range *range, u16 segment, u16 bdf,
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
