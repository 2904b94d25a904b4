// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-figures.c - what the driver counts of a VF and its PF (docs/ABI.md): what
 * is done here is counted, exactly, and nothing else is.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beside.h"
#include "cases.h"
#include "move.h"

#define FIGURES_FMT	"/sys/bus/pci/devices/%.15s/nvme_vfio/figures"
#define PF_FIGURES	"/sys/bus/pci/drivers/nvme-vfio-pci/pf_figures"
#define QUARANTINE	"/sys/bus/pci/drivers/nvme-vfio-pci/quarantine"
#define DELAY_MS	150
#define LEAST_US	(DELAY_MS * 900)	/* the drive has another clock */
#define TEXT_MAX	4096

/* those that count; those of time and of commands are looked at one by one */
static const char * const counts[] = {
	"migrations_out", "migrations_in", "cancelled_out", "cancelled_in",
	"refused_identity", "refused_namespaces", "refused_stream",
	"refused_device", "refused_size", "refused_format",
	"refused_quarantine", "refused_other",
	"arcs_failed", "errors", "resets", "resets_by_driver", "bus_errors",
	"bytes_out", "bytes_in", "commands_given_up", "commands_aborted",
};

#define COUNTS	(sizeof(counts) / sizeof(counts[0]))

/* by the longest time of a command */
static const char * const classes[] = {
	"commands_100us", "commands_1ms", "commands_10ms", "commands_100ms",
	"commands_1s", "commands_10s", "commands_longer",
};

#define CLASSES	(sizeof(classes) / sizeof(classes[0]))
#define SLOW	4	/* the first class for DELAY_MS */

/**
 * struct figures - those of a VF and of its PF
 * @at: the VF
 * @vf: as the file has them
 * @pf: likewise
 */
struct figures {
	struct place at;
	char vf[TEXT_MAX];
	char pf[TEXT_MAX];
};

static struct figures look(struct place at)
{
	struct figures f = { .at = at };
	const char *vf = bed.pf[at.pf].vf[at.vf];

	check(sysfs_read(f.vf, sizeof(f.vf), FIGURES_FMT, vf) > 0,
	      "%s has no figures", vf);
	check(sysfs_read(f.pf, sizeof(f.pf), PF_FIGURES) > 0,
	      "no figures of PFs");
	return f;
}

/* a line of each: NAME VALUE */
static unsigned long long of_vf(const struct figures *f, const char *name)
{
	const char *line = f->vf;
	size_t len = strlen(name);

	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, len) && line[len] == ' ')
			return strtoull(line + len, NULL, 10);
	}
	fail("no figure %s", name);
}

/* a table. Return: whether it has the figure */
static bool of_pf(const struct figures *f, const char *name,
		  unsigned long long *value)
{
	const char *bdf = bed.pf[f->at.pf].bdf, *line = f->pf, *end;
	unsigned int column = 0;
	size_t len;

	for (;; line += len + 1, column++) {
		len = strcspn(line, " \n");
		if (len == strlen(name) && !strncmp(line, name, len))
			break;
		if (line[len] != ' ')
			return false;
	}
	for (line = f->pf; strncmp(line, bdf, strlen(bdf)); line++) {
		line = strchr(line, '\n');
		check(line, "no figures of %s", bdf);
	}
	end = strchr(line, '\n');
	while (column--) {
		line = strchr(line, ' ');
		check(line && (!end || line < end), "a short line of %s", bdf);
		line++;
	}
	*value = strtoull(line, NULL, 10);
	return true;
}

/*
 * now_has - what has changed since @old: NAME, by how much, ..., NULL; nothing
 * else has, and the PF's figures have changed as much
 */
