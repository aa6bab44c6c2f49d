"""nvme: which drives are there, their state, temperatures and links. All of this needs no privilege.

A drive that fell off the bus leaves no file, so those that were seen are remembered, by serial number: the name of the
device may be another one when it comes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from exporters.raspberry_pi.host import Host, entries, number, text
from exporters.raspberry_pi.reading import Reading, any_of, parts

STATES = ("new", "live", "resetting", "connecting", "deleting", "dead")
_CONTROLLER = re.compile(r"nvme\d+")
_SPEED = re.compile(r"([0-9.]+) GT/s.*")
_SENSOR = re.compile(r"Sensor (\d+)")
_UNSET = -273.0  # the kernel writes absolute zero for a limit that is not set
_SEVERITIES = ("correctable", "nonfatal", "fatal")


@dataclass(frozen=True)
class Drive:
    """A controller as sysfs has it."""

    device: str
    serial: str
    folder: Path

    @property
    def labels(self) -> dict[str, str]:
        """What tells it from the others."""
        return {"device": self.device, "serial": self.serial}


@dataclass
class Memory:
    """The drives that were seen since the exporter started: serial number -> the last name of its device."""

    seen: dict[str, str] = field(default_factory=dict)


def collect(host: Host, memory: Memory, expected: Sequence[str] = ()) -> Iterator[Reading]:
    """Read all drives; `expected` are serial numbers that must be there.

    Raises NotAvailable where there is no drive and none was seen or is expected.
    """
    there = list(drives(host))
    memory.seen |= {drive.serial: drive.device for drive in there}
    known = {**dict.fromkeys(expected, ""), **memory.seen}
    present = {drive.serial for drive in there}
    presence = (
        Reading("nvme_device_present", float(serial in present), {"device": device, "serial": serial})
        for serial, device in known.items()
    )
    each = (part for drive in there for part in (_identity(drive), _heat(drive), _link(drive)))
    return any_of(parts(presence, *each), otherwise="no_device")


def drives(host: Host) -> Iterator[Drive]:
    """The controllers that are there."""
    for folder in entries(host.sys / "class/nvme"):
        if _CONTROLLER.fullmatch(folder.name) and (serial := text(folder / "serial")):
            yield Drive(folder.name, serial, folder)


def _identity(drive: Drive) -> Iterator[Reading]:
    model, firmware = text(drive.folder / "model") or "", text(drive.folder / "firmware_rev") or ""
    yield Reading("nvme_device_info", 1, {**drive.labels, "model": model, "firmware_revision": firmware})
    if state := text(drive.folder / "state"):
        now = state.split(" ")[0]  # "deleting (no IO)"
        for one in sorted({*STATES, now}):
            yield Reading("nvme_device_state", float(one == now), {**drive.labels, "state": one})


def _heat(drive: Drive) -> Iterator[Reading]:
    """What the kernel's own driver reads from the drive's log."""
    for chip in entries(drive.folder):
        if not chip.name.startswith("hwmon") or text(chip / "name") != "nvme":
            continue
        for name, attribute in {"": "input", "_warning": "max", "_critical": "crit"}.items():
            level = number(chip / f"temp1_{attribute}")
            if level is not None and level / 1000 > _UNSET:
                yield Reading(f"nvme_temperature{name}_celsius", level / 1000, drive.labels)
        for file in entries(chip):
            sensor = _SENSOR.fullmatch(text(file) or "") if file.name.endswith("_label") else None
            level = number(chip / file.name.replace("_label", "_input")) if sensor else None
            if sensor and level is not None:
                yield Reading("nvme_temperature_sensor_celsius", level / 1000, {**drive.labels, "sensor": sensor[1]})


def _link(drive: Drive) -> Iterator[Reading]:
    """The link, and what the port above it allows: a drive that could do more than its port is no fault."""
    function = (drive.folder / "device").resolve()
    for folder, prefix, metric in ((function, "current", "link"), (function.parent, "max", "link_max")):
        if (told := text(folder / f"{prefix}_link_speed")) and (speed := transfers(told)):
            yield Reading(f"nvme_pcie_{metric}_speed_transfers_per_second", speed, drive.labels)
        if (lanes := number(folder / f"{prefix}_link_width")) is not None:
            yield Reading(f"nvme_pcie_{metric}_width_lanes", lanes, drive.labels)
    for severity in _SEVERITIES:
        if (told := text(function / f"aer_dev_{severity}")) is not None:
            yield Reading("nvme_pcie_errors_total", total(told), {**drive.labels, "severity": severity})


def transfers(told: str) -> float | None:
    """`5.0 GT/s PCIe` -> 5e9; None where the kernel does not know it. Raises ValueError."""
    if told.startswith("Unknown"):
        return None
    found = _SPEED.fullmatch(told)
    try:
        return float(found[1]) * 1e9 if found else _wrong("a link speed", told)
    except ValueError:
        return _wrong("a link speed", told)


def total(told: str) -> float:
    """The errors of one severity: the line that begins with TOTAL. Raises ValueError."""
    for line in told.splitlines():
        name, _, count = line.rpartition(" ")
        if name.startswith("TOTAL_ERR") and count.isdecimal():
            return float(int(count))
    return _wrong("a list of errors with a total", told)


def _wrong(what: str, told: str) -> float:
    raise ValueError(f"{told[:40]!r} is not {what}")
