"""raspberry_pi: are the boards cool, well powered and their drives healthy, and is etcd on the right one?"""

from __future__ import annotations

from alerts import raspberry_pi as a
from dashboards._board import Board, Panel, Variable, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import active, firing
from dashboards._panels import conditions, graph, logs, stat, table, timeline
from homelab.site import Site
from homelab.tables.nodes import machines
from homelab.tables.raspberry_pi import Table

ON_CHOSEN = 'and on (node) up{job="rpi-exporter", node=~"$node"}'
REASONS = {
    "under_voltage": "Too little voltage",
    "throttled": "Throttled",
    "soft_temperature_limit": "Soft temperature limit",
    "frequency_capped": "Frequency capped",
}
# The worst reason that holds.
THROTTLING = (
    'max by (node) (4 * rpi_throttled{reason="under_voltage"} or 3 * rpi_throttled{reason="throttled"}'
    ' or 2 * rpi_throttled{reason="soft_temperature_limit"} or rpi_throttled{reason="frequency_capped"})'
)
# The counter has whole percents: without a step in a month it is taken to be one, and the result is a lower bound.
LIFE_LEFT = f"max by (node, device) (clamp_min(1 - {a.NVME_USED}, 0) / clamp_min(deriv({a.NVME_USED}[30d]), 0.01 / (30 * 86400)))"
WRITTEN = 'sum by (instance, device) (rate(node_disk_written_bytes_total{device=~"nvme.*|mmcblk.*"}[$__rate_interval])) * on (instance) group_left (nodename) node_uname_info{nodename=~"$node"}'


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("raspberry_pi") or a.Limits()
    emmc_failing = f"{a.EMMC_USED} > {limits.emmc_used_critical_ratio} or {a.EMMC_PRE_EOL} >= 3"
    emmc_worn = f"{a.EMMC_USED} >= {limits.emmc_used_ratio} or {a.EMMC_PRE_EOL} >= 2"
    failing = (
        f"max by (node, device) (({a.NVME_GONE}) or ({a.NVME_SPARE_LOW}) or ({a.NVME_FAILING}) or ({emmc_failing}))"
    )
    heat = Limits(orange_above=limits.soc_celsius, red_above=limits.soc_critical_celsius)
    paths = site.table(Table).storage_paths
    wrong = {"wrong device {{node}} {{path}}": a.WRONG_DEVICE} if paths else {}
    return board(
        "Raspberry Pi",
        row(
            "Is it well?",
            stat(
                "Drives gone or failing",
                f"count({failing}) or 0 * count(nvme_device_present)",
                unit="short",
                limits=Limits(red_above=1),
                description="NVMe drives that left the bus, have no spare blocks or say that they fail, and eMMC at its end. Above 0: move replicas away and replace it now.",
            ),
            *([_misplaced()] if paths else []),
            stat(
                "Hottest board",
                f"max({a.SOC_TEMPERATURE})",
                unit="celsius",
                limits=heat,
                description="Temperature of the hottest processor. Orange: the fan is at its end and the firmware is about to slow it down. Red: close to switching off.",
            ),
            stat(
                "Boards slowed down",
                f"count(max by (node) (({a.SHORT_OF_POWER}) or ({a.THROTTLED}))) or 0 * count(rpi_throttled)",
                unit="short",
                limits=Limits(orange_above=1),
                description="Boards that had too little voltage or were throttled within minutes. Voltage is the supply or its cable, throttling mostly heat.",
            ),
            stat(
                "Most worn drive",
                f"max({a.NVME_USED})",
                unit="percentunit",
                limits=Limits(orange_above=limits.nvme_used_ratio),
                description="Life that the most used NVMe drive has behind it, by its maker's count. How long it still lasts stands in the table of drives.",
            ),
            stat(
                "Boards that answer",
                'sum(up{job="rpi-exporter"})',
                unit="short",
                limits=Limits(red_below=1, orange_below=len(machines(site))),
                description="Boards whose exporter can be scraped. Heat, supply and drives of a silent one are unobserved.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("raspberry_pi", width=12),
            conditions(
                "Since when",
                {
                    "drive is gone {{node}} {{device}}": a.NVME_GONE,
                    "no spare blocks {{node}} {{device}}": a.NVME_SPARE_LOW,
                    "drive fails {{node}} {{device}}": a.NVME_FAILING,
                    "eMMC fails {{node}} {{device}}": emmc_failing,
                    "overheats {{node}}": f"{a.SOC_TEMPERATURE} >= {limits.soc_critical_celsius}",
                },
                mild={
                    "hot {{node}}": f"{a.SOC_TEMPERATURE} >= {limits.soc_celsius}",
                    "too little voltage {{node}}": a.SHORT_OF_POWER,
                    "throttled {{node}}": a.THROTTLED,
                    "fan stands still {{node}}": f"{a.FAN_STOPPED} > {limits.fan_duty_ratio}",
                    **wrong,
                    "slow link {{node}} {{device}}": a.PCIE_DOWNGRADED,
                    "new media errors {{node}} {{device}}": f"{a.NVME_NEW_ERRORS} > 0",
                    "hot drive {{node}} {{device}}": f"{a.NVME_TEMPERATURE} > {limits.nvme_celsius}",
                    "worn drive {{node}} {{device}}": f"{a.NVME_USED} >= {limits.nvme_used_ratio}",
                    "worn eMMC {{node}} {{device}}": emmc_worn,
                    "cannot be read {{node}} {{collector}}": f"max by (node, collector) ({a.COLLECTOR_FAILING} or {a.COLLECTOR_AGE} > {limits.collector_age_minutes} * 60)",
                    "unobserved {{node}}": a.EXPORTER_SILENT,
                    **active("RpiExporterDown"),
                },
                description="A bar while a condition of an alert holds, also before the alert fires. The uppermost are the worst; compare heat, load and writing at the time when the first one began.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "Heat and power",
            graph(
                "Temperature of the processor",
                {"{{node}}": f"{a.SOC_TEMPERATURE} {ON_CHOSEN}"},
                unit="celsius",
                limits=heat,
                description="The mean of ten minutes. All boards rising together is the room or the rack; one alone is its fan, its dust or its load.",
                width=12,
            ),
            graph(
                "Fan",
                {"{{node}}": f"max by (node) (rpi_fan_speed_rpm) {ON_CHOSEN}"},
                unit="rotrpm",
                least=0,
                description="Speed of each fan. 0 is normal on a cool board; 0 while the fan is driven, see beside, is a cable that fell off or a fan that is dead.",
                width=6,
            ),
            graph(
                "Fan driven",
                {"{{node}}": f"max by (node) (rpi_fan_duty_ratio) {ON_CHOSEN}"},
                unit="percentunit",
                limits=Limits(orange_above=limits.fan_duty_ratio),
                least=0,
                most=1,
                description="How hard each fan is driven. Above the line it must turn. At 100 % for long there is no reserve left.",
                width=6,
            ),
            timeline(
                "Slowed down",
                {"{{node}}": f"{THROTTLING} {ON_CHOSEN}"},
                states={
                    0: ("no", "green"),
                    1: ("frequency capped", "orange"),
                    2: ("soft temperature limit", "orange"),
                    3: ("throttled", "red"),
                    4: ("too little voltage", "red"),
                },
                description="What the firmware says at each moment, the worst reason. Short red spots of voltage are a weak supply or cable, also when most samples are green.",
                width=12,
            ),
            table(
                "Since the last boot",
                {"node": "Node"},
                {
                    heading: Column(
                        f'max by (node) (rpi_throttled_since_boot{{reason="{reason}"}})',
                        "none",
                        states={0: ("no", "green"), 1: ("yes", "orange")},
                    )
                    for reason, heading in REASONS.items()
                },
                description="What happened at least once since each board started, between two samples too. It stays until the next boot, so yes is no fault of now; fix the supply before the next one.",
                sort="Node",
                descending=False,
                width=12,
            ),
            height=7,
        ),
        row(
            "Drives",
            table(
                "Every NVMe drive",
                {"node": "Node", "device": "Drive"},
                {
                    "Used": Column(
                        f"max by (node, device) ({a.NVME_USED})",
                        "percentunit",
                        Limits(orange_above=limits.nvme_used_ratio),
                    ),
                    "Lasts for": Column(LIFE_LEFT, "s"),
                    "Spare": Column("max by (node, device) (nvme_available_spare_ratio)", "percentunit"),
                    "Spare above its threshold": Column(
                        "min by (node, device) (nvme_available_spare_ratio - on (node, device) nvme_available_spare_threshold_ratio)",
                        "percentunit",
                        Limits(red_below=0),
                    ),
                    "Media errors": Column("max by (node, device) (nvme_media_errors_total)", "short"),
                    "New ones": Column(
                        f"max by (node, device) ({a.NVME_NEW_ERRORS} > bool 0)",
                        "none",
                        states={0: ("no", "green"), 1: ("yes", "orange")},
                    ),
                    "Link, of its maximum": Column(
                        "max by (node, device) (nvme_pcie_link_speed_transfers_per_second / on (node, device) nvme_pcie_link_max_speed_transfers_per_second)",
                        "percentunit",
                        Limits(orange_below=1),
                    ),
                    "Present": Column(
                        "min by (node, device) (nvme_device_present)",
                        "none",
                        states={0: ("gone", "red"), 1: ("yes", "green")},
                    ),
                },
                description="All drives, the most worn first. Lasts for is at the rate of the last thirty days, and at least that long where no whole percent was used. Old media errors are harmless, new ones (of six hours) are not. Dashes belong to a drive that is gone or cannot be read.",
                sort="Used",
                width=24,
            ),
            graph(
                "Temperature of the drives",
                {"{{node}} {{device}}": f"{a.NVME_TEMPERATURE} {ON_CHOSEN}"},
                unit="celsius",
                limits=Limits(orange_above=limits.nvme_celsius),
                description="Above the line a drive slows down and ages faster: check the air flow, and beside what writes so much. A line that ends is a drive that left the bus or cannot be read.",
                width=12,
            ),
            graph(
                "Written",
                {"{{nodename}} {{device}}": WRITTEN},
                unit="Bps",
                least=0,
                description="What each device has to write, which is what wears it out and heats it. An eMMC that writes much holds something that belongs on the NVMe drive.",
                width=12,
            ),
            height=6,
        ),
        row(
            "eMMC and places",
            table(
                "Every eMMC",
                {"node": "Node", "device": "Device"},
                {
                    "Used": Column(
                        a.EMMC_USED,
                        "percentunit",
                        Limits(orange_above=limits.emmc_used_ratio, red_above=limits.emmc_used_critical_ratio),
                    ),
                    "Spare blocks": Column(
                        a.EMMC_PRE_EOL,
                        "none",
                        states={
                            0: ("does not tell", "text"),
                            1: ("normal", "green"),
                            2: ("80 % used", "orange"),
                            3: ("used up", "red"),
                        },
                    ),
                },
                description="The boot devices, in steps of ten percent by their own count. From orange on: take an image, and move what writes to it.",
                sort="Used",
                width=10,
            ),
            *([_places()] if paths else []),
            height=6,
        ),
        row(
            "Exporter",
            graph(
                "Since each collector's last look",
                {"{{node}} {{collector}}": f"max by (node, collector) ({a.COLLECTOR_AGE}) {ON_CHOSEN}"},
                unit="s",
                limits=Limits(orange_above=limits.collector_age_minutes * 60),
                least=0,
                description="How old what a collector read last is. A line that climbs is a device or a firmware call that hangs; its values on this page end and are not healthy.",
                width=10,
            ),
            logs(
                "What the exporter says",
                '{namespace="monitoring", container="rpi-exporter"}',
                description="What the exporter could not read, with the file or the call.",
                width=14,
            ),
            collapsed=True,
        ),
        variables=[Variable("node", "Node", 'up{job="rpi-exporter"}')],
        logs='{namespace="monitoring", container="rpi-exporter"}',
    )


def _misplaced() -> Panel:
    return stat(
        "On the wrong device",
        f"count({a.WRONG_DEVICE}) or 0 * count(storage_path_info)",
        unit="short",
        limits=Limits(orange_above=1),
        description="Paths of the inventory, etcd's above all, that lie on another kind of device than they should. A mount is missing since the last start.",
    )


def _places() -> Panel:
    where = "max by (node, path, device, device_type) (storage_path_info)"
    return table(
        "Where things lie",
        {"node": "Node", "path": "Path", "device": "Device", "device_type": "Kind"},
        {
            "Right": Column(
                f"({where} and on (path, device_type) homelab:storage_path:expected) or 0 * {where} and on (path) homelab:storage_path:expected",
                "none",
                states={0: ("wrong device", "red"), 1: ("yes", "green")},
            )
        },
        description="The device under each path that the inventory names. etcd on eMMC works, slowly, and wears out the boot device: mount the drive and restart k3s.",
        sort="Right",
        descending=False,
        width=14,
    )
