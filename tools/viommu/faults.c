// SPDX-License-Identifier: GPL-2.0
/*
 * viommu faults: accesses of devices that the virtio-iommu stopped.
 *
 * The driver keeps the last ones and numbers them from 1. To follow is to read them
 * again and again: what has a higher number than the last one seen is new, a gap is
 * faults that came and went between two readings, and smaller numbers are those of a
 * driver that was bound anew.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "live.h"
#include "records.h"

enum { NUMBER, SECONDS, ENDPOINT, ADDRESS, ACCESS, REASON, WORDS };

static struct {
	bool follow;
	double interval;
} own = { .interval = 1 };

/**
 * struct fault - one record, its words where the file was read to
 * @number: counts from 1
 * @words: as they are in the file
 * @devices: who has the endpoint ID
 */
struct fault {
	uint64_t number;
	char *words[WORDS];
	char *devices;
};

/* Where a virtio-iommu's history was read to. */
struct history {
	const struct iommu *iommu;
	uint64_t last;
};

static void handle_option(int val, const char *arg)
{
	if (val == 'i')
		own.interval = live_seconds(arg);
	own.follow = true;
}

/* The kernel's %#x leaves a 0 without its 0x. */
static const char *hex_word(const char *word)
{
	return strcmp(word, "0") ? word : "0x0";
}

static bool fault_next(char **position, struct fault *fault)
{
	while ((fault->devices = record_next(position, fault->words, WORDS))) {
		if (word_number(fault->words[NUMBER], &fault->number))
			return true;
	}
	return false;
}

static const char *reason_text(const char *reason)
{
	if (!strcmp(reason, "mapping"))
		return "no mapping allows it";
	if (!strcmp(reason, "domain"))
		return "in no domain";
	return reason;
}

/*
 * When it was by the clock on the wall, as the clock is now; "" where it cannot be said:
 * another system booted at another time. Static memory.
 */
static const char *wall_time(const char *seconds)
{
	static char wall[40];
	struct timespec now, boot;
	struct tm tm;
	double ago;
	time_t then;
	char *end;

	if (*options.root)
		return "";
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	ago = boot.tv_sec + boot.tv_nsec / 1e9 - strtod(seconds, &end);
	if (*end || !(ago >= 0 && ago < 1e10))
		return "";
	then = now.tv_sec + now.tv_nsec / 1e9 - ago;
	if (!localtime_r(&then, &tm))
		return "";
	strftime(wall, sizeof(wall), "%Y-%m-%dT%H:%M:%S%z", &tm);
	return wall;
}

static void add(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, value ? json_object_new_string(value) : NULL);
}

/* With as many digits as the driver writes, not as many as a double has. */
static struct json_object *seconds_json(const char *word)
{
	struct json_object *json;
	char *end;
	double seconds = strtod(word, &end);

	if (*end || !(seconds >= 0 && seconds < 1e12))
		return NULL;
	json = json_object_new_double(seconds);
	json_object_set_serializer(json, json_object_double_to_json_string, (void *)"%.6f", NULL);
	return json;
}

static struct json_object *fault_json(const struct iommu *iommu, const struct fault *fault)
{
	struct json_object *json = json_object_new_object();
	struct json_object *devices = json_object_new_array();
	const char *wall = wall_time(fault->words[SECONDS]);
	const char *device = fault->devices;

	for (; *device; device += strspn(device, " ")) {
		size_t length = strcspn(device, " ");

		json_object_array_add(devices, json_object_new_string_len(device, length));
		device += length;
	}
	add(json, "iommu", iommu->name);
	json_object_object_add(json, "number", json_object_new_uint64(fault->number));
	json_object_object_add(json, "seconds", seconds_json(fault->words[SECONDS]));
	add(json, "time", *wall ? wall : NULL);
	add(json, "endpoint", hex_word(fault->words[ENDPOINT]));
	add(json, "address", strcmp(fault->words[ADDRESS], "-") ?
	    hex_word(fault->words[ADDRESS]) : NULL);
	add(json, "access", fault->words[ACCESS]);
	add(json, "reason", fault->words[REASON]);
	json_object_object_add(json, "devices", devices);
	return json;
}

static struct json_object *history_json(const struct iommu *iommu)
{
	struct json_object *json = json_object_new_object();
	struct json_object *list = json_object_new_array();
	char *file = debugfs_read(iommu, "faults");
	char *position = records_begin(file);
	uint64_t first = 0, last = 0;
	struct fault fault;

	while (fault_next(&position, &fault)) {
		first = first ? first : fault.number;
		last = fault.number;
		json_object_array_add(list, fault_json(iommu, &fault));
	}
	add(json, "iommu", iommu->name);
	json_object_object_add(json, "number", json_object_new_uint64(last));
	json_object_object_add(json, "not_kept", json_object_new_uint64(first ? first - 1 : 0));
	json_object_object_add(json, "faults", list);
	free(file);
	return json;
}

