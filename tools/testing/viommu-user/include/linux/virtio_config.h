/* SPDX-License-Identifier: GPL-2.0 */
/* Nothing that is built here uses it. */
