// SPDX-License-Identifier: GPL-2.0
/*
 * An address space as strips of characters: what is mapped above, the reserved regions
 * below, both to the same scale. Blocks where the locale has them, ASCII elsewhere.
 */
#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "picture.h"
#include "zones.h"

#define WIDTH_DEFAULT	80
#define WIDTH_MIN	20
#define WIDTH_MAX	400

/* What is free, and what is mapped to a quarter, a half, nearly and wholly. */
static const char *const shades_ascii[] = { ".", "-", "=", "+", "#" };
static const char *const shades_blocks[] = { "·", "░", "▒", "▓", "█" };

static const char *const *shades(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") ? shades_ascii : shades_blocks;
}

static unsigned int terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	long width = 0;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		width = size.ws_col;
	else if (columns)
		width = strtol(columns, NULL, 10);
	if (width <= 0)
		width = WIDTH_DEFAULT;
	return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
}

static const char *shade(double density)
{
	if (density <= 0)
		return shades()[0];
	if (density >= 1)
		return shades()[4];
	return shades()[density <= 0.25 ? 1 : density <= 0.5 ? 2 : 3];
}

static void print_mapped(const struct zone *zone)
{
	unsigned int i;

	putchar('|');
	for (i = 0; i < zone->nr; i++) {
		const struct cell *cell = &zone->cells[i];

		if (cell->stale)
			printf("%s!%s", colour(RED), colour(PLAIN));
		else if (cell->density > 0)
			printf("%s%s%s", colour(GREEN), shade(cell->density), colour(PLAIN));
		else
			printf("%s%s%s", colour(DIM), shade(0), colour(PLAIN));
	}
	puts("|");
}

static void print_regions(const struct zone *zone)
{
	unsigned int i;

	putchar('|');
	for (i = 0; i < zone->nr; i++) {
		const struct region *region = zone->cells[i].region;

		if (region)
			printf("%s%c%s", colour(YELLOW), region_letter(region), colour(PLAIN));
		else
			putchar(' ');
	}
	puts("|");
}

static void print_zone(const struct zone *zone)
{
	printf("\n%s0x%" PRIx64 " to 0x%" PRIx64 "%s: %s, %s a character\n", colour(BOLD),
	       zone->start, zone->last, colour(PLAIN), bytes_text(range_size(zone->start,
									     zone->last)),
	       bytes_text(zone->size));
	print_mapped(zone);
	if (zone->regions)
		print_regions(zone);
}

void picture_print(const struct space *space)
{
	struct zone zones[ZONES_MAX];
	unsigned int i, nr;

	/* 2 characters are the frame */
	nr = zones_make(space, terminal_width() - 2, zones);
	for (i = 0; i < nr; i++)
		print_zone(&zones[i]);
	printf("\n%s free, mapped to a quarter %s, a half %s, nearly %s, wholly %s\n",
	       shades()[0], shades()[1], shades()[2], shades()[3], shades()[4]);
	printf("! stale: may still be reached\n"
	       "M where interrupts are written, R reserved, I mapped to itself for the device\n");
	zones_free(zones, nr);
}
