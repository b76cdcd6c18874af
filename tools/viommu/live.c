// SPDX-License-Identifier: GPL-2.0
/*
 * What the commands share that go on until they are told to stop: stats --interval,
 * faults --follow, top and trace.
 *
 * A signal only sets a flag and wakes up who sleeps, so that each command ends where it
 * can leave things behind in order: the terminal, the trace instance, a line of JSON.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "live.h"

/* A second is one to a person; less would cost the guest more than is learnt. */
#define SECONDS_MIN	0.05
#define SECONDS_MAX	86400.0

static volatile sig_atomic_t stop;

static void live_signal(int signal)
{
	stop = signal;
}

void live_begin(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	struct sigaction action = { .sa_handler = live_signal };
	unsigned int i;

	/* without SA_RESTART: whatever waits comes back */
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

bool live_stopped(void)
{
	/* whoever read the output may be gone without a signal having come */
	return stop || ferror(stdout);
}

void live_end(void)
{
	if (stop != SIGPIPE)
		return;
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}

bool live_sleep(double seconds)
{
	struct timespec left = {
		.tv_sec = seconds,
		.tv_nsec = (seconds - (time_t)seconds) * 1e9,
	};

	while (!live_stopped() && clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
	return !live_stopped();
}

double live_seconds(const char *arg)
{
	char *end;
	double seconds = strtod(arg, &end);

	if (end == arg || *end || !(seconds >= SECONDS_MIN && seconds <= SECONDS_MAX))
		fail(EXIT_USAGE, "%s: seconds are wanted, %g to %g", arg, SECONDS_MIN, SECONDS_MAX);
	return seconds;
}

unsigned long live_count(const char *arg)
{
	unsigned long count;
	char *end;

	errno = 0;
	count = strtoul(arg, &end, 10);
	if (errno || end == arg || *end || *arg == '-' || !count)
		fail(EXIT_USAGE, "%s: a count is wanted, 1 or more", arg);
	return count;
}

double live_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

void live_json(struct json_object *json)
{
	puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	fflush(stdout);
	json_object_put(json);
}
