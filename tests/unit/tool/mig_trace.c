// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace events of migrations: what "watch" makes of them.
 */
#include <stdio.h>
#include <string.h>

#include "tap.h"
#include "trace/mig_trace.h"

/* What each line leads to is looked at by the caller. */
static void feed(struct mig_trace *f, const char *const *line)
{
	struct mig_event e;

	for (; *line; line++)
		if (mig_event_parse(&e, *line))
			mig_trace_add(f, &e);
}

static void parsing(void)
{
	struct mig_event e;

	ok(mig_event_parse(&e, "  vf-test-77      [001] .....    12.345678: state_arc: vf=0000:01:00.1 from=RUNNING to=RUNNING_P2P now=RUNNING_P2P usecs=512 ret=0") &&
	   e.arc && e.us == 12345678 && !strcmp(e.vf, "0000:01:00.1") &&
	   !strcmp(e.from, "RUNNING") && !strcmp(e.now, "RUNNING_P2P") &&
	   e.usecs == 512 && !e.status, "a step");
	ok(mig_event_parse(&e, "  CPU 0: KVM-9  [000] d..1. 7.000001: admin_cmd: vf=0000:01:00.2 opcode=0x42 cdw10=0x00010000 cdw11=0x00000002 len=1272 usecs=99 status=-5") &&
	   !e.arc && e.us == 7000001 && e.opcode == 0x42 && e.len == 1272 &&
	   e.cdw10 == 0x10000 && e.usecs == 99 && e.status == -5,
	   "a command, of a process with colons and blanks in its name");
	ok(!mig_event_parse(&e, "") && !mig_event_parse(&e, "CPU:0 [LOST 12 EVENTS]") &&
	   !mig_event_parse(&e, " x-1 [0] . 1.0: state_arc: vf=0000:01:00.1 from=RUNN") &&
	   !mig_event_parse(&e, " state_arc: vf=a from=b to=c now=d usecs=1 ret=0") &&
	   !mig_event_parse(&e, "x-1 [0] . now: admin_cmd: vf=a opcode=0x1 cdw10=0x1 cdw11=0x1 len=1 usecs=1 status=0"),
	   "what is no event, or half of one");
}

#define ARC(at, from, now, us) \
	" x-1 [0] . " at ": state_arc: vf=v from=" from " to=" now " now=" now " usecs=" us " ret=0"
#define CMD(at, op, cdw10, len) \
	" x-1 [0] . " at ": admin_cmd: vf=v opcode=" op " cdw10=" cdw10 " cdw11=0x1 len=" len " usecs=10 status=0"

static void source(void)
{
	static const char * const before[] = {
		CMD("1.000000", "0x42", "0x0", "48"),
		ARC("2.000000", "RUNNING", "RUNNING_P2P", "500"), NULL
	};
	static const char * const after[] = {
		ARC("2.000100", "RUNNING_P2P", "STOP", "1"),
		CMD("2.000300", "0x42", "0x0", "1000"),
		ARC("2.000400", "STOP", "STOP_COPY", "200"),
		CMD("2.000450", "0x42", "0x0", "272"),
		ARC("2.000500", "STOP_COPY", "STOP", "1"), NULL
	};
	static const char * const reopened[] = {
		CMD("2.000450", "0x6", "0x1", "4096"), NULL
	};
	static const char * const back[] = {
		ARC("3.000000", "STOP", "RUNNING_P2P", "1"),
		ARC("3.000010", "RUNNING_P2P", "RUNNING", "5"), NULL
	};
	struct mig_trace f = { };

	feed(&f, before);
	ok(f.stopped && mig_trace_downtime(&f, 2001000) == 1500 && !f.bytes,
	   "a source stands still from the beginning of the first step");
	feed(&f, after);
	ok(!strcmp(f.role, "source") && f.bytes == 1272 && f.over &&
	   mig_trace_downtime(&f, 9000000) == 1000,
	   "a source that was read: bytes, and a time that grows no more");
	ok(f.at_most, "what it had room for");
	feed(&f, back);
	ok(!f.stopped && mig_trace_downtime(&f, 9000000) == 1000510,
	   "a source that goes on after all");
	f = (struct mig_trace){ };
	feed(&f, before);
	feed(&f, reopened);
	ok(!f.stopped && !*f.state && mig_trace_downtime(&f, 9000000) == 950,
	   "a source that was opened anew");
}

