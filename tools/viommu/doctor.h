/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: what the checks of "doctor" share. */
#ifndef _VIOMMU_DOCTOR_H
#define _VIOMMU_DOCTOR_H

#include "system.h"

enum severity { SEVERITY_OK, SEVERITY_WARN, SEVERITY_BAD };

/**
 * struct finding - one line of doctor's
 * @id: short and stable, see viommu.1
 * @text: what is so
 * @advice: what to do about it, or NULL
 * @devices: which it is about; their names belong to struct system
 */
struct finding {
	enum severity severity;
	const char *id;
	char *text;
	char *advice;
	const char **devices;
	size_t nr_devices;
};

struct findings {
	struct finding *list;
	size_t nr;
};

/* The finding is valid until the next one comes. */
struct finding *finding_add(struct findings *findings, enum severity severity, const char *id,
			    const char *format, ...) __attribute__((format(printf, 4, 5)));
void finding_advise(struct finding *finding, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void finding_add_device(struct finding *finding, const char *device);

/* The checks, in the order of their lines. */
void check_presence(struct findings *findings, const struct system *system);
void check_module(struct findings *findings, const struct system *system);
void check_tables(struct findings *findings, const struct system *system);
void check_devices(struct findings *findings, const struct system *system);
void check_modes(struct findings *findings, const struct system *system);
void check_counters(struct findings *findings, const struct system *system);
void check_kernel(struct findings *findings, const struct system *system);

/* There is a virtio-iommu, as a virtio device or as a PCI function without a driver. */
bool iommu_is_present(const struct system *system);

/**
 * struct module - virtio-iommu as this kernel would load it
 * @release: of the kernel
 * @file: below /lib/modules/RELEASE, or NULL where there is none
 * @path: the same, in full
 * @builtin: it is a part of the kernel
 * @loaded: it is there, as a module or a part of the kernel
 */
struct module {
	char *release;
	char *file;
	char *path;
	bool builtin;
	bool loaded;
};

void module_find(struct module *module);
void module_release(struct module *module);
/* It is not the kernel's own. */
bool module_is_added(const struct module *module);

/* Whether the kernel's command line has @word. */
bool cmdline_has(const char *word);

#endif /* _VIOMMU_DOCTOR_H */
