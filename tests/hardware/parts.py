"""What the bench is made of: QEMU, installed where it is not, and out of Debian's packages a kernel and busybox.

What is taken out of packages is kept in build/hardware, and whatever is there is used: `make clean` makes room for a
newer kernel.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checks import tools

CACHE = tools.ROOT / "build" / "hardware"

_QEMU = "qemu-system-x86_64"
_INSTALL = f"no {_QEMU}; install: sudo apt-get install qemu-system-x86"
_PATIENCE = 300  # seconds for each step of apt: a kernel has a hundred megabytes
# 6.1.0-56, 6.12.117+deb12, 6.16.3+deb13; not -cloud-amd64, where NVME_HWMON is off, nor -rt-amd64.
_KERNEL = re.compile(r"^linux-image-(\d+\.\d+\.\d+[^-\s]*(?:-\d+)?)-amd64(?=\s)", re.MULTILINE)
# The kernel, and the folders in which NVMe and what it depends on can be.
_WANTED_OF_KERNEL = re.compile(
    r"\./boot/vmlinuz-.*|\./(?:usr/)?lib/modules/.*/kernel/(?:drivers/(?:nvme|virtio|char)|block|crypto|lib)/.*"
)
_WANTED_OF_BUSYBOX = re.compile(r"\./(?:usr/)?bin/busybox")


class Unavailable(Exception):
    """The bench cannot be built on this machine. The message is one line that says what is missing."""


@dataclass(frozen=True)
class Parts:
    """Two programs of this machine, and what the guest is given: a kernel, the folder of its modules, and busybox."""

    qemu: Path
    setpriv: Path
    kernel: Path
    modules: Path
    busybox: Path


def find() -> Parts:
    """Find them, or install and download them. Raises Unavailable."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        # The guest is given this machine's Python.
        raise Unavailable(f"the guest is x86-64 Linux, and this is {platform.machine()} {platform.system()}")
    try:
        try:
            return _found()
        except tools.SetupFailed:
            if not shutil.which("apt-get"):
                raise
            # There may be no package lists, or so old ones that the mirror has other versions.
            _run([*tools._as_root(_INSTALL), "apt-get", "update"])
            return _found()
    except (tools.SetupFailed, OSError) as failed:
        raise Unavailable(str(failed)) from failed


def _found() -> Parts:
    if not shutil.which(_QEMU):
        tools._install("qemu-system-x86", "", _run, otherwise=_INSTALL)
    kernel = _unpacked(_newest_kernel(), _WANTED_OF_KERNEL)
    busybox = _unpacked("busybox-static", _WANTED_OF_BUSYBOX)
    return Parts(_program(_QEMU), _program("setpriv"), _only(kernel, "vmlinuz-*"), kernel, _only(busybox, "busybox"))


def _newest_kernel() -> str:
    """The package, of those that are here already if there is one."""
    names = "".join(f"{path.name}\n" for path in CACHE.glob("linux-image-*")) or _said(
        "apt-cache", "pkgnames", "linux-image-"
    )
    versions = _KERNEL.findall(names)
    if not versions:
        raise tools.SetupFailed("apt-cache knows no kernel package linux-image-VERSION-amd64, as Debian has them")
    return f"linux-image-{max(versions, key=_numbers)}-amd64"


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _unpacked(package: str, wanted: re.Pattern[str]) -> Path:
    """A folder with those files of a package, without the folders that they are in there."""
    folder = CACHE / package
    if folder.is_dir():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=".") as temporary:
        new = Path(temporary, "unpacked")
        _run(["env", "--chdir", temporary, "apt-get", "-q", "download", package])
        new.mkdir()
        _unpack(_only(Path(temporary), "*.deb"), wanted, new)
        new.rename(folder)  # whole or not at all
    return folder


def _unpack(package: Path, wanted: re.Pattern[str], folder: Path) -> None:
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as archive,
    ):
        for member in archive:
            content = archive.extractfile(member) if wanted.fullmatch(member.name) else None
            if content:  # it is a file
                (folder / Path(member.name).name).write_bytes(content.read())


def _only(folder: Path, pattern: str) -> Path:
    for path in folder.glob(pattern):
        return path
    raise tools.SetupFailed(f"{folder.name} has no {pattern}")


def _program(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise tools.SetupFailed(f"{name} is not on PATH")
    return Path(found)


def _run(command: Sequence[str]) -> None:
    tools.run(["timeout", "--foreground", str(_PATIENCE), *command])


def _said(*command: str) -> str:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout
