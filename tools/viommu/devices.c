// SPDX-License-Identifier: GPL-2.0
/*
 * The devices of a system, by what the kernel and firmware say.
 *
 * Looked at are all PCI functions, since any of them may do DMA, and of other devices
 * those that are in a virtio-iommu's group, that firmware puts behind one, or that our
 * driver had to leave outside.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

#define VIRTIO_F_ACCESS_PLATFORM	33

static char *device_label(const struct device *device)
{
	char *vendor_path = text("%s/vendor", device->path);
	char *device_path = text("%s/device", device->path);
	uint64_t vendor, id;
	char *label;

	if (!strcmp(device->bus, "pci") && file_number(vendor_path, &vendor) &&
	    file_number(device_path, &id) && vendor <= UINT16_MAX && id <= UINT16_MAX)
		label = pci_label(vendor, id);
	else
		label = text("%s", "");
	free(vendor_path);
	free(device_path);
	return label;
}

static char *device_link(const struct device *device, const char *name)
{
	char *path = text("%s/%s", device->path, name);
	char *target = link_name(path);

	free(path);
	return target;
}

static void device_read_group(struct device *device)
{
	char *number = device_link(device, "iommu_group");
	char *path = text("%s/iommu_group/type", device->path);

	device->group = number ? atoi(number) : -1;
	device->type = number ? file_line(path) : NULL;
	free(path);
	free(number);
}

/* A word that the driver shows in the device's folder, or NULL. */
static char *device_read_word(const struct device *device, const char *file)
{
	char *path = text("%s/%s", device->path, file);
	char *word = file_line(path);

	free(path);
	if (word && !*word) {
		free(word);
		return NULL;
	}
	return word;
}

/* An older driver of ours, and any other, has no such files. */
static void device_read_mode(struct device *device)
{
	char *path = text("%s/secondary_bus_number", device->path);

	device->bridge = file_exists(path);
	free(path);
	device->mode = device_read_word(device, "viommu/dma_mode_in_use");
	device->wish = device_read_word(device, "viommu/dma_mode");
}

bool device_has_mode(const struct device *device)
{
	return device->mode && device->driver && !device->bridge &&
	       !strstr(device->driver, "vfio") && strcmp(device->driver, "pci-stub") &&
	       !(device->kind && !strcmp(device->kind, "unmanaged"));
}

bool device_mode_waits(const struct device *device)
{
	return device_has_mode(device) && device->wish && strcmp(device->wish, device->mode);
}

/* What the kernel says of the device's IOMMU, and else a table. */
static void device_read_iommu(const struct system *system, struct device *device)
{
	const struct firmware *firmware = system->firmware;
	char *name = device_link(device, "iommu");
	uint16_t segment, bdf;
	uint32_t endpoint;
	size_t i;

	device->iommu = -1;
	for (i = 0; name && i < system->nr_iommus; i++) {
		if (iommu_is_called(&system->iommus[i], name))
			device->iommu = i;
	}
	device->attached = device->iommu >= 0 && device->group >= 0;
	/* Settled here: what follows is about virtio-iommus. */
	if (name && device->iommu < 0)
		device->reach = REACH_OTHER;

	if (!strcmp(device->bus, "pci") && pci_parse(device->name, &segment, &bdf))
		device->range = firmware_find_pci(firmware, segment, bdf, &endpoint);
	if (device->range) {
		device->endpoints = allocate(sizeof(endpoint));
		device->endpoints[0] = endpoint;
		device->nr_endpoints = 1;
		device->endpoints_are_tables = true;
		if (device->iommu < 0)
			device->iommu = system_find_iommu(system,
							  &firmware->iommus[device->range->iommu]);
	}
	free(name);
}

struct device *device_find(const struct system *system, const char *name)
{
	size_t i;

	for (i = 0; i < system->nr_devices; i++) {
		if (!strcmp(system->devices[i].name, name))
			return &system->devices[i];
	}
	return NULL;
}

