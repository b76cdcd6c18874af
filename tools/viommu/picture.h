/* SPDX-License-Identifier: GPL-2.0 */
/* viommu: an address space as a picture. */
#ifndef _VIOMMU_PICTURE_H
#define _VIOMMU_PICTURE_H

#include "space.h"

/* On stdout, as wide as the terminal. */
void picture_print(const struct space *space);

/* As SVG in a file, "-" for stdout. @title is what stands above it. */
void svg_write(const struct space *space, const char *title, const char *path);

#endif /* _VIOMMU_PICTURE_H */
