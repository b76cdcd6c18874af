// SPDX-License-Identifier: GPL-2.0
/*
 * The options that every subcommand takes, and its --help.
 *
 * A subcommand hands in its own as for getopt_long(). One whose val is a letter can
 * be given by that letter as well.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "viommu.h"

struct options options = { .root = "" };

/* Beyond letters, and beyond what commands choose for options of their own. */
enum { OPTION_ROOT = 0x10000, OPTION_COLOUR, OPTION_JSON };

static const struct option common[] = {
	{ "colour", required_argument, NULL, OPTION_COLOUR },
	{ "color", required_argument, NULL, OPTION_COLOUR },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "root", required_argument, NULL, OPTION_ROOT },
};

static void print_help(const struct command *command)
{
	printf("Usage: viommu %s%s%s%s\n%s.\n", command->name, " [OPTION...]",
	       *command->arguments ? " " : "", command->arguments, command->summary);
	if (*command->help)
		printf("\n%s", command->help);
	printf("\n"
	       "  --colour WHEN  auto (on a terminal), always or never\n"
	       "  --help         this text\n"
	       "  --json         JSON instead of text\n"
	       "  --root FOLDER  look at the system whose /sys, /proc, ... are below FOLDER\n");
}

static bool colour_wanted(const char *when)
{
	const char *term = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");

	if (!strcmp(when, "always"))
		return true;
	if (!strcmp(when, "never"))
		return false;
	if (strcmp(when, "auto"))
		fail(EXIT_USAGE, "--colour: auto, always or never, not %s", when);
	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") &&
	       !(no_colour && *no_colour);
}

static unsigned int options_count(const struct option *own)
{
	unsigned int nr = 0;

	while (own && own[nr].name)
		nr++;
	return nr;
}

/* ":" first: getopt() leaves the messages to us; "+": options end at the first argument. */
static char *short_options(const struct command *command, const struct option *own,
			   unsigned int nr)
{
	/* What follows another program's name is for that one. */
	char *letters = text("%s:h", strstr(command->arguments, "ARGUMENT") ? "+" : "");
	unsigned int i;
	char *longer;

	for (i = 0; i < nr; i++) {
		if (own[i].val > 0x7f || !isalnum(own[i].val))
			continue;
		longer = text("%s%c%s", letters, own[i].val,
			      own[i].has_arg == required_argument ? ":" : "");
		free(letters);
		letters = longer;
	}
	return letters;
}

static void option_common(int val, const struct command *command)
{
	switch (val) {
	case OPTION_COLOUR:
		options.colour = colour_wanted(optarg);
		break;
	case OPTION_JSON:
		options.json = true;
		break;
	case OPTION_ROOT:
		/* "/" is no other system: an empty root says so. */
		options.root = strcmp(optarg, "/") ? optarg : "";
		break;
	case 'h':
		print_help(command);
		exit(fflush(stdout) ? EXIT_FAILED : EXIT_OK);
	}
}

int options_parse(int argc, char **argv, const struct command *command,
		  const struct option *own, void (*handle)(int val, const char *arg))
{
	unsigned int nr = options_count(own);
	struct option *all = allocate((nr + ARRAY_SIZE(common) + 1) * sizeof(*all));
	char *letters = short_options(command, own, nr);
	unsigned int i;
	int val;

	if (nr)
		memcpy(all, own, nr * sizeof(*all));
	memcpy(all + nr, common, sizeof(common));
	options.colour = colour_wanted("auto");

	while ((val = getopt_long(argc, argv, letters, all, NULL)) != -1) {
		if (val == ':' || val == '?')
			fail(EXIT_USAGE, "%s: %s %s: see viommu %s --help", command->name,
			     argv[optind - 1],
			     val == ':' ? "takes a value" : "is no option of it",
			     command->name);
		for (i = 0; i < nr && own[i].val != val; i++)
			;
		if (i < nr)
			handle(val, optarg);
		else
			option_common(val, command);
	}
	free(letters);
	free(all);
	return optind;
}
