// SPDX-License-Identifier: GPL-2.0
/*
 * Which platform device a table means.
 *
 * A device tree means its node, which the device has a link to. An ACPI table has the
 * address of its registers: /proc/iomem says whose that is, to root only; devices of a
 * device tree have it in their names as well.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system.h"

static bool is_platform_device(const char *name)
{
	char *path = file_path("/sys/bus/platform/devices/%s", name);
	bool is = *name && !strchr(name, '/') && file_exists(path);

	free(path);
	return is;
}

/* "  0a000000-0a0001ff : LNRO0005:00 LNRO0005:00" */
static char *find_in_iomem(uint64_t base)
{
	char *path = file_path("/proc/iomem");
	char *lines = file_read(path, NULL);
	char *line, *rest = lines, *found = NULL;
	uint64_t first, last;
	char name[128];

	while (!found && rest && (line = strsep(&rest, "\n"))) {
		if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %127s", &first, &last, name) != 3)
			continue;
		/* All are 0 for who is not root. */
		if (first == base && last > first && is_platform_device(name))
			found = text("%s", name);
	}
	free(lines);
	free(path);
	return found;
}

/* The folder of a device-tree node that a device's link leads to, below the tree's root. */
static bool device_has_node(const char *device, const char *node)
{
	char *path = file_path("/sys/bus/platform/devices/%s/of_node", device);
	char target[4096];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	char *below;

	free(path);
	if (length <= 0)
		return false;
	target[length] = '\0';
	below = strstr(target, "devicetree/base");
	return below && !strcmp(below + strlen("devicetree/base"), node);
}

/* "a000000.virtio_mmio" */
static bool device_has_base(const char *device, uint64_t base)
{
	char *end;

	errno = 0;
	return base && strtoull(device, &end, 16) == base && !errno && *end == '.';
}

char *platform_find(uint64_t base, const char *path)
{
	char *folder, *found;
	char **names;
	size_t i;

	found = base ? find_in_iomem(base) : NULL;
	if (found)
		return found;
	folder = file_path("/sys/bus/platform/devices");
	names = folder_names(folder);
	for (i = 0; names[i] && !found; i++) {
		if (path ? device_has_node(names[i], path) : device_has_base(names[i], base))
			found = text("%s", names[i]);
	}
	names_free(names);
	free(folder);
	return found;
}
