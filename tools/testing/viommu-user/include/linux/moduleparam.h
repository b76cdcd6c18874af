/* SPDX-License-Identifier: GPL-2.0 */
/* A parameter is a static variable; a test gets at it through param_NAME. */
#ifndef _VIOMMU_USER_MODULEPARAM_H
#define _VIOMMU_USER_MODULEPARAM_H

#define module_param(name, type, perm)		typeof(name) * const param_##name = &name
#define MODULE_PARM_DESC(name, description)	_Static_assert(sizeof(description) > 1, "empty")

#endif /* _VIOMMU_USER_MODULEPARAM_H */
