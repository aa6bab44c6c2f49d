"""etcd: does the embedded etcd of k3s have its quorum, a spare member, fast disks and room?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected, target_down
from alerts._presence import KUBELET_ANSWERS, NODE_EXPORTER_ANSWERS, expected_nodes, node_down
from homelab.site import Site
from homelab.tables.etcd import Table
from homelab.tables.nodes import machines

NODE_DOWN = node_down("etcd")
ANSWERS = 'up{job="kube-etcd"} == 1'
# 1 as long as any member that answers knows a leader.
LEADER = 'max(etcd_server_has_leader{job="kube-etcd"})'
NO_LEADER = 'etcd_server_has_leader{job="kube-etcd"} == 0'
SILENT = f"(homelab:etcd_member:expected unless on (instance) {ANSWERS})"
# kubelet and etcd are one k3s process: with both silent the member is gone, with etcd alone it is only unscraped.
LOST = f"({SILENT} unless on (address) {KUBELET_ANSWERS} or homelab:etcd_member:expected and on (instance) {NO_LEADER})"
# k3s runs there and only its etcd does not answer the scrape.
UNSCRAPED = f"{SILENT} and on (address) {KUBELET_ANSWERS}"
# Members whose k3s is down on a machine that runs. With all of them down nobody is left to say that there is no leader.
STOPPED = f"count({SILENT} unless on (address) {KUBELET_ANSWERS} and on (address) {NODE_EXPORTER_ANSWERS})"
ALARM = 'max by (job, alarm_type) (etcd_debugging_server_alarms{job="kube-etcd"} == 1)'
LEADER_CHANGES = 'max by (job) (increase(etcd_server_leader_changes_seen_total{job="kube-etcd"}[15m]))'
# Quantiles saturate at 8.192 s, the last bucket. Five minutes spread a nightly defragmentation's stall thin enough.
FSYNC_P99 = 'histogram_quantile(0.99, sum by (instance, le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket{job="kube-etcd"}[5m])))'
COMMIT_P99 = 'histogram_quantile(0.99, sum by (instance, le) (rate(etcd_disk_backend_commit_duration_seconds_bucket{job="kube-etcd"}[5m])))'
PEER_RTT_P99 = 'max by (instance) (histogram_quantile(0.99, sum by (instance, To, le) (rate(etcd_network_peer_round_trip_time_seconds_bucket{job="kube-etcd"}[5m]))))'
FAILED_PROPOSALS = 'max by (job) (increase(etcd_server_proposals_failed_total{job="kube-etcd"}[15m]))'
PENDING_PROPOSALS = 'max by (instance) (etcd_server_proposals_pending{job="kube-etcd"})'
DATABASE_FULL = 'max by (job) (etcd_mvcc_db_total_size_in_bytes{job="kube-etcd"} / on (instance) group_left () etcd_server_quota_backend_bytes{job="kube-etcd"})'
# Size in four hours, going on as in the last one, as a share of the quota. It shrinks by defragmentation only.
DATABASE_FORECAST = 'max by (job) (predict_linear(etcd_mvcc_db_total_size_in_bytes{job="kube-etcd"}[1h], 4 * 3600) / on (instance) group_left () etcd_server_quota_backend_bytes{job="kube-etcd"})'
LEARNER = 'etcd_server_is_learner{job="kube-etcd"} == 1'


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    leader_changes: int = 4  # in 15 minutes; a rolling reboot costs one per node, and increase() rounds up
    fsync_seconds: float = 0.3  # upstream asks for 0.01; a weekly backup on the same NVMe costs 0.06
    commit_seconds: float = 0.3  # upstream asks for 0.025
    peer_rtt_seconds: float = 0.15  # a tenth of the election timeout
    failed_proposals: int = 10  # in 15 minutes; a leader change costs a few
    pending_proposals: int = 10
    database_ratio: float = 0.80
    database_critical_ratio: float = 0.95  # at 1 etcd refuses every write


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    etcd = site.table(Table)
    addresses = {n.name: n.address for n in machines(site)}
    for member in etcd.members:
        address = addresses[member]
        where = {"node": member, "address": address, "instance": f"{address}:{etcd.port}"}
        yield Expected("homelab:etcd_member:expected", where)
    yield from expected_nodes(site)
    spare = (len(etcd.members) - 1) // 2

    yield target_down("EtcdUnobserved", job="kube-etcd", what="etcd")
    yield Alert(
        "EtcdQuorumLost",
        expr=f"{LEADER} == 0 or {STOPPED} > {spare} unless on () {LEADER} == 1",
        for_="3m",
        severity="critical",
        labels={"job": "kube-etcd"},
        summary="etcd has no leader: the Kubernetes API cannot be written",
        description="No member that answers knows a leader, or k3s is down on most servers. Pods keep running where they are; nothing can be scheduled, changed or failed over.",
    )
    yield Alert(
        "EtcdQuorumAtRisk",
        # A dead machine says so itself; a lost quorum too.
        expr=f"{LOST} and on () (count({LOST}) == {spare}) unless on (node) {NODE_DOWN} unless on () {LEADER} == 0",
        for_="10m",
        severity="critical",
        summary="etcd member on {{ $labels.node }} is lost: one more loss ends the cluster",
        description="k3s on {{ $labels.node }} ({{ $labels.address }}) is down or cut off from its peers. The others still form quorum, with no member to spare.",
    )
    yield Alert(
        "EtcdMemberUnscraped",
        expr=f"{UNSCRAPED} and on () ({ANSWERS})",
        for_="15m",
        severity="warning",
        summary="etcd member {{ $labels.instance }} is not scraped",
        description="k3s on this node runs, but its etcd metrics do not answer: installed without etcd-expose-metrics, or a NetworkPolicy. Every other etcd alert is blind for it.",
    )
    yield Alert(
        "EtcdMemberWithoutLeader",
        expr=f"{NO_LEADER} and on () ({LEADER} == 1)",
        for_="5m",
        severity="warning",
        summary="etcd member {{ $labels.instance }} sees no leader",
        description="The other members have one: this member cannot reach its peers and does not count for quorum.",
    )
    yield Alert(
        "EtcdAlarmRaised",
        expr=ALARM,
        for_="2m",
        severity="critical",
        summary="etcd raised the alarm {{ $labels.alarm_type }}",
        description="NOSPACE: etcd refuses writes until it is compacted, defragmented and disarmed. CORRUPT: members disagree about the data.",
    )
    yield Alert(
        "EtcdLeaderChangesOften",
        expr=f"{LEADER_CHANGES} > {limits.leader_changes}",
        for_="5m",
        severity="warning",
        summary="etcd changed its leader {{ $value | humanize }} times in 15 minutes",
        description="Heartbeats are missed: a slow disk, a starved CPU or a bad network link. Each change stalls the API for seconds.",
    )
    yield Alert(
        "EtcdFsyncSlow",
        expr=f"{FSYNC_P99} > {limits.fsync_seconds}",
        for_="10m",
        severity="warning",
        summary="etcd on {{ $labels.instance }} waits {{ $value | humanizeDuration }} for its disk",
        description="p99 of the WAL fsync. etcd does not go down from this, it only gets slow: check that its data directory is on the NVMe and what else writes there.",
    )
    yield Alert(
        "EtcdCommitSlow",
        # A disk that is slow at fsync is slow here too: one cause, one alert.
        expr=f"{COMMIT_P99} > {limits.commit_seconds} unless on (instance) {FSYNC_P99} > {limits.fsync_seconds}",
        for_="10m",
        severity="warning",
        summary="etcd on {{ $labels.instance }} takes {{ $value | humanizeDuration }} to commit",
        description="p99 of the backend commit while the WAL is fine: the disk is saturated by large writes such as a replica rebuild, or the database is due for defragmentation.",
    )
    yield Alert(
        "EtcdPeerSlow",
        expr=f"{PEER_RTT_P99} > {limits.peer_rtt_seconds}",
        for_="10m",
        severity="warning",
        summary="etcd on {{ $labels.instance }} is {{ $value | humanizeDuration }} away from a peer",
        description="p99 of the round trip between members: a saturated or failing network link. Elections follow when it grows.",
    )
    yield Alert(
        "EtcdProposalsFailing",
        expr=f"{FAILED_PROPOSALS} > {limits.failed_proposals} unless on () {LEADER} == 0",
        for_="5m",
        severity="warning",
        summary="etcd failed {{ $value | humanize }} proposals in 15 minutes",
        description="Writes to the API fail although there is a leader: elections in between, or members that time out.",
    )
    yield Alert(
        "EtcdProposalsPiling",
        expr=f"{PENDING_PROPOSALS} > {limits.pending_proposals} unless on () {LEADER} == 0",
        for_="10m",
        severity="warning",
        summary="etcd on {{ $labels.instance }} has {{ $value }} proposals waiting",
        description="Writes come faster than they are committed: the disk or a peer is too slow.",
    )
    for severity, limit, for_ in (
        ("warning", limits.database_ratio, "10m"),
        ("critical", limits.database_critical_ratio, "5m"),
    ):
        upper = f" < {limits.database_critical_ratio}" if severity == "warning" else ""
        yield Alert(
            "EtcdDatabaseFilling" if severity == "warning" else "EtcdDatabaseNearlyFull",
            expr=f"{DATABASE_FULL} >= {limit}{upper}",
            for_=for_,
            severity=severity,  # type: ignore[arg-type]
            summary="etcd database is at {{ $value | humanizePercentage }} of its quota",
            description="At its quota etcd refuses every write and the cluster is read-only. Find what writes so much (Events, Backup objects), then compact and defragment.",
        )
    yield Alert(
        "EtcdDatabaseGrowing",
        expr=f"{DATABASE_FORECAST} > 1 unless on (job) {DATABASE_FULL} >= {limits.database_ratio}",
        for_="15m",
        severity="warning",
        summary="etcd database will reach its quota within four hours",
        description="If it goes on growing as in the last hour. At its quota etcd refuses every write: find what writes so much while there is room.",
    )
    yield Alert(
        "EtcdMemberLearner",
        expr=LEARNER,
        for_="30m",
        severity="warning",
        summary="etcd member {{ $labels.instance }} was never promoted",
        description="A new server joins as a learner and does not vote; it cannot catch up with the leader.",
    )
