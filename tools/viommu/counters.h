/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: the driver's counters in sysfs. */
#ifndef _VIOMMU_COUNTERS_H
#define _VIOMMU_COUNTERS_H

#include "viommu.h"

/* In the order of their numbers on the wire, without a gap. */
enum request_type {
	REQUEST_ATTACH,
	REQUEST_DETACH,
	REQUEST_MAP,
	REQUEST_UNMAP,
	REQUEST_PROBE,
	REQUEST_TYPES,
};

extern const char *const request_types[REQUEST_TYPES];	/* "attach" ... */

/* A counter that this driver does not have: an older one of ours. */
#define COUNTER_UNKNOWN		UINT64_MAX

/**
 * struct counters - what a virtio-iommu's counters were at a time
 * @when: live_now() then
 * @sent: requests by type
 * @failed: those that were refused or left without an answer
 * @all_sent: the sum of @sent
 * @all_failed: the sum of @failed
 * @bypass: "open", "closed", "none", or "unknown"
 */
struct counters {
	double when;
	uint64_t devices, endpoints, domains, outside, mappings, faults, kicks, dead;
	uint64_t sent[REQUEST_TYPES], failed[REQUEST_TYPES];
	uint64_t all_sent, all_failed;
	char bypass[16];
};

/* Return: false if the virtio-iommu, or its driver, is gone. */
bool counters_read(const struct iommu *iommu, struct counters *counters);

/* How much more, a second; 0 where the driver was bound anew in between. */
double counters_rate(uint64_t before, uint64_t now, double seconds);

/* A counter as a cell, and as JSON. */
const char *counter_text(uint64_t counter);	/* static memory, four at a time */
struct json_object *counter_json(uint64_t counter);

/* Requests that each kick told the host of, on average; 0 where there was no kick. */
double counters_batch(uint64_t requests, uint64_t kicks);

#endif /* _VIOMMU_COUNTERS_H */
