// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's counters: one file each in /sys/class/iommu/NAME/virtio-iommu, readable
 * for everyone. They are read one after the other while the driver counts on, so sums
 * and averages of them are near, not exact.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "live.h"

const char *const request_types[REQUEST_TYPES] = {
	"attach", "detach", "map", "unmap", "probe",
};

static uint64_t counter_read(const struct iommu *iommu, const char *name, const char *suffix)
{
	char *path = text("%s/%s%s", iommu->counters, name, suffix);
	uint64_t counter;

	if (!file_number(path, &counter))
		counter = COUNTER_UNKNOWN;
	free(path);
	return counter;
}

static void counters_read_bypass(const struct iommu *iommu, struct counters *counters)
{
	char *path = text("%s/bypass", iommu->counters);
	char *bypass = file_line(path);

	/* one of three words: whatever else it is must not reach a terminal */
	if (!bypass || (strcmp(bypass, "open") && strcmp(bypass, "closed") &&
			strcmp(bypass, "none"))) {
		free(bypass);
		bypass = text("unknown");
	}
	snprintf(counters->bypass, sizeof(counters->bypass), "%s", bypass);
	free(bypass);
	free(path);
}

bool counters_read(const struct iommu *iommu, struct counters *counters)
{
	static const struct {
		const char *name;
		size_t offset;
	} single[] = {
		{ "devices", offsetof(struct counters, devices) },
		{ "endpoints", offsetof(struct counters, endpoints) },
		{ "domains", offsetof(struct counters, domains) },
		{ "outside", offsetof(struct counters, outside) },
		{ "mappings", offsetof(struct counters, mappings) },
		{ "faults", offsetof(struct counters, faults) },
		{ "kicks", offsetof(struct counters, kicks) },
		{ "dead", offsetof(struct counters, dead) },
	};
	unsigned int i;

	memset(counters, 0, sizeof(*counters));
	counters->when = live_now();
	for (i = 0; i < ARRAY_SIZE(single); i++)
		*(uint64_t *)((char *)counters + single[i].offset) =
			counter_read(iommu, single[i].name, "");
	for (i = 0; i < REQUEST_TYPES; i++) {
		counters->sent[i] = counter_read(iommu, request_types[i], "_requests");
		counters->failed[i] = counter_read(iommu, request_types[i], "_failures");
		if (counters->sent[i] != COUNTER_UNKNOWN)
			counters->all_sent += counters->sent[i];
		if (counters->failed[i] != COUNTER_UNKNOWN)
			counters->all_failed += counters->failed[i];
	}
	counters_read_bypass(iommu, counters);
	return counters->kicks != COUNTER_UNKNOWN;
}

double counters_rate(uint64_t before, uint64_t now, double seconds)
{
	if (before == COUNTER_UNKNOWN || now == COUNTER_UNKNOWN || now < before || seconds <= 0)
		return 0;
	return (now - before) / seconds;
}

const char *counter_text(uint64_t counter)
{
	static char texts[4][24];
	static unsigned int next;
	char *text = texts[next++ % ARRAY_SIZE(texts)];

	if (counter == COUNTER_UNKNOWN)
		return "-";
	snprintf(text, sizeof(texts[0]), "%" PRIu64, counter);
	return text;
}

struct json_object *counter_json(uint64_t counter)
{
	return counter == COUNTER_UNKNOWN ? NULL : json_object_new_uint64(counter);
}

double counters_batch(uint64_t requests, uint64_t kicks)
{
	if (requests == COUNTER_UNKNOWN || kicks == COUNTER_UNKNOWN || !kicks)
		return 0;
	return (double)requests / kicks;
}
