// SPDX-License-Identifier: GPL-2.0
/*
 * Reserved regions: a small sorted list of IOVA ranges that are not for
 * mappings.
 *
 * A list is filled in any order, from one or from several endpoints, and then
 * normalised into another: rounded outwards to the granule, because half a page
 * cannot be kept free; sorted; without overlaps; adjacent regions of one kind
 * merged. Where regions overlap, the greatest type counts, in the order MSI,
 * RESERVED, IDENTITY: an address is an interrupt only where every report agrees,
 * and what one of them needs mapped is mapped, for the others lose nothing. The
 * one that does is an endpoint that reports nothing there: see
 * viommu_regions_open().
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/sizes.h>

#include "pure.h"

/*
 * What may hold at an address, and up to which: a MAP flag that an identity region wants, or
 * one of two more. Bits, and their numbers.
 */
#define VIOMMU_LAYER_IDENTITY	(VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE | \
				 VIRTIO_IOMMU_MAP_F_MMIO)
#define VIOMMU_LAYER_RESERVED	BIT(3)
#define VIOMMU_LAYER_MSI	BIT(4)
#define VIOMMU_NR_LAYERS	5

/* Bytes that a device's regions may have together: see viommu_regions_bound(). */
#define VIOMMU_MSI_MAX		SZ_16M
#define VIOMMU_IDENTITY_MAX	(64ULL * SZ_1G)

/**
 * struct viommu_layers - what holds where a sweep over regions stands
 * @on: a bit for each layer
 * @last: how far each layer that is on reaches
 */
struct viommu_layers {
	unsigned int on;
	u64 last[VIOMMU_NR_LAYERS];
};

static bool viommu_region_is_identity(const struct viommu_region *region)
{
	return region->type == VIOMMU_REGION_IDENTITY;
}

/**
 * viommu_regions_add() - add a region, as reported
 * @regions: the list
 * @region: the region, its @last not below its @start
 *
 * Context: Any. The list is the caller's.
 * Return: 0, or -ENOSPC where the list is full.
 */
int viommu_regions_add(struct viommu_regions *regions, const struct viommu_region *region)
{
	if (regions->nr == regions->max)
		return -ENOSPC;
	regions->entries[regions->nr++] = *region;
	return 0;
}

static bool viommu_region_overlaps(const struct viommu_region *a, const struct viommu_region *b,
				   u64 granule)
{
	u64 mask = ~(granule - 1);

	return (a->start & mask) <= (b->last & mask) && (b->start & mask) <= (a->last & mask);
}

/* Whether it can be mapped one to one, and nothing else is said of its pages. */
static bool viommu_region_is_mappable(const struct viommu_regions *regions,
				      const struct viommu_region *region,
				      const struct viommu_limits *limits)
{
	const struct viommu_region *other;
	unsigned int i;

	if (region->start < limits->input_start || region->last > limits->input_last)
		return false;
	for (i = 0; i < regions->nr; i++) {
		other = &regions->entries[i];
		if (!viommu_region_is_identity(other) &&
		    viommu_region_overlaps(region, other, limits->granule))
			return false;
	}
	return true;
}

/**
 * viommu_regions_settle_identity() - decide which identity regions count as such
 * @regions: what one endpoint reported
 * @limits: of its virtio-iommu
 * @accept: whether any may
 *
 * One that cannot be mapped, or of which the endpoint says something else as well,
 * is RESERVED. Once for a list: what is refused would take others with it.
 *
 * Context: Any. The list is the caller's.
 * Return: how many were refused though @accept.
 */
unsigned int viommu_regions_settle_identity(struct viommu_regions *regions,
					    const struct viommu_limits *limits, bool accept)
{
	struct viommu_region *region, *end = regions->entries + regions->nr;
	unsigned int refused = 0;

	/* First all of them, so that their order makes no difference. */
	for (region = regions->entries; region < end; region++)
		if (viommu_region_is_identity(region) &&
		    !(accept && viommu_region_is_mappable(regions, region, limits)))
			region->flags = 0;
	for (region = regions->entries; region < end; region++) {
		if (!viommu_region_is_identity(region) || region->flags)
			continue;
		region->type = VIOMMU_REGION_RESERVED;
		refused += accept;
	}
	return refused;
}

