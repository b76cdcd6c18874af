/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: the driver's files in debugfs, cut into words. */
#ifndef _VIOMMU_RECORDS_H
#define _VIOMMU_RECORDS_H

#include "viommu.h"

/*
 * A file of debugfs that may be missing: NULL with errno. Who cannot do without it takes
 * debugfs_read(). To be freed by the caller.
 */
char *records_read(const struct iommu *iommu, const char *file);

/*
 * Where the first record of a file is: what comes after its heading. Whatever is no
 * printable ASCII is replaced, in all of the file.
 */
char *records_begin(char *file);

/*
 * Cut the next record, which has @nr words at least, into its words. Lines that have
 * less are passed over. Return: what follows the last word, "" for nothing; NULL when
 * there is no further record.
 */
char *record_next(char **position, char *words[], unsigned int nr);

/* The whole word is a number, as strtoull() reads it, and not negative. */
bool word_number(const char *word, uint64_t *number);
bool word_number32(const char *word, uint32_t *number);

#endif /* _VIOMMU_RECORDS_H */
