#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Malformed commands for the device model: fuzz.py QEMU-DIRECTORY

A host that does everything wrong: migration, tracking and vendor commands with
random fields, lengths and PRPs, saved states with bytes changed, in any order,
between resets, queue creation and I/O of the VFs. The device must answer each command
once, must neither crash nor hang, and must be usable afterwards.

FUZZ_SECONDS  no round starts after this time (default 40)
FUZZ_SEED     where the choices come from; SEED/ROUND repeats one round
FUZZ_TRACE    a file that records everything done
"""

import os
import sys
import time
import traceback

import bed
from bed import machine, move, note, ok, pattern, same
from fuzz_host import Host
from fuzz_vf import Guests
from nvmeq import PAGE

STEPS = 600                     # of one round
LAST = 40                       # how many steps a failure shows
ENOUGH = 20                     # rounds in which each command succeeds once


def setup(rng):
    """A machine: which sets, which drive, what tracking."""
    extra = f"lm-pad={rng.choice((0, 16, 5000, 200000))}," \
        f"lm-track-ranges={rng.choice((1, 4, 16, 600))}," \
        f"lm-track-pow2={rng.choice(('on', 'off'))}"
    if rng.random() < 0.3:
        extra += ",ioeventfd=on"
    if rng.random() < 0.3:
        extra += f",lm-suspend-delay-ms={rng.randrange(1, 50)}"
    return dict(lm=rng.choice(("both", "both", "standard", "vendor")),
                throttled=rng.random() < 0.3, extra=extra, queues=3)


def usable(host):
    """PF and VFs, starting from a reset: I/O, tracking, a move."""
    pf, qemu = host.pf, host.qemu
    host.restore()
    a, b = pf.vfs[:2]
    for vf in a, b:
        pf.online(vf)
    bed.guest(a)
    buf = qemu.alloc(PAGE)

    def io(vf, opcode, text):
        qemu.write(buf, text)
        vf.start_io(2, opcode, 24, buf)
        assert vf.wait(2).status == 0
        assert qemu.read(buf, PAGE) == pattern(3)

    io(a, bed.WRITE, pattern(3))
    assert pf.track(a, [(0, 1 << 17)]).status == 0
    io(a, bed.READ, bytes(PAGE))
    assert set(pf.changed(a)[0]) == {buf, a.queues[2].cq}
    assert pf.untrack(a) == 0
    assert pf.suspend(a) == 0
    move(pf, a, b)
    io(b, bed.READ, bytes(PAGE))


def one(seed):
    """One round, determined by its seed alone. Returns the answers' statuses."""
    host = Host(seed)
    config = setup(host.rng)
    try:
        with machine(**config) as (qemu, pf):
            host.begin(qemu, pf)
            guests = Guests(host)
            actions = host.actions() + guests.actions()
            weights = [weight for weight, _ in actions]
            for _ in range(STEPS):
                action = host.rng.choices(actions, weights)[0][1]
                action()
            host.collect()
            usable(host)
            return host.statuses
    except Exception:           # pylint: disable=broad-except
        note(f"FUZZ_SEED={seed} {config}")
        note("\n".join(host.trace[-LAST:]))
        raise
    finally:
        if os.environ.get("FUZZ_TRACE"):
            with open(os.environ["FUZZ_TRACE"], "a", encoding="ascii") as log:
                log.write("\n".join([f"round {seed}", *host.trace, ""]))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    bed.directory = sys.argv[1]
    seed = os.environ.get("FUZZ_SEED") or \
        str(int.from_bytes(os.urandom(4), "little"))
    seconds = float(os.environ.get("FUZZ_SECONDS") or 40)
    note(f"FUZZ_SEED={seed} FUZZ_SECONDS={seconds:g}")
    end = time.monotonic() + seconds
    rounds = [seed] if "/" in seed else \
        (f"{seed}/{i}" for i in range(1 << 30))
    statuses = {}
    for name in rounds:
        try:
            for key, count in one(name).items():
                statuses[key] = statuses.get(key, 0) + count
            ok(True, f"round {name}")
        except Exception:       # pylint: disable=broad-except
            ok(False, f"round {name}")
            note(traceback.format_exc())
            break
        if time.monotonic() > end:
            break
    report(statuses)
    if bed.Tap.count < ENOUGH and not bed.Tap.failed:
        ok(True, f"each command also succeeded # SKIP under {ENOUGH} rounds")
    elif not bed.Tap.failed:
        dull = [hex(opcode) for opcode in Host.MUST_SUCCEED
                if not statuses.get((opcode, 0))]
        same(dull, [], "each command also succeeded")
    print(f"1..{bed.Tap.count}")
    sys.exit(bed.Tap.failed > 0)


def report(statuses):
    """A fuzzer that is always refused has tested nothing."""
    for opcode in sorted({key[0] for key in statuses}):
        note(f"{opcode:02x}: " + ", ".join(
            f"{status:#05x} x{count}" for (which, status), count in
            sorted(statuses.items()) if which == opcode))


main()
