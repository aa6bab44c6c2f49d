"""etcd: does the embedded etcd of k3s have its quorum, a spare member, fast disks and room?"""

from __future__ import annotations

from alerts import etcd as a
from dashboards._board import Board, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import active, firing
from dashboards._panels import conditions, graph, logs, stat, table, timeline
from homelab.site import Site
from homelab.tables.etcd import Table

MEMBER = "homelab:etcd_member:expected"
# etcd knows addresses, people know nodes.
NAME = f"* on (instance) group_left (node) {MEMBER}"
# 0 without a leader, 1 follows, 2 leads, 3 learns; -1 where nothing answers.
ROLE = (
    'sum by (node) ((etcd_server_has_leader{job="kube-etcd"} + on (instance) etcd_server_is_leader{job="kube-etcd"}'
    f' + on (instance) 2 * etcd_server_is_learner{{job="kube-etcd"}}) {NAME})'
    f" or on (node) -1 * sum by (node) ({MEMBER})"
)
SIZE = 'etcd_mvcc_db_total_size_in_bytes{job="kube-etcd"}'
IN_USE = 'etcd_mvcc_db_total_size_in_use_in_bytes{job="kube-etcd"}'


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("etcd") or a.Limits()
    spare = (len(site.table(Table).members) - 1) // 2
    room = Limits(orange_above=limits.database_ratio, red_above=limits.database_critical_ratio)
    return board(
        "etcd",
        row(
            "Is it well?",
            stat(
                "Leader",
                a.LEADER,
                unit="none",
                states={0: ("none", "red"), 1: ("elected", "green")},
                description="Whether any member that answers knows a leader. Without one nothing can be written to the Kubernetes API, and pods go on where they are.",
            ),
            stat(
                "Members lost",
                f"count({a.LOST}) or 0 * count({MEMBER})",
                unit="short",
                limits=Limits(orange_above=1 if spare > 1 else None, red_above=max(spare, 1)),
                description="Members whose k3s is down or that are cut off from their peers. Red means that no spare member is left, or that quorum is gone: bring one back first.",
            ),
            stat(
                "Alarms",
                f'count({a.ALARM}) or 0 * count(etcd_debugging_server_alarms{{job="kube-etcd"}})',
                unit="short",
                limits=Limits(red_above=1),
                description="NOSPACE or CORRUPT, raised by etcd itself. Writes stay refused until the alarm is disarmed by hand. A dash is an etcd that does not expose its alarms.",
            ),
            stat(
                "Database",
                a.DATABASE_FULL,
                unit="percentunit",
                limits=room,
                description="The largest database as a share of its quota. At the quota etcd refuses every write: find what writes so much, then compact and defragment.",
            ),
            stat(
                "Slowest disk",
                f"max({a.FSYNC_P99})",
                unit="s",
                limits=Limits(orange_above=limits.fsync_seconds),
                description="How long the slowest member waits for its write-ahead log to reach the disk (p99). Above the limit, look at what else writes to that drive.",
            ),
            stat(
                "Leader changes",
                a.LEADER_CHANGES,
                unit="short",
                limits=Limits(orange_above=limits.leader_changes),
                description="Elections in the last quarter of an hour. A rolling restart costs one per node; more than that are missed heartbeats.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("etcd", width=12),
            conditions(
                "Since when",
                {
                    "no leader anywhere": f"{a.LEADER} == 0",
                    "lost {{node}}": a.LOST,
                    "alarm {{alarm_type}}": a.ALARM,
                    **active("EtcdDatabaseNearlyFull"),
                },
                mild={
                    "no leader on {{node}}": f"({a.NO_LEADER}) {NAME}",
                    "k3s runs, etcd not scraped {{node}}": a.UNSCRAPED,
                    "never promoted {{node}}": f"({a.LEARNER}) {NAME}",
                    **active(
                        "EtcdUnobserved",
                        "EtcdLeaderChangesOften",
                        "EtcdFsyncSlow",
                        "EtcdCommitSlow",
                        "EtcdPeerSlow",
                        "EtcdProposalsFailing",
                        "EtcdProposalsPiling",
                        "EtcdDatabaseFilling",
                        "EtcdDatabaseGrowing",
                    ),
                },
                description="A bar while a condition of an alert holds, also before the alert fires. The uppermost are the worst; read the graphs below at the time when the first one began.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "Members",
            table(
                "Every member",
                {"node": "Node"},
                {
                    "Answers": Column(
                        f'max by (node) (up{{job="kube-etcd"}} {NAME})',
                        "none",
                        states={0: ("no", "red"), 1: ("yes", "green")},
                    ),
                    "Waits for disk": Column(
                        f"max by (node) ({a.FSYNC_P99} {NAME})", "s", Limits(orange_above=limits.fsync_seconds)
                    ),
                    "Commits in": Column(
                        f"max by (node) ({a.COMMIT_P99} {NAME})", "s", Limits(orange_above=limits.commit_seconds)
                    ),
                    "From its peers": Column(
                        f"max by (node) ({a.PEER_RTT_P99} {NAME})", "s", Limits(orange_above=limits.peer_rtt_seconds)
                    ),
                    "Database": Column(f"max by (node) ({SIZE} {NAME})", "bytes"),
                    "In use": Column(f"max by (node) ({IN_USE} {NAME})", "bytes"),
                },
                description="The members side by side, the slowest disk first. One that differs from the others has a fault of its own; all alike is load. A dash is a member that does not answer.",
                sort="Waits for disk",
                width=14,
            ),
            timeline(
                "Who leads",
                {"{{node}}": ROLE},
                states={
                    0: ("no leader", "red"),
                    1: ("follows", "green"),
                    2: ("leads", "blue"),
                    3: ("learns", "purple"),
                    -1: ("silent", "red"),
                },
                description="The role of each member. Blue that wanders from node to node is an election each time; silent is a member that is down or is not scraped.",
                width=10,
            ),
        ),
        row(
            "Disk and network",
            graph(
                "Wait for the write-ahead log",
                {"{{node}}": f"{a.FSYNC_P99} {NAME}"},
                unit="s",
                limits=Limits(orange_above=limits.fsync_seconds),
                least=0,
                description="p99 of the fsync that every write waits for. Slow on one node is its drive or what else writes there, such as a backup or a rebuild of Longhorn.",
            ),
            graph(
                "Commit to the database",
                {"{{node}}": f"{a.COMMIT_P99} {NAME}"},
                unit="s",
                limits=Limits(orange_above=limits.commit_seconds),
                least=0,
                description="p99 of writing a batch into the database file. Slow here while the log is fast: large writes saturate the drive, or defragmentation is due.",
            ),
            graph(
                "Round trip to the farthest peer",
                {"{{node}}": f"{a.PEER_RTT_P99} {NAME}"},
                unit="s",
                limits=Limits(orange_above=limits.peer_rtt_seconds),
                least=0,
                description="p99 of the round trip between members. Slow as seen from all others is the link of that one node; elections follow when it grows.",
            ),
        ),
        row(
            "Writes",
            graph(
                "Elections",
                {"changes of the leader": a.LEADER_CHANGES},
                unit="short",
                limits=Limits(orange_above=limits.leader_changes),
                least=0,
                description="Changes of the leader within a quarter of an hour. Each stalls the API for seconds. Compare with disk and network above at the same time.",
            ),
            graph(
                "Failed proposals",
                {"failed": a.FAILED_PROPOSALS},
                unit="short",
                limits=Limits(orange_above=limits.failed_proposals),
                least=0,
                description="Writes that failed within a quarter of an hour. A change of the leader costs a few; a plateau means that members time out.",
            ),
            graph(
                "Waiting proposals",
                {"{{node}}": f"{a.PENDING_PROPOSALS} {NAME}"},
                unit="short",
                limits=Limits(orange_above=limits.pending_proposals),
                least=0,
                description="Writes that wait to be agreed on. Above 0 for more than moments, they come faster than disk or peers can follow.",
            ),
        ),
        row(
            "Room",
            graph(
                "Share of the quota",
                {"now": a.DATABASE_FULL, "in four hours, as in the last one": a.DATABASE_FORECAST},
                unit="percentunit",
                limits=room,
                least=0,
                description="The largest database as a share of its quota, and where it will be. Deleting frees nothing before compaction and defragmentation.",
            ),
            graph(
                "Size and what is in use",
                {"{{node}} on disk": f"{SIZE} {NAME}", "{{node}} in use": f"{IN_USE} {NAME}"},
                unit="bytes",
                least=0,
                description="A wide gap is what a defragmentation would give back. Use that grows is somebody who writes: Events, Backup objects, a controller in a loop.",
            ),
        ),
        row(
            "What it is asked",
            graph(
                "Operations",
                {
                    "put": 'sum(rate(etcd_mvcc_put_total{job="kube-etcd"}[$__rate_interval]))',
                    "delete": 'sum(rate(etcd_mvcc_delete_total{job="kube-etcd"}[$__rate_interval]))',
                    "range": 'sum(rate(etcd_mvcc_range_total{job="kube-etcd"}[$__rate_interval]))',
                },
                unit="ops",
                least=0,
                description="Writes, deletions and reads of all members together; each write is counted on every member. A step upwards is a controller that has begun to loop.",
            ),
            graph(
                "Traffic to peers",
                {
                    "{{node}}": f'sum by (instance) (rate(etcd_network_peer_sent_bytes_total{{job="kube-etcd"}}[$__rate_interval])) {NAME}'
                },
                unit="Bps",
                least=0,
                description="Bytes per second that each member sends to the others. The leader sends the most; a burst is a snapshot for a member that fell behind.",
            ),
            graph(
                "Trouble that etcd counts",
                {
                    "{{node}} heartbeats sent too late": f'increase(etcd_server_heartbeat_send_failures_total{{job="kube-etcd"}}[15m]) {NAME}',
                    "{{node}} slow applies": f'increase(etcd_server_slow_apply_total{{job="kube-etcd"}}[15m]) {NAME}',
                    "{{node}} failed sends": f'sum by (instance) (increase(etcd_network_peer_sent_failures_total{{job="kube-etcd"}}[15m])) {NAME}',
                },
                unit="short",
                least=0,
                description="Counted within a quarter of an hour. Late heartbeats are a starved leader, slow applies a slow disk or CPU, failed sends a peer out of reach.",
            ),
            collapsed=True,
        ),
        row(
            "Logs",
            logs(
                "What k3s says about etcd",
                '{unit="k3s.service"} |~ "(?i)etcd|raft|took too long|elected|no space"',
                description="The journal of k3s, which etcd is a part of. Look for elections, slow applies and refused peers at the time when the first bar above began.",
            ),
            collapsed=True,
        ),
        logs='{unit="k3s.service"}',
    )