/* Return: whether there is any. */
static bool history_print(const struct iommu *iommu, struct table *table)
{
	char *file = debugfs_read(iommu, "faults");
	char *position = records_begin(file);
	bool first = true;
	struct fault fault;

	while (fault_next(&position, &fault)) {
		if (first && fault.number > 1)
			printf("%s: %" PRIu64 " before these are not kept\n", iommu->name,
			       fault.number - 1);
		first = false;
		table_cell(table, DIM, "%s", iommu->name);
		table_cell(table, PLAIN, "%" PRIu64, fault.number);
		table_cell(table, PLAIN, "%s", fault.words[SECONDS]);
		if (!*options.root)
			table_cell(table, DIM, "%s", wall_time(fault.words[SECONDS]));
		table_cell(table, PLAIN, "%s", hex_word(fault.words[ENDPOINT]));
		table_cell(table, BOLD, "%s", hex_word(fault.words[ADDRESS]));
		table_cell(table, PLAIN, "%s", fault.words[ACCESS]);
		table_cell(table, PLAIN, "%s", reason_text(fault.words[REASON]));
		table_cell(table, BOLD, "%s", *fault.devices ? fault.devices : "(unknown)");
	}
	if (first)
		printf("%s: no faults\n", iommu->name);
	free(file);
	return !first;
}

static void faults_once(const struct iommu *iommus)
{
	static const char *const headings[] = {
		"iommu", "number", "since boot", "time", "endpoint", "address", "access",
		"reason", "devices",
	};
	/* without "time" where it is not known */
	static const char *const headings_elsewhere[] = {
		"iommu", "number", "since boot", "endpoint", "address", "access", "reason",
		"devices",
	};
	struct json_object *list = options.json ? json_object_new_array() : NULL;
	const struct iommu *iommu;
	bool any = false;
	struct table *table = *options.root ?
		table_new(headings_elsewhere, ARRAY_SIZE(headings_elsewhere)) :
		table_new(headings, ARRAY_SIZE(headings));

	for (iommu = iommus; iommu->name; iommu++) {
		if (!iommu->ours)
			continue;
		if (options.json)
			json_object_array_add(list, history_json(iommu));
		else
			any |= history_print(iommu, table);
	}
	if (options.json) {
		struct json_object *json = json_object_new_object();

		json_object_object_add(json, "iommus", list);
		json_print(json);
	} else if (any) {
		table_print(table);
	}
}

static void say_lost(const struct iommu *iommu, uint64_t lost)
{
	if (options.json) {
		struct json_object *json = json_object_new_object();

		add(json, "iommu", iommu->name);
		json_object_object_add(json, "lost", json_object_new_uint64(lost));
		live_json(json);
	} else {
		printf("%s%s: %" PRIu64 " faults are not kept any more%s\n", colour(YELLOW),
		       iommu->name, lost, colour(PLAIN));
	}
}

static void fault_print(const struct iommu *iommu, const struct fault *fault)
{
	const char *wall;

	if (options.json) {
		live_json(fault_json(iommu, fault));
		return;
	}
	wall = wall_time(fault->words[SECONDS]);
	printf("%s #%" PRIu64 " %s%s%s: %s%s%s: endpoint %s, %s%s%s %s: %s\n", iommu->name,
	       fault->number, fault->words[SECONDS], *wall ? " " : "", wall, colour(BOLD),
	       *fault->devices ? fault->devices : "unknown device", colour(PLAIN),
	       hex_word(fault->words[ENDPOINT]), colour(BOLD), hex_word(fault->words[ADDRESS]),
	       colour(PLAIN),
	       fault->words[ACCESS], reason_text(fault->words[REASON]));
}

/* The highest number that the driver gave out, as far as it still has it. */
static uint64_t history_last(char *file)
{
	char *copy = text("%s", file);
	char *position = records_begin(copy);
	struct fault fault;
	uint64_t last = 0;

	while (fault_next(&position, &fault)) {
		if (fault.number > last)
			last = fault.number;
	}
	free(copy);
	return last;
}

static void history_follow(struct history *history)
{
	char *file = debugfs_read(history->iommu, "faults");
	char *position;
	struct fault fault;

	if (history_last(file) < history->last) {
		complain("%s: its driver was bound anew, and counts from 1 again",
			 history->iommu->name);
		history->last = 0;
	}
	position = records_begin(file);
	while (fault_next(&position, &fault)) {
		if (fault.number <= history->last)
			continue;
		if (fault.number > history->last + 1)
			say_lost(history->iommu, fault.number - history->last - 1);
		fault_print(history->iommu, &fault);
		history->last = fault.number;
	}
	fflush(stdout);
	free(file);
}

static void faults_follow(const struct iommu *iommus)
{
	struct history *histories;
	size_t i, nr = 0;

	while (iommus[nr].name)
		nr++;
	histories = allocate(nr * sizeof(*histories));
	live_begin();
	do {
		for (i = 0; i < nr; i++) {
			histories[i].iommu = &iommus[i];
			if (iommus[i].ours)
				history_follow(&histories[i]);
		}
	} while (live_sleep(own.interval));
	free(histories);
	live_end();
}

static int run_faults(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "follow", no_argument, NULL, 'f' },
		{ "interval", required_argument, NULL, 'i' },
		{ }
	};
	const struct iommu *iommus;

	if (options_parse(argc, argv, &command_faults, long_options, handle_option) != argc)
		fail(EXIT_USAGE, "faults takes no arguments");
	iommus = iommus_need_ours();
	if (own.follow)
		faults_follow(iommus);
	else
		faults_once(iommus);
	return EXIT_OK;
}

const struct command command_faults = {
	.name = "faults",
	.arguments = "",
	.summary = "Show accesses of devices that were stopped (needs root)",
	.help =
"The driver keeps the last 64 of each virtio-iommu. Access is r (read), w (write) and x\n"
"(execute). The time of day is reckoned back from the present one. A host may drop reports\n"
"when there are many: faults that nobody reported are not counted here either.\n"
"\n"
"  -f, --follow            go on with what comes, until interrupted\n"
"  -i, --interval SECONDS  follow, and look so often; 1 second unless said otherwise\n",
	.run = run_faults,
};
