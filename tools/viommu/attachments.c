// SPDX-License-Identifier: GPL-2.0
/*
 * What our driver says of devices, and what groups the kernel has for them.
 *
 * The driver's list in debugfs has a line for each endpoint ID. It takes the place of
 * what tables say, since it has aliases as well.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "endpoints.h"
#include "records.h"
#include "system.h"

static void attach_device(struct device *device, int iommu, const struct attachment *attachment)
{
	if (device->endpoints_are_tables) {
		device->endpoints_are_tables = false;
		device->nr_endpoints = 0;
	}
	device->endpoints = resize(device->endpoints, (device->nr_endpoints + 1) *
				   sizeof(*device->endpoints));
	device->endpoints[device->nr_endpoints++] = attachment->endpoint;
	device->iommu = iommu;
	device->attached = true;
	device->faults += attachment->faults;
	if (attachment->attached)
		device->domain = attachment->domain;
	if (!device->kind)
		device->kind = text("%s", attachment->kind);
}

static void read_endpoints(struct system *system, int iommu)
{
	char *file = records_read(&system->iommus[iommu], "endpoints");
	struct attachment *attachments;
	size_t i, nr;

	if (!file)
		return;
	system->states[iommu].debugfs = true;
	attachments = attachments_parse(file, &nr);
	for (i = 0; i < nr; i++) {
		char *rest = attachments[i].devices, *name;

		while ((name = strsep(&rest, " "))) {
			struct device *device = device_find(system, name);

			if (device)
				attach_device(device, iommu, &attachments[i]);
		}
	}
	attachments_free(attachments, nr);
	free(file);
}

/* These stand behind the virtio-iommu by what the driver knows. */
static void read_outside(struct system *system, int iommu)
{
	char *path = text("%s/outside_devices", system->iommus[iommu].counters);
	char *file = file_read(path, NULL);
	char *rest = file, *name;
	struct device *device;

	while ((name = strsep(&rest, "\n"))) {
		device_add(system, "platform", name);
		device = device_find(system, name);
		if (!device)
			continue;
		device->iommu = iommu;
		device->attached = false;
	}
	free(file);
	free(path);
}

void attachments_read(struct system *system)
{
	size_t i;

	for (i = 0; i < system->nr_iommus; i++) {
		if (!system->iommus[i].ours)
			continue;
		read_endpoints(system, i);
		read_outside(system, i);
	}
}

/* "0x00000000fee00000 0x00000000feefffff msi" */
static void read_regions(struct group *group)
{
	char *path = file_path("/sys/kernel/iommu_groups/%d/reserved_regions", group->number);
	char *file = file_read(path, NULL);
	char *rest = file, *line;
	struct region region;
	char type[32];

	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%" SCNx64 " %" SCNx64 " %31s", &region.first, &region.last,
			   type) != 3)
			continue;
		region.type = text("%s", type);
		group->regions = resize(group->regions, (group->nr_regions + 1) * sizeof(region));
		group->regions[group->nr_regions++] = region;
	}
	free(file);
	free(path);
}

static int group_compare(const void *a, const void *b)
{
	const struct group *one = a, *other = b;

	return (one->number > other->number) - (one->number < other->number);
}

void groups_read(struct system *system)
{
	size_t i, j;

	for (i = 0; i < system->nr_devices; i++) {
		const struct device *device = &system->devices[i];
		struct group *group;

		if (device->group < 0 || device->iommu < 0)
			continue;
		for (j = 0; j < system->nr_groups; j++) {
			if (system->groups[j].number == device->group)
				break;
		}
		if (j < system->nr_groups) {
			system->groups[j].nr_devices++;
			continue;
		}
		system->groups = resize(system->groups, (j + 1) * sizeof(*group));
		group = &system->groups[system->nr_groups++];
		*group = (struct group) { .number = device->group, .nr_devices = 1 };
		if (device->type)
			group->type = text("%s", device->type);
		read_regions(group);
	}
	if (system->nr_groups)
		qsort(system->groups, system->nr_groups, sizeof(*system->groups), group_compare);
}
