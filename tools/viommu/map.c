// SPDX-License-Identifier: GPL-2.0
/*
 * viommu map: what the domain of a device maps: as a table, as totals, as a picture.
 *
 * A domain is shared by all devices of a group, and by all that a program gave to VFIO
 * together: what is shown is the domain's, whichever of them was named.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "space.h"

static struct {
	bool all, summary, picture;
	const char *svg;
} own;

enum { OPTION_SVG = 1, OPTION_SUMMARY, OPTION_PICTURE };

static void handle_option(int val, const char *arg)
{
	switch (val) {
	case 'a':
		own.all = true;
		break;
	case OPTION_SUMMARY:
		own.summary = true;
		break;
	case OPTION_PICTURE:
		own.picture = true;
		break;
	case OPTION_SVG:
		own.svg = arg;
		break;
	}
}

/* What a domain without mappings of its own means for its devices; NULL for others. */
static const char *kind_text(const struct target *target)
{
	if (!target->has_domain)
		return "in no domain: nothing is mapped, \"bypass\" says what it reaches";
	if (!strcmp(target->kind, "identity"))
		return "an identity domain: devices reach all memory, at its own addresses";
	if (!strcmp(target->kind, "blocked"))
		return "a blocked domain: devices reach nothing";
	return NULL;
}

/* "virtio0 domain 1 (DMA): 0x8 0000:00:01.0, 0x10 ..." To be freed by the caller. */
static char *space_title(const struct space *space)
{
	const struct target *target = &space->target;
	char *title, *longer;
	size_t i;

	if (target->has_domain)
		title = text("%s domain %" PRIu32 " (%s)", target->iommu->name, target->domain,
			     target->kind);
	else
		title = text("%s", target->iommu->name);
	for (i = 0; i < target->nr; i++) {
		const struct attachment *attachment = &target->attachments[i];

		longer = text("%s%s endpoint 0x%" PRIx32 "%s%s", title, i ? "," : ":",
			      attachment->endpoint, *attachment->devices ? " " : "",
			      attachment->devices);
		free(title);
		title = longer;
	}
	return title;
}

static enum colour state_colour(enum mapping_state state)
{
	return state == STATE_MAPPED ? PLAIN :
	       state == STATE_STALE || state == STATE_REFUSED ? RED : YELLOW;
}

static void print_mappings(const struct space *space)
{
	static const char *const headings[] = {
		"start", "last", "size", "mappings", "phys", "access", "state",
	};
	const struct mapping *list = own.all ? space->mappings : space->runs;
	size_t i, nr = own.all ? space->nr_mappings : space->nr_runs;
	struct table *table;

	if (!nr)
		return;
	table = table_new(headings, ARRAY_SIZE(headings));
	for (i = 0; i < nr; i++) {
		enum colour colour = state_colour(list[i].state);

		table_cell(table, colour, "0x%" PRIx64, list[i].start);
		table_cell(table, colour, "0x%" PRIx64, list[i].last);
		table_cell(table, PLAIN, "%s", bytes_text(range_size(list[i].start,
								     list[i].last)));
		table_cell(table, PLAIN, "%" PRIu64, list[i].count);
		if (list[i].has_phys && !list[i].scattered)
			table_cell(table, PLAIN, "0x%" PRIx64, list[i].phys);
		else
			table_cell(table, DIM, "%s", list[i].has_phys ? "scattered" : "-");
		table_cell(table, PLAIN, "%s", list[i].access);
		table_cell(table, colour, "%s", mapping_states[list[i].state]);
	}
	table_print(table);
	putchar('\n');
}

static void print_regions(const struct space *space)
{
	size_t i;

	for (i = 0; i < space->nr_regions; i++) {
		const struct region *region = &space->regions[i];

		printf("%s 0x%" PRIx64 " to 0x%" PRIx64 " (%s)\n", region->type, region->start,
		       region->last, bytes_text(range_size(region->start, region->last)));
	}
}

/* How many mappings have the size of each power of two, and less than the next one. */
static void sizes_count(const struct space *space, uint64_t sizes[64])
{
	size_t i;

	for (i = 0; i < space->nr_mappings; i++) {
		const struct mapping *mapping = &space->mappings[i];

		sizes[63 - __builtin_clzll(range_size(mapping->start, mapping->last))]++;
	}
}

static void print_sizes(const struct space *space)
{
	uint64_t sizes[64] = { };
	unsigned int i;

	sizes_count(space, sizes);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i])
			printf("  of %s%s: %" PRIu64 "\n", bytes_text(1ULL << i),
			       i < 63 ? " and more" : "", sizes[i]);
	}
}

static void print_totals(const struct space *space)
{
	unsigned int i;

	printf("%zu mapping%s in %zu run%s: %s\n", space->nr_mappings,
	       space->nr_mappings == 1 ? "" : "s", space->nr_runs,
	       space->nr_runs == 1 ? "" : "s", bytes_text(space->bytes));
	if (own.summary)
		print_sizes(space);
	for (i = 0; i < STATES; i++) {
		if (i != STATE_MAPPED && space->states[i])
			printf("%s%" PRIu64 " %s%s\n", colour(state_colour(i)), space->states[i],
			       mapping_states[i], colour(PLAIN));
	}
	print_regions(space);
}

static void print_space(const struct space *space)
{
	const char *kind = kind_text(&space->target);
	char *title = space_title(space);

	printf("%s%s%s\n", colour(BOLD), title, colour(PLAIN));
	free(title);
	if (kind)
		printf("%s\n", kind);
	if (!space->target.has_domain)
		return;
	if (!own.picture && !own.summary)
		print_mappings(space);
	print_totals(space);
	if (own.picture)
		picture_print(space);
}

