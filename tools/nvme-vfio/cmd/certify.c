// SPDX-License-Identifier: GPL-2.0-only
/*
 * certify.c - "certify": do a drive's migration commands work as they must?
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/lock.h"
#include "certify/cert.h"
#include "certify/cert_record.h"
#include "certify/cert_report.h"
#include "cmd.h"
#include "host/busy.h"
#include "host/host.h"
#include "host/pf_query.h"
#include "util.h"

#define ROUNDS		20
#define STEP_MAX	(128u << 10)	/* bytes; an IOMMU may keep the kernel from more */
#define RULES_MAX	256

struct certify_options {
	char *pf;
	const char *vf[CERT_VFS];
	unsigned int nvf;
	const char *set;
	const char *only;
	unsigned int rounds;
	uint32_t destroy;
	bool shared;
	bool recover;
	bool rules;
	bool tap;
};

enum { OPT_VF = 256, OPT_SET, OPT_ONLY, OPT_SHARED, OPT_DESTROY, OPT_RECOVER, OPT_ROUNDS,
	OPT_RULES, OPT_TAP };

static const struct argp_option options[] = {
	{ "vf", OPT_VF, "VF", 0, "A VF to use; give it twice for two. By default the first free ones",
			0 },
	{ "set", OPT_SET, "standard|vendor", 0, "Command set, by default the one that the PF has", 0 },
	{ "only", OPT_ONLY, "GLOB", 0, "Only rules whose ids match, such as 'susp-*'", 0 },
	{ "rounds", OPT_ROUNDS, "N", 0, "Round trips of endure-rounds (20)", 0 },
	{ "destroy-data", OPT_DESTROY, "NSID", 0,
			"Write to this namespace as well: what is on its first 4 MiB is lost",
			0 },
	{ "shared", OPT_SHARED, NULL, 0, "Run even if the drive is in use", 0 },
	{ "recover", OPT_RECOVER, NULL, 0, "Only make sure that no VF of the PF stays suspended or tracked", 0 },
	{ "rules", OPT_RULES, NULL, 0, "Only list the rules", 0 },
	{ "tap", OPT_TAP, NULL, 0, "Print the result as TAP", 0 },
	{ }
};

static unsigned long number(const char *arg, unsigned long max, struct argp_state *state,
		const char *what)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (!*arg || *end || errno || !n || n > max)
		argp_error(state, "%s: %s must be a number from 1 to %lu", arg, what, max);
	return n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct certify_options *o = state->input;

	switch (key) {
	case OPT_VF:
		if (o->nvf == CERT_VFS)
			argp_error(state, "two VFs at most");
		o->vf[o->nvf++] = arg;
		return 0;
	case OPT_SET:
		if (strcmp(arg, "standard") && strcmp(arg, "vendor"))
			argp_error(state, "%s: --set is standard or vendor", arg);
		o->set = arg;
		return 0;
	case OPT_ONLY:
		o->only = arg;
		return 0;
	case OPT_ROUNDS:
		o->rounds = number(arg, 1000000, state, "--rounds");
		return 0;
	case OPT_DESTROY:
		o->destroy = number(arg, 0xfffffffe, state, "--destroy-data");
		return 0;
	case OPT_SHARED:
		o->shared = true;
		return 0;
	case OPT_RECOVER:
		o->recover = true;
		return 0;
	case OPT_RULES:
		o->rules = true;
		return 0;
	case OPT_TAP:
		o->tap = true;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_error(state, "name only one PF");
		o->pf = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->pf && !o->rules)
			argp_error(state, "which PF?");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = options, .parser = parse, .args_doc = "PF",
	.doc = "Checks the migration commands of a drive, rule by rule, without any VM: "
	       "by commands to its PF, and with one or two VFs that are bound to vfio-pci "
	       "or " TOOL_DRIVER ". The whole drive must be idle. Nothing is written to it "
	       "unless --destroy-data is given.",
};

static void on_signal(int number)
{
	(void)number;
	cert_interrupted = 1;
}

/* -- the drive ----------------------------------------------------------------- */

static int take_vf(struct cert *c, struct host_fn *pf, struct host_fn *vf)
{
	struct cert_vf *v = &c->vf[c->nvf++];

	if (vf->pf != pf)
		return fail(TOOL_NODEV, "%s: not a VF of %s", vf->bdf, pf->bdf);
	if (!host_is_vfio(vf->driver))
		return fail(TOOL_NODEV,
				"%s: not bound to a VFIO driver: " TOOL_NAME " bind -d vfio-pci %s",
			    vf->bdf, vf->bdf);
	snprintf(v->bdf, sizeof(v->bdf), "%s", vf->bdf);
	v->cntlid = vf->cntlid;
	v->vfn = vf->vfn;
	return busy_quick(vf->bdf);
}

