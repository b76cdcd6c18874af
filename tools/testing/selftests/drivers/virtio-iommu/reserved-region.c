// SPDX-License-Identifier: GPL-2.0
/*
 * Give QEMU's virtio-iommu another reserved region than it has by default.
 *
 * On x86 QEMU sets the property itself, to the MSI window, just before it makes
 * the device, and refuses a user's "reserved-regions". The text that it sets is
 * made by glib. Loaded into QEMU by LD_PRELOAD, this replaces that text by what
 * VIOMMU_RESERVED_REGION says: "start:last:subtype".
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

char *g_strdup_vprintf(const char *format, va_list args);
char *g_strdup_printf(const char *format, ...);

char *g_strdup_printf(const char *format, ...)
{
	const char *region = getenv("VIOMMU_RESERVED_REGION");
	va_list args;
	char *text;

	if (region && !strcmp(format, "0xfee00000:0xfeefffff:%d"))
		return strdup(region);

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	return text;
}
