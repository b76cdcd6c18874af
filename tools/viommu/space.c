// SPDX-License-Identifier: GPL-2.0
/*
 * An address space: what a domain maps, from debugfs, and the reserved regions of its
 * devices, from their IOMMU groups.
 *
 * Mappings that follow each other and are alike are one run, so that a buffer of a
 * thousand pages is a line. The driver's own never overlap, save for a stale one; but
 * nothing here counts on it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "space.h"

enum { DOMAIN, START, LAST, PHYS, ACCESS, STATE, WORDS };

const char *const mapping_states[STATES] = {
	"mapped", "unsent", "pending", "refused", "unmapping", "stale", "unknown",
};

uint64_t range_size(uint64_t start, uint64_t last)
{
	uint64_t size = last - start;

	return size == UINT64_MAX ? size : size + 1;
}

bool mapping_reachable(const struct mapping *mapping)
{
	return mapping->state != STATE_REFUSED && mapping->state != STATE_UNSENT;
}

static bool mapping_parse(char *words[], uint32_t domain, struct mapping *mapping)
{
	uint32_t id;

	*mapping = (struct mapping) { .count = 1 };
	if (!word_number32(words[DOMAIN], &id) || id != domain ||
	    !word_number(words[START], &mapping->start) ||
	    !word_number(words[LAST], &mapping->last) || mapping->start > mapping->last)
		return false;
	mapping->has_phys = word_number(words[PHYS], &mapping->phys);
	snprintf(mapping->access, sizeof(mapping->access), "%.3s", words[ACCESS]);
	while (mapping->state < STATE_UNKNOWN &&
	       strcmp(words[STATE], mapping_states[mapping->state]))
		mapping->state++;
	return true;
}

static int mapping_compare(const void *a, const void *b)
{
	const struct mapping *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return (left->last > right->last) - (left->last < right->last);
}

static void space_read_mappings(struct space *space)
{
	char *file = debugfs_read(space->target.iommu, "mappings");
	char *position = records_begin(file), *words[WORDS];
	size_t room = 0;

	while (record_next(&position, words, WORDS)) {
		if (space->nr_mappings == room) {
			room = room ? 2 * room : 256;
			space->mappings = resize(space->mappings,
						 room * sizeof(*space->mappings));
		}
		if (mapping_parse(words, space->target.domain,
				  &space->mappings[space->nr_mappings]))
			space->nr_mappings++;
	}
	free(file);
	if (space->nr_mappings)
		qsort(space->mappings, space->nr_mappings, sizeof(*space->mappings),
		      mapping_compare);
}

static bool run_goes_on(const struct mapping *run, const struct mapping *next)
{
	return run->last != UINT64_MAX && next->start == run->last + 1 &&
	       run->state == next->state && run->has_phys == next->has_phys &&
	       !strcmp(run->access, next->access);
}

static void space_fold(struct space *space)
{
	size_t i;

	space->runs = allocate((space->nr_mappings + 1) * sizeof(*space->runs));
	for (i = 0; i < space->nr_mappings; i++) {
		const struct mapping *mapping = &space->mappings[i];
		struct mapping *run = space->nr_runs ? &space->runs[space->nr_runs - 1] : NULL;
		uint64_t size = range_size(mapping->start, mapping->last);

		space->states[mapping->state]++;
		if (mapping_reachable(mapping) &&
		    __builtin_add_overflow(space->bytes, size, &space->bytes))
			space->bytes = UINT64_MAX;
		if (!run || !run_goes_on(run, mapping)) {
			space->runs[space->nr_runs++] = *mapping;
			continue;
		}
		if (run->phys + (mapping->start - run->start) != mapping->phys)
			run->scattered = true;
		run->last = mapping->last;
		run->count++;
	}
}

static void space_add_region(struct space *space, char *words[])
{
	struct region region = { };
	size_t i;

	if (!word_number(words[0], &region.start) || !word_number(words[1], &region.last) ||
	    region.start > region.last)
		return;
	snprintf(region.type, sizeof(region.type), "%s", words[2]);
	for (i = 0; i < space->nr_regions; i++) {
		const struct region *other = &space->regions[i];

		if (other->start == region.start && other->last == region.last &&
		    !strcmp(other->type, region.type))
			return;
	}
	space->regions = resize(space->regions, (space->nr_regions + 1) * sizeof(region));
	space->regions[space->nr_regions++] = region;
}

static void space_read_group(struct space *space, const char *device_path)
{
	char *path = text("%s/iommu_group/reserved_regions", device_path);
	char *file = file_read(path, NULL), *position = file, *words[3];

	if (file) {
		records_begin(file);
		while (record_next(&position, words, ARRAY_SIZE(words)))
			space_add_region(space, words);
	}
	free(file);
	free(path);
}

/* The driver says a device's name, not its bus. */
static void space_read_device(struct space *space, const char *device, size_t length)
{
	char *top = file_path("/sys/bus");
	char **buses = folder_names(top);
	size_t i;

	for (i = 0; buses[i] && !memchr(device, '/', length); i++) {
		char *path = text("%s/%s/devices/%.*s", top, buses[i], (int)length, device);

		space_read_group(space, path);
		free(path);
	}
	names_free(buses);
	free(top);
}

static int region_compare(const void *a, const void *b)
{
	const struct region *left = a, *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

static void space_read_regions(struct space *space)
{
	size_t i, length;

	for (i = 0; i < space->target.nr; i++) {
		const char *device = space->target.attachments[i].devices;

		for (; *device; device += length) {
			device += strspn(device, " ");
			length = strcspn(device, " ");
			if (length)
				space_read_device(space, device, length);
		}
	}
	if (space->nr_regions)
		qsort(space->regions, space->nr_regions, sizeof(*space->regions),
		      region_compare);
}

void space_read(const struct iommu *iommus, const char *name, struct space *space)
{
	*space = (struct space) { };
	target_find(iommus, name, &space->target);
	if (!space->target.has_domain)
		return;
	/* a device's domain may have further endpoints in it */
	name = text("%s/domain:%" PRIu32, space->target.iommu->name, space->target.domain);
	target_find(iommus, name, &space->target);
	space_read_mappings(space);
	space_fold(space);
	space_read_regions(space);
}