static void now_has(const struct figures *old, ...)
{
	struct figures f = look(old->at);
	unsigned long long want, was, is;
	const char *name;
	unsigned int i;
	va_list ap;

	for (i = 0; i < COUNTS; i++) {
		want = 0;
		va_start(ap, old);
		while ((name = va_arg(ap, const char *))) {
			unsigned long long n = va_arg(ap, unsigned long long);

			if (!strcmp(name, counts[i]))
				want = n;
		}
		va_end(ap);
		is = of_vf(&f, counts[i]) - of_vf(old, counts[i]);
		check(is == want, "%s: expected %llu more, it is %llu more",
		      counts[i], want, is);
		if (of_pf(&f, counts[i], &is) && of_pf(old, counts[i], &was))
			check(is - was == want,
			      "%s of the PF: expected %llu more, it is %llu more",
			      counts[i], want, is - was);
	}
}

#define N(n)	((unsigned long long)(n))

/* a downtime that was between two times, and is the longest there was */
static void is_downtime(struct place at, const char *way, uint64_t least_us,
			uint64_t most_us)
{
	struct figures f = look(at);
	unsigned long long last, longest, pf;
	char name[40];

	snprintf(name, sizeof(name), "downtime_%s_last_us", way);
	last = of_vf(&f, name);
	check(last >= least_us && last <= most_us,
	      "%s: expected %llu to %llu, it is %llu", name,
	      (unsigned long long)least_us, (unsigned long long)most_us, last);
	snprintf(name, sizeof(name), "downtime_%s_longest_us", way);
	longest = of_vf(&f, name);
	check(longest >= last, "%s: %llu is less than the last, %llu", name,
	      longest, last);
	check(of_pf(&f, name, &pf) && pf >= longest,
	      "%s of the PF is less than the VF's", name);
}

static void one_migration(const void *arg)
{
	struct mig_stream s = { 0 };
	struct figures fa, fb;
	struct vfio_dev a, b;
	struct workload *w;
	uint64_t t0, t1, t2;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	workload_fill(w, 20);
	model_set(0, "lm-suspend-delay-ms=%d", DELAY_MS);
	model_set(1, "lm-resume-delay-ms=%d", DELAY_MS);
	fa = look(VF_A);
	fb = look(VF_C);
	t0 = now_us();
	move_stop(w, &a, &s, NULL);
	t1 = now_us();
	move_load(w, &b, &s, NULL);
	t2 = now_us();
	model_set(0, "lm-suspend-delay-ms=0");
	model_set(1, "lm-resume-delay-ms=0");

	/* the source may run on as yet */
	now_has(&fa, "bytes_out", N(s.len), NULL);
	now_has(&fb, "migrations_in", N(1), "bytes_in", N(s.len), NULL);
	is_downtime(VF_A, "out", LEAST_US, t1 - t0);
	is_downtime(VF_C, "in", LEAST_US, t2 - t1);
	must(vfio_reset(&a));
	now_has(&fa, "migrations_out", N(1), "bytes_out", N(s.len),
		"resets", N(1), NULL);
	workload_check(w);

	/* another one, which is shorter, until the source is closed */
	workload_event(w);
	mig_stream_free(&s);
	fb = look(VF_C);
	t0 = now_us();
	must(mig_stop(&b, NULL));
	must(mig_save(&b, &s, NULL));
	t1 = now_us();
	now_has(&fb, "bytes_out", N(s.len), NULL);
	is_downtime(VF_C, "out", 1, t1 - t0);
	vfio_close(&b);
	fa = look(VF_C);
	check_eq(of_vf(&fa, "migrations_out") - of_vf(&fb, "migrations_out"), 1,
		 "migrations_out of a VF that was closed");
	check_eq(of_vf(&fa, "cancelled_out") - of_vf(&fb, "cancelled_out"), 0,
		 "cancelled_out of a VF that was closed");
}

