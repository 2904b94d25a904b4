/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz.h - random calls on VFs from several threads.
 *
 * Operation N of a thread and all its arguments follow from the seed, the
 * thread's number and N alone, never from the result of a call. How the threads
 * interleave is up to the machine.
 */
#ifndef UAPI_FUZZ_H
#define UAPI_FUZZ_H

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bed.h"
#include "pf_admin.h"

#define MAX_VFS		4
#define MAX_THREADS	32
#define DATA_FDS	6
#define MAPS		2
#define MAP_BYTES	8192		/* registers and doorbells */
#define RECENT		12
#define MAX_OPS		64
#define PATIENCE_S	2		/* when the driver gives up a command */

/**
 * struct event - something that happens now and then, and takes a while
 * @busy: how many of the kind are in progress
 * @count: how many have ended
 */
struct event {
	atomic_uint busy;
	atomic_uint count;
};

/**
 * struct times - how often something had happened
 * @busy: was in progress
 * @count: had ended
 */
struct times {
	unsigned int busy;
	unsigned int count;
};

/**
 * struct moment - what had happened to a VF at some time
 * @lost: it lost its PF, or was removed
 * @reset: a user reset it
 * @stalls: the machine had stalled
 * @us: the time
 */
struct moment {
	struct times lost;
	struct times reset;
	unsigned int stalls;
	uint64_t us;
};

/**
 * struct pf - what happens to a PF
 * @lost: its VFs lose it, or are removed
 * @gone: how often its driver has been unbound
 * @vectors: held shared to enable interrupts of its VFs, alone while it is
 *	@lost
 */
struct pf {
	struct event lost;
	atomic_uint gone;
	pthread_rwlock_t vectors;
};

/**
 * struct vf - a VF under fire
 * @at: which one
 * @dev: the open device; @dev.fd is -1 while nobody could open it again
 * @lock: held shared by each operation, alone by those that replace @dev
 * @mem: memory the VF may reach
 * @data_fd: places for data fds. Each is a file descriptor at any time, of
 *	/dev/null if there is nothing better, so that no number is ever reused
 *	under another thread's feet.
 * @map: each thread's mappings of BAR 0, NULL = none; used under @lock
 * @pf: its PF
 * @reset: its user resets it
 * @lost: it is removed, and the others of its PF are not
 * @gone: @pf->gone when ENODEV was last returned
 * @calm: the last time when none of its commands was known to be left over
 * @slow: a call has since taken so long that one may be
 */
struct vf {
	struct place at;
	struct pf *pf;
	struct event reset;
	struct event lost;
	atomic_uint gone;
	struct moment calm;
	atomic_bool slow;
	struct vfio_dev dev;
	pthread_rwlock_t lock;
	struct dma_mem mem;
	int data_fd[DATA_FDS];
	volatile uint32_t *map[MAX_THREADS][MAPS];
};

/**
 * struct op - a kind of operation
 * @name: for messages
 * @weight: how often, relative to the others
 * @alone: no other operation on this VF at the same time
 */
struct thread;
struct op {
	const char *name;
	unsigned int weight;
	bool alone;
	void (*fn)(struct thread *t, struct vf *v);
};

/**
 * struct thread - one that makes calls
 * @nr: its number
 * @tid: its id in the kernel
 * @rnd: random numbers of the current operation
 * @ops: what it does
 * @home: the VF it works on as a rule; NULL for the PF's thread
 * @on: the VF that it works on now
 * @call: when the current call began
 * @pf: index of the PF, for the PF's thread
 * @done: operations finished
 * @since: when the current operation began, us; 0 = none
 * @watched: @since when it was last looked at, and
 * @waits: for how long it has been the same, us; for watch_for() alone
 * @doing: the current operation
 * @recent: the last operations, with number and result, for reports
 * @result: result of the last call in the current operation
 * @jump: where to continue when a mapping is not there
 * @touching: @jump is valid
 */
