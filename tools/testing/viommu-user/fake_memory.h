/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine's memory, by physical address. What is not allocated may not be touched:
 * AddressSanitizer sees to that, by eight bytes. What is allocated is not zero.
 */
#ifndef _FAKE_MEMORY_H
#define _FAKE_MEMORY_H

#include <linux/mm.h>

#include "harness.h"

#define MEMORY_START	0x40000000ULL
#define MEMORY_SIZE	(64ULL << 20)
/* What alloc_pages_node() has is above this; a test has what is below. */
#define MEMORY_PAGES	(MEMORY_START + (16ULL << 20))

/* Pages of alloc_pages_node() that are not free. */
extern unsigned int memory_pages;
/* Logarithm of how many there are at most in one piece. */
extern unsigned int memory_max_order;
/* What the last ones were asked for with. */
extern gfp_t memory_gfp;
/* Called with pages before they are free. */
extern void (*memory_on_free)(phys_addr_t phys, size_t size);

/* The test's own memory, at any place: from here on it may be touched. */
u8 *memory_use(phys_addr_t phys, size_t size);
/* And not any more. */
void memory_drop(phys_addr_t phys, size_t size);

/* A byte, no matter whether it may be touched: as the device sees it. */
u8 memory_read(phys_addr_t phys);
void memory_write(phys_addr_t phys, u8 byte);

#endif /* _FAKE_MEMORY_H */
