"""nvme_smart: what the drives count of their own health. It needs CAP_SYS_ADMIN and the device nodes, so it is opt-in.

A drive that is there and cannot be asked is a failure, whose reason stands in the log; one that does not implement the
log is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from exporters.raspberry_pi.host import Host
from exporters.raspberry_pi.nvme import Drive, drives
from exporters.raspberry_pi.passthru import Unreadable, read_health, read_identity
from exporters.raspberry_pi.reading import Reading, any_of, parts
from exporters.raspberry_pi.smart import Health, Identity, health, identity

# The fields of Health that are one number, by the metric that shows them.
_FIELDS: dict[str, Callable[[Health], float | None]] = {
    "nvme_critical_warning": lambda log: log.critical_warning,
    "nvme_available_spare_ratio": lambda log: log.available_spare_ratio,
    "nvme_available_spare_threshold_ratio": lambda log: log.available_spare_threshold_ratio,
    "nvme_percentage_used_ratio": lambda log: log.percentage_used_ratio,
    "nvme_read_bytes_total": lambda log: log.read_bytes,
    "nvme_written_bytes_total": lambda log: log.written_bytes,
    "nvme_host_read_commands_total": lambda log: log.host_reads,
    "nvme_host_write_commands_total": lambda log: log.host_writes,
    "nvme_controller_busy_seconds_total": lambda log: log.controller_busy_seconds,
    "nvme_power_cycles_total": lambda log: log.power_cycles,
    "nvme_power_on_seconds_total": lambda log: log.power_on_seconds,
    "nvme_unsafe_shutdowns_total": lambda log: log.unsafe_shutdowns,
    "nvme_media_errors_total": lambda log: log.media_errors,
    "nvme_error_log_entries_total": lambda log: log.error_log_entries,
}


@dataclass(frozen=True)
class Ask:
    """How a drive is asked; tests answer in its place."""

    health: Callable[..., bytes] = read_health
    identity: Callable[..., bytes] = read_identity


def collect(host: Host, ask: Ask | None = None) -> Iterator[Reading]:
    """Ask every drive that is there. Raises NotAvailable where none implements the log, and Unreadable."""
    asked = ask or Ask()
    return any_of(parts(*(_of(drive, host, asked) for drive in drives(host))), otherwise="no_device")


def _of(drive: Drive, host: Host, ask: Ask) -> Iterator[Reading]:
    node = host.dev / drive.device
    try:
        log = health(ask.health(node))
        who = identity(ask.identity(node))
    except Unreadable as error:
        if error.reason == "not_supported" or not drive.folder.exists():  # gone since: nvme_device_present tells
            return
        raise
    for metric, field in _FIELDS.items():
        if (value := field(log)) is not None:
            yield Reading(metric, value, drive.labels)
    yield from _heat(drive, log, who)
    if who.capacity_bytes is not None:
        yield Reading("nvme_capacity_bytes", who.capacity_bytes, drive.labels)


def _heat(drive: Drive, log: Health, who: Identity) -> Iterator[Reading]:
    """How long it was too hot, which a drive without such a limit cannot know and counts as 0 for ever."""
    limits = who.warning_limit_celsius, who.critical_limit_celsius
    if log.warning_temp_seconds is not None and None not in limits:
        yield Reading("nvme_warning_temperature_seconds_total", log.warning_temp_seconds, drive.labels)
    if log.critical_temp_seconds is not None and limits[1] is not None:
        yield Reading("nvme_critical_temperature_seconds_total", log.critical_temp_seconds, drive.labels)
    for level, count in log.thermal_transitions.items():
        yield Reading("nvme_thermal_transitions_total", count, {**drive.labels, "level": str(level)})
    for level, seconds in log.thermal_seconds.items():
        yield Reading("nvme_thermal_seconds_total", seconds, {**drive.labels, "level": str(level)})