struct thread {
	pthread_t thread;
	unsigned int nr;
	int tid;
	uint64_t rnd;
	const struct op *ops;
	struct vf *home;
	struct vf *on;
	struct moment call;
	int pf;
	atomic_ulong done;
	atomic_ullong since;
	uint64_t watched;
	unsigned int waits;
	const struct op *_Atomic doing;
	struct {
		const char *name;
		unsigned long n;
		int vf;
		int result;
	} recent[RECENT];
	int result;
	sigjmp_buf jump;
	volatile bool touching;
};

/**
 * struct fuzz - the run
 * @seed: everything follows from it
 * @seconds: how long, 0 = until @nops
 * @nops: operations of each thread, 0 = until the time is over
 * @nthreads: threads on VFs
 * @pf_events: PFs and VFs are reset, removed and created, and the model slows
 * down
 * @bus: and the bus has errors: in hosts with the emulator's monitor
 *	and fails
 * @verbose: a line for each operation
 * @stop: time is over
 * @saved: states that were read to the end
 * @loaded: states that were loaded
 * @stalls: how often this machine stalled
 * @tally: per operation on VFs, how often its last call succeeded and failed
 * @pf_tally: per operation on PFs, how often
 * @pf_us: and for how long in total
 */
struct fuzz {
	uint64_t seed;
	unsigned int seconds;
	unsigned long nops;
	unsigned int nthreads;
	bool pf_events;
	bool bus;
	bool verbose;
	atomic_bool stop;
	atomic_ulong saved;
	atomic_ulong loaded;
	atomic_uint stalls;
	atomic_ulong tally[MAX_OPS][2];
	atomic_ulong pf_tally[MAX_OPS];
	atomic_ulong pf_us[MAX_OPS];
	struct vf vf[MAX_VFS];
	unsigned int nvfs;
	struct pf pf[TOPO_PFS];
	struct thread thread[MAX_THREADS + TOPO_PFS];
	unsigned int nall;
};

extern struct fuzz fuzz;

extern const struct op vf_ops[];	/* end with an entry without fn */
extern const struct op pf_ops[];

/* rule.c: what always holds, and what to report if it does not */

