// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzer of property.c, and of regions.c with what comes out of it. The input is
 * a head, and a PROBE reply, the regions of which are shared out to two endpoints.
 *
 * What is said of an address is looked up region by region, in what was reported
 * and in what became of it. Nothing changes but where a region begins or ends:
 * those addresses and their neighbours speak for all.
 */
#include "fuzz.h"

#define READ_WRITE	(VIRTIO_IOMMU_MAP_F_READ | VIRTIO_IOMMU_MAP_F_WRITE)

/* Of this machine's byte order. */
struct head {
	u8 room;	/* for so many of the reply's regions */
	u8 granule;	/* the base-2 logarithm, from 12 on */
	u8 cut;		/* the first endpoint's regions */
	u8 accept;
	u8 size;	/* of a window: the base-2 logarithm */
	u8 unused[3];
	u64 wanted;
	u64 input_start;
	u64 input_last;
};

static void check_walk(const u8 *reply, size_t size)
{
	struct viommu_property property;
	size_t offset = 0, before = 0;
	int ret;

	while ((ret = viommu_property_next(reply, size, &offset, &property)) > 0) {
		MUST(ret == 1);
		MUST(offset >= before + 4 && offset <= size);
		MUST(property.value == reply + before + 4);
		MUST(property.value + property.length == reply + offset);
		before = offset;
	}
	MUST(ret == 0 || ret == -EINVAL);
}

static struct viommu_regions list_create(const struct viommu_region *entries, unsigned int nr,
					 unsigned int max)
{
	struct viommu_regions regions = { .max = max };
	unsigned int i;

	regions.entries = malloc(max * sizeof(*entries));
	for (i = 0; i < nr; i++)
		MUST(viommu_regions_add(&regions, &entries[i]) == 0);
	return regions;
}

static bool is_identity(const struct viommu_region *region)
{
	return region->type == VIOMMU_REGION_IDENTITY;
}

static void check_region(const struct viommu_region *region)
{
	MUST(region->start <= region->last);
	if (is_identity(region))
		MUST(region->flags & READ_WRITE &&
		     !(region->flags & ~(READ_WRITE | VIRTIO_IOMMU_MAP_F_MMIO)));
	else
		MUST(!region->flags && (region->type == VIOMMU_REGION_MSI ||
					region->type == VIOMMU_REGION_RESERVED));
}

static struct viommu_region rounded(const struct viommu_region *region, u64 granule)
{
	struct viommu_region rounded = *region;

	rounded.start -= rounded.start % granule;
	rounded.last += granule - 1 - rounded.last % granule;
	return rounded;
}

static bool overlap(const struct viommu_region *a, const struct viommu_region *b, u64 granule)
{
	struct viommu_region x = rounded(a, granule), y = rounded(b, granule);

	return x.start <= y.last && y.start <= x.last;
}

static void check_settled(struct viommu_regions *regions, const struct viommu_limits *limits,
			  bool accept)
{
	struct viommu_regions before = list_create(regions->entries, regions->nr, regions->nr);
	unsigned int i, j, refused, identity = 0, left = 0;

	refused = viommu_regions_settle_identity(regions, limits, accept);
	MUST(regions->nr == before.nr);
	for (i = 0; i < before.nr; i++) {
		const struct viommu_region *region = &before.entries[i];
		const struct viommu_region *settled = &regions->entries[i];
		bool stays = accept && region->start >= limits->input_start &&
			     region->last <= limits->input_last;

		check_region(settled);
		MUST(settled->start == region->start && settled->last == region->last);
		if (!is_identity(region)) {
			MUST(settled->type == region->type);
			continue;
		}
		for (j = 0; stays && j < before.nr; j++)
			stays = is_identity(&before.entries[j]) ||
				!overlap(region, &before.entries[j], limits->granule);
		MUST(stays ? is_identity(settled) && settled->flags == region->flags :
		     settled->type == VIOMMU_REGION_RESERVED);
		identity++;
		left += stays;
	}
	MUST(refused == (accept ? identity - left : 0));
	free(before.entries);
}

/* All that is said of an address: flags of identity regions, and a bit for each other type. */
static u32 said(const struct viommu_regions *regions, u64 address, u64 granule)
{
	u32 said = 0;
	unsigned int i;

	for (i = 0; i < regions->nr; i++) {
		struct viommu_region region = rounded(&regions->entries[i], granule);

		if (region.start <= address && address <= region.last)
			said |= is_identity(&region) ? region.flags : 1U << (30 + region.type);
	}
	return said;
}

