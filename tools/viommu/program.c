// SPDX-License-Identifier: GPL-2.0
/*
 * Other programs, for what they know better: what is in an initramfs, or in a module.
 *
 * No shell is in between, so that a file's name is never more than that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "viommu.h"

#define OUTPUT_MAX	67108864

static void __attribute__((noreturn)) run_child(const char *const argv[], int out)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDIN_FILENO);
	dup2(null, STDERR_FILENO);
	dup2(out, STDOUT_FILENO);
	/* It takes them as they are, in spite of its type. */
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static char *read_output(int fd)
{
	size_t used = 0, room = 4096;
	char *output = allocate(room);
	ssize_t got;

	while ((got = read(fd, output + used, room - used - 1)) > 0 ||
	       (got < 0 && errno == EINTR)) {
		used += got > 0 ? got : 0;
		/* Whoever writes more is left to a broken pipe. */
		if (used < room - 1)
			continue;
		if (room >= OUTPUT_MAX)
			break;
		room *= 2;
		output = resize(output, room);
	}
	output[used] = '\0';
	return output;
}

char *program_run(const char *const argv[], int *status)
{
	int ends[2], how;
	char *output;
	pid_t pid;

	fflush(stdout);
	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	pid = fork();
	if (!pid)
		run_child(argv, ends[1]);
	close(ends[1]);
	output = pid > 0 ? read_output(ends[0]) : NULL;
	close(ends[0]);
	if (pid < 0)
		return NULL;
	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		;
	*status = WIFEXITED(how) ? WEXITSTATUS(how) : EXIT_FAILED;
	if (*status == 127) {
		free(output);
		return NULL;
	}
	return output;
}