/** broken - a rule is broken: report what and when, end the process */
void broken(struct thread *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/** call_begins - a call begins that ruled() or ruled_call() will check */
void call_begins(struct thread *t);

/**
 * ruled - make a library call, and check its result: 0, or a negative errno
 * that this call may return now
 * @what: which call, as in the table of rules
 *
 * Return: what the call returned.
 */
#define ruled(t, what, call) (call_begins(t), judged((t), (what), (call)))
int judged(struct thread *t, const char *what, int err);

/** ruled_call - the same for a system call. Return: its result, or -errno. */
#define ruled_call(t, what, call) \
	(call_begins(t), judged_call((t), (what), (call)))
long judged_call(struct thread *t, const char *what, long ret);

/** event_begins, event_ends - around everything that belongs to it */
void event_begins(struct event *e);
void event_ends(struct event *e);

/** vf_was_lost - the VF was removed, or its PF was lost, at any time since */
bool vf_was_lost(struct vf *v, const struct moment *since);

/** vf_is_calm - a reset that began at @since has found no command left over */
void vf_is_calm(struct vf *v, const struct moment *since);

/** vf_may_be_busy - a command may have been left over since */
bool vf_may_be_busy(struct vf *v);

/**
 * vf_is_told - a user that has just opened a VF has the PF of that moment
 * @gone: @pf->gone before
 */
void vf_is_told(struct vf *v, unsigned int gone);

/** moment_of - now, as a VF sees it */
struct moment moment_of(struct vf *v);

/** vf_was_lost - it lost its PF, or was removed, since then, or still is */
bool vf_was_lost(struct vf *v, const struct moment *since);

/** show_threads - what every thread is doing and did last */
void show_threads(void);

/** watch_for - sleep; end the process if a call hangs */
void watch_for(unsigned int us);

/** rnd - random number below @n */
uint64_t rnd(struct thread *t, uint64_t n);

/* says.c: what the model says about a VF */

/** vf_shall_run - a VF that has come to RUNNING after @since, unless it was lost */
void vf_shall_run(struct thread *t, struct vf *v, const struct moment *since);

/** vf_shall_be_free - a VF whose user has left: it runs, and is not tracked */
void vf_shall_be_free(struct thread *t, struct vf *v);

/* pool.c: streams to be loaded */

/** pool_fill - read some states from the first VF, or the case fails */
void pool_fill(struct vf *v);

/**
 * pool_take - a stream: as it was read, or changed in some way
 * @s: set to a copy
 *
 * Return: 0 or -ENOMEM.
 */
int pool_take(struct thread *t, struct mig_stream *s);

/* op-mig.c, op-data.c, op-dev.c: operations on a VF */
void op_set_state(struct thread *t, struct vf *v);
void op_run(struct thread *t, struct vf *v);
void op_get_state(struct thread *t, struct vf *v);
void op_data_size(struct thread *t, struct vf *v);
void op_save(struct thread *t, struct vf *v);
void op_pre_copy(struct thread *t, struct vf *v);
void op_cancel(struct thread *t, struct vf *v);
void op_load(struct thread *t, struct vf *v);
void op_log_start(struct thread *t, struct vf *v);
void op_log_report(struct thread *t, struct vf *v);
void op_log_stop(struct thread *t, struct vf *v);
void op_log(struct thread *t, struct vf *v);
void op_feature(struct thread *t, struct vf *v);

void op_read(struct thread *t, struct vf *v);
void op_write(struct thread *t, struct vf *v);
void op_seek(struct thread *t, struct vf *v);
void op_poll(struct thread *t, struct vf *v);
void op_precopy_info(struct thread *t, struct vf *v);
void op_fd_ioctl(struct thread *t, struct vf *v);
void op_close_data(struct thread *t, struct vf *v);

void op_reset(struct thread *t, struct vf *v);
void op_reset_alone(struct thread *t, struct vf *v);
void op_flr(struct thread *t, struct vf *v);
void op_bus_master(struct thread *t, struct vf *v);
void op_config(struct thread *t, struct vf *v);
void op_map(struct thread *t, struct vf *v);
void op_unmap(struct thread *t, struct vf *v);
void op_registers(struct thread *t, struct vf *v);
void op_enable(struct thread *t, struct vf *v);
void op_command(struct thread *t, struct vf *v);
void op_irq(struct thread *t, struct vf *v);
void op_reopen(struct thread *t, struct vf *v);

/* op-pf.c, op-away.c: what happens to a PF, the operations of its thread */
void rest(struct thread *t, unsigned int ms);
void vfs_back(struct thread *t);
uint64_t away_begins(struct thread *t, struct event *e);
void away_ends(struct thread *t, struct event *e, uint64_t since);
void op_pf_rebind(struct thread *t, struct vf *v);
void op_vf_rebind(struct thread *t, struct vf *v);
void op_no_vfs(struct thread *t, struct vf *v);
void op_no_pf(struct thread *t, struct vf *v);

/** data_put - keep a data fd that a call has returned, -1 = none */
void data_put(struct thread *t, struct vf *v, int fd);

/** data_drop - close every data fd */
void data_drop(struct vf *v);

/** data_dead - no data fd may work any more, as the VF was reset */
void data_dead(struct thread *t, struct vf *v);

/**
 * reset_now - reset a VF that nobody else uses, check what must follow
 *
 * Does nothing if somebody removes the VF and waits for us to leave it.
 */
void reset_now(struct thread *t, struct vf *v);

/** bus_error - a mapping that is not there was touched */
void bus_error(int sig);

/** unmap_all - drop all threads' mappings of a VF that nobody else uses */
void unmap_all(struct vf *v);

#endif
