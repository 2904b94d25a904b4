/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.h - the table of states and events: each event happens to a VF in each
 * migration state, and the cell says what was seen.
 *
 * A cell's text is made from what the events observe (say()), never from what
 * is expected: that is in docs/states-and-events.md, and tests/41-table.t
 * compares. What must always hold is checked here.
 */
#ifndef NVME_VFIO_TABLE_H
#define NVME_VFIO_TABLE_H

#include "move.h"

struct table_state;

/**
 * struct scene - a VF in one of the states, and the guest around it
 * @st: the state
 * @dev: the VF in that state: VF_A
 * @src: rows of a destination: the VF that the guest comes from: VF_C
 * @w: the guest's workload, on @dev, or on @src while @dev is a destination
 * @s: rows of a destination: the guest's state
 * @written: bytes of it that were written to @dev
 * @fd: data fd of the state, -1 = it has none
 * @arrived: rows of a destination: the guest has run on @dev
 */
struct scene {
	const struct table_state *st;
	struct vfio_dev dev;
	struct vfio_dev src;
	struct workload *w;
	struct mig_stream s;
	size_t written;
	int fd;
	bool arrived;
};

/**
 * struct table_state - a row
 * @name: as in the table
 * @mig: the MIG_* state
 * @needs: VFIO_MIGRATION_* that the kernel must offer for it
 * @dest: a state of a migration's destination
 * @enter: bring the VF of an open scene into the state
 * @next: what a migration does next in this state and needs the device for;
 *	returns 0 or a negative errno
 */
struct table_state {
	const char *name;
	unsigned int mig;
	unsigned int needs;
	bool dest;
	void (*enter)(struct scene *s);
	int (*next)(struct scene *s);
};

/**
 * enum table_host - kinds of hosts that events need; see vf-test.c
 * @TABLE_ANY: any
 * @TABLE_TIMEOUT: commands may time out there
 * @TABLE_BUS: errors of the bus are allowed, and the emulator's monitor is there
 * @TABLE_FAULTS: the kernel lets allocations fail on demand
 */
enum table_host { TABLE_ANY, TABLE_TIMEOUT, TABLE_BUS, TABLE_FAULTS };

/**
 * struct table_event - a column
 * @name: as in the table
 * @fn: makes it happen, says what is seen, and shows that the VF is good then
 * @cold: @fn opens the scene and enters the state by itself
 * @host: what kind of host it needs
 */
struct table_event {
	const char *name;
	void (*fn)(struct scene *s);
	bool cold;
	enum table_host host;
};

/* each list ends with an entry without name */
extern const struct table_state table_states[];
extern const struct table_event reset_events[];
extern const struct table_event race_events[];
extern const struct table_event pf_events[];
extern const struct table_event gone_events[];
extern const struct table_event bus_events[];
extern const struct table_event life_events[];
extern const struct table_event move_events[];
extern const struct table_event nomem_events[];

/**
 * table_cases - all cells of events that need this kind of host, as cases
 * @host: the kind
 *
 * Return: a list that ends with an entry without function.
 */
const struct tap_case *table_cases(enum table_host host);

/** scene_open - the VFs of a row, with the guest at work; RUNNING */
void scene_open(struct scene *s);

/**
 * enter_again - the VF is reset and brought into its state once more
 *
 * The guest no longer runs, except at its source.
 */
void enter_again(struct scene *s);

/** say - add an observation to the cell, printf style */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** errno_name - "EIO" for -EIO, "ok" for 0 */
const char *errno_name(int err);

/** scene_state - the state now */
unsigned int scene_state(struct scene *s);

/** say_state - say the state now */
void say_state(struct scene *s);

/** say_fd - is the data fd, if the state has one, dead? The fd is closed. */
void say_fd(struct scene *s);

/** fd_errno - errno of a byte through a data fd, 0 = it passes */
int fd_errno(int fd, bool dest);

/** say_next - do what the migration does next; say its result */
void say_next(struct scene *s);

/** new_guest - a new user of the same device fd, without a reset, does I/O, stops
 * and goes on
 */
void new_guest(struct scene *s);

/** say_cure - a reset of the VF makes it usable on the same fd; say so */
void say_cure(struct scene *s);

/** say_goes_on - back to RUNNING (or on, for a complete destination): the guest
# continues and lacks nothing; if that fails, say why, and reset
 */
void say_goes_on(struct scene *s);

/** source_goes_on - rows of a destination: the guest continues at the source */
void source_goes_on(struct scene *s);

#endif
