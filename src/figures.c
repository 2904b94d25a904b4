// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the driver counts: see figures.h. And the figures of PFs, an attribute of
 * the driver: PFs have another.
 */
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "figures.h"

/* In sysfs; docs/ABI.md promises them. */
static const char * const nvme_vfio_figure_names[FIGURES] = {
	[FIGURE_MIGRATIONS_OUT]		= "migrations_out",
	[FIGURE_MIGRATIONS_IN]		= "migrations_in",
	[FIGURE_CANCELLED_OUT]		= "cancelled_out",
	[FIGURE_CANCELLED_IN]		= "cancelled_in",
	[FIGURE_REFUSED_IDENTITY]	= "refused_identity",
	[FIGURE_REFUSED_NAMESPACES]	= "refused_namespaces",
	[FIGURE_REFUSED_STREAM]		= "refused_stream",
	[FIGURE_REFUSED_DEVICE]		= "refused_device",
	[FIGURE_REFUSED_SIZE]		= "refused_size",
	[FIGURE_REFUSED_FORMAT]		= "refused_format",
	[FIGURE_REFUSED_QUARANTINE]	= "refused_quarantine",
	[FIGURE_REFUSED_OTHER]		= "refused_other",
	[FIGURE_ARCS_FAILED]		= "arcs_failed",
	[FIGURE_ERRORS]			= "errors",
	[FIGURE_RESETS]			= "resets",
	[FIGURE_RESETS_BY_DRIVER]	= "resets_by_driver",
	[FIGURE_BUS_ERRORS]		= "bus_errors",
	[FIGURE_BYTES_OUT]		= "bytes_out",
	[FIGURE_BYTES_IN]		= "bytes_in",
	[FIGURE_DOWNTIME_OUT_LAST]	= "downtime_out_last_us",
	[FIGURE_DOWNTIME_OUT_LONGEST]	= "downtime_out_longest_us",
	[FIGURE_DOWNTIME_IN_LAST]	= "downtime_in_last_us",
	[FIGURE_DOWNTIME_IN_LONGEST]	= "downtime_in_longest_us",
	[FIGURE_COMMANDS]		= "commands_100us",
	[FIGURE_COMMANDS + 1]		= "commands_1ms",
	[FIGURE_COMMANDS + 2]		= "commands_10ms",
	[FIGURE_COMMANDS + 3]		= "commands_100ms",
	[FIGURE_COMMANDS + 4]		= "commands_1s",
	[FIGURE_COMMANDS + 5]		= "commands_10s",
	[FIGURE_COMMANDS_LONGER]	= "commands_longer",
	[FIGURE_COMMANDS_US]		= "commands_us",
	[FIGURE_COMMANDS_GIVEN_UP]	= "commands_given_up",
	[FIGURE_COMMANDS_ABORTED]	= "commands_aborted",
};

/* Of PFs: as many as leave room for many PFs in a page. */
static const enum figure nvme_vfio_pf_columns[] = {
	FIGURE_MIGRATIONS_OUT, FIGURE_MIGRATIONS_IN, FIGURE_CANCELLED_OUT,
	FIGURE_CANCELLED_IN, FIGURE_ERRORS, FIGURE_RESETS, FIGURE_BYTES_OUT,
	FIGURE_BYTES_IN, FIGURE_DOWNTIME_OUT_LONGEST,
	FIGURE_DOWNTIME_IN_LONGEST, FIGURE_COMMANDS_GIVEN_UP,
	FIGURE_COMMANDS_ABORTED,
};

static LIST_HEAD(nvme_vfio_all_figures);
static DEFINE_MUTEX(nvme_vfio_figures_mutex);	/* of the list; outside the other */
static DEFINE_SPINLOCK(nvme_vfio_figures_lock);	/* of what it lists */

static struct figures *nvme_vfio_figures_find(const char *name)
{
	struct figures *f;

	list_for_each_entry(f, &nvme_vfio_all_figures, node)
		if (!strcmp(f->name, name))
			return f;

	f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return NULL;
	strscpy(f->name, name, sizeof(f->name));
	list_add_tail(&f->node, &nvme_vfio_all_figures);
	return f;
}

struct figures *nvme_vfio_figures_get(struct pci_dev *pdev)
{
	struct figures *f, *pf = NULL;

	mutex_lock(&nvme_vfio_figures_mutex);
	f = nvme_vfio_figures_find(pci_name(pdev));
	if (f && pdev->is_virtfn) {
		pf = nvme_vfio_figures_find(pci_name(pci_physfn(pdev)));
		if (pf)
			pf->is_pf = true;
		else
			f = NULL;
	}
	if (f)
		f->pf = pf;
	mutex_unlock(&nvme_vfio_figures_mutex);
	return f;
}

void nvme_vfio_figures_exit(void)
{
	struct figures *f, *next;

	list_for_each_entry_safe(f, next, &nvme_vfio_all_figures, node)
		kfree(f);
}

static void nvme_vfio_add(struct figures *f, enum figure what, u64 n)
{
	f->value[what] += n;
	if (f->pf)
		f->pf->value[what] += n;
}

