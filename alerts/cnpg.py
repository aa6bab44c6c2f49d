"""cnpg: does every PostgreSQL cluster have a primary, its replicas, a WAL archive that moves, and base backups?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected, target_down
from alerts._presence import expected_nodes, node_down
from homelab.site import Site
from homelab.tables.cnpg import Table

# What of its dashboard an alert's labels choose.
VARIABLES = {"cnpg_io_cluster": ("cnpg_io_cluster",)}

ID = "namespace, cnpg_io_cluster"
# A fenced instance, and one whose PostgreSQL is expected to be down, keep their last values: check fencing first.
POSTGRES_UP = "cnpg_collector_up == 1"
POSTGRES_DOWN = "cnpg_collector_up == 0 unless on (namespace, pod) cnpg_collector_fencing_on == 1"
CLUSTER_DOWN = f"homelab:cnpg_instances:expected unless on ({ID}) {POSTGRES_UP}"
PRIMARY = "cnpg_pg_replication_in_recovery == 0 or cnpg_collector_replica_mode == 1"
BLIND = (
    "max by (namespace, cnpg_io_cluster, pod) (cnpg_collector_last_collection_error == 1 or cnpg_last_error == 1"
    " or (cnpg_collector_up == 1 unless on (namespace, pod) cnpg_pg_replication_in_recovery))"
)
# A replica that crashes again and again streams for a minute in between: that is no recovery.
STREAMING = "max by (namespace, cnpg_io_cluster) (min_over_time(cnpg_pg_replication_streaming_replicas[4m]))"
# The lag of a standby that is cut off is 0 for ever: the receiver tells.
DETACHED = "cnpg_pg_replication_in_recovery == 1 and on (namespace, pod) min_over_time(cnpg_pg_replication_is_wal_receiver_up[4m]) == 0"
ATTACHED = "cnpg_pg_replication_in_recovery == 1 and on (namespace, pod) cnpg_pg_replication_is_wal_receiver_up == 1"
LAG = "cnpg_pg_replication_lag"
FENCED = "cnpg_collector_fencing_on == 1"
PRIMARY_FENCED = "cnpg_collector_fencing_on == 1 and on (namespace, pod) cnpg_pg_replication_in_recovery == 0"
# A pod that reports down or blind may be the primary: then that alert speaks. From whom a replica receives, that is
# one, even if it cannot be scraped. A fenced pod is none.
NO_PRIMARY = (
    f"homelab:cnpg_instances:expected unless on ({ID}) ({PRIMARY}) unless on ({ID}) ({BLIND} unless on (namespace, pod) {FENCED})"
    f" unless on ({ID}) cnpg_collector_up == 0 unless on ({ID}) ({ATTACHED}) and on ({ID}) {POSTGRES_UP}"
)
REPLICAS_MISSING = f"homelab:cnpg_instances:expected - 1 - on ({ID}) {STREAMING}"
# -1 is never. failed_count never returns to 0: compare the times.
ARCHIVE_FAILING = "cnpg_pg_stat_archiver_last_failed_time > cnpg_pg_stat_archiver_last_archived_time"
# Only while segments wait: an idle database archives nothing and is fine.
ARCHIVE_AGE = '((time() - cnpg_pg_stat_archiver_last_archived_time) and on (namespace, pod) cnpg_collector_pg_wal_archive_status{value="ready"} > 0)'
ARCHIVE_BACKLOG = (
    '(cnpg_collector_pg_wal_archive_status{value="ready"} and on (namespace, pod) cnpg_pg_replication_in_recovery == 0)'
)
WAL_DIRECTORY = 'cnpg_collector_pg_wal{value="size"}'
SLOT_RETAINS = "max by (namespace, cnpg_io_cluster, slot_name) (cnpg_pg_replication_slots_pg_wal_lsn_diff and on (namespace, pod) cnpg_pg_replication_in_recovery == 0)"
# In-tree Barman reports on the primary only (replicas: 0), the plugin on every pod under its own name; both may coexist.
LAST_BACKUP = 'max by (namespace, cnpg_io_cluster) ({__name__=~"cnpg_collector_last_available_backup_timestamp|barman_cloud_cloudnative_pg_io_last_available_backup_timestamp"})'
LAST_FAILED_BACKUP = 'max by (namespace, cnpg_io_cluster) ({__name__=~"cnpg_collector_last_failed_backup_timestamp|barman_cloud_cloudnative_pg_io_last_failed_backup_timestamp"})'
BACKUP_AGE = f"time() - ({LAST_BACKUP} > 0)"
BACKUP_FAILED = f"{LAST_FAILED_BACKUP} > {LAST_BACKUP}"
# 0 on every pod. An exporter that cannot look also leaves 0: then it says so itself.
NEVER_BACKED_UP = f"{LAST_BACKUP} == 0 unless on ({ID}) {BLIND}"
NODES_USED = "max by (namespace, cnpg_io_cluster) (cnpg_collector_nodes_used)"
COLOCATED = f"{NODES_USED} == 1 and on ({ID}) homelab:cnpg_instances:expected > 1"
CONNECTIONS = 'sum by (namespace, cnpg_io_cluster, pod) (cnpg_backends_total) / on (namespace, pod) group_left () max by (namespace, pod) (cnpg_pg_settings_setting{name="max_connections"})'
XID_AGE = "max by (namespace, cnpg_io_cluster, datname) (cnpg_pg_database_xid_age)"


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    lag_seconds: int = 300
    archive_seconds: int = 900  # with segments waiting; archive_timeout is five minutes
    backlog_segments: int = 64  # 1 GiB at 16 MiB each
    wal_gibibytes: float = 8  # of pg_wal
    slot_gibibytes: float = 4  # of WAL held back by one slot
    backup_age_hours: float = 26  # a nightly base backup, and two hours of slack
    connections_ratio: float = 0.9
    xid_age: int = 1_000_000_000  # wraparound protection stops writes near 2.1e9


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    databases = site.table(Table).clusters
    for database in databases:
        labels = {"namespace": database.namespace, "cnpg_io_cluster": database.name}
        yield Expected("homelab:cnpg_instances:expected", labels, database.instances)
    yield from expected_nodes(site)
    yield target_down("CnpgOperatorDown", job="cnpg-system/cloudnative-pg-operator", what="The CloudNativePG operator")
    yield Alert(
        "CnpgClusterDown",
        expr=f"{CLUSTER_DOWN} and on () up",
        for_="5m",
        severity="critical",
        summary="Database {{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) does not answer",
        description="No instance reports a running PostgreSQL: all are down, or none can be scraped and nothing is known.",
    )
    yield Alert(
        "CnpgInstanceDown",
        expr=f"{POSTGRES_DOWN} and on ({ID}) {POSTGRES_UP}",
        for_="5m",
        severity="critical",
        summary="PostgreSQL in {{ $labels.pod }} ({{ $labels.namespace }}) is down",
        description="The pod runs and answers, its PostgreSQL of {{ $labels.cnpg_io_cluster }} does not. If it is the primary, applications cannot write.",
    )
    yield Alert(
        "CnpgNoPrimary",
        expr=NO_PRIMARY,
        for_="5m",
        severity="critical",
        summary="Database {{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) has no primary",
        description="Every instance that answers is in recovery and the failover does not complete: applications can read at most.",
    )
    if any(database.instances > 1 for database in databases):
        yield Alert(
            "CnpgReplicasMissing",
            expr=f"{REPLICAS_MISSING} > 0 unless on ({ID}) ({DETACHED}) unless on ({ID}) {FENCED} and on ({ID}) ({PRIMARY}) unless on () {node_down('cnpg')}",
            for_="15m",
            severity="warning",
            summary="Database {{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) lacks {{ $value }} replicas",
            description="Fewer replicas stream from the primary than the inventory expects: the next failover has fewer candidates, or none.",
        )
        yield Alert(
            "CnpgInstancesColocated",
            expr=COLOCATED,
            for_="30m",
            severity="warning",
            summary="All instances of {{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) share one node",
            description="Losing that node loses the primary and every replica at once.",
        )
    yield Alert(
        "CnpgReplicaDetached",
        expr=f"{DETACHED} and on ({ID}) cnpg_pg_replication_in_recovery == 0 unless on ({ID}) ({PRIMARY_FENCED})",
        for_="10m",
        severity="warning",
        summary="Replica {{ $labels.pod }} ({{ $labels.namespace }}) does not receive WAL",
        description="It is cut off from the primary of {{ $labels.cnpg_io_cluster }}; its lag reads 0 all the while.",
    )
    yield Alert(
        "CnpgReplicationLagging",
        expr=f"{LAG} > {limits.lag_seconds}",
        for_="10m",
        severity="warning",
        summary="Replica {{ $labels.pod }} ({{ $labels.namespace }}) is {{ $value | humanizeDuration }} behind",
        description="It receives WAL and replays it too slowly: a slow disk, or a long query that holds replay up.",
    )
    yield Alert(
        "CnpgPrimaryFenced",
        expr=PRIMARY_FENCED,
        for_="10m",
        severity="critical",
        summary="{{ $labels.pod }} ({{ $labels.namespace }}) is fenced, and it is the primary",
        description="PostgreSQL is stopped there and nobody is promoted in its place: applications of {{ $labels.cnpg_io_cluster }} cannot write until the fence is lifted.",
    )
    yield Alert(
        "CnpgInstanceFenced",
        expr=f"{FENCED} unless on (namespace, pod) ({PRIMARY_FENCED})",
        for_="20m",
        severity="warning",
        summary="{{ $labels.pod }} ({{ $labels.namespace }}) is fenced",
        description="PostgreSQL is stopped there on purpose, and every other figure of the instance is frozen. Lift the fence when the work is done.",
    )
    yield Alert(
        "CnpgMetricsBlind",
        expr=f"{BLIND} unless on (namespace, pod) cnpg_collector_up == 0 unless on (namespace, pod) {FENCED}",
        for_="15m",
        severity="warning",
        summary="The metrics of {{ $labels.pod }} ({{ $labels.namespace }}) are incomplete",
        description="A query of the exporter fails, so alerts on archiving, replication and backups of {{ $labels.cnpg_io_cluster }} may be blind.",
    )
    yield Alert(
        "CnpgWalArchivingFailing",
        expr=ARCHIVE_FAILING,
        for_="15m",
        severity="critical",
        summary="{{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) cannot archive its WAL",
        description="Every attempt of {{ $labels.pod }} fails: nothing since then can be recovered, and pg_wal grows until the volume is full. Often the store's credentials.",
    )
    yield Alert(
        "CnpgWalArchivingStuck",
        expr=f"{ARCHIVE_AGE} > {limits.archive_seconds} unless on (namespace, pod) {ARCHIVE_FAILING}",
        for_="10m",
        severity="critical",
        summary="{{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) archives nothing although WAL waits",
        description="No failure is reported and nothing was archived for {{ $value | humanizeDuration }}: the archiver of {{ $labels.pod }} hangs. Nothing since then can be recovered.",
    )
    yield Alert(
        "CnpgWalArchivingBehind",
        expr=f"{ARCHIVE_BACKLOG} > {limits.backlog_segments} unless on (namespace, pod) {ARCHIVE_FAILING} unless on (namespace, pod) {ARCHIVE_AGE} > {limits.archive_seconds}",
        for_="15m",
        severity="warning",
        summary="{{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) has {{ $value }} WAL segments waiting",
        description="Archiving works and is slower than the database writes: what waits on {{ $labels.pod }} is lost if its volume is.",
    )
    yield Alert(
        "CnpgWalDirectoryLarge",
        expr=f"{WAL_DIRECTORY} > {limits.wal_gibibytes} * 1024 ^ 3",
        for_="30m",
        severity="warning",
        summary="pg_wal of {{ $labels.pod }} ({{ $labels.namespace }}) holds {{ $value | humanize1024 }}B",
        description="WAL is not released: archiving or a replication slot holds it back. PostgreSQL stops when the volume is full.",
    )
    yield Alert(
        "CnpgSlotRetainsWal",
        expr=f"{SLOT_RETAINS} > {limits.slot_gibibytes} * 1024 ^ 3",
        for_="30m",
        severity="warning",
        summary="Slot {{ $labels.slot_name }} of {{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) holds {{ $value | humanize1024 }}B of WAL",
        description="Its consumer is gone or far behind; pg_wal grows until the volume is full.",
    )
    yield Alert(
        "CnpgBackupStale",
        expr=f"{BACKUP_AGE} > {limits.backup_age_hours} * 3600",
        for_="30m",
        severity="warning",
        summary="{{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) has no recent base backup",
        description="The newest one that the operator knows is {{ $value | humanizeDuration }} old. Suspended schedules and blocked ones look like this.",
    )
    yield Alert(
        "CnpgBackupMissing",
        expr=NEVER_BACKED_UP,
        for_="26h",
        severity="warning",
        summary="{{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) never had a base backup",
        description="A night has passed without one. WAL alone restores nothing.",
    )
    yield Alert(
        "CnpgBackupFailed",
        expr=BACKUP_FAILED,
        for_="15m",
        severity="warning",
        summary="The last base backup of {{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) failed",
        description="The one before may be young enough; find out before it is not.",
    )
    yield Alert(
        "CnpgConnectionsExhausted",
        expr=f"{CONNECTIONS} > {limits.connections_ratio}",
        for_="10m",
        severity="warning",
        summary="{{ $labels.pod }} ({{ $labels.namespace }}) uses {{ $value | humanizePercentage }} of its connections",
        description="Applications of {{ $labels.cnpg_io_cluster }} are about to be refused.",
    )
    yield Alert(
        "CnpgWraparoundNear",
        expr=f"{XID_AGE} > {limits.xid_age}",
        for_="1h",
        severity="warning",
        summary="Database {{ $labels.datname }} of {{ $labels.cnpg_io_cluster }} ({{ $labels.namespace }}) is not frozen",
        description="Its oldest transaction is {{ $value | humanize }} old; autovacuum does not get through. PostgreSQL refuses writes near 2.1 billion.",
    )