static u32 greatest(u32 said)
{
	if (said & READ_WRITE)
		return said & (READ_WRITE | VIRTIO_IOMMU_MAP_F_MMIO);
	if (said & 1U << (30 + VIOMMU_REGION_RESERVED))
		return 1U << (30 + VIOMMU_REGION_RESERVED);
	return said;
}

/* Addresses at the ends of a region, 0 to 5. */
static u64 edge(const struct viommu_region *region, unsigned int index)
{
	return (index < 3 ? region->start : region->last) + index % 3 - 1;
}

static void check_normal(const struct viommu_regions *regions, const struct viommu_regions *from,
			 u64 granule)
{
	unsigned int i, j;

	for (i = 0; i < regions->nr; i++) {
		const struct viommu_region *region = &regions->entries[i];

		check_region(region);
		MUST(region->start % granule == 0);
		MUST(region->last % granule == granule - 1);
		if (!i)
			continue;
		MUST(region[-1].last < region->start);
		MUST(region[-1].last + 1 < region->start || region[-1].type != region->type ||
		     region[-1].flags != region->flags);
	}
	for (i = 0; i < from->nr; i++) {
		struct viommu_region region = rounded(&from->entries[i], granule);

		for (j = 0; j < 6; j++) {
			u64 at = edge(&region, j);

			MUST(said(regions, at, 1) == greatest(said(from, at, granule)));
		}
	}
}

/* Of a copy, into room for twice as many; and into any less than it takes. */
static struct viommu_regions normalise(const struct viommu_regions *reported, u64 granule)
{
	struct viommu_regions from = list_create(reported->entries, reported->nr, reported->nr);
	struct viommu_regions regions = list_create(NULL, 0, 2 * reported->nr), less;

	MUST(viommu_regions_normalise(&regions, &from, granule) == 0);
	MUST(regions.nr <= 2 * reported->nr && from.nr == reported->nr);
	check_normal(&regions, reported, granule);
	if (regions.nr) {
		less = list_create(NULL, 0, regions.nr - 1);
		MUST(viommu_regions_normalise(&less, &from, granule) == -ENOSPC);
		MUST(less.nr == less.max);
		free(less.entries);
	}
	free(from.entries);
	return regions;
}

static bool is_hole(const struct viommu_region *region, const struct viommu_regions *other, u64 at)
{
	return region->start <= at && at <= region->last && !said(other, at, 1);
}

/* If there is a hole, one begins where the region does, or behind one of the other's. */
static bool is_open(const struct viommu_region *region, const struct viommu_regions *other)
{
	unsigned int i;

	if (!is_identity(region))
		return false;
	if (is_hole(region, other, region->start))
		return true;
	for (i = 0; i < other->nr; i++)
		if (is_hole(region, other, other->entries[i].last + 1))
			return true;
	return false;
}

static void check_open(const struct viommu_regions *regions, const struct viommu_regions *other)
{
	const struct viommu_region *open = viommu_regions_open(regions, other);
	unsigned int i;

	if (open) {
		MUST(open >= regions->entries && open < regions->entries + regions->nr);
		MUST(is_open(open, other));
		return;
	}
	for (i = 0; i < regions->nr; i++)
		MUST(!is_open(&regions->entries[i], other));
}

static const struct viommu_region *first(const struct viommu_regions *regions, u64 start, u64 last)
{
	unsigned int i;

	for (i = 0; i < regions->nr; i++)
		if (regions->entries[i].start <= last && regions->entries[i].last >= start)
			return &regions->entries[i];
	return NULL;
}

static void check_first(const struct viommu_regions *regions, u64 size)
{
	unsigned int i, j;
	u64 at, last;

	for (i = 0; i < regions->nr; i++) {
		for (j = 0; j < 6; j++) {
			at = edge(&regions->entries[i], j);
			last = at + size - 1 < at ? U64_MAX : at + size - 1;
			MUST(viommu_regions_first(regions, at, at) == first(regions, at, at));
			MUST(viommu_regions_first(regions, at, last) == first(regions, at, last));
		}
	}
}

