/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: an address space: what a domain maps, and what its devices must not use. */
#ifndef _VIOMMU_SPACE_H
#define _VIOMMU_SPACE_H

#include "endpoints.h"
#include "viommu.h"

enum mapping_state {
	STATE_MAPPED,
	STATE_UNSENT,		/* no request was sent yet: the device reaches nothing there */
	STATE_PENDING,		/* the host has not answered yet */
	STATE_REFUSED,		/* the host did not map it */
	STATE_UNMAPPING,	/* the host has not unmapped it yet: lazily, up to 10 ms later */
	STATE_STALE,		/* the host did not unmap it: the device may still reach it */
	STATE_UNKNOWN,
	STATES,
};

extern const char *const mapping_states[STATES];

/**
 * struct mapping - one mapping, or several that are next to each other
 * @start: first address
 * @last: last address
 * @phys: where it leads
 * @has_phys: that is known
 * @scattered: several mappings that lead to places apart; @phys is the first one's
 * @count: how many mappings
 * @access: r, w and m, or - in each place
 * @state: what the host made of it
 */
struct mapping {
	uint64_t start, last, phys;
	bool has_phys, scattered;
	uint64_t count;
	char access[4];
	enum mapping_state state;
};

/**
 * struct region - addresses that are not given to devices for DMA
 * @start: first address
 * @last: last address
 * @type: as the kernel calls it: "reserved", "msi", "direct"
 */
struct region {
	uint64_t start, last;
	char type[24];
};

/**
 * struct space - a domain's address space
 * @target: the domain, and all endpoints that are in it
 * @mappings: sorted by address, each as the driver has it
 * @runs: the same, those next to each other in one
 * @regions: of all groups in the domain, sorted, each once
 * @bytes: all that devices may reach: what was not refused
 * @states: how many mappings are in each state
 */
struct space {
	struct target target;
	struct mapping *mappings, *runs;
	size_t nr_mappings, nr_runs;
	struct region *regions;
	size_t nr_regions;
	uint64_t bytes;
	uint64_t states[STATES];
};

/* The space of what @name means, see target_find(). The program ends where it cannot be read. */
void space_read(const struct iommu *iommus, const char *name, struct space *space);

/* Bytes from @start to @last; all of 2^64 are one less. */
uint64_t range_size(uint64_t start, uint64_t last);

/* Devices reach memory by it, as far as the driver knows. */
bool mapping_reachable(const struct mapping *mapping);

#endif /* _VIOMMU_SPACE_H */
