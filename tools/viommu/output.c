// SPDX-License-Identifier: GPL-2.0
/*
 * What goes to stdout: colours, tables, JSON, sizes.
 *
 * A table keeps its cells until it is printed, since the widest decides how wide a
 * column is. What is printed may come from a device or from firmware: characters that
 * a terminal would obey are replaced.
 */
#include <stdlib.h>
#include <string.h>

#include "viommu.h"

struct cell {
	enum colour colour;
	char *text;
};

struct table {
	unsigned int columns;
	size_t nr, room;
	struct cell *cells;
};

const char *colour(enum colour colour)
{
	static const char *const sequences[] = {
		[PLAIN] = "\033[0m",
		[BOLD] = "\033[1m",
		[RED] = "\033[31m",
		[GREEN] = "\033[32m",
		[YELLOW] = "\033[33m",
		[DIM] = "\033[2m",
	};

	return options.colour ? sequences[colour] : "";
}

void make_printable(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
	}
}

/* Columns that @text takes, as far as all its characters take one. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void add_cell(struct table *table, enum colour colour, char *text)
{
	if (table->nr == table->room) {
		table->room = table->room ? 2 * table->room : 64;
		table->cells = resize(table->cells, table->room * sizeof(*table->cells));
	}
	make_printable(text);
	table->cells[table->nr++] = (struct cell) { .colour = colour, .text = text };
}

struct table *table_new(const char *const *headings, unsigned int nr)
{
	struct table *table = allocate(sizeof(*table));
	unsigned int i;

	table->columns = nr;
	for (i = 0; i < nr; i++)
		add_cell(table, BOLD, text("%s", headings[i]));
	return table;
}

void table_cell(struct table *table, enum colour colour, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		fail(EXIT_FAILED, "no memory");
	va_end(arguments);
	add_cell(table, colour, text);
}

static void print_cell(const struct cell *cell, size_t padding)
{
	if (cell->colour == PLAIN || !*cell->text)
		printf("%s", cell->text);
	else
		printf("%s%s%s", colour(cell->colour), cell->text, colour(PLAIN));
	printf("%*s", (int)padding, "");
}

void table_print(struct table *table)
{
	size_t *widths = allocate(table->columns * sizeof(*widths));
	unsigned int column, last;
	size_t i, width;

	for (i = 0; i < table->nr; i++) {
		width = text_width(table->cells[i].text);
		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	for (i = 0; i < table->nr; i += table->columns) {
		/* No blanks at the end of a line. */
		last = table->nr - i < table->columns ? table->nr - i : table->columns;
		while (last > 1 && !*table->cells[i + last - 1].text)
			last--;
		for (column = 0; column < last; column++) {
			width = text_width(table->cells[i + column].text);
			print_cell(&table->cells[i + column],
				   column + 1 < last ? widths[column] - width + 2 : 0);
		}
		putchar('\n');
	}
	for (i = 0; i < table->nr; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
	free(widths);
}

void json_print(struct json_object *json)
{
	puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
}

struct json_object *json_text(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

struct json_object *json_hex(uint64_t number)
{
	char hex[20];

	snprintf(hex, sizeof(hex), "0x%llx", (unsigned long long)number);
	return json_object_new_string(hex);
}

const char *bytes_text(uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	static char texts[4][32];
	static unsigned int turn;
	char *text = texts[turn++ % ARRAY_SIZE(texts)];
	unsigned int unit = 0;
	uint64_t scale = 1;

	while (unit + 1 < ARRAY_SIZE(units) && bytes / scale >= 1024) {
		scale *= 1024;
		unit++;
	}
	if (bytes % scale)
		snprintf(text, sizeof(texts[0]), "%.1f %s", (double)bytes / scale, units[unit]);
	else
		snprintf(text, sizeof(texts[0]), "%llu %s", (unsigned long long)(bytes / scale),
			 units[unit]);
	return text;
}
