/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is counted of the request queue, for sysfs and debugfs.
 */
#ifndef _VIOMMU_COUNTERS_H
#define _VIOMMU_COUNTERS_H

#include <linux/log2.h>
#include <linux/types.h>

#include "wire.h"

/* Requests under way at a time, at most. A power of two. */
#define VIOMMU_SLOTS_MAX	128U

/* As many as there are types of requests, which count from 1. */
#define VIOMMU_NR_TYPES		(VIRTIO_IOMMU_T_PROBE + 1)

/* The device may be told of 1 request, 2 or 3, 4 to 7, and so on, at once. */
#define VIOMMU_KICK_BUCKETS	(const_ilog2(VIOMMU_SLOTS_MAX) + 1)

/* Waits of less than a microsecond, of less than ten, and so on; of more than ten seconds. */
#define VIOMMU_WAIT_NS		1000ULL
#define VIOMMU_WAIT_BUCKETS	9

/**
 * struct viommu_counters - what a request queue has done since it was made ready
 * @kicks: notifications of the device, each of them an exit
 * @requests: requests that the device was given, by their type
 * @failures: requests that failed, by their type, those of a dead device included
 * @statuses: and by the status that the device wrote, as viommu_status_index() says
 * @kick_sizes: kicks, by the logarithm of how many requests each was for
 * @waits: waits for the device, by how long they took; in the first also those that
 *	were too short to look at the clock
 */
struct viommu_counters {
	u64 kicks;
	u64 requests[VIOMMU_NR_TYPES];
	u64 failures[VIOMMU_NR_TYPES];
	u64 statuses[VIOMMU_NR_STATUSES];
	u64 kick_sizes[VIOMMU_KICK_BUCKETS];
	u64 waits[VIOMMU_WAIT_BUCKETS];
};

/**
 * viommu_wait_bucket() - where in struct viommu_counters' @waits a wait is counted
 * @waited: how long it took, in nanoseconds; 0 where no clock was read
 *
 * Context: Any.
 * Return: an index.
 */
static inline unsigned int viommu_wait_bucket(u64 waited)
{
	unsigned int bucket = 0;
	u64 bound;

	for (bound = VIOMMU_WAIT_NS; waited >= bound && bucket < VIOMMU_WAIT_BUCKETS - 1;
	     bound *= 10)
		bucket++;
	return bucket;
}

#endif /* _VIOMMU_COUNTERS_H */
