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
LM_NUMBER("lm-vendor-drain-ms", vendor_drain_ms, 0, UINT32_MAX,
    "SUSPEND of the vendor set ends before what was fetched does: that goes on for so "
    "long, unless SAVE_DATA or QUERY_DATA_SIZE ends it. 0 (default): SUSPEND waits for it")
LM_NUMBER("lm-suspend-told-ms", suspend_told_ms, UINT32_MAX, UINT32_MAX,
    "how long one takes at most that a Suspend notification came before. Not set "
    "(default): as long as any")
LM_SWITCH("lm-resume-irq", resume_irq, true,
    "Resume raises the interrupt of each queue with completions that the guest has not "
    "seen (default). off: of none, not even for those that it posts itself, nor is one "
    "raised any more when a Suspend has begun")
LM_NUMBER("lm-resume-delay-ms", resume_delay_ms, 0, UINT32_MAX,
    "how long a Resume takes at least")
LM_OTHER("lm-ids", ids,
    "FIRST[/STEP[/down]]: controller ids that VFs get: the first free ones of FIRST, "
    "FIRST+STEP ..., the last VF the smallest with down. Below 65520; only looked at when the "
    "device is made. Default: those after the PF's")
LM_NUMBER("lm-list-more", list_more, 0, LM_MAX_MORE,
    "so many more secondary controllers in the list of them, no VFs, with the smallest "
    "free ids")
LM_WORD("lm-list-order", list_order,
    "the order of entries in a page of that list: up (default), down, or mixed. A page has "
    "the smallest ids in any case",
    "up", "down", "mixed")
LM_SWITCH("lm-set-running", set_running, false,
    "whether Set also takes a target that is enabled and not suspended, which goes on with "
    "what it got; default off")
LM_SWITCH("lm-set-offline", set_offline, false,
    "whether an offline target also takes the state of a live controller, and is suspended "
    "with it when it gets online; default off")
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
LM_NUMBER("lm-identify-ms", identify_ms, 0, UINT32_MAX,
    "how long Identify takes, of whatever. 0 (default): no time")
LM_OTHER("lm-fail", fail,
    "RULE+..., where a rule is OPC[/SEL]@N=STATUS: the Nth such command from now fails "
    "and has no effect. STATUS is type<<8|code; 0x4000 adds DNR, 0x800 a delay of CRDT1")
LM_NUMBER("lm-crdt", crdt, 0, UINT16_MAX,
    "CRDT1: how long a host is to wait with a retry, in 100 ms; it is not seen to")
LM_NUMBER("lm-sequences", sequences, 0, UINT32_MAX,
    "a Set that begins while so many other VFs are being loaded gets 38h, without DNR. "
    "0 (default): any number")
LM_SWITCH("lm-half-stays", half_stays, false,
    "whether a part of a state that came and was not committed stays through resets of "
    "the VF, which cannot be resumed with it")
LM_WORD("lm-empty-part", empty_part,
    "a part of the state that Get leaves out though its index is not 0, and Set takes so: "
    "nvme or vendor. Empty (default): neither",
    "", "nvme", "vendor")
LM_OTHER("lm-hang", hang,
    "RULE+..., where a rule is OPC[/SEL]@N: it never completes and has no effect")
LM_OTHER("lm-lie", lie,
    "NAME+...: csup-clear: Get denies that the VF is suspended. lose-cqe: the state "
    "forgets one command: a completion that came during the suspend, else a command "
    "not fetched, else an AER. double-cqe: after a load one I/O completion comes "
    "twice. forget-page: tracking never tells of a unit whose number (address / size) "
    "is a multiple of seven when it was I/O data that was read into it. deaf: Resume "
    "succeeds, and the VF stays suspended. huge: by its header a state has 2^66 bytes. "
    "report-overflow: a report tells of one more range than it has room for")
LM_OTHER("lm-model", model,
    "name of the model in Identify, of VFs too")
LM_OTHER("lm-firmware", firmware,
    "name of the firmware; likewise")
LM_NUMBER("lm-ns-other", ns_other, 0, UINT8_MAX,
    "the NGUID of each namespace is another: its last byte is changed by this. For "
    "everybody, from the PF's next Identify on")
LM_NUMBER("lm-ns-more", ns_more, 0, UINT32_MAX,
    "each namespace says that it is so many blocks larger; likewise")
LM_NUMBER("lm-ns-hide", ns_hide, 0, UINT32_MAX,
    "namespace that no controller has, by what the PF tells (CNS 12h)")
LM_SWITCH("lm-ns-manage", ns_manage, true,
    "OACS bit 3, namespace management, without which nobody need ask for namespaces "
    "that are not the PF's own; default on")
LM_WORD("lm-formats", formats,
    "formats of state that are listed: one: version 0, one UUID (default); two: "
    "versions 7 and 0, another UUID and that one; turned: the same in the other order. "
    "A state says which it has, and is refused as any other",
    "one", "two", "turned")
LM_WORD("lm-no-format", no_format,
    "what the list of formats has none of: version or uuid. Empty (default): it has both",
    "", "version", "uuid")
LM_SWITCH("lm-test", test, false,
    "admin commands E1h and E2h")
LM_SWITCH("lm-track", track_on, true,
    "memory tracking goes with the standard set (default) or not; off ends what is tracked")
LM_OTHER("lm-track-ranges", ranges,
    "N[/M]: CMMRTD, and NMMRTD if it is another; default 16")
LM_SWITCH("lm-track-bars", track_bars, true,
    "a range with a BAR of the VF in it is refused (default) or tracked like any")
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
LM_SWITCH("lm-track-short", track_short, false,
    "whether a report may have no room for a range, and then only says whether there is "
    "one (default: 02h)")
LM_SWITCH("lm-track-void", track_void, false,
    "whether Track Receive of a VF that is not tracked succeeds and tells of nothing "
    "(default: 1Fh)")
LM_COMMAND("lm-reset-counters", reset_counters,
    "1: counters back to zero")
LM_COMMAND("lm-reset-knobs", reset_knobs,
    "1: every property is what the device was started with, rules are armed anew")

#undef LM_NUMBER
#undef LM_SWITCH
#undef LM_WORD
#undef LM_OTHER
#undef LM_COMMAND
