// SPDX-License-Identifier: GPL-2.0
/*
 * viommu stats: what the driver counted, once or as rates.
 *
 * The counters are for everyone, the histograms for root; without root the counters are
 * shown all the same. Rates are differences of two readings over the time that really
 * passed between them, which is never quite the interval asked for.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "histogram.h"
#include "live.h"

/* Rows of rates before the heading comes again. */
#define HEADING_EVERY	20

static struct {
	double interval;
	unsigned long count;
} own;

static void handle_option(int val, const char *arg)
{
	if (val == 'i')
		own.interval = live_seconds(arg);
	else
		own.count = live_count(arg);
}

/* A counter that should be 0 stands out where it is not. */
static const char *alarm_colour(uint64_t counter)
{
	return counter && counter != COUNTER_UNKNOWN ? colour(RED) : "";
}

static void print_requests(const struct counters *counters)
{
	static const char *const headings[] = { "requests", "sent", "failed" };
	struct table *table = table_new(headings, ARRAY_SIZE(headings));
	unsigned int i;

	for (i = 0; i < REQUEST_TYPES; i++) {
		bool failed = counters->failed[i] && counters->failed[i] != COUNTER_UNKNOWN;

		table_cell(table, PLAIN, "%s", request_types[i]);
		table_cell(table, PLAIN, "%s", counter_text(counters->sent[i]));
		table_cell(table, failed ? RED : PLAIN, "%s", counter_text(counters->failed[i]));
	}
	table_cell(table, PLAIN, "all");
	table_cell(table, PLAIN, "%" PRIu64, counters->all_sent);
	table_cell(table, counters->all_failed ? RED : PLAIN, "%" PRIu64, counters->all_failed);
	table_print(table);
}

static void print_histograms(const struct iommu *iommu)
{
	struct bucket *buckets;
	size_t nr;

	buckets = histograms_read(iommu, &nr);
	if (!buckets) {
		printf("\nHistograms of the requests are not shown: %s\n",
		       errno == EACCES || errno == EPERM ? "they need root" :
		       errno == ENOENT ? "there is no debugfs, or the driver has none" :
		       strerror(errno));
		return;
	}
	histograms_print(buckets, nr);
	histograms_free(buckets, nr);
}

static void print_iommu(const struct iommu *iommu, const struct counters *counters)
{
	bool open = !strcmp(counters->bypass, "open");

	printf("%s%s%s (%s)%s%s%s\n", colour(BOLD), iommu->name, colour(PLAIN), iommu->parent,
	       colour(RED), counters->dead == 1 ? ": dead, no request is sent any more" : "",
	       colour(PLAIN));
	printf("devices %s, outside %s%s%s, endpoints %s, domains %s, mappings ",
	       counter_text(counters->devices), alarm_colour(counters->outside),
	       counter_text(counters->outside), colour(PLAIN),
	       counter_text(counters->endpoints), counter_text(counters->domains));
	printf("%s\nbypass %s%s%s, faults %s%s%s, kicks %s, requests a kick %.1f\n\n",
	       counter_text(counters->mappings), open ? colour(RED) : "", counters->bypass,
	       colour(PLAIN), alarm_colour(counters->faults), counter_text(counters->faults),
	       colour(PLAIN), counter_text(counters->kicks),
	       counters_batch(counters->all_sent, counters->kicks));
	print_requests(counters);
	print_histograms(iommu);
}

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static struct json_object *json_iommu(const struct iommu *iommu, const struct counters *counters)
{
	struct json_object *json = json_object_new_object();
	struct json_object *requests = json_object_new_object();
	struct bucket *buckets;
	unsigned int i;
	size_t nr;

	for (i = 0; i < REQUEST_TYPES; i++) {
		struct json_object *request = json_object_new_object();

		add(request, "sent", counter_json(counters->sent[i]));
		add(request, "failed", counter_json(counters->failed[i]));
		add(requests, request_types[i], request);
	}
	add(json, "iommu", json_object_new_string(iommu->name));
	add(json, "parent", json_object_new_string(iommu->parent));
	add(json, "devices", counter_json(counters->devices));
	add(json, "outside", counter_json(counters->outside));
	add(json, "endpoints", counter_json(counters->endpoints));
	add(json, "domains", counter_json(counters->domains));
	add(json, "mappings", counter_json(counters->mappings));
	add(json, "bypass", json_object_new_string(counters->bypass));
	add(json, "dead", counters->dead == COUNTER_UNKNOWN ? NULL :
	    json_object_new_boolean(counters->dead));
	add(json, "faults", counter_json(counters->faults));
	add(json, "kicks", counter_json(counters->kicks));
	add(json, "requests", requests);
	buckets = histograms_read(iommu, &nr);
	add(json, "histograms", buckets ? histograms_json(buckets, nr) : NULL);
	histograms_free(buckets, buckets ? nr : 0);
	return json;
}

