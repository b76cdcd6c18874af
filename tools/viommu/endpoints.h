/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: the driver's endpoints and domains, and which of them a person means. */
#ifndef _VIOMMU_ENDPOINTS_H
#define _VIOMMU_ENDPOINTS_H

#include "viommu.h"

/**
 * struct attachment - an endpoint ID, and where it is attached
 * @endpoint: the ID
 * @attached: it is in a domain
 * @domain: that domain's ID
 * @kind: of domain: none, blocked, identity, unmanaged or DMA
 * @faults: how many it had
 * @devices: who has the ID, names with a space in between
 */
struct attachment {
	uint32_t endpoint;
	bool attached;
	uint32_t domain;
	char *kind;
	uint64_t faults;
	char *devices;
};

/* From the content of the file "endpoints", which is cut up. */
struct attachment *attachments_parse(char *file, size_t *nr);
void attachments_free(struct attachment *attachments, size_t nr);

/**
 * struct target - what a person named
 * @iommu: the virtio-iommu that it belongs to
 * @attachments: its endpoint IDs; none for a virtio-iommu, or a domain in which there is none
 * @has_domain: there is a domain
 * @domain: which, where all endpoints of a device are
 * @kind: of domain, as above
 */
struct target {
	const struct iommu *iommu;
	struct attachment *attachments;
	size_t nr;
	bool has_domain;
	uint32_t domain;
	const char *kind;
};

/*
 * What @name means, looked up in @iommus: a device (0000:00:03.0, 00:03.0, or a name of
 * another bus), an endpoint (0x18) or a domain (domain:3). "virtio1/" in front says which
 * virtio-iommu. The program ends where there is no such thing, or several.
 */
void target_find(const struct iommu *iommus, const char *name, struct target *target);

#endif /* _VIOMMU_ENDPOINTS_H */
