// SPDX-License-Identifier: GPL-2.0
/*
 * Which virtio-iommus there are.
 *
 * They are looked for among the virtio devices, not in /sys/class/iommu, so that one
 * without a driver is found as well. Our driver and the stock one have the same name;
 * only ours has a folder of counters.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "viommu.h"

#define VIRTIO_ID_IOMMU	23

/* The folder that @path really lies in: a virtio device's is that of what it hangs on. */
static char *parent_name(const char *path)
{
	char *real = realpath(path, NULL);
	char *name = NULL, *slash;

	slash = real ? strrchr(real, '/') : NULL;
	if (slash) {
		*slash = '\0';
		slash = strrchr(real, '/');
	}
	/* Neither in a real system nor in a copy is it the folder of all virtio devices. */
	if (slash && strcmp(slash, "/devices"))
		name = text("%s", slash + 1);
	free(real);
	return name ? name : text("-");
}

static bool iommu_read(const char *name, struct iommu *iommu)
{
	char *path = file_path("/sys/bus/virtio/devices/%s", name);
	char *device = text("%s/device", path);
	char *driver = text("%s/driver", path);
	uint64_t id = 0;
	bool found = file_number(device, &id) && id == VIRTIO_ID_IOMMU;

	if (found) {
		*iommu = (struct iommu) {
			.name = text("%s", name),
			.parent = parent_name(path),
			.driver = link_name(driver),
			.counters = file_path("/sys/class/iommu/%s/virtio-iommu", name),
			.debugfs = file_path("/sys/kernel/debug/virtio-iommu/%s", name),
		};
		iommu->ours = iommu->driver && file_exists(iommu->counters);
	}
	free(driver);
	free(device);
	free(path);
	return found;
}

struct iommu *iommus_read(void)
{
	char *folder = file_path("/sys/bus/virtio/devices");
	char **names = folder_names(folder);
	struct iommu *iommus = allocate(sizeof(*iommus));
	size_t i, nr = 0;

	for (i = 0; names[i]; i++) {
		iommus = resize(iommus, (nr + 2) * sizeof(*iommus));
		if (iommu_read(names[i], &iommus[nr]))
			nr++;
	}
	iommus[nr] = (struct iommu) { };
	names_free(names);
	free(folder);
	return iommus;
}

bool iommu_is_called(const struct iommu *iommu, const char *name)
{
	return !strcmp(iommu->name, name) || !strcmp(iommu->parent, name);
}

struct iommu *iommus_need(void)
{
	struct iommu *iommus = iommus_read();

	if (!iommus->name)
		fail(EXIT_NO_IOMMU, "there is no virtio-iommu: viommu doctor says more");
	return iommus;
}

struct iommu *iommus_need_ours(void)
{
	struct iommu *iommus = iommus_need();
	const struct iommu *iommu;

	for (iommu = iommus; iommu->name; iommu++) {
		if (iommu->ours)
			return iommus;
	}
	if (!iommus->driver)
		fail(EXIT_NOT_SHOWN, "no driver is bound to %s: viommu doctor says more",
		     iommus->name);
	fail(EXIT_NOT_SHOWN, "%s has the stock driver, which does not show this", iommus->name);
}

static void __attribute__((noreturn)) debugfs_fail(const char *path, int error)
{
	char *top = file_path("/sys/kernel/debug");
	char **names;

	if (error == EACCES || error == EPERM)
		fail(EXIT_NO_PERMISSION, "this needs root: %s: %s", path, strerror(error));
	if (error != ENOENT)
		fail(EXIT_FAILED, "%s: %s", path, strerror(error));
	names = folder_names(top);
	if (!names[0])
		fail(EXIT_NOT_SHOWN,
		     "debugfs is not mounted: mount -t debugfs none /sys/kernel/debug");
	fail(EXIT_NOT_SHOWN, "the driver in use does not show this: there is no %s", path);
}

char *debugfs_read(const struct iommu *iommu, const char *file)
{
	char *path = text("%s/%s", iommu->debugfs, file);
	char *content = file_read(path, NULL);

	if (!content)
		debugfs_fail(path, errno);
	free(path);
	return content;
}
