// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: what our driver has counted that should not have been.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "doctor.h"
#include "records.h"

static void check_dead(struct findings *findings, const struct iommu *iommu,
		       const struct counters *counters)
{
	struct finding *finding;

	if (!counters->dead || counters->dead == COUNTER_UNKNOWN)
		return;
	finding = finding_add(findings, SEVERITY_BAD, "dead",
			      "%s: it did not answer, and the driver has given it up", iommu->name);
	finding_advise(finding,
		       "look at the host; bind it again: echo %s to unbind and bind in /sys/bus/virtio/drivers/virtio_iommu",
		       iommu->name);
}

static void check_failures(struct findings *findings, const struct iommu *iommu,
			   const struct counters *counters)
{
	struct finding *finding;
	enum request_type type;
	enum severity severity;

	for (type = 0; type < REQUEST_TYPES; type++) {
		if (!counters->failed[type] || counters->failed[type] == COUNTER_UNKNOWN)
			continue;
		/* An alias that the host does not know fails, and there is nothing in it. */
		severity = type == REQUEST_PROBE ? SEVERITY_OK : SEVERITY_WARN;
		finding = finding_add(findings, severity, "failures",
				      "%s: %" PRIu64 " of %s %s requests failed", iommu->name,
				      counters->failed[type], counter_text(counters->sent[type]),
				      request_types[type]);
		if (type != REQUEST_PROBE)
			finding_advise(finding, "dmesg | grep virtio_iommu says which");
	}
}

static void check_faults(struct findings *findings, const struct system *system, size_t index)
{
	const struct iommu *iommu = &system->iommus[index];
	struct counters counters;
	struct finding *finding;
	size_t i;

	if (!counters_read(iommu, &counters) || counters.faults == COUNTER_UNKNOWN)
		return;
	if (!counters.faults) {
		finding_add(findings, SEVERITY_OK, "faults", "%s: no faults", iommu->name);
		return;
	}
	finding = finding_add(findings, SEVERITY_WARN, "faults",
			      "%s: %" PRIu64 " accesses of devices were stopped", iommu->name,
			      counters.faults);
	finding_advise(finding, "viommu faults has the last of them");
	for (i = 0; i < system->nr_devices; i++) {
		if (system->devices[i].iommu == (int)index && system->devices[i].faults)
			finding_add_device(finding, system->devices[i].name);
	}
}

/* Mappings that the host did not take back: the memory may be another's by now. */
static void check_stale(struct findings *findings, const struct iommu *iommu)
{
	enum { DOMAIN, KIND, ENDPOINTS, MAPPINGS, BYTES, STALE, WORDS };
	char *file = records_read(iommu, "domains");
	char *position, *words[WORDS];
	uint64_t stale, all = 0;
	struct finding *finding;

	if (!file)
		return;
	position = records_begin(file);
	while (record_next(&position, words, WORDS)) {
		if (word_number(words[STALE], &stale) && stale <= UINT64_MAX - all)
			all += stale;
	}
	free(file);
	if (!all)
		return;
	finding = finding_add(findings, SEVERITY_BAD, "stale",
			      "%s: %" PRIu64 " mappings that the host did not take back",
			      iommu->name, all);
	finding_advise(finding, "they are tried again with the next unmap; look at the host");
}

void check_counters(struct findings *findings, const struct system *system)
{
	struct counters counters;
	size_t i;

	for (i = 0; i < system->nr_iommus; i++) {
		const struct iommu *iommu = &system->iommus[i];

		if (!iommu->ours || !counters_read(iommu, &counters))
			continue;
		check_dead(findings, iommu, &counters);
		check_failures(findings, iommu, &counters);
		check_faults(findings, system, i);
		check_stale(findings, iommu);
	}
}
