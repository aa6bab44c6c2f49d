"""longhorn: are the volumes that workloads live on intact, with room to grow, and backed up?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected, target_down
from alerts._presence import expected_nodes, node_down, nodes
from homelab.site import Site
from homelab.tables.longhorn import Table
from homelab.tables.nodes import machines

# What of its dashboard an alert's labels choose.
VARIABLES = {"pvc": ("pvc",)}

NODE_DOWN = node_down("longhorn")
NODES = nodes("longhorn")
# One-hot since 1.11 (a series per state), ordinal before (0 unknown, 2 degraded, 3 faulted): both must fire.
# `node` is the owner of the volume, which may move: it must not restart `for`.
FAULTED = 'max by (volume, pvc, pvc_namespace) (longhorn_volume_robustness{state="faulted"} == 1 or longhorn_volume_robustness{state=""} == 3)'
# A replica that is rebuilt and lost again is healthy for minutes in between: that is no recovery.
DEGRADED = 'max by (volume, pvc, pvc_namespace) (max_over_time(longhorn_volume_robustness{state="degraded"}[5m]) == 1 or max_over_time(longhorn_volume_robustness{state=""}[5m]) == 2)'
# Unknown is normal for a detached volume. On an attached one it means that its engine is lost.
UNKNOWN = (
    'max by (volume, pvc, pvc_namespace) (longhorn_volume_robustness{state="unknown"} == 1 or longhorn_volume_robustness{state=""} == 0)'
    ' and on (volume) (longhorn_volume_state{state="attached"} == 1 or longhorn_volume_state{state=""} == 2)'
)
STUCK = (
    'max by (volume, pvc, pvc_namespace) (longhorn_volume_state{state=~"creating|attaching|detaching|deleting"} == 1'
    ' or longhorn_volume_state{state=""} == 1 or longhorn_volume_state{state=""} > 3)'
)
# Exists only while it is true: the condition is the series.
READ_ONLY = "max by (volume, pvc, pvc_namespace) (longhorn_volume_file_system_read_only == 1)"
# Only running replicas: a failed one may wait beside its replacement. The claim's name comes from another metric.
COLOCATED = (
    'count by (volume, node) (longhorn_replica_info and on (replica) longhorn_replica_state{state="running"} == 1)'
    " * on (volume) group_left (pvc, pvc_namespace) max by (volume, pvc, pvc_namespace) (longhorn_volume_capacity_bytes > bool 0)"
)

# A manager reports its own node only, so a dead one is a missing series and never a 0.
NODE_REPORTED = 'longhorn_node_status{condition="ready"}'
MANAGER_SILENT = f"{NODES} unless on (node) {NODE_REPORTED} unless on (node) {NODE_DOWN}"
# The reason is a label and changes with the value: aggregate, or `for` starts anew.
NODE_NOT_READY = 'max by (node) (longhorn_node_status{condition="ready"} == bool 0) == 1'
# Not ready and cordoned nodes take nothing either, and have alerts of their own.
NODE_UNSCHEDULABLE = 'max by (node) (longhorn_node_status{condition=~"schedulable|allowScheduling"} == bool 0) == 1'
DISK_NOT_READY = 'max by (node, disk) (longhorn_disk_status{condition="ready"} == bool 0) == 1'
DISK_UNSCHEDULABLE = 'max by (node, disk) (longhorn_disk_status{condition="schedulable"} == bool 0) == 1'
# 0 is also "unknown", for ever on drives without SMART: only a disk that has been healthy can become sick.
DISK_SICK = "max by (node, disk) (longhorn_disk_health == bool 0) == 1 and max by (node, disk) (max_over_time(longhorn_disk_health[7d])) == 1"
CORDONED = "kube_node_spec_unschedulable == 1"
# storageReserved limits scheduling, not snapshots that grow: only free space tells. etcd lives on the same disks.
DISK_FREE = "max by (node, disk) (1 - longhorn_disk_usage_bytes / longhorn_disk_capacity_bytes)"
# Usage in a day, going on as in the last six hours, as a share of the disk; and as in the last hour, since a restore
# is a step and not a trend.
DISK_TOMORROW = (
    "max by (node, disk) (predict_linear(longhorn_disk_usage_bytes[6h], 24 * 3600)"
    " / on (node, disk) group_left () max by (node, disk) (longhorn_disk_capacity_bytes))"
)
DISK_TOMORROW_STILL = (
    "max by (node, disk) (predict_linear(longhorn_disk_usage_bytes[1h], 24 * 3600)"
    " / on (node, disk) group_left () max by (node, disk) (longhorn_disk_capacity_bytes))"
)

CLAIM_MISSING = "homelab:longhorn_claim:expected unless on (pvc, pvc_namespace) longhorn_volume_capacity_bytes"
# 0 is "never", "forgotten" or "target cleared": the two rules below answer for that.
LAST_BACKUP = "max by (volume, pvc, pvc_namespace) (longhorn_volume_last_backup_at)"
BACKUP_AGE = "time() - (max by (volume, pvc, pvc_namespace) (longhorn_volume_last_backup_at) > 0)"
BACKUP_SEEN = "max by (volume, pvc, pvc_namespace) (max_over_time(longhorn_volume_last_backup_at[2d])) > 0"
# Still an ordinal in every version: 4 is Error. The object goes away after a day, with or without a good backup.
BACKUP_ERROR = (
    "max by (volume, pvc, pvc_namespace) ((longhorn_backup_state == 4)"
    " * on (volume) group_left (pvc, pvc_namespace) max by (volume, pvc, pvc_namespace) (longhorn_volume_capacity_bytes > bool 0))"
)
# 0 new or being deleted, 1 pending, 2 in progress: all of them end within hours, well or badly.
BACKUP_UNFINISHED = (
    "max by (volume, pvc, pvc_namespace) ((longhorn_backup_state < 3)"
    " * on (volume) group_left (pvc, pvc_namespace) max by (volume, pvc, pvc_namespace) (longhorn_volume_capacity_bytes > bool 0))"
)


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    backup_age_hours: float = 26  # a nightly job, and two hours of slack
    disk_free_ratio: float = 0.20  # Longhorn itself stops placing replicas at 0.25
    disk_free_critical_ratio: float = 0.10  # 50 GB of 512: hours, when a restore runs, and etcd stops at 0


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    yield from expected_nodes(site)
    claims = site.table(Table).claims
    for claim in claims:
        yield Expected("homelab:longhorn_claim:expected", {"pvc": claim.name, "pvc_namespace": claim.namespace})
    yield target_down("LonghornDown", job="longhorn-backend", what="Longhorn")
    yield Alert(
        "LonghornManagerMissing",
        expr=f'{MANAGER_SILENT} and on () up{{job="longhorn-backend"}} == 1',
        for_="15m",
        severity="warning",
        summary="Longhorn on {{ $labels.node }} reports nothing",
        description="The longhorn-manager of this node is down or cannot be scraped; its disks, engines and replicas are unobserved and its volumes cannot be managed.",
    )
    yield Alert(
        "LonghornVolumeFaulted",
        expr=FAULTED,
        for_="5m",
        severity="critical",
        summary="Volume {{ $labels.pvc }} ({{ $labels.pvc_namespace }}) is faulted",
        description="No usable replica of {{ $labels.volume }} is left: the workload gets I/O errors until a replica is salvaged or restored.",
    )
    yield Alert(
        "LonghornVolumeUnknown",
        expr=f"{UNKNOWN} unless on () {node_down('longhorn')}",
        for_="10m",
        severity="critical",
        summary="Volume {{ $labels.pvc }} ({{ $labels.pvc_namespace }}) is attached, its state is unknown",
        description="The engine of {{ $labels.volume }} does not answer: its node or instance manager is lost while a workload uses the volume.",
    )
    yield Alert(
        "LonghornVolumeDegraded",
        expr=f"{DEGRADED} unless on () {NODE_DOWN} unless on () {DISK_NOT_READY}",
        for_="30m",
        severity="warning",
        summary="Volume {{ $labels.pvc }} ({{ $labels.pvc_namespace }}) is degraded",
        description="{{ $labels.volume }} has fewer usable replicas than asked for and was not rebuilt. It still serves I/O; the next loss may not be survived.",
    )
    yield Alert(
        "LonghornVolumeStuck",
        expr=STUCK,
        for_="15m",
        severity="warning",
        summary="Volume {{ $labels.pvc }} ({{ $labels.pvc_namespace }}) hangs between two states",
        description="{{ $labels.volume }} is being created, attached, detached or deleted and does not get on with it; a pod is probably waiting for it.",
    )
    yield Alert(
        "LonghornVolumeReadOnly",
        expr=READ_ONLY,
        for_="5m",
        severity="critical",
        summary="Volume {{ $labels.pvc }} ({{ $labels.pvc_namespace }}) is read-only",
        description="The file system of {{ $labels.volume }} was remounted read-only after an I/O error: the workload cannot write.",
    )
    yield Alert(
        "LonghornReplicasColocated",
        expr=f"{COLOCATED} > 1",
        for_="30m",
        severity="warning",
        summary="{{ $value }} replicas of {{ $labels.pvc }} ({{ $labels.pvc_namespace }}) are on {{ $labels.node }}",
        description="Replica anti-affinity is off, so replicas of {{ $labels.volume }} share a node: losing that one node loses more than one copy.",
    )
    yield Alert(
        "LonghornNodeNotReady",
        expr=NODE_NOT_READY,
        for_="10m",
        severity="warning",
        summary="Longhorn calls node {{ $labels.node }} not ready",
        description="No replica is placed or rebuilt there. The reason stands in the node's conditions.",
    )
    yield Alert(
        "LonghornNodeUnschedulable",
        expr=f"{NODE_UNSCHEDULABLE} unless on (node) {NODE_NOT_READY} unless on (node) {CORDONED}",
        for_="2h",
        severity="warning",
        summary="Longhorn places no replicas on {{ $labels.node }}",
        description="The node is ready and not cordoned: its scheduling was switched off, probably for some work, and forgotten.",
    )
    yield Alert(
        "LonghornDiskNotReady",
        expr=f"{DISK_NOT_READY} unless on (node) {NODE_NOT_READY}",
        for_="10m",
        severity="warning",
        summary="Longhorn disk {{ $labels.disk }} on {{ $labels.node }} is not ready",
        description="Its replicas are unusable and its space figures are frozen at their last value.",
    )
    yield Alert(
        "LonghornDiskUnschedulable",
        expr=f"{DISK_UNSCHEDULABLE} unless on (node, disk) {DISK_NOT_READY} unless on (node) {NODE_NOT_READY} unless on (node) {CORDONED}",
        for_="15m",
        severity="warning",
        summary="Longhorn disk {{ $labels.disk }} on {{ $labels.node }} takes no replicas",
        description="Usually DiskPressure: lost replicas cannot be rebuilt there.",
    )
    yield Alert(
        "LonghornDiskUnhealthy",
        expr=DISK_SICK,
        for_="30m",
        severity="warning",
        summary="SMART no longer passes disk {{ $labels.disk }} on {{ $labels.node }}",
        description="It did within the last week: the drive fails, or it stopped saying how it is. The alert ends a week after the change.",
    )
    yield Alert(
        "LonghornDiskFillingSoon",
        expr=f"{DISK_TOMORROW} > 1 and {DISK_TOMORROW_STILL} > 1 and {DISK_FREE} < 0.5 unless {DISK_FREE} < {limits.disk_free_ratio}",
        for_="1h",
        severity="warning",
        summary="Longhorn disk on {{ $labels.node }} will be full within a day",
        description="At the pace of the last hours disk {{ $labels.disk }} holds {{ $value | humanizePercentage }} of its size tomorrow; etcd lives on the same file system.",
    )
    yield Alert(
        "LonghornDiskFilling",
        expr=f"{DISK_FREE} < {limits.disk_free_ratio} >= {limits.disk_free_critical_ratio}",
        for_="15m",
        severity="warning",
        summary="Longhorn disk on {{ $labels.node }} has {{ $value | humanizePercentage }} left",
        description="Disk {{ $labels.disk }} fills up; snapshots grow whatever storageReserved says, and etcd lives on the same file system.",
    )
    yield Alert(
        "LonghornDiskNearlyFull",
        expr=f"{DISK_FREE} < {limits.disk_free_critical_ratio}",
        for_="5m",
        severity="critical",
        summary="Longhorn disk on {{ $labels.node }} has only {{ $value | humanizePercentage }} left",
        description="When disk {{ $labels.disk }} is full, every replica on it fails and etcd of this node cannot write.",
    )
    yield Alert(
        "LonghornDisksFillingTogether",
        # Replicas grow on all nodes at once: a majority of full disks is a majority of stopped etcd members.
        # Once disks are nearly full, LonghornDiskNearlyFull names them.
        expr=f"count({DISK_TOMORROW} > 1 and {DISK_TOMORROW_STILL} > 1 and {DISK_FREE} < 0.5) > count({DISK_FREE}) / 2 unless on () {DISK_FREE} < {limits.disk_free_critical_ratio}",
        for_="1h",
        severity="critical",
        summary="{{ $value }} Longhorn disks will be full within a day",
        description="They fill together, as replicas do, and etcd lives on them: with a majority full, etcd loses quorum and the cluster its API.",
        labels={"job": "longhorn-backend"},
    )
    yield Alert(
        "LonghornBackupStale",
        expr=f"{BACKUP_AGE} > {limits.backup_age_hours} * 3600",
        for_="30m",
        severity="warning",
        summary="Volume {{ $labels.pvc }} ({{ $labels.pvc_namespace }}) has no recent backup",
        description="The newest backup of {{ $labels.volume }} is {{ $value | humanizeDuration }} old. Recurring jobs skip volumes that left their group and, by default, detached ones.",
    )
    yield Alert(
        "LonghornBackupMissing",
        expr=f"{LAST_BACKUP} == 0",
        for_="26h",
        severity="warning",
        summary="Volume {{ $labels.pvc }} ({{ $labels.pvc_namespace }}) was never backed up",
        description="A night has passed and {{ $labels.volume }} has no backup: it is in no recurring-job group, or its StorageClass names none.",
    )
    yield Alert(
        "LonghornBackupForgotten",
        expr=f"({LAST_BACKUP} == 0) and ({BACKUP_SEEN})",
        for_="30m",
        severity="warning",
        summary="Longhorn no longer knows any backup of {{ $labels.pvc }} ({{ $labels.pvc_namespace }})",
        description="{{ $labels.volume }} had backups and now has none: the backup target was cleared or changed, or its BackupVolume is gone.",
    )
    yield Alert(
        "LonghornBackupFailed",
        expr=BACKUP_ERROR,
        for_="15m",
        severity="warning",
        summary="A backup of {{ $labels.pvc }} ({{ $labels.pvc_namespace }}) failed",
        description="A Backup of {{ $labels.volume }} is in state Error. Longhorn removes it after a day, and with it this alert.",
    )
    yield Alert(
        "LonghornBackupStuck",
        expr=BACKUP_UNFINISHED,
        for_="6h",
        severity="warning",
        summary="A backup of {{ $labels.pvc }} ({{ $labels.pvc_namespace }}) does not end",
        description="For hours a Backup of {{ $labels.volume }} has been waiting or uploading. It neither fails nor completes, and the next one may wait behind it.",
    )
    if claims:
        yield Alert(
            "LonghornVolumeMissing",
            # A manager that is not scraped hides its volumes: that is unknown, not missing.
            expr=f'{CLAIM_MISSING} unless on () (count(up{{job="longhorn-backend"}} == 1) < {len(machines(site))}) and on () up{{job="longhorn-backend"}} == 1',
            for_="30m",
            severity="critical",
            summary="Volume of claim {{ $labels.pvc }} ({{ $labels.pvc_namespace }}) does not exist",
            description="The inventory expects it and no Longhorn manager reports it: it was deleted, or the claim is bound to something else now.",
        )
