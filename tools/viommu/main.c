// SPDX-License-Identifier: GPL-2.0
/*
 * viommu: what there is to see of virtio-iommus in this guest.
 *
 * Here is the table of subcommands and nothing else: each parses its own options,
 * in a file of its name, and returns the exit status.
 */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "viommu.h"

static int run_help(int argc, char **argv);

static const struct command command_help = {
	.name = "help",
	.arguments = "[COMMAND]",
	.summary = "Say what a command does and takes",
	.help = "",
	.run = run_help,
};

static const struct command *const commands[] = {
	&command_list,
	&command_doctor,
	&command_graph,
	&command_map,
	&command_stats,
	&command_top,
	&command_faults,
	&command_trace,
	&command_help,
};

static const struct command *command_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

static const struct command *command_need(const char *name)
{
	const struct command *command = command_find(name);

	if (!command)
		fail(EXIT_USAGE, "there is no command %s: see viommu --help", name);
	return command;
}

static void print_usage(FILE *file)
{
	unsigned int i;

	fprintf(file, "Usage: viommu COMMAND [OPTION...] [ARGUMENT...]\n"
		"What there is to see of virtio-iommus and of the devices behind them.\n\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(file, "  %-8s  %s\n", commands[i]->name, commands[i]->summary);
	fprintf(file, "\nviommu COMMAND --help says more; viommu --version, which one this is.\n");
}

static int run_help(int argc, char **argv)
{
	int first = options_parse(argc, argv, &command_help, NULL, NULL);
	char *arguments[3] = { NULL, text("--help") };

	if (argc - first > 1)
		fail(EXIT_USAGE, "help takes one command");
	if (first == argc) {
		print_usage(stdout);
		return EXIT_OK;
	}
	arguments[0] = argv[first];
	return command_need(argv[first])->run(2, arguments);
}

int main(int argc, char **argv)
{
	int status;

	/* Not LC_NUMERIC: a number in JSON has a point. */
	setlocale(LC_CTYPE, "");

	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_usage(stdout);
		status = EXIT_OK;
	} else if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("viommu %s\n", VIOMMU_VERSION);
		status = EXIT_OK;
	} else if (argv[1][0] == '-') {
		fail(EXIT_USAGE, "a command comes before its options: see viommu --help");
	} else {
		status = command_need(argv[1])->run(argc - 1, argv + 1);
	}

	/* A full disk below a redirection must not look like success. */
	if (fflush(stdout) || ferror(stdout))
		fail(EXIT_FAILED, "cannot write: %s", strerror(errno));
	return status;
}
