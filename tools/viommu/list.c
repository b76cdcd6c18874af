// SPDX-License-Identifier: GPL-2.0
/*
 * viommu list: the devices, and what each one's DMA reaches.
 *
 * A virtio-iommu a line, a device a line, and the addresses that are given to none. All
 * PCI functions are there, since one that no table mentions is what to look for.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

static struct json_object *iommu_json(const struct system *system, size_t index)
{
	const struct iommu *iommu = &system->iommus[index];
	const struct iommu_state *state = &system->states[index];
	struct json_object *json = json_object_new_object();
	struct json_object *described = json_object_new_array();
	enum description by;

	for (by = 0; by < DESCRIPTIONS; by++) {
		if (state->described & 1U << by)
			json_object_array_add(described, json_text(description_names[by]));
	}
	json_object_object_add(json, "name", json_text(iommu->name));
	json_object_object_add(json, "parent", json_text(iommu->parent));
	json_object_object_add(json, "driver", json_text(iommu->driver));
	json_object_object_add(json, "ours", json_object_new_boolean(iommu->ours));
	json_object_object_add(json, "bypass", json_text(bypass_name(state->bypass)));
	json_object_object_add(json, "dead", json_object_new_boolean(state->dead));
	if (!state->described && firmware_is_hidden(system->firmware)) {
		json_object_put(described);
		described = NULL;
	}
	json_object_object_add(json, "described_by", described);
	return json;
}

static struct json_object *device_json(const struct system *system, const struct device *device)
{
	struct json_object *json = json_object_new_object();
	struct json_object *endpoints = json_object_new_array();
	bool known = device->kind;
	size_t i;

	for (i = 0; i < device->nr_endpoints; i++)
		json_object_array_add(endpoints, json_hex(device->endpoints[i]));
	json_object_object_add(json, "name", json_text(device->name));
	json_object_object_add(json, "bus", json_text(device->bus));
	json_object_object_add(json, "label", json_text(device->label));
	json_object_object_add(json, "driver", json_text(device->driver));
	json_object_object_add(json, "virtio_driver", json_text(device->virtio_driver));
	json_object_object_add(json, "iommu", device->iommu < 0 ? NULL :
			       json_text(system->iommus[device->iommu].name));
	json_object_object_add(json, "described_by", device->range ?
			       json_text(description_names[device->range->by]) : NULL);
	json_object_object_add(json, "group", device->group < 0 ? NULL :
			       json_object_new_int(device->group));
	json_object_object_add(json, "type", json_text(device->type));
	json_object_object_add(json, "endpoints", endpoints);
	json_object_object_add(json, "domain", device->domain < 0 ? NULL :
			       json_object_new_int64(device->domain));
	json_object_object_add(json, "kind", json_text(device->kind));
	json_object_object_add(json, "faults", known ?
			       json_object_new_uint64(device->faults) : NULL);
	json_object_object_add(json, "dma_mode", json_text(device->wish));
	json_object_object_add(json, "dma_mode_in_use", json_text(device->mode));
	json_object_object_add(json, "reach", json_text(reach_name(device->reach)));
	return json;
}

static struct json_object *group_json(const struct group *group)
{
	struct json_object *json = json_object_new_object();
	struct json_object *regions = json_object_new_array();
	struct json_object *region;
	size_t i;

	for (i = 0; i < group->nr_regions; i++) {
		region = json_object_new_object();
		json_object_object_add(region, "start", json_hex(group->regions[i].first));
		json_object_object_add(region, "last", json_hex(group->regions[i].last));
		json_object_object_add(region, "type", json_text(group->regions[i].type));
		json_object_array_add(regions, region);
	}
	json_object_object_add(json, "number", json_object_new_int(group->number));
	json_object_object_add(json, "type", json_text(group->type));
	json_object_object_add(json, "regions", regions);
	return json;
}

static void print_json(const struct system *system)
{
	struct json_object *json = json_object_new_object();
	struct json_object *iommus = json_object_new_array();
	struct json_object *devices = json_object_new_array();
	struct json_object *groups = json_object_new_array();
	size_t i;

	for (i = 0; i < system->nr_iommus; i++)
		json_object_array_add(iommus, iommu_json(system, i));
	for (i = 0; i < system->nr_devices; i++)
		json_object_array_add(devices, device_json(system, &system->devices[i]));
	for (i = 0; i < system->nr_groups; i++)
		json_object_array_add(groups, group_json(&system->groups[i]));
	json_object_object_add(json, "iommus", iommus);
	json_object_object_add(json, "devices", devices);
	json_object_object_add(json, "groups", groups);
	json_print(json);
}

static void print_iommus(const struct system *system)
{
	static const char *const headings[] = { "iommu", "at", "driver", "bypass", "in tables" };
	struct table *table = table_new(headings, ARRAY_SIZE(headings));
	size_t i;

	for (i = 0; i < system->nr_iommus; i++) {
		const struct iommu *iommu = &system->iommus[i];
		const struct iommu_state *state = &system->states[i];
		char *tables = text("%s%s%s", state->described & 1U << BY_VIOT ? " VIOT" : "",
				    state->described & 1U << BY_IORT ? " IORT" : "",
				    state->described & 1U << BY_DT ? " DT" : "");

		table_cell(table, PLAIN, "%s", iommu->name);
		table_cell(table, PLAIN, "%s", iommu->parent);
		table_cell(table, !iommu->driver || state->dead ? RED : PLAIN, "%s%s",
			   !iommu->driver ? "none" : iommu->ours ? "viommu" : "stock",
			   state->dead ? ", device is dead" : "");
		table_cell(table, state->bypass == BYPASS_OPEN ? RED : PLAIN, "%s",
			   bypass_name(state->bypass));
		if (*tables)
			table_cell(table, PLAIN, "%s", tables + 1);
		else if (firmware_is_hidden(system->firmware))
			table_cell(table, PLAIN, "not readable");
		else
			table_cell(table, RED, "none");
		free(tables);
	}
	table_print(table);
}

/* "0x18 0x20"; in parentheses what only tables say, not the driver. */
static char *endpoints_text(const struct device *device)
{
	char *all = text("%s", ""), *more;
	size_t i;

	for (i = 0; i < device->nr_endpoints; i++) {
		more = text("%s%s0x%x", all, i ? " " : "", device->endpoints[i]);
		free(all);
		all = more;
	}
	if (!device->nr_endpoints) {
		free(all);
		return text("-");
	}
	if (device->endpoints_are_tables) {
		more = text("(%s)", all);
		free(all);
		all = more;
	}
	return all;
}

