/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: an address space cut into zones and cells, to be drawn. */
#ifndef _VIOMMU_ZONES_H
#define _VIOMMU_ZONES_H

#include "space.h"

/* One for all of the address space, and one for each place in which there is something. */
#define ZONES_MAX	9

/**
 * struct cell - what is in some addresses
 * @density: how much of it is mapped, 0 to 1
 * @stale: a mapping that the host did not take back is among it
 * @region: a reserved region that reaches into it, or NULL
 */
struct cell {
	double density;
	bool stale;
	const struct region *region;
};

/**
 * struct zone - addresses that are drawn as one strip
 * @start: first address
 * @last: last address
 * @size: bytes of a cell, a power of two
 * @nr: cells
 * @regions: a reserved region reaches into it
 * @cells: from @start to @last
 */
struct zone {
	uint64_t start, last, size;
	unsigned int nr;
	bool regions;
	struct cell *cells;
};

/*
 * Cut @space into zones of at most @width cells, the first of which is the whole. Return:
 * how many.
 */
unsigned int zones_make(const struct space *space, unsigned int width,
			struct zone zones[ZONES_MAX]);
void zones_free(struct zone zones[ZONES_MAX], unsigned int nr);

/* The letter for a kind of region, and for what it stands. */
char region_letter(const struct region *region);

#endif /* _VIOMMU_ZONES_H */
