// SPDX-License-Identifier: GPL-2.0
/*
 * What PCI devices are called, by libpci and its pci.ids.
 *
 * Nothing but the list is used of libpci. Its pci_init() would look for this system's
 * devices and may end the program, so what it sets up is set up here. A list that is
 * broken is an error for libpci, which must not return from that: the names are left out.
 */
#include <setjmp.h>
#include <stdlib.h>

#include <pci/pci.h>

#include "system.h"

static jmp_buf list_is_bad;

static void __attribute__((noreturn, format(printf, 1, 2))) handle_error(char *format, ...)
{
	(void)format;
	longjmp(list_is_bad, 1);
}

static void __attribute__((format(printf, 1, 2))) ignore(char *format, ...)
{
	(void)format;
}

static struct pci_access *access_new(void)
{
	struct pci_access *access = pci_alloc();
	char *list = file_path("/usr/share/misc/pci.ids");

	access->error = handle_error;
	access->warning = ignore;
	access->debug = ignore;
	/* The list of the system that is looked at, if it has one */
	if (*options.root && file_exists(list))
		pci_set_name_list_path(access, list, 1);
	else
		free(list);
	return access;
}

char *pci_label(uint16_t vendor, uint16_t device)
{
	static struct pci_access *access;
	static bool bad;
	char name[256];

	if (!access)
		access = access_new();
	/* From the list alone: no questions to servers, nor to this system's database. */
	if (setjmp(list_is_bad))
		bad = true;
	if (bad || !pci_lookup_name(access, name, sizeof(name),
				    PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_NUMBERS |
				    PCI_LOOKUP_NO_HWDB, vendor, device))
		return text("%04x:%04x", vendor, device);
	return text("%s", name);
}