static bool is_room(const struct viommu_regions *regions, const struct viommu_limits *limits,
		    u64 size, u64 at)
{
	return at % size == 0 && at >= limits->input_start && at <= limits->input_last &&
	       limits->input_last - at >= size - 1 && !first(regions, at, at + (size - 1));
}

/* The lowest from @at on: there, where the input range begins, or behind a region. */
static bool room_above(const struct viommu_regions *regions, const struct viommu_limits *limits,
		       u64 size, u64 at, u64 *place)
{
	bool found = is_room(regions, limits, size, at);
	unsigned int i;
	u64 next;

	*place = at;
	for (i = 0; i <= regions->nr; i++) {
		next = i ? regions->entries[i - 1].last + 1 : limits->input_start;
		next += -next % size;
		if (next > at && is_room(regions, limits, size, next) &&
		    (!found || next < *place)) {
			*place = next;
			found = true;
		}
	}
	return found;
}

static void check_place(const struct viommu_regions *regions, const struct viommu_limits *limits,
			u64 size, u64 wanted)
{
	u64 place, want;
	int ret = viommu_regions_place(regions, limits, size, wanted, &place);

	if (room_above(regions, limits, size, wanted, &want) ||
	    room_above(regions, limits, size, 0, &want))
		MUST(ret == 0 && place == want);
	else
		MUST(ret == -ENOSPC);
}

static struct viommu_regions joined(const struct viommu_regions *a, const struct viommu_regions *b)
{
	struct viommu_regions regions = list_create(a->entries, a->nr, a->nr + b->nr);
	unsigned int i;

	for (i = 0; i < b->nr; i++)
		MUST(viommu_regions_add(&regions, &b->entries[i]) == 0);
	return regions;
}

static void check_same(const struct viommu_regions *a, const struct viommu_regions *b)
{
	unsigned int i;

	MUST(a->nr == b->nr);
	for (i = 0; i < a->nr; i++) {
		MUST(a->entries[i].start == b->entries[i].start);
		MUST(a->entries[i].last == b->entries[i].last);
		MUST(a->entries[i].type == b->entries[i].type);
		MUST(a->entries[i].flags == b->entries[i].flags);
	}
}

static void check_endpoints(const struct viommu_regions *regions, const struct head *head)
{
	const u64 granule = 4096ULL << head->granule % 40, size = 1ULL << head->size % 64;
	const unsigned int cut = head->cut < regions->nr ? head->cut : regions->nr;
	const struct viommu_limits limits = {
		.granule = granule,
		.input_start = head->input_start & ~(granule - 1),
		.input_last = head->input_last | (granule - 1),
	};
	struct viommu_regions a = list_create(regions->entries, cut, cut);
	struct viommu_regions b = list_create(regions->entries + cut, regions->nr - cut,
					      regions->nr - cut);
	struct viommu_regions normal_a, normal_b, normal_both, all, both, at_once;

	check_settled(&a, &limits, head->accept & 1);
	check_settled(&b, &limits, head->accept & 2);
	normal_a = normalise(&a, granule);
	normal_b = normalise(&b, granule);

	/* Each by itself and then both, and all at once. */
	both = joined(&normal_a, &normal_b);
	normal_both = normalise(&both, granule);
	all = joined(&a, &b);
	at_once = normalise(&all, granule);
	check_same(&normal_both, &at_once);

	check_open(&normal_a, &normal_b);
	check_open(&normal_b, &normal_a);
	check_first(&normal_both, size);
	if (limits.input_start <= limits.input_last)
		check_place(&normal_both, &limits, size, head->wanted & ~(size - 1));
	free(a.entries);
	free(b.entries);
	free(normal_a.entries);
	free(normal_b.entries);
	free(both.entries);
	free(normal_both.entries);
	free(all.entries);
	free(at_once.entries);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct viommu_regions regions;
	struct head head;
	unsigned int i;
	int ret;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	data += sizeof(head);
	size -= sizeof(head);

	check_walk(data, size);
	regions = list_create(NULL, 0, head.room);
	ret = viommu_property_regions(data, size, &regions);
	MUST(ret >= 0 ? (size_t)ret <= size / 4 : ret == -ENOSPC && regions.nr == regions.max);
	MUST(regions.nr <= regions.max && regions.nr <= size / 24);
	for (i = 0; i < regions.nr; i++)
		check_region(&regions.entries[i]);
	check_endpoints(&regions, &head);
	free(regions.entries);
	return 0;
}
