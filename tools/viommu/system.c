// SPDX-License-Identifier: GPL-2.0
/*
 * The devices of a system, and what the virtio-iommus do for them.
 *
 * Three say something of a device, and none of them all: firmware, who stands behind
 * what; the kernel, its group and that group's type; our driver, its endpoints and its
 * domain. They are read in this order, and in the end there is one answer: what its DMA
 * reaches. Where the stock driver is bound, or none, the last of the three is missing.
 */
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "endpoints.h"
#include "records.h"
#include "system.h"

/* Bits of the virtio device, as its "features" shows them once a driver is bound. */
#define VIRTIO_IOMMU_F_BYPASS		3
#define VIRTIO_IOMMU_F_BYPASS_CONFIG	6

static const struct {
	const char *name;
	const char *text;
	enum colour colour;
} reaches[] = {
	[REACH_MAPPED] = { "mapped", "what is mapped for it", GREEN },
	[REACH_BLOCKED] = { "blocked", "nothing", GREEN },
	[REACH_CLOSED] = { "closed", "nothing: attached nowhere", YELLOW },
	[REACH_IDENTITY] = { "identity", "all memory: identity domain", RED },
	[REACH_PAST] = { "past", "all memory: virtio past the IOMMU", RED },
	[REACH_BYPASS] = { "bypass", "all memory: outside, in bypass", RED },
	[REACH_UNKNOWN] = { "outside", "outside: all memory, if in bypass", RED },
	[REACH_IOMMU] = { "iommu", "the virtio-iommu", DIM },
	[REACH_OTHER] = { "other", "behind another IOMMU", DIM },
};

const char *reach_name(enum reach reach)
{
	return reaches[reach].name;
}

const char *reach_text(enum reach reach)
{
	return reaches[reach].text;
}

enum colour reach_colour(enum reach reach)
{
	return reaches[reach].colour;
}

bool reach_is_bad(enum reach reach)
{
	return reaches[reach].colour == RED;
}

const char *bypass_name(enum bypass bypass)
{
	static const char *const names[] = {
		[BYPASS_UNKNOWN] = "unknown",
		[BYPASS_NONE] = "none",
		[BYPASS_CLOSED] = "closed",
		[BYPASS_OPEN] = "open",
	};

	return names[bypass];
}

static enum bypass bypass_parse(const char *name)
{
	enum bypass bypass;

	for (bypass = BYPASS_OPEN; bypass > BYPASS_UNKNOWN; bypass--) {
		if (!strcmp(name, bypass_name(bypass)))
			break;
	}
	return bypass;
}

/* The stock driver leaves bypass as the host has it, where there is a choice. */
static enum bypass bypass_of_stock(const struct iommu *iommu)
{
	char *path = file_path("/sys/bus/virtio/devices/%s/features", iommu->name);
	char *features = file_line(path);
	enum bypass bypass = BYPASS_UNKNOWN;

	if (iommu->driver && features && strlen(features) >= 64 &&
	    features[VIRTIO_IOMMU_F_BYPASS_CONFIG] == '0')
		bypass = features[VIRTIO_IOMMU_F_BYPASS] == '1' ? BYPASS_OPEN : BYPASS_NONE;
	free(features);
	free(path);
	return bypass;
}

static void iommus_state(struct system *system)
{
	struct counters counters;
	size_t i;

	while (system->iommus[system->nr_iommus].name)
		system->nr_iommus++;
	system->states = allocate(system->nr_iommus * sizeof(*system->states));
	for (i = 0; i < system->nr_iommus; i++) {
		if (system->iommus[i].ours && counters_read(&system->iommus[i], &counters)) {
			system->states[i].bypass = bypass_parse(counters.bypass);
			system->states[i].dead = counters.dead && counters.dead != COUNTER_UNKNOWN;
		} else {
			system->states[i].bypass = bypass_of_stock(&system->iommus[i]);
		}
	}
	for (i = 0; i < system->firmware->nr_iommus; i++) {
		const struct firmware_iommu *described = &system->firmware->iommus[i];
		int iommu = system_find_iommu(system, described);

		if (iommu >= 0)
			system->states[iommu].described |= 1U << described->by;
	}
}

int system_find_iommu(const struct system *system, const struct firmware_iommu *iommu)
{
	char *parent = iommu->pci ? pci_text(iommu->segment, iommu->bdf) :
				    platform_find(iommu->base, iommu->path);
	int found = -1;
	size_t i;

	for (i = 0; parent && i < system->nr_iommus; i++) {
		if (!strcmp(system->iommus[i].parent, parent))
			found = i;
	}
	free(parent);
	return found;
}

static bool is_iommu(const struct system *system, const struct device *device)
{
	char *path = text("%s/vendor", device->path);
	uint64_t vendor = 0, id = 0;
	size_t i;

	/* One whose driver for PCI is missing is no virtio device yet. */
	if (!strcmp(device->bus, "pci") && file_number(path, &vendor)) {
		free(path);
		path = text("%s/device", device->path);
		file_number(path, &id);
	}
	free(path);
	if (vendor == 0x1af4 && id == 0x1057)
		return true;
	for (i = 0; i < system->nr_iommus; i++) {
		if (!strcmp(system->iommus[i].parent, device->name))
			return true;
	}
	return false;
}

/* Where a device belongs to no virtio-iommu by any word, bypass of the only one counts. */
static enum reach reach_outside(const struct system *system, const struct device *device)
{
	enum bypass bypass = BYPASS_UNKNOWN;

	if (device->iommu >= 0)
		bypass = system->states[device->iommu].bypass;
	else if (system->nr_iommus == 1)
		bypass = system->states[0].bypass;
	switch (bypass) {
	case BYPASS_OPEN:
		return REACH_BYPASS;
	case BYPASS_CLOSED:
	case BYPASS_NONE:
		return REACH_CLOSED;
	default:
		return REACH_UNKNOWN;
	}
}

static enum reach reach_of(const struct system *system, const struct device *device)
{
	/* The driver knows best, since VFIO does not show in a group's type. */
	const char *kind = device->kind ? device->kind : device->type;

	if (is_iommu(system, device))
		return REACH_IOMMU;
	if (device->virtio && device->reach == REACH_PAST)
		return REACH_PAST;
	if (device->reach == REACH_OTHER)
		return REACH_OTHER;
	if (!device->attached || !kind || !strcmp(kind, "none"))
		return reach_outside(system, device);
	if (!strcmp(kind, "identity"))
		return REACH_IDENTITY;
	if (!strcmp(kind, "blocked"))
		return REACH_BLOCKED;
	return REACH_MAPPED;
}

struct system *system_read(void)
{
	struct system *system = allocate(sizeof(*system));
	size_t i;

	system->iommus = iommus_read();
	system->firmware = firmware_read();
	iommus_state(system);
	devices_read(system);
	attachments_read(system);
	groups_read(system);
	for (i = 0; i < system->nr_devices; i++) {
		struct device *device = &system->devices[i];

		device->reach = reach_of(system, device);
		/* Ranges of tables go over it. */
		if (device->reach == REACH_IOMMU) {
			device->iommu = -1;
			device->range = NULL;
			device->nr_endpoints = 0;
		}
	}
	return system;
}
