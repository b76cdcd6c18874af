// SPDX-License-Identifier: GPL-2.0
/*
 * An address space cut into zones and cells, to be drawn.
 *
 * What a domain maps is a few megabytes in an empty space of many gigabytes: to scale,
 * nothing is seen of it. So there is one strip for the whole, and one for each place in
 * which there are mappings, with a scale of its own. Two places are apart where there is
 * more free between them than is mapped in all; of many such holes the widest count.
 */
#include <stdlib.h>
#include <string.h>

#include "zones.h"

/* The least that a cell stands for: no driver maps less than a page. */
#define CELL_MIN	4096UL
/* Places nearer than this are one, however little is mapped. */
#define HOLE_MIN	(64 * CELL_MIN)
#define HOLES_MAX	(ZONES_MAX - 2)

/**
 * struct hole - free addresses between two places
 * @before: where the place before it ends
 * @after: where the next one begins
 */
struct hole {
	uint64_t before, after;
};

static uint64_t hole_size(const struct hole *hole)
{
	return hole->after - hole->before;
}

/* Keep the widest, the widest first. */
static void holes_add(struct hole holes[HOLES_MAX], unsigned int *nr, struct hole hole)
{
	unsigned int i;

	if (*nr == HOLES_MAX && hole_size(&hole) <= hole_size(&holes[HOLES_MAX - 1]))
		return;
	if (*nr < HOLES_MAX)
		++*nr;
	for (i = *nr - 1; i && hole_size(&holes[i - 1]) < hole_size(&hole); i--)
		holes[i] = holes[i - 1];
	holes[i] = hole;
}

static int hole_compare(const void *a, const void *b)
{
	const struct hole *left = a, *right = b;

	return (left->before > right->before) - (left->before < right->before);
}

/* Return: the last address of all mappings; @holes sorted by address. */
static uint64_t holes_find(const struct space *space, struct hole holes[HOLES_MAX],
			   unsigned int *nr)
{
	uint64_t last = space->runs[0].last;
	size_t i;

	for (i = 1; i < space->nr_runs; i++) {
		const struct mapping *run = &space->runs[i];

		if (run->start > last && run->start - last > HOLE_MIN &&
		    run->start - last > space->bytes)
			holes_add(holes, nr, (struct hole) { last, run->start });
		if (run->last > last)
			last = run->last;
	}
	qsort(holes, *nr, sizeof(*holes), hole_compare);
	return last;
}

static void zone_init(struct zone *zone, uint64_t start, uint64_t last, unsigned int width)
{
	uint64_t size = CELL_MIN;

	while (last / size - start / size >= width)
		size *= 2;
	*zone = (struct zone) {
		.start = start & ~(size - 1),
		.last = last | (size - 1),
		.size = size,
		.nr = last / size - start / size + 1,
	};
	zone->cells = allocate(zone->nr * sizeof(*zone->cells));
}

static void zone_add_run(struct zone *zone, const struct mapping *run)
{
	uint64_t start = run->start < zone->start ? zone->start : run->start;
	uint64_t last = run->last > zone->last ? zone->last : run->last;
	uint64_t i;

	if (start > last || !mapping_reachable(run))
		return;
	for (i = (start - zone->start) / zone->size; i <= (last - zone->start) / zone->size; i++) {
		uint64_t cell_start = zone->start + i * zone->size;
		uint64_t cell_last = cell_start + (zone->size - 1);
		uint64_t from = start > cell_start ? start : cell_start;
		uint64_t to = last < cell_last ? last : cell_last;
		struct cell *cell = &zone->cells[i];

		cell->density += ((double)(to - from) + 1) / zone->size;
		if (cell->density > 1)
			cell->density = 1;
		cell->stale |= run->state == STATE_STALE;
	}
}

static void zone_add_region(struct zone *zone, const struct region *region)
{
	uint64_t start = region->start < zone->start ? zone->start : region->start;
	uint64_t last = region->last > zone->last ? zone->last : region->last;
	uint64_t i;

	if (start > last)
		return;
	zone->regions = true;
	for (i = (start - zone->start) / zone->size; i <= (last - zone->start) / zone->size; i++) {
		struct cell *cell = &zone->cells[i];

		/* interrupts are what people look for */
		if (!cell->region || !strcmp(region->type, "msi"))
			cell->region = region;
	}
}

static void zone_fill(struct zone *zone, const struct space *space)
{
	size_t i;

	for (i = 0; i < space->nr_runs; i++)
		zone_add_run(zone, &space->runs[i]);
	for (i = 0; i < space->nr_regions; i++)
		zone_add_region(zone, &space->regions[i]);
}

/* The last address of the whole: the next power of two above all that there is, less one. */
static uint64_t space_last(const struct space *space, uint64_t last)
{
	uint64_t whole = UINT32_MAX;
	size_t i;

	for (i = 0; i < space->nr_regions; i++) {
		/* often all that the IOMMU cannot address is reserved, to the very end */
		if (space->regions[i].last != UINT64_MAX && space->regions[i].last > last)
			last = space->regions[i].last;
	}
	while (whole < last)
		whole = whole << 1 | 1;
	return whole;
}

unsigned int zones_make(const struct space *space, unsigned int width,
			struct zone zones[ZONES_MAX])
{
	struct hole holes[HOLES_MAX];
	unsigned int i, nr_holes = 0, nr = 1;
	uint64_t start, last = 0;

	if (space->nr_runs)
		last = holes_find(space, holes, &nr_holes);
	zone_init(&zones[0], 0, space_last(space, last), width);
	if (space->nr_runs) {
		start = space->runs[0].start;
		for (i = 0; i < nr_holes; i++) {
			zone_init(&zones[nr++], start, holes[i].before, width);
			start = holes[i].after;
		}
		zone_init(&zones[nr++], start, last, width);
	}
	for (i = 0; i < nr; i++)
		zone_fill(&zones[i], space);
	return nr;
}

void zones_free(struct zone zones[ZONES_MAX], unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		free(zones[i].cells);
}

char region_letter(const struct region *region)
{
	if (!strcmp(region->type, "msi"))
		return 'M';
	return strncmp(region->type, "direct", strlen("direct")) ? 'R' : 'I';
}
