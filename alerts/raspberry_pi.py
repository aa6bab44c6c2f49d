"""raspberry_pi: are the boards cool, well powered and their drives healthy, and is etcd on the right one?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected, target_down
from alerts._presence import expected_nodes, node_down, nodes
from homelab.site import Site
from homelab.tables.raspberry_pi import Table

# What of its dashboard an alert's labels choose.
VARIABLES = {"node": ("node",)}

EXPORTER_ANSWERS = 'up{job="rpi-exporter"} == 1'
EXPORTER_SILENT = f"{nodes('raspberry_pi')} unless on (node) {EXPORTER_ANSWERS}"
COLLECTOR_FAILING = "rpi_exporter_collector_success == 0"
COLLECTOR_AGE = "time() - rpi_exporter_collector_last_success_timestamp_seconds"
# The firmware's bits flap within a minute: a weak supply shows in one sample of three. A single one is no fault, so `for` is longer.
UNDER_VOLTAGE = 'max by (node) (max_over_time(rpi_throttled{reason="under_voltage"}[10m])) == 1'
# The same from the kernel. The flag is scaled like a voltage: 0 or 0.001.
UNDER_VOLTAGE_KERNEL = (
    "label_replace(max by (nodename) (max_over_time(node_hwmon_in_lcrit_alarm_volts[10m])"
    ' * on (instance) group_left (nodename) node_uname_info) > bool 0 == 1, "node", "$1", "nodename", "(.+)")'
)
SHORT_OF_POWER = f"{UNDER_VOLTAGE} or on (node) {UNDER_VOLTAGE_KERNEL}"
THROTTLED = 'max by (node) (max_over_time(rpi_throttled{reason=~"frequency_capped|throttled|soft_temperature_limit"}[10m])) == 1'
# Throttling makes it swing around the firmware's limit.
SOC_TEMPERATURE = "max by (node) (avg_over_time(rpi_soc_temperature_celsius[10m]))"
FAN_STOPPED = "rpi_fan_speed_rpm == 0 and on (node) rpi_fan_duty_ratio"
NVME_GONE = "nvme_device_present == 0"
NVME_USED = "nvme_percentage_used_ratio"
NVME_SPARE_LOW = "nvme_available_spare_ratio < on (node, device) nvme_available_spare_threshold_ratio"
# Bits 2 to 4 of the drive's own warning: unreliable, read-only, memory backup lost. 0 and 1, spare and heat, have their own alerts.
NVME_FAILING = "floor(nvme_critical_warning / 4) % 8 > 0"
NVME_NEW_ERRORS = "increase(nvme_media_errors_total[6h])"
NVME_TEMPERATURE = "nvme_temperature_celsius"
PCIE_DOWNGRADED = (
    "nvme_pcie_link_speed_transfers_per_second < on (node, device) nvme_pcie_link_max_speed_transfers_per_second"
)
# JEDEC's pre-EOL: 1 normal, 2 warning (80 % of the reserve used), 3 urgent.
EMMC_USED = "max by (node, device) (mmc_life_time_used_ratio)"
EMMC_PRE_EOL = "max by (node, device) (mmc_pre_eol_info)"
WRONG_DEVICE = "storage_path_info unless on (path, device_type) homelab:storage_path:expected and on (path) homelab:storage_path:expected"


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    collector_age_minutes: float = 30
    soc_celsius: float = 77  # the fan runs at full speed from 75, the firmware slows down from 80
    soc_critical_celsius: float = 83  # two below its hard limit
    fan_duty_ratio: float = 0.2  # below, the fan may legitimately stand still
    nvme_used_ratio: float = 0.9
    nvme_celsius: float = 75  # drives warn about themselves near 80
    emmc_used_ratio: float = 0.8
    emmc_used_critical_ratio: float = 1  # above, its estimated life is exceeded


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    yield from expected_nodes(site)
    paths = site.table(Table).storage_paths
    for path in paths:
        yield Expected("homelab:storage_path:expected", {"path": path.path, "device_type": path.device_type})
    yield target_down("RpiExporterDown", job="rpi-exporter", what="The Raspberry Pi exporter")
    yield Alert(
        "RpiExporterMissing",
        expr=f"{EXPORTER_SILENT} unless on (node) {node_down('raspberry_pi')} and on () {EXPORTER_ANSWERS}",
        for_="15m",
        severity="warning",
        summary="The Raspberry Pi exporter on {{ $labels.node }} does not answer",
        description="Heat, supply and drives of this board are unobserved.",
    )
    yield Alert(
        "RpiCollectorFailing",
        expr=f"max by (node, collector) ({COLLECTOR_FAILING} or {COLLECTOR_AGE} > {limits.collector_age_minutes} * 60)",
        for_="15m",
        severity="warning",
        summary="Collector {{ $labels.collector }} on {{ $labels.node }} cannot read its hardware",
        description="Its series are gone, not healthy. The exporter's log names the file or the call.",
    )
    yield Alert(
        "RpiUnderVoltage",
        expr=SHORT_OF_POWER,
        for_="15m",
        severity="warning",
        summary="{{ $labels.node }} gets too little voltage",
        description="The supply or its cable is too weak: expect throttling, NVMe resets and silent corruption.",
    )
    yield Alert(
        "RpiThrottled",
        expr=f"{THROTTLED} unless on (node) {UNDER_VOLTAGE} unless on (node) {SOC_TEMPERATURE} >= {limits.soc_celsius}",
        for_="15m",
        severity="warning",
        summary="{{ $labels.node }} is throttled",
        description="The firmware slows the CPU down: too hot, or not enough power.",
    )
    yield Alert(
        "RpiHot",
        expr=f"{SOC_TEMPERATURE} >= {limits.soc_celsius} < {limits.soc_critical_celsius}",
        for_="10m",
        severity="warning",
        summary="{{ $labels.node }} is {{ $value | humanize }} degrees hot",
        description="Its fan turns at full speed and the firmware is about to slow it down. Check the fan, the heat sink and the air around it.",
    )
    yield Alert(
        "RpiOverheating",
        expr=f"{SOC_TEMPERATURE} >= {limits.soc_critical_celsius}",
        for_="5m",
        severity="critical",
        summary="{{ $labels.node }} overheats at {{ $value | humanize }} degrees",
        description="It is close to its hard limit. Move work off it and cool it now.",
    )
    yield Alert(
        "RpiFanStopped",
        expr=f"{FAN_STOPPED} > {limits.fan_duty_ratio}",
        for_="10m",
        severity="warning",
        summary="The fan of {{ $labels.node }} is driven and does not turn",
        description="Its cable fell off, it is blocked or dead; the temperature follows.",
    )
    yield Alert(
        "NvmeMissing",
        expr=NVME_GONE,
        for_="5m",
        severity="critical",
        summary="Drive {{ $labels.device }} of {{ $labels.node }} is gone",
        description="It fell off the PCIe bus: Longhorn's replicas and etcd on this node are gone with it until a power cycle brings it back.",
    )
    yield Alert(
        "NvmeSpareLow",
        expr=NVME_SPARE_LOW,
        for_="10m",
        severity="critical",
        summary="Drive {{ $labels.device }} of {{ $labels.node }} is out of spare blocks",
        description="{{ $value | humanizePercentage }} of its spare is left, below its own threshold: it may turn read-only any time. Replace it.",
    )
    yield Alert(
        "NvmeFailing",
        expr=NVME_FAILING,
        for_="5m",
        severity="critical",
        summary="Drive {{ $labels.device }} of {{ $labels.node }} says that it fails",
        description="Its critical warning says unreliable, read-only, or without its memory backup. Move the replicas and replace it.",
    )
    yield Alert(
        "NvmeWornOut",
        expr=f"{NVME_USED} >= {limits.nvme_used_ratio}",
        for_="30m",
        severity="warning",
        summary="Drive {{ $labels.device }} of {{ $labels.node }} has used {{ $value | humanizePercentage }} of its life",
        description="By the maker's own count; it can pass 100 %. Plan its replacement.",
    )
    yield Alert(
        "NvmeMediaErrors",
        expr=f"{NVME_NEW_ERRORS} > 0",
        for_="5m",
        severity="warning",
        summary="Drive {{ $labels.device }} of {{ $labels.node }} has new media errors",
        description="About {{ $value | humanize }} in six hours: data could not be read back. Old errors that do not grow are not reported.",
    )
    yield Alert(
        "NvmeHot",
        expr=f"{NVME_TEMPERATURE} > {limits.nvme_celsius}",
        for_="15m",
        severity="warning",
        summary="Drive {{ $labels.device }} of {{ $labels.node }} is {{ $value | humanize }} degrees hot",
        description="It slows down, and ages faster. Check the air flow, and what writes so much.",
    )
    yield Alert(
        "NvmeLinkDowngraded",
        expr=PCIE_DOWNGRADED,
        for_="15m",
        severity="warning",
        summary="Drive {{ $labels.device }} of {{ $labels.node }} runs at {{ $value | humanize }}T/s",
        description="The PCIe link trained below what both ends can do: usually the flat cable or the connector.",
    )
    yield Alert(
        "EmmcWornOut",
        expr=f"({EMMC_USED} >= {limits.emmc_used_ratio} or {EMMC_PRE_EOL} >= 2) unless on (node, device) ({EMMC_USED} > {limits.emmc_used_critical_ratio} or {EMMC_PRE_EOL} >= 3)",
        for_="30m",
        severity="warning",
        summary="The eMMC {{ $labels.device }} of {{ $labels.node }} is worn out",
        description="It is the boot device: take an image now and move what writes to it.",
    )
    yield Alert(
        "EmmcFailing",
        expr=f"{EMMC_USED} > {limits.emmc_used_critical_ratio} or {EMMC_PRE_EOL} >= 3",
        for_="15m",
        severity="critical",
        summary="The eMMC {{ $labels.device }} of {{ $labels.node }} is about to fail",
        description="It says that its life is over or that its spare blocks are used up: the boot device turns read-only any day. Take an image and replace it now.",
    )
    if paths:
        yield Alert(
            "RpiPathOnWrongDevice",
            expr=WRONG_DEVICE,
            for_="10m",
            severity="warning",
            summary="{{ $labels.path }} on {{ $labels.node }} is on {{ $labels.device_type }}",
            description="It belongs on another device; a mount is missing since the last start. Nothing goes down from this, everything only gets slow and the wrong device wears out.",
        )