static int take_vfs(struct cert *c, struct host *h, struct host_fn *pf,
		const struct certify_options *o)
{
	struct host_fn *fn;
	unsigned int i;
	size_t k;
	int err;

	for (i = 0; i < o->nvf; i++) {
		err = host_find_vf(h, o->vf[i], &fn);
		if (!err)
			err = take_vf(c, pf, fn);
		if (err)
			return err;
		if (i && !strcmp(c->vf[0].bdf, c->vf[i].bdf))
			return fail(TOOL_USAGE, "%s: named twice", fn->bdf);
	}
	for (k = 0; !o->nvf && c->nvf < CERT_VFS && k < h->n; k++) {
		fn = &h->fn[k];
		if (fn->pf != pf || !host_is_vfio(fn->driver) || (fn->listed && !fn->online) ||
		    busy_is_open(fn->bdf))
			continue;
		err = take_vf(c, pf, fn);
		if (err)
			return err;
	}
	if (!c->nvf)
		return fail(TOOL_NODEV,
				"%s: no VF of it is free and bound to a VFIO driver: " TOOL_NAME " apply, or " TOOL_NAME " bind -d vfio-pci VF",
			    pf->bdf);
	return TOOL_OK;
}

/* A command that is not completed makes nvme reset the whole drive. */
static int is_idle(struct host *h, const struct host_fn *pf, bool shared)
{
	int err = busy_quick(pf->bdf);
	size_t k;

	for (k = 0; !err && k < h->n; k++)
		if (h->fn[k].pf == pf && *h->fn[k].driver)
			err = busy_quick(h->fn[k].bdf);
	if (!err)
		return TOOL_OK;
	if (!shared)
		return fail(err,
				"%s: a drive that fails may be reset, with everything that uses it; --shared runs the rules anyway",
			    pf->bdf);
	warn("%s: in use, running anyway: if a command hangs, the drive is reset, with everything that uses it",
	     pf->bdf);
	return TOOL_OK;
}

/* Without it, what the PF has, whatever the driver's parameters let it use. */
static int choose_set(struct cert *c, const struct certify_options *o)
{
	if (o->set)
		c->set = !strcmp(o->set, "vendor") ? CERT_VENDOR : CERT_STANDARD;
	else if (lm_says_standard(lm_le16(c->id + 256)))
		c->set = CERT_STANDARD;
	else if (lm_says_vendor(c->id[3072]))
		c->set = CERT_VENDOR;
	else
		return fail(TOOL_LIMIT, "%s: %s", c->pf, LM_NO_COMMANDS);
	return TOOL_OK;
}

static int look(struct cert *c, const struct host_fn *pf, const struct certify_options *o)
{
	static struct cert_outcome here;
	const char *why;
	int ret;

	c->out = &here;
	ret = cert_identify(c, 1, 0, c->id);
	if (ret)
		return fail(TOOL_NODEV, "%s: Identify Controller: %s", pf->bdf, here.got);
	ret = choose_set(c, o);
	if (ret)
		return ret;
	if (c->set == CERT_STANDARD) {
		ret = cert_identify(c, 0x20, 0, c->formats);
		if (ret)
			return fail(TOOL_LIMIT,
					"%s: no migration commands of the standard: Identify, CNS 20h: %s",
				    pf->bdf, here.got);
		why = lm_find_format(c->formats, &c->format);
		if (why)
			warn("%s: %s", pf->bdf, why);
		c->tracks = c->id[576] & 1;
	}
	c->step = STEP_MAX;
	if (c->id[77] && (4096u << c->id[77]) < c->step)
		c->step = 4096u << c->id[77];
	return TOOL_OK;
}

static int open_drive(struct cert *c, struct host *h, struct host_fn *pf,
		const struct certify_options *o)
{
	char path[80];
	int err;

	err = is_idle(h, pf, o->shared);
	if (!err)
		err = pf_query(h, pf);
	if (!err)
		err = take_vfs(c, h, pf, o);
	if (err)
		return err;
	snprintf(c->pf, sizeof(c->pf), "%s", pf->bdf);
	snprintf(c->ctrl, sizeof(c->ctrl), "%s", pf->ctrl);
	snprintf(path, sizeof(path), "/dev/%s", pf->ctrl);
	c->fd = *pf->ctrl ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (c->fd < 0)
		return fail(TOOL_NODEV,
				"%s: the kernel's nvme driver has no controller for it: is the PF bound to nvme?", pf->bdf);
	c->nsid = o->destroy ? o->destroy : 1;
	c->write = o->destroy;
	c->rounds = o->rounds ? o->rounds : ROUNDS;
	return look(c, pf, o);
}

/* -- the rules ------------------------------------------------------------------- */

static const char *unfit(const struct cert *c, const struct cert_rule *rule)
{
	if (!(rule->needs & c->set))
		return "for the other command set";
	if (rule->needs & CERT_TRACKS && !c->tracks)
		return "the drive does not track memory (TRATTR)";
	if (rule->needs & CERT_TWO && c->nvf < 2)
		return "needs two free VFs";
	return NULL;
}

