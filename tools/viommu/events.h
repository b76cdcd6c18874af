/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: the driver's trace events, put in words. */
#ifndef _VIOMMU_EVENTS_H
#define _VIOMMU_EVENTS_H

#include "endpoints.h"

enum event_kind {
	EVENT_REQUEST_QUEUED,
	EVENT_REQUEST_COMPLETED,
	EVENT_KICK,
	EVENT_MAP,
	EVENT_UNMAP,
	EVENT_ATTACH,
	EVENT_DETACH,
	EVENT_PROBE,
	EVENT_FAULT,
	EVENT_DEAD,
	EVENT_LOST,		/* of the tracer: @requests events are missing, or 0: some */
	EVENT_KINDS,
};

/* By their names in tracefs, without "viommu_" in front; NULL for EVENT_LOST. */
extern const char *const event_names[EVENT_KINDS];

/**
 * struct event - an event, with the fields that its kind has
 * @kind: which event
 * @time: when, in ns
 * @cpu: where
 * @pid: who was running
 * @process: the name of that
 * @device: the N of virtioN
 * @requests: kick: how many the host was told of
 * @type: of a request, as on the wire
 * @status: of a request, as on the wire
 * @error: 0 or a negative errno
 * @flags: of a mapping or a fault, as on the wire
 * @reason: of a fault, as on the wire
 * @why: dead: in words
 */
struct event {
	enum event_kind kind;
	uint64_t time;
	int cpu, pid;
	char process[16];
	int device;
	uint64_t seq, start, last, phys, address, requests;
	uint32_t domain, endpoint, flags;
	uint8_t type, status, reason;
	int error;
	char why[64];
};

/* Only what concerns @target from here on; without a domain, all of its virtio-iommu. */
void events_only(const struct target *target);

/* Print an event, or keep it until the one that it belongs to comes. */
void event_handle(const struct event *event);

/* Print what is still kept. */
void events_end(void);

#endif /* _VIOMMU_EVENTS_H */
