// SPDX-License-Identifier: GPL-2.0
/*
 * Reserved regions: a small sorted list of IOVA ranges that are not for
 * mappings.
 *
 * A list is filled in any order, from one or from several endpoints, and then
 * normalised once: rounded outwards to the granule, because half a page cannot
 * be kept free; sorted; overlapping and adjacent regions of one type merged.
 * Where a RESERVED region and an MSI region overlap, RESERVED wins: an address
 * is an interrupt only where every report agrees.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "pure.h"

/**
 * viommu_regions_add() - add a region, as reported
 * @regions: the list
 * @start: first IOVA
 * @last: last IOVA, not below @start
 * @type: what it is for
 *
 * Context: Any. The list is the caller's.
 * Return: 0, or -ENOSPC where the list is full.
 */
int viommu_regions_add(struct viommu_regions *regions, u64 start, u64 last,
		       enum viommu_region_type type)
{
	if (regions->nr == regions->max)
		return -ENOSPC;
	regions->entries[regions->nr++] = (struct viommu_region) {
		.start = start,
		.last = last,
		.type = type,
	};
	return 0;
}

static void viommu_regions_delete(struct viommu_regions *regions, unsigned int index)
{
	regions->nr--;
	memmove(&regions->entries[index], &regions->entries[index + 1],
		(regions->nr - index) * sizeof(*regions->entries));
}

/* By start; RESERVED before MSI. Lists are short, and nearly sorted already. */
static void viommu_regions_sort(struct viommu_regions *regions)
{
	struct viommu_region *entries = regions->entries;
	unsigned int i, j;

	for (i = 1; i < regions->nr; i++) {
		struct viommu_region region = entries[i];

		for (j = i; j > 0; j--) {
			if (entries[j - 1].start < region.start ||
			    (entries[j - 1].start == region.start &&
			     entries[j - 1].type <= region.type))
				break;
			entries[j] = entries[j - 1];
		}
		entries[j] = region;
	}
}

/* Merge regions of one type that overlap or touch. The list is sorted. */
static void viommu_regions_merge(struct viommu_regions *regions)
{
	unsigned int i, j;

	for (i = 0; i < regions->nr; i++) {
		struct viommu_region *a = &regions->entries[i];

		for (j = i + 1; j < regions->nr;) {
			const struct viommu_region *b = &regions->entries[j];

			if (a->last != U64_MAX && a->last + 1 < b->start)
				break;
			if (a->type != b->type) {
				j++;
				continue;
			}
			a->last = max(a->last, b->last);
			viommu_regions_delete(regions, j);
		}
	}
}

/*
 * Where entry @index and the one behind it overlap, take the MSI region back. The
 * list is sorted, and merged: they are of different types.
 * Return: whether the list changed, so that the pair must be looked at again.
 */
static bool viommu_regions_cut(struct viommu_regions *regions, unsigned int index)
{
	struct viommu_region *a = &regions->entries[index];
	struct viommu_region *b = a + 1;

	if (a->last < b->start)
		return false;

	if (a->type == VIOMMU_REGION_RESERVED) {
		/* What is left of the MSI region begins behind the other. */
		if (b->last <= a->last)
			viommu_regions_delete(regions, index + 1);
		else
			b->start = a->last + 1;
	} else if (a->last > b->last) {
		/*
		 * A hole in an MSI region: all of it counts as RESERVED up to
		 * the end of the hole, so that a list never grows.
		 */
		b->start = a->start;
		a->start = b->last + 1;
	} else {
		a->last = b->start - 1;
	}
	viommu_regions_sort(regions);
	return true;
}

/**
 * viommu_regions_normalise() - round, sort and merge
 * @regions: the list
 * @granule: smallest mapping, in bytes, a power of two
 *
 * Afterwards the regions are disjoint, sorted, and whole granules.
 *
 * Context: Any. The list is the caller's.
 */
void viommu_regions_normalise(struct viommu_regions *regions, u64 granule)
{
	unsigned int i;

	for (i = 0; i < regions->nr; i++) {
		regions->entries[i].start &= ~(granule - 1);
		regions->entries[i].last |= granule - 1;
	}
	viommu_regions_sort(regions);
	/* First, so that what is cut does not depend on how it was reported. */
	viommu_regions_merge(regions);
	for (i = 0; i + 1 < regions->nr;) {
		if (!viommu_regions_cut(regions, i))
			i++;
		else if (i)
			i--;
	}
	viommu_regions_merge(regions);
}
