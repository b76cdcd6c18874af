// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: what the kernel was told, and what it shows.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"

bool cmdline_has(const char *wanted)
{
	char *path = file_path("/proc/cmdline");
	char *line = file_line(path);
	char *rest = line, *word;
	bool has = false;

	while ((word = strsep(&rest, " ")))
		has |= !strcmp(word, wanted);
	free(line);
	free(path);
	return has;
}

static const struct {
	const char *word;
	enum severity severity;
	const char *means;
	const char *advice;
} words[] = {
	{ "iommu=off", SEVERITY_WARN, "the kernel is told to use no IOMMU",
	  "take it off the command line" },
	{ "iommu=pt", SEVERITY_WARN, "devices get identity domains, which do not protect",
	  "take it off the command line" },
	{ "iommu.passthrough=1", SEVERITY_WARN,
	  "devices get identity domains, which do not protect", "take it off the command line" },
	{ "iommu.strict=0", SEVERITY_OK, "unmaps take effect up to 10 ms later", NULL },
	{ "iommu.strict=1", SEVERITY_OK, "unmaps take effect at once", NULL },
	{ "modprobe.blacklist=virtio_iommu", SEVERITY_WARN, "the driver is not loaded by itself",
	  "take it off the command line" },
	{ "module_blacklist=virtio_iommu", SEVERITY_WARN, "the driver cannot be loaded",
	  "take it off the command line" },
};

static void check_cmdline(struct findings *findings)
{
	struct finding *finding;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (!cmdline_has(words[i].word))
			continue;
		finding = finding_add(findings, words[i].severity, "cmdline",
				      "command line: %s: %s", words[i].word, words[i].means);
		if (words[i].advice)
			finding_advise(finding, "%s", words[i].advice);
	}
}

/* Only with our driver there is anything of interest in it. */
static void check_debugfs(struct findings *findings, const struct system *system)
{
	struct finding *finding;
	char *folder;
	char **names;
	size_t i;

	for (i = 0; i < system->nr_iommus; i++) {
		if (!system->iommus[i].ours)
			continue;
		if (system->states[i].debugfs) {
			finding_add(findings, SEVERITY_OK, "debugfs", "%s: debugfs is readable",
				    system->iommus[i].name);
			continue;
		}
		folder = file_path("/sys/kernel/debug");
		names = folder_names(folder);
		finding = finding_add(findings, SEVERITY_WARN, "no-debugfs",
				      "%s: no debugfs: domains, faults by device and refused unmaps were not looked at",
				      system->iommus[i].name);
		if (access(folder, R_OK))
			finding_advise(finding, "run this as root");
		else if (!names[0])
			finding_advise(finding, "mount -t debugfs none /sys/kernel/debug");
		else
			finding_advise(finding,
				       "the driver is older than this command, or the kernel is locked down");
		names_free(names);
		free(folder);
	}
}

void check_kernel(struct findings *findings, const struct system *system)
{
	check_cmdline(findings);
	check_debugfs(findings, system);
}
