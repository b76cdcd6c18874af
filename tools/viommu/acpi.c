// SPDX-License-Identifier: GPL-2.0
/*
 * ACPI tables: where they are, and their common header.
 *
 * Firmware, and with a dump anybody, writes them. A length in a table counts only as
 * far as there are bytes; what is wrong is said and read on where that makes sense.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firmware.h"

/* Far more than all devices of all segments need. */
#define TABLE_MAX_SIZE	1048576

bool acpi_has(const struct acpi_table *table, size_t offset, size_t size)
{
	return offset <= table->size && size <= table->size - offset;
}

uint16_t acpi_16(const struct acpi_table *table, size_t offset)
{
	return table->data[offset] | table->data[offset + 1] << 8;
}

uint32_t acpi_32(const struct acpi_table *table, size_t offset)
{
	return acpi_16(table, offset) | (uint32_t)acpi_16(table, offset + 2) << 16;
}

uint64_t acpi_64(const struct acpi_table *table, size_t offset)
{
	return acpi_32(table, offset) | (uint64_t)acpi_32(table, offset + 4) << 32;
}

/* Names in headers are padded, and may have anything in them. */
static void copy_name(char *name, const uint8_t *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < size && bytes[i]; i++)
		name[i] = bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '?';
	while (i && name[i - 1] == ' ')
		i--;
	name[i] = '\0';
}

static void read_header(struct firmware *firmware, enum description by, struct acpi_table *table)
{
	char oem[7], oem_table[9];
	uint32_t length = acpi_32(table, 4);
	uint8_t sum = 0;
	size_t i;

	copy_name(oem, table->data + 10, 6);
	copy_name(oem_table, table->data + 16, 8);
	firmware_add_node(firmware, by, 0, false, "%s: %u bytes, revision %u, by \"%s\" \"%s\"",
			  description_names[by], length, table->data[8], oem, oem_table);
	if (length > table->size || length < ACPI_HEADER_SIZE)
		firmware_add_node(firmware, by, 4, true, "length: %u bytes, but there are %zu",
				  length, table->size);
	else
		table->size = length;
	for (i = 0; i < table->size; i++)
		sum += table->data[i];
	if (sum)
		firmware_add_node(firmware, by, 9, true, "checksum: off by 0x%02x", sum);
}

static bool table_decode(struct firmware *firmware, const uint8_t *data, size_t size)
{
	struct acpi_table table = { .data = data, .size = size };
	enum description by;

	if (size < ACPI_HEADER_SIZE || size > TABLE_MAX_SIZE)
		return false;
	if (!memcmp(data, "VIOT", 4))
		by = BY_VIOT;
	else if (!memcmp(data, "IORT", 4))
		by = BY_IORT;
	else
		return false;

	firmware->present[by] = true;
	read_header(firmware, by, &table);
	if (by == BY_VIOT)
		viot_decode(firmware, &table);
	else
		iort_decode(firmware, &table);
	return true;
}

static void table_read(struct firmware *firmware, enum description by)
{
	char *path = file_path("/sys/firmware/acpi/tables/%s", description_names[by]);
	size_t size;
	void *data = file_read(path, &size);

	if (!data) {
		firmware->present[by] = errno != ENOENT && errno != ENOTDIR;
		firmware->unreadable[by] = firmware->present[by];
	} else if (!table_decode(firmware, data, size)) {
		firmware->present[by] = true;
		firmware_add_node(firmware, by, 0, true, "%zu bytes that are no %s", size,
				  description_names[by]);
	}
	free(data);
	free(path);
}

struct firmware *firmware_read(void)
{
	struct firmware *firmware = allocate(sizeof(*firmware));

	table_read(firmware, BY_VIOT);
	table_read(firmware, BY_IORT);
	dt_decode(firmware);
	return firmware;
}

struct firmware *firmware_read_file(const char *path)
{
	struct firmware *firmware = allocate(sizeof(*firmware));
	size_t size;
	void *data = file_read(path, &size);

	if (!data)
		fail(EXIT_FAILED, "%s: %s", path, strerror(errno));
	if (!table_decode(firmware, data, size))
		fail(EXIT_FAILED, "%s: neither a VIOT nor an IORT", path);
	free(data);
	return firmware;
}
