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
