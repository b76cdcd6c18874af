// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's histograms: how many requests shared a kick, how long callers waited for
 * answers, and which answers were no OK.
 *
 * A bucket is known by its lower bound and reaches to the next one's. Which there are is
 * the driver's choice; nothing here counts on it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"
#include "records.h"

#define BAR_WIDTH	40

struct bucket *histograms_read(const struct iommu *iommu, size_t *nr)
{
	char *file = records_read(iommu, "requests");
	struct bucket *buckets = allocate(sizeof(*buckets));
	char *words[3], *position;
	uint64_t count;

	*nr = 0;
	if (!file) {
		int error = errno;

		free(buckets);
		errno = error;
		return NULL;
	}
	position = records_begin(file);
	while (record_next(&position, words, 3)) {
		struct bucket *bucket;

		if (!word_number(words[2], &count))
			continue;
		buckets = resize(buckets, (*nr + 1) * sizeof(*buckets));
		bucket = &buckets[(*nr)++];
		*bucket = (struct bucket) {
			.what = text("%s", words[0]),
			.name = text("%s", words[1]),
			.count = count,
		};
		bucket->numeric = word_number(bucket->name, &bucket->from);
	}
	free(file);
	return buckets;
}

void histograms_free(struct bucket *buckets, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		free(buckets[i].what);
		free(buckets[i].name);
	}
	free(buckets);
}

/* 10000 is "10 us". To be freed by the caller. */
static char *time_text(uint64_t ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	unsigned int unit = 0;

	while (unit + 1 < ARRAY_SIZE(units) && ns && !(ns % 1000)) {
		ns /= 1000;
		unit++;
	}
	return text("%" PRIu64 " %s", ns, units[unit]);
}

/* What a bucket counts, in words. To be freed by the caller. */
static char *bucket_label(const struct bucket *bucket, const struct bucket *next)
{
	char *label, *from, *to;

	if (!bucket->numeric)
		return text("%s", bucket->name);
	if (strcmp(bucket->what, "wait")) {
		if (!next)
			return text("%" PRIu64 " or more", bucket->from);
		if (next->from <= bucket->from + 1)
			return text("%" PRIu64, bucket->from);
		return text("%" PRIu64 " to %" PRIu64, bucket->from, next->from - 1);
	}
	/* answers that were there at once: no clock was read for them */
	if (!bucket->from)
		return text("at once");
	from = time_text(bucket->from);
	to = next ? time_text(next->from) : text("more");
	label = next ? text("%s to %s", from, to) : text("%s or more", from);
	free(from);
	free(to);
	return label;
}

static const char *histogram_title(const char *what)
{
	if (!strcmp(what, "kick"))
		return "Requests in a kick";
	if (!strcmp(what, "wait"))
		return "Waits for an answer";
	if (!strcmp(what, "status"))
		return "Answers that were not OK";
	return what;
}

/* One histogram, which @buckets begin with. Return: how many of them it has. */
static size_t histogram_print(const struct bucket *buckets, size_t nr)
{
	static const char *const headings[] = { "", "", "", "" };
	double all = 0, most = 0;
	struct table *table;
	size_t i, length;

	for (i = 0; i < nr && !strcmp(buckets[i].what, buckets[0].what); i++) {
		all += buckets[i].count;
		if (buckets[i].count > most)
			most = buckets[i].count;
	}
	length = i;
	printf("\n%s%s%s%s", colour(BOLD), histogram_title(buckets[0].what), colour(PLAIN),
	       all ? "" : ": none\n");
	if (!all)
		return length;
	table = table_new(headings, ARRAY_SIZE(headings));
	for (i = 0; i < length; i++) {
		const struct bucket *next = i + 1 < length && buckets[i + 1].numeric ?
					    &buckets[i + 1] : NULL;
		char *label = bucket_label(&buckets[i], next);
		char bar[BAR_WIDTH + 1] = "";

		memset(bar, '#', (size_t)(buckets[i].count / most * BAR_WIDTH + 0.5));
		table_cell(table, PLAIN, "  %s", label);
		table_cell(table, PLAIN, "%" PRIu64, buckets[i].count);
		table_cell(table, PLAIN, "%.1f %%", 100 * buckets[i].count / all);
		table_cell(table, PLAIN, "%s", bar);
		free(label);
	}
	table_print(table);
	return length;
}

void histograms_print(const struct bucket *buckets, size_t nr)
{
	size_t i = 0;

	while (i < nr)
		i += histogram_print(buckets + i, nr - i);
}

struct json_object *histograms_json(const struct bucket *buckets, size_t nr)
{
	struct json_object *histograms = json_object_new_object();
	size_t i;

	for (i = 0; i < nr; i++) {
		struct json_object *bucket = json_object_new_object(), *list;

		if (!json_object_object_get_ex(histograms, buckets[i].what, &list)) {
			list = json_object_new_array();
			json_object_object_add(histograms, buckets[i].what, list);
		}
		if (buckets[i].numeric)
			json_object_object_add(bucket, "from",
					       json_object_new_uint64(buckets[i].from));
		else
			json_object_object_add(bucket, "name",
					       json_object_new_string(buckets[i].name));
		json_object_object_add(bucket, "count", json_object_new_uint64(buckets[i].count));
		json_object_array_add(list, bucket);
	}
	return histograms;
}
