/* SPDX-License-Identifier: GPL-2.0 */
/*
 * viommu: what its files share. See viommu.1 for what the command does.
 *
 * A subcommand is a file with one function, which gets its arguments parsed by
 * options_parse(), reads the system and prints, as text or as JSON.
 */
#ifndef _VIOMMU_TOOL_H
#define _VIOMMU_TOOL_H

#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <json-c/json.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* How the command ends: see EXIT STATUS in viommu.1. */
enum exit_status {
	EXIT_OK,
	EXIT_FAILED,		/* it could not be done; doctor: something is wrong */
	EXIT_USAGE,
	EXIT_NO_IOMMU,		/* there is no virtio-iommu */
	EXIT_NO_PERMISSION,	/* this needs root */
	EXIT_NOT_SHOWN,		/* the driver in use, or this kernel, does not show it */
};

/**
 * struct command - a subcommand
 * @name: its name
 * @arguments: what --help says follows its name, "" for nothing
 * @summary: one line
 * @help: further lines for --help, each ended; options of its own among them
 * @run: gets argv[0] as @name; returns an exit_status
 */
struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *help;
	int (*run)(int argc, char **argv);
};

extern const struct command command_list, command_doctor, command_graph;
extern const struct command command_stats, command_top, command_faults, command_map;
extern const struct command command_trace;

/* What every subcommand takes. */
struct options {
	bool json;
	bool colour;
	const char *root;	/* where the system that is looked at lies, "" for this one */
};

extern struct options options;

/*
 * Parse the options that every subcommand takes, and those in @own, ended by {} and
 * NULL where there are none, whose val @handle gets with its argument. Ends the
 * program where they are wrong, or where help was asked for. Return: the index of the
 * first argument that is no option.
 */
int options_parse(int argc, char **argv, const struct command *command,
		  const struct option *own, void (*handle)(int val, const char *arg));

/* Messages go to stderr and begin with "viommu: ". */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, and the end of the program. */
void fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

/*
 * Run a program, found by PATH, to its end. Return: what it wrote to stdout, to be freed,
 * and in *@status its exit status; NULL where there is no such program.
 */
char *program_run(const char *const argv[], int *status);

/* Memory does not run out: the program ends. To be freed by the caller. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *allocate(size_t size);	/* zeroed */
void *resize(void *memory, size_t size);

/*
 * Files of the system that is looked at: "/sys/..." below options.root. The others take
 * a path as it is, from file_path().
 */
char *file_path(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* All of it, NUL-terminated, or NULL with errno. *@size, if not NULL, is without the NUL. */
void *file_read(const char *path, size_t *size);
/* Its first line without the newline, or NULL with errno. */
char *file_line(const char *path);
bool file_number(const char *path, uint64_t *number);
bool file_exists(const char *path);
/* What a link's target ends in, or NULL. */
char *link_name(const char *path);
/*
 * Names in a folder without "." and "..", sorted as versions are; NULL-terminated. None
 * where there is no such folder.
 */
char **folder_names(const char *path);
void names_free(char **names);

/* Colours are escape sequences on a terminal and "" elsewhere. */
enum colour { PLAIN, BOLD, RED, GREEN, YELLOW, DIM };
const char *colour(enum colour colour);

/*
 * A table on stdout, its columns as wide as need be. Cells are copied. A colour is
 * that of the whole cell.
 */
struct table;
struct table *table_new(const char *const *headings, unsigned int nr);
void table_cell(struct table *table, enum colour colour, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void table_print(struct table *table);	/* and free it */

/* Replace what a terminal would obey. Cells of a table are printable anyway. */
void make_printable(char *text);

/* Print @json on stdout, indented, with a newline, and free it. */
void json_print(struct json_object *json);

/* A string, or null; a number as "0x1f", since not all readers of JSON have 64 bits. */
struct json_object *json_text(const char *text);
struct json_object *json_hex(uint64_t number);

/* 1536 is "1.5 KiB". Static memory, four at a time. */
const char *bytes_text(uint64_t bytes);

/**
 * struct iommu - a virtio-iommu
 * @name: its virtio device, "virtio0"
 * @parent: what that hangs on, "0000:00:01.0"
 * @driver: "virtio_iommu", or NULL where none is bound
 * @ours: the driver is viommu's, so that there is a folder of counters
 * @counters: that folder: /sys/class/iommu/NAME/virtio-iommu
 * @debugfs: /sys/kernel/debug/virtio-iommu/NAME, which may not be readable
 *
 * Both paths have options.root in front.
 */
struct iommu {
	char *name;
	char *parent;
	char *driver;
	bool ours;
	char *counters;
	char *debugfs;
};

/* What hangs on it says so by @name; with the stock driver by @parent. */
bool iommu_is_called(const struct iommu *iommu, const char *name);
/* All virtio-iommus, ended by one without a name. */
struct iommu *iommus_read(void);
/* The same; where there is none, or none has our driver, the program ends and says so. */
struct iommu *iommus_need(void);
struct iommu *iommus_need_ours(void);
/* A file of debugfs, whole; ends the program with a reason where it cannot be read. */
char *debugfs_read(const struct iommu *iommu, const char *file);

#endif /* _VIOMMU_TOOL_H */
