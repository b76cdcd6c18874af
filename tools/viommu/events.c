// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's trace events, put in words, a line each.
 *
 * A request is two events: it is queued, and it is complete. They are printed as one,
 * when the second comes, with the time in between. What was queued waits for that in a
 * table; the driver has far fewer requests under way than there is room, so one that is
 * still there when its place is needed will get no answer any more.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "events.h"
#include "live.h"

#define QUEUED_MAX	4096

/* As on the wire. */
enum { TYPE_ATTACH = 1, TYPE_DETACH, TYPE_MAP, TYPE_UNMAP, TYPE_PROBE };
#define FAULT_HAS_ADDRESS	0x100
#define STATUS_UNWRITTEN	0xff

const char *const event_names[EVENT_KINDS] = {
	"request_queued", "request_completed", "kick", "map", "unmap", "attach", "detach",
	"probe", "fault", "dead", NULL,
};

/* What they are called here. */
static const char *const event_words[EVENT_KINDS] = {
	"request", "request", "kick", "map", "unmap", "attach", "detach", "probe", "fault",
	"dead", "lost",
};

static struct {
	bool used;
	struct event event;
} queued[QUEUED_MAX];

static struct target only;
static int only_device;

void events_only(const struct target *target)
{
	only = *target;
	only_device = atoi(target->iommu->name + strcspn(target->iommu->name, "0123456789"));
}

static bool only_has_endpoint(uint32_t endpoint)
{
	size_t i;

	for (i = 0; i < only.nr; i++) {
		if (only.attachments[i].endpoint == endpoint)
			return true;
	}
	return false;
}

/* A device moves from domain to domain: what is mapped in its new one counts from then on. */
static bool attach_wanted(const struct event *event)
{
	if (!only_has_endpoint(event->endpoint))
		return false;
	if (!event->error) {
		only.has_domain = true;
		only.domain = event->domain;
	}
	return true;
}

static bool event_wanted(const struct event *event)
{
	bool in_domain = only.has_domain && only.domain == event->domain;

	if (!only.iommu || event->kind == EVENT_LOST)
		return true;
	if (event->device != only_device)
		return false;
	if (!only.nr || event->kind == EVENT_DEAD)
		return true;
	switch (event->kind) {
	case EVENT_MAP:
	case EVENT_UNMAP:
		return in_domain;
	case EVENT_ATTACH:
		return attach_wanted(event);
	case EVENT_DETACH:
	case EVENT_PROBE:
	case EVENT_FAULT:
		return only_has_endpoint(event->endpoint);
	case EVENT_REQUEST_QUEUED:
		if (event->type == TYPE_ATTACH)
			return attach_wanted(event);
		if (event->type == TYPE_MAP || event->type == TYPE_UNMAP)
			return in_domain;
		return only_has_endpoint(event->endpoint);
	default:
		return false;
	}
}

static const char *type_text(uint8_t type)
{
	static const char *const types[] = { "?", "ATTACH", "DETACH", "MAP", "UNMAP", "PROBE" };

	return type < ARRAY_SIZE(types) ? types[type] : types[0];
}

static const char *status_text(uint8_t status)
{
	static const char *const statuses[] = {
		"OK", "IOERR", "UNSUPP", "DEVERR", "INVAL", "RANGE", "NOENT", "FAULT", "NOMEM",
	};

	if (status == STATUS_UNWRITTEN)
		return "unwritten";
	return status < ARRAY_SIZE(statuses) ? statuses[status] : "unknown status";
}

static const char *reason_text(uint8_t reason)
{
	return reason == 1 ? "domain" : reason == 2 ? "mapping" : "unknown";
}

/* The low three flags by @letters, as "rw-". */
static const char *access_text(uint32_t flags, const char *letters)
{
	static char access[4];
	unsigned int i;

	for (i = 0; i < 3; i++)
		access[i] = flags & (1U << i) ? letters[i] : '-';
	return access;
}

static void print_error(const struct event *event)
{
	if (event->error)
		printf(": %s%s%s", colour(RED), strerror(abs(event->error)), colour(PLAIN));
}

/* What a request asks for: only the fields that its type has. */
static void print_request(const struct event *request)
{
	printf("%s", type_text(request->type));
	if (request->type != TYPE_PROBE)
		printf(" domain %" PRIu32, request->domain);
	if (request->type == TYPE_MAP || request->type == TYPE_UNMAP)
		printf(" 0x%" PRIx64 "-0x%" PRIx64, request->start, request->last);
	else
		printf(" endpoint 0x%" PRIx32, request->endpoint);
}

