// SPDX-License-Identifier: GPL-2.0-only
/*
 * cid-tracker-test.c - does the checker check? Queues in made-up memory, with a
 * made-up device that can lose, double, invent or misplace completions.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nvme_queue.h"
#include "run.h"
#include "util.h"

#define SQ_SIZE	8
#define CQ_SIZE	4

/* the device's side of one queue pair */
static struct {
	struct nvme_queue q;
	struct nvme_cmd sq[SQ_SIZE];
	struct nvme_cqe cq[CQ_SIZE];
	uint32_t sq_db, cq_db;
	unsigned int sq_head, tail, phase;
} d;

static struct nvme_req req[64];

static void setup(void)
{
	memset(&d, 0, sizeof(d));
	memset(req, 0, sizeof(req));
	must(nvme_queue_init(&d.q, 3, d.sq, SQ_SIZE, d.cq, CQ_SIZE));
	d.q.sq_db = &d.sq_db;
	d.q.cq_db = &d.cq_db;
	d.phase = 1;
}

static void post_raw(struct nvme_cqe cqe)
{
	cqe.status = cqe.status << 1 | d.phase;
	d.cq[d.tail] = cqe;
	if (++d.tail == CQ_SIZE) {
		d.tail = 0;
		d.phase ^= 1;
	}
}

static void post(uint16_t cid)
{
	post_raw((struct nvme_cqe){
		.sqid = 3, .sqhd = d.sq_head, .cid = cid, .dw0 = cid * 3,
	});
}

/* fetch the next command that the driver announced; false = none */
static bool fetch(struct nvme_cmd *cmd)
{
	if (d.sq_head == d.sq_db)
		return false;
	*cmd = d.sq[d.sq_head];
	d.sq_head = (d.sq_head + 1) % SQ_SIZE;
	return true;
}

static void serve_one(void)
{
	struct nvme_cmd cmd;

	check(fetch(&cmd), "expected a command, the queue is empty");
	post(cmd.cid);
}

static void send(unsigned int i)
{
	req[i].cmd.opc = 2;
	must(nvme_queue_add(&d.q, &req[i]));
	nvme_queue_ring(&d.q);
}

static void in_order(const void *arg)
{
	unsigned int i;

	(void)arg;
	setup();
	/* more than both rings hold, so that the phase turns several times */
	for (i = 0; i < 50; i++) {
		send(i);
		check(!nvme_queue_pending(&d.q), "pending before it was sent");
		serve_one();
		check_eq(nvme_queue_reap(&d.q, 0), 1, "entries");
		check(req[i].done, "request %u is not done", i);
		check_eq(req[i].cqe.dw0, req[i].cmd.cid * 3, "dword 0");
		check_eq(d.cq_db, d.q.cq_head, "CQ doorbell");
		must(nvme_queue_audit(&d.q, 0));
	}
	check_eq(d.q.cids.done, 50, "completed");
}

static void out_of_order(const void *arg)
{
	struct nvme_cmd cmd[3];
	unsigned int i;

	(void)arg;
	setup();
	for (i = 0; i < 3; i++)
		send(i);
	for (i = 0; i < 3; i++)
		check(fetch(&cmd[i]), "command %u is missing", i);
	post(cmd[2].cid);
	post(cmd[0].cid);
	check_eq(nvme_queue_reap(&d.q, 1), 1, "entries with a limit of 1");
	check(req[2].done && !req[0].done, "the wrong request is done");
	check_eq(nvme_queue_reap(&d.q, 0), 1, "entries");
	must(nvme_queue_audit(&d.q, 1));
	post(cmd[1].cid);
	nvme_queue_reap(&d.q, 0);
	must(nvme_queue_audit(&d.q, 0));
}

static void full_sq(const void *arg)
{
	unsigned int i;

	(void)arg;
	setup();
	for (i = 0; i < SQ_SIZE - 1; i++)
		send(i);
	check_eq(nvme_queue_add(&d.q, &req[i]), -ENOSPC, "add to a full SQ");
	serve_one();
	nvme_queue_reap(&d.q, 0);
	send(i);
}

static void no_doorbell(const void *arg)
{
	struct nvme_cmd cmd;

	(void)arg;
	setup();
	must(nvme_queue_add(&d.q, &req[0]));
	check(!fetch(&cmd), "the device was told too early");
	nvme_queue_ring(&d.q);
	check(fetch(&cmd), "the device was not told");
}

/* each of the checks below: one broken rule, and who notices */
static void expect_fault(const char *text)
{
	nvme_queue_reap(&d.q, 0);
	check(d.q.faults, "expected a fault '%s', none was noticed", text);
	check(strstr(d.q.fault, text), "expected '%s' in '%s'", text,
	      d.q.fault);
	check_eq(nvme_queue_audit(&d.q, 0), -EBADMSG, "audit");
}

static void doubled(const void *arg)
{
	(void)arg;
	setup();
	send(0);
	serve_one();
	post(req[0].cmd.cid);
	expect_fault("completed twice");
	check_eq(d.q.cids.doubled, 1, "doubled");
}

static void doubled_late(const void *arg)
{
	unsigned int i;

	(void)arg;
	setup();
	/* with many others in between: the id must not be in use again */
	for (i = 0; i < 40; i++) {
		send(i);
		serve_one();
		nvme_queue_reap(&d.q, 0);
	}
	post(req[0].cmd.cid);
	expect_fault("completed twice");
}

