/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cert.h - rules for a drive's migration commands, and what they are written with.
 *
 * A rule runs in a process of its own, with the PF's character device and one or
 * two VFs behind VFIO. It ends by expect.h where something is wrong; the
 * process that started it restores whatever it leaves behind.
 */
#ifndef NVME_VFIO_CERT_H
#define NVME_VFIO_CERT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/verdict.h"
#include "vfio_dev.h"
#include "workload.h"

#define CERT_VFS	2
#define CERT_PAGE	4096

/* Status codes: type << 8 | code. */
#define CERT_INVALID_OPCODE	0x001
#define CERT_INVALID_FIELD	0x002
#define CERT_SEQUENCE		0x00c
#define CERT_INVALID_CTRL	0x11f
#define CERT_NO_RESOURCES	0x138
#define CERT_SUSPENDED		0x139
#define CERT_NOT_SUSPENDED	0x13a

/**
 * enum cert_severity - what a broken rule means
 * @CERT_MUST: the standard requires it, and a guest or the host depends on it
 * @CERT_SHOULD: the standard requires it, but the driver works without it
 * @CERT_QUALITY: nothing requires it; without it migration is slower or less
 *	often possible
 */
enum cert_severity { CERT_MUST, CERT_SHOULD, CERT_QUALITY };

/** enum cert_result - the result of a rule */
enum cert_result { CERT_NOT_RUN, CERT_PASS, CERT_FAIL, CERT_SKIP };

/* What a rule is about, and what it needs. */
#define CERT_STANDARD	(1 << 0)
#define CERT_VENDOR	(1 << 1)
#define CERT_BOTH	(CERT_STANDARD | CERT_VENDOR)
#define CERT_VF		(1 << 2)	/* one free VF */
#define CERT_TWO	(1 << 3)	/* two */
#define CERT_TRACKS	(1 << 4)	/* the drive says that it tracks memory */

struct cert;

/**
 * struct cert_rule - a rule
 * @id: its name, which never changes and is never reused
 * @title: what must hold, in half a line
 * @section: where the standard says so
 * @severity: see above
 * @needs: CERT_*
 * @limit_s: longest time in seconds; 0: CERT_LIMIT_S
 * @run: returns if the rule holds
 */
struct cert_rule {
	const char *id;
	const char *title;
	const char *section;
	enum cert_severity severity;
	unsigned int needs;
	unsigned int limit_s;
	void (*run)(struct cert *c);
};

#define CERT_LIMIT_S	100

/* each list ends with a rule without id */
extern const struct cert_rule cert_discovery[], cert_suspend[], cert_state[],
	cert_tracking[], cert_isolation[], cert_faults[], cert_endurance[],
	cert_speed[];

/* Kinds of command of which the time is kept. */
enum cert_kind {
	CERT_T_SUSPEND, CERT_T_RESUME, CERT_T_GET, CERT_T_SET, CERT_T_TRACK,
	CERT_T_REPORT, CERT_T_OTHER, CERT_T_KINDS
};

/** struct cert_time - times of a kind of command, of those that succeeded, in microseconds */
struct cert_time {
	uint64_t count;
	uint64_t bytes;
	uint64_t sum;
	uint64_t least;
	uint64_t most;
};

/**
 * struct cert_outcome - of one rule; in memory that is shared with its process
 * @result: CERT_PASS when its process has finished
 * @why: what is wrong, or why it was skipped
 * @sent: the last command
 * @got: what came of it
 * @hang: a command was not completed
 * @time: of the commands of this rule
 */
struct cert_outcome {
	int result;			/* enum cert_result */
	char why[400];
	char sent[160];
	char got[80];
	bool hang;
	struct cert_time time[CERT_T_KINDS];
};

/** struct cert_vf - a VF; see host.h */
struct cert_vf {
	char bdf[16];
	uint16_t cntlid;
	unsigned int vfn;
};

/**
 * struct cert_state - a state that was read
 * @data: page aligned
 * @len: bytes
 */
struct cert_state {
	uint8_t *data;
	size_t len;
};

/**
 * struct cert - the drive
 * @pf: address of the PF
 * @ctrl: its controller, such as "nvme0"
 * @fd: its character device
 * @set: CERT_STANDARD or CERT_VENDOR: which commands are used
 * @id: Identify Controller of the PF
 * @formats: Supported Controller State Formats; 0 with the vendor set
 * @format: the first of them that has both parts
 * @step: bytes that one command carries here
 * @vf: VFs that are used
 * @nvf: how many
 * @dev: their devices, while a rule has them open
 * @nsid: namespace to read, on all of the VFs
 * @write: to write to as well
 * @tracks: the drive says that it can track memory
 * @rounds: of endurance
 * @out: of the rule that runs
 */
struct cert {
	char pf[16];
	char ctrl[64];
	int fd;
	unsigned int set;
	uint8_t id[CERT_PAGE];
	uint8_t formats[CERT_PAGE];
	struct state_format format;
	uint32_t step;
	struct cert_vf vf[CERT_VFS];
	unsigned int nvf;
	struct vfio_dev dev[CERT_VFS];
	uint32_t nsid;
	bool write;
	bool tracks;
	unsigned int rounds;
	struct cert_outcome *out;
};