static void cancelled(const void *arg)
{
	struct mig_stream s = { 0 };
	struct figures f;
	struct vfio_dev dev;
	struct workload *w;
	uint64_t flags;

	(void)arg;
	w = solo_open(&dev, VF_A, NULL);
	f = look(VF_A);

	/* a pause is no migration */
	must(vfio_mig_set(&dev, MIG_STOP, NULL));
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	now_has(&f, NULL);

	must(mig_stop(&dev, NULL));
	must(mig_save(&dev, &s, NULL));
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	now_has(&f, "cancelled_out", N(1), "bytes_out", N(s.len), NULL);
	workload_check(w);

	/* one that has read nothing, once for all its states */
	f = look(VF_A);
	must(vfio_mig_flags(&dev, &flags));
	if (flags & VFIO_MIGRATION_PRE_COPY)
		must(vfio_mig_set(&dev, MIG_PRE_COPY, NULL));
	must(vfio_mig_set(&dev, MIG_STOP_COPY, NULL));
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	now_has(&f, "cancelled_out", N(1), NULL);

	/* a source that leaves before all was read, a destination that is reset */
	f = look(VF_A);
	must(vfio_mig_set(&dev, MIG_STOP_COPY, NULL));
	must(vfio_reset(&dev));
	now_has(&f, "cancelled_out", N(1), "resets", N(1), NULL);
	f = look(VF_A);
	must(vfio_mig_set(&dev, MIG_RESUMING, NULL));
	must(vfio_reset(&dev));
	now_has(&f, "cancelled_in", N(1), "resets", N(1), NULL);
}

static void refused(const void *arg)
{
	char byte[4096] = "not a stream", policy[64], limit[24];
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	struct figures f;
	int fd, err;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));

	f = look(VF_C);
	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	check_eq(write(fd, byte, sizeof(byte)), -1, "writing no stream");
	check_eq(write(fd, byte, sizeof(byte)), -1, "and once more");
	now_has(&f, "refused_stream", N(1), NULL);
	check(vfio_mig_set(&b, MIG_STOP, NULL), "no stream was accepted");
	close(fd);
	must(vfio_reset(&b));
	now_has(&f, "refused_stream", N(1), "arcs_failed", N(1), "errors", N(1),
		"resets", N(1), NULL);

	f = look(VF_C);
	model_set(1, "lm-fail=%s=0x4006",
		  bed.set == SET_VENDOR ? "0xd5@1" : "0x41/2@1");
	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	check(mig_write(fd, s.data, s.len, 0), "a refused state was accepted");
	close(fd);
	model_set(1, "lm-fail=");
	must(vfio_reset(&b));
	now_has(&f, "refused_device", N(1), "resets", N(1), NULL);

	vfio_close(&b);
	model_set(1, "lm-model=Another");
	bed_open(&b, VF_C, &w->mem);
	f = look(VF_C);
	must(vfio_mig_set(&b, MIG_RESUMING, &fd));
	check(mig_write(fd, s.data, s.len, 0), "another model's was accepted");
	close(fd);
	must(vfio_reset(&b));
	now_has(&f, "refused_identity", N(1), "resets", N(1), NULL);
	model_set(1, "lm-model=");
	vfio_close(&b);

	/* at the source: nothing can be too small for a limit of nothing */
	must(vfio_reset(&a));
	f = look(VF_A);
	snprintf(limit, sizeof(limit), "%ld", bed.max_state_mb);
	must(sysfs_write("0", "%s", CAP_PARAM));
	err = vfio_mig_set(&a, MIG_STOP_COPY, NULL);
	must(sysfs_write(limit, "%s", CAP_PARAM));
	check(err, "a large state was read");
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	now_has(&f, "refused_size", N(1), "arcs_failed", N(1), NULL);

	if (bed.set == SET_VENDOR)
		return;
	snprintf(policy, sizeof(policy), "%.15s format=54321", bed.pf[0].bdf);
	must(sysfs_write(policy, POLICY));
	f = look(VF_A);
	err = vfio_mig_set(&a, MIG_STOP_COPY, NULL);
	must(sysfs_write(bed.pf[0].bdf, POLICY));
	check(err, "any format will do");
	now_has(&f, "refused_format", N(1), "arcs_failed", N(1), NULL);
}

