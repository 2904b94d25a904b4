/* SPDX-License-Identifier: GPL-2.0-only */
#define struct_size(p, member, n)	(sizeof(*(p)) + sizeof(*(p)->member) * (n))
