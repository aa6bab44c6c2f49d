"""raspberry_pi: heat, power and drives of the boards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

COMPONENTS = ("rpi-exporter",)


@dataclass(frozen=True)
class StoragePath:
    """A path whose device matters, and the kind of device it has to be on."""

    path: str
    device_type: Literal["nvme", "emmc", "sd", "ssd", "hdd"]


@dataclass(frozen=True)
class Table:
    """The paths that are watched."""

    storage_paths: tuple[StoragePath, ...] = ()