static void print_answer(const struct event *answer, const struct event *request)
{
	bool bad = answer->status || answer->error;

	if (request)
		print_request(request);
	else
		printf("%s #%" PRIu64, type_text(answer->type), answer->seq);
	printf(": %s%s%s", bad ? colour(RED) : "", status_text(answer->status),
	       bad ? colour(PLAIN) : "");
	if (request && answer->time >= request->time)
		printf(" after %.1f us", (answer->time - request->time) / 1000.0);
	print_error(answer);
}

static void print_fault(const struct event *event)
{
	printf("endpoint 0x%" PRIx32, event->endpoint);
	if (event->flags & FAULT_HAS_ADDRESS)
		printf(" %s0x%" PRIx64 "%s", colour(BOLD), event->address, colour(PLAIN));
	printf(" %s %s", access_text(event->flags, "rwx"), reason_text(event->reason));
}

static void print_details(const struct event *event, const struct event *request)
{
	switch (event->kind) {
	case EVENT_REQUEST_QUEUED:
		print_request(event);
		printf(": %sno answer%s", colour(RED), colour(PLAIN));
		break;
	case EVENT_REQUEST_COMPLETED:
		print_answer(event, request);
		break;
	case EVENT_KICK:
		printf("%" PRIu64 " requests", event->requests);
		break;
	case EVENT_MAP:
	case EVENT_UNMAP:
		printf("domain %" PRIu32 " 0x%" PRIx64 "-0x%" PRIx64, event->domain, event->start,
		       event->last);
		if (event->kind == EVENT_MAP)
			printf(" -> 0x%" PRIx64 " %s", event->phys,
			       access_text(event->flags, "rwm"));
		print_error(event);
		break;
	case EVENT_ATTACH:
	case EVENT_DETACH:
	case EVENT_PROBE:
		if (event->kind != EVENT_PROBE)
			printf("domain %" PRIu32 " ", event->domain);
		printf("endpoint 0x%" PRIx32, event->endpoint);
		print_error(event);
		break;
	case EVENT_FAULT:
		print_fault(event);
		break;
	case EVENT_DEAD:
		printf("%s", event->why);
		print_error(event);
		break;
	default:
		if (event->requests)
			printf("%" PRIu64 " events", event->requests);
		else
			printf("some events");
	}
}

static void print_event(const struct event *event, const struct event *request)
{
	bool alarm = event->kind == EVENT_FAULT || event->kind == EVENT_DEAD ||
		     event->kind == EVENT_LOST;
	char device[24] = "-", process[32];

	if (event->kind != EVENT_LOST)
		snprintf(device, sizeof(device), "virtio%d", event->device);
	snprintf(process, sizeof(process), "%s-%d", event->process, event->pid);
	printf("%s%6" PRIu64 ".%06u [%03d] %-22s%s %-8s %s%-7s%s ", colour(DIM),
	       event->time / 1000000000, (unsigned int)(event->time % 1000000000 / 1000),
	       event->cpu, process, colour(PLAIN), device, colour(alarm ? RED : BOLD),
	       event_words[event->kind], colour(PLAIN));
	print_details(event, request);
	putchar('\n');
}

static void add(struct json_object *object, const char *key, struct json_object *value)
{
	json_object_object_add(object, key, value);
}

static void add_hex(struct json_object *object, const char *key, uint64_t number)
{
	char hex[24];

	snprintf(hex, sizeof(hex), "0x%" PRIx64, number);
	add(object, key, json_object_new_string(hex));
}

static void add_string(struct json_object *object, const char *key, const char *string)
{
	add(object, key, json_object_new_string(string));
}

/* What was asked for: @event is the request when it was queued. */
static void json_request(struct json_object *json, const struct event *event)
{
	if (event->type != TYPE_PROBE)
		add(json, "domain", json_object_new_int64(event->domain));
	if (event->type == TYPE_MAP || event->type == TYPE_UNMAP) {
		add_hex(json, "start", event->start);
		add_hex(json, "last", event->last);
	} else {
		add_hex(json, "endpoint", event->endpoint);
	}
}

