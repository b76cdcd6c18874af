/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_IOPORT_H
#define _VIOMMU_USER_IOPORT_H

#include <linux/types.h>

struct resource {
	u64 end;
};

/* The machine's memory: a test's to say. */
extern struct resource iomem_resource;

#endif /* _VIOMMU_USER_IOPORT_H */
