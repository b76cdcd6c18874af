// SPDX-License-Identifier: GPL-2.0
/*
 * Usage: fail-nth [-a] FILE LINE [UNDO-FILE UNDO-LINE]... -- STATE...
 *
 * Write LINE to FILE with the first allocation of memory in the kernel failing, then with
 * the second one, and so on, until none failed. Where the write succeeds nevertheless, or
 * always with -a, each UNDO-LINE is written to its UNDO-FILE, which must succeed.
 * Each time all must be as it was before: what the files STATE contain, and the names in
 * those that are folders. Prints how often an allocation failed, and how many writes did.
 *
 * The last time is not undone.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_SIZE	65536
#define MOST		20000	/* allocations */

struct state {
	size_t size;
	char text[STATE_SIZE];
};

static void die(const char *what, const char *name)
{
	printf("%s: %s: %s\n", name, what, strerror(errno));
	exit(1);
}

static void state_add(struct state *state, const char *text)
{
	size_t size = strlen(text);

	if (state->size + size >= STATE_SIZE) {
		errno = ENOSPC;
		die("state", text);
	}
	memcpy(state->text + state->size, text, size + 1);
	state->size += size;
}

static void state_add_folder(struct state *state, const char *name)
{
	struct dirent **entries;
	int i, nr;

	nr = scandir(name, &entries, NULL, alphasort);
	if (nr < 0)
		die("read", name);
	for (i = 0; i < nr; i++) {
		state_add(state, entries[i]->d_name);
		state_add(state, " ");
		free(entries[i]);
	}
	free(entries);
}

static void state_add_file(struct state *state, const char *name)
{
	char text[4096];
	ssize_t size;
	int fd;

	fd = open(name, O_RDONLY);
	if (fd < 0)
		die("open", name);
	while ((size = read(fd, text, sizeof(text) - 1)) > 0) {
		text[size] = 0;
		state_add(state, text);
	}
	if (size < 0 && errno != EISDIR)
		die("read", name);
	close(fd);
	if (size < 0)
		state_add_folder(state, name);
}

static void state_get(struct state *state, char **names)
{
	state->size = 0;
	state->text[0] = 0;
	for (; *names; names++) {
		state_add(state, *names);
		state_add(state, ": ");
		state_add_file(state, *names);
		state_add(state, "\n");
	}
}

/* Returns 0 or an errno. */
static int line_write(const char *name, const char *line)
{
	ssize_t size;
	int fd, error;

	fd = open(name, O_WRONLY);
	if (fd < 0)
		die("open", name);
	size = write(fd, line, strlen(line));
	error = size < 0 ? errno : 0;
	close(fd);
	return error;
}

/* Returns whether an allocation failed; what came of the write is in @error. */
static int line_write_failing(int nth_fd, unsigned int n, const char *name, const char *line,
			      int *error)
{
	char text[16] = "";
	int fd;

	fd = open(name, O_WRONLY);
	if (fd < 0)
		die("open", name);
	snprintf(text, sizeof(text), "%u", n);
	if (pwrite(nth_fd, text, strlen(text), 0) < 0)
		die("write", "fail-nth");
	*error = write(fd, line, strlen(line)) < 0 ? errno : 0;
	if (pread(nth_fd, text, sizeof(text) - 1, 0) < 0)
		die("read", "fail-nth");
	if (pwrite(nth_fd, "0", 1, 0) < 0)
		die("write", "fail-nth");
	close(fd);
	return atoi(text) == 0;
}

/* Pairs of a file and a line, up to "--". Returns 0 or an errno. */
static int undo(char **pairs)
{
	int error = 0;

	for (; strcmp(pairs[0], "--") && !error; pairs += 2)
		error = line_write(pairs[0], pairs[1]);
	return error;
}

int main(int argc, char **argv)
{
	int nth_fd, error, again, always = argc > 1 && !strcmp(argv[1], "-a");
	static struct state before, after;
	unsigned int n, refused = 0;
	char **names;

	argv += always;
	names = argv + (argc - always > 3 ? 3 : 0);
	while (*names && strcmp(*names, "--"))
		names++;
	if (!*names || (names - argv) % 2 == 0) {
		fprintf(stderr,
			"usage: fail-nth [-a] FILE LINE [UNDO-FILE UNDO-LINE]... -- STATE...\n");
		return 2;
	}
	names++;
	nth_fd = open("/proc/self/fail-nth", O_RDWR);
	if (nth_fd < 0)
		die("open", "fail-nth");
	state_get(&before, names);
	for (n = 1; line_write_failing(nth_fd, n, argv[1], argv[2], &error); n++) {
		refused += error != 0;
		if (n == MOST) {
			printf("allocation %u: no end\n", n);
			return 1;
		}
		again = always || !error ? undo(argv + 3) : 0;
		state_get(&after, names);
		if (again || strcmp(before.text, after.text)) {
			printf("allocation %u: %s; undone: %s; before:\n%s\nafter:\n%s\n", n,
			       strerror(error), strerror(again), before.text, after.text);
			return 1;
		}
	}
	if (error) {
		printf("without a failure: %s\n", strerror(error));
		return 1;
	}
	printf("%u %u\n", n - 1, refused);
	return 0;
}
