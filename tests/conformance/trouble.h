/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trouble.h - the kernel's own complaints (warnings, oopses, sanitizers) while
 * a case runs. A driver's own messages do not count.
 */
#ifndef CONFORMANCE_TROUBLE_H
#define CONFORMANCE_TROUBLE_H

#include "tap.h"

/** trouble_judge - false, and a note, if there was one since the last call */
bool trouble_judge(const struct tap_case *c, enum tap_result result);

#endif