static size_t choose(const struct certify_options *o, struct cert_row *row)
{
	const struct cert_rule *const *list, *rule;
	size_t n = 0;

	for (list = cert_lists; *list; list++)
		for (rule = *list; rule->id && n < RULES_MAX; rule++)
			if (!o->only || !fnmatch(o->only, rule->id, 0))
				row[n++].rule = rule;
	return n;
}

static void progress(const struct cert_rule *rule, size_t i, size_t n)
{
	if (tool.quiet || !isatty(STDERR_FILENO))
		return;
	if (rule)
		fprintf(stderr, "\r\033[K%zu of %zu: %s", i + 1, n, rule->id);
	else
		fputs("\r\033[K", stderr);
	fflush(stderr);
}

static int run_all(struct cert *c, struct cert_row *row, size_t n)
{
	size_t i;
	int err = TOOL_OK;

	for (i = 0; i < n && !err && !cert_interrupted; i++) {
		const char *why = unfit(c, row[i].rule);

		if (why) {
			row[i].out->result = CERT_SKIP;
			snprintf(row[i].out->why, sizeof(row[i].out->why), "%s", why);
			continue;
		}
		progress(row[i].rule, i, n);
		err = cert_run(c, row[i].rule, row[i].out);
	}
	progress(NULL, 0, 0);
	return err;
}

static int verdict(const struct cert *c, const struct cert_row *row, size_t n)
{
	size_t i, failed = 0, must = 0;

	for (i = 0; i < n; i++) {
		failed += row[i].out->result == CERT_FAIL;
		must += row[i].out->result == CERT_FAIL && row[i].rule->severity != CERT_QUALITY;
	}
	if (cert_interrupted)
		return fail(TOOL_FAILED, "%s: interrupted; no VF is suspended or tracked", c->pf);
	if (must)
		return fail(TOOL_UNFIT, "%s: %zu of %zu rules are broken", c->pf, failed, n);
	return TOOL_OK;
}

static int certify(struct cert *c, const struct host_fn *pf, const struct certify_options *o)
{
	static struct cert_row row[RULES_MAX];
	size_t n = choose(o, row), i;
	struct cert_outcome *out;
	uint64_t start = now_us();
	int err, told;

	if (!n)
		return fail(TOOL_USAGE,
				"%s: matches no rule; all are listed by " TOOL_NAME " certify --rules",
				o->only);
	out = mmap(NULL, n * sizeof(*out), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (out == MAP_FAILED)
		return fail(TOOL_FAILED, "out of memory");
	for (i = 0; i < n; i++)
		row[i].out = &out[i];
	if (cert_record_is(c))
		warn("%s: the last run did not finish: restoring its VFs first",
				c->pf);
	err = cert_record_begin(c);
	if (!err)
		err = cert_settle(c);
	if (!err)
		err = run_all(c, row, n);
	if (!err)
		cert_record_end(c);
	told = TOOL_OK;
	if (o->tap)
		cert_tap(row, n);
	else
		told = cert_print(c, pf, row, n, (now_us() - start) / 1000000, !err &&
				!cert_interrupted);
	if (!err)
		err = told;
	return err ? err : verdict(c, row, n);
}

/* One VF after the other: all that are bound to a VFIO driver. */
static int recover(struct cert *c, struct host *h, struct host_fn *pf)
{
	int err = TOOL_OK, ret;
	size_t k, n = 0;

	for (k = 0; k < h->n; k++) {
		struct host_fn *vf = &h->fn[k];

		if (vf->pf != pf || !host_is_vfio(vf->driver) || busy_is_open(vf->bdf))
			continue;
		c->nvf = 1;
		snprintf(c->vf[0].bdf, sizeof(c->vf[0].bdf), "%s", vf->bdf);
		c->vf[0].cntlid = vf->cntlid;
		c->vf[0].vfn = vf->vfn;
		ret = cert_settle(c);
		err = err ? err : ret;
		n++;
	}
	if (!err)
		cert_record_end(c);
	if (!err)
		note("%s: %zu VFs are running, none is tracked", c->pf, n);
	return err;
}

static void listen_to_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

int cmd_certify(int argc, char **argv)
{
	struct certify_options o = { };
	struct host_fn *pf;
	static struct cert c;
	int err, lock = -1;
	struct host h;

	tool_parse(&argp, argc, argv, &o);
	if (o.rules)
		return cert_list_rules();
	err = need_root();
	if (err)
		return err;
	err = host_load(&h);
	if (!err)
		err = host_find_pf(&h, o.pf, &pf);
	if (!err)
		err = lock_pf(pf->bdf, 0, &lock);
	if (!err)
		err = host_users(&h);
	c.fd = -1;
	if (!err)
		err = open_drive(&c, &h, pf, &o);
	if (!err) {
		listen_to_signals();
		err = o.recover ? recover(&c, &h, pf) : certify(&c, pf, &o);
	}
	if (c.fd >= 0)
		close(c.fd);
	unlock_pf(lock);
	host_free(&h);
	return err;
}
