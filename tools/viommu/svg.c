// SPDX-License-Identifier: GPL-2.0
/*
 * The picture of an address space as SVG, for documentation and reports: a file that
 * needs nothing else, neither fonts nor styles.
 *
 * A strip is a row of cells, as on a terminal but finer, and darker the more of a cell is
 * mapped; the reserved regions are a band below it. A pointer that rests on a cell is told
 * its addresses.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "zones.h"

#define MARGIN		20
#define WIDTH		960
#define CELLS		240
#define STRIP_HEIGHT	30
#define BAND_HEIGHT	10
#define ZONE_HEIGHT	84
#define HEAD_HEIGHT	70
#define LEGEND_HEIGHT	50
#define TITLE_MAX	110	/* letters */

#define COLOUR_MAPPED	"#1f6feb"
#define COLOUR_STALE	"#cf222e"
#define COLOUR_MSI	"#8250df"
#define COLOUR_RESERVED	"#9a6700"
#define COLOUR_IDENTITY	"#1a7f37"

static void write_escaped(FILE *svg, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", svg);
		else if (*text == '>')
			fputs("&gt;", svg);
		else if (*text == '&')
			fputs("&amp;", svg);
		else
			fputc(*text, svg);
	}
}

static const char *region_colour(const struct region *region)
{
	switch (region_letter(region)) {
	case 'M':
		return COLOUR_MSI;
	case 'I':
		return COLOUR_IDENTITY;
	default:
		return COLOUR_RESERVED;
	}
}

/* The beginning of a rectangle: the caller goes on with its colours. */
static void write_rect(FILE *svg, double left, unsigned int top, double width,
		       unsigned int height)
{
	fprintf(svg, "<rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%u\"", left, top, width,
		height);
}

/* Cells that look alike are one rectangle. */
static bool cells_alike(const struct cell *a, const struct cell *b)
{
	return a->density == b->density && a->stale == b->stale;
}

static void write_mapped(FILE *svg, const struct zone *zone, unsigned int top)
{
	double width = (double)WIDTH / zone->nr;
	unsigned int i, end;

	for (i = 0; i < zone->nr; i = end) {
		const struct cell *cell = &zone->cells[i];

		for (end = i + 1; end < zone->nr && cells_alike(cell, &zone->cells[end]); end++)
			;
		if (!cell->stale && cell->density <= 0)
			continue;
		/* the least must still be seen */
		write_rect(svg, MARGIN + i * width, top, (end - i) * width, STRIP_HEIGHT);
		fprintf(svg, " fill=\"%s\" fill-opacity=\"%.2f\">\n",
			cell->stale ? COLOUR_STALE : COLOUR_MAPPED,
			cell->stale ? 1.0 : 0.25 + 0.75 * cell->density);
		fprintf(svg, "<title>0x%" PRIx64 " to 0x%" PRIx64 ": %.4g %% mapped%s</title>\n",
			zone->start + i * zone->size,
			zone->start + (end - 1) * zone->size + (zone->size - 1),
			100 * cell->density, cell->stale ? ", stale" : "");
		fprintf(svg, "</rect>\n");
	}
}

static void write_regions(FILE *svg, const struct zone *zone, unsigned int top)
{
	double width = (double)WIDTH / zone->nr;
	unsigned int i, end;

	for (i = 0; i < zone->nr; i = end) {
		const struct region *region = zone->cells[i].region;

		for (end = i + 1; end < zone->nr && zone->cells[end].region == region; end++)
			;
		if (!region)
			continue;
		write_rect(svg, MARGIN + i * width, top, (end - i) * width, BAND_HEIGHT);
		fprintf(svg, " fill=\"%s\">\n<title>0x%" PRIx64 " to 0x%" PRIx64 ": ",
			region_colour(region), region->start, region->last);
		write_escaped(svg, region->type);
		fprintf(svg, "</title>\n</rect>\n");
	}
}

static void write_zone(FILE *svg, const struct zone *zone, unsigned int top)
{
	fprintf(svg, "<text x=\"%u\" y=\"%u\">0x%" PRIx64 "</text>\n", MARGIN, top + 14,
		zone->start);
	fprintf(svg, "<text x=\"%u\" y=\"%u\" text-anchor=\"middle\">%s</text>\n",
		MARGIN + WIDTH / 2, top + 14, bytes_text(range_size(zone->start, zone->last)));
	fprintf(svg, "<text x=\"%u\" y=\"%u\" text-anchor=\"end\">0x%" PRIx64 "</text>\n",
		MARGIN + WIDTH, top + 14, zone->last);
	write_rect(svg, MARGIN, top + 20, WIDTH, STRIP_HEIGHT);
	fprintf(svg, " fill=\"#f6f8fa\" stroke=\"#8c959f\"/>\n");
	write_mapped(svg, zone, top + 20);
	write_regions(svg, zone, top + 20 + STRIP_HEIGHT);
}

static void write_legend(FILE *svg, unsigned int top)
{
	static const struct {
		const char *colour, *text;
	} legend[] = {
		{ COLOUR_MAPPED, "mapped" },
		{ COLOUR_STALE, "stale" },
		{ COLOUR_MSI, "interrupts (MSI)" },
		{ COLOUR_RESERVED, "reserved" },
		{ COLOUR_IDENTITY, "mapped to itself" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(legend); i++) {
		unsigned int left = MARGIN + i * 180;

		write_rect(svg, left, top, 12, 12);
		fprintf(svg, " fill=\"%s\"/>\n<text x=\"%u\" y=\"%u\">%s</text>\n",
			legend[i].colour, left + 18, top + 11, legend[i].text);
	}
}

static void write_svg(FILE *svg, const struct space *space, const char *title)
{
	struct zone zones[ZONES_MAX];
	unsigned int i, nr = zones_make(space, CELLS, zones);
	unsigned int height = HEAD_HEIGHT + nr * ZONE_HEIGHT + LEGEND_HEIGHT;
	char *shown;

	fprintf(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\"\n",
		WIDTH + 2 * MARGIN, height);
	fprintf(svg, " viewBox=\"0 0 %u %u\" font-family=\"monospace\" font-size=\"13\">\n",
		WIDTH + 2 * MARGIN, height);
	fprintf(svg, "<title>");
	write_escaped(svg, title);
	fprintf(svg, "</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		"<text x=\"%u\" y=\"28\" font-weight=\"bold\">", MARGIN);
	/* of many devices only the first have room */
	shown = strlen(title) > TITLE_MAX ? text("%.*s...", TITLE_MAX, title) : text("%s", title);
	write_escaped(svg, shown);
	free(shown);
	fprintf(svg, "</text>\n<text x=\"%u\" y=\"48\">%zu mappings in %zu runs: %s</text>\n",
		MARGIN, space->nr_mappings, space->nr_runs, bytes_text(space->bytes));
	for (i = 0; i < nr; i++)
		write_zone(svg, &zones[i], HEAD_HEIGHT + i * ZONE_HEIGHT);
	write_legend(svg, HEAD_HEIGHT + nr * ZONE_HEIGHT + 10);
	fprintf(svg, "</svg>\n");
	zones_free(zones, nr);
}

void svg_write(const struct space *space, const char *title, const char *path)
{
	FILE *svg = strcmp(path, "-") ? fopen(path, "w") : stdout;

	if (!svg)
		fail(EXIT_FAILED, "%s: %s", path, strerror(errno));
	write_svg(svg, space, title);
	if (fflush(svg) || ferror(svg) || (svg != stdout && fclose(svg)))
		fail(EXIT_FAILED, "%s: %s", path, strerror(errno));
}