static void json_answer(struct json_object *json, const struct event *answer,
			const struct event *request)
{
	bool timed = request && answer->time >= request->time;

	add(json, "seq", json_object_new_uint64(answer->seq));
	add_string(json, "type", type_text(answer->type));
	if (request)
		json_request(json, request);
	/* no answer came: what is shown is the request itself */
	add(json, "status", answer->kind == EVENT_REQUEST_QUEUED ? NULL :
	    json_object_new_string(status_text(answer->status)));
	add(json, "error", answer->kind == EVENT_REQUEST_QUEUED ? NULL :
	    json_object_new_int(answer->error));
	add(json, "latency_ns", timed && answer != request ?
	    json_object_new_uint64(answer->time - request->time) : NULL);
}

static void json_details(struct json_object *json, const struct event *event)
{
	switch (event->kind) {
	case EVENT_KICK:
		add(json, "requests", json_object_new_uint64(event->requests));
		return;
	case EVENT_LOST:
		add(json, "events", event->requests ? json_object_new_uint64(event->requests) :
		    NULL);
		return;
	case EVENT_FAULT:
		add_hex(json, "endpoint", event->endpoint);
		if (event->flags & FAULT_HAS_ADDRESS)
			add_hex(json, "address", event->address);
		else
			add(json, "address", NULL);
		add_string(json, "access", access_text(event->flags, "rwx"));
		add_string(json, "reason", reason_text(event->reason));
		return;
	case EVENT_MAP:
	case EVENT_UNMAP:
		add(json, "domain", json_object_new_int64(event->domain));
		add_hex(json, "start", event->start);
		add_hex(json, "last", event->last);
		if (event->kind == EVENT_UNMAP)
			return;
		add_hex(json, "phys", event->phys);
		add_string(json, "access", access_text(event->flags, "rwm"));
		break;
	case EVENT_ATTACH:
	case EVENT_DETACH:
	case EVENT_PROBE:
		if (event->kind != EVENT_PROBE)
			add(json, "domain", json_object_new_int64(event->domain));
		add_hex(json, "endpoint", event->endpoint);
		break;
	default:
		add_string(json, "why", event->why);
	}
	add(json, "error", json_object_new_int(event->error));
}

static void json_event(const struct event *event, const struct event *request)
{
	struct json_object *json = json_object_new_object();
	char device[24];

	snprintf(device, sizeof(device), "virtio%d", event->device);
	add_string(json, "event", event_words[event->kind]);
	add(json, "time_ns", json_object_new_uint64(event->time));
	add(json, "cpu", json_object_new_int(event->cpu));
	add(json, "pid", json_object_new_int(event->pid));
	add_string(json, "process", event->process);
	add(json, "iommu", event->kind == EVENT_LOST ? NULL : json_object_new_string(device));
	if (event->kind == EVENT_REQUEST_COMPLETED || event->kind == EVENT_REQUEST_QUEUED)
		json_answer(json, event, request);
	else
		json_details(json, event);
	live_json(json);
}

static void show(const struct event *event, const struct event *request)
{
	if (options.json)
		json_event(event, request);
	else
		print_event(event, request);
}

static unsigned int queued_index(const struct event *event)
{
	/* a prime, so that several virtio-iommus rarely meet */
	return (event->seq + (uint64_t)event->device * 1021) % QUEUED_MAX;
}

static void handle_completed(const struct event *event)
{
	unsigned int i = queued_index(event);
	const struct event *request = &queued[i].event;
	bool known = queued[i].used && request->seq == event->seq &&
		     request->device == event->device;

	/* not seen when it was queued: from before this began, or not asked for */
	if (!known && only.nr)
		return;
	show(event, known ? request : NULL);
	if (known)
		queued[i].used = false;
}

void event_handle(const struct event *event)
{
	unsigned int i;

	if (event->kind == EVENT_REQUEST_COMPLETED) {
		if (!only.iommu || event->device == only_device)
			handle_completed(event);
		return;
	}
	if (!event_wanted(event))
		return;
	if (event->kind != EVENT_REQUEST_QUEUED) {
		show(event, NULL);
		return;
	}
	i = queued_index(event);
	if (queued[i].used)
		show(&queued[i].event, &queued[i].event);
	queued[i].used = true;
	queued[i].event = *event;
}

void events_end(void)
{
	unsigned int i;

	for (i = 0; i < QUEUED_MAX; i++) {
		if (queued[i].used)
			show(&queued[i].event, &queued[i].event);
		queued[i].used = false;
	}
}