static void viommu_regions_sort(struct viommu_regions *regions)
{
	struct viommu_region *entries = regions->entries;
	unsigned int i, j;

	/* Lists are short, and nearly sorted already. */
	for (i = 1; i < regions->nr; i++) {
		struct viommu_region region = entries[i];

		for (j = i; j > 0 && entries[j - 1].start > region.start; j--)
			entries[j] = entries[j - 1];
		entries[j] = region;
	}
}

static unsigned int viommu_region_layers(const struct viommu_region *region)
{
	if (viommu_region_is_identity(region))
		return region->flags;
	return region->type == VIOMMU_REGION_MSI ? VIOMMU_LAYER_MSI : VIOMMU_LAYER_RESERVED;
}

static void viommu_layers_add(struct viommu_layers *layers, const struct viommu_region *region)
{
	unsigned int add = viommu_region_layers(region), i;

	/* What is not on reached to below this region's start. */
	for (i = 0; i < VIOMMU_NR_LAYERS; i++)
		if (add & BIT(i))
			layers->last[i] = max(layers->last[i], region->last);
	layers->on |= add;
}

/* The lowest end of what is on, and no more than @last. */
static u64 viommu_layers_last(const struct viommu_layers *layers, u64 last)
{
	unsigned int i;

	for (i = 0; i < VIOMMU_NR_LAYERS; i++)
		if (layers->on & BIT(i))
			last = min(last, layers->last[i]);
	return last;
}

static void viommu_layers_drop(struct viommu_layers *layers, u64 last)
{
	unsigned int i;

	for (i = 0; i < VIOMMU_NR_LAYERS; i++)
		if (layers->last[i] <= last)
			layers->on &= ~BIT(i);
}

static struct viommu_region viommu_layers_region(const struct viommu_layers *layers, u64 start,
						 u64 last)
{
	struct viommu_region region = {
		.start = start,
		.last = last,
		.flags = layers->on & VIOMMU_LAYER_IDENTITY,
	};

	if (region.flags)
		region.type = VIOMMU_REGION_IDENTITY;
	else if (layers->on & VIOMMU_LAYER_RESERVED)
		region.type = VIOMMU_REGION_RESERVED;
	else
		region.type = VIOMMU_REGION_MSI;
	return region;
}

/* Add a region behind all others. It may be more of the one before. */
static int viommu_regions_append(struct viommu_regions *regions,
				 const struct viommu_region *region)
{
	struct viommu_region *before;

	if (regions->nr) {
		before = &regions->entries[regions->nr - 1];
		if (before->last + 1 == region->start && before->type == region->type &&
		    before->flags == region->flags) {
			before->last = region->last;
			return 0;
		}
	}
	return viommu_regions_add(regions, region);
}

/**
 * viommu_regions_normalise() - round, sort and merge
 * @regions: an empty list for the result, with room for twice what is in @from
 * @from: what was reported, in any order; rounded and sorted, too
 * @granule: smallest mapping, in bytes, a power of two
 *
 * Afterwards the regions are disjoint, sorted, and whole granules.
 *
 * Context: Any. The lists are the caller's.
 * Return: 0, or -ENOSPC where there was less room.
 */
int viommu_regions_normalise(struct viommu_regions *regions, struct viommu_regions *from,
			     u64 granule)
{
	struct viommu_layers layers = {};
	struct viommu_region region;
	u64 start = 0, last;
	unsigned int i;
	int ret;

	for (i = 0; i < from->nr; i++) {
		from->entries[i].start &= ~(granule - 1);
		from->entries[i].last |= granule - 1;
	}
	viommu_regions_sort(from);

	/* A sweep from address to address where something begins or ends. */
	for (i = 0; i < from->nr || layers.on;) {
		if (!layers.on)
			start = from->entries[i].start;
		while (i < from->nr && from->entries[i].start <= start)
			viommu_layers_add(&layers, &from->entries[i++]);
		last = viommu_layers_last(&layers, i < from->nr ? from->entries[i].start - 1 :
					  U64_MAX);
		region = viommu_layers_region(&layers, start, last);
		ret = viommu_regions_append(regions, &region);
		if (ret)
			return ret;
		viommu_layers_drop(&layers, last);
		start = last + 1;
	}
	return 0;
}