static struct json_object *json_address(uint64_t address)
{
	char hex[24];

	snprintf(hex, sizeof(hex), "0x%" PRIx64, address);
	return json_object_new_string(hex);
}

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static struct json_object *json_endpoints(const struct target *target)
{
	struct json_object *endpoints = json_object_new_array();
	size_t i, length;

	for (i = 0; i < target->nr; i++) {
		struct json_object *endpoint = json_object_new_object();
		struct json_object *devices = json_object_new_array();
		const char *device = target->attachments[i].devices;

		for (; *device; device += length) {
			device += strspn(device, " ");
			length = strcspn(device, " ");
			if (length)
				json_object_array_add(devices, json_object_new_string_len(device,
											  length));
		}
		add(endpoint, "endpoint", json_address(target->attachments[i].endpoint));
		add(endpoint, "devices", devices);
		json_object_array_add(endpoints, endpoint);
	}
	return endpoints;
}

static struct json_object *json_mappings(const struct space *space)
{
	const struct mapping *list = own.all ? space->mappings : space->runs;
	size_t i, nr = own.all ? space->nr_mappings : space->nr_runs;
	struct json_object *mappings = json_object_new_array();

	for (i = 0; i < nr; i++) {
		struct json_object *mapping = json_object_new_object();

		add(mapping, "start", json_address(list[i].start));
		add(mapping, "last", json_address(list[i].last));
		add(mapping, "bytes", json_object_new_uint64(range_size(list[i].start,
									list[i].last)));
		add(mapping, "mappings", json_object_new_uint64(list[i].count));
		add(mapping, "phys", list[i].has_phys ? json_address(list[i].phys) : NULL);
		add(mapping, "scattered", json_object_new_boolean(list[i].scattered));
		add(mapping, "access", json_object_new_string(list[i].access));
		add(mapping, "state", json_object_new_string(mapping_states[list[i].state]));
		json_object_array_add(mappings, mapping);
	}
	return mappings;
}

static struct json_object *json_regions(const struct space *space)
{
	struct json_object *regions = json_object_new_array();
	size_t i;

	for (i = 0; i < space->nr_regions; i++) {
		struct json_object *region = json_object_new_object();

		add(region, "start", json_address(space->regions[i].start));
		add(region, "last", json_address(space->regions[i].last));
		add(region, "type", json_object_new_string(space->regions[i].type));
		json_object_array_add(regions, region);
	}
	return regions;
}

static struct json_object *json_totals(const struct space *space)
{
	struct json_object *totals = json_object_new_object();
	struct json_object *states = json_object_new_object();
	unsigned int i;

	for (i = 0; i < STATES; i++)
		add(states, mapping_states[i], json_object_new_uint64(space->states[i]));
	add(totals, "mappings", json_object_new_uint64(space->nr_mappings));
	add(totals, "runs", json_object_new_uint64(space->nr_runs));
	add(totals, "bytes", json_object_new_uint64(space->bytes));
	add(totals, "states", states);
	return totals;
}

static void json_space(const struct space *space)
{
	const struct target *target = &space->target;
	struct json_object *json = json_object_new_object();

	add(json, "iommu", json_object_new_string(target->iommu->name));
	add(json, "domain", target->has_domain ? json_object_new_int64(target->domain) : NULL);
	add(json, "kind", json_object_new_string(target->kind));
	add(json, "endpoints", json_endpoints(target));
	add(json, "regions", json_regions(space));
	if (!own.summary)
		add(json, "mappings", json_mappings(space));
	add(json, "totals", json_totals(space));
	json_print(json);
}

static int run_map(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "picture", no_argument, NULL, OPTION_PICTURE },
		{ "summary", no_argument, NULL, OPTION_SUMMARY },
		{ "svg", required_argument, NULL, OPTION_SVG },
		{ }
	};
	int first = options_parse(argc, argv, &command_map, long_options, handle_option);
	struct space space;
	char *title;

	if (argc - first != 1)
		fail(EXIT_USAGE, "map takes one device, endpoint or domain");
	space_read(iommus_need_ours(), argv[first], &space);
	if (own.svg) {
		title = space_title(&space);
		svg_write(&space, title, own.svg);
		free(title);
	}
	if (own.svg && !strcmp(own.svg, "-"))
		return EXIT_OK;
	if (options.json)
		json_space(&space);
	else if (!own.svg || own.picture || own.summary || own.all)
		print_space(&space);
	return EXIT_OK;
}

const struct command command_map = {
	.name = "map",
	.arguments = "DEVICE",
	.summary = "Show what the domain of a device maps (needs root)",
	.help =
"DEVICE is a PCI address (0000:00:03.0 or 00:03.0), the name of a device on another bus, an\n"
"endpoint ID (0x18) or a domain (domain:3); virtio1/ in front says of which virtio-iommu.\n"
"Mappings next to each other, with the same access and state, are one line. Access is r\n"
"(read), w (write) and m (MMIO); a stale mapping is one that the host did not take back.\n"
"\n"
"  -a, --all              a line for each mapping\n"
"      --summary          totals alone, with how many mappings there are of each size\n"
"      --picture          the address space as a picture: the whole, and each place in\n"
"                         which there are mappings, with a scale of its own\n"
"      --svg FILE         the picture as SVG in FILE, - for standard output\n",
	.run = run_map,
};
