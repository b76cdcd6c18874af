// SPDX-License-Identifier: GPL-2.0
/*
 * viommu top: what goes on behind each virtio-iommu, read again and again. How it is
 * drawn is in screen.c.
 *
 * Counters are for everyone. Which endpoint is in which domain, and what that maps, is in
 * debugfs, for root; without it the devices and their groups' types are shown, from sysfs.
 * While the screen is drawn no message can be seen: whatever cannot be read is left out.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoints.h"
#include "live.h"
#include "records.h"
#include "top.h"

static double interval = 1;

static void handle_option(int val, const char *arg)
{
	if (val == 'i')
		interval = live_seconds(arg);
}

void top_init(struct top *top, const struct iommu *iommus)
{
	*top = (struct top) { .iommus = iommus };
	while (iommus[top->nr_iommus].name)
		top->nr_iommus++;
	top->now = allocate(top->nr_iommus * sizeof(*top->now));
	top->before = allocate(top->nr_iommus * sizeof(*top->before));
	top->gone = allocate(top->nr_iommus * sizeof(*top->gone));
}

static void rows_free(struct top_row *rows, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		free(rows[i].devices);
		free(rows[i].endpoints);
		free(rows[i].kind);
	}
	free(rows);
}

static struct top_row *row_add(struct top *top)
{
	top->rows = resize(top->rows, (top->nr_rows + 1) * sizeof(*top->rows));
	top->rows[top->nr_rows] = (struct top_row) { };
	return &top->rows[top->nr_rows++];
}

/* The row of the same devices in the same domain: they have several endpoint IDs. */
static struct top_row *row_find(struct top *top, unsigned int iommu,
				const struct attachment *attachment)
{
	size_t i;

	for (i = 0; *attachment->devices && i < top->nr_rows; i++) {
		struct top_row *row = &top->rows[i];

		if (row->iommu == iommu && row->attached == attachment->attached &&
		    row->domain == attachment->domain && !strcmp(row->devices, attachment->devices))
			return row;
	}
	return NULL;
}

static void row_add_attachment(struct top *top, unsigned int iommu,
			       const struct attachment *attachment)
{
	struct top_row *row = row_find(top, iommu, attachment);
	char *longer;

	if (row) {
		longer = text("%s,0x%" PRIx32, row->endpoints, attachment->endpoint);
		free(row->endpoints);
		row->endpoints = longer;
		row->faults += attachment->faults;
		return;
	}
	row = row_add(top);
	*row = (struct top_row) {
		.iommu = iommu,
		.devices = text("%s", attachment->devices),
		.endpoints = text("0x%" PRIx32, attachment->endpoint),
		.kind = text("%s", attachment->kind),
		.endpoint = attachment->endpoint,
		.attached = attachment->attached,
		.domain = attachment->domain,
		.faults = attachment->faults,
	};
}

/* "domain kind endpoints mappings bytes stale lost" */
static void read_domains(struct top *top, unsigned int iommu)
{
	char *file = records_read(&top->iommus[iommu], "domains"), *position, *words[5];
	uint64_t domain, mappings, bytes;
	size_t i;

	if (!file)
		return;
	position = records_begin(file);
	while (record_next(&position, words, ARRAY_SIZE(words))) {
		if (!word_number(words[0], &domain) || !word_number(words[3], &mappings) ||
		    !word_number(words[4], &bytes))
			continue;
		for (i = 0; i < top->nr_rows; i++) {
			struct top_row *row = &top->rows[i];

			if (row->iommu != iommu || !row->attached || row->domain != domain)
				continue;
			row->domain_known = true;
			row->mappings = mappings;
			row->bytes = bytes;
		}
	}
	free(file);
}

static bool read_debugfs(struct top *top, unsigned int iommu)
{
	char *file = records_read(&top->iommus[iommu], "endpoints");
	struct attachment *attachments;
	size_t i, nr;

	if (!file)
		return false;
	attachments = attachments_parse(file, &nr);
	free(file);
	for (i = 0; i < nr; i++)
		row_add_attachment(top, iommu, &attachments[i]);
	attachments_free(attachments, nr);
	read_domains(top, iommu);
	return true;
}

/* What any driver shows to anyone: a link for each device that it took in. */
static void read_sysfs(struct top *top, unsigned int iommu)
{
	char *folder = file_path("/sys/class/iommu/%s/devices", top->iommus[iommu].name);
	char **names = folder_names(folder);
	size_t i;

	for (i = 0; names[i]; i++) {
		char *path = text("%s/%s/iommu_group/type", folder, names[i]);
		struct top_row *row = row_add(top);

		row->iommu = iommu;
		row->devices = text("%s", names[i]);
		row->endpoints = text("-");
		row->kind = file_line(path);
		if (!row->kind)
			row->kind = text("-");
		free(path);
	}
	names_free(names);
	free(folder);
}

