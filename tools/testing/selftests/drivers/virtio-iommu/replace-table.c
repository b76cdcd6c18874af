// SPDX-License-Identifier: GPL-2.0
/*
 * Give the guest other ACPI tables than QEMU's.
 *
 * QEMU describes its virtio-iommu with a VIOT, always, and only some of its machines
 * take a table from outside. All of them write their tables with glib, piece by
 * piece: a signature of four letters, the rest of a header of 36 bytes, the body.
 * Loaded into QEMU by LD_PRELOAD, this watches for the signatures that
 * VIOMMU_TABLES="SIGNATURE=FILE ..." names. It lets the table begin with the
 * signature in the file instead, lets QEMU's header pass, and has the body of the
 * file follow in the place of QEMU's. Where FILE is empty the table gets a signature
 * that no kernel knows.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE	4
#define HEADER		36

/* glib's own is like this where it is public. */
struct array {
	char *data;
	unsigned int len;
};

struct array *g_array_append_vals(struct array *array, const void *data, unsigned int len);

/* The table under way, if it is one to be replaced. */
static struct {
	struct array *array;
	unsigned int start;
	bool whole;
	char bytes[64 * 1024];
	size_t size;
} table;

static bool is_signature(const char *data, unsigned int len)
{
	return len == SIGNATURE && isupper(data[0]) && isupper(data[1]) &&
	       isalnum(data[2]) && isalnum(data[3]);
}

static void load(const char *path, size_t length)
{
	char name[4096];
	FILE *file;

	table.size = 0;
	if (!length)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)length, path);
	file = fopen(name, "r");
	if (!file) {
		perror(name);
		exit(1);
	}
	table.size = fread(table.bytes, 1, sizeof(table.bytes), file);
	fclose(file);
}

/* Is the table that begins one to be replaced? */
static bool begins(struct array *array, const char *signature)
{
	const char *word = getenv("VIOMMU_TABLES");

	for (; word && *word; word += strcspn(word, " "), word += *word == ' ') {
		if (memcmp(word, signature, SIGNATURE) || word[SIGNATURE] != '=')
			continue;
		load(word + SIGNATURE + 1, strcspn(word + SIGNATURE + 1, " "));
		table.array = array;
		table.start = array->len;
		table.whole = false;
		return true;
	}
	return false;
}

struct array *g_array_append_vals(struct array *array, const void *data, unsigned int len)
{
	static struct array *(*append)(struct array *array, const void *data, unsigned int len);
	bool in_header = array == table.array && array->len - table.start < HEADER;

	if (!append)
		append = (__typeof__(append))dlsym(RTLD_NEXT, "g_array_append_vals");
	if (in_header)
		return append(array, data, len);
	if (is_signature(data, len)) {
		table.array = NULL;
		if (begins(array, data))
			data = table.size ? table.bytes : "OEMX";
		return append(array, data, len);
	}
	if (array != table.array || !table.size)
		return append(array, data, len);
	if (!table.whole) {
		table.whole = true;
		return append(array, table.bytes + HEADER, table.size - HEADER);
	}
	return array;
}
