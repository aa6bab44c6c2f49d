"""What the firmware's commands print, as numbers. Every function is pure and raises MailboxError for any other text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from exporters.raspberry_pi.mailbox import MailboxError

# Bit n: it is so now. Bit n + 16: it was so at some time since the boot. The other bits are reserved.
REASONS = ("under_voltage", "frequency_capped", "throttled", "soft_temperature_limit")
_HISTORY = 16

_THROTTLED = re.compile(r"throttled=(?:0[xX])?([0-9a-fA-F]{1,8})")
_FREQUENCY = re.compile(r"frequency\([0-9]+\)=([0-9]{1,12})")
_RAIL = re.compile(
    r"(?P<name>\w+?)(?:_(?P<suffix>[AV]))?\s+(?P<kind>volt|current)(?:\([0-9]+\))?\s*="
    r"\s*(?P<value>-?[0-9]{1,6}(?:\.[0-9]{0,12})?)\s*(?P<unit>[AV])?",
    re.ASCII,
)
_VERSION = re.compile(r"^version ([0-9a-f]{7,40})\b", re.MULTILINE | re.ASCII)
_DAY = re.compile(r"^\s*(?:([0-9]{4})/([0-9]{2})/([0-9]{2})|([A-Z][a-z]{2}) +([0-9]{1,2}) +([0-9]{4}))\b", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Throttled:
    """Which of REASONS hold now, and which held at any time since the boot."""

    now: frozenset[str]
    since_boot: frozenset[str]


class Rail(NamedTuple):
    """What the power chip measures on one rail; None where it does not measure it."""

    volts: float | None = None
    amperes: float | None = None


@dataclass(frozen=True)
class Build:
    """The firmware's commit, and the day it was built on, without the hour: that is told in British local time."""

    version: str
    day: date | None


def throttled(text: str) -> Throttled:
    """The answer to get_throttled: throttled=0x50000."""
    bits = int(_only(_THROTTLED, "throttled=0x50000", text)[1], 16)
    return Throttled(_reasons(bits), _reasons(bits >> _HISTORY))


def _reasons(bits: int) -> frozenset[str]:
    return frozenset(reason for place, reason in enumerate(REASONS) if bits >> place & 1)


def measured_hertz(text: str) -> int:
    """The answer to measure_clock arm: frequency(0)=1500019456. A clock that stands cannot have asked, so 0 is none."""
    hertz = int(_only(_FREQUENCY, "frequency(0)=1500019456", text)[1])
    if hertz == 0:
        raise MailboxError("measure_clock measured nothing: frequency is 0")
    return hertz


def rails(text: str) -> dict[str, Rail]:
    """The answer to pmic_read_adc, by the names of the rails: lines of `EXT5V_V volt(24)=5.05720000V` in any order.

    A line that is not understood is left out. A rail at 0 V is one that is off, or a battery that is not there.
    """
    found: dict[str, Rail] = {}
    for line in text.splitlines():
        part = _RAIL.fullmatch(line.strip())
        if part is None:
            continue
        kind = "V" if part["kind"] == "volt" else "A"
        if {part["suffix"] or kind, part["unit"] or kind} != {kind}:
            continue
        rail, value = found.get(part["name"], Rail()), float(part["value"])
        found[part["name"]] = rail._replace(volts=value) if kind == "V" else rail._replace(amperes=value)
    if not found:
        raise MailboxError(f"pmic_read_adc names no rail: {text[:80]!r}")
    return found


def firmware_build(text: str) -> Build:
    """The answer to version: a date, a copyright, and a line `version 66f33f7e (release) (embedded)`."""
    version = _VERSION.search(text)
    if version is None:
        raise MailboxError(f"version names none: {text[:80]!r}")
    return Build(version[1], _day(text))


def _day(text: str) -> date | None:
    found = _DAY.match(text)
    if found is None:
        return None
    year, month, day, name, day_of_name, year_of_name = found.groups()
    try:
        if name is None:
            return date(int(year), int(month), int(day))
        return date(int(year_of_name), _MONTHS.index(name) + 1, int(day_of_name))
    except ValueError:  # no such month, or no such day in it
        return None


def _only(pattern: re.Pattern[str], example: str, text: str) -> re.Match[str]:
    found = pattern.fullmatch(text.strip("\0 \t\r\n"))
    if found is None:
        raise MailboxError(f"the firmware answers {text[:80]!r}, not in the way of {example}")
    return found
