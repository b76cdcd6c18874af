// SPDX-License-Identifier: GPL-2.0
/*
 * Fault reports, decoded: the bytes of an event in, a checked struct out.
 *
 * A report whose first reserved field is set is of a kind that this driver does
 * not know and is dropped whole; undefined flags and the other reserved fields
 * are ignored; a reason from the future counts as unknown.
 *
 * Specification: "Fault reporting", "Driver Requirements: Fault reporting".
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "pure.h"

/**
 * viommu_fault_decode() - check and decode an event
 * @fault: filled in, on success
 * @buffer: what the device wrote
 * @size: bytes that it says it wrote
 *
 * Context: Any.
 * Return: 0; -EINVAL where the event is short or of an unknown kind.
 */
int viommu_fault_decode(struct viommu_fault *fault, const void *buffer, size_t size)
{
	struct virtio_iommu_fault raw;
	u32 flags;

	if (size < sizeof(raw))
		return -EINVAL;
	memcpy(&raw, buffer, sizeof(raw));
	if (raw.reserved[0] || raw.reserved[1] || raw.reserved[2])
		return -EINVAL;

	flags = le32_to_cpu(raw.flags);
	*fault = (struct viommu_fault) {
		.endpoint = le32_to_cpu(raw.endpoint),
		.address = le64_to_cpu(raw.address),
		.reason = raw.reason,
		.has_address = flags & VIRTIO_IOMMU_FAULT_F_ADDRESS,
		.read = flags & VIRTIO_IOMMU_FAULT_F_READ,
		.write = flags & VIRTIO_IOMMU_FAULT_F_WRITE,
		.exec = flags & VIRTIO_IOMMU_FAULT_F_EXEC,
	};
	if (fault->reason > VIRTIO_IOMMU_FAULT_R_MAPPING)
		fault->reason = VIRTIO_IOMMU_FAULT_R_UNKNOWN;
	if (!fault->has_address)
		fault->address = 0;
	return 0;
}

/**
 * viommu_fault_reason() - why, in words
 * @fault: a decoded fault
 *
 * Context: Any.
 * Return: a constant string.
 */
const char *viommu_fault_reason(const struct viommu_fault *fault)
{
	switch (fault->reason) {
	case VIRTIO_IOMMU_FAULT_R_DOMAIN:
		return "endpoint is not attached to a domain";
	case VIRTIO_IOMMU_FAULT_R_MAPPING:
		return "no mapping allows the access";
	default:
		return "unknown reason";
	}
}
