/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_IOPORT_H
#define _VIOMMU_USER_IOPORT_H

#include <linux/types.h>

#define IORESOURCE_IO		0x00000100
#define IORESOURCE_MEM		0x00000200

struct resource {
	u64 start;
	u64 end;
	unsigned long flags;
};

static inline unsigned long resource_type(const struct resource *res)
{
	return res->flags;
}

/* The machine's memory: a test's to say. */
extern struct resource iomem_resource;

#endif /* _VIOMMU_USER_IOPORT_H */
