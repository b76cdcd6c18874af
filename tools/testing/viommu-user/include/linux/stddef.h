/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VIOMMU_USER_STDDEF_H
#define _VIOMMU_USER_STDDEF_H

#include_next <linux/stddef.h>
#include <stddef.h>

#endif /* _VIOMMU_USER_STDDEF_H */
