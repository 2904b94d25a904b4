// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-policy.c - what the administrator of a PF allows beyond what is safe for
 * everybody, and formats of states that the two ends list in different order.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "move.h"

static int policy_write(const char *text)
{
	return sysfs_write(text, "%s", POLICY);
}

static void policy(int pf, const char *words)
{
	char line[200];

	snprintf(line, sizeof(line), "%s %s", bed.pf[pf].bdf, words);
	must(policy_write(line));
}

/**
 * struct offer - a drive, an administrator, and what happens to a state
 * @knobs: of the models, the source's PF first
 * @words: policies of the two
 * @refused: by the destination
 */
struct offer {
	const char *knobs[2];
	const char *words[2];
	bool refused;
};

static void offered(const void *arg)
{
	const struct offer *o = arg;
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int i, err;

	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	workload_fill(w, 20);
	/* all of it after the VFs have been opened */
	for (i = 0; i < 2; i++) {
		if (o->knobs[i])
			model_set(i, "%s", o->knobs[i]);
		if (o->words[i])
			policy(i, o->words[i]);
	}
	must(mig_stop(&a, NULL));
	must(mig_save(&a, &s, NULL));
	err = mig_load(&b, &s, 0, NULL);
	if (!o->refused) {
		check(!err, "refused: %d, %s", err, lib_msg());
		must(nvme_rebind(&w->ctrl, &b));
		must(mig_start(&b, NULL));
		workload_check(w);
		workload_event(w);
		return;
	}
	check(err == -EINVAL, "expected EINVAL, got %d", err);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	workload_event(w);
}

/* There and back, with the indexes of each end. */
static void formats(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	if (bed.set == SET_VENDOR)
		tap_skip("this set has one format");
	model_set(0, "lm-formats=two");
	model_set(1, "lm-formats=turned");
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	workload_fill(w, 20);
	move(w, &a, &b, &s, NULL);
	workload_check(w);
	again(w, &a, VF_A);
	workload_fill(w, 20);
	s.len = 0;
	move(w, &b, &a, &s, NULL);
	workload_check(w);
	workload_event(w);
}

/* A format that the source's own PF does not list: nothing is stopped. */
static void no_such_format(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;
	int err;

	(void)arg;
	if (bed.set == SET_VENDOR)
		tap_skip("this set has one format");
	w = solo_open(&a, VF_A, NULL);
	policy(0, "format=9");
	workload_fill(w, 20);
	err = vfio_mig_set(&a, MIG_STOP_COPY, NULL);
	check(err == -EINVAL, "expected EINVAL, got %d", err);
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
	policy(0, "");
	must(mig_stop(&a, NULL));
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	workload_check(w);
}

static void bad_words(const void *arg)
{
	static const char * const bad[] = {
		"", "\n", "x", "0000:01:00", "0000:01:00.0media=shared",
		"0000:01:00.0 media", "0000:01:00.0 media=mine",
		"0000:01:00.0 stream=3", "0000:01:00.0 format=1:2",
		"0000:01:00.0 match=firmware", "0000:01:00.0 firmware=1>2",
		"0000:01:00.0 media=shared media=shared",
		"0000:01:00.0 media=shared\n0000:02:00.0 media=copied\n",
		"0000:01:20.0 media=shared", "0000:01:00.8 media=shared",
	};
	char text[4096], line[100];
	unsigned int i;

	(void)arg;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		/* an empty text writes nothing */
		if (*bad[i])
			check_eq(policy_write(bad[i]), -EINVAL, bad[i]);
	check(sysfs_read(text, sizeof(text), "%s", POLICY) <= 0 || !*text,
	      "a policy was taken: %s", text);
	policy(1, "media=copied  stream=1");
	policy(0, "unknown=refuse");
	policy(0, "match=format");
	snprintf(line, sizeof(line), "%s media=copied  stream=1\n%s match=format",
		 bed.pf[1].bdf, bed.pf[0].bdf);
	must(sysfs_read(text, sizeof(text), "%s", POLICY) <= 0 ? -EIO : 0);
	check(!strncmp(text, line, strlen(line)), "expected %s, got %s", line, text);
	policy(0, "");
	policy(1, "");
	check(sysfs_read(text, sizeof(text), "%s", POLICY) <= 0 || !*text,
	      "taken back, and still there: %s", text);
}

#define OFFER	.fn = offered, .arg = &(const struct offer)

const struct tap_case policy_cases[] = {
	{ .name = "policy: copied media may have another id", OFFER {
		{ NULL, "lm-ns-other=1" }, { NULL, "media=copied" }, false } },
	{ .name = "policy: copied media have the same size", OFFER {
		{ NULL, "lm-ns-more=8" }, { NULL, "media=copied" }, true },
	  .log = "namespace 1 has a different size" },
	{ .name = "policy: namespaces must be known", OFFER {
		{ NULL, "lm-ns-manage=off" }, { NULL, "unknown=refuse" }, true },
	  .log = "not known whether the namespaces" },
	{ .name = "policy: firmware of a pair", OFFER {
		{ "lm-firmware=1.0", "lm-firmware=2.0" },
		{ NULL, "match=firmware firmware=1.0>2.0" }, false } },
	{ .name = "policy: firmware of the pair reversed", OFFER {
		{ "lm-firmware=2.0", "lm-firmware=1.0" },
		{ NULL, "match=firmware firmware=1.0>2.0" }, true },
	  .log = "another firmware" },
	{ .name = "policy: the format says all", OFFER {
		{ NULL, "lm-firmware=2.0\nlm-model=Another" },
		{ NULL, "match=format" }, false } },
	{ .name = "firmware that was activated after the VF was opened", OFFER {
		{ NULL, "lm-firmware=2.0" }, { NULL, NULL }, true },
	  .log = "another firmware" },
	{ .name = "policy: a stream of the older version", OFFER {
		{ NULL, NULL }, { "stream=1", NULL }, false } },
	{ .name = "policy: an older version does not say enough", OFFER {
		{ NULL, NULL }, { "stream=1", "unknown=refuse" }, true },
	  .log = "older version" },
	{ .name = "formats in another order at the other end", .fn = formats },
	{ .name = "policy: a format that the PF does not list",
	  .fn = no_such_format, .log = "format= of its policy" },
	{ .name = "policy: bad words", .fn = bad_words, .log = "policy" },
	{ }
};
