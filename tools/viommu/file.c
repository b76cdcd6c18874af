// SPDX-License-Identifier: GPL-2.0
/*
 * Files and folders of the system that is looked at.
 *
 * Most are of sysfs, procfs and debugfs: their sizes are not known before they are
 * read, they come and go with devices, and some cannot be read without root. So a
 * file is read to its end, and what is not there is an errno and no message.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viommu.h"

/* More than any list of mappings has; a file without an end must not take all memory. */
#define FILE_MAX_SIZE	(256UL << 20)

char *file_path(const char *format, ...)
{
	va_list arguments;
	char *below, *path;

	va_start(arguments, format);
	if (vasprintf(&below, format, arguments) < 0)
		fail(EXIT_FAILED, "no memory");
	va_end(arguments);
	path = text("%s%s", options.root, below);
	free(below);
	return path;
}

static char *read_all(int fd, size_t *size)
{
	size_t used = 0, room = 4096;
	char *data = allocate(room);
	ssize_t got;

	for (;;) {
		got = read(fd, data + used, room - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += got;
		if (used < room - 1)
			continue;
		if (room >= FILE_MAX_SIZE) {
			errno = EFBIG;
			got = -1;
			break;
		}
		room *= 2;
		data = resize(data, room);
	}
	if (got < 0) {
		free(data);
		return NULL;
	}
	data[used] = '\0';
	*size = used;
	return data;
}

void *file_read(const char *path, size_t *size)
{
	/* Without O_NONBLOCK a FIFO in its place would be waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t used = 0;
	char *data;
	int error;

	if (fd < 0)
		return NULL;
	data = read_all(fd, &used);
	error = errno;
	close(fd);
	errno = error;
	if (size)
		*size = used;
	return data;
}

char *file_line(const char *path)
{
	char *line = file_read(path, NULL);

	if (line)
		line[strcspn(line, "\n")] = '\0';
	return line;
}

bool file_number(const char *path, uint64_t *number)
{
	char *line = file_line(path);
	char *end;
	bool good = false;

	if (!line)
		return false;
	errno = 0;
	if (*line >= '0' && *line <= '9') {
		*number = strtoull(line, &end, 0);
		good = !errno && !*end;
	}
	free(line);
	return good;
}

bool file_exists(const char *path)
{
	return !access(path, F_OK);
}

char *link_name(const char *path)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	char *slash;

	if (length <= 0)
		return NULL;
	target[length] = '\0';
	slash = strrchr(target, '/');
	return text("%s", slash ? slash + 1 : target);
}

/* Names in a folder are of one kind, and a longer number, decimal or not, is larger. */
static int name_compare(const void *a, const void *b)
{
	const char *left = *(char *const *)a, *right = *(char *const *)b;
	size_t left_length = strlen(left), right_length = strlen(right);

	if (left_length != right_length)
		return left_length < right_length ? -1 : 1;
	return strcmp(left, right);
}

char **folder_names(const char *path)
{
	char **names = allocate(sizeof(*names));
	DIR *folder = opendir(path);
	struct dirent *entry;
	size_t nr = 0;

	if (!folder)
		return names;
	while ((entry = readdir(folder))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		/* Powers of two, so that a large folder is not copied for each name. */
		if (!(nr & (nr + 1)))
			names = resize(names, 2 * (nr + 1) * sizeof(*names));
		names[nr++] = text("%s", entry->d_name);
	}
	closedir(folder);
	names[nr] = NULL;
	qsort(names, nr, sizeof(*names), name_compare);
	return names;
}

void names_free(char **names)
{
	size_t i;

	for (i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}
