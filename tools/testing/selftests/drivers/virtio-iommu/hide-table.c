// SPDX-License-Identifier: GPL-2.0
/*
 * Hide one of QEMU's ACPI tables from the guest.
 *
 * QEMU describes its virtio-iommu with a VIOT, always. It writes a table's
 * signature with glib. Loaded into QEMU by LD_PRELOAD, this makes the signature
 * that VIOMMU_HIDE_TABLE names one that no kernel knows.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef struct _GArray GArray;

GArray *g_array_append_vals(GArray *array, const void *data, unsigned int len);

GArray *g_array_append_vals(GArray *array, const void *data, unsigned int len)
{
	static GArray *(*next)(GArray *array, const void *data, unsigned int len);
	const char *hide = getenv("VIOMMU_HIDE_TABLE");

	if (!next)
		next = (__typeof__(next))dlsym(RTLD_NEXT, "g_array_append_vals");
	if (hide && len == 4 && !memcmp(data, hide, 4))
		data = "OEMX";
	return next(array, data, len);
}
