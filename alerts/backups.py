"""backups: can everything that must be recoverable be recovered, as found in the stores?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected, target_down
from homelab.site import Site
from homelab.tables.backups import targets

ID = "kind, namespace, name"
# A new pod of the exporter is a new instance: without the aggregation it would restart every `for`, some of them days.
EXPECTED_AGE = "max by (kind, namespace, name) (backup_expected_max_age_seconds)"
FOUND = 'max by (kind, namespace, name) (backup_last_success_timestamp_seconds{source="store"})'
CLAIMED = 'max by (kind, namespace, name) (backup_last_success_timestamp_seconds{source="status"})'
FOUND_AGE = 'time() - max by (kind, namespace, name) (backup_last_success_timestamp_seconds{source="store"})'
STALE = f"{FOUND_AGE} > on ({ID}) group_left () {EXPECTED_AGE}"
CLAIMED_AHEAD = f"{CLAIMED} - on ({ID}) {FOUND}"
STORE_UNREADABLE = "backup_store_probe_success == 0"
STORE_AGE = "time() - backup_store_last_probe_timestamp_seconds"
# Targets whose store could not be read: nothing is known about them, and one alert about the store says so.
UNKNOWN = "(max by (kind, namespace, name, store) (backup_target_info) * on (store) group_left () min by (store) (backup_store_probe_success) == 0)"
KNOWN = "(max by (kind, namespace, name, store) (backup_target_info) * on (store) group_left () min by (store) (backup_store_probe_success) == 1)"
CLAIMED_ONLY = f"{CLAIMED} unless on ({ID}) {FOUND} and on ({ID}) {KNOWN}"
# Nothing is found where something was, in a store that can be read.
VANISHED = (
    'max by (kind, namespace, name) (max_over_time(backup_last_success_timestamp_seconds{source="store"}[2d]))'
    ' unless on (kind, namespace, name) backup_last_success_timestamp_seconds{source="store"}'
    " and on (kind, namespace, name) (max by (kind, namespace, name, store) (backup_target_info) * on (store) group_left () min by (store) (backup_store_probe_success) == 1)"
)
MISSING_WAL = "max by (kind, namespace, name) (backup_wal_missing_segments)"
# As it was when the store was last looked at: how old that look is says BackupStoreUnreadable.
RECOVERABLE_AGE = (
    "(max by (kind, namespace, name, store) (backup_target_info) * on (store) group_left () max by (store) (backup_store_last_probe_timestamp_seconds))"
    " - on (kind, namespace, name) max by (kind, namespace, name) (backup_recoverable_until_timestamp_seconds)"
)
# An idle database writes no WAL and archives none: only where at least two segments were written in the hour.
WRITES = 'label_replace(sum by (namespace, cnpg_io_cluster) (delta(cnpg_collector_wal_bytes[1h])) > 2 * 16 * 1024 ^ 2, "name", "$1", "cnpg_io_cluster", "(.+)")'
SHRUNK = 'max by (kind, namespace, name) (backup_last_size_bytes{kind!="etcd"}) / max by (kind, namespace, name) (max_over_time(backup_last_size_bytes[8d]))'
# Free pages are part of a snapshot of etcd, and a defragmentation takes most of them away.
SNAPSHOT_SHRUNK = 'max by (kind, namespace, name) (backup_last_size_bytes{kind="etcd"}) / max by (kind, namespace, name) (max_over_time(backup_last_size_bytes[8d]))'
DRILL_AGE = "time() - max by (kind, namespace, name) (backup_restore_drill_last_success_timestamp_seconds)"
DRILL_EXPECTED = "max by (kind, namespace, name) (backup_restore_drill_expected_max_age_seconds)"
DRILL_OVERDUE = f"{DRILL_AGE} > on ({ID}) {DRILL_EXPECTED}"
DRILL_MISSING = f"{DRILL_EXPECTED} unless on ({ID}) backup_restore_drill_last_success_timestamp_seconds"
DRILL_FAILED = "max by (kind, namespace, name) (backup_restore_drill_last_result) == 0"
TARGET_MISSING = f"homelab:backup_target:expected unless on ({ID}) backup_target_info"


@dataclass(frozen=True)
class Limits:
    """What is still fine. How old a backup may be comes from its own schedule, through the exporter."""

    store_age_hours: float = 2  # since a store was last looked at, which happens every few minutes
    claimed_ahead_hours: float = 6  # Kubernetes claims newer than the store shows; an upload takes its time
    recoverable_age_hours: float = 1  # of a database that writes; archive_timeout is five minutes
    size_ratio: float = 0.5  # against the largest of eight days
    snapshot_size_ratio: float = 0.1  # of etcd


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    for target in targets(site):
        labels = {"kind": target.kind, "namespace": target.namespace, "name": target.name, "store": target.store}
        yield Expected("homelab:backup_target:expected", labels)
    yield target_down("BackupExporterDown", job="backup-exporter", what="The backup exporter")
    yield Alert(
        "BackupStoreUnreadable",
        expr=f"max by (store) ({STORE_UNREADABLE} or {STORE_AGE} > {limits.store_age_hours} * 3600)",
        for_="30m",
        severity="warning",
        summary="Backup store {{ $labels.store }} cannot be read",
        description="Whether its backups are there is not known. An expired key, a changed endpoint or a full account look like this; the writers may be failing too.",
    )
    yield Alert(
        "BackupStale",
        expr=f"{STALE} unless on ({ID}) {UNKNOWN}",
        for_="30m",
        severity="warning",
        summary="No recent backup of {{ $labels.name }} ({{ $labels.namespace }}) is in its store",
        description="The newest {{ $labels.kind }} backup found is {{ $value | humanizeDuration }} old, whatever Kubernetes says.",
    )
    for period, for_, choice in (("daily", "26h", "<="), ("weekly", "8d", ">")):
        yield Alert(
            "BackupMissing" if period == "daily" else "BackupMissingWeekly",
            expr=f"{EXPECTED_AGE} {choice} 2 * 86400 unless on ({ID}) {FOUND} and on ({ID}) {KNOWN}",
            for_=for_,
            severity="warning",
            summary="{{ $labels.name }} ({{ $labels.namespace }}) was never backed up",
            description=f"A whole {period} period has passed and its store holds no usable {{{{ $labels.kind }}}} backup.",
        )
    yield Alert(
        "BackupClaimedNotFound",
        expr=f"({CLAIMED_AHEAD} > {limits.claimed_ahead_hours} * 3600 or {CLAIMED_ONLY}) unless on ({ID}) {UNKNOWN}",
        for_="30m",
        severity="critical",
        summary="Kubernetes claims a backup of {{ $labels.name }} ({{ $labels.namespace }}) that its store does not hold",
        description="The status is newer than anything usable in the store: it writes elsewhere, or the backup is broken. Green statuses prove nothing now.",
    )
    yield Alert(
        "BackupVanished",
        # What Kubernetes still claims is BackupClaimedNotFound.
        expr=f"{VANISHED} unless on ({ID}) {CLAIMED}",
        for_="30m",
        severity="critical",
        summary="The backups of {{ $labels.name }} ({{ $labels.namespace }}) are gone from their store",
        description="The store can be read, held a {{ $labels.kind }} backup within the last two days, and holds none now: a lifecycle rule, a clean-up, or somebody deleted them.",
    )
    yield Alert(
        "BackupWalGap",
        expr=f"{MISSING_WAL} > 0",
        for_="15m",
        severity="critical",
        summary="WAL of {{ $labels.name }} ({{ $labels.namespace }}) has a gap in its store",
        description="{{ $value }} segments between the oldest kept base backup and now are missing: recovery stops there. Take a base backup now.",
    )
    yield Alert(
        "BackupRecoveryPointStale",
        expr=f"{RECOVERABLE_AGE} > {limits.recoverable_age_hours} * 3600 and on (namespace, name) {WRITES} unless on ({ID}) {UNKNOWN} unless on ({ID}) {MISSING_WAL} > 0",
        for_="30m",
        severity="warning",
        summary="{{ $labels.name }} ({{ $labels.namespace }}) is recoverable only until {{ $value | humanizeDuration }} ago",
        description="The database writes, and its store gets no newer WAL.",
    )
    yield Alert(
        "BackupShrunk",
        expr=f"{SHRUNK} < {limits.size_ratio} or {SNAPSHOT_SHRUNK} < {limits.snapshot_size_ratio}",
        for_="30m",
        severity="warning",
        summary="The backup of {{ $labels.name }} ({{ $labels.namespace }}) shrank to {{ $value | humanizePercentage }}",
        description="Against the largest of the last eight days. It may be cut short, or of an empty database.",
    )
    yield Alert(
        "RestoreDrillOverdue",
        expr=DRILL_OVERDUE,
        for_="30m",
        severity="warning",
        summary="{{ $labels.name }} ({{ $labels.namespace }}) was not restored for {{ $value | humanizeDuration }}",
        description="The restore drill is overdue: nobody has shown lately that these backups can be restored.",
    )
    yield Alert(
        "RestoreDrillMissing",
        expr=DRILL_MISSING,
        for_="26h",
        severity="warning",
        summary="{{ $labels.name }} ({{ $labels.namespace }}) was never restored",
        description="A restore drill is expected and none has ever succeeded.",
    )
    yield Alert(
        "RestoreDrillFailed",
        expr=DRILL_FAILED,
        for_="10m",
        severity="critical",
        summary="The last restore drill of {{ $labels.name }} ({{ $labels.namespace }}) failed",
        description="These backups could not be restored. Until a drill succeeds, treat them as if there were none.",
    )
    if targets(site):
        yield Alert(
            "BackupTargetMissing",
            expr=f'{TARGET_MISSING} and on () up{{job="backup-exporter"}} == 1',
            for_="30m",
            severity="warning",
            summary="The backup exporter does not know {{ $labels.name }} ({{ $labels.namespace }})",
            description="The inventory expects a {{ $labels.kind }} backup of it in {{ $labels.store }}: what nobody scheduled has no status that could fail.",
        )