static void nvme_vfio_note_downtime(struct figures *f, enum figure last,
				    ktime_t since)
{
	enum figure longest = last + 1;
	u64 us = ktime_us_delta(ktime_get(), since);

	for (; f; f = f->pf) {
		f->value[last] = us;
		f->value[longest] = max(f->value[longest], us);
	}
}

void nvme_vfio_count(struct figures *f, enum figure what, u64 n)
{
	spin_lock(&nvme_vfio_figures_lock);
	nvme_vfio_add(f, what, n);
	spin_unlock(&nvme_vfio_figures_lock);
}

void nvme_vfio_count_command(struct figures *f, s64 usecs, int ret)
{
	enum figure class = FIGURE_COMMANDS;
	s64 limit;

	/* Others were not sent. */
	if (ret < 0 && ret != -EIO && ret != -ETIMEDOUT && ret != -ECANCELED)
		return;
	for (limit = 100; class < FIGURE_COMMANDS_LONGER && usecs > limit;
	     limit *= 10)
		class++;

	spin_lock(&nvme_vfio_figures_lock);
	nvme_vfio_add(f, class, 1);
	nvme_vfio_add(f, FIGURE_COMMANDS_US, usecs);
	if (ret == -EIO)
		nvme_vfio_add(f, FIGURE_COMMANDS_ABORTED, 1);
	else if (ret == -ETIMEDOUT)
		nvme_vfio_add(f, FIGURE_COMMANDS_GIVEN_UP, 1);
	spin_unlock(&nvme_vfio_figures_lock);
}

/* The guest runs elsewhere, or nobody knows where: not here. */
static void nvme_vfio_save_over(struct figures *f, bool is_error)
{
	if (f->saving && f->saved)
		nvme_vfio_add(f, FIGURE_MIGRATIONS_OUT, 1);
	else if (f->saving && !is_error)
		nvme_vfio_add(f, FIGURE_CANCELLED_OUT, 1);
	f->saving = false;
}

static void nvme_vfio_load_over(struct figures *f)
{
	if (f->loading)
		nvme_vfio_add(f, FIGURE_CANCELLED_IN, 1);
	f->loading = false;
}

void nvme_vfio_count_stop(struct figures *f, ktime_t at)
{
	spin_lock(&nvme_vfio_figures_lock);
	if (!f->stopped_at)
		f->stopped_at = at;
	spin_unlock(&nvme_vfio_figures_lock);
}

void nvme_vfio_count_run(struct figures *f, bool loaded)
{
	spin_lock(&nvme_vfio_figures_lock);
	f->stopped_at = 0;
	if (loaded && f->loading) {
		nvme_vfio_add(f, FIGURE_MIGRATIONS_IN, 1);
		nvme_vfio_note_downtime(f, FIGURE_DOWNTIME_IN_LAST,
					f->loaded_at);
		f->loading = false;
	}
	spin_unlock(&nvme_vfio_figures_lock);
}

void nvme_vfio_count_save(struct figures *f)
{
	spin_lock(&nvme_vfio_figures_lock);
	if (!f->saving)
		f->saved = false;
	f->saving = true;
	spin_unlock(&nvme_vfio_figures_lock);
}

void nvme_vfio_count_saved(struct figures *f)
{
	spin_lock(&nvme_vfio_figures_lock);
	if (f->saving && !f->saved) {
		f->saved = true;
		if (f->stopped_at)
			nvme_vfio_note_downtime(f, FIGURE_DOWNTIME_OUT_LAST,
						f->stopped_at);
	}
	spin_unlock(&nvme_vfio_figures_lock);
}

void nvme_vfio_count_unsave(struct figures *f)
{
	spin_lock(&nvme_vfio_figures_lock);
	if (f->saving)
		nvme_vfio_add(f, FIGURE_CANCELLED_OUT, 1);
	f->saving = false;
	spin_unlock(&nvme_vfio_figures_lock);
}

void nvme_vfio_count_load(struct figures *f)
{
	spin_lock(&nvme_vfio_figures_lock);
	nvme_vfio_save_over(f, false);
	nvme_vfio_load_over(f);
	f->loading = true;
	f->loaded_at = 0;
	spin_unlock(&nvme_vfio_figures_lock);
}

void nvme_vfio_count_loads(struct figures *f)
{
	spin_lock(&nvme_vfio_figures_lock);
	if (!f->loaded_at)
		f->loaded_at = ktime_get();
	spin_unlock(&nvme_vfio_figures_lock);
}

void nvme_vfio_count_refusal(struct figures *f, enum figure why)
{
	spin_lock(&nvme_vfio_figures_lock);
	nvme_vfio_add(f, why, 1);
	f->saving = false;
	f->loading = false;
	spin_unlock(&nvme_vfio_figures_lock);
}

void nvme_vfio_count_error(struct figures *f)
{
	spin_lock(&nvme_vfio_figures_lock);
	nvme_vfio_add(f, FIGURE_ERRORS, 1);
	f->mark = QUARANTINE_ERROR;
	nvme_vfio_save_over(f, true);
	f->loading = false;
	f->stopped_at = 0;
	spin_unlock(&nvme_vfio_figures_lock);
}

