// SPDX-License-Identifier: GPL-2.0
/*
 * The walk over the properties of a PROBE reply.
 *
 * A reply is a list of properties in a buffer of fixed size, each with a type,
 * a length and a value. The list ends at type 0 or at the end of the buffer.
 * Lengths are the host's word: no value is looked at before it is known to lie
 * within the buffer, and a property that does not ends the walk.
 *
 * Specification: "PROBE request", "PROBE properties", "Property RESV_MEM".
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "pure.h"

/* The four upper bits of a type are reserved: what sets them is ignored. */
#define VIOMMU_PROPERTY_TYPE_RESERVED	((u16)~VIRTIO_IOMMU_PROBE_T_MASK)

/**
 * viommu_property_next() - next property of a reply
 * @buffer: the properties
 * @size: bytes of @buffer
 * @offset: where to go on, 0 at first; moved behind the property
 * @property: filled in
 *
 * Context: Any.
 * Return: 1 with a property, 0 at the end of the list, -EINVAL where a property
 * runs past the buffer.
 */
int viommu_property_next(const u8 *buffer, size_t size, size_t *offset,
			 struct viommu_property *property)
{
	struct virtio_iommu_probe_property head;

	if (size < *offset + sizeof(head))
		return 0;
	memcpy(&head, buffer + *offset, sizeof(head));
	property->type = le16_to_cpu(head.type);
	property->length = le16_to_cpu(head.length);
	if (property->type == VIRTIO_IOMMU_PROBE_T_NONE)
		return 0;

	*offset += sizeof(head);
	if (property->length > size - *offset)
		return -EINVAL;
	property->value = buffer + *offset;
	*offset += property->length;
	return 1;
}

/* A draft of the specification has these eight bytes behind the others. */
struct viommu_property_identity {
	struct virtio_iommu_probe_resv_mem mem;
	__le32 flags;
	__le32 reserved;
};

#define VIOMMU_RESV_MEM_T_IDENTITY	2

static void viommu_property_identity(const struct viommu_property *property,
				     struct viommu_region *region)
{
	const size_t size = sizeof(struct virtio_iommu_probe_property);
	struct viommu_property_identity identity;

	if (property->length < sizeof(identity) - size)
		return;
	memcpy((u8 *)&identity + size, property->value, sizeof(identity) - size);
	region->flags = le32_to_cpu(identity.flags) &
			(VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE |
			 VIRTIO_IOMMU_MAP_F_MMIO);
	if (region->flags & (VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE))
		region->type = VIOMMU_REGION_IDENTITY;
	else
		region->flags = 0;
}

/* D37: what is of no type that we know is RESERVED. */
static int viommu_property_resv_mem(const struct viommu_property *property,
				    struct viommu_regions *regions)
{
	struct viommu_region region = { .type = VIOMMU_REGION_RESERVED };
	struct virtio_iommu_probe_resv_mem mem;

	if (property->length < sizeof(mem) - sizeof(mem.head))
		return -EINVAL;
	memcpy((u8 *)&mem + sizeof(mem.head), property->value, sizeof(mem) - sizeof(mem.head));

	region.start = le64_to_cpu(mem.start);
	region.last = le64_to_cpu(mem.end);
	if (region.start > region.last)
		return -EINVAL;
	if (mem.subtype == VIRTIO_IOMMU_RESV_MEM_T_MSI)
		region.type = VIOMMU_REGION_MSI;
	else if (mem.subtype == VIOMMU_RESV_MEM_T_IDENTITY)
		viommu_property_identity(property, &region);
	return viommu_regions_add(regions, &region);
}

/**
 * viommu_property_regions() - reserved regions that a reply reports
 * @buffer: the properties
 * @size: bytes of @buffer
 * @regions: regions are added to it
 *
 * Properties of other types, and those with reserved type bits, are skipped. So
 * are malformed regions; what follows them still counts.
 *
 * Context: Any.
 * Return: number of malformed properties that were skipped; -ENOSPC where
 * @regions is too small.
 */
int viommu_property_regions(const u8 *buffer, size_t size, struct viommu_regions *regions)
{
	struct viommu_property property;
	int malformed = 0;
	size_t offset = 0;
	int ret;

	while ((ret = viommu_property_next(buffer, size, &offset, &property)) > 0) {
		if (property.type & VIOMMU_PROPERTY_TYPE_RESERVED ||
		    property.type != VIRTIO_IOMMU_PROBE_T_RESV_MEM)
			continue;
		ret = viommu_property_resv_mem(&property, regions);
		if (ret == -ENOSPC)
			return ret;
		if (ret)
			malformed++;
	}
	return malformed + (ret < 0);
}
