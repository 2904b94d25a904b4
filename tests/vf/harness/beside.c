// SPDX-License-Identifier: GPL-2.0-only
/*
 * beside.c - one call that another thread makes.
 */
#include <stdarg.h>
#include <stdio.h>

#include "beside.h"
#include "expect.h"

static void *beside_main(void *arg)
{
	struct beside *b = arg;

	b->err = b->fn(b);
	b->done = true;
	return NULL;
}

void beside_call(struct beside *b, int (*fn)(struct beside *b))
{
	b->fn = fn;
	b->done = false;
	check(!pthread_create(&b->thread, NULL, beside_main, b), "no thread");
}

static int do_reset(struct beside *b)
{
	return vfio_reset(b->dev);
}

void beside_reset(struct beside *b, struct vfio_dev *dev)
{
	b->dev = dev;
	beside_call(b, do_reset);
}

static int do_arc(struct beside *b)
{
	return vfio_mig_set(b->dev, b->state, NULL);
}

void beside_arc(struct beside *b, struct vfio_dev *dev, unsigned int state)
{
	b->dev = dev;
	b->state = state;
	beside_call(b, do_arc);
}

static int do_write(struct beside *b)
{
	return sysfs_write(b->text, "%s", b->path);
}

void beside_write(struct beside *b, const char *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(b->path, sizeof(b->path), fmt, ap);
	va_end(ap);
	b->text = text;
	beside_call(b, do_write);
}

void vf_is_leaving(const char *bdf)
{
	char driver[64];

	while (!sysfs_link(driver, sizeof(driver),
			   "/sys/bus/pci/devices/%s/driver", bdf))
		sleep_us(1000);
}

void beside_unbind(struct beside *b, const char *bdf)
{
	beside_write(b, bdf, "/sys/bus/pci/devices/%s/driver/unbind", bdf);
	vf_is_leaving(bdf);
}

int beside_end(struct beside *b)
{
	pthread_join(b->thread, NULL);
	return b->err;
}
