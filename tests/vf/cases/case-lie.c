// SPDX-License-Identifier: GPL-2.0-only
/*
 * case-lie.c - tests of the tests, with a device that cheats: the checker has
 * to notice, or the other cases prove nothing. And a device that lies to the
 * driver, which has to notice.
 */
#include <errno.h>
#include <string.h>

#include "cases.h"
#include "move.h"


static const struct workload_opts small_cq = { .cq_size = 4 };

/*
 * Wait for all queues like workload_drain(), but report what was found. Every
 * queue is looked at, as the wrong completion may be on any.
 */
static int drain_result(struct workload *w)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < w->ctrl.nio; i++) {
		int e = nvme_wait_out(&w->ctrl, &w->ctrl.io[i], 0, 3000);

		if (e) {
			err = e;
			tap_note("queue %u: %s", i + 1, lib_msg());
		}
	}
	sleep_us(50000);
	return err;
}

static void lost_completion(const void *arg)
{
	struct mig_stream s = { 0 };
	unsigned int i, lost = 0;
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	full_queues_suspend();
	w = pair_open(&a, VF_A, &b, VF_C, &small_cq);
	workload_stuff(w, 30);
	model_set(0, "lm-lie=lose-cqe");
	model_set(1, "lm-lie=lose-cqe");
	move(w, &a, &b, &s, NULL);
	check_eq(drain_result(w), -ETIMEDOUT,
		 "waiting although a completion is lost");
	for (i = 0; i < w->ctrl.nio; i++) {
		struct nvme_queue *q = &w->ctrl.io[i];

		lost += q->cids.out;
		if (q->cids.out)
			check_eq(nvme_queue_audit(q, 0), -EBADMSG, "audit");
	}
	check_eq(lost, 1, "lost completions that were noticed");
}

static void doubled_completion(const void *arg)
{
	struct mig_stream s = { 0 };
	unsigned int i, doubled = 0, audits = 0;
	struct vfio_dev a, b;
	struct workload *w;

	(void)arg;
	full_queues_suspend();
	w = pair_open(&a, VF_A, &b, VF_C, &small_cq);
	workload_stuff(w, 30);
	model_set(0, "lm-lie=double-cqe");
	model_set(1, "lm-lie=double-cqe");
	move(w, &a, &b, &s, NULL);
	drain_result(w);
	for (i = 0; i < w->ctrl.nio; i++) {
		struct nvme_queue *q = &w->ctrl.io[i];

		nvme_queue_reap(q, 0);
		sleep_us(10000);
		nvme_queue_reap(q, 0);
		doubled += q->cids.doubled;
		audits += nvme_queue_audit(q, 0) == -EBADMSG;
	}
	check_eq(doubled, 1, "doubled completions that were noticed");
	check(audits >= 1, "expected an audit to fail, all passed");
}

/*
 * A device that raises no interrupt when it continues, although there are
 * completions whose interrupt reached nobody. Nobody can repair that: they are
 * there, and correct, but only a guest that polls finds them.
 */
static void lost_interrupt(const void *arg)
{
	struct vfio_dev a;
	struct workload *w;
	unsigned int i;

	(void)arg;
	model_set(0, "lm-resume-irq=off");
	w = solo_open(&a, VF_A, NULL);
	workload_fill(w, 1);
	for (i = 0; i < w->ctrl.nio; i++) {
		struct nvme_queue *q = &w->ctrl.io[i];

		/* the case has a limit */
		while (!nvme_queue_pending(q) || vfio_irq_take(&a, q->vector) < 1)
			sleep_us(1000);
	}
	must(mig_stop(&a, NULL));
	must(vfio_mig_set(&a, MIG_RUNNING, NULL));
	check_eq(nvme_wait_out(&w->ctrl, &w->ctrl.io[0], 0, 1000), -EBADMSG,
		 "waiting although an interrupt is lost");
	check(strstr(w->ctrl.io[0].fault, "without an interrupt"),
	      "no lost interrupt was noticed");
	for (i = 0; i < w->ctrl.nio; i++) {
		nvme_queue_reap(&w->ctrl.io[i], 0);
		check_eq(w->ctrl.io[i].cids.out, 0, "commands that are out for ever");
	}
}

/* the device says the state is not that of a suspended controller */
static void not_suspended(const void *arg)
{
	struct mig_stream s = { 0 };
	struct vfio_dev a, b;
	struct workload *w;
	int err;

	(void)arg;
	if (bed.set == SET_VENDOR)
		tap_skip("the vendor set does not say that");
	w = pair_open(&a, VF_A, &b, VF_C, NULL);
	workload_fill(w, 20);
	must(mig_stop(&a, NULL));
	model_set(0, "lm-lie=csup-clear");
	err = mig_save(&a, &s, NULL);
	check(err, "expected STOP_COPY to be refused, got a state of %zu bytes",
	      s.len);
	check(sane_errno(err), "expected a sensible errno, got %d", err);
	model_set(0, "lm-lie=");
	vfio_close(&b);
	vfio_close(&a);
	alive(&a, VF_A);
}

const struct tap_case lie_cases[] = {
	{ .name = "checker notices a lost completion", .fn = lost_completion },
	{ .name = "checker notices a doubled completion",
	  .fn = doubled_completion },
	{ .name = "checker notices a lost interrupt", .fn = lost_interrupt,
	  .limit_s = 60 },
	{ .name = "state of a running controller is refused",
	  .fn = not_suspended, .quick = true, .log = "does not confirm" },
	{ }
};
