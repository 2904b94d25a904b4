/* SPDX-License-Identifier: GPL-2.0-only */
/* said.h - the messages of the tool's code, for tests to look at. */
#ifndef UNIT_SAID_H
#define UNIT_SAID_H

/** said_lines - how many lines since said_forget() */
extern int said_lines;

/** said - the first of them; empty if there is none */
extern char said[1024];

/** said_warnings - how many warnings since said_forget() */
extern int said_warnings;

/** said_forget - begin again */
void said_forget(void);

#endif
