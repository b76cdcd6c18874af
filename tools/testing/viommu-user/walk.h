/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walks over tables by a reader of the driver, each compared with a second
 * reader that is slow, obvious and the tests' own.
 */
#ifndef _WALK_H
#define _WALK_H

#include "pure.h"
#include "tables.h"

/* What a walk says, from its first step to its last. */
struct step {
	int ret;
	size_t at;
	struct viommu_range range;
};

struct walk {
	int begin;
	unsigned int nr;
	struct step steps[TABLE_MAX / 4 + 2];
};

/**
 * struct reader - of one kind of table
 * @kind: which
 * @begin: the driver's
 * @next: the driver's
 * @reference: fills a walk's steps from the nodes: @all is the table, and zero
 *	behind @size; @at is the first node's offset, @count the number of them
 * @rich: writes a good table
 */
struct reader {
	const struct table_kind *kind;
	int (*begin)(struct viommu_table_cursor *cursor, const void *table, size_t size);
	int (*next)(struct viommu_table_cursor *cursor, struct viommu_range *range);
	void (*reference)(const u8 *all, size_t size, size_t at, u32 count, struct walk *walk);
	void (*rich)(struct table *table);
};

extern const struct reader viot_reader, iort_reader;

/* The walk that was made last. */
extern struct walk walk;

/* Appends a step to a reference's walk. */
struct step *walk_step(struct walk *walk, size_t at, int ret);
/* What the two references have in common: whether the list goes on at @at. */
bool walk_node(const struct table_kind *kind, const u8 *all, size_t size, size_t at);

/* Walk, and compare with the reference. */
void walk_bytes(const struct reader *reader, const u8 *bytes, size_t size);
void walk_table(const struct reader *reader, const struct table *table);
void expect_range(const struct viommu_range *got, const struct viommu_range *want);
/* The steps' results, in order; @nr of them. */
void expect_steps(const int *rets, unsigned int nr);

#define EXPECT_STEPS(...)						\
	expect_steps((const int[]) { __VA_ARGS__ },			\
		     ARRAY_SIZE(((const int[]) { __VA_ARGS__ })))

#endif /* _WALK_H */
