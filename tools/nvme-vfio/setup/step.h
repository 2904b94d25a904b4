/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * step.h - a change of a PF or a VF that can be undone, and lists of them.
 *
 * Every change the tool makes to a device is such a step, so that undoing is
 * one loop, and what would be done can be printed without doing it.
 */
#ifndef NVME_VFIO_STEP_H
#define NVME_VFIO_STEP_H

#include "pf.h"

/**
 * enum step_kind - what a step does, and what undoes it
 * @STEP_DRIVER: load the driver; nothing: it changes no device
 * @STEP_POLICY: write the driver's policy for the PF; write what it was
 * @STEP_AUTOPROBE: set sriov_drivers_autoprobe; set it as it was
 * @STEP_NUMVFS: set sriov_numvfs; set it as it was
 * @STEP_UNBIND: take a function from its driver; give it back
 * @STEP_OVERRIDE: set driver_override; set it as it was
 * @STEP_BIND: give a function to a driver; take it from that
 * @STEP_OFFLINE: take a VF's controller offline, which takes its resources;
 *	give them back, and put it online if it was
 * @STEP_ASSIGN: give a VF's controller queues or interrupts; as it had before
 * @STEP_RESET: function level reset; nothing: the VF is nobody's
 * @STEP_ATTACH: attach a namespace; detach it
 * @STEP_DETACH: detach a namespace; attach it
 * @STEP_ONLINE: put a VF's controller online; offline
 * @STEP_VERIFY: check that all is as it should be
 */
enum step_kind {
	STEP_DRIVER,
	STEP_POLICY,
	STEP_AUTOPROBE,
	STEP_NUMVFS,
	STEP_UNBIND,
	STEP_OVERRIDE,
	STEP_BIND,
	STEP_OFFLINE,
	STEP_ASSIGN,
	STEP_RESET,
	STEP_ATTACH,
	STEP_DETACH,
	STEP_ONLINE,
	STEP_VERIFY,
};

/** enum step_state - how far a step is */
enum step_state {
	STATE_PLANNED,
	STATE_DONE,
	STATE_FAILED,
	STATE_UNDONE,
	STATE_STUCK,		/* done, and could not be undone */
};

/**
 * struct step - a step
 * @kind: what it does
 * @state: how far it is
 * @vfn: number of the VF it is about; 0: the PF
 * @bdf: address of the function, if it is known before it is needed
 * @cntlid: controller of the VF
 * @lost: the VF is open, but its user has lost the controller
 * @type: resource that is assigned
 * @want: number to set
 * @was: number it was
 * @count: what the VF had, before it went offline
 * @nsid: namespace
 * @text: driver or override to set
 * @text_was: what it was
 * @policy: words to write
 * @policy_was: what they were
 * @override: what driver_override should be once the function is bound
 * @override_was: what it was, where @text_was is a driver
 */
struct step {
	enum step_kind kind;
	enum step_state state;
	unsigned int vfn;
	char bdf[BDF_MAX];
	uint16_t cntlid;
	bool lost;
	unsigned int type;
	unsigned int want;
	unsigned int was;
	uint16_t count[RESOURCES];
	uint32_t nsid;
	char text[HOST_NAME];
	char text_was[HOST_NAME];
	char policy[POLICY_TEXT];
	char policy_was[POLICY_TEXT];
	char override[HOST_NAME];
	char override_was[HOST_NAME];
};

/** struct steps - a list of them */
struct steps {
	struct step *step;
	size_t n;
};

/**
 * steps_add - append a step
 *
 * Return: the step, zeroed but for these; NULL after saying why.
 */
struct step *steps_add(struct steps *s, enum step_kind kind, unsigned int vfn);

/** steps_free - forget them */
void steps_free(struct steps *s);

/** step_text - what the step does, in words; valid until the next call */
const char *step_text(const struct step *step);

/**
 * struct step_ctx - what steps are done on
 * @name: for messages: the address of the PF, or of the one function
 * @pf: the PF, or NULL where the steps need none
 * @want: what STEP_VERIFY compares with
 */
struct step_ctx {
	const char *name;
	const struct pf *pf;
	const struct pf_state *want;
};

/**
 * steps_run - do them in order; after a failure, undo in reverse what was done
 *
 * A signal that would end the program counts as a failure of the next step.
 *
 * Return: TOOL_OK; a code after saying why, all being as it was; TOOL_BROKEN if
 * that failed; TOOL_NODEV if the PF is gone, and with it its VFs.
 */
int steps_run(const struct step_ctx *ctx, struct steps *s);

#endif
