// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: the DMA modes of devices, and whether another one would spare exits.
 *
 * Kicks are counted for a virtio-iommu, not for a device, and since its driver was bound,
 * not since a time: by the time since boot they are at least so many a second.
 */
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "doctor.h"

/* Kicks a second from which on their cost is worth a line. */
#define KICKS_MANY	1000

static void check_mode(struct findings *findings, const struct system *system, const char *mode,
		       const char *means)
{
	struct finding *finding = NULL;
	size_t i;

	for (i = 0; i < system->nr_devices; i++) {
		const struct device *device = &system->devices[i];

		if (!device_has_mode(device) || strcmp(device->mode, mode))
			continue;
		if (!finding)
			finding = finding_add(findings, SEVERITY_OK, "dma-mode",
					      "DMA mode %s: %s:", mode, means);
		finding_add_device(finding, device->name);
	}
}

static bool wish_is_same(const struct device *one, const struct device *other)
{
	return device_mode_waits(one) && device_mode_waits(other) &&
	       !strcmp(one->wish, other->wish) && !strcmp(one->mode, other->mode);
}

/* Devices that have and should have the same are one finding, where the first one is. */
static void check_wishes(struct findings *findings, const struct system *system)
{
	const struct device *devices = system->devices;
	struct finding *finding;
	size_t i, j;

	for (i = 0; i < system->nr_devices; i++) {
		for (j = 0; j < i && !wish_is_same(&devices[i], &devices[j]); j++)
			;
		if (j < i || !device_mode_waits(&devices[i]))
			continue;
		finding = finding_add(findings, SEVERITY_WARN, "dma-mode-not-used",
				      "DMA mode %s was asked for, and %s is in use:",
				      devices[i].wish, devices[i].mode);
		finding_advise(finding,
			       "dmesg | grep 'DMA mode' says why if it was refused; else unbind and bind the driver");
		for (j = i; j < system->nr_devices; j++) {
			if (wish_is_same(&devices[i], &devices[j]))
				finding_add_device(finding, devices[j].name);
		}
	}
}

/* In the mode ordinary, and nothing else is asked for. */
static bool could_spare_kicks(const struct device *device, size_t iommu)
{
	return device->iommu == (int)iommu && device->reach == REACH_MAPPED &&
	       device_has_mode(device) && !strcmp(device->mode, "ordinary") &&
	       !device_mode_waits(device);
}

static void check_kicks(struct findings *findings, const struct system *system, size_t iommu,
			uint64_t seconds)
{
	struct finding *finding = NULL;
	struct counters counters;
	size_t i;

	if (!system->iommus[iommu].ours || !counters_read(&system->iommus[iommu], &counters) ||
	    counters.kicks / seconds < KICKS_MANY)
		return;
	for (i = 0; i < system->nr_devices; i++) {
		if (!could_spare_kicks(&system->devices[i], iommu))
			continue;
		if (!finding) {
			finding = finding_add(findings, SEVERITY_OK, "kicks",
					      "%s: %s kicks a second or more since boot, with these in DMA mode ordinary:",
					      system->iommus[iommu].name,
					      counter_text(counters.kicks / seconds));
			finding_advise(finding,
				       "another mode may spare many: see viommu(1), kicks");
		}
		finding_add_device(finding, system->devices[i].name);
	}
}

/* "12345.67 8910.11", without the fraction; 0 where it is not shown. */
static uint64_t seconds_since_boot(void)
{
	char *path = file_path("/proc/uptime");
	char *line = file_line(path);
	uint64_t seconds = line && *line >= '0' && *line <= '9' ? strtoull(line, NULL, 10) : 0;

	free(line);
	free(path);
	return seconds;
}

void check_modes(struct findings *findings, const struct system *system)
{
	uint64_t seconds = seconds_since_boot();
	size_t i;

	check_mode(findings, system, "bounce", "small buffers are copied, and not reached");
	check_mode(findings, system, "reuse", "memory around a buffer is reached too, and longer");
	check_wishes(findings, system);
	for (i = 0; seconds && i < system->nr_iommus; i++)
		check_kicks(findings, system, i, seconds);
}