/* -- commands to the PF: cert_cmd.c. All return 0, a status, or -errno. -------- */

/** struct cert_cmd - an admin command; @result: dword 0 of its completion */
struct cert_cmd {
	const char *name;
	enum cert_kind kind;
	uint8_t opcode;
	uint32_t cdw10;
	uint32_t cdw11;
	uint32_t cdw12;
	uint32_t cdw13;
	uint32_t cdw15;
	void *data;
	uint32_t len;
	uint32_t result;
};

int cert_send(struct cert *c, struct cert_cmd *cmd);

/** cert_suspend_as - Suspend with a type of suspend; the vendor set has none */
int cert_suspend_as(struct cert *c, unsigned int cntlid, unsigned int stype);

/** cert_reserved - Migration Send, or Receive, with a selection that the standard has not */
int cert_reserved(struct cert *c, bool send);

int cert_suspend_vf(struct cert *c, unsigned int vf);
int cert_resume_vf(struct cert *c, unsigned int vf);
int cert_resume_id(struct cert *c, unsigned int cntlid);

/** cert_identify - @data: 4096 bytes, page aligned */
int cert_identify(struct cert *c, uint8_t cns, uint16_t cntid, void *data);

/** cert_get - Get; @version, @uuid: indices; @csup: set to bit 0 of dword 0, may be NULL */
int cert_get(struct cert *c, unsigned int cntlid, unsigned int version,
	     unsigned int uuid, uint64_t offset, void *data, uint32_t len,
	     bool *csup);

/** cert_set - Set; @seq: 1 first, 2 last */
int cert_set(struct cert *c, unsigned int cntlid, unsigned int version,
	     unsigned int uuid, unsigned int seq, uint64_t offset, void *data,
	     uint32_t len);

/** struct cert_range - memory to be tracked; @len in units */
struct cert_range {
	uint64_t addr;
	uint32_t len;
};

int cert_track(struct cert *c, unsigned int cntlid, unsigned int grain,
	       const struct cert_range *range, unsigned int n);
int cert_untrack(struct cert *c, unsigned int cntlid);

/** cert_report - Track Receive into @len bytes at @data */
int cert_report(struct cert *c, unsigned int cntlid, void *data, uint32_t len);

/* -- rules are written with: cert_bed.c ------------------------------------------ */

/** cert_buf - zeroed memory, page aligned; lives as long as the rule */
void *cert_buf(size_t len);

/** cert_is - @got has to be @want, for the last command */
void cert_is(struct cert *c, int got, int want, const char *what);

/** cert_refused - @got has to be a status, and @want is what the standard says; 0: any */
void cert_refused(struct cert *c, int got, int want, const char *what);

/** cert_open - open VF number @i for @w; 4 vectors */
void cert_open(struct cert *c, unsigned int i, struct workload *w);

/** cert_guest - a guest that uses VF number @i; @opts may be NULL */
struct workload *cert_guest(struct cert *c, unsigned int i,
			    const struct workload_opts *opts);

/** cert_save - read the whole state of a suspended VF */
void cert_save(struct cert *c, unsigned int vf, struct cert_state *s);

/** cert_load - write it to a suspended VF, in pieces of @step bytes; 0: as large as may be */
void cert_load(struct cert *c, unsigned int vf, const struct cert_state *s,
	       uint32_t step);

/**
 * cert_move - move a guest from one VF to another, or onto the same one
 *
 * With I/O in flight; memory must not change while it is suspended. The source is
 * reset afterwards.
 */
void cert_move(struct cert *c, struct workload *w, unsigned int from,
	       unsigned int to);

/** cert_move_on - the same for a guest whose VF is already suspended */
void cert_move_on(struct cert *c, struct workload *w, unsigned int from,
		  unsigned int to);

/**
 * cert_suspend_full - suspend VF number @vf, whose completion queues are full, as those
 * of a guest are that was stopped before
 *
 * Return: the drive waits until the guest takes completions, which was done for it.
 */
bool cert_suspend_full(struct cert *c, unsigned int vf, struct workload *w);

/** cert_quiet - memory must not change and nothing complete for @us microseconds */
void cert_quiet(struct workload *w, unsigned int us);

/** cert_works - a new guest on VF number @i, which is open: everything works */
void cert_works(struct cert *c, unsigned int i);

/* -- around rules: cert_run.c ----------------------------------------------------- */

/*
 * Set by the signal handler: the running rule is ended, and counts as not run.
 */
extern volatile sig_atomic_t cert_interrupted;

/**
 * cert_run - run a rule in a process of its own, and restore the VFs afterwards
 * @out: filled in; in shared memory
 *
 * Return: TOOL_OK; TOOL_BROKEN after saying so where the drive does not answer, or
 * a VF could not be restored.
 */
int cert_run(struct cert *c, const struct cert_rule *rule,
	     struct cert_outcome *out);

/**
 * cert_settle - leave no VF suspended or tracked, and reset each
 *
 * Return: as cert_run().
 */
int cert_settle(struct cert *c);

#endif
