// SPDX-License-Identifier: GPL-2.0
/*
 * Messages, and memory that does not run out: the program ends instead, so that no
 * caller has to think of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viommu.h"

static void say(const char *format, va_list arguments)
{
	/* What was printed before comes before it, where both go to one place. */
	fflush(stdout);
	fputs("viommu: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
}

void fail(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(format, arguments);
	va_end(arguments);
	exit(status);
}

char *text(const char *format, ...)
{
	va_list arguments;
	char *result;
	int length;

	va_start(arguments, format);
	length = vasprintf(&result, format, arguments);
	va_end(arguments);
	if (length < 0)
		fail(EXIT_FAILED, "no memory");
	return result;
}

void *allocate(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		fail(EXIT_FAILED, "no memory");
	return memory;
}

void *resize(void *memory, size_t size)
{
	memory = realloc(memory, size ? size : 1);
	if (!memory)
		fail(EXIT_FAILED, "no memory");
	return memory;
}
