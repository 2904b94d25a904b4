// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-sysfs.c - what the driver says about a VF in sysfs (docs/ABI.md): each
 * value, in each state, while all sorts of things happen, and without waiting
 * for any of them.
 */
#define _GNU_SOURCE	/* RUSAGE_THREAD */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bed-vfs.h"
#include "beside.h"
#include "cases.h"
#include "move.h"
#include "vfio_log.h"

#define DIR_FMT		"/sys/bus/pci/devices/%.15s/nvme_vfio"
#define VALUE_MAX	2048
#define SUSPEND_MS	2000
#define LONGEST_US	(SUSPEND_MS * 1000 / 4)
#define FEW		3	/* rounds of reads in a Suspend, at least */
#define ROUNDS		6

/* everything that there is */
static const char * const names[] = {
	"command_set", "cntlid", "format", "tracking", "migratable", "reason",
	"state", "last_error", "figures",
};

#define NAMES	(sizeof(names) / sizeof(names[0]))

static const char *vf_of(struct place at)
{
	return bed.pf[at.pf].vf[at.vf];
}

/* Return: until the next call */
static const char *value(struct place at, const char *name)
{
	static char text[VALUE_MAX];
	int len = sysfs_read(text, sizeof(text), DIR_FMT "/%s", vf_of(at), name);

	check(len >= 0, "%s of %s cannot be read: %d", name, vf_of(at), len);
	return text;
}

static void is(struct place at, const char *name, const char *want)
{
	const char *have = value(at, name);

	check(!strcmp(have, want), "%s: expected '%s', it is '%s'", name, want,
	      have);
}

static void begins(struct place at, const char *name, const char *want)
{
	const char *have = value(at, name);

	check(!strncmp(have, want, strlen(want)),
	      "%s: expected '%s...', it is '%s'", name, want, have);
}

/* some kernels have no names of errors */
static void failed(struct place at, int err, const char *name, const char *what)
{
	const char *have = value(at, "last_error");
	char number[16];
	size_t len = strlen(name);

	snprintf(number, sizeof(number), "-%d", err);
	if (strncmp(have, name, len)) {
		name = number;
		len = strlen(name);
	}
	check(!strncmp(have, name, len) && have[len] == ' ' &&
	      !strncmp(have + len + 1, what, strlen(what)),
	      "last_error: expected '%s %s...', it is '%s'", name, what, have);
}

/* the files are those that are known here, and nobody may write to them */
static void files_are_right(struct place at)
{
	char folder[96], path[400];
	unsigned int i, n = 0;
	struct dirent *e;
	struct stat st;
	DIR *dir;

	snprintf(folder, sizeof(folder), DIR_FMT, vf_of(at));
	dir = opendir(folder);
	check(dir, "no %s", folder);
	while ((e = readdir(dir))) {
		if (*e->d_name == '.')
			continue;
		for (i = 0; i < NAMES && strcmp(names[i], e->d_name); i++)
			;
		check(i < NAMES, "%s is not known", e->d_name);
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		check(!stat(path, &st), "no %s", path);
		check_eq(st.st_mode & 07777, 0444, e->d_name);
		check_eq(sysfs_write("RUNNING", "%s", path), -EACCES, path);
		n++;
	}
	closedir(dir);
	check_eq(n, NAMES, "files");
}

