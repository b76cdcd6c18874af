/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_SIZES_H
#define _VIOMMU_USER_SIZES_H

#define SZ_4K		0x00001000

#endif /* _VIOMMU_USER_SIZES_H */