/* "ordinary"; in parentheses the mode that it should have instead. */
static void print_mode(struct table *table, const struct device *device)
{
	enum colour colour = device_mode_waits(device) ? YELLOW : PLAIN;

	if (!device->mode)
		table_cell(table, PLAIN, "-");
	else if (!device->wish || !strcmp(device->wish, device->mode))
		table_cell(table, PLAIN, "%s", device->mode);
	else
		table_cell(table, colour, "%s (%s)", device->mode, device->wish);
}

/* More than what is mapped for it is mapped, in this mode. */
static const char *device_reach_text(const struct device *device)
{
	if (device->reach == REACH_MAPPED && device_has_mode(device) &&
	    !strcmp(device->mode, "reuse"))
		return "what is mapped, memory around it";
	return reach_text(device->reach);
}

static void print_device(struct table *table, const struct device *device, bool modes)
{
	char *endpoints = endpoints_text(device);

	table_cell(table, reach_is_bad(device->reach) ? RED : PLAIN, "%s", device->name);
	if (device->group < 0)
		table_cell(table, PLAIN, "-");
	else
		table_cell(table, PLAIN, "%d", device->group);
	table_cell(table, PLAIN, "%s", device->type ? device->type : "-");
	if (device->domain < 0)
		table_cell(table, PLAIN, "-");
	else
		table_cell(table, PLAIN, "%" PRIi64 " %s", device->domain, device->kind);
	table_cell(table, PLAIN, "%s", endpoints);
	if (!device->kind)
		table_cell(table, PLAIN, "-");
	else
		table_cell(table, device->faults ? YELLOW : PLAIN, "%" PRIu64, device->faults);
	if (modes)
		print_mode(table, device);
	table_cell(table, reach_colour(device->reach), "%s", device_reach_text(device));
	table_cell(table, PLAIN, "%s%s%s", device->driver ? device->driver : "-",
		   device->virtio_driver ? " " : "",
		   device->virtio_driver ? device->virtio_driver : "");
	table_cell(table, DIM, "%s", device->label);
	free(endpoints);
}

