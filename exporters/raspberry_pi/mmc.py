"""mmc: how worn the eMMC is, in its own words, and how much was written to it. Cards tell nothing of the former."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from exporters.raspberry_pi.host import Host, entries, text
from exporters.raspberry_pi.reading import Reading, any_of, parts

_DISK = re.compile(r"mmcblk\d+")  # not its boot partitions, nor rpmb
_SECTOR = 512  # bytes, whatever the drive says
_WRITTEN = 6  # of the numbers in `stat`: sectors written
_TENTHS = range(1, 12)  # 1: up to 10 % used, 10: up to 100 %, 11: exceeded


def collect(host: Host) -> Iterator[Reading]:
    """Read them. Raises NotAvailable without eMMC or card, and ValueError for what no kernel writes."""
    disks = [entry for entry in entries(host.sys / "block") if _DISK.fullmatch(entry.name)]
    return any_of(parts(*(part for disk in disks for part in (_wear(disk), _use(disk)))), otherwise="no_device")


def _use(disk: Path) -> Iterator[Reading]:
    kind, name = text(disk / "device/type") or "", text(disk / "device/name") or ""
    yield Reading("mmc_device_info", 1, {"device": disk.name, "type": kind, "name": name})
    if (told := text(disk / "stat")) is not None:
        yield Reading("mmc_written_bytes_total", written(told), {"device": disk.name})


def _wear(disk: Path) -> Iterator[Reading]:
    if (told := text(disk / "device/life_time")) is not None:
        for letter, used in zip("ab", life_time(told), strict=True):
            if used is not None:
                yield Reading("mmc_life_time_used_ratio", used, {"device": disk.name, "type": letter})
    if (told := text(disk / "device/pre_eol_info")) is not None:
        yield Reading("mmc_pre_eol_info", _hexadecimal(told), {"device": disk.name})


def life_time(told: str) -> tuple[float | None, float | None]:
    """`0x02 0x03` -> (0.2, 0.3): at most so much is used of either kind of cells; 1.1 is more than all.

    None where the drive does not tell. Raises ValueError.
    """
    codes = [_hexadecimal(word) for word in told.split()]
    if len(codes) != len("ab"):
        raise ValueError(f"life_time is {told[:40]!r}, not two numbers")
    first, second = (code / 10 if code in _TENTHS else None for code in codes)
    return first, second


def written(told: str) -> float:
    """Bytes written, from the numbers of `stat`. Raises ValueError."""
    numbers = told.split()
    if len(numbers) <= _WRITTEN or not numbers[_WRITTEN].isdecimal():
        raise ValueError(f"stat is {told[:40]!r}, not a line of numbers")
    return float(int(numbers[_WRITTEN]) * _SECTOR)


def _hexadecimal(word: str) -> int:
    try:
        return int(word, 16)
    except ValueError:
        raise ValueError(f"{word[:40]!r} is no hexadecimal number") from None
