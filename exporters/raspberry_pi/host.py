"""The host's files, wherever they are mounted: read as text, absent or not."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# A file that is not there, or a sensor that is there and says that it has nothing.
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO, errno.ENODATA)


@dataclass(frozen=True)
class Host:
    """Where sysfs, procfs and the device nodes of the host are seen."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")
    dev: Path = Path("/dev")


def content(path: Path) -> bytes | None:
    """The bytes of a file; None where there is none. Raises OSError for every other reason."""
    try:
        return path.read_bytes()
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise


def text(path: Path) -> str | None:
    """The same as text, without white space around it."""
    found = content(path)
    return None if found is None else found.decode("utf-8", "replace").strip("\0 \t\r\n")


def number(path: Path) -> float | None:
    """The number in a file; None where there is no file. Raises ValueError, which names the file, for anything else."""
    found = text(path)
    if found is None:
        return None
    try:
        return float(int(found, 10))
    except ValueError:
        raise ValueError(f"{path} holds {found[:40]!r}, not a whole number") from None


def named(folder: Path, attribute: str, wanted: str) -> Iterator[Path]:
    """The entries of a class folder whose `attribute` is `wanted`, in the order of their names.

    Numbers of hwmon devices and thermal zones differ from boot to boot: what a device is says its `name` or `type`.
    """
    for entry in entries(folder):
        if text(entry / attribute) == wanted:
            yield entry


def entries(folder: Path) -> list[Path]:
    """What is in a folder, by name; nothing where there is no such folder."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        if error.errno in _ABSENT:
            return []
        raise
