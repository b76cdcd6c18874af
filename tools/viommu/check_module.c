// SPDX-License-Identifier: GPL-2.0
/*
 * The driver as a module: which file this kernel would load, and what of it is in place.
 *
 * Ours and the stock one have the same name; depmod has decided between them, and its
 * list says how. A copy of that file is in the initramfs, or should be, and another one,
 * maybe older, is running.
 */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

/* "updates/dkms/virtio-iommu.ko.xz" */
static bool is_module_file(const char *file)
{
	const char *name = strrchr(file, '/');

	name = name ? name + 1 : file;
	return (!strncmp(name, "virtio-iommu.ko", 15) || !strncmp(name, "virtio_iommu.ko", 15)) &&
	       (!name[15] || name[15] == '.');
}

/* The module's line in a list of modules, up to a colon. */
static char *find_in_list(const char *release, const char *list)
{
	char *path = file_path("/lib/modules/%s/%s", release, list);
	char *lines = file_read(path, NULL);
	char *rest = lines, *line, *found = NULL;

	while (!found && (line = strsep(&rest, "\n"))) {
		line[strcspn(line, ":")] = '\0';
		if (is_module_file(line))
			found = text("%s", line);
	}
	free(lines);
	free(path);
	return found;
}

void module_find(struct module *module)
{
	char *release_path = file_path("/proc/sys/kernel/osrelease");
	char *loaded_path = file_path("/sys/module/virtio_iommu");
	char *driver_path = file_path("/sys/bus/virtio/drivers/virtio_iommu");
	char *builtin = NULL;

	*module = (struct module) { .release = file_line(release_path) };
	if (module->release && !strchr(module->release, '/')) {
		builtin = find_in_list(module->release, "modules.builtin");
		module->file = find_in_list(module->release, "modules.dep");
	}
	if (module->file && *module->file == '/')
		module->path = file_path("%s", module->file);
	else if (module->file)
		module->path = file_path("/lib/modules/%s/%s", module->release, module->file);
	module->builtin = builtin;
	module->loaded = builtin || file_exists(loaded_path) || file_exists(driver_path);
	free(builtin);
	free(driver_path);
	free(loaded_path);
	free(release_path);
}

void module_release(struct module *module)
{
	free(module->release);
	free(module->file);
	free(module->path);
}

bool module_is_added(const struct module *module)
{
	return module->file && strncmp(module->file, "kernel/", strlen("kernel/"));
}

/* A field of the module's file, without the newline, or NULL. */
static char *module_field(const struct module *module, const char *field)
{
	const char *arguments[5] = { "modinfo", "-F", field, module->path };
	int status;
	char *output = program_run(arguments, &status);

	if (output && status) {
		free(output);
		return NULL;
	}
	if (output)
		output[strcspn(output, "\n")] = '\0';
	return output;
}

static void check_file(struct findings *findings, const struct module *module)
{
	struct finding *finding;

	if (module->builtin && !module_is_added(module)) {
		finding_add(findings, SEVERITY_OK, "module-builtin",
			    "the driver is a part of kernel %s", module->release);
	} else if (module->file) {
		finding_add(findings, SEVERITY_OK, "module-file", "module: %s (%s)", module->path,
			    !module_is_added(module) ? "the kernel's own" :
			    strstr(module->file, "dkms/") ? "by DKMS" : "added to the kernel");
	} else {
		/* One that is at work may have come from an initramfs only. */
		finding = finding_add(findings, module->loaded ? SEVERITY_WARN : SEVERITY_BAD,
				      "no-module", "kernel %s has no module virtio-iommu on disk",
				      module->release);
		finding_advise(finding,
			       "install the headers of this kernel and virtio-iommu-dkms, then look at: dkms status");
	}
}

