"""thermal: how hot the processor and RP1 are, what the fan does, and at which temperatures the kernel acts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from exporters.raspberry_pi.host import Host, entries, named, number, text
from exporters.raspberry_pi.reading import Reading, any_of, parts

_TRIP = re.compile(r"trip_point_(\d+)_temp")
_FULL = 255  # of a pulse width


def collect(host: Host) -> Iterator[Reading]:
    """Read them. Raises NotAvailable where nothing of it exists, as in a virtual machine."""
    return any_of(parts(_soc(host), _rp1(host), _fan(host)), otherwise="no_sensors")


def _soc(host: Host) -> Iterator[Reading]:
    for zone in named(host.sys / "class/thermal", "type", "cpu-thermal"):
        if (level := number(zone / "temp")) is not None:
            yield Reading("rpi_soc_temperature_celsius", level / 1000)
        for entry in entries(zone):
            if trip := _TRIP.fullmatch(entry.name):
                kind, at = text(zone / f"trip_point_{trip[1]}_type"), number(entry)
                if kind and at is not None:
                    yield Reading("rpi_soc_trip_point_celsius", at / 1000, {"trip": trip[1], "type": kind})
        return  # one processor


def _rp1(host: Host) -> Iterator[Reading]:
    for chip in named(host.sys / "class/hwmon", "name", "rp1_adc"):
        if (level := number(chip / "temp1_input")) is not None:
            yield Reading("rpi_rp1_temperature_celsius", level / 1000)


def _fan(host: Host) -> Iterator[Reading]:
    """A board whose carrier drives the fan has none of this: then nothing is known, which is not a fan that stands."""
    for chip in named(host.sys / "class/hwmon", "name", "pwmfan"):
        if (speed := number(chip / "fan1_input")) is not None:
            yield Reading("rpi_fan_speed_rpm", speed)
        if (width := number(chip / "pwm1")) is not None:
            yield Reading("rpi_fan_duty_ratio", width / _FULL)
    for device in named(host.sys / "class/thermal", "type", "pwm-fan"):
        if (state := number(device / "cur_state")) is not None:
            yield Reading("rpi_fan_cooling_state", state)
        if (most := number(device / "max_state")) is not None:
            yield Reading("rpi_fan_cooling_state_max", most)