static void stats_once(const struct iommu *iommus)
{
	struct json_object *list = options.json ? json_object_new_array() : NULL;
	const struct iommu *iommu;
	struct counters counters;
	bool first = true;

	for (iommu = iommus; iommu->name; iommu++) {
		if (!iommu->ours)
			continue;
		if (!counters_read(iommu, &counters))
			fail(EXIT_FAILED, "%s: its counters cannot be read: %s", iommu->name,
			     iommu->counters);
		if (options.json) {
			json_object_array_add(list, json_iommu(iommu, &counters));
		} else {
			printf("%s", first ? "" : "\n");
			print_iommu(iommu, &counters);
		}
		first = false;
	}
	if (options.json) {
		struct json_object *json = json_object_new_object();

		add(json, "iommus", list);
		json_print(json);
	}
}

/* Rates of everything that only grows, in the order of their columns. */
enum rate {
	RATE_KICKS,
	RATE_REQUESTS,
	RATE_TYPES,
	RATE_FAILURES = RATE_TYPES + REQUEST_TYPES,
	RATE_FAULTS,
	RATES,
};

static const char *const rate_names[RATES] = {
	[RATE_KICKS] = "kicks",
	[RATE_REQUESTS] = "requests",
	[RATE_TYPES + REQUEST_ATTACH] = "attach",
	[RATE_TYPES + REQUEST_DETACH] = "detach",
	[RATE_TYPES + REQUEST_MAP] = "map",
	[RATE_TYPES + REQUEST_UNMAP] = "unmap",
	[RATE_TYPES + REQUEST_PROBE] = "probe",
	[RATE_FAILURES] = "failures",
	[RATE_FAULTS] = "faults",
};

static void rates_between(const struct counters *before, const struct counters *now,
			  double rates[RATES])
{
	double seconds = now->when - before->when;
	unsigned int i;

	rates[RATE_KICKS] = counters_rate(before->kicks, now->kicks, seconds);
	rates[RATE_REQUESTS] = counters_rate(before->all_sent, now->all_sent, seconds);
	for (i = 0; i < REQUEST_TYPES; i++)
		rates[RATE_TYPES + i] = counters_rate(before->sent[i], now->sent[i], seconds);
	rates[RATE_FAILURES] = counters_rate(before->all_failed, now->all_failed, seconds);
	rates[RATE_FAULTS] = counters_rate(before->faults, now->faults, seconds);
}

/* "requests" is a row's word for "requests a second"; "batch", for requests a kick. */
static void print_rates_heading(void)
{
	unsigned int i;

	printf("%s%-9s", colour(BOLD), "a second:");
	for (i = 0; i < RATES; i++)
		printf(" %9s", rate_names[i]);
	printf(" %7s %9s%s\n", "batch", "mappings", colour(PLAIN));
}

