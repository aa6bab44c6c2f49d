"""board: which board it is, why it was last reset, how old its bootloader is, and the kernel's alarm of low voltage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from exporters.raspberry_pi.host import Host, content, number, text
from exporters.raspberry_pi.reading import Reading, any_of, parts
from exporters.raspberry_pi.under_voltage import Events, alarm

# Bits of the power chip's reset cause.
CAUSES = ("over_voltage", "under_voltage", "over_temperature", "enable", "watchdog")
_CELL = 4  # bytes: a number in the device tree, the highest byte first


def collect(host: Host, events: Events | None = None) -> Iterator[Reading]:
    """Read them, and how often the alarm was raised. Raises NotAvailable where there is no Raspberry Pi."""
    tree = host.sys / "firmware/devicetree/base"  # /proc/device-tree leads to what containers mask
    return any_of(
        parts(_model(tree), _power(tree), _bootloader(tree), _alarm(host, events)), otherwise="no_device_tree"
    )


def cell(raw: bytes) -> int:
    """A number of the device tree. Raises ValueError."""
    if len(raw) != _CELL:
        raise ValueError(f"a number of the device tree has {_CELL} bytes, not {len(raw)}")
    return int.from_bytes(raw, "big")


def _number(path: Path) -> int | None:
    raw = content(path)
    return None if raw is None else cell(raw)


def _model(tree: Path) -> Iterator[Reading]:
    model, revision = text(tree / "model"), _number(tree / "system/linux,revision")
    if model and model.startswith("Raspberry Pi"):
        yield Reading("rpi_board_info", 1, {"model": model, "revision": f"{revision:x}" if revision else ""})


def _power(tree: Path) -> Iterator[Reading]:
    # The bootloader renamed it.
    causes = [_number(tree / "chosen/power" / name) for name in ("reset_event", "power_reset")]
    told = next((found for found in causes if found is not None), None)
    if told is not None:
        for place, cause in enumerate(CAUSES):
            yield Reading("rpi_reset_cause", float(told >> place & 1), {"cause": cause})
    if (milliamperes := _number(tree / "chosen/power/max_current")) is not None:
        yield Reading("rpi_supply_current_max_amperes", milliamperes / 1000)


def _bootloader(tree: Path) -> Iterator[Reading]:
    if built := _number(tree / "chosen/bootloader/build-timestamp"):
        yield Reading("rpi_bootloader_build_timestamp_seconds", built)


def _alarm(host: Host, events: Events | None) -> Iterator[Reading]:
    """Whether the voltage was too low within the kernel's last two seconds, and how often so far."""
    path = alarm(host)
    if path and (raised := number(path)) is not None:
        yield Reading("rpi_under_voltage_alarm", raised)
    if events and events.count is not None:
        yield Reading("rpi_under_voltage_events_total", events.count)