static void commands(const void *arg)
{
	bool vendor = bed.set == SET_VENDOR;
	unsigned long long n[CLASSES], us, quick = 0, slow = 0;
	struct figures f, g;
	struct vfio_dev dev;
	unsigned int i;

	(void)arg;
	solo_open(&dev, VF_A, NULL);
	model_set(0, "lm-suspend-delay-ms=%d", DELAY_MS);
	model_set(0, "lm-resume-delay-ms=%d", DELAY_MS);
	f = look(VF_A);
	must(vfio_mig_set(&dev, MIG_RUNNING_P2P, NULL));
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	g = look(VF_A);
	model_set(0, "lm-suspend-delay-ms=0");
	model_set(0, "lm-resume-delay-ms=0");
	for (i = 0; i < CLASSES; i++) {
		n[i] = of_vf(&g, classes[i]) - of_vf(&f, classes[i]);
		*(i < SLOW ? &quick : &slow) += n[i];
	}
	us = of_vf(&g, "commands_us") - of_vf(&f, "commands_us");
	check_eq(slow, 2, "slow commands");
	check_eq(quick, 0, "quick commands");
	check(us >= 2 * LEAST_US, "they took %llu us", us);

	/* one that fails is a command as well, and its arc has failed */
	f = look(VF_A);
	model_set(0, "lm-fail=%s=0x4006", vendor ? "0xc8@1" : "0x41/0@1");
	check(vfio_mig_set(&dev, MIG_RUNNING_P2P, NULL), "a Suspend that fails gave 0");
	model_set(0, "lm-fail=");
	now_has(&f, "arcs_failed", N(1), NULL);
}

/* a VF keeps its figures when it is closed, and when it leaves the driver */
static void kept(const void *arg)
{
	const char *bdf = bed.pf[0].vf[0];
	struct figures f, g;
	struct vfio_dev dev;
	struct workload *w;
	unsigned long long n, m;

	(void)arg;
	w = solo_open(&dev, VF_A, NULL);
	must(vfio_mig_set(&dev, MIG_STOP_COPY, NULL));
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	f = look(VF_A);
	again(w, &dev, VF_A);
	g = look(VF_A);
	check_eq(of_vf(&g, "cancelled_out"), of_vf(&f, "cancelled_out"),
		 "cancelled_out after it was opened again");
	check(of_vf(&g, "resets") > of_vf(&f, "resets"),
	      "to open a VF does not reset it");
	vfio_close(&dev);
	must(topo_rebind(bdf));
	g = look(VF_A);
	check_eq(of_vf(&g, "cancelled_out"), of_vf(&f, "cancelled_out"),
		 "cancelled_out after it was bound again");
	check(of_pf(&f, "cancelled_out", &n) && of_pf(&g, "cancelled_out", &m) &&
	      n == m, "cancelled_out of the PF has changed");
}

/* @want: all that is in quarantine, a line each */
static void in_quarantine(const char *want)
{
	char text[TEXT_MAX];

	check(sysfs_read(text, sizeof(text), QUARANTINE) >= 0, "no quarantine");
	check(!strcmp(text, want), "in quarantine: expected '%s', it is '%s'",
	      want, text);
}

/* what other cases have left there */
static void end_all(void)
{
	char text[TEXT_MAX], *line, *rest = text;

	check(sysfs_read(text, sizeof(text), QUARANTINE) >= 0, "no quarantine");
	while ((line = strsep(&rest, "\n"))) {
		line[strcspn(line, " ")] = 0;
		if (*line)
			must(sysfs_write(line, QUARANTINE));
	}
	in_quarantine("");
}