/* VERSION:UUID */
static bool is_format(const char *s)
{
	static const char uuid[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	unsigned int i;

	while (isdigit((unsigned char)*s))
		s++;
	if (*s++ != ':' || strlen(s) != strlen(uuid))
		return false;
	for (i = 0; uuid[i]; i++)
		if (uuid[i] == '-' ? s[i] != '-' :
		    !isxdigit((unsigned char)s[i]) || isupper((unsigned char)s[i]))
			return false;
	return true;
}

static void good_vf(const void *arg)
{
	const struct place at = VF_A;
	char cntlid[16], policy[200];
	struct vfio_dev dev;
	struct workload *w;
	bool log;

	(void)arg;
	files_are_right(at);
	w = workload_new();
	bed_open(&dev, at, &w->mem);
	log = vfio_log_supported(&dev);
	is(at, "migratable", "yes");
	is(at, "reason", "");
	is(at, "command_set", bed_set_name(bed.set));
	snprintf(cntlid, sizeof(cntlid), "%u", vfs_cntlid(at.pf, at.vf));
	is(at, "cntlid", cntlid);
	is(at, "tracking", log ? "yes" :
	   bed.set == SET_VENDOR ? "no: device" : "no: kernel");
	is(at, "state", "RUNNING");
	is(at, "last_error", "");
	if (bed.set == SET_VENDOR) {
		is(at, "format", "none");
		return;
	}
	check(is_format(value(at, "format")), "format is '%s'",
	      value(at, "format"));

	/* the policy accepts it as it is, and another policy changes it */
	snprintf(policy, sizeof(policy), "%.15s format=%.100s", bed.pf[at.pf].bdf,
		 value(at, "format"));
	must(sysfs_write(policy, POLICY));
	again(w, &dev, at);
	is(at, "migratable", "yes");
	check(is_format(value(at, "format")), "format is '%s'",
	      value(at, "format"));
	snprintf(policy, sizeof(policy), "%.15s format=54321", bed.pf[at.pf].bdf);
	must(sysfs_write(policy, POLICY));
	again(w, &dev, at);
	is(at, "format", "none");
	is(at, "migratable", "not now");
	begins(at, "reason", "the PF does not list the format= of the policy");
	must(sysfs_write(bed.pf[at.pf].bdf, POLICY));
	again(w, &dev, at);
	is(at, "migratable", "yes");
	is(at, "reason", "");
}

static void cannot(struct place at, const char *reason)
{
	files_are_right(at);
	is(at, "migratable", "no");
	begins(at, "reason", reason);
	is(at, "command_set", "none");
	is(at, "cntlid", "unknown");
	is(at, "format", "none");
	is(at, "tracking", "no: migration");
	is(at, "state", "none");
	is(at, "last_error", "");
	is(at, "figures", "");
}

/* found out when it is bound, and valid as long as it is bound */
static void incapable_pf(const void *arg)
{
	const struct place at = VF_A;
	struct vfio_dev dev;
	struct workload *w;

	(void)arg;
	model_set(at.pf, "lm=off");
	is(at, "migratable", "yes");
	must(topo_rebind(vf_of(at)));
	cannot(at, "the PF offers no migration commands");
	w = workload_new();
	bed_open(&dev, at, &w->mem);
	cannot(at, "the PF offers no migration commands");
	vfio_close(&dev);
	model_set(at.pf, "lm=%s", bed_set_name(bed.set));
	cannot(at, "the PF offers no migration commands");
	must(topo_rebind(vf_of(at)));
	is(at, "migratable", "yes");
	is(at, "reason", "");
	is(at, "state", "RUNNING");
}

/* a PF without a driver when the VF is bound is asked when the VF is opened */
static void absent_pf(const void *arg)
{
	const struct place at = VF_A;
	struct vfio_dev dev;
	struct workload *w = workload_new();

	(void)arg;
	pf_driver(at.pf, "unbind");
	must(topo_rebind(vf_of(at)));
	files_are_right(at);
	is(at, "migratable", "not now");
	is(at, "reason", "the PF is not bound to nvme");
	is(at, "command_set", "unknown");
	is(at, "cntlid", "unknown");
	is(at, "format", "unknown");
	is(at, "tracking", "unknown");
	pf_driver(at.pf, "bind");
	bed_online(at.pf);
	is(at, "migratable", "not now");
	bed_open(&dev, at, &w->mem);
	is(at, "migratable", "yes");
	is(at, "reason", "");
	is(at, "command_set", bed_set_name(bed.set));
	vfio_close(&dev);
	is(at, "migratable", "yes");
}

static void same_state(struct vfio_dev *dev, struct place at)
{
	unsigned int state;

	must(vfio_mig_get(dev, &state));
	is(at, "state", mig_name(state));
}

static void go(struct vfio_dev *dev, struct place at, unsigned int state,
	       int *fd)
{
	must(vfio_mig_set(dev, state, fd));
	same_state(dev, at);
	is(at, "state", mig_name(state));
}

static void each_state(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	uint64_t flags;
	int fd;

	(void)arg;
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	must(vfio_mig_flags(&a, &flags));
	if (flags & VFIO_MIGRATION_PRE_COPY) {
		go(&a, VF_A, MIG_PRE_COPY, NULL);
		go(&a, VF_A, MIG_PRE_COPY_P2P, NULL);
		go(&a, VF_A, MIG_PRE_COPY, NULL);
		go(&a, VF_A, MIG_RUNNING, NULL);
	}
	go(&a, VF_A, MIG_RUNNING_P2P, NULL);
	go(&a, VF_A, MIG_STOP, NULL);
	go(&a, VF_A, MIG_STOP_COPY, &fd);
	must(mig_read(fd, &s, SIZE_MAX));
	close(fd);
	go(&a, VF_A, MIG_STOP, NULL);
	go(&b, VF_C, MIG_RESUMING, &fd);
	must(mig_write(fd, s.data, s.len, 0));
	go(&b, VF_C, MIG_STOP, NULL);
	close(fd);
	must(nvme_rebind(&w->ctrl, &b));
	go(&b, VF_C, MIG_RUNNING_P2P, NULL);
	go(&b, VF_C, MIG_RUNNING, NULL);
	workload_check(w);

	/* left by a reset, by a reset of its bus, and by closing */
	must(vfio_reset(&a));
	is(VF_A, "state", "RUNNING");
	go(&a, VF_A, MIG_STOP, NULL);
	must(vfio_reset(&a));
	is(VF_A, "state", "RUNNING");
	go(&a, VF_A, MIG_STOP, NULL);
	vfio_close(&a);
	is(VF_A, "state", "RUNNING");
}

static void failures(const void *arg)
{
	bool vendor = bed.set == SET_VENDOR;
	struct vfio_dev dev;
	char byte[4096] = "not a stream";
	struct workload *w;
	int fd;

	(void)arg;
	w = solo_open(&dev, VF_A, NULL);
	model_set(0, "lm-fail=%s=0x4006", vendor ? "0xc8@1" : "0x41/0@1");
	check(vfio_mig_set(&dev, MIG_RUNNING_P2P, NULL), "a Suspend that fails gave 0");
	failed(VF_A, EIO, "-EIO", vendor ?
	       "RUNNING -> RUNNING_P2P, command c8h, status 006h" :
	       "RUNNING -> RUNNING_P2P, command 41h, status 006h");
	same_state(&dev, VF_A);
	is(VF_A, "migratable", "yes");

	/* a success does not clear it, a later failure does */
	model_set(0, "lm-fail=");
	go(&dev, VF_A, MIG_STOP, NULL);
	failed(VF_A, EIO, "-EIO", "RUNNING -> RUNNING_P2P, ");
	model_set(0, "lm-fail=%s=0x4002", vendor ? "0xd2@1" : "0x42/0@1");
	check(vfio_mig_set(&dev, MIG_STOP_COPY, NULL), "a state that cannot be read was");
	failed(VF_A, EIO, "-EIO", vendor ?
	       "STOP -> STOP_COPY, command d2h, status 002h" :
	       "STOP -> STOP_COPY, command 42h, status 002h");
	model_set(0, "lm-fail=");
	must(vfio_reset(&dev));
	failed(VF_A, EIO, "-EIO", "STOP -> STOP_COPY, ");

	/* it names what was refused, not that the stream had no end */
	go(&dev, VF_A, MIG_RESUMING, &fd);
	check_eq(write(fd, byte, sizeof(byte)), -1, "writing no stream");
	failed(VF_A, EINVAL, "-EINVAL", "writing the state: ");
	check_eq(vfio_mig_set(&dev, MIG_STOP, NULL), -EINVAL, "the end of no stream");
	failed(VF_A, EINVAL, "-EINVAL", "writing the state: ");
	is(VF_A, "state", "ERROR");
	same_state(&dev, VF_A);
	close(fd);
	must(vfio_reset(&dev));
	is(VF_A, "state", "RUNNING");

	go(&dev, VF_A, MIG_RESUMING, &fd);
	check_eq(vfio_mig_set(&dev, MIG_STOP, NULL), -EINVAL, "the end of an empty stream");
	failed(VF_A, EINVAL, "-EINVAL", "RESUMING -> STOP");
	close(fd);

	vfio_close(&dev);
	failed(VF_A, EINVAL, "-EINVAL", "RESUMING -> STOP");
	bed_open(&dev, VF_A, &w->mem);
	is(VF_A, "last_error", "");
	is(VF_A, "state", "RUNNING");
}

/* -- read all the time ------------------------------------------------------- */

/**
 * struct reader - a thread that reads all files of a VF
 * @at: the VF
 * @stop: it is to end
 * @rounds: how often it has read them all
 * @longest_us: one read in which it slept; that an emulated host stands still
 * at times, with whoever runs, does not count
 * @gone: how often a file was not there
 * @bad: a value that must not be; empty = none
 */
struct reader {
	struct place at;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint rounds;
	uint64_t longest_us;
	unsigned int gone;
	char bad[VALUE_MAX + 32];
};

static bool one_of(const char *text, const char *words)
{
	const char *s = words;
	size_t len = strlen(text);

	for (;; s = strchr(s, '|') + 1) {
		if (!strncmp(s, text, len) && (s[len] == '|' || !s[len]))
			return true;
		if (!strchr(s, '|'))
			return false;
	}
}

/* lines of NAME VALUE, the last as well; or none */
static bool are_figures(const char *text)
{
	while (*text) {
		size_t name = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
		size_t digits;

		if (!name || text[name] != ' ')
			return false;
		text += name + 1;
		digits = strspn(text, "0123456789");
		if (!digits || (text[digits] && text[digits] != '\n'))
			return false;
		text += digits + !!text[digits];
	}
	return true;
}

static bool may_be(const char *name, const char *text)
{
	if (!strcmp(name, "command_set"))
		return one_of(text, "standard|vendor|none|unknown");
	if (!strcmp(name, "cntlid"))
		return !strcmp(text, "unknown") ||
		       strspn(text, "0123456789") == strlen(text);
	if (!strcmp(name, "format"))
		return one_of(text, "none|unknown") || is_format(text);
	if (!strcmp(name, "tracking"))
		return one_of(text, "yes|no: device|no: kernel|no: migration|unknown");
	if (!strcmp(name, "migratable"))
		return one_of(text, "yes|no|not now");
	if (!strcmp(name, "state"))
		return one_of(text, "ERROR|STOP|RUNNING|STOP_COPY|RESUMING|RUNNING_P2P|PRE_COPY|PRE_COPY_P2P|none");
	if (!strcmp(name, "last_error"))
		return !*text || *text == '-';
	if (!strcmp(name, "figures"))
		return are_figures(text);
	return strlen(text) < 256 && !strchr(text, '\n');
}

/* how often this thread has slept, not counting waits for a processor */
static long sleeps(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nvcsw;
}

static void *read_on(void *arg)
{
	struct reader *r = arg;
	char text[VALUE_MAX];
	uint64_t began, took;
	unsigned int i;
	long slept;
	int len;

	while (!r->stop) {
		for (i = 0; i < NAMES; i++) {
			slept = sleeps();
			began = now_us();
			len = sysfs_read(text, sizeof(text), DIR_FMT "/%s",
					 vf_of(r->at), names[i]);
			took = now_us() - began;
			if (took > r->longest_us && sleeps() != slept)
				r->longest_us = took;
			if (len == -ENOENT || len == -ENODEV)
				r->gone++;
			else if (len < 0)
				snprintf(r->bad, sizeof(r->bad), "%s: %d",
					 names[i], len);
			else if (!may_be(names[i], text))
				snprintf(r->bad, sizeof(r->bad), "%s: '%s'",
					 names[i], text);
		}
		r->rounds++;
	}
	return NULL;
}

static void reader_start(struct reader *r, struct place at)
{
	memset(r, 0, sizeof(*r));
	r->at = at;
	check(!pthread_create(&r->thread, NULL, read_on, r), "no thread");
	while (!r->rounds)
		sleep_us(1000);
}

static void reader_end(struct reader *r)
{
	r->stop = true;
	pthread_join(r->thread, NULL);
	tap_note("%u rounds, longest wait %llu us, %u times not there",
		 (unsigned int)r->rounds, (unsigned long long)r->longest_us,
		 r->gone);
	check(!*r->bad, "read: %s", r->bad);
}

static void amid_suspend(const void *arg)
{
	struct beside suspend = { 0 };
	unsigned int rounds;
	struct vfio_dev dev;
	struct workload *w;
	struct reader r;

	(void)arg;
	w = solo_open(&dev, VF_A, NULL);
	model_set(0, "lm-suspend-delay-ms=%d", SUSPEND_MS);
	reader_start(&r, VF_A);
	beside_arc(&suspend, &dev, MIG_RUNNING_P2P);
	model_await(VF_A, "suspending");
	rounds = r.rounds;
	while (!suspend.done && r.rounds < rounds + FEW)
		sleep_us(1000);
	/* the Suspend is in flight, and sysfs says so */
	check(!suspend.done, "the Suspend has ended before it was read");
	is(VF_A, "state", "RUNNING");
	is(VF_A, "last_error", "");
	must(beside_end(&suspend));
	is(VF_A, "state", "RUNNING_P2P");
	model_set(0, "lm-suspend-delay-ms=0");
	reader_end(&r);
	check(r.longest_us < LONGEST_US, "a read waited for %llu us",
	      (unsigned long long)r.longest_us);
	check(!r.gone, "files were not there");
	go(&dev, VF_A, MIG_RUNNING, NULL);
	workload_check(w);
	workload_event(w);
}

static void amid_all(const void *arg)
{
	struct reader r[2];
	unsigned int round;
	struct vfio_dev dev;
	struct workload *w = workload_new();

	(void)arg;
	reader_start(&r[0], VF_A);
	reader_start(&r[1], VF_A);
	for (round = 0; round < ROUNDS; round++) {
		bed_open(&dev, VF_A, &w->mem);
		must(vfio_mig_set(&dev, MIG_STOP_COPY, NULL));
		must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
		must(vfio_mig_set(&dev, MIG_RUNNING_P2P, NULL));
		must(vfio_reset(&dev));
		must(vfio_mig_set(&dev, MIG_RESUMING, NULL));
		must(vfio_reset(&dev));
		vfio_close(&dev);
		must(topo_rebind(vf_of(VF_A)));
	}
	reader_end(&r[0]);
	reader_end(&r[1]);
	is(VF_A, "migratable", "yes");
	is(VF_A, "state", "RUNNING");
	bed_open(&dev, VF_A, &w->mem);
	alive(&dev, VF_A);
}

/* a VF that is to leave has no files, however long its user stays */
static void amid_unbind(const void *arg)
{
	const char *bdf = vf_of(VF_A);
	struct beside unbind = { 0 };
	char text[VALUE_MAX];
	struct vfio_dev dev;
	struct workload *w;
	struct reader r;

	(void)arg;
	w = solo_open(&dev, VF_A, NULL);
	reader_start(&r, VF_A);
	beside_unbind(&unbind, bdf);
	while (sysfs_read(text, sizeof(text), DIR_FMT "/state", bdf) != -ENOENT)
		sleep_us(1000);
	must(vfio_mig_set(&dev, MIG_STOP, NULL));
	must(vfio_mig_set(&dev, MIG_RUNNING, NULL));
	workload_check(w);
	vfio_close(&dev);
	must(beside_end(&unbind));
	reader_end(&r);
	check(r.gone, "the files were always there");
	must(sysfs_write(bdf, "/sys/bus/pci/drivers_probe"));
	is(VF_A, "migratable", "yes");
	is(VF_A, "last_error", "");
}

const struct tap_case sysfs_cases[] = {
	{ .name = "sysfs: a good VF", .fn = good_vf, .quick = true },
	{ .name = "sysfs: a VF of an incapable PF", .fn = incapable_pf },
	{ .name = "sysfs: a VF of a PF without driver", .fn = absent_pf },
	{ .name = "sysfs: each state", .fn = each_state },
	{ .name = "sysfs: what failed last", .fn = failures, .log = "" },
	{ .name = "sysfs: read while a Suspend is in flight",
	  .fn = amid_suspend },
	{ .name = "sysfs: read while VFs go from state to state, are reset and bound again",
	  .fn = amid_all, .limit_s = 60 },
	{ .name = "sysfs: read while a VF is to leave", .fn = amid_unbind,
	  .log = "No device request channel registered" },
	{ }
};
