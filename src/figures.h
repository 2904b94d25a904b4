/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver counts of each function, and shows in sysfs: docs/ABI.md.
 *
 * A function has its figures from when it is first bound until the module
 * leaves: a VF leaves the driver whenever its guest ends. What is counted of a
 * VF is counted of its PF as well.
 *
 * Figures are 64 bits wide and never go down, but for the last downtime. All of
 * them, and what they are made from, have one lock, which is held for a few
 * instructions and is innermost; nothing here waits, and only
 * nvme_vfio_figures_get() allocates. Readers get all figures of one moment.
 * Times are those of ktime_get().
 */
#ifndef _NVME_VFIO_FIGURES_H
#define _NVME_VFIO_FIGURES_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/pci.h>
#include <linux/sysfs.h>
#include <linux/types.h>

#include "quarantine.h"

/**
 * enum figure - what is counted; docs/ABI.md has the meaning of each
 * @FIGURE_COMMANDS: the first class of commands by their time; those that took
 *	longer are in the following
 * @FIGURE_COMMANDS_LONGER: the last
 *
 * The others have the names that they have in sysfs.
 */
enum figure {
	FIGURE_MIGRATIONS_OUT,
	FIGURE_MIGRATIONS_IN,
	FIGURE_CANCELLED_OUT,
	FIGURE_CANCELLED_IN,
	FIGURE_REFUSED_IDENTITY,
	FIGURE_REFUSED_NAMESPACES,
	FIGURE_REFUSED_STREAM,
	FIGURE_REFUSED_DEVICE,
	FIGURE_REFUSED_SIZE,
	FIGURE_REFUSED_FORMAT,
	FIGURE_REFUSED_QUARANTINE,
	FIGURE_REFUSED_OTHER,
	FIGURE_ARCS_FAILED,
	FIGURE_ERRORS,
	FIGURE_RESETS,
	FIGURE_RESETS_BY_DRIVER,
	FIGURE_BUS_ERRORS,
	FIGURE_BYTES_OUT,
	FIGURE_BYTES_IN,
	FIGURE_DOWNTIME_OUT_LAST,
	FIGURE_DOWNTIME_OUT_LONGEST,
	FIGURE_DOWNTIME_IN_LAST,
	FIGURE_DOWNTIME_IN_LONGEST,
	FIGURE_COMMANDS,
	FIGURE_COMMANDS_LONGER = FIGURE_COMMANDS + 6,
	FIGURE_COMMANDS_US,
	FIGURE_COMMANDS_GIVEN_UP,
	FIGURE_COMMANDS_ABORTED,
	FIGURES
};

/**
 * struct figures - of one function
 * @node: in the list of all
 * @name: of the function, as pci_name() has it
 * @is_pf: VFs of it have been bound
 * @pf: of its PF; NULL for what is no VF
 * @mark: whether it is in quarantine
 * @value: the figures
 * @saving: a migration out has begun, and nothing has become of it yet
 * @saved: and all of the state has been read
 * @loading: a migration in has begun, and nothing has become of it yet
 * @stopped_at: when the arc began that has stopped the VF; 0 = it runs
 * @loaded_at: when the first piece of the state came that is being loaded; 0 =
 *	not yet
 */
struct figures {
	struct list_head node;
	char name[16];
	bool is_pf;
	struct figures *pf;
	enum quarantine mark;
	u64 value[FIGURES];
	bool saving;
	bool saved;
	bool loading;
	ktime_t stopped_at;
	ktime_t loaded_at;
};

/**
 * nvme_vfio_figures_get - the figures of a function
 * @pdev: the function
 *
 * Return: them, for as long as the module is there; NULL without memory
 */
struct figures *nvme_vfio_figures_get(struct pci_dev *pdev);

/* nvme_vfio_figures_exit - the driver leaves */
void nvme_vfio_figures_exit(void);

/**
 * nvme_vfio_count - something happened to a VF
 * @f: its figures
 * @what: what
 * @n: how much of it
 */
void nvme_vfio_count(struct figures *f, enum figure what, u64 n);

/**
 * nvme_vfio_count_command - a command that was sent for a VF has ended, or was
 *	given up
 * @f: the figures of the VF
 * @usecs: time from submission to then, microseconds
 * @ret: as nvme_pf_submit() returns it
 */
void nvme_vfio_count_command(struct figures *f, s64 usecs, int ret);

/*
 * What becomes of migrations. A migration that has begun ends in one of: out or
 * in; cancelled; refused; error.
 */

/* nvme_vfio_count_stop - an arc that began @at has stopped the VF */
void nvme_vfio_count_stop(struct figures *f, ktime_t at);

/**
 * nvme_vfio_count_run - the VF was made to run
 * @f: its figures
 * @loaded: with a state from elsewhere
 */
void nvme_vfio_count_run(struct figures *f, bool loaded);

/**
 * nvme_vfio_count_save - the VF's state is to be read
 * nvme_vfio_count_saved - all of it has been
 * nvme_vfio_count_unsave - and the VF is to run on
 * @f: the figures of the VF
 *
 * Each does nothing when it has been said before.
 */
void nvme_vfio_count_save(struct figures *f);
void nvme_vfio_count_saved(struct figures *f);
void nvme_vfio_count_unsave(struct figures *f);

/**
 * nvme_vfio_count_load - a state is to be loaded
 * nvme_vfio_count_loads - its first piece has come
 * @f: the figures of the VF
 */
void nvme_vfio_count_load(struct figures *f);
void nvme_vfio_count_loads(struct figures *f);

/* nvme_vfio_count_refusal - the migration, if there is one, is refused */
void nvme_vfio_count_refusal(struct figures *f, enum figure why);

/* nvme_vfio_count_error - the VF goes to ERROR, and into quarantine */
void nvme_vfio_count_error(struct figures *f);

/* nvme_vfio_count_good - the VF was proven good: it leaves quarantine */
void nvme_vfio_count_good(struct figures *f);

/* nvme_vfio_count_pf_reset - a command of a migration was aborted by the VF's PF */
void nvme_vfio_count_pf_reset(struct figures *f);

/* nvme_vfio_figures_mark - is a function in quarantine? @f may be NULL */
enum quarantine nvme_vfio_figures_mark(const struct figures *f);

/**
 * nvme_vfio_figures_set_mark - begin or end the quarantine of a function
 * @name: of the function, as pci_name() has it; it may be one that was never bound
 * @mark: enum quarantine
 *
 * Return: 0 or -ENOMEM
 */
int nvme_vfio_figures_set_mark(const char *name, enum quarantine mark);

/* nvme_vfio_figures_emit_marks - all in quarantine, a line each; @buf: a page */
ssize_t nvme_vfio_figures_emit_marks(const char * const *words, char *buf);

/* nvme_vfio_count_left - the VF was reset or closed, and any migration is over */
void nvme_vfio_count_left(struct figures *f);

/* nvme_vfio_figures_emit - all figures of a function, a line each; @buf: a page */
ssize_t nvme_vfio_figures_emit(const struct figures *f, char *buf);

extern const struct attribute_group nvme_vfio_figures_group;

#endif
