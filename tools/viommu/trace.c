// SPDX-License-Identifier: GPL-2.0
/*
 * viommu trace: the driver's tracepoints as they are hit, by libtracefs.
 *
 * They go to a tracefs instance of its own, so that nothing that others trace is touched.
 * It is removed whichever way the program ends; what a SIGKILL left behind, the next run
 * removes. The buffers of all CPUs are read every tenth of a second and sorted by time.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tracefs.h>

#include "events.h"
#include "live.h"

#define SYSTEM		"virtio_iommu"
#define INSTANCE	"viommu-"
#define READ_EVERY	0.1
#define NAMES_KEPT	256

static const char *device;
static struct tracefs_instance *instance;

/* Names of processes, by their PID modulo NAMES_KEPT, as of this round of reading. */
static struct {
	int pid;
	char name[16];
} names[NAMES_KEPT];
static bool names_loaded;

static void handle_option(int val, const char *arg)
{
	if (val == 'd')
		device = arg;
}

static void instance_remove(void)
{
	if (!instance)
		return;
	tracefs_event_disable(instance, SYSTEM, NULL);
	tracefs_instance_destroy(instance);
	tracefs_instance_free(instance);
	instance = NULL;
}

/* Those of runs that were killed: their PIDs are nobody's. */
static void instances_remove_old(void)
{
	char **list = tracefs_instances("^" INSTANCE "[0-9]*$");
	unsigned int i;

	for (i = 0; list && list[i]; i++) {
		int pid = atoi(list[i] + strlen(INSTANCE));
		struct tracefs_instance *old;

		if (pid <= 0 || !kill(pid, 0) || errno != ESRCH)
			continue;
		old = tracefs_instance_alloc(NULL, list[i]);
		if (!old)
			continue;
		tracefs_instance_destroy(old);
		tracefs_instance_free(old);
	}
	tracefs_list_free(list);
}

/* tracefs with the driver's events in it; the program ends where it is not there. */
static void tracefs_need(void)
{
	const char *folder = tracefs_tracing_dir();

	if (!folder || access(folder, R_OK | W_OK | X_OK)) {
		if (geteuid())
			fail(EXIT_NO_PERMISSION, "this needs root");
		fail(EXIT_NOT_SHOWN,
		     "no tracefs: mount -t tracefs nodev /sys/kernel/tracing, if the kernel has it");
	}
	if (!tracefs_dir_exists(NULL, "events/" SYSTEM)) {
		iommus_need_ours();
		fail(EXIT_NOT_SHOWN, "no events of " SYSTEM ": the driver was built without them");
	}
}

/* Of a process that has ended already only the tracer knows the name. */
static char *ended_name(struct tep_handle *tep, int pid)
{
	if (!names_loaded)
		tracefs_load_cmdlines(NULL, tep);
	names_loaded = true;
	return text("%s", tep_data_comm_from_pid(tep, pid));
}

/* The name that @pid has now, which is most often the one that it had. */
static const char *process_name(struct tep_handle *tep, int pid)
{
	unsigned int slot = (unsigned int)pid % NAMES_KEPT;
	char *path, *name, *letter;

	if (!pid)
		return "idle";
	if (names[slot].pid == pid)
		return names[slot].name;
	path = text("/proc/%d/comm", pid);
	name = file_line(path);
	free(path);
	if (!name)
		name = ended_name(tep, pid);
	names[slot].pid = pid;
	snprintf(names[slot].name, sizeof(names[slot].name), "%s", name);
	free(name);
	for (letter = names[slot].name; *letter; letter++) {
		if (*letter < ' ' || *letter > '~')
			*letter = '?';
	}
	return names[slot].name;
}

static uint64_t field(struct tep_event *format, struct tep_record *record, const char *name)
{
	unsigned long long value;

	/* not every event has every field */
	if (tep_get_field_val(NULL, format, name, record, &value, 0))
		return 0;
	return value;
}

static void read_why(struct tep_event *format, struct tep_record *record, struct event *event)
{
	int length = 0, i;
	const char *why = tep_get_field_raw(NULL, format, "why", record, &length, 0);

	for (i = 0; why && i < length && i < (int)sizeof(event->why) - 1 && why[i]; i++)
		event->why[i] = why[i] < ' ' || why[i] > '~' ? '?' : why[i];
}

static void read_fields(struct tep_event *format, struct tep_record *record, struct event *event)
{
	event->device = field(format, record, "device");
	event->seq = field(format, record, "seq");
	event->start = field(format, record, "start");
	event->last = field(format, record, "last");
	event->phys = field(format, record, "phys");
	event->address = field(format, record, "address");
	event->requests = field(format, record, "requests");
	event->domain = field(format, record, "domain");
	event->endpoint = field(format, record, "endpoint");
	event->flags = field(format, record, "flags");
	event->type = field(format, record, "type");
	event->status = field(format, record, "status");
	event->reason = field(format, record, "reason");
	event->error = field(format, record, "error");
	if (event->kind == EVENT_DEAD)
		read_why(format, record, event);
}

static enum event_kind kind_of(const char *name)
{
	enum event_kind kind;

