// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's endpoints and their domains, and which of them a person means.
 *
 * All comes from one file of debugfs, a line for each endpoint ID. Several devices may
 * have one ID and a device several IDs; all of a device's are in one domain. So a name
 * stands for the lines that match it, and these for their domain.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "endpoints.h"
#include "records.h"

enum { ENDPOINT, DOMAIN, KIND, FAULTS, WORDS };

static bool attachment_parse(char *words[], const char *devices, struct attachment *attachment)
{
	*attachment = (struct attachment) { };
	attachment->attached = strcmp(words[DOMAIN], "-");
	if (!word_number32(words[ENDPOINT], &attachment->endpoint) ||
	    !word_number(words[FAULTS], &attachment->faults) ||
	    (attachment->attached && !word_number32(words[DOMAIN], &attachment->domain)))
		return false;
	attachment->kind = text("%s", words[KIND]);
	attachment->devices = text("%s", devices);
	return true;
}

struct attachment *attachments_parse(char *file, size_t *nr)
{
	struct attachment *attachments = NULL;
	char *words[WORDS], *devices;

	file = records_begin(file);
	*nr = 0;
	while ((devices = record_next(&file, words, WORDS))) {
		attachments = resize(attachments, (*nr + 1) * sizeof(*attachments));
		if (attachment_parse(words, devices, &attachments[*nr]))
			++*nr;
	}
	return attachments;
}

void attachments_free(struct attachment *attachments, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		free(attachments[i].kind);
		free(attachments[i].devices);
	}
	free(attachments);
}

/* A device's name as it is, or a PCI address without its domain, which is 0000 then. */
static bool device_matches(const char *device, size_t length, const char *name)
{
	if (length == strlen(name) && !strncasecmp(device, name, length))
		return true;
	return length == strlen(name) + 5 && !strncmp(device, "0000:", 5) &&
	       !strncasecmp(device + 5, name, length - 5);
}

static bool devices_match(const char *devices, const char *name)
{
	size_t length;

	for (; *devices; devices += length) {
		devices += strspn(devices, " ");
		length = strcspn(devices, " ");
		if (length && device_matches(devices, length, name))
			return true;
	}
	return false;
}

static bool attachment_matches(const struct attachment *attachment, const char *name)
{
	uint32_t number;

	if (!strncmp(name, "domain:", strlen("domain:")))
		return attachment->attached && word_number32(name + strlen("domain:"), &number) &&
		       attachment->domain == number;
	if (!strncasecmp(name, "0x", 2) && word_number32(name, &number))
		return attachment->endpoint == number;
	return devices_match(attachment->devices, name);
}

/* Only those of @attachments that match stay. Return: how many. */
static size_t attachments_select(struct attachment *attachments, size_t nr, const char *name)
{
	size_t i, found = 0;

	for (i = 0; i < nr; i++) {
		if (attachment_matches(&attachments[i], name)) {
			attachments[found++] = attachments[i];
		} else {
			free(attachments[i].kind);
			free(attachments[i].devices);
		}
	}
	return found;
}

/* "virtio1/0x8" is "0x8" of virtio1. Return: NULL if @name is another's. */
static const char *name_below(const struct iommu *iommu, const char *name)
{
	const char *slash = strchr(name, '/');

	if (!slash)
		return name;
	if (strlen(iommu->name) != (size_t)(slash - name) ||
	    strncmp(name, iommu->name, slash - name))
		return NULL;
	return slash + 1;
}

void target_find(const struct iommu *iommus, const char *name, struct target *target)
{
	const struct iommu *iommu;

	*target = (struct target) { };
	for (iommu = iommus; iommu->name; iommu++) {
		const char *below = iommu->ours ? name_below(iommu, name) : NULL;
		struct attachment *attachments;
		char *file;
		size_t nr;

		if (!below)
			continue;
		file = debugfs_read(iommu, "endpoints");
		attachments = attachments_parse(file, &nr);
		free(file);
		nr = attachments_select(attachments, nr, below);
		if (!nr) {
			free(attachments);
			continue;
		}
		if (target->nr)
			fail(EXIT_USAGE, "%s is in %s and in %s: say %s/%s", name,
			     target->iommu->name, iommu->name, iommu->name, name);
		*target = (struct target) {
			.iommu = iommu,
			.attachments = attachments,
			.nr = nr,
			.has_domain = attachments[0].attached,
			.domain = attachments[0].domain,
			.kind = attachments[0].kind,
		};
	}
	if (!target->nr)
		fail(EXIT_FAILED, "%s: no such device, endpoint or domain of this driver", name);
}
