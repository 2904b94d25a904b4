#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
# Needs: kernel:7.3 model
# Needs, CHECK_FULL=1: kernel:6.12 kernel:7.2 kernel:7.3 model
"""A kernel of Debian's without IOMMUFD gets VFIO and iommufd from its own source: they
build without a warning, a host starts with them, modules that were built for another
core are refused in either direction, KVM knows VFIO's files, a workload moves as guests
of cloud-hypervisor do, and the conformance suite passes by /dev/iommu, with nothing
skipped that the kernel does not force (inside/iommufd-core). IOMMUFD_KERNELS="6.12 7.2"
for others; CHECK_FULL=1 takes all. There the suite runs by the VF's group as well.
CONFORMANCE_ARGS goes to it."""

import lzma
import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "rig"))
import hostrun                                          # noqa: E402
import initramfs                                        # noqa: E402
import place                                            # noqa: E402
import tap                                              # noqa: E402

SECONDS = 1500
ARGS = os.environ.get("CONFORMANCE_ARGS", "")
# of the kernel's own; those that others depend on come last
OLD = ("vfio", "vfio-pci-core", "vfio-pci", "vfio_iommu_type1")
# The loader's messages when it refuses one.
REFUSED = (r"\S+: Unknown symbol (nvme_vfio_iommufd_core|_*vfio_\w+) \(err -2?2\)",
           r"\S+: disagrees about version of symbol _*vfio_\w+")
# What other kernels do not have either.
FORCED = {"6.12": {"kernel has no MIG_PRECOPY_INFOv2"}}


def kernels():
    chosen = os.environ.get("IOMMUFD_KERNELS", "").split()
    return chosen or (["6.12", "7.2", "7.3"] if os.environ.get("CHECK_FULL") else ["7.3"])


def unpacked(kernel, names, folder, numbered=False):
    """{name in the share: path} of the kernel's modules in a form that the loader accepts."""
    paths = initramfs.module_closure(kernel, names)
    files = {}
    for number, path in enumerate(paths):
        name = os.path.basename(path).partition(".ko")[0]
        if not numbered and name not in names:
            continue
        with (lzma.open if path.endswith(".xz") else open)(path, "rb") as f:
            data = initramfs.unsigned(f.read())
        name = f"{number:02}-{name}.ko" if numbered else f"{name}.ko"
        files[name] = pathlib.Path(folder, name)
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_bytes(data)
    return files


def build(out, kernel, folder):
    """The folders of the core and of the driver for it; None if one does not build."""
    core, driver = f"{folder}/core", f"{folder}/driver"
    for what, command in (("VFIO and iommufd", ("iommufd-core", kernel.release, core)),
                          ("the driver for them", ("build-modules", kernel.release, driver, f"{TOP}/src",
                                                   f"NVME_VFIO_CORE={core}"))):
        try:
            place.run(*command)
        except subprocess.CalledProcessError as e:
            out.ok(False, f"{kernel.series}: {what} of the kernel's source", e.stdout)
            return None
        out.ok(True, f"{kernel.series}: {what} build without a warning")
    return core, driver


def ways():
    return ("iommufd", "group") if os.environ.get("IOMMUFD_KERNELS") or os.environ.get("CHECK_FULL") else ("iommufd",)


def jobs(out, kernel, folder, programs):
    made = build(out, kernel, folder)
    if not made:
        return
    core, driver = made
    files = {f"old/{name}": path for name, path in unpacked(kernel, OLD, f"{folder}/old").items()}
    files |= {f"kvm/{name}": path for name, path in unpacked(kernel, ("kvm_amd",), f"{folder}/kvm", True).items()}
    files["old/nvme-vfio-pci.ko"] = os.path.join(place.driver(kernel), "nvme-vfio-pci.ko")
    files["data/iommufd-core"] = f"{TESTS}/inside/iommufd-core"
    for way in ways():
        command = f"sh /share/data/iommufd-core {'--iommufd' if way == 'iommufd' else ''} {ARGS}"
        yield hostrun.Job(kernel.release, "standard", command,
                          [*programs, "bin/kvmfile=" + place.program("kvmfile.c"),
                           *(f"{name}={path}" for name, path in files.items())],
                          SECONDS, f"{kernel.series} {way}", allow=(*hostrun.FAILS, *REFUSED),
                          more=("--no-vfs", "--nvme", core, "--driver", driver))


def report(out, kernel, result):
    forced = FORCED.get(kernel.split()[0], set())
    result.say(out)
    skipped = [f"{point.name}: {point.skipped}" for point in result.points
               if point.skipped is not None and point.skipped not in forced]
    out.ok(not skipped, f"{kernel}: nothing is skipped except what the kernel lacks", "\n".join(skipped))
    why = result.fault()
    out.ok(why is None, f"{kernel}: the host ran to its end, its kernel log is clean", why or "")


def main():
    hostrun.by_run_one()
    out = tap.Tap()
    programs, why = place.all_built("vfio-mig-conformance", "vf-test")
    if not out.ok(not why, "the programs build", why or ""):
        return out.done()
    with tempfile.TemporaryDirectory() as folder:
        todo = [job for series in kernels() for job in jobs(out, place.kernel(series), f"{folder}/{series}", programs)]
        for job, result in hostrun.side_by_side(todo, 2):
            report(out, job.title, result)
    if len(ways()) == 1:
        out.skip("the suite by the VF's group", "CHECK_FULL=1")
    return out.done()


if __name__ == "__main__":
    sys.exit(main())