static void doubled_unseen(const void *arg)
{
	(void)arg;
	setup();
	send(0);
	serve_one();
	nvme_queue_reap(&d.q, 0);
	post(req[0].cmd.cid);
	check_eq(nvme_queue_audit(&d.q, 0), -EBADMSG, "audit");
	check(strstr(lib_msg(), "unexpected completion"), "'%s'", lib_msg());
}

static void lost(const void *arg)
{
	struct nvme_cmd cmd;

	(void)arg;
	setup();
	send(0);
	send(1);
	check(fetch(&cmd), "no command");
	serve_one();
	nvme_queue_reap(&d.q, 0);
	check_eq(d.q.cids.out, 1, "commands out");
	check_eq(cid_tracker_first_out(&d.q.cids, 0), req[0].cmd.cid, "lost id");
	check_eq(nvme_queue_audit(&d.q, 0), -EBADMSG, "audit");
}

static void invented(const void *arg)
{
	(void)arg;
	setup();
	post(0x1234);
	expect_fault("never sent");
	check_eq(d.q.cids.unknown, 1, "unknown");
}

static void invalid_id(const void *arg)
{
	(void)arg;
	setup();
	post(0xffff);
	expect_fault("never sent");
}

static void wrong_sqid(const void *arg)
{
	(void)arg;
	setup();
	send(0);
	post_raw((struct nvme_cqe){ .sqid = 2, .sqhd = 1, .cid = 0 });
	expect_fault("completion says SQ 2");
}

static void wrong_head(const void *arg)
{
	unsigned int head = *(const unsigned int *)arg;

	setup();
	send(0);
	send(1);
	post_raw((struct nvme_cqe){ .sqid = 3, .sqhd = head, .cid = 0 });
	expect_fault("SQ head");
}

static void out_of_turn(const void *arg)
{
	(void)arg;
	setup();
	send(0);
	serve_one();
	nvme_queue_reap(&d.q, 0);
	d.cq[3].cid = 7;
	check_eq(nvme_queue_audit(&d.q, 0), -EBADMSG, "audit");
	check(strstr(lib_msg(), "out of turn"), "'%s'", lib_msg());
}

static void stale_phase(const void *arg)
{
	unsigned int i;

	(void)arg;
	setup();
	for (i = 0; i < CQ_SIZE; i++) {
		send(i);
		serve_one();
		nvme_queue_reap(&d.q, 0);
	}
	/* a device that forgot to turn the phase: no completion shows */
	d.phase ^= 1;
	send(4);
	serve_one();
	check_eq(nvme_queue_reap(&d.q, 0), 0, "entries");
	check_eq(d.q.cids.out, 1, "commands out");
	check_eq(nvme_queue_audit(&d.q, 0), -EBADMSG, "audit");
}

static void id_turn(const void *arg)
{
	struct cid_tracker l;
	void *owner;
	int id, i;

	(void)arg;
	must(cid_tracker_init(&l));
	id = cid_tracker_take(&l, &l);
	check_eq(id, 0, "first id");
	for (i = 1; i < (int)CID_TRACKER_IDS; i++) {
		check_eq(cid_tracker_take(&l, &l), i, "next id");
		if (i % 2)
			must(cid_tracker_done(&l, i, &owner));
	}
	check_eq(cid_tracker_take(&l, &l), 1, "id after the turn, 0 is out");
	check_eq(cid_tracker_done(&l, 3, &owner), -EALREADY, "done again");
	for (i = 3; i < (int)CID_TRACKER_IDS; i += 2)
		cid_tracker_take(&l, &l);
	check_eq(l.out, CID_TRACKER_IDS, "all out");
	check_eq(cid_tracker_take(&l, &l), -EBUSY, "one more");
	cid_tracker_free(&l);
}

static const unsigned int heads[] = { 3, SQ_SIZE, 0xffff };

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		{ .name = "completions in order", .fn = in_order },
		{ .name = "completions out of order", .fn = out_of_order },
		{ .name = "full submission queue", .fn = full_sq },
		{ .name = "nothing before the doorbell", .fn = no_doorbell },
		{ .name = "doubled completion is noticed", .fn = doubled },
		{ .name = "late double is noticed", .fn = doubled_late },
		{ .name = "double that nobody fetched is noticed",
		  .fn = doubled_unseen },
		{ .name = "lost completion is noticed", .fn = lost },
		{ .name = "invented completion is noticed", .fn = invented },
		{ .name = "invalid id is noticed", .fn = invalid_id },
		{ .name = "wrong SQ number is noticed", .fn = wrong_sqid },
		{ .name = "SQ head beyond the tail is noticed",
		  .fn = wrong_head, .arg = &heads[0] },
		{ .name = "SQ head beyond the queue is noticed",
		  .fn = wrong_head, .arg = &heads[1] },
		{ .name = "SQ head FFFFh is noticed",
		  .fn = wrong_head, .arg = &heads[2] },
		{ .name = "entry out of turn is noticed", .fn = out_of_turn },
		{ .name = "phase not turned is noticed", .fn = stale_phase },
		{ .name = "ids go round", .fn = id_turn },
		{ }
	};

	return run_cases(cases, RUN_ALL, argc > 1 ? argv[1] : NULL, NULL,
			 NULL);
}
