"""backups: could everything that must be recoverable be restored now, and to when?"""

from __future__ import annotations

from alerts import backups as a
from dashboards._board import Board, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import active, firing
from dashboards._panels import bars, conditions, graph, logs, stat, table, timeline
from homelab.site import Site
from homelab.tables.backups import targets

NEVER = f"{a.EXPECTED_AGE} unless on ({a.ID}) {a.FOUND} and on ({a.ID}) {a.KNOWN}"
GAP = f"{a.MISSING_WAL} > 0"
FROM = "max by (kind, namespace, name) (backup_recoverable_from_timestamp_seconds)"
# Where no point in time can be chosen, the newest backup is all there is.
UNTIL = f"(max by (kind, namespace, name) (backup_recoverable_until_timestamp_seconds) or {a.FOUND})"
AGE_RATIO = f"({a.FOUND_AGE}) / on ({a.ID}) {a.EXPECTED_AGE}"
DRILL_RATIO = f"({a.DRILL_AGE}) / on ({a.ID}) {a.DRILL_EXPECTED}"


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("backups") or a.Limits()
    not_found = (
        f"({a.CLAIMED_AHEAD} > {limits.claimed_ahead_hours} * 3600 or {a.CLAIMED_ONLY}) unless on ({a.ID}) {a.UNKNOWN}"
    )
    unreadable = f"max by (store) ({a.STORE_UNREADABLE} or {a.STORE_AGE} > {limits.store_age_hours} * 3600)"
    no_new_wal = f"{a.RECOVERABLE_AGE} > {limits.recoverable_age_hours} * 3600 and on (namespace, name) {a.WRITES}"
    nothing = f"({NEVER}) or ({a.VANISHED}) or ({a.DRILL_FAILED})"
    old = f"({a.STALE}) or ({not_found}) or ({no_new_wal})"
    # What stands first wins, the worst.
    verdict = (
        f"({nothing}) * 0 + 4"
        f" or max by ({a.ID}) ({a.UNKNOWN}) * 0 + 3"
        f" or ({GAP}) * 0 + 2"
        f" or ({old}) * 0 + 1"
        f" or 0 * max by ({a.ID}) (backup_target_info)"
        f" or max by ({a.ID}) (homelab:backup_target:expected) * 0 + 3"
    )
    sizes = {"{{kind}} {{name}}": a.SHRUNK}
    if any(target.kind == "etcd" for target in targets(site)):
        sizes["snapshot {{name}}"] = a.SNAPSHOT_SHRUNK
    return board(
        "Backups",
        row(
            "Is it well?",
            stat(
                "Not restorable",
                f"count({nothing} or ({not_found}) or ({GAP})) or 0 * count({a.KNOWN})",
                unit="short",
                limits=Limits(red_above=1),
                description="Targets whose store can be read and holds no usable backup, or not the one that Kubernetes claims, or WAL with a gap; and those whose last restore drill failed. The table below names them.",
            ),
            stat(
                "Unreadable stores",
                f"count({unreadable}) or 0 * count(backup_store_probe_success)",
                unit="short",
                limits=Limits(orange_above=1),
                description="Buckets that cannot be listed, or were not looked at for too long. Nothing is known about what they hold, so the other numbers leave their targets out.",
            ),
            stat(
                "Oldest, of allowed age",
                f"max({AGE_RATIO} unless on ({a.ID}) {a.UNKNOWN})",
                unit="percentunit",
                limits=Limits(orange_above=1),
                description="The newest backup found of the target that is worst off, against what its schedule allows. A nightly one reaches 90 % every evening; above 100 % a night was missed.",
            ),
            stat(
                "Lost if restored now",
                f"max({a.RECOVERABLE_AGE} and on (namespace, name) {a.WRITES} unless on ({a.ID}) {a.UNKNOWN})",
                unit="s",
                limits=Limits(orange_above=limits.recoverable_age_hours * 3600),
                description="How much of the databases that write would be missing after a restore, at worst: since when their store has no newer WAL. A dash when none writes or none is known.",
            ),
            stat(
                "Restore drills due",
                f"count(({a.DRILL_FAILED}) or ({a.DRILL_OVERDUE}) or ({a.DRILL_MISSING})) or 0 * count({a.DRILL_EXPECTED})",
                unit="short",
                limits=Limits(orange_above=1),
                description="Targets of which nobody has shown lately that they can be restored. A backup that was never restored is a hope.",
            ),
            stat(
                "Exporter",
                'max(up{job="backup-exporter"})',
                unit="none",
                states={0: ("silent", "red"), 1: ("answers", "green")},
                description="Whether the exporter that looks into the stores can be scraped. While it is silent everything on this page is unknown.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("backups", width=12),
            conditions(
                "Since when",
                {
                    "claimed and not found: {{kind}} {{name}}": not_found,
                    "vanished: {{kind}} {{name}}": a.VANISHED,
                    "restore failed: {{kind}} {{name}}": a.DRILL_FAILED,
                    "gap in the WAL: {{name}}": GAP,
                },
                mild={
                    "nothing in its store: {{kind}} {{name}}": NEVER,
                    "unreadable: {{store}}": unreadable,
                    "stale: {{kind}} {{name}}": f"{a.STALE} unless on ({a.ID}) {a.UNKNOWN}",
                    "no new WAL: {{name}}": no_new_wal,
                    "never restored: {{name}}": a.DRILL_MISSING,
                    "restore drill overdue: {{name}}": a.DRILL_OVERDUE,
                    "nobody looks: {{kind}} {{name}}": a.TARGET_MISSING,
                    **active("BackupExporterDown", "BackupShrunk"),
                },
                description="A bar while a condition of an alert holds, also before the alert fires. The uppermost are the worst.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "Could I restore now, and to when?",
            table(
                "Every target",
                {"kind": "Kind", "namespace": "Namespace", "name": "Name"},
                {
                    "Restorable": Column(
                        verdict,
                        "none",
                        states={
                            4: ("no", "red"),
                            3: ("unknown", "purple"),
                            2: ("until a gap", "red"),
                            1: ("old", "orange"),
                            0: ("yes", "green"),
                        },
                    ),
                    "To": Column(f"1000 * {UNTIL}", "dateTimeFromNow"),
                    "From": Column(f"1000 * {FROM}", "dateTimeAsIso"),
                    "Backup found": Column(f"1000 * {a.FOUND}", "dateTimeFromNow"),
                    "Backup claimed": Column(f"1000 * {a.CLAIMED}", "dateTimeFromNow"),
                    "Of its allowed age": Column(AGE_RATIO, "percentunit", Limits(orange_above=1)),
                    "Size": Column("max by (kind, namespace, name) (backup_last_size_bytes)", "bytes"),
                    "Restored": Column(
                        "1000 * max by (kind, namespace, name) (backup_restore_drill_last_success_timestamp_seconds)",
                        "dateTimeFromNow",
                    ),
                },
                description="Everything that must be recoverable, the worst first. Databases can be restored to any time between From and To, the others only to their backups. Old is a backup or WAL older than its schedule allows; unknown means that the store cannot be read or nobody looks; a dash under Restored that no drill ever succeeded, or none is asked for.",
                sort="Restorable",
            ),
            height=9,
        ),
        row(
            "Any point in time",
            graph(
                "Lost if restored",
                {"{{name}}": a.RECOVERABLE_AGE},
                unit="s",
                limits=Limits(red_above=limits.recoverable_age_hours * 3600),
                least=0,
                description="How old the newest moment that can be restored was when the store was last looked at. On an idle database it grows without a fault; on one that writes, see its archiving.",
            ),
            graph(
                "How far back",
                {"{{name}}": f"time() - {FROM}"},
                unit="s",
                least=0,
                description="The age of the oldest moment that can still be restored. It follows retention; a sudden fall is a store that lost its oldest backups.",
            ),
            graph(
                "Missing WAL segments",
                {"{{name}}": a.MISSING_WAL},
                unit="short",
                limits=Limits(red_above=1),
                least=0,
                description="Gaps in the WAL of the store. Recovery stops at the first one: take a base backup now, it makes everything after it recoverable again. A line that ends is a store that cannot be read.",
            ),
        ),
        row(
            "Claimed against found",
            graph(
                "Newest backup found, of its allowed age",
                {"{{kind}} {{name}}": AGE_RATIO},
                unit="percentunit",
                limits=Limits(red_above=1),
                least=0,
                description="Sawtooths: each falls when its backup has arrived in the store. Past the limit the night was missed, whatever Kubernetes says.",
            ),
            graph(
                "Claimed ahead of found",
                {"{{kind}} {{name}}": a.CLAIMED_AHEAD},
                unit="s",
                limits=Limits(red_above=limits.claimed_ahead_hours * 3600),
                description="By how much the backup that Kubernetes claims is newer than the one in the store. An upload takes some time; what stays above the limit goes elsewhere or is broken.",
            ),
            graph(
                "Size, against the largest of eight days",
                sizes,
                unit="percentunit",
                limits=Limits(orange_below=limits.size_ratio, red_below=limits.snapshot_size_ratio),
                least=0,
                description="A backup that shrinks may be cut short, or of an empty database. The upper limit is for all but snapshots of etcd; those shrink when etcd is defragmented and have the lower one.",
            ),
        ),
        row(
            "Restore drills",
            bars(
                "Since the last success, of what is allowed",
                {"{{name}}": f"sort_desc({DRILL_RATIO})"},
                unit="percentunit",
                limits=Limits(orange_above=1),
                description="Time since these backups were last restored for a test. Full is overdue: run the drill of the runbook. What is not listed never had one that succeeded.",
                width=12,
            ),
            timeline(
                "Result of the last drill",
                {"{{name}}": f"max by ({a.ID}) (backup_restore_drill_last_result)"},
                states={0: ("failed", "red"), 1: ("restored", "green")},
                description="How the last drill of each target ended. Red: treat these backups as if there were none until a drill succeeds.",
                width=12,
            ),
            height=6,
        ),
        row(
            "Stores",
            timeline(
                "Can be read",
                {"{{store}}": "min by (store) (backup_store_probe_success)"},
                states={0: ("no", "red"), 1: ("yes", "green")},
                description="Whether each bucket could be listed. One that turned red: its key, its endpoint, its quota. All at once: the network, or the exporter's egress policy.",
            ),
            graph(
                "Since the last look",
                {"{{store}}": f"max by (store) ({a.STORE_AGE})"},
                unit="s",
                limits=Limits(orange_above=limits.store_age_hours * 3600),
                least=0,
                description="How old the exporter's last attempt is, successful or not. A line that climbs is an exporter that hangs while it still answers.",
            ),
            graph(
                "Size of the newest backup",
                {"{{kind}} {{name}}": "max by (kind, namespace, name) (backup_last_size_bytes)"},
                unit="bytes",
                least=0,
                description="What the newest backup of each target holds. It follows the data; a step down is looked into before the old ones expire.",
            ),
            collapsed=True,
        ),
        row(
            "Logs",
            logs(
                "What the exporter says",
                '{namespace="monitoring", container="backup-exporter"}',
                description="What the exporter found in the stores and what it could not read, with the store's own words.",
            ),
            collapsed=True,
        ),
        logs='{namespace="monitoring", container="backup-exporter"}',
    )