/* What runs may have been loaded from an older file. */
static void check_loaded(struct findings *findings, const struct module *module)
{
	char *path = file_path("/sys/module/virtio_iommu/srcversion");
	char *loaded = file_line(path);
	char *on_disk = loaded && module->file ? module_field(module, "srcversion") : NULL;
	struct finding *finding;

	if (on_disk && *on_disk && strcmp(loaded, on_disk)) {
		finding = finding_add(findings, SEVERITY_WARN, "module-differs",
				      "the module that runs is not the one on disk: %s, not %s",
				      loaded, on_disk);
		finding_advise(finding, "update-initramfs -u -k %s, and reboot", module->release);
	}
	free(on_disk);
	free(loaded);
	free(path);
}

/* "none [integrity] confidentiality" */
static void check_signature(struct findings *findings, const struct module *module)
{
	char *path = file_path("/sys/kernel/security/lockdown");
	char *lockdown = file_line(path);
	char *enforced_path = file_path("/sys/module/module/parameters/sig_enforce");
	char *enforced = file_line(enforced_path);
	struct finding *finding;
	char *signer;

	if (module->file && ((lockdown && !strstr(lockdown, "[none]")) ||
			     (enforced && !strcmp(enforced, "Y")))) {
		signer = module_field(module, "signer");
		if (signer && *signer) {
			finding_add(findings, SEVERITY_OK, "module-signed",
				    "the kernel wants signed modules; this one is signed by %s",
				    signer);
		} else if (signer) {
			finding = finding_add(findings, SEVERITY_BAD, "module-unsigned",
					      "the kernel wants signed modules; this one is not");
			finding_advise(finding,
				       "have DKMS sign it, and enroll its key: mokutil --import /var/lib/dkms/mok.pub");
		}
		free(signer);
	}
	free(enforced);
	free(enforced_path);
	free(lockdown);
	free(path);
}

/* Which program lists an initramfs, and whether the module is in there: 1, 0 or -1. */
static int initramfs_has_module(const char *path)
{
	static const char *const listers[] = { "lsinitramfs", "lsinitrd" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(listers); i++) {
		const char *arguments[3] = { listers[i], path };
		int status = EXIT_FAILED, has;
		char *output = program_run(arguments, &status);

		has = output && (strstr(output, "virtio-iommu.ko") ||
				 strstr(output, "virtio_iommu.ko"));
		free(output);
		if (!status)
			return has;
	}
	return -1;
}

static void check_initramfs(struct findings *findings, const struct module *module)
{
	char *debian = file_path("/boot/initrd.img-%s", module->release);
	char *fedora = file_path("/boot/initramfs-%s.img", module->release);
	char *path = file_exists(debian) ? debian : fedora;
	struct finding *finding;
	int has;

	if (module->builtin || !module->file)
		goto out;
	if (!file_exists(path)) {
		finding_add(findings, SEVERITY_OK, "initramfs-none", "kernel %s has no initramfs",
			    module->release);
		goto out;
	}
	has = initramfs_has_module(path);
	if (has > 0) {
		finding_add(findings, SEVERITY_OK, "initramfs", "the module is in %s", path);
	} else if (!has) {
		finding = finding_add(findings, SEVERITY_WARN, "initramfs-missing",
				      "the module is not in %s: disks may come before it", path);
		finding_advise(finding,
			       "update-initramfs -u -k %s; by hand, with the hook that virtio-iommu-dkms has",
			       module->release);
	} else {
		finding = finding_add(findings, SEVERITY_WARN, "initramfs-unknown",
				      "%s could not be looked into", path);
		finding_advise(finding,
			       "as root, with lsinitramfs (initramfs-tools-core) or lsinitrd (dracut)");
	}
out:
	free(fedora);
	free(debian);
}

void check_module(struct findings *findings, const struct system *system)
{
	struct module module;

	module_find(&module);
	/* A guest without the device needs no module. */
	if (module.release && (module.file || iommu_is_present(system))) {
		check_file(findings, &module);
		check_loaded(findings, &module);
		check_signature(findings, &module);
		check_initramfs(findings, &module);
	}
	module_release(&module);
}
