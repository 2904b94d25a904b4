/* SPDX-License-Identifier: GPL-2.0-only */
#define U32_MAX	UINT32_MAX
#define U64_MAX	UINT64_MAX
