# SPDX-License-Identifier: GPL-2.0-only
"""What must be true of a scenario's result, as test results."""

import re

# Before a Suspend the driver starts tracking once more, which a drive that still tracks
# refuses with this status.
STILL_TRACKED = ("Track Send", 0x11f)


def failed(command):
    return command["status"] and (command["name"], command["status"]) != STILL_TRACKED


def check(tap, r, trips):
    """Report on result r of scenario.run()."""
    label = r.label + ":"

    for i, t in enumerate(r.trips):
        bad = [c for c in t["commands"] if failed(c)]
        names = [c["name"] for c in t["commands"]]
        tap.ok(t["status"] == "completed" and t["state_bytes"],
               f"{label} trip {i + 1}, host {t['source']} to {t['target']}: "
               f"{t['state_bytes']} bytes of state, {t['gap_ms']:.0f} ms without I/O, "
               f"{t['downtime_ms']} ms down by QEMU after {t['rounds']} rounds",
               f"no device state was moved: {t}")
        tap.ok(not bad and names.count("Suspend") and names.count("Resume"),
               f"{label} trip {i + 1}: {len(names)} admin commands, none failed",
               "\n".join(map(str, t["commands"])) or "no commands were traced")
        if r.tracked:
            tap.ok("Track Send" in names and "Track Receive" in names,
                   f"{label} trip {i + 1}: memory was tracked, {names.count('Track Receive')} reports", names)
        tap.ok(t["opened"] == t["modes"], f"{label} trip {i + 1}: the VF was opened in "
               f"{t['opened'][0]} mode, then in {t['opened'][1]} mode", f"meant: {t['modes']}")
        tap.ok(t["arcs"] and not any(a["ret"] for a in t["arcs"]),
               f"{label} trip {i + 1}: every change of state succeeded",
               "\n".join(map(str, t["arcs"])))
        tap.ok(t["after"]["writes"] > t["before"]["writes"]
               and t["after"]["verified"] > t["before"]["verified"],
               f"{label} trip {i + 1}: verified I/O before and after",
               f"before {t['before']} after {t['after']}")
    tap.ok(len(r.trips) == trips, f"{label} {trips} migrations", f"{len(r.trips)}: {r.error}")
    tap.ok(r.totals.get("errors") == 0 and r.clean_end and (r.read_back or 0) > 0,
           f"{label} {r.totals.get('writes')} writes, {r.totals.get('verified')} blocks verified, "
           f"{r.read_back} read back at the end, nothing wrong or left in flight", r.totals)
    tap.ok(r.totals.get("dma_pages") and not r.totals["dma_moved"] and not r.copied,
           f"{label} {r.totals.get('dma_pages')} pages that only the drive writes, read "
           f"{r.totals.get('dma_filled')} times, compared {r.totals.get('dma_compared')} times, "
           f"{r.totals.get('dma_oldest_ms')} ms old at most; {r.totals.get('changed_verified')} changed "
           f"ones verified, {r.totals.get('changed_kib_s')} KiB/s", f"copied: {r.copied}, {r.totals}")
    tap.ok(r.guest_trouble == [], f"{label} no timeout, reset, abort or I/O error in the guest",
           "\n".join(r.guest_trouble or ["the guest did not get to its end"]))
    tap.ok(not r.error, f"{label} hosts ended well, nothing in their kernel logs", r.error)
    tap.note(f"{label} {r.seconds:.0f} s, logs in {r.log}")


def check_forgetful(tap, r):
    """Report on a scenario with a drive that does not report all pages it
    wrote: the checker in the guest must find such pages, and find that they are
    stale."""
    stale = [x for x in r.guest_trouble or [] if "of the pool" in x and "stale" in x]
    pages = [int(x, 16) // 4096 for x in re.findall(r"guest address (0x[0-9a-f]+)", "\n".join(stale))]
    tap.ok(stale, f"{r.label}: a drive that does not report some pages is detected: "
           f"{stale[0] if stale else 'not'}", f"{r.guest_trouble}\n{r.error}\n{r.totals}")
    # the device model forgets pages with these numbers
    tap.ok(not any(page % 7 for page in pages), f"{r.label}: and no others", "\n".join(stale))
    tap.note(f"{r.seconds:.0f} s, logs in {r.log}")
