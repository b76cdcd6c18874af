/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio-iommu for the suites of the queue and of domains: the kernel's own virtqueue, with
 * the mock device's model behind it; and what else of the driver there must be.
 */
#ifndef _VIOMMU_TEST_DEVICE_H
#define _VIOMMU_TEST_DEVICE_H

#include "../../../../tools/testing/viommu-user/harness.h"
#include "../viommu.h"
#include "../mock/mock.h"

#define DEVICE_ENDPOINTS	4	/* IDs from 1 */
#define DEVICE_SLOTS		16	/* requests at a time */
#define DEVICE_THREADS		4	/* at a time */

/**
 * struct test_device - the device
 * @vdev: of the virtio core's, which does not know it
 * @lock: guards the rest
 * @queue: its side of the virtqueue
 * @model: what it does
 * @refuse: the type of requests that it refuses, or 0
 * @status: with what
 * @silent: it answers nothing
 * @bogus: it answers for a descriptor that there is not
 * @answered: how many
 * @kicks: how often it was told
 */
struct test_device {
	struct virtio_device vdev;
	spinlock_t lock; /* guards all of it */
	struct mock_queue queue;
	struct mock_model model;
	u8 refuse;
	u8 status;
	bool silent;
	bool bogus;
	unsigned int answered;
	unsigned int kicks;
};

extern struct test_device device;
extern struct viommu_device *viommu;
extern unsigned int * const param_timeout_ms;

void device_begin(void);
void device_end(void);
bool device_holds(u32 domain, u64 start, u64 last, u64 phys);
struct viommu_master *device_plug(struct device *dev, u32 id);
void device_unplug(struct viommu_master *master);
void device_threads(unsigned int nr, void (*run)(unsigned int number));

#endif /* _VIOMMU_TEST_DEVICE_H */
