/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * monitor.h - the monitor of an emulator, by QMP.
 */
#ifndef TESTS_MONITOR_H
#define TESTS_MONITOR_H

#include <stdbool.h>
#include <stdio.h>

/**
 * monitor_do - give a command and wait for its answer
 * @f: the monitor, open for reading; commands are written to its descriptor
 * @command: a JSON object without an id
 *
 * Greetings, events and answers to others may come in between.
 *
 * Return: the answer, a line of JSON, until the next call; NULL = the monitor
 * is gone, errno says why, 0 = closed.
 */
const char *monitor_do(FILE *f, const char *command);

/**
 * monitor_begin - whoever talks to a monitor first has to do this; repeating it
 * does no harm. Return: false = the monitor is gone.
 */
bool monitor_begin(FILE *f);

/** monitor_is_error - whether an answer says that the command has failed */
bool monitor_is_error(const char *answer);

#endif