static void print_rates(const struct iommu *iommu, const double rates[RATES],
			const struct counters *now)
{
	unsigned int i;

	printf("%-9s", iommu->name);
	for (i = 0; i < RATES; i++) {
		bool bad = (i == RATE_FAILURES || i == RATE_FAULTS) && rates[i] > 0;

		/* of few, one that comes now and then must not be a 0 */
		printf(" %s%9.*f%s", bad ? colour(RED) : "", rates[i] && rates[i] < 10 ? 1 : 0,
		       rates[i], bad ? colour(PLAIN) : "");
	}
	printf(" %7.1f %9s%s%s%s\n",
	       rates[RATE_KICKS] > 0 ? rates[RATE_REQUESTS] / rates[RATE_KICKS] : 0.0,
	       counter_text(now->mappings), colour(RED), now->dead == 1 ? " dead" : "",
	       colour(PLAIN));
	fflush(stdout);
}

static void json_rates(const struct iommu *iommu, const double rates[RATES],
		       const struct counters *before, const struct counters *now)
{
	struct json_object *json = json_object_new_object();
	struct json_object *per_second = json_object_new_object();
	unsigned int i;

	for (i = 0; i < RATES; i++)
		add(per_second, rate_names[i], json_object_new_double(rates[i]));
	add(json, "iommu", json_object_new_string(iommu->name));
	add(json, "seconds", json_object_new_double(now->when - before->when));
	add(json, "per_second", per_second);
	add(json, "requests_per_kick", rates[RATE_KICKS] > 0 ?
	    json_object_new_double(rates[RATE_REQUESTS] / rates[RATE_KICKS]) : NULL);
	add(json, "mappings", counter_json(now->mappings));
	add(json, "faults", counter_json(now->faults));
	add(json, "bypass", json_object_new_string(now->bypass));
	add(json, "dead", now->dead == COUNTER_UNKNOWN ? NULL :
	    json_object_new_boolean(now->dead));
	live_json(json);
}

static void stats_interval(const struct iommu *iommus)
{
	struct counters *before, now;
	const struct iommu *iommu;
	unsigned long round;
	double rates[RATES];
	size_t nr = 0;

	while (iommus[nr].name)
		nr++;
	before = allocate(nr * sizeof(*before));
	for (round = 0; round < nr; round++)
		counters_read(&iommus[round], &before[round]);

	live_begin();
	for (round = 0; !own.count || round < own.count; round++) {
		if (!live_sleep(own.interval))
			break;
		if (!options.json && !(round % HEADING_EVERY))
			print_rates_heading();
		for (iommu = iommus; iommu->name; iommu++) {
			if (!iommu->ours)
				continue;
			if (!counters_read(iommu, &now))
				fail(EXIT_FAILED, "%s is gone, or its driver", iommu->name);
			rates_between(&before[iommu - iommus], &now, rates);
			if (options.json)
				json_rates(iommu, rates, &before[iommu - iommus], &now);
			else
				print_rates(iommu, rates, &now);
			before[iommu - iommus] = now;
		}
	}
	live_end();
	free(before);
}

static int run_stats(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "interval", required_argument, NULL, 'i' },
		{ }
	};
	const struct iommu *iommus;

	if (options_parse(argc, argv, &command_stats, long_options, handle_option) != argc)
		fail(EXIT_USAGE, "stats takes no arguments");
	iommus = iommus_need_ours();
	if (own.count && !own.interval)
		own.interval = 1;
	if (own.interval)
		stats_interval(iommus);
	else
		stats_once(iommus);
	return EXIT_OK;
}

const struct command command_stats = {
	.name = "stats",
	.arguments = "",
	.summary = "Show counters of requests, kicks, mappings and faults, or their rates",
	.help =
"Without --interval: all counters since the driver took the virtio-iommu over, and, for\n"
"root, histograms: how many requests shared a kick, how long CPUs waited for answers, and\n"
"which were not OK. With it: a row of rates a second, again and again. A kick is one exit of\n"
"the guest; \"batch\" is how many requests shared one.\n"
"\n"
"  -i, --interval SECONDS  print rates every so many seconds, until interrupted\n"
"  -n, --count N           stop after N times; every second unless --interval says otherwise\n",
	.run = run_stats,
};
