/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio-iommu as main.c has it once its probe is over, devices as endpoint.c has them,
 * and a device model behind the virtqueue: what the files about domains, built in user
 * space, find in the place of the kernel. There is one of each.
 */
#ifndef _FAKE_CORE_H
#define _FAKE_CORE_H

#include "fake_iommu.h"
#include "viommu.h"

#define CORE_PROBE_SIZE		64
#define CORE_IDS		2	/* endpoint IDs of a device */

/* The device, which a test fills in first, and what the driver knows of it. */
extern struct fake_iommu iommu;
extern struct viommu_device viommu;

extern bool * const param_identity_regions;
extern bool * const param_identity_holes;

/* The driver's probe and removal; then nothing may be left. fake.size is the ring's. */
void core_begin(void);
void core_end(void);

/* A device comes and goes. IDs end with a 0. Those that cannot be had it has not. */
struct viommu_master *core_plug(struct device *dev, const u32 *ids);
void core_unplug(struct viommu_master *master);

#endif /* _FAKE_CORE_H */