static void precopy(void)
{
	static const char * const lines[] = {
		ARC("1.000000", "RUNNING", "PRE_COPY", "100"),
		CMD("1.500000", "0x42", "0x0", "48"),
		ARC("2.000000", "PRE_COPY", "PRE_COPY_P2P", "300"), NULL
	};
	struct mig_trace f = { };

	feed(&f, lines);
	ok(!strcmp(f.role, "source") && f.bytes == 48 &&
	   mig_trace_downtime(&f, 2000000) == 300,
	   "a source runs on in PRE_COPY");
}

static void destination(void)
{
	static const char * const lines[] = {
		ARC("1.000000", "RUNNING", "RUNNING_P2P", "1"),
		ARC("1.000100", "RUNNING_P2P", "STOP", "1"),
		ARC("1.000200", "STOP", "RESUMING", "50"),
		CMD("1.000300", "0x41", "0x00030002", "1272"),
		CMD("1.000400", "0x41", "0x00000001", "0"),
		ARC("1.000500", "RESUMING", "STOP", "1"),
		ARC("1.000600", "STOP", "RUNNING_P2P", "1"),
		ARC("1.001000", "RUNNING_P2P", "RUNNING", "10"), NULL
	};
	struct mig_trace f = { };

	feed(&f, lines);
	ok(!strcmp(f.role, "destination") && f.bytes == 1272 && !f.at_most && !f.stopped &&
	   mig_trace_downtime(&f, 5000000) == 850,
	   "a destination stands still from RESUMING to RUNNING");
}

static void failure(void)
{
	static const char * const lines[] = {
		" x-1 [0] . 1.000000: state_arc: vf=v from=RUNNING to=RUNNING_P2P now=RUNNING usecs=9 ret=-5",
		NULL
	};
	struct mig_trace f = { };

	feed(&f, lines);
	ok(f.failed == 1 && !f.stopped && !mig_trace_downtime(&f, 2000000),
	   "a step that failed stops nothing");
}

static bool has_failed(const char *what)
{
	struct mig_event e;
	char line[160];

	snprintf(line, sizeof(line), " x-1 [0] . 1.000000: admin_cmd: vf=v %s",
		 what);
	return mig_event_parse(&e, line) && mig_event_failed(&e);
}

static void refusal(void)
{
	ok(!has_failed("opcode=0x41 cdw10=0x1 cdw11=0x1 len=0 usecs=1 status=314") &&
	   !has_failed("opcode=0xcc cdw10=0x1 cdw11=0x0 len=0 usecs=1 status=6"),
	   "a Resume that is refused is no failure");
	ok(has_failed("opcode=0x41 cdw10=0x0 cdw11=0x1 len=0 usecs=1 status=314") &&
	   has_failed("opcode=0x41 cdw10=0x1 cdw11=0x1 len=0 usecs=1 status=6") &&
	   has_failed("opcode=0x41 cdw10=0x1 cdw11=0x1 len=0 usecs=1 status=-5") &&
	   has_failed("opcode=0xcc cdw10=0x1 cdw11=0x0 len=0 usecs=1 status=-110") &&
	   has_failed("opcode=0xc8 cdw10=0x1 cdw11=0x0 len=0 usecs=1 status=6"),
	   "other commands are, and one that was aborted");
}

int main(void)
{
	parsing();
	refusal();
	source();
	precopy();
	destination();
	failure();
	return tap_done();
}
