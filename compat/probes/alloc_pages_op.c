// SPDX-License-Identifier: GPL-2.0
/* HAVE_ALLOC_PAGES_OP: since 6.10, an operation for DMA has the name alloc_pages_op */
#include <linux/dma-map-ops.h>

const struct dma_map_ops probe_ops = { .alloc_pages_op = NULL };
