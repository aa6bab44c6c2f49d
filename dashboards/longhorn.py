"""longhorn: are the volumes that workloads live on intact, with room to grow, and backed up?"""

from __future__ import annotations

from alerts import longhorn as a
from dashboards._board import Board, Variable, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import active, firing
from dashboards._panels import bars, conditions, graph, logs, stat, table, timeline
from homelab.site import Site

VOLUMES = "max by (volume, pvc, pvc_namespace) (longhorn_volume_capacity_bytes)"
# What is known by its volume alone gets the name of the claim that people know.
CLAIM = "* on (volume) group_left (pvc, pvc_namespace) max by (volume, pvc, pvc_namespace) (longhorn_volume_capacity_bytes > bool 0)"
CHOSEN = 'max by (pvc, pvc_namespace) (longhorn_volume_capacity_bytes{pvc=~"$pvc"})'
ON_CHOSEN = f"and on (pvc, pvc_namespace) {CHOSEN}"
# One number per volume: 0 healthy, 1 degraded, 2 faulted, 3 unknown.
ROBUSTNESS = (
    'max by (pvc) (longhorn_volume_robustness{state="degraded", pvc=~"$pvc"} + ignoring (state) 2 * longhorn_volume_robustness{state="faulted", pvc=~"$pvc"}'
    ' + ignoring (state) 3 * longhorn_volume_robustness{state="unknown", pvc=~"$pvc"})'
)
NEVER_BACKED_UP = f"count({a.LAST_BACKUP} == 0) or 0 * count({a.LAST_BACKUP})"


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("longhorn") or a.Limits()
    day = limits.backup_age_hours * 3600
    return board(
        "Longhorn",
        row(
            "Is it well?",
            stat(
                "Faulted volumes",
                f"count({a.FAULTED}) or 0 * count({VOLUMES})",
                unit="short",
                limits=Limits(red_above=1),
                description="Faulted volumes: no usable replica is left and the workload gets I/O errors. Above 0: salvage or restore now.",
            ),
            stat(
                "Degraded volumes",
                f"count({a.DEGRADED}) or 0 * count({VOLUMES})",
                unit="short",
                limits=Limits(orange_above=1),
                description="Degraded volumes serve I/O with fewer replicas than asked for. Normal for minutes after a reboot; for longer, look at the disks below.",
            ),
            stat(
                "Oldest backup",
                f"max({a.BACKUP_AGE})",
                unit="s",
                limits=Limits(orange_above=day),
                description="The age of the newest backup of the volume that is worst off. It falls to 0 when the nightly job has run; above the limit that job skipped a volume.",
            ),
            stat(
                "Never backed up",
                NEVER_BACKED_UP,
                unit="short",
                limits=Limits(orange_above=1),
                description="Volumes of which Longhorn knows no backup at all. New ones count until their first night is over.",
            ),
            stat(
                "Least free disk",
                f"min({a.DISK_FREE})",
                unit="percentunit",
                limits=Limits(orange_below=limits.disk_free_ratio, red_below=limits.disk_free_critical_ratio),
                description="The share of the fullest Longhorn disk that is free. etcd lives on the same file system and stops at 0.",
            ),
            stat(
                "Managers that answer",
                'sum(up{job="longhorn-backend"})',
                unit="short",
                limits=Limits(
                    red_below=1, orange_below=len(site.tables["nodes"].expected) if "nodes" in site.tables else None
                ),
                description="longhorn-managers that can be scraped, one per node. Whatever runs on a silent one is unobserved, and everything on this page with it.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("longhorn", width=12),
            conditions(
                "Since when",
                {
                    "faulted {{pvc}}": a.FAULTED,
                    "unknown {{pvc}}": a.UNKNOWN,
                    "read-only {{pvc}}": a.READ_ONLY,
                    "missing {{pvc}}": a.CLAIM_MISSING,
                    **active("LonghornDiskNearlyFull", "LonghornDisksFillingTogether"),
                },
                mild={
                    "degraded {{pvc}}": a.DEGRADED,
                    "stuck {{pvc}}": a.STUCK,
                    "no manager on {{node}}": a.MANAGER_SILENT,
                    "not ready {{node}}": a.NODE_NOT_READY,
                    "takes no replicas {{node}}": a.NODE_UNSCHEDULABLE,
                    "disk not ready {{node}}": a.DISK_NOT_READY,
                    "disk takes no replicas {{node}}": a.DISK_UNSCHEDULABLE,
                    "disk fails {{node}}": a.DISK_SICK,
                    "backup failed {{pvc}}": a.BACKUP_ERROR,
                    "backup unfinished {{pvc}}": a.BACKUP_UNFINISHED,
                    "backups forgotten {{pvc}}": f"{a.LAST_BACKUP} == 0 and {a.BACKUP_SEEN}",
                    **active(
                        "LonghornDown",
                        "LonghornReplicasColocated",
                        "LonghornDiskFillingSoon",
                        "LonghornDiskFilling",
                        "LonghornBackupStale",
                    ),
                },
                description="A bar while a condition of an alert holds, also before the alert fires. The uppermost are the worst; read the graphs below at the time when the first one began.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "Volumes",
            table(
                "Every volume",
                {"pvc": "Claim", "pvc_namespace": "Namespace"},
                {
                    "Newest backup": Column(
                        f"max by (pvc, pvc_namespace) ({a.BACKUP_AGE})", "s", Limits(orange_above=day)
                    ),
                    "Size": Column("max by (pvc, pvc_namespace) (longhorn_volume_capacity_bytes)", "bytes"),
                    "Used with snapshots": Column(
                        "max by (pvc, pvc_namespace) (longhorn_volume_actual_size_bytes / longhorn_volume_capacity_bytes)",
                        "percentunit",
                    ),
                    "Replicas on one node": Column(
                        f"max by (pvc, pvc_namespace) ({a.COLOCATED})", "short", Limits(orange_above=2)
                    ),
                },
                description="All volumes, the longest without a backup first. A dash is a volume that was never backed up. Used counts snapshots too, so it may exceed the size; two replicas on one node are lost together.",
                sort="Newest backup",
                width=14,
            ),
            timeline(
                "Robustness",
                {"{{pvc}}": ROBUSTNESS},
                states={
                    0: ("healthy", "green"),
                    1: ("degraded", "orange"),
                    2: ("faulted", "red"),
                    3: ("unknown", "purple"),
                },
                description="What Longhorn says about each volume. Unknown is normal for one that is detached. Orange that does not end is a rebuild that cannot start.",
                width=10,
            ),
        ),
        row(
            "Backups",
            graph(
                "Age of the newest backup",
                {"{{pvc}}": f"{a.BACKUP_AGE} {ON_CHOSEN}"},
                unit="s",
                limits=Limits(red_above=day),
                least=0,
                description="A sawtooth: it falls to 0 when the nightly job ran. A line that passes the limit is a volume that the job no longer reaches.",
            ),
            graph(
                "Backups kept per volume",
                {
                    "{{pvc}}": f'max by (pvc, pvc_namespace) (label_replace(longhorn_backup_volume_backups_count, "volume", "$1", "backup_volume", "(.+)") {CLAIM})'
                },
                unit="short",
                least=0,
                description="Backups in the store, by volume. It grows to the number that the recurring job retains. A fall to 0 is a store that was cleared.",
            ),
            graph(
                "Size of the backups",
                {"{{pvc}}": f"max by (pvc, pvc_namespace) (longhorn_backup_actual_size_bytes {CLAIM})"},
                unit="bytes",
                least=0,
                description="What the largest backup of each volume holds. A sudden fall is a volume that lost its data before it was backed up.",
            ),
        ),
        row(
            "Disks",
            graph(
                "Free space",
                {"{{node}} {{disk}}": a.DISK_FREE},
                unit="percentunit",
                limits=Limits(orange_below=limits.disk_free_ratio, red_below=limits.disk_free_critical_ratio),
                least=0,
                most=1,
                description="Free share of each Longhorn disk. Snapshots grow whatever storageReserved says. Below the first line Longhorn places no new replicas; etcd shares the file system.",
            ),
            graph(
                "Full tomorrow?",
                {"{{node}} as in six hours": a.DISK_TOMORROW, "{{node}} as in the last hour": a.DISK_TOMORROW_STILL},
                unit="percentunit",
                limits=Limits(red_above=1),
                least=0,
                description="What each disk would hold in a day if it went on as in the last six hours, and as in the last one. Both above 1: it is full tomorrow. Only one: a restore or a rebuild.",
            ),
            bars(
                "Scheduled on each node",
                {
                    "{{node}}": "sort_desc(max by (node) (longhorn_node_storage_scheduled_bytes / (longhorn_node_storage_capacity_bytes - longhorn_node_storage_reservation_bytes)))"
                },
                unit="percentunit",
                description="What the volumes may grow to, as a share of what Longhorn may hand out. Near 100 % new volumes stay unscheduled even on an empty disk.",
            ),
        ),
        row(
            "I/O",
            graph(
                "Throughput",
                {
                    "{{pvc}} read": f"max by (pvc, pvc_namespace) (longhorn_volume_read_throughput) {ON_CHOSEN}",
                    "{{pvc}} write": f"max by (pvc, pvc_namespace) (longhorn_volume_write_throughput) {ON_CHOSEN}",
                },
                unit="Bps",
                least=0,
                description="Bytes per second of each volume. A rebuild or a backup reads a whole volume and slows etcd on the same drive.",
            ),
            graph(
                "Operations",
                {
                    "{{pvc}} read": f"max by (pvc, pvc_namespace) (longhorn_volume_read_iops) {ON_CHOSEN}",
                    "{{pvc}} write": f"max by (pvc, pvc_namespace) (longhorn_volume_write_iops) {ON_CHOSEN}",
                },
                unit="iops",
                least=0,
                description="Reads and writes per second of each volume.",
            ),
            graph(
                "Latency",
                {
                    "{{pvc}} read": f"max by (pvc, pvc_namespace) (longhorn_volume_read_latency) {ON_CHOSEN}",
                    "{{pvc}} write": f"max by (pvc, pvc_namespace) (longhorn_volume_write_latency) {ON_CHOSEN}",
                },
                unit="ns",
                least=0,
                description="Time of one read or write. A write waits for every replica, so the slowest node decides; milliseconds are normal over gigabit.",
            ),
            collapsed=True,
        ),
        row(
            "Logs",
            logs(
                "What Longhorn says",
                '{namespace="longhorn-system"} |~ "(?i)level=(error|warning)"',
                description="Warnings and errors of managers, engines and instance managers. Look for the volume's name at the time when its bar above began.",
            ),
            collapsed=True,
        ),
        variables=[Variable("pvc", "Claim", "longhorn_volume_capacity_bytes")],
        logs='{namespace="longhorn-system"}',
    )