/* from ERROR until a reset, and whatever is written */
static void quarantine(const void *arg)
{
	const char *vf = bed.pf[0].vf[0], *pf = bed.pf[0].bdf;
	char byte[64] = "not a stream", line[64], policy[64];
	struct vfio_dev dev;
	struct workload *w;
	struct figures f;
	int fd, err;

	(void)arg;
	w = solo_open(&dev, VF_A, NULL);
	end_all();
	must(vfio_mig_set(&dev, MIG_RESUMING, &fd));
	check(mig_write(fd, byte, sizeof(byte), 0), "no stream was accepted");
	check(vfio_mig_set(&dev, MIG_STOP, NULL), "no stream was accepted");
	close(fd);
	snprintf(line, sizeof(line), "%.15s error", vf);
	in_quarantine(line);
	must(vfio_reset(&dev));
	/* a Resume is asked for, whose answer proves it */
	must(vfio_mig_set(&dev, MIG_STOP, NULL));
	in_quarantine("");
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));

	/* kept when the VF comes back to the driver, ended when it is opened */
	vfio_close(&dev);
	must(sysfs_write(line, QUARANTINE));
	must(topo_rebind(vf));
	in_quarantine(line);
	bed_open(&dev, VF_A, &w->mem);
	in_quarantine("");

	/* the PF's is ended by hand only, and refuses if the policy says so */
	snprintf(line, sizeof(line), "%.15s reset", pf);
	must(sysfs_write(line, QUARANTINE));
	in_quarantine(line);
	must(vfio_mig_set(&dev, MIG_STOP_COPY, NULL));
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	snprintf(policy, sizeof(policy), "%.15s quarantine=refuse", pf);
	must(sysfs_write(policy, POLICY));
	f = look(VF_A);
	err = vfio_mig_set(&dev, MIG_RESUMING, NULL);
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	check_eq(err, -EPERM, "a migration in");
	err = vfio_mig_set(&dev, MIG_STOP_COPY, NULL);
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	check_eq(err, -EPERM, "a migration out");
	now_has(&f, "refused_quarantine", N(2), "arcs_failed", N(2), NULL);
	must(vfio_reset(&dev));
	in_quarantine(line);
	must(sysfs_write(pf, QUARANTINE));
	in_quarantine("");
	must(vfio_mig_set(&dev, MIG_STOP_COPY, NULL));
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	must(sysfs_write(pf, POLICY));

	check_eq(sysfs_write("0000:01:00.1 nonsense", QUARANTINE), -EINVAL, "a word");
	check_eq(sysfs_write("0000:01", QUARANTINE), -EINVAL, "no address");
	in_quarantine("");
}

/* a Suspend that a reset of the PF aborts */
static void pf_reset(const void *arg)
{
	struct beside suspend = { 0 };
	struct vfio_dev dev;
	char text[TEXT_MAX], line[64];
	struct figures f;

	(void)arg;
	solo_open(&dev, VF_A, NULL);
	end_all();
	f = look(VF_A);
	model_set(0, "lm-suspend-delay-ms=2000");
	beside_arc(&suspend, &dev, MIG_RUNNING_P2P);
	model_await(VF_A, "suspending");
	must(sysfs_write("1", "/sys/class/nvme/%s/reset_controller",
			 bed.pf[0].name));
	check(beside_end(&suspend), "a Suspend that was aborted gave 0");
	model_set(0, "lm-suspend-delay-ms=0");
	bed_online(0);
	now_has(&f, "commands_aborted", N(1), "arcs_failed", N(1), "errors",
		N(1), NULL);
	must(sysfs_read(text, sizeof(text), QUARANTINE) <= 0 ? -EIO : 0);
	snprintf(line, sizeof(line), "%.15s error", bed.pf[0].vf[0]);
	check(strstr(text, line), "no '%s' in '%s'", line, text);
	snprintf(line, sizeof(line), "%.15s reset", bed.pf[0].bdf);
	check(strstr(text, line), "no '%s' in '%s'", line, text);
	must(vfio_reset(&dev));
	must(vfio_mig_set(&dev, MIG_STOP, NULL));
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	in_quarantine(line);
	must(sysfs_write(bed.pf[0].bdf, QUARANTINE));
	in_quarantine("");
}

const struct tap_case figures_cases[] = {
	{ .name = "sysfs: figures: out and in", .fn = one_migration },
	{ .name = "sysfs: figures: cancelled", .fn = cancelled },
	{ .name = "sysfs: figures: refused", .fn = refused, .log = "" },
	{ .name = "sysfs: figures: commands", .fn = commands, .log = "" },
	{ .name = "sysfs: figures: kept", .fn = kept },
	{ .name = "sysfs: quarantine", .fn = quarantine, .log = "" },
	{ .name = "sysfs: quarantine: PF reset", .fn = pf_reset, .log = "" },
	{ }
};