	if (!strncmp(name, "viommu_", strlen("viommu_")))
		name += strlen("viommu_");
	for (kind = 0; kind < EVENT_LOST; kind++) {
		if (!strcmp(name, event_names[kind]))
			break;
	}
	return kind;
}

static void event_begin(struct event *event, struct tep_handle *tep, struct tep_record *record,
			int cpu)
{
	*event = (struct event) { .kind = EVENT_LOST, .time = record->ts, .cpu = cpu };
	event->pid = tep_data_pid(tep, record);
	snprintf(event->process, sizeof(event->process), "%s", process_name(tep, event->pid));
}

static int handle_record(struct tep_event *format, struct tep_record *record, int cpu,
			 void *unused)
{
	struct event event;

	(void)unused;
	event_begin(&event, format->tep, record, cpu);
	event.kind = kind_of(format->name);
	if (event.kind != EVENT_LOST && !strcmp(format->system, SYSTEM)) {
		read_fields(format, record, &event);
		event_handle(&event);
	}
	/* where nobody reads on, the rest goes with the instance */
	return ferror(stdout);
}

/* @record is the first one after the gap. */
static int handle_missed(struct tep_event *format, struct tep_record *record, int cpu,
			 void *unused)
{
	struct event event;

	(void)unused;
	event_begin(&event, format->tep, record, cpu);
	/* negative: some, and nobody counted them */
	event.requests = record->missed_events > 0 ? record->missed_events : 0;
	event_handle(&event);
	return 0;
}

static void instance_create(void)
{
	char *name;

	instances_remove_old();
	name = text(INSTANCE "%d", getpid());
	instance = tracefs_instance_create(name);
	if (!instance)
		fail(EXIT_FAILED, "cannot make the tracefs instance %s: %s", name,
		     strerror(errno));
	free(name);
	atexit(instance_remove);
	tracefs_follow_missed_events(instance, handle_missed, NULL);
	if (tracefs_event_enable(instance, SYSTEM, NULL))
		fail(EXIT_FAILED, "cannot enable the events: %s", strerror(errno));
}

static void read_events(struct tep_handle *tep)
{
	memset(names, 0, sizeof(names));
	names_loaded = false;
	tracefs_iterate_raw_events(tep, instance, NULL, 0, handle_record, NULL);
	fflush(stdout);
}

static pid_t command_start(char **argv)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0)
		fail(EXIT_FAILED, "%s: %s", argv[0], strerror(errno));
	if (!child) {
		execvp(argv[0], argv);
		complain("%s: %s", argv[0], strerror(errno));
		_exit(127);
	}
	return child;
}

/* Return: what the command ended with, as a shell has it. */
static int trace_run(struct tep_handle *tep, pid_t child)
{
	int status = 0;
	bool ended = false;

	while (live_sleep(READ_EVERY) && !ended) {
		/* first, so that all that it did is read below */
		ended = child && waitpid(child, &status, WNOHANG) == child;
		read_events(tep);
	}
	if (child && !ended) {
		kill(child, SIGTERM);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	}
	tracefs_trace_off(instance);
	read_events(tep);
	events_end();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What --device names: a virtio-iommu, or something behind one. */
static void device_select(void)
{
	struct iommu *iommus = iommus_need_ours(), *iommu;
	struct target target;

	for (iommu = iommus; iommu->name; iommu++) {
		if (!strcmp(iommu->name, device))
			break;
	}
	if (iommu->name)
		target = (struct target) { .iommu = iommu };
	else
		target_find(iommus, device, &target);
	events_only(&target);
}

static int run_trace(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ }
	};
	static const char *const systems[] = { SYSTEM, NULL };
	int first = options_parse(argc, argv, &command_trace, long_options, handle_option);
	struct tep_handle *tep;
	int status;

	if (*options.root)
		fail(EXIT_USAGE, "trace looks at the system that it runs on: no --root");
	tracefs_need();
	if (device)
		device_select();
	tep = tracefs_local_events_system(NULL, systems);
	if (!tep)
		fail(EXIT_FAILED, "the events' formats cannot be read: %s", strerror(errno));
	live_begin();
	instance_create();
	status = trace_run(tep, first < argc ? command_start(argv + first) : 0);
	instance_remove();
	tep_free(tep);
	live_end();
	return status;
}

const struct command command_trace = {
	.name = "trace",
	.arguments = "[COMMAND [ARGUMENT...]]",
	.summary = "Show what the driver does as it does it, by its tracepoints (needs root)",
	.help =
"Until COMMAND ends, or without one until interrupted. With a COMMAND the exit status is its\n"
"own. A line has the time since boot, the CPU, the process that ran there, the virtio-iommu\n"
"and what happened: map and unmap are what a driver asked for; a request is what the host\n"
"was asked for, shown when it answered, with the time from when it was queued; a kick is one\n"
"exit of the guest. Events that come too fast are lost, which is said.\n"
"\n"
"  -d, --device DEVICE    only what concerns a device (0000:00:03.0 or 00:03.0), an endpoint\n"
"                         (0x18), a domain (domain:3) or a virtio-iommu (virtio0)\n",
	.run = run_trace,
};