static bool modes_are_shown(const struct system *system)
{
	size_t i;

	for (i = 0; i < system->nr_devices; i++) {
		if (system->devices[i].mode)
			return true;
	}
	return false;
}

static void print_devices(const struct system *system)
{
	static const char *const with_modes[] = {
		"device", "group", "type", "domain", "endpoints", "faults", "DMA mode",
		"its DMA reaches", "driver", "name",
	};
	static const char *const without[] = {
		"device", "group", "type", "domain", "endpoints", "faults", "its DMA reaches",
		"driver", "name",
	};
	bool modes = modes_are_shown(system);
	struct table *table = modes ? table_new(with_modes, ARRAY_SIZE(with_modes)) :
				      table_new(without, ARRAY_SIZE(without));
	size_t i;

	for (i = 0; i < system->nr_devices; i++)
		print_device(table, &system->devices[i], modes);
	putchar('\n');
	table_print(table);
}

static bool regions_equal(const struct group *one, const struct group *other)
{
	size_t i;

	if (one->nr_regions != other->nr_regions)
		return false;
	for (i = 0; i < one->nr_regions; i++) {
		if (one->regions[i].first != other->regions[i].first ||
		    one->regions[i].last != other->regions[i].last ||
		    strcmp(one->regions[i].type, other->regions[i].type))
			return false;
	}
	return true;
}

/* "0 1 4": the groups from @first on that have the same regions, or NULL if one before has. */
static char *groups_text(const struct system *system, size_t first)
{
	const struct group *groups = system->groups;
	char *all, *more;
	size_t i;

	for (i = 0; i < first; i++) {
		if (regions_equal(&groups[i], &groups[first]))
			return NULL;
	}
	all = text("%d", groups[first].number);
	for (i = first + 1; i < system->nr_groups; i++) {
		if (!regions_equal(&groups[i], &groups[first]))
			continue;
		more = text("%s %d", all, groups[i].number);
		free(all);
		all = more;
	}
	return all;
}

static void print_regions(const struct system *system)
{
	static const char *const headings[] = { "reserved", "size", "type", "groups" };
	struct table *table = table_new(headings, ARRAY_SIZE(headings));
	size_t i, j;

	for (i = 0; i < system->nr_groups; i++) {
		char *groups = groups_text(system, i);

		for (j = 0; groups && j < system->groups[i].nr_regions; j++) {
			const struct region *region = &system->groups[i].regions[j];

			table_cell(table, PLAIN, "0x%" PRIx64 "-0x%" PRIx64, region->first,
				   region->last);
			table_cell(table, PLAIN, "%s",
				   bytes_text(region->last - region->first + 1));
			table_cell(table, PLAIN, "%s", region->type);
			table_cell(table, PLAIN, "%s", groups);
		}
		free(groups);
	}
	putchar('\n');
	table_print(table);
}

/* What is not shown, and why. */
static void print_notes(const struct system *system)
{
	size_t i, bad = 0;

	for (i = 0; i < system->nr_devices; i++)
		bad += reach_is_bad(system->devices[i].reach);
	if (bad)
		printf("\n%s%zu of %zu devices are not protected%s: viommu doctor says why.\n",
		       colour(RED), bad, system->nr_devices, colour(PLAIN));
	for (i = 0; i < system->nr_iommus; i++) {
		if (system->iommus[i].ours && !system->states[i].debugfs) {
			putchar('\n');
			puts("Domains, faults and aliases are not shown without root and debugfs.");
			puts("Endpoint IDs in parentheses are those of tables.");
			return;
		}
	}
}

static int run(int argc, char **argv)
{
	struct system *system;

	if (options_parse(argc, argv, &command_list, NULL, NULL) < argc)
		fail(EXIT_USAGE, "list takes no arguments");
	iommus_need();
	system = system_read();
	if (options.json) {
		print_json(system);
		return EXIT_OK;
	}
	print_iommus(system);
	print_devices(system);
	print_regions(system);
	print_notes(system);
	return EXIT_OK;
}

const struct command command_list = {
	.name = "list",
	.arguments = "",
	.summary = "List devices and what their DMA reaches",
	.help = "Endpoint IDs in parentheses are what tables say, not the driver. In red is what\n"
		"reaches all memory: in bypass, in an identity domain, or past the IOMMU. A\n"
		"DMA mode in parentheses was asked for and is not in use.\n",
	.run = run,
};
