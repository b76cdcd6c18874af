// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's files in debugfs: a heading, then one record a line, words separated by
 * single spaces. The last word of some is a list, so that what follows the words asked
 * for is handed out as it is.
 *
 * The files are for people and may change: a line that cannot be read is passed over,
 * and never a reason to fail. What a terminal might obey does not get that far.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"

char *records_read(const struct iommu *iommu, const char *file)
{
	char *path = text("%s/%s", iommu->debugfs, file);
	char *records = file_read(path, NULL);
	int error = errno;

	free(path);
	errno = error;
	return records;
}

char *records_begin(char *file)
{
	char *letter;

	for (letter = file; *letter; letter++) {
		if (*letter != '\n' && (*letter < ' ' || *letter > '~'))
			*letter = '?';
	}
	return file + strcspn(file, "\n");
}

/* Cut a line into @nr words, and what follows them; NULL where it has less. */
static char *line_cut(char *line, char *words[], unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		words[i] = line;
		line += strcspn(line, " ");
		if (line == words[i])
			return NULL;
		if (*line)
			*line++ = '\0';
	}
	return line;
}

char *record_next(char **position, char *words[], unsigned int nr)
{
	while (**position) {
		char *line = *position, *rest;
		size_t length = strcspn(line, "\n");

		*position += length + (line[length] == '\n');
		line[length] = '\0';
		rest = line_cut(line, words, nr);
		if (rest)
			return rest;
	}
	return NULL;
}

bool word_number(const char *word, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*word))
		return false;
	errno = 0;
	*number = strtoull(word, &end, 0);
	return !errno && !*end;
}

bool word_number32(const char *word, uint32_t *number)
{
	uint64_t wide;

	if (!word_number(word, &wide) || wide > UINT32_MAX)
		return false;
	*number = wide;
	return true;
}
