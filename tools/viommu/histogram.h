/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: the driver's histograms of requests. */
#ifndef _VIOMMU_HISTOGRAM_H
#define _VIOMMU_HISTOGRAM_H

#include "viommu.h"

/**
 * struct bucket - a line of the file "requests"
 * @what: which histogram: "kick", "wait" or "status"
 * @name: the bucket: where it begins, or the status
 * @numeric: @name is the number @from
 * @from: where it begins
 * @count: how often
 */
struct bucket {
	char *what;
	char *name;
	bool numeric;
	uint64_t from;
	uint64_t count;
};

/* All histograms, or NULL with errno where they cannot be read. */
struct bucket *histograms_read(const struct iommu *iommu, size_t *nr);
void histograms_free(struct bucket *buckets, size_t nr);

void histograms_print(const struct bucket *buckets, size_t nr);
struct json_object *histograms_json(const struct bucket *buckets, size_t nr);

#endif /* _VIOMMU_HISTOGRAM_H */