void nvme_vfio_count_good(struct figures *f)
{
	spin_lock(&nvme_vfio_figures_lock);
	f->mark = QUARANTINE_NONE;
	spin_unlock(&nvme_vfio_figures_lock);
}

void nvme_vfio_count_pf_reset(struct figures *f)
{
	spin_lock(&nvme_vfio_figures_lock);
	if (f->pf)
		f->pf->mark = QUARANTINE_RESET;
	spin_unlock(&nvme_vfio_figures_lock);
}

enum quarantine nvme_vfio_figures_mark(const struct figures *f)
{
	enum quarantine mark;

	if (!f)
		return QUARANTINE_NONE;
	spin_lock(&nvme_vfio_figures_lock);
	mark = f->mark;
	spin_unlock(&nvme_vfio_figures_lock);
	return mark;
}

int nvme_vfio_figures_set_mark(const char *name, enum quarantine mark)
{
	struct figures *f;

	mutex_lock(&nvme_vfio_figures_mutex);
	f = nvme_vfio_figures_find(name);
	if (f) {
		spin_lock(&nvme_vfio_figures_lock);
		f->mark = mark;
		spin_unlock(&nvme_vfio_figures_lock);
	}
	mutex_unlock(&nvme_vfio_figures_mutex);
	return f ? 0 : -ENOMEM;
}

ssize_t nvme_vfio_figures_emit_marks(const char * const *words, char *buf)
{
	enum quarantine mark;
	struct figures *f;
	int len = 0;

	mutex_lock(&nvme_vfio_figures_mutex);
	list_for_each_entry(f, &nvme_vfio_all_figures, node) {
		mark = nvme_vfio_figures_mark(f);
		/* No half of a line. */
		if (mark == QUARANTINE_NONE || PAGE_SIZE - len < 24)
			continue;
		len += sysfs_emit_at(buf, len, "%s %s\n", f->name, words[mark]);
	}
	mutex_unlock(&nvme_vfio_figures_mutex);
	return len;
}

void nvme_vfio_count_left(struct figures *f)
{
	spin_lock(&nvme_vfio_figures_lock);
	nvme_vfio_save_over(f, false);
	nvme_vfio_load_over(f);
	f->stopped_at = 0;
	spin_unlock(&nvme_vfio_figures_lock);
}

static void nvme_vfio_figures_copy(const struct figures *f, u64 *value)
{
	spin_lock(&nvme_vfio_figures_lock);
	memcpy(value, f->value, sizeof(f->value));
	spin_unlock(&nvme_vfio_figures_lock);
}

ssize_t nvme_vfio_figures_emit(const struct figures *f, char *buf)
{
	u64 value[FIGURES];
	enum figure i;
	int len = 0;

	nvme_vfio_figures_copy(f, value);
	for (i = 0; i < FIGURES; i++)
		len += sysfs_emit_at(buf, len, "%s %llu\n",
				     nvme_vfio_figure_names[i], value[i]);
	return len;
}

static int nvme_vfio_pf_line(const struct figures *f, char *line, size_t size)
{
	u64 value[FIGURES];
	int i, len;

	nvme_vfio_figures_copy(f, value);
	len = scnprintf(line, size, "%s", f->name);
	for (i = 0; i < ARRAY_SIZE(nvme_vfio_pf_columns); i++)
		len += scnprintf(line + len, size - len, " %llu",
				 value[nvme_vfio_pf_columns[i]]);
	return len;
}

static ssize_t nvme_vfio_pf_figures_show(struct device_driver *drv, char *buf)
{
	struct figures *f;
	char line[320];
	int i, len;

	len = sysfs_emit(buf, "pf");
	for (i = 0; i < ARRAY_SIZE(nvme_vfio_pf_columns); i++)
		len += sysfs_emit_at(buf, len, " %s",
				     nvme_vfio_figure_names[nvme_vfio_pf_columns[i]]);
	len += sysfs_emit_at(buf, len, "\n");

	mutex_lock(&nvme_vfio_figures_mutex);
	list_for_each_entry(f, &nvme_vfio_all_figures, node) {
		/* No half of a line, for which there is no room. */
		if (!f->is_pf)
			continue;
		if (nvme_vfio_pf_line(f, line, sizeof(line)) + 2 >
		    PAGE_SIZE - len)
			break;
		len += sysfs_emit_at(buf, len, "%s\n", line);
	}
	mutex_unlock(&nvme_vfio_figures_mutex);
	return len;
}

static struct driver_attribute nvme_vfio_pf_figures_attr =
	__ATTR(pf_figures, 0444, nvme_vfio_pf_figures_show, NULL);

static struct attribute *nvme_vfio_figures_attrs[] = {
	&nvme_vfio_pf_figures_attr.attr,
	NULL
};

const struct attribute_group nvme_vfio_figures_group = {
	.attrs = nvme_vfio_figures_attrs,
};
