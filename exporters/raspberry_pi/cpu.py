"""cpu: how fast the cores are clocked, between which limits, and by which governor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from exporters.raspberry_pi.host import Host, entries, number, text
from exporters.raspberry_pi.reading import Reading, any_of, parts

_KILOHERTZ = 1000
_FILES = {
    "rpi_cpu_frequency_hertz": "scaling_cur_freq",
    "rpi_cpu_frequency_min_hertz": "scaling_min_freq",
    "rpi_cpu_frequency_max_hertz": "scaling_max_freq",
}


def collect(host: Host) -> Iterator[Reading]:
    """Read them. Raises NotAvailable where the kernel does not scale the clock."""
    policies = [one for one in entries(host.sys / "devices/system/cpu/cpufreq") if one.name.startswith("policy")]
    return any_of(parts(*map(_of, policies)), otherwise="no_cpufreq")


def _of(policy: Path) -> Iterator[Reading]:
    labels = {"policy": policy.name}
    for metric, file in _FILES.items():
        if (value := number(policy / file)) is not None:
            yield Reading(metric, value * _KILOHERTZ, labels)
    if governor := text(policy / "scaling_governor"):
        yield Reading("rpi_cpu_governor_info", 1, {**labels, "governor": governor})
