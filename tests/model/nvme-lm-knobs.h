/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration commands of the NVMe model: the properties of a PF.
 *
 * Each stands here once, with what it means, and nowhere else: the fields in
 * NvmeLm, QEMU's properties, the lines of the test control and what puts all
 * of them back are made of this list. Who includes it says of what:
 *
 * LM_NUMBER(name, field, default, most, help)
 * LM_SWITCH(name, field, default, help)       on or off
 * LM_WORD(name, field, help, words...)        the first one is the default
 * LM_OTHER(name, what, help)                  lm_set_what() and lm_get_what()
 * LM_COMMAND(name, what, help)                lm_run_what(), for "1"; not to be read
 */

LM_OTHER("lm", sets,
    "off, standard, vendor or both: the command sets; off (default) is the stock device")
LM_OTHER("lm-pad", pad,
    "bytes of padding at the end of the vendor part, a multiple of 4, up to 128M; "
    "its contents are checked on load")
LM_NUMBER("lm-suspend-delay-ms", suspend_delay_ms, 0, UINT32_MAX,
    "how long a Suspend takes at least")
LM_NUMBER("lm-resume-delay-ms", resume_delay_ms, 0, UINT32_MAX,
    "how long a Resume takes at least")
LM_WORD("lm-suspend-waits", suspend_waits,
    "a Suspend waits, besides what it has to wait for: cq: until no completion of "
    "the VF wants for room in its queue; ever: until this property is another. "
    "Empty (default): neither",
    "", "cq", "ever")
LM_WORD("lm-suspend-reset", suspend_reset,
    "when its VF is reset, a Suspend that waits for anything: fail: fails with 06h "
    "(default); end: succeeds, and the VF runs; suspend: succeeds, and the VF is "
    "suspended; ignore: goes on waiting, and the VF is suspending. One whose VF is "
    "taken offline fails in any case",
    "fail", "end", "suspend", "ignore")
LM_NUMBER("lm-command-us", command_us, 0, UINT32_MAX,
    "how long each command of the sets takes, one after the other. 0 (default): no time")
LM_NUMBER("lm-mib-per-s", mib_per_s, 0, UINT32_MAX,
    "how fast their data goes. 0 (default): in no time")
LM_OTHER("lm-fail", fail,
    "RULE+..., where a rule is OPC[/SEL]@N=STATUS: the Nth such command from now fails "
    "and has no effect. STATUS is type<<8|code; 0x4000 adds DNR")
LM_OTHER("lm-hang", hang,
    "RULE+..., where a rule is OPC[/SEL]@N: it never completes and has no effect")
LM_OTHER("lm-lie", lie,
    "NAME+...: csup-clear: Get denies that the VF is suspended. lose-cqe: the state "
    "forgets one command: a completion that came during the suspend, else a command "
    "not fetched, else an AER. double-cqe: after a load one I/O completion comes "
    "twice. forget-page: tracking never tells of a unit whose number (address / size) "
    "is a multiple of seven when it was I/O data that was read into it")
LM_OTHER("lm-model", model,
    "name of the model in Identify, of VFs too")
LM_OTHER("lm-firmware", firmware,
    "name of the firmware; likewise")
LM_SWITCH("lm-test", test, false,
    "admin commands E1h and E2h")
LM_SWITCH("lm-track", track_on, true,
    "memory tracking goes with the standard set (default) or not; off ends what is tracked")
LM_OTHER("lm-track-ranges", ranges,
    "N[/M]: CMMRTD, and NMMRTD if it is another; default 16")
LM_NUMBER("lm-track-min", track_min, 0, LM_MAX_GRAIN,
    "MINMRTG, default 0 (4 KiB), at most 39")
LM_NUMBER("lm-track-max", track_max, 9, LM_MAX_GRAIN,
    "MAXMRTG, default 9 (2 MiB), at most 39")
LM_SWITCH("lm-track-pow2", track_pow2, false,
    "MRTLL: lengths must be powers of two; default off")
LM_NUMBER("lm-track-grain", track_grain, 0, LM_MAX_GRAIN,
    "anything finer is answered by 38h with MRTG = this (or MINMRTG), NMRTD = 0")
LM_NUMBER("lm-track-room", track_room, UINT16_MAX, UINT16_MAX,
    "more descriptors in all are answered by 38h, with NMRTD = what is left")
LM_NUMBER("lm-track-batch", track_batch, UINT16_MAX, UINT16_MAX,
    "one report tells of so many ranges at most (and sets MTR)")
LM_COMMAND("lm-reset-counters", reset_counters,
    "1: counters back to zero")
LM_COMMAND("lm-reset-knobs", reset_knobs,
    "1: every property is what the device was started with, rules are armed anew")

#undef LM_NUMBER
#undef LM_SWITCH
#undef LM_WORD
#undef LM_OTHER
#undef LM_COMMAND
