"""Every metric there is: its name, type, labels and words. The exposition and the documentation are made from this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["gauge", "counter"]


@dataclass(frozen=True)
class Metric:
    """One metric; a counter's name ends in _total, an info's in _info and its value is 1."""

    name: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()


_DRIVE = ("device", "serial")

METRICS: tuple[Metric, ...] = (
    # the exporter itself
    Metric(
        "rpi_exporter_collector_available",
        "gauge",
        "Whether there is anything to read on this machine; if not, the reason. What is not available is no fault.",
        ("collector", "reason"),
    ),
    Metric(
        "rpi_exporter_collector_success",
        "gauge",
        "Whether the latest look succeeded, and is no older than its values may become.",
        ("collector",),
    ),
    Metric("rpi_exporter_collector_duration_seconds", "gauge", "How long the latest look took.", ("collector",)),
    Metric(
        "rpi_exporter_collector_last_success_timestamp_seconds",
        "gauge",
        "When a look last succeeded, in unix time.",
        ("collector",),
    ),
    # thermal
    Metric("rpi_soc_temperature_celsius", "gauge", "Temperature of the processor."),
    Metric(
        "rpi_soc_trip_point_celsius",
        "gauge",
        "Temperature at which the kernel acts: active turns the fan up, critical shuts down.",
        ("trip", "type"),
    ),
    Metric("rpi_rp1_temperature_celsius", "gauge", "Temperature of RP1, the chip that drives USB, Ethernet and pins."),
    Metric("rpi_fan_speed_rpm", "gauge", "Speed of the fan; the tachometer may say 0 while it turns."),
    Metric("rpi_fan_duty_ratio", "gauge", "How hard the fan is driven; 0 is normal when cool."),
    Metric("rpi_fan_cooling_state", "gauge", "Step of the fan's curve that the kernel has chosen; 0 is off."),
    Metric("rpi_fan_cooling_state_max", "gauge", "Highest step of the fan's curve."),
    # cpu
    Metric("rpi_cpu_frequency_hertz", "gauge", "Clock that the kernel asked for.", ("policy",)),
    Metric("rpi_cpu_frequency_min_hertz", "gauge", "Lowest clock that may be asked for.", ("policy",)),
    Metric("rpi_cpu_frequency_max_hertz", "gauge", "Highest clock that may be asked for.", ("policy",)),
    Metric("rpi_cpu_governor_info", "gauge", "What chooses the clock.", ("policy", "governor")),
    # firmware
    Metric("rpi_throttled", "gauge", "Whether the firmware holds the board back right now, and why.", ("reason",)),
    Metric("rpi_throttled_since_boot", "gauge", "Whether it has since the boot, and why.", ("reason",)),
    Metric("rpi_cpu_frequency_measured_hertz", "gauge", "Clock of the processor as the firmware measures it."),
    Metric("rpi_supply_volts", "gauge", "Voltage of a rail as the power chip measures it.", ("rail",)),
    Metric("rpi_supply_amperes", "gauge", "Current of a rail; what takes 5 V itself is on none.", ("rail",)),
    Metric("rpi_firmware_build_timestamp_seconds", "gauge", "When the firmware was built, in unix time."),
    # board
    Metric("rpi_board_info", "gauge", "Which board it is.", ("model", "revision")),
    Metric("rpi_reset_cause", "gauge", "Why the power chip last reset the board.", ("cause",)),
    Metric("rpi_supply_current_max_amperes", "gauge", "Current that the power supply says it can give."),
    Metric("rpi_bootloader_build_timestamp_seconds", "gauge", "When the bootloader was built, in unix time."),
    Metric(
        "rpi_under_voltage_alarm",
        "gauge",
        "Whether the voltage was too low within two seconds before the look.",
    ),
    Metric(
        "rpi_under_voltage_events_total",
        "counter",
        "How often the voltage fell too low since the exporter started, also between two looks.",
    ),
    # nvme
    Metric(
        "nvme_device_present",
        "gauge",
        "Whether a drive that was seen since the exporter started, or is expected, is there.",
        _DRIVE,
    ),
    Metric("nvme_device_info", "gauge", "What a drive says it is.", (*_DRIVE, "model", "firmware_revision")),
    Metric("nvme_device_state", "gauge", "State of the controller: 1 for the present one.", (*_DRIVE, "state")),
    Metric("nvme_temperature_celsius", "gauge", "Composite temperature of a drive.", _DRIVE),
    Metric("nvme_temperature_sensor_celsius", "gauge", "Temperature at one of its sensors.", (*_DRIVE, "sensor")),
    Metric("nvme_temperature_warning_celsius", "gauge", "From here on the drive warns of its heat.", _DRIVE),
    Metric("nvme_temperature_critical_celsius", "gauge", "From here on the drive protects itself.", _DRIVE),
    Metric("nvme_pcie_link_speed_transfers_per_second", "gauge", "Speed of its PCIe link, per lane.", _DRIVE),
    Metric(
        "nvme_pcie_link_max_speed_transfers_per_second",
        "gauge",
        "Highest speed that the port it is plugged into allows, per lane.",
        _DRIVE,
    ),
    Metric("nvme_pcie_link_width_lanes", "gauge", "Lanes of its PCIe link.", _DRIVE),
    Metric("nvme_pcie_link_max_width_lanes", "gauge", "Lanes of the port it is plugged into.", _DRIVE),
    Metric(
        "nvme_pcie_errors_total",
        "counter",
        "Errors on its PCIe link as the kernel counts them (AER).",
        (*_DRIVE, "severity"),
    ),
    # nvme_smart
    Metric("nvme_capacity_bytes", "gauge", "Capacity of a drive.", _DRIVE),
    Metric(
        "nvme_critical_warning",
        "gauge",
        "The drive's own warnings as bits: 1 spare, 2 temperature, 4 reliability, 8 read-only, 16 backup power.",
        _DRIVE,
    ),
    Metric("nvme_available_spare_ratio", "gauge", "What is left of its reserve.", _DRIVE),
    Metric("nvme_available_spare_threshold_ratio", "gauge", "Below this it warns of its reserve.", _DRIVE),
    Metric("nvme_percentage_used_ratio", "gauge", "How much of its life it thinks is used; may pass 1.", _DRIVE),
    Metric("nvme_read_bytes_total", "counter", "Bytes that the host has read.", _DRIVE),
    Metric("nvme_written_bytes_total", "counter", "Bytes that the host has written.", _DRIVE),
    Metric("nvme_host_read_commands_total", "counter", "Read commands.", _DRIVE),
    Metric("nvme_host_write_commands_total", "counter", "Write commands.", _DRIVE),
    Metric("nvme_controller_busy_seconds_total", "counter", "How long it was busy, in whole minutes.", _DRIVE),
    Metric("nvme_power_cycles_total", "counter", "How often it was switched on.", _DRIVE),
    Metric("nvme_power_on_seconds_total", "counter", "How long it was on, in whole hours.", _DRIVE),
    Metric("nvme_unsafe_shutdowns_total", "counter", "How often power went without a warning.", _DRIVE),
    Metric("nvme_media_errors_total", "counter", "Errors in its data that it could not mend.", _DRIVE),
    Metric("nvme_error_log_entries_total", "counter", "Entries of its error log, harmless ones too.", _DRIVE),
    Metric("nvme_warning_temperature_seconds_total", "counter", "How long it was above its warning limit.", _DRIVE),
    Metric("nvme_critical_temperature_seconds_total", "counter", "How long it was above its critical limit.", _DRIVE),
    Metric("nvme_thermal_transitions_total", "counter", "How often it slowed itself down.", (*_DRIVE, "level")),
    Metric("nvme_thermal_seconds_total", "counter", "How long it was slowed down by itself.", (*_DRIVE, "level")),
    # mmc
    Metric("mmc_device_info", "gauge", "What an eMMC or card says it is.", ("device", "type", "name")),
    Metric("mmc_written_bytes_total", "counter", "Bytes written to it since the boot.", ("device",)),
    Metric(
        "mmc_life_time_used_ratio",
        "gauge",
        "At most so much of its life is used, in steps of 0.1; 1.1 is more than it was made for. As of the boot.",
        ("device", "type"),
    ),
    Metric(
        "mmc_pre_eol_info",
        "gauge",
        "What the eMMC says of its reserve, as it says it: 1 normal, 2 80 % used, 3 90 % used, 0 undefined.",
        ("device",),
    ),
    # storage_paths
    Metric(
        "storage_path_info", "gauge", "The device that a path lies on, and its type.", ("path", "device", "device_type")
    ),
)

BY_NAME = {metric.name: metric for metric in METRICS}


def table() -> str:
    """All of them as a table in Markdown, for docs/exporters/raspberry_pi.md."""
    head = "| metric | type | labels | what it is |\n|---|---|---|---|\n"
    return head + "".join(f"| `{one.name}` | {one.type} | {', '.join(one.labels)} | {one.help} |\n" for one in METRICS)


if __name__ == "__main__":
    print(table(), end="")
