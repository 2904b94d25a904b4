#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: packages:base
"""The source is where the documents say it is: docs/design.md names the files of src/,
the tool's README its folders, what each may use and which of its headers are for
others. No struct name has two meanings in one program. Each file includes the kernel
headers of whatever it uses."""

import glob
import os
import re
import sys

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "rig"))
import tap                                              # noqa: E402

TOOL = "tools/nvme-vfio"
# What is linked together, and all headers that could be included.
PROGRAMS = {
    "the modules": ["src/*.[ch]"],
    "nvme-vfio": [f"{TOOL}/*/*.[ch]", "lib/*.[ch]", "src/identity.h", "src/lm_caps.h",
                  "src/namespaces.h", "src/policy.h"],
    "vf-test": ["tests/vf/vf-test.c", "tests/vf/*/*.[ch]", "tests/lib/*.[ch]", "lib/*.[ch]"],
    "mig-fuzz": ["tests/fuzz/uapi/*.[ch]", "tests/fuzz/stream/*.h", "tests/fuzz/stream/forge.c",
                 "tests/fuzz/stream/judge.c", "tests/vf/harness/*.[ch]", "tests/lib/*.[ch]", "lib/*.[ch]"],
    "vf-bench": ["bench/*.[ch]", "tests/vf/harness/*.[ch]", "tests/lib/*.[ch]", "lib/*.[ch]"],
    "vfio-mig-conformance": ["tests/conformance/*.[ch]", "tests/lib/*.[ch]"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
STRUCT = re.compile(r"^(?:struct|union|enum)\s+(\w+)\s*\{", re.M)


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def files(*patterns):
    return sorted({name for p in patterns for name in glob.glob(p, root_dir=TOP)
                   if not name.endswith(".mod.c")})


def rows(path, head):
    """The cells of a table, by its first column's head."""
    lines = read(path).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(f"| {head} |"))
    out = []
    for line in lines[at + 2:]:
        if not line.startswith("|"):
            break
        out.append([cell.strip() for cell in line.strip("|").split("|")])
    return out


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def design(out):
    named = [name for row in rows("docs/design.md", "file in `src/`") for name in quoted(row[0])]
    there = {os.path.basename(name) for name in files("src/*.[ch]", "src/*.mk", "src/Kbuild")}
    # the header of a listed file need not be listed
    want = {name for name in there if not (name.endswith(".h") and name[:-1] + "c" in there)}
    wrong = [f"named, and not there: {name}" for name in named if name not in there]
    wrong += [f"there, and not named: {name}" for name in sorted(want - set(named))]
    wrong += [f"named twice: {name}" for name in sorted(set(named)) if named.count(name) > 1]
    out.ok(named and not wrong, "docs/design.md names the files of src/", "\n".join(wrong))


def rooms():
    """{folder of the tool: (folders it may use, headers of it for others)}"""
    table = {quoted(row[0])[0].strip("/"): row for row in rows(f"{TOOL}/README.md", "folder")}
    return {name: (set(table) if row[2] == "all" else {x.strip("/") for x in quoted(row[2])}, set(quoted(row[3])))
            for name, row in table.items()}


def folders(out, named):
    there = {os.path.dirname(name) for name in files(f"{TOOL}/*/*.[ch]")}
    want = {f"{TOOL}/{name}" for name in named}
    out.ok(there and there == want, "the tool's README names its folders", "\n".join(sorted(there ^ want)))
    flat = files(f"{TOOL}/*.[ch]")
    out.ok(not flat, "each of the tool's files is in one of them", "\n".join(flat))
    table = " ".join(row[0] for row in rows(f"{TOOL}/README.md", "file"))
    # a row names a folder once, and commands share one
    said = {re.sub(r"^.*/", "", name) for name in quoted(table)}
    lost = [name for name in files(f"{TOOL}/*/*.[ch]") if not name.startswith(f"{TOOL}/cmd/")
            and not any(glob_fits(os.path.basename(name), s) for s in said)]
    out.ok(not lost, "the tool's README names its files", "\n".join(lost))


def glob_fits(name, pattern):
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\[ch\]", "[ch]"), name)


def trespasses(named):
    """Includes of the tool that lead where they must not."""
    lib = {os.path.basename(name) for name in files("lib/*.h")}
    for name in files(f"{TOOL}/*/*.[ch]"):
        room = name.split("/")[2]
        own = {os.path.basename(x) for x in files(f"{TOOL}/{room}/*.h")}
        for header in INCLUDE.findall(read(name)):
            other, _, base = header.rpartition("/")
            if not other:
                bad = header not in own | lib
            elif other in named:
                bad = other == room or other not in named[room][0] or base not in named[other][1]
            else:
                bad = other != "src" or name != f"{TOOL}/host/verdict.h"
            if bad:
                yield f'{name}: "{header}"'


def includes(out, named):
    ours = files("src/*.[ch]", "lib/*.[ch]", f"{TOOL}/*/*.[ch]", "bench/*.[ch]", "bench/*/*.[ch]",
                 "tests/*/*.[ch]", "tests/*/*/*.[ch]")
    up = [f'{name}: "{header}"' for name in ours for header in INCLUDE.findall(read(name)) if ".." in header]
    out.ok(len(ours) > 100 and not up, "no include goes through another folder", "\n".join(up))
    bad = list(trespasses(named))
    out.ok(not bad, "the tool's folders include only what they may, of what others offer", "\n".join(bad))
    spare = [f"{room}/{header}" for room, (_, headers) in named.items() for header in sorted(headers)
             if not any(f'"{room}/{header}"' in read(name) for name in files(f"{TOOL}/*/*.[ch]"))]
    out.ok(not spare, "headers for others are used by others", "\n".join(spare))


def structs(out):
    for program, patterns in PROGRAMS.items():
        where = {}
        for name in files(*patterns):
            for struct in STRUCT.findall(read(name)):
                where.setdefault(struct, []).append(name)
        twice = [f"{struct}: {', '.join(at)}" for struct, at in where.items() if len(at) > 1]
        out.ok(where and not twice, f"{program}: no struct name has two meanings", "\n".join(twice))


# What is used, and the kernel's headers that declare it: the file, or a header of ours
# that it includes, must name one of these. Which other headers bring it along differs
# between configurations.
DECLARED = {
    r"cpu_to_le\d+|le\d+_to_cpu": "asm/byteorder.h",
    r"copy_(?:to|from)_user\(|[gp][eu]t_user\(|copy_from_kernel_nofault\(": "linux/uaccess.h",
    r"k[vz]?[mzc]alloc\w*\(|kv?free\(|kmemdup\(": "linux/slab.h",
    r"kv[mzc]?alloc\w*\(|kvfree\(|PAGE_(?:SIZE|SHIFT|MASK|ALIGN)": "linux/mm.h",
    r"mutex_\w+\(|struct mutex \w": "linux/mutex.h",
    r"spin_(?:un)?lock\w*\(|spinlock_t": "linux/spinlock.h",
    r"container_of\(": "linux/container_of.h linux/kernel.h",
    r"mem(?:cpy|set|cmp|move|chr_inv)\(|str(?:len|cmp|ncmp|scpy|sep|chr)\(": "linux/string.h",
    r"(?:min|max|clamp)(?:_t|3)?\(": "linux/minmax.h linux/kernel.h",
    r"check_\w+_overflow\(|(?:array|struct)_size\(|size_(?:add|mul)\(": "linux/overflow.h",
    r"BUILD_BUG_ON|static_assert": "linux/build_bug.h",
    r"WARN(?:_ON)?(?:_ONCE)?\(": "linux/bug.h",
    r"-E[A-Z]{3,}": "linux/errno.h linux/err.h",
    r"(?:IS_ERR|ERR_PTR|PTR_ERR|ERR_CAST)\w*\(": "linux/err.h",
    r"jiffies|msecs_to_jiffies|HZ": "linux/jiffies.h",
    r"ktime_\w+\(": "linux/ktime.h",
    r"msleep\(|usleep_range\(": "linux/delay.h",
    r"wait_event\w*\(|wake_up\w*\(|wait_queue_head_t": "linux/wait.h",
    r"struct completion \w|wait_for_completion\w*\(": "linux/completion.h",
    r"work_struct|(?:schedule|cancel)_(?:delayed_)?work\w*\(": "linux/workqueue.h",
    r"struct kref|kref_\w+\(": "linux/kref.h",
    r"atomic\w*_t|atomic_\w+\(": "linux/atomic.h",
    r"list_\w+\(|LIST_HEAD\(|struct list_head \w": "linux/list.h",
    r"pci_\w+\(|to_pci_dev\(": "linux/pci.h",
    r"pr_(?:err|warn|info|debug)\w*\(|printk\(": "linux/printk.h",
    r"module_\w+\(|MODULE_\w+\(|THIS_MODULE": "linux/module.h",
    r"(?:fatal_)?signal_pending\(": "linux/sched/signal.h",
    r"cond_resched\(": "linux/sched.h",
    r"round_(?:up|down)\(|DIV_ROUND_UP\w*\(": "linux/math.h linux/kernel.h",
    r"ilog2\(|is_power_of_2\(|roundup_pow_of_two\(": "linux/log2.h",
    r"offsetof(?:end)?\(|sizeof_field\(": "linux/stddef.h",
    r"crc32c\(": "linux/crc32c.h",
    r"(?:U?INT|U?LONG|SIZE|U8|U16|U32|U64)_MAX": "linux/limits.h",
    r"fput\(|fd_install\(": "linux/file.h",
    r"poll_wait\(|EPOLL\w+|__poll_t": "linux/poll.h",
    r"dma_\w+\(": "linux/dma-mapping.h",
    r"READ_ONCE\(|WRITE_ONCE\(": "linux/compiler.h",
    r"v[mz]alloc\w*\(|vfree\(|is_vmalloc_addr\(": "linux/vmalloc.h",
    r"sysfs_\w+\(": "linux/sysfs.h",
    r"blk_mq_\w+\(": "linux/blk-mq.h",
    r"struct nvme_command": "linux/nvme.h",
    r"vfio_pci_core_\w+\(": "linux/vfio_pci_core.h",
    r"u8|u16|u32|u64|bool|__le\d+|size_t": "linux/types.h",
}


def declared(name, seen):
    """The kernel's headers that a file names, directly or by way of ours."""
    if name in seen:
        return set()
    seen.add(name)
    found = set(re.findall(r"^\s*#\s*include\s+<([^>]+)>", read(name), re.M))
    for header in INCLUDE.findall(read(name)):
        if os.path.exists(os.path.join(TOP, "src", header)):
            found |= declared(f"src/{header}", seen)
    return found


def headers(out):
    """Whether a missing one is noticed depends on the kernel's configuration, not on luck."""
    bad = []
    for name in files("src/*.[ch]"):
        text = re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|^\s*#\s*include.*?$", " ", read(name), flags=re.S | re.M)
        named = declared(name, set())
        for use, where in DECLARED.items():
            # word boundaries, though some end in a bracket
            found = re.search(rf"(?<!\w)(?:{use})(?<=\()|(?<!\w)(?:{use})(?!\w)", text)
            if found and not named & set(where.split()):
                bad.append(f"{name}: {found.group(0)}: {where}")
    out.ok(not bad, "the modules include the headers of what they use", "\n".join(bad))


def main():
    out = tap.Tap()
    named = rooms()
    design(out)
    folders(out, named)
    includes(out, named)
    structs(out)
    headers(out)
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
