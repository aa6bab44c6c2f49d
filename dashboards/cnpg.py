"""cnpg: does every PostgreSQL cluster have a primary, its replicas, a WAL archive that moves, and base backups?"""

from __future__ import annotations

from alerts import cnpg as a
from dashboards._board import Board, Row, Variable, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import active, firing
from dashboards._panels import conditions, graph, logs, stat, table, timeline
from homelab.site import Site
from homelab.tables.cnpg import Table

GIB = 1024**3
INSTANCES = "count(homelab:cnpg_instances:expected)"
# An instance that is down was the primary if no other one is.
PRIMARY_DOWN = f"{a.POSTGRES_DOWN} unless on ({a.ID}) (({a.PRIMARY}) and on (namespace, pod) {a.POSTGRES_UP})"
CANNOT_WRITE = f"max by (namespace, cnpg_io_cluster) (({a.CLUSTER_DOWN}) or ({a.NO_PRIMARY}) or ({a.PRIMARY_FENCED}) or ({PRIMARY_DOWN}))"
# -1 is never.
SINCE_ARCHIVED = "max by (namespace, cnpg_io_cluster) (time() - (cnpg_pg_stat_archiver_last_archived_time > 0))"
RECOVERABLE_FROM = 'max by (namespace, cnpg_io_cluster) ({__name__=~"cnpg_collector_first_recoverability_point|barman_cloud_cloudnative_pg_io_first_recoverability_point"}) > 0'
CHOSEN = f'and on ({a.ID}) cnpg_collector_up{{cnpg_io_cluster=~"$cnpg_io_cluster"}}'
REPLICA = "and on (namespace, pod) cnpg_pg_replication_in_recovery == 1"
# What stands first wins; the query itself is 0 on a primary, 1 on a replica.
ROLE = (
    "max by (pod) (cnpg_collector_fencing_on == 1) + 3"
    " or max by (pod) (cnpg_collector_up == 0) + 2"
    f" or max by (pod) ({a.DETACHED}) + 2"
    " or max by (pod) (cnpg_pg_replication_in_recovery)"
)
# A claim is named like its instance, so its space is known even while the instance is down.
CLAIMS_FREE = (
    'label_replace(kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes, "cnpg_io_cluster", "$1", "persistentvolumeclaim", "(.+)-[0-9]+(-wal)?")'
    f' and on ({a.ID}) homelab:cnpg_instances:expected{{cnpg_io_cluster=~"$cnpg_io_cluster"}}'
)


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("cnpg") or a.Limits()
    databases = site.table(Table).clusters
    instances = sum(database.instances for database in databases)
    spaces = "|".join(sorted({database.namespace for database in databases} | {"cnpg-system"}))
    said = f'{{namespace=~"{spaces}", pod=~"($cnpg_io_cluster)-.*|cnpg-.*"}}'
    day = limits.backup_age_hours * 3600
    hanging = f"{a.ARCHIVE_AGE} > {limits.archive_seconds} unless on (namespace, pod) {a.ARCHIVE_FAILING}"
    return board(
        "CloudNativePG",
        row(
            "Is it well?",
            stat(
                "Not writable",
                f"count({CANNOT_WRITE}) or 0 * {INSTANCES}",
                unit="short",
                limits=Limits(red_above=1),
                description="Database clusters without any running instance, without a primary, or whose primary is down or fenced. Above 0 applications fail now.",
            ),
            stat(
                "Not archiving WAL",
                f"count(max by (namespace, cnpg_io_cluster) (({a.ARCHIVE_FAILING}) or ({hanging}))) or 0 * count(cnpg_pg_stat_archiver_last_archived_time)",
                unit="short",
                limits=Limits(red_above=1),
                description="WAL waits there and every attempt to archive it fails or hangs. What is written now cannot be recovered; usually the store's key has expired. A dash is a primary that tells nothing.",
            ),
            stat(
                "Replicas missing",
                f"sum(clamp_min({a.REPLICAS_MISSING}, 0))",
                unit="short",
                limits=Limits(orange_above=1),
                description="Replicas that the inventory expects and that do not stream from their primary, of all databases. Normal for minutes after a reboot.",
            ),
            stat(
                "Oldest base backup",
                f"max({a.BACKUP_AGE})",
                unit="s",
                limits=Limits(orange_above=day),
                description="The age of the newest base backup of the database that is worst off, as the operator knows it. What its store really holds is on the page of backups.",
            ),
            stat(
                "Instances that answer",
                f"count({a.POSTGRES_UP}) or 0 * {INSTANCES}",
                unit="short",
                limits=Limits(red_below=1, orange_below=instances),
                description="Instances whose PostgreSQL runs and whose exporter can be scraped. Fewer than expected: the table and the roles below say which database.",
            ),
            stat(
                "Operator",
                'max(up{job="cnpg-system/cloudnative-pg-operator"})',
                unit="none",
                states={0: ("silent", "orange"), 1: ("answers", "green")},
                description="Whether the operator can be scraped. Databases run without it, but nobody fails over or takes backups. A dash is a target that does not exist.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("cnpg", width=12),
            conditions(
                "Since when",
                {
                    "does not answer {{cnpg_io_cluster}}": a.CLUSTER_DOWN,
                    "no primary {{cnpg_io_cluster}}": a.NO_PRIMARY,
                    "PostgreSQL is down {{pod}}": a.POSTGRES_DOWN,
                    "primary is fenced {{pod}}": a.PRIMARY_FENCED,
                    "archiving fails {{cnpg_io_cluster}}": a.ARCHIVE_FAILING,
                    "archiver hangs {{cnpg_io_cluster}}": hanging,
                },
                mild={
                    "cut off {{pod}}": a.DETACHED,
                    "fenced {{pod}}": a.FENCED,
                    "metrics incomplete {{pod}}": a.BLIND,
                    "backup failed {{cnpg_io_cluster}}": a.BACKUP_FAILED,
                    "never backed up {{cnpg_io_cluster}}": a.NEVER_BACKED_UP,
                    "all on one node {{cnpg_io_cluster}}": a.COLOCATED,
                    **active(
                        "CnpgOperatorDown",
                        "CnpgReplicasMissing",
                        "CnpgReplicationLagging",
                        "CnpgWalArchivingBehind",
                        "CnpgWalDirectoryLarge",
                        "CnpgSlotRetainsWal",
                        "CnpgBackupStale",
                        "CnpgConnectionsExhausted",
                        "CnpgWraparoundNear",
                    ),
                },
                description="A bar while a condition of an alert holds, also before the alert fires. The uppermost are the worst; read the graphs of that database at the time when the first one began.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "Databases",
            table(
                "Every database",
                {"namespace": "Namespace", "cnpg_io_cluster": "Database"},
                {
                    "Replicas missing": Column(a.REPLICAS_MISSING, "short", Limits(orange_above=1)),
                    "WAL waiting": Column(
                        f"max by (namespace, cnpg_io_cluster) ({a.ARCHIVE_BACKLOG})",
                        "short",
                        Limits(orange_above=limits.backlog_segments),
                    ),
                    "Last archived": Column(
                        "1000 * max by (namespace, cnpg_io_cluster) (cnpg_pg_stat_archiver_last_archived_time > 0)",
                        "dateTimeFromNow",
                    ),
                    "Base backup": Column(a.BACKUP_AGE, "s", Limits(orange_above=day)),
                    "Recoverable from": Column(f"1000 * ({RECOVERABLE_FROM})", "dateTimeAsIso"),
                    "Nodes": Column(a.NODES_USED, "short"),
                },
                description="All databases, the one that lacks most replicas first. A dash is something that was never done, or a primary that tells nothing. Nodes are the machines that its instances run on: on one, all are lost together.",
                sort="Replicas missing",
                width=14,
            ),
            timeline(
                "Roles",
                {"{{pod}}": ROLE},
                states={
                    0: ("primary", "blue"),
                    1: ("replica", "green"),
                    2: ("down", "red"),
                    3: ("cut off", "orange"),
                    4: ("fenced", "purple"),
                },
                description="What each instance was, and when. Blue that moves is a failover. A line that ends is an instance that nobody can ask; cut off receives no WAL.",
                width=10,
            ),
            height=7,
        ),
        _each(limits),
        row(
            "Base backups and load",
            graph(
                "Age of the newest base backup",
                {"{{cnpg_io_cluster}}": a.BACKUP_AGE},
                unit="s",
                limits=Limits(red_above=day),
                least=0,
                width=12,
                description="A sawtooth: it falls to 0 when the nightly base backup is done. A line that passes the limit is a schedule that is suspended, blocked or fails.",
            ),
            graph(
                "Transactions",
                {
                    "{{pod}} {{datname}}": f'sum by ({a.ID}, pod, datname) (rate(cnpg_pg_stat_database_xact_commit{{datname!=""}}[$__rate_interval])) {CHOSEN}'
                },
                unit="ops",
                least=0,
                width=12,
                description="Committed transactions per second. A fall to almost nothing while the application is used means that it cannot reach its database.",
            ),
            graph(
                "Longest transaction",
                {
                    "{{pod}} {{datname}}": f"max by ({a.ID}, pod, datname) (cnpg_backends_max_tx_duration_seconds) {CHOSEN}"
                },
                unit="s",
                least=0,
                width=12,
                description="The oldest transaction that is open. Base backups and dumps may last; one that never ends holds vacuum back and lets replicas lag.",
            ),
            graph(
                "Size",
                {"{{cnpg_io_cluster}} {{datname}}": f"max by ({a.ID}, datname) (cnpg_pg_database_size_bytes) {CHOSEN}"},
                unit="bytes",
                least=0,
                width=12,
                description="Size of each database on disk, without WAL. A sudden fall is data that was deleted: note the time before, it is where a restore should end.",
            ),
            collapsed=True,
        ),
        row(
            "Logs",
            logs(
                "What PostgreSQL and the operator say",
                f'{said} |~ "(?i)(error|fatal|panic|warning)"',
                description="Errors of the instances, of archiving and of the operator. The store's own words about a refused upload stand here.",
            ),
            collapsed=True,
        ),
        variables=[Variable("cnpg_io_cluster", "Database", "cnpg_collector_up")],
        logs=said,
    )


def _each(limits: a.Limits) -> Row:
    """The measures of one database: WAL, replication, and what it may run out of."""
    return row(
        "$cnpg_io_cluster",
        graph(
            "WAL waiting",
            {"{{pod}}": f"{a.ARCHIVE_BACKLOG} {CHOSEN}"},
            unit="short",
            limits=Limits(orange_above=limits.backlog_segments),
            least=0,
            description="Segments of 16 MiB that are written and not archived yet. They are lost if the volume is. A line that only climbs is an archive that does not move.",
            width=8,
        ),
        graph(
            "Since the last archived segment",
            {"{{cnpg_io_cluster}}": f"{SINCE_ARCHIVED} {CHOSEN}"},
            unit="s",
            limits=Limits(red_above=limits.archive_seconds),
            least=0,
            description="On a database that writes it stays below a few minutes. On an idle one it grows without a fault; above the limit it is one only while WAL waits.",
            width=8,
        ),
        graph(
            "WAL written",
            {"{{pod}}": f"sum by ({a.ID}, pod) (deriv(cnpg_collector_wal_bytes[10m]) > 0) {CHOSEN}"},
            unit="Bps",
            least=0,
            description="What the primary writes. A step here explains a backlog or a lag beside it: an import, a reindex, a vacuum.",
            width=8,
        ),
        graph(
            "Replication lag",
            {"{{pod}}": f"{a.LAG} {REPLICA} {CHOSEN}"},
            unit="s",
            limits=Limits(orange_above=limits.lag_seconds),
            least=0,
            description="How far each replica is behind its primary. It reads 0 for ever on a replica that is cut off: see the roles above.",
            width=8,
        ),
        graph(
            "pg_wal",
            {"{{pod}}": f"{a.WAL_DIRECTORY} {CHOSEN}"},
            unit="bytes",
            limits=Limits(orange_above=limits.wal_gibibytes * GIB),
            least=0,
            description="Size of pg_wal on each instance. Growth means that archiving or a slot holds WAL back; PostgreSQL stops when the volume is full.",
            width=8,
        ),
        graph(
            "WAL held by slots",
            {"{{slot_name}}": f"{a.SLOT_RETAINS} {CHOSEN}"},
            unit="bytes",
            limits=Limits(orange_above=limits.slot_gibibytes * GIB),
            least=0,
            description="WAL that the primary keeps for each replication slot. A line that climbs is a consumer that is gone; drop its slot if it does not come back.",
            width=8,
        ),
        graph(
            "Free space of its volumes",
            {"{{persistentvolumeclaim}}": CLAIMS_FREE},
            unit="percentunit",
            least=0,
            most=1,
            description="Free share of each instance's claim. At 0 PostgreSQL stops and does not start again; expand the claim before.",
            width=8,
        ),
        graph(
            "Connections",
            {"{{pod}}": f"{a.CONNECTIONS} {CHOSEN}"},
            unit="percentunit",
            limits=Limits(orange_above=limits.connections_ratio),
            least=0,
            most=1,
            description="Connections in use, as a share of max_connections. Near the limit applications are about to be refused; a slow climb is a leak.",
            width=8,
        ),
        graph(
            "Age of the oldest transaction id",
            {"{{datname}}": f"{a.XID_AGE} {CHOSEN}"},
            unit="short",
            limits=Limits(orange_above=limits.xid_age),
            least=0,
            description="Transactions since the oldest row was frozen. A sawtooth is healthy. A line that only climbs is an autovacuum that does not get through; near 2.1 billion PostgreSQL refuses writes.",
            width=8,
        ),
        height=6,
        repeat="cnpg_io_cluster",
    )
