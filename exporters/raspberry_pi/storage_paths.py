"""storage_paths: which device backs each path that is watched, and of which type it is.

etcd once ran from the eMMC for months after a node was rebuilt, and nothing said so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from exporters.raspberry_pi.host import Host, text
from exporters.raspberry_pi.reading import NotAvailable, Reading

_DEVICE, _POINT = 2, 4  # of the words of a line of mountinfo
_OCTAL = re.compile(r"\\([0-7]{3})")  # how mountinfo writes blanks in a path


@dataclass(frozen=True)
class Mount:
    """A line of mountinfo: where, and which device."""

    point: PurePosixPath
    device: str  # major:minor


def collect(host: Host, paths: Sequence[str]) -> Iterator[Reading]:
    """Look up every path. Raises NotAvailable where none is watched, and ValueError for a mountinfo that is none."""
    if not paths:
        raise NotAvailable("no_paths")
    # Of the host's first process: in a pod, /proc/self tells of the pod.
    told = text(host.proc / "1/mountinfo")
    if told is None:
        raise NotAvailable("no_mountinfo")
    known = mounts(told)
    for path in paths:
        if mount := backing(PurePosixPath(path), known):
            device, kind = _disk(host, mount.device)
            yield Reading("storage_path_info", 1, {"path": path, "device": device, "device_type": kind})


def mounts(told: str) -> list[Mount]:
    """The mounts in the order in which they were made. Raises ValueError."""
    found = []
    for line in told.splitlines():
        words = line.split(" ")
        if len(words) <= _POINT or ":" not in words[_DEVICE]:
            raise ValueError(f"mountinfo has the line {line[:60]!r}")
        point = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), words[_POINT])
        found.append(Mount(PurePosixPath(point), words[_DEVICE]))
    return found


def backing(path: PurePosixPath, known: Sequence[Mount]) -> Mount | None:
    """The mount that a path lies on: the one with the longest way in common, and of several there the last one."""
    found = [mount for mount in known if path.is_relative_to(mount.point)]
    return max(reversed(found), key=lambda mount: len(mount.point.parts), default=None)


def _disk(host: Host, device: str) -> tuple[str, str]:
    """The disk that holds a device, and its type; what is no block device, as an overlay, is unknown."""
    place = host.sys / "dev/block" / device
    if not place.exists():
        return "", "unknown"
    disk = place.resolve()
    if (disk / "partition").exists():
        disk = disk.parent
    return disk.name, _type(disk)


def _type(disk: Path) -> str:
    if disk.name.startswith("nvme"):
        return "nvme"
    if disk.name.startswith("mmcblk"):
        return {"MMC": "emmc", "SD": "sd"}.get(text(disk / "device/type") or "", "unknown")
    return {"0": "ssd", "1": "hdd"}.get(text(disk / "queue/rotational") or "", "unknown")
