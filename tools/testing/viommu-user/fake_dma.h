/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device with a domain of its own and a space in it, over the virtio-iommu of
 * fake_core.h: what the DMA operations find. It does DMA as the virtio-iommu translates
 * it. Time passes, and work is done, when a test says so.
 */
#ifndef _FAKE_DMA_H
#define _FAKE_DMA_H

#include <linux/pci.h>

#include "dma.h"
#include "fake_core.h"
#include "fake_memory.h"

#define PAGE	PAGE_SIZE

/* Module parameters. */
extern unsigned int * const param_bounce_size;
extern unsigned int * const param_bounce_mib;
extern unsigned int * const param_reuse_kib;
extern unsigned int * const param_reuse_areas;
extern unsigned int * const param_reuse_ms;
extern unsigned int * const param_reuse_max_ms;

extern struct pci_dev fake_pci;
extern struct viommu_domain *fake_domain;
extern struct viommu_space *fake_space;
extern struct viommu_dma fake_dma;

/* The device; what a test changes of it must stay. */
static inline struct device *fake_device(void)
{
	return &fake_pci.dev;
}

/* A machine with the device's domain, of this type; without a space. */
void dma_begin_domain(unsigned int type);
/* With a space. */
void dma_begin(unsigned int type);
/* With our operations, too. */
void dma_begin_mode(enum viommu_dma_mode mode, unsigned int type);
/* In the mode bounce, with so much memory to copy through. */
void dma_begin_bounce(unsigned int mib);
/* Without any; then nothing may be left of anything, and nothing may have been warned of. */
void dma_end(void);

/* So many jiffies pass. Return: how many works were done. */
unsigned int dma_pass(unsigned long nr);

/* Requests since this was last called. */
unsigned int dma_maps(void);
unsigned int dma_unmaps(void);
unsigned int dma_kicks(void);

/* The next MAP, or the one behind so many, is refused: VIRTIO_IOMMU_S_*. */
void dma_refuse_map(unsigned int behind, u8 status);

/* Somebody else's mappings, of MEMORY_START; the space knows nothing of them. */
void dma_map_at(dma_addr_t iova, size_t size, int prot);
void dma_unmap_at(dma_addr_t iova, size_t size);

/* Pages of IOVAs in use, but for those that nobody may have. */
unsigned long dma_iovas(void);
/* Those of the next mapping of so many bytes. */
dma_addr_t dma_next_iova(size_t size);
/* Whether nobody may have this one. */
bool dma_is_reserved(dma_addr_t addr);

/* Whether the device can read all of this, or write to it. */
bool dma_readable(dma_addr_t addr, size_t size);
bool dma_writable(dma_addr_t addr, size_t size);
/* DMA, which must be allowed. */
u8 dma_read(dma_addr_t addr);
void dma_write(dma_addr_t addr, u8 byte, size_t size);
/* Where a byte goes, or 0. */
phys_addr_t dma_translate(dma_addr_t addr);
/* Whether all of this is that byte: for the device, by DMA, or for the CPU. */
bool device_sees(dma_addr_t addr, u8 byte, size_t size);
bool cpu_sees(const u8 *buffer, u8 byte, size_t size);

/* Our operations with a buffer, without attributes. */
dma_addr_t buffer_map(phys_addr_t phys, size_t size, enum dma_data_direction dir);
void buffer_unmap(dma_addr_t addr, size_t size, enum dma_data_direction dir);
/* The mode bounce alone, which must have what is unmapped. */
dma_addr_t slot_map(phys_addr_t phys, size_t size, enum dma_data_direction dir);
void slot_unmap(dma_addr_t addr, enum dma_data_direction dir);

#endif /* _FAKE_DMA_H */