static void rates_since(struct top *top, const struct top_row *before, size_t nr)
{
	size_t i, j;

	for (i = 0; i < top->nr_rows; i++) {
		struct top_row *row = &top->rows[i];
		double seconds = top->now[row->iommu].when - top->before[row->iommu].when;

		for (j = 0; j < nr; j++) {
			if (before[j].iommu == row->iommu && before[j].endpoint == row->endpoint &&
			    !strcmp(before[j].devices, row->devices))
				break;
		}
		if (j < nr)
			row->fault_rate = counters_rate(before[j].faults, row->faults, seconds);
	}
}

void top_read(struct top *top)
{
	struct top_row *before = top->rows;
	size_t nr_before = top->nr_rows;
	unsigned int i;

	top->rows = NULL;
	top->nr_rows = 0;
	top->debugfs = true;
	for (i = 0; i < top->nr_iommus; i++) {
		if (!top->iommus[i].ours)
			continue;
		top->before[i] = top->now[i];
		top->gone[i] = !counters_read(&top->iommus[i], &top->now[i]);
		if (!read_debugfs(top, i)) {
			read_sysfs(top, i);
			top->debugfs = false;
		}
	}
	rates_since(top, before, nr_before);
	rows_free(before, nr_before);
}

static enum top_order sort_order;
static bool sort_reverse;

static int compare_numbers(double left, double right)
{
	/* what is most comes first */
	return (left < right) - (left > right);
}

static int compare_devices(const struct top_row *left, const struct top_row *right)
{
	int order = strcmp(left->devices, right->devices);

	if (!order)
		order = (left->iommu > right->iommu) - (left->iommu < right->iommu);
	return order ? order : (left->endpoint > right->endpoint) -
			       (left->endpoint < right->endpoint);
}

static int row_compare(const void *a, const void *b)
{
	const struct top_row *left = a, *right = b;
	int order = 0;

	switch (sort_order) {
	case ORDER_ENDPOINT:
		order = compare_numbers(right->endpoint, left->endpoint);
		break;
	case ORDER_DOMAIN:
		order = compare_numbers(right->domain, left->domain);
		break;
	case ORDER_MAPPINGS:
		order = compare_numbers(left->mappings, right->mappings);
		break;
	case ORDER_BYTES:
		order = compare_numbers(left->bytes, right->bytes);
		break;
	case ORDER_FAULTS:
		order = compare_numbers(left->faults, right->faults);
		break;
	case ORDER_FAULT_RATE:
		order = compare_numbers(left->fault_rate, right->fault_rate);
		break;
	default:
		break;
	}
	if (!order)
		order = compare_devices(left, right);
	return sort_reverse ? -order : order;
}

void top_sort(struct top *top, enum top_order order, bool reverse)
{
	sort_order = order;
	sort_reverse = reverse;
	if (top->nr_rows)
		qsort(top->rows, top->nr_rows, sizeof(*top->rows), row_compare);
}

static int run_top(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ }
	};
	const char *term = getenv("TERM");
	struct top top;

	if (options_parse(argc, argv, &command_top, long_options, handle_option) != argc)
		fail(EXIT_USAGE, "top takes no arguments");
	if (options.json)
		fail(EXIT_USAGE, "top has no JSON: see viommu stats --interval 1 --json");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		fail(EXIT_USAGE, "top needs a terminal: see viommu stats --interval 1");
	if (!term || !*term || !strcmp(term, "dumb"))
		fail(EXIT_USAGE, "top cannot draw on this terminal (TERM=%s)", term ? term : "");
	top_init(&top, iommus_need_ours());
	live_begin();
	screen_run(&top, interval);
	return EXIT_OK;
}

const struct command command_top = {
	.name = "top",
	.arguments = "",
	.summary = "Show requests, mappings and faults live, by device",
	.help =
"Above: rates of each virtio-iommu; a kick is one exit of the guest, \"batch\" is how many\n"
"requests shared one. Below: its devices, their endpoint IDs, the domain and what it maps.\n"
"All devices in a domain share its mappings. Without root only the devices are known.\n"
"\n"
"  -i, --interval SECONDS  read anew so often; 1 second unless said otherwise\n"
"\n"
"Keys: d, e, o, m, b, f and s sort by device, endpoint, domain, mappings, bytes, faults and\n"
"faults a second; r turns the order round; arrows, Page Up, Page Down and Home scroll; space\n"
"reads at once; q quits.\n",
	.run = run_top,
};
