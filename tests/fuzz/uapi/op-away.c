// SPDX-License-Identifier: GPL-2.0-only
/*
 * op-away.c - PFs and VFs are removed and come back. Whatever removes VFs waits
 * for their users, who go on calling for a while before they leave.
 */
#define _GNU_SOURCE			/* environ */
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bed-vfs.h"
#include "fuzz.h"

#define PCI	"/sys/bus/pci"
#define NAP_US	20000

/*
 * A write to sysfs that may wait for the users of VFs. By another process: a
 * thread of the user itself would wait for the user to leave and keep it from
 * leaving.
 */
struct taking {
	char what[160];
	pid_t pid;
};

static void take_away(struct taking *w, const char *text, const char *fmt, ...)
{
	char *argv[] = { "sh", "-c", w->what, NULL };
	char path[96];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	snprintf(w->what, sizeof(w->what), "echo %s >%s", text, path);
	check(!posix_spawnp(&w->pid, "sh", NULL, NULL, argv, environ),
	      "no process");
}

/* the watch notices if this does not end: nobody uses the VFs any more */
static void taken(struct thread *t, struct taking *w)
{
	int status;

	if (waitpid(w->pid, &status, 0) != w->pid || status)
		broken(t, "%s: wait status %x", w->what, status);
}

/*
 * The VFs of one PF at a time. Its thread then rests for as long as that took,
 * so that the others make progress on any machine.
 */
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

uint64_t away_begins(struct thread *t, struct event *e)
{
	struct pf *pf = &fuzz.pf[t->pf];

	pthread_mutex_lock(&one);
	if (e == &pf->lost)
		pthread_rwlock_wrlock(&pf->vectors);
	event_begins(e);
	return now_us();
}

void away_ends(struct thread *t, struct event *e, uint64_t since)
{
	struct pf *pf = &fuzz.pf[t->pf];

	event_ends(e);
	if (e == &pf->lost)
		pthread_rwlock_unlock(&pf->vectors);
	pthread_mutex_unlock(&one);
	rest(t, 1 + 2 * (now_us() - since) / 1000);
}

static void leave(struct vf *v)
{
	pthread_rwlock_wrlock(&v->lock);
	unmap_all(v);
	vfio_close(&v->dev);
}

/* a VF that nobody has open any more can be opened, and its PF can be asked */
static void come(struct thread *t, struct vf *v)
{
	const char *bdf = bed.pf[v->at.pf].vf[v->at.vf];
	struct moment since = moment_of(v);
	unsigned int state, gone = v->pf->gone;
	uint64_t flags;
	int err;

	for (;;) {
		err = vfio_open(&v->dev, bdf);
		if (!err)
			err = vfio_mig_flags(&v->dev, &flags);
		if (!err)
			break;
		vfio_close(&v->dev);
		/* the last user has not been settled; the PF did not answer */
		if (err != -EBUSY && err != -EAGAIN && err != -ENOTTY)
			broken(t, "a VF that was made anew does not open: %d", err);
		sleep_us(NAP_US);
	}
	err = vfio_dma_map(&v->dev, &v->mem);
	if (err)
		broken(t, "no memory for a VF just opened: %d", err);
	err = vfio_mig_get(&v->dev, &state);
	if (err || state != MIG_RUNNING)
		broken(t, "a VF just opened is in %s, errno %d", mig_name(state),
		       err);
	vf_is_told(v, gone);
	vf_is_calm(v, &since);
	pthread_rwlock_unlock(&v->lock);
}

static struct vf *next_of(struct thread *t, struct vf *v)
{
	for (v = v ? v + 1 : fuzz.vf; v < fuzz.vf + fuzz.nvfs; v++)
		if (v->at.pf == t->pf)
			return v;
	return NULL;
}

static void all_leave(struct thread *t)
{
	struct vf *v = NULL;

	while ((v = next_of(t, v)))
		leave(v);
}

static void all_come(struct thread *t)
{
	struct vf *v = NULL;

	while ((v = next_of(t, v)))
		come(t, v);
}

/* its VFs stay open */
void op_pf_rebind(struct thread *t, struct vf *v)
{
	const char *bdf = bed.pf[t->pf].bdf;
	struct pf *pf = &fuzz.pf[t->pf];
	uint64_t since = away_begins(t, &pf->lost);
	int err;

	(void)v;
	err = sysfs_write(bdf, PCI "/drivers/nvme/unbind");
	if (err)
		broken(t, "unbind of the PF: %d", err);
	pf->gone++;
	rest(t, 300);
	err = sysfs_write(bdf, PCI "/drivers/nvme/bind");
	if (err)
		broken(t, "bind of the PF: %d", err);
	/* some calls should meet a PF that is starting */
	vfs_back(t);
	away_ends(t, &pf->lost, since);
}

void op_vf_rebind(struct thread *t, struct vf *v)
{
	bool settles = rnd(t, 2);
	struct taking w;
	uint64_t since;
	const char *bdf;
	int err;

	for (v = next_of(t, NULL); rnd(t, 2) && next_of(t, v); )
		v = next_of(t, v);
	if (!v)
		return;
	bdf = bed.pf[t->pf].vf[v->at.vf];
	settles &= !vf_may_be_busy(v);
	since = away_begins(t, &v->lost);
	take_away(&w, bdf, PCI "/devices/%s/driver/unbind", bdf);
	rest(t, 500);
	/* not by commands that fail, nor while one that was given up is left */
	if (settles)
		settles = !pf_test_set(bed.pf[t->pf].name, "lm-fail=");
	leave(v);
	settles &= !v->slow;
	taken(t, &w);
	if (settles)
		vf_shall_be_free(t, v);
	err = sysfs_write(bdf, PCI "/drivers_probe");
	if (err)
		broken(t, "probe of a VF: %d", err);
	come(t, v);
	away_ends(t, &v->lost, since);
}

static void no_vfs(struct thread *t, bool no_pf)
{
	const char *bdf = bed.pf[t->pf].bdf;
	struct pf *pf = &fuzz.pf[t->pf];
	uint64_t since = away_begins(t, &pf->lost);
	struct taking w;

	take_away(&w, "0", PCI "/devices/%s/sriov_numvfs", bdf);
	rest(t, 500);
	all_leave(t);
	taken(t, &w);
	if (no_pf) {
		must(sysfs_write("1", PCI "/devices/%s/remove", bdf));
		pf->gone++;
		must(sysfs_write("1", PCI "/rescan"));
	}
	bed_remake(t->pf);
	all_come(t);
	away_ends(t, &pf->lost, since);
}

void op_no_vfs(struct thread *t, struct vf *v)
{
	(void)v;
	no_vfs(t, false);
}

/*
 * With VFs enabled the kernel would keep references to the PF for ever, which
 * its leak detector finds.
 */
void op_no_pf(struct thread *t, struct vf *v)
{
	(void)v;
	no_vfs(t, true);
}

