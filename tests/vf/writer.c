// SPDX-License-Identifier: GPL-2.0-only
/*
 * writer.c - a write to sysfs that waits for a VF's user.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "expect.h"
#include "writer.h"

#define REACHED_MS	30000
#define SEEN_US		200000	/* a writer that does not wait is done by then */

static void *writer_main(void *arg)
{
	struct writer *w = arg;

	w->err = sysfs_write(w->text, "%s", w->path);
	w->done = true;
	return NULL;
}

void vf_is_leaving(const char *vf)
{
	char driver[64];
	int ms;

	for (ms = 0; !sysfs_link(driver, sizeof(driver), "/sys/bus/pci/devices/%s/driver",
				 vf); ms += 10) {
		check(ms < REACHED_MS, "nobody takes %s away", vf);
		sleep_us(10000);
	}
	sleep_us(SEEN_US);
}

void writer_start(struct writer *w, const char *vf, const char *text,
		  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->path, sizeof(w->path), fmt, ap);
	va_end(ap);
	w->text = text;
	w->done = false;
	check(!pthread_create(&w->thread, NULL, writer_main, w), "no thread");
	vf_is_leaving(vf);
}

void writer_waits(const struct writer *w)
{
	check(!w->done, "the writer did not wait for the VF's user");
}

void writer_end(struct writer *w)
{
	pthread_join(w->thread, NULL);
	must(w->err);
}