/**
 * viommu_regions_bound() - keep regions to what the kernel can bear
 * @regions: a normalised list
 *
 * For each page of an MSI region the kernel's DMA API has a record, and at each page of an
 * identity region the core looks: of much more than any machine has, neither would come to
 * an end. What is too much together with those below it becomes RESERVED.
 *
 * Context: Any. The list is the caller's.
 * Return: how many became RESERVED.
 */
unsigned int viommu_regions_bound(struct viommu_regions *regions)
{
	struct viommu_region *region, *end = regions->entries + regions->nr;
	u64 left[] = {
		[VIOMMU_REGION_MSI] = VIOMMU_MSI_MAX,
		[VIOMMU_REGION_IDENTITY] = VIOMMU_IDENTITY_MAX,
	};
	unsigned int refused = 0;

	for (region = regions->entries; region < end; region++) {
		if (region->type == VIOMMU_REGION_RESERVED)
			continue;
		if (region->last - region->start < left[region->type]) {
			left[region->type] -= region->last - region->start + 1;
			continue;
		}
		region->type = VIOMMU_REGION_RESERVED;
		region->flags = 0;
		refused++;
	}
	return refused;
}

/**
 * viommu_regions_first() - lowest region that overlaps a range
 * @regions: a normalised list
 * @start: first IOVA
 * @last: last IOVA
 *
 * Context: Any. The list is the caller's.
 * Return: the region, with those above it behind it, or NULL.
 */
const struct viommu_region *viommu_regions_first(const struct viommu_regions *regions, u64 start,
						 u64 last)
{
	unsigned int low = 0, high = regions->nr, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (regions->entries[middle].last < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < regions->nr && regions->entries[low].start <= last ?
	       &regions->entries[low] : NULL;
}

/**
 * viommu_regions_open() - would one endpoint's identity regions be open to another?
 * @regions: the one's, normalised
 * @other: the other's, normalised
 *
 * In a domain of both, the other could reach what was meant for the one. Not where
 * it has a region of any type itself, as then it has no business there.
 *
 * Context: Any. The lists are the caller's.
 * Return: an identity region of which a part is in none of the other's, or NULL.
 */
const struct viommu_region *viommu_regions_open(const struct viommu_regions *regions,
						const struct viommu_regions *other)
{
	const struct viommu_region *region, *cover;
	unsigned int i;
	u64 start;

	for (i = 0; i < regions->nr; i++) {
		region = &regions->entries[i];
		if (!viommu_region_is_identity(region))
			continue;
		for (start = region->start;; start = cover->last + 1) {
			cover = viommu_regions_first(other, start, start);
			if (!cover)
				return region;
			if (cover->last >= region->last)
				break;
		}
	}
	return NULL;
}

/* The lowest place that is free, from @start on. */
static int viommu_regions_place_above(const struct viommu_regions *regions,
				      const struct viommu_limits *limits, u64 size, u64 start,
				      u64 *place)
{
	const struct viommu_region *region;

	while (start <= limits->input_last && limits->input_last - start >= size - 1) {
		region = viommu_regions_first(regions, start, start + size - 1);
		if (!region) {
			*place = start;
			return 0;
		}
		if (region->last > U64_MAX - size)
			break;
		start = (region->last + size) & ~(size - 1);
	}
	return -ENOSPC;
}

/**
 * viommu_regions_place() - find room for a window that no region is in
 * @regions: a normalised list
 * @limits: the input range is to hold the window
 * @size: bytes, a power of two, to which the window is aligned
 * @wanted: where it should be, aligned likewise, or, if that is not free, above; below only
 *	otherwise
 * @place: filled in: first IOVA of the window
 *
 * Context: Any. The list is the caller's.
 * Return: 0, or -ENOSPC where there is no room.
 */
int viommu_regions_place(const struct viommu_regions *regions, const struct viommu_limits *limits,
			 u64 size, u64 wanted, u64 *place)
{
	u64 start = (limits->input_start + size - 1) & ~(size - 1);

	if (wanted >= limits->input_start &&
	    !viommu_regions_place_above(regions, limits, size, wanted, place))
		return 0;
	/* It wrapped. */
	if (start < limits->input_start)
		return -ENOSPC;
	return viommu_regions_place_above(regions, limits, size, start, place);
}
