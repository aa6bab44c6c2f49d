"""What an NVMe drive says of itself: its SMART / Health Information log (page 02h) and Identify Controller.

A drive has no word for "I do not know" but 0, and a drive in an emulator keeps hardly any of the numbers. Where 0 means
that nothing was told, the field is None: it must not read as a drive without spare, or as one without errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HEALTH, IDENTITY = 512, 4096  # bytes
_UNIT = 512_000  # bytes: a data unit is a thousand times 512, of which the last may be a part
_MINUTE, _HOUR = 60, 3600  # seconds


class NotHealth(ValueError):
    """The bytes are no SMART log, or one that the drive does not implement."""


class NotIdentity(ValueError):
    """The bytes are no Identify Controller."""


@dataclass(frozen=True)
class Health:
    """The SMART log in base units; None is what the drive does not tell.

    The two warnings are bitmaps as they come. `percentage_used_ratio` goes beyond 1; 2.55 is that or more. Counters
    have up to 128 bits. What is numbered by a sensor or a thermal management temperature holds only those with a value.
    """

    critical_warning: int
    endurance_group_critical_warning: int
    temperature_celsius: float | None
    available_spare_ratio: float | None
    available_spare_threshold_ratio: float | None
    percentage_used_ratio: float | None
    read_bytes: int | None
    written_bytes: int | None
    host_reads: int | None
    host_writes: int | None
    controller_busy_seconds: int | None
    power_cycles: int | None
    power_on_seconds: int | None
    unsafe_shutdowns: int | None
    media_errors: int | None
    error_log_entries: int | None
    warning_temp_seconds: int | None
    critical_temp_seconds: int | None
    sensors_celsius: Mapping[int, float]
    thermal_transitions: Mapping[int, int]
    thermal_seconds: Mapping[int, int]


@dataclass(frozen=True)
class Identity:
    """Who the drive is, "" where a text is blank, and None where it has no limit or does not tell its capacity."""

    model: str
    serial: str
    firmware_revision: str
    warning_limit_celsius: float | None
    critical_limit_celsius: float | None
    capacity_bytes: int | None


def health(log: bytes) -> Health:
    """Parse the 512 bytes of the SMART log. Raises NotHealth."""
    if len(log) != HEALTH:
        raise NotHealth(f"a SMART log has {HEALTH} bytes, not {len(log)}")
    if not any(log):
        raise NotHealth("the SMART log is all zeros: the drive does not implement it")
    # A drive that runs was switched on at least once. One that counts no power cycle keeps no other such count either,
    # and what it nevertheless counts is above 0.
    keeps_counts = _number(log, 112, 16) > 0

    def count(offset: int, size: int = 16, unit: int = 1) -> int | None:
        value = _number(log, offset, size)
        return value * unit if value or keeps_counts else None

    def counts(offset: int) -> dict[int, int]:
        both = {1: count(offset, 4), 2: count(offset + 4, 4)}
        return {number: value for number, value in both.items() if value is not None}

    spare, threshold, used = log[3:6]
    tells_spare = spare > 0 or threshold > 0
    sensors = {number: _celsius(log, 198 + 2 * number) for number in range(1, 9)}
    return Health(
        critical_warning=log[0],
        endurance_group_critical_warning=log[6],
        temperature_celsius=_celsius(log, 1),
        available_spare_ratio=spare / 100 if tells_spare and spare <= 100 else None,
        available_spare_threshold_ratio=threshold / 100 if tells_spare and threshold <= 100 else None,
        percentage_used_ratio=used / 100 if used or tells_spare else None,
        read_bytes=_number(log, 32, 16) * _UNIT or None,  # 0 is "not reported" by the specification
        written_bytes=_number(log, 48, 16) * _UNIT or None,
        host_reads=count(64),
        host_writes=count(80),
        controller_busy_seconds=count(96, unit=_MINUTE),
        power_cycles=count(112),
        power_on_seconds=count(128, unit=_HOUR),
        unsafe_shutdowns=count(144),
        media_errors=count(160),
        error_log_entries=count(176),
        warning_temp_seconds=count(192, 4, _MINUTE),
        critical_temp_seconds=count(196, 4, _MINUTE),
        sensors_celsius={number: celsius for number, celsius in sensors.items() if celsius is not None},
        thermal_transitions=counts(216),
        thermal_seconds=counts(224),
    )


def identity(data: bytes) -> Identity:
    """Parse the 4096 bytes of Identify Controller. Raises NotIdentity."""
    if len(data) != IDENTITY:
        raise NotIdentity(f"Identify Controller has {IDENTITY} bytes, not {len(data)}")
    if not any(data):
        raise NotIdentity("Identify Controller is all zeros")
    return Identity(
        model=_text(data[24:64]),
        serial=_text(data[4:24]),
        firmware_revision=_text(data[64:72]),
        warning_limit_celsius=_celsius(data, 266),
        critical_limit_celsius=_celsius(data, 268),
        capacity_bytes=_number(data, 280, 16) or None,
    )


def _number(data: bytes, offset: int, size: int) -> int:
    return int.from_bytes(data[offset : offset + size], "little")


def _celsius(data: bytes, offset: int) -> float | None:
    kelvin = _number(data, offset, 2)
    return (kelvin * 100 - 27315) / 100 if kelvin else None  # as the kernel does; many tools take 273


def _text(padded: bytes) -> str:
    """As sysfs shows it, so that the two agree on a serial number."""
    return padded.partition(b"\0")[0].decode("utf-8", "replace").strip("\0 \t\r\n")
