"""logging: do the logs of every node arrive in Loki, stay there and get removed in time?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected, target_down
from alerts._presence import expected_nodes, node_down, nodes
from homelab.site import Site
from homelab.tables.logging import Table

# What of its dashboard an alert's labels choose.
VARIABLES = {"namespace": ("namespace",), "node": ("node",)}

NODE_DOWN = node_down("logging")
NODES = nodes("logging")
COMPONENT_DOWN = "homelab:loki_job:expected unless on (job) up == 1 and on () up"
# The distributors: write, or all of Loki in one process.
DISTRIBUTOR_ANSWERS = 'max by (job) (up{job=~".+/loki(-write)?"}) == 1'
RECEIVED = "sum by (job) (rate(loki_distributor_lines_received_total[10m]))"
# A distributor that never received a line has no counter.
RECEIVES_NOTHING = f"{DISTRIBUTOR_ANSWERS} unless on (job) {RECEIVED} > 0"
SENT = 'sum by (namespace, pod) (rate(loki_write_sent_entries_total{job="alloy"}[15m]))'
# Before its first batch an Alloy has no counter.
SENDS_NOTHING = f'max by (namespace, pod) (up{{job="alloy"}}) == 1 unless on (namespace, pod) {SENT} > 0 and on () sum(rate(loki_distributor_lines_received_total[10m])) > 0'
DROPPED = 'sum by (namespace, pod) (increase(loki_write_dropped_entries_total{job="alloy"}[10m]))'
ALLOY_NODES = 'kube_pod_info * on (namespace, pod) group_left () (up{job="alloy"} == 1)'
ALLOY_MISSING = (
    f'{NODES} unless on (node) ({ALLOY_NODES}) unless on (node) {NODE_DOWN} and on () up{{job="alloy"}} == 1'
)
CONFIG_BAD = "alloy_config_last_load_successful == 0"
# No series at all while nothing is unhealthy; and healthy proves little.
UNHEALTHY = 'sum by (namespace, pod) (alloy_component_controller_running_components{health_type="unhealthy"})'
# Registered at the start, so 0 is a journal that is not read.
JOURNAL = 'sum by (namespace, pod) (rate(loki_source_journal_target_lines_total{job="alloy"}[15m]))'
JOURNAL_UNREAD = f"{JOURNAL} == 0 and on (namespace, pod) {SENT} > 0"
# The canary of log-derived alerts: journal lines of k3s that went through the pipeline. It ends after five idle minutes.
CANARY_SEEN = 'max by (job) (last_over_time(loki_process_custom_k3s_journal_lines{job="alloy"}[1d]))'
CANARY = 'sum by (job) (rate(loki_process_custom_k3s_journal_lines{job="alloy"}[15m]))'
JOURNAL_SILENT = f'{CANARY_SEEN} unless on (job) {CANARY} > 0 and on (job) up{{job="alloy"}} == 1'
FLUSH_FAILURES = "sum by (job) (increase(loki_ingester_chunks_flush_failures_total[10m]))"
# Every member exports its own view of the ring.
UNHEALTHY_MEMBERS = 'max by (job, name) (loki_ring_members{state="Unhealthy"})'
# gRPC routes carry words instead of codes.
FAILED_REQUESTS = 'sum by (job, route) (rate(loki_request_duration_seconds_count{status_code=~"5..|error"}[10m]))'
REQUESTS = "sum by (job, route) (rate(loki_request_duration_seconds_count[10m]))"
FAILED_SHARE = f"{FAILED_REQUESTS} / {REQUESTS}"
DISCARDED = "sum by (job, reason) (rate(loki_discarded_samples_total[10m]))"
# 0 on every pod but the one that holds the role; 0 there too until its first success.
COMPACTED = (
    "max by (namespace, job) (loki_boltdb_shipper_compact_tables_operation_last_successful_run_timestamp_seconds)"
)
COMPACTION_AGE = f"time() - ({COMPACTED} > 0)"
# 0 where no retention is configured.
RETAINED = "max by (namespace, job) (loki_compactor_apply_retention_last_successful_run_timestamp_seconds)"
RETENTION_AGE = f"time() - ({RETAINED} > 0)"
WAL_DISK_FULL = "sum by (job, pod) (increase(loki_ingester_wal_disk_full_failures_total[10m]))"
RULE_FAILURES = "sum by (job, rule_group) (increase(loki_prometheus_rule_evaluation_failures_total[10m]))"
WAL_DISK_USED = "max by (job, pod) (loki_ingester_wal_disk_usage_percent)"


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    failed_requests_ratio: float = 0.1
    discarded_lines_per_second: float = 1
    compaction_age_hours: float = 3  # it runs every ten minutes
    wal_disk_ratio: float = 0.8


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    for job in site.table(Table).loki:
        yield Expected("homelab:loki_job:expected", {"job": job})
    yield from expected_nodes(site)
    yield target_down("AlloyDown", job="alloy", what="Alloy")
    yield Alert(
        "LokiComponentDown",
        expr=COMPONENT_DOWN,
        for_="10m",
        severity="warning",
        summary="{{ $labels.job }} is down",
        description="None of its pods answers: logs are not written, not read, or not compacted.",
    )
    yield Alert(
        "LokiReceivesNothing",
        expr=RECEIVES_NOTHING,
        for_="10m",
        severity="warning",
        summary="Loki receives no lines",
        description="{{ $labels.job }} runs and nothing arrives: Alloy cannot reach it, or sends nothing.",
    )
    yield Alert(
        "LokiRequestsFailing",
        expr=f"{FAILED_SHARE} > {limits.failed_requests_ratio} and {FAILED_REQUESTS} > 0.01",
        for_="15m",
        severity="warning",
        summary="{{ $value | humanizePercentage }} of {{ $labels.route }} on {{ $labels.job }} fail",
        description="Lines are refused or queries answered with errors.",
    )
    yield Alert(
        "LokiFlushFailing",
        expr=f"{FLUSH_FAILURES} > 0",
        for_="15m",
        severity="warning",
        summary="{{ $labels.job }} cannot write to its object store",
        description="{{ $value | humanize }} chunks failed in ten minutes. Lines pile up in memory and are lost with the pod.",
    )
    yield Alert(
        "LokiRingUnhealthy",
        expr=f"{UNHEALTHY_MEMBERS} > 0",
        for_="15m",
        severity="warning",
        summary="The ring of {{ $labels.name }} has {{ $value }} unhealthy members",
        description="They left without saying so. Writes are refused when too many are missing, although every pod runs.",
    )
    yield Alert(
        "LokiDiscarding",
        expr=f"{DISCARDED} > {limits.discarded_lines_per_second}",
        for_="20m",
        severity="warning",
        summary="Loki refuses {{ $value | humanize }} lines a second: {{ $labels.reason }}",
        description="They are lost. Find the chatty workload, or raise the limit that the reason names.",
    )
    yield Alert(
        "LokiCompactorStale",
        expr=f"{COMPACTION_AGE} > {limits.compaction_age_hours} * 3600 or {COMPACTED} == 0 or {RETENTION_AGE} > {limits.compaction_age_hours} * 3600",
        for_="1h",
        severity="warning",
        summary="Loki in {{ $labels.namespace }} does not compact or delete",
        description="Compaction or retention stands still: the bucket grows, and what should be deleted is kept.",
    )
    yield Alert(
        "LokiWalDiskFilling",
        expr=f"{WAL_DISK_USED} > {limits.wal_disk_ratio} unless on (job, pod) {WAL_DISK_FULL} > 0",
        for_="15m",
        severity="warning",
        summary="The WAL disk of {{ $labels.pod }} is {{ $value | humanizePercentage }} full",
        description="When it is full Loki goes on without a WAL and tells nobody: a restart then loses lines.",
    )
    yield Alert(
        "LokiWalDiskFull",
        expr=f"{WAL_DISK_FULL} > 0",
        for_="10m",
        severity="warning",
        summary="{{ $labels.pod }} writes no WAL: its disk is full",
        description="It goes on taking lines and tells nobody; all that is not flushed yet is lost with the next restart.",
    )
    yield Alert(
        "LokiRulesFailing",
        expr=f"{RULE_FAILURES} > 0",
        for_="15m",
        severity="warning",
        summary="Loki cannot evaluate alert rules on logs",
        description="Group {{ $labels.rule_group }} of {{ $labels.job }}: its alerts are dead. Usually a query that this version refuses, or that runs into a limit.",
    )
    yield Alert(
        "AlloyMissing",
        expr=ALLOY_MISSING,
        for_="15m",
        severity="warning",
        labels={"job": "alloy"},
        summary="No Alloy answers on {{ $labels.node }}",
        description="The logs of this node are not collected; what rotates away is lost.",
    )
    yield Alert(
        "AlloySendsNothing",
        expr=SENDS_NOTHING,
        for_="15m",
        severity="warning",
        summary="{{ $labels.pod }} sends no logs",
        description="It runs, Loki receives from others, and nothing comes from this node.",
    )
    yield Alert(
        "AlloyDropping",
        expr=f"{DROPPED} > 0",
        for_="20m",
        severity="warning",
        summary="{{ $labels.pod }} drops log lines",
        description="{{ $value | humanize }} in ten minutes were given up: Loki refuses them for good. A wrong clock on the node is a common cause.",
    )
    yield Alert(
        "AlloyConfigBad",
        expr=CONFIG_BAD,
        for_="10m",
        severity="warning",
        summary="{{ $labels.pod }} rejected its new configuration",
        description="It runs on with the previous one until it restarts; then it does not start.",
    )
    yield Alert(
        "AlloyUnhealthy",
        expr=f"{UNHEALTHY} > 0",
        for_="15m",
        severity="warning",
        summary="{{ $labels.pod }} has {{ $value }} unhealthy components",
        description="A part of its pipeline does not work.",
    )
    yield Alert(
        "AlloyJournalUnread",
        expr=JOURNAL_UNREAD,
        for_="20m",
        severity="warning",
        summary="{{ $labels.pod }} reads nothing from its node's journal",
        description="It sends other logs. What k3s, the kernel and containerd of that node say is lost: an empty directory, or journald writes elsewhere.",
    )
    yield Alert(
        "AlloyJournalSilent",
        expr=JOURNAL_SILENT,
        for_="30m",
        severity="warning",
        summary="No k3s journal line goes through {{ $labels.job }}",
        description="k3s always logs something, so the pipeline lost its label or its source: alerts that are derived from logs cannot fire.",
    )
