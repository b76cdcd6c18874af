/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: what "viommu top" shows, apart from how it is drawn. */
#ifndef _VIOMMU_TOP_H
#define _VIOMMU_TOP_H

#include "counters.h"

/* Columns, in their order on the screen, by each of which rows can be sorted. */
enum top_order {
	ORDER_DEVICE,
	ORDER_ENDPOINT,
	ORDER_DOMAIN,
	ORDER_MAPPINGS,
	ORDER_BYTES,
	ORDER_FAULTS,
	ORDER_FAULT_RATE,
	ORDERS,
};

/**
 * struct top_row - endpoints of the same devices in the same domain
 * @iommu: index of their virtio-iommu
 * @devices: names with a space in between, "" where nobody has the ID
 * @endpoints: their IDs, as text
 * @endpoint: the first of them
 * @attached: they are in a domain, of ID @domain
 * @domain_known: mappings and bytes of the domain were read
 * @kind: of domain; without root, type of the group
 * @mappings: in the domain
 * @bytes: mapped in the domain
 * @faults: of these endpoints
 * @fault_rate: how many more a second
 */
struct top_row {
	unsigned int iommu;
	char *devices, *endpoints, *kind;
	uint32_t endpoint, domain;
	bool attached, domain_known;
	uint64_t mappings, bytes, faults;
	double fault_rate;
};

/**
 * struct top - one reading of everything
 * @iommus: all virtio-iommus
 * @nr_iommus: how many
 * @now: counters of each
 * @before: those of the reading before, when 0 the first
 * @gone: of each: its counters cannot be read any more
 * @rows: of all of them
 * @nr_rows: how many
 * @debugfs: rows come from debugfs, with all that they have
 */
struct top {
	const struct iommu *iommus;
	unsigned int nr_iommus;
	struct counters *now, *before;
	bool *gone;
	struct top_row *rows;
	size_t nr_rows;
	bool debugfs;
};

void top_init(struct top *top, const struct iommu *iommus);
/* Read all anew; rates are those since the reading before. */
void top_read(struct top *top);
void top_sort(struct top *top, enum top_order order, bool reverse);

/* Draw it until the user, or a signal, ends it. */
void screen_run(struct top *top, double interval);

#endif /* _VIOMMU_TOP_H */