void device_add(struct system *system, const char *bus, const char *name)
{
	struct device *device;

	/* A name of sysfs is no path: nothing is looked for elsewhere. */
	if (device_find(system, name) || strchr(name, '/') || !*name)
		return;
	system->devices = resize(system->devices, (system->nr_devices + 1) * sizeof(*device));
	device = &system->devices[system->nr_devices++];
	*device = (struct device) {
		.name = text("%s", name),
		.bus = text("%s", bus),
		.path = file_path("/sys/bus/%s/devices/%s", bus, name),
		.domain = -1,
	};
	device->label = device_label(device);
	device->driver = device_link(device, "driver");
	device_read_group(device);
	device_read_mode(device);
	device_read_iommu(system, device);
}

static void add_all_pci(struct system *system)
{
	char *folder = file_path("/sys/bus/pci/devices");
	char **names = folder_names(folder);
	size_t i;

	for (i = 0; names[i]; i++)
		device_add(system, "pci", names[i]);
	names_free(names);
	free(folder);
}

/* Devices of other buses in one group, as far as they are a virtio-iommu's. */
static void add_group(struct system *system, const char *group)
{
	char *folder = file_path("/sys/kernel/iommu_groups/%s/devices", group);
	char **names = folder_names(folder);
	size_t i, j;

	for (i = 0; names[i]; i++) {
		char *subsystem_path = text("%s/%s/subsystem", folder, names[i]);
		char *iommu_path = text("%s/%s/iommu", folder, names[i]);
		char *subsystem = link_name(subsystem_path);
		char *iommu = link_name(iommu_path);

		for (j = 0; iommu && subsystem && j < system->nr_iommus; j++) {
			if (iommu_is_called(&system->iommus[j], iommu))
				device_add(system, subsystem, names[i]);
		}
		free(iommu);
		free(subsystem);
		free(iommu_path);
		free(subsystem_path);
	}
	names_free(names);
	free(folder);
}

static void add_all_groups(struct system *system)
{
	char *folder = file_path("/sys/kernel/iommu_groups");
	char **names = folder_names(folder);
	size_t i;

	for (i = 0; names[i]; i++)
		add_group(system, names[i]);
	names_free(names);
	free(folder);
}

/* Devices that are no PCI functions, and that firmware puts behind a virtio-iommu. */
static void add_all_described(struct system *system)
{
	const struct firmware *firmware = system->firmware;
	size_t i;

	for (i = 0; i < firmware->nr_ranges; i++) {
		const struct firmware_range *range = &firmware->ranges[i];
		char *name = range->pci ? NULL : platform_find(range->base, range->path);
		struct device *device;

		if (!name)
			continue;
		device_add(system, "platform", name);
		device = device_find(system, name);
		free(name);
		if (!device)
			continue;
		if (!device->range)
			device->range = range;
		device->endpoints = resize(device->endpoints, (device->nr_endpoints + 1) *
					   sizeof(*device->endpoints));
		device->endpoints[device->nr_endpoints++] = range->endpoint;
		device->endpoints_are_tables = true;
		if (device->iommu < 0)
			device->iommu = system_find_iommu(system,
							  &firmware->iommus[range->iommu]);
	}
}

/*
 * A virtio device says by a feature whether its DMA goes through the IOMMU. Without a
 * driver nothing is agreed on, and there is no DMA.
 */
static void note_virtio(struct system *system, const char *name)
{
	char *path = file_path("/sys/bus/virtio/devices/%s", name);
	char *real = realpath(path, NULL);
	char *driver_path = text("%s/driver", path);
	char *features_path = text("%s/features", path);
	char *features = file_line(features_path);
	struct device *device = NULL;
	char *slash = real ? strrchr(real, '/') : NULL;

	if (slash) {
		*slash = '\0';
		slash = strrchr(real, '/');
		device = slash ? device_find(system, slash + 1) : NULL;
	}
	if (device) {
		device->virtio = true;
		device->virtio_driver = link_name(driver_path);
		if (features && strlen(features) > VIRTIO_F_ACCESS_PLATFORM &&
		    features[VIRTIO_F_ACCESS_PLATFORM] == '0' && device->virtio_driver)
			device->reach = REACH_PAST;
	}
	free(features);
	free(features_path);
	free(driver_path);
	free(real);
	free(path);
}

void devices_read(struct system *system)
{
	char *folder = file_path("/sys/bus/virtio/devices");
	char **names = folder_names(folder);
	size_t i;

	add_all_pci(system);
	add_all_groups(system);
	add_all_described(system);
	for (i = 0; names[i]; i++)
		note_virtio(system, names[i]);
	names_free(names);
	free(folder);
}
