// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests, each in a child, and prints TAP.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/rbtree.h>
#include <linux/slab.h>

#include "harness.h"

#define TEST_SECONDS	10	/* of CPU time, times VIOMMU_ROUNDS: what hangs is a failure */
#define TEST_FAILURES	5	/* more of them in one test say nothing new */
#define TEST_DUMP	256	/* bytes */

#ifdef VIOMMU_SWAPPED
#define TEST_ORDER	"swapped"
#else
#define TEST_ORDER	"little"
#endif

struct slab_control slab_control;
unsigned int rb_die = 1;

static const struct test_suite * const suites[] = {
	&suite_wire, &suite_config, &suite_property, &suite_regions,
	&suite_fault, &suite_table, &suite_viot, &suite_iort, &suite_mapping, &suite_request,
	&suite_domain, &suite_model, &suite_space, &suite_pool,
	&suite_chunks, &suite_warm, &suite_dma, &suite_sg, &suite_alloc,
};

static u64 seed = 1, rounds = 1;

/* Of the test that this child runs. */
static unsigned int failures;
static const void *subject;
static size_t subject_size;

void test_subject(const void *bytes, size_t size)
{
	subject = bytes;
	subject_size = size;
}

static void test_dump(void)
{
	size_t i;

	for (i = 0; subject && i < subject_size && i < TEST_DUMP; i++)
		printf("%s%02x", i % 16 ? " " : "\n#   ", ((const u8 *)subject)[i]);
	printf("%s\n", subject && subject_size > TEST_DUMP ? " ..." : "");
}

void test_fail(const char *file, int line, bool fatal, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	if (!failures && subject)
		test_dump();
	else
		printf("\n");
	if (++failures < TEST_FAILURES && !fatal)
		return;
	fflush(stdout);
	_exit(1);
}

/* Called by AddressSanitizer, which does not know what the bytes mean. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	printf("# AddressSanitizer's report follows; the subject was:");
	test_dump();
	fflush(stdout);
}

unsigned long test_rounds(unsigned long times)
{
	return times * rounds;
}

static void test_run(const struct test_case *test)
{
	const struct itimerval limit = { .it_value.tv_sec = TEST_SECONDS * rounds };

	test_seed(seed, test->name);
	setitimer(ITIMER_PROF, &limit, NULL);
	test->run();
	/* Looks for leaks, and fails the child if there are any. */
	exit(failures ? 1 : 0);
}

static bool test_passes(const struct test_case *test)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		test_run(test);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("# cannot run a child: %s\n", strerror(errno));
		return false;
	}
	if (WIFSIGNALED(status))
		printf("# killed by signal %d%s\n", WTERMSIG(status),
		       WTERMSIG(status) == SIGPROF ? ": took too long" : "");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool test_wanted(const struct test_suite *suite, const struct test_case *test,
			const char *filter)
{
	return strstr(test->name, filter) || !strcmp(suite->name, filter);
}

static void number_from_env(const char *name, u64 *number)
{
	const char *text = getenv(name);
	char *end;

	if (!text)
		return;
	*number = strtoull(text, &end, 0);
	if (!*text || *end || !*number) {
		fprintf(stderr, "%s: not a number above 0: \"%s\"\n", name, text);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	unsigned long number = 0, count = 0, failed = 0;
	bool only_count = false;
	const char *filter;
	unsigned int i, j;
	int option;

	while ((option = getopt(argc, argv, "cn:")) != -1) {
		if (option == 'c') {
			only_count = true;
		} else if (option == 'n') {
			number = strtoul(optarg, NULL, 0);
		} else {
			fprintf(stderr, "usage: %s [-c | -n FIRST] [SUITE | PART OF A NAME]\n",
				argv[0]);
			return 2;
		}
	}
	filter = optind < argc ? argv[optind] : "";
	number_from_env("VIOMMU_SEED", &seed);
	number_from_env("VIOMMU_ROUNDS", &rounds);

	for (i = 0; i < ARRAY_SIZE(suites); i++)
		for (j = 0; j < suites[i]->nr; j++)
			count += test_wanted(suites[i], &suites[i]->cases[j], filter);
	if (only_count) {
		printf("%lu\n", count);
		return 0;
	}
	/* With -n, whoever runs this has printed the plan. */
	if (!number) {
		printf("TAP version 13\n1..%lu\n", count);
		number = 1;
	}

	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		for (j = 0; j < suites[i]->nr; j++) {
			const struct test_case *test = &suites[i]->cases[j];
			bool ok;

			if (!test_wanted(suites[i], test, filter))
				continue;
			ok = test_passes(test);
			failed += !ok;
			printf("%s %lu " TEST_ORDER " %s: %s\n", ok ? "ok" : "not ok", number++,
			       suites[i]->name, test->name);
		}
	}
	if (failed)
		printf("# %lu of %lu failed, " TEST_ORDER " byte order, VIOMMU_SEED=%llu\n",
		       failed, count, seed);
	return failed || !count ? 1 : 0;
}
