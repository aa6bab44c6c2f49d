"""monitoring: would we be told?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected, target_down
from alerts._presence import expected_nodes, node_down, pods_of_dead_nodes
from homelab.site import Site

# What of its dashboard an alert's labels choose.
VARIABLES = {"job": ("job",)}

WATCHDOG = "vector(1)"
NODE_DOWN = node_down("monitoring")
PROMETHEUS = 'job="kube-prometheus-stack-prometheus"'
# Jobs whose absence another alert reports by name of the node or of the subsystem.
TARGETS = 'up{job!~"kubelet|node-exporter|kube-etcd|longhorn-backend|rpi-exporter|alloy|metallb.*|blackbox"} == 0'
# Targets on a machine that is down, or in a k3s process that is down, are explained by that.
TARGET_DOWN = (
    f"({TARGETS} and on (job) (max by (job) (up) == 1)) unless on (namespace, pod) {pods_of_dead_nodes('monitoring')}"
    f' unless on (instance) (label_replace({TARGETS}, "address", "$1", "instance", "(.*):.*") and on (address)'
    f' (label_replace(up{{job="kubelet", metrics_path="/metrics"}} == 0, "address", "$1", "instance", "(.*):.*") or {NODE_DOWN}))'
)
# Jobs whose absence is told by an alert of their own.
TOLD = (
    "kubelet|node-exporter|kube-etcd|longhorn-backend|rpi-exporter|alloy|metallb.*|blackbox|traefik|cert-manager|backup-exporter"
    "|flux-system/flux-system|cnpg-system/cloudnative-pg-operator|database/cloudnative-pg-clusters|monitoring/loki-.*"
    "|kube-state-metrics|kube-prometheus-stack-alertmanager|kube-prometheus-stack-prometheus"
)
WHOLE_JOBS = f'max by (namespace, job) (up{{job!~"{TOLD}"}}) == 0'
# A job that is not discovered any more has no up that could be 0. With none at all left it is Prometheus.
VANISHED = f'max by (namespace, job) (last_over_time(up{{job!~"{TOLD}"}}[6h])) unless on (job) up and on () up'
# Down and up again count one each. A kubelet that comes and goes has an alert in nodes, and takes its machine's targets with it.
TARGET_CHANGES = 'max by (namespace, job) (changes(up{job!~"kubelet|kube-etcd|apiserver"}[30m]))'
KUBELET_CHANGES = 'max(changes(up{job="kubelet"}[30m]))'
RULE_FAILURES = "sum by (job, rule_group) (increase(prometheus_rule_evaluation_failures_total[10m]))"
RULES_MISSED = "sum by (job, rule_group) (increase(prometheus_rule_group_iterations_missed_total[15m]))"
ALERTMANAGERS = "min by (job) (prometheus_notifications_alertmanagers_discovered)"
# These counters move at a single blip too: `for` is as long as the range or longer, so that only what goes on is told.
NOT_SENT = "(sum by (job) (increase(prometheus_notifications_errors_total[10m])) + sum by (job) (increase(prometheus_notifications_dropped_total[10m])))"
NOT_NOTIFIED = "sum by (job, integration) (increase(alertmanager_notifications_failed_total[15m]))"
CONFIG_BAD = "max by (job) (max_over_time(prometheus_config_last_reload_successful[5m])) == 0"
ALERTMANAGER_CONFIG_BAD = "max by (job) (max_over_time(alertmanager_config_last_reload_successful[5m])) == 0"
INGESTED = "sum(rate(prometheus_tsdb_head_samples_appended_total[5m]))"
# What cannot be stored does not count itself either: then nothing is there at all.
NOT_INGESTING = f"{INGESTED} <= 0 or absent(up)"
# All of these are tried again every minute while the fault lasts.
TSDB_FAILURES = (
    "(sum by (job) (increase(prometheus_tsdb_compactions_failed_total[15m])) + sum by (job) (increase(prometheus_tsdb_reloads_failures_total[15m]))"
    " + sum by (job) (increase(prometheus_tsdb_wal_corruptions_total[15m])) + sum by (job) (increase(prometheus_tsdb_wal_writes_failed_total[15m]))"
    " + sum by (job) (increase(prometheus_tsdb_head_truncations_failed_total[15m])) + sum by (job) (increase(prometheus_tsdb_wal_truncations_failed_total[15m])))"
)
# Kubernetes itself may be away: then nobody can ask it, and that has its own alert.
API_DOWN = 'max(up{job="apiserver"}) == 0'
DISCOVERY_FAILURES = (
    "(sum by (job) (increase(prometheus_sd_kubernetes_failures_total[10m])) + sum by (job) (increase(prometheus_target_sync_failed_total[10m]))"
    " or sum by (job) (increase(prometheus_target_sync_failed_total[10m])))"
)
SAMPLES_REFUSED = (
    "(sum by (job) (increase(prometheus_target_scrapes_sample_duplicate_timestamp_total[10m])) + sum by (job) (increase(prometheus_target_scrapes_sample_out_of_order_total[10m]))"
    " + sum by (job) (increase(prometheus_target_scrapes_sample_out_of_bounds_total[10m])))"
)
LIST_FAILURES = 'sum by (job, resource) (increase(kube_state_metrics_list_total{result="error"}[10m]))'
WATCH_FAILURES = 'sum by (job, resource) (increase(kube_state_metrics_watch_total{result="error"}[10m]))'
# While Prometheus is dead nobody evaluates; the restarts are what remains.
RESTARTS = 'sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total{namespace="monitoring", container=~"prometheus|alertmanager"}[1h]))'
REJECTED = 'max by (controller, resource) (prometheus_operator_managed_resources{state="rejected"})'
OPERATOR_FAILED = 'max by (job, controller) (prometheus_operator_syncs{status="failed"})'
RECONCILE_ERRORS = (
    "sum by (job, controller) (rate(prometheus_operator_reconcile_errors_total[10m]))"
    " / sum by (job, controller) (rate(prometheus_operator_reconcile_operations_total[10m]))"
)
EMPTY_POOL = "min by (job, scrape_job) (prometheus_target_scrape_pool_targets) == 0"
HEAD_SERIES = "max by (job) (prometheus_tsdb_head_series)"


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    target_changes: int = 5  # in half an hour; two restarts are four
    restarts: int = 2  # in an hour; an update costs one
    reconcile_errors_ratio: float = 0.1  # a conflict now and then is normal
    head_series: int = 500_000  # about 4 GB of memory; twice of what this homelab has


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    yield from expected_nodes(site)
    yield Alert(
        "Watchdog",
        expr=WATCHDOG,
        severity="none",
        summary="Alerts are evaluated and delivered",
        description="This alert is always firing. A watch outside the cluster raises the alarm when it stops arriving.",
    )
    yield target_down("KubeStateMetricsDown", job="kube-state-metrics", what="kube-state-metrics")
    yield target_down(
        "AlertmanagerDown",
        job="kube-prometheus-stack-alertmanager",
        what="Alertmanager",
        for_="5m",
        severity="critical",
    )
    yield target_down("PrometheusSelfScrapeDown", job="kube-prometheus-stack-prometheus", what="Prometheus itself")
    yield Alert(
        "ScrapeJobDown",
        expr=WHOLE_JOBS,
        for_="10m",
        severity="warning",
        summary="No target of {{ $labels.job }} ({{ $labels.namespace }}) answers",
        description="What it measures is unknown, and its alerts are blind.",
    )
    yield Alert(
        "TargetDown",
        expr=TARGET_DOWN,
        for_="15m",
        severity="warning",
        summary="{{ $labels.instance }} of {{ $labels.job }} ({{ $labels.namespace }}) does not answer",
        description="Other targets of this job do. What this one measures is unknown.",
    )
    yield Alert(
        "TargetFlapping",
        expr=f"{TARGET_CHANGES} > {limits.target_changes} unless on () {KUBELET_CHANGES} > {limits.target_changes}",
        for_="5m",
        severity="warning",
        summary="Targets of {{ $labels.job }} ({{ $labels.namespace }}) come and go",
        description="One of them was down and up again {{ $value }} times in half an hour, counting both: it dies and is started again, and never stays down for long.",
    )
    yield Alert(
        "ScrapeJobVanished",
        expr=VANISHED,
        for_="15m",
        severity="warning",
        summary="{{ $labels.job }} ({{ $labels.namespace }}) is no longer scraped",
        description="It was in the last hours and has no target now: its monitor or its Service selects nothing. If it was removed on purpose, this ends by itself.",
    )
    yield Alert(
        "ScrapePoolEmpty",
        expr=EMPTY_POOL,
        for_="15m",
        severity="warning",
        summary="{{ $labels.scrape_job }} selects no target",
        description="Nothing is down, nothing is scraped, and every rule on it is quiet: labels, a port name or a namespace changed.",
    )
    yield Alert(
        "PrometheusDiscoveryFailing",
        expr=f"{DISCOVERY_FAILURES} > 0 unless on () ({API_DOWN})",
        for_="15m",
        severity="warning",
        summary="Prometheus cannot find out what to scrape",
        description="Asking Kubernetes or relabelling fails: targets stay as they were, and new pods are never scraped. Usually its role, or a bad relabelling.",
    )
    yield Alert(
        "PrometheusSamplesRefused",
        expr=f"{SAMPLES_REFUSED} > 0",
        for_="20m",
        severity="warning",
        summary="Prometheus refuses samples",
        description="{{ $value | humanize }} in ten minutes were doubles, too old or out of order: two monitors scrape one thing under one name, or a clock is wrong.",
    )
    yield Alert(
        "KubeStateMetricsBlind",
        expr=f"({LIST_FAILURES} > 0 or {WATCH_FAILURES} > 0) unless on () ({API_DOWN})",
        for_="15m",
        severity="warning",
        summary="kube-state-metrics cannot see {{ $labels.resource }}",
        description="It answers, and what it says about these objects is frozen or missing: usually its role. Alerts on them are blind.",
    )
    yield Alert(
        "MonitoringRestartsOften",
        expr=f"{RESTARTS} > {limits.restarts}",
        for_="5m",
        severity="warning",
        summary="{{ $labels.pod }} restarts again and again",
        description="About {{ $value | humanize }} times in an hour, usually for want of memory. While it is down nothing is evaluated or delivered, and nothing says so.",
    )
    yield Alert(
        "PrometheusRulesFailing",
        expr=f"{RULE_FAILURES} > 0",
        for_="15m",
        severity="warning",
        summary="Rules fail to evaluate",
        description="Group {{ $labels.rule_group }}: its alerts are dead. Usually a many-to-many match since a second object appeared.",
    )
    yield Alert(
        "PrometheusRulesMissed",
        expr=f"{RULES_MISSED} > 0",
        for_="15m",
        severity="warning",
        summary="Prometheus is too slow for its rules",
        description="Evaluations of {{ $labels.rule_group }} are skipped: alerts come late or not at all.",
    )
    yield Alert(
        "PrometheusWithoutAlertmanager",
        expr=f"{ALERTMANAGERS} < 1",
        for_="5m",
        severity="critical",
        summary="Prometheus has no Alertmanager to send to",
        description="Nothing inside the cluster can tell anybody about anything; only the silence of the Watchdog outside does.",
    )
    yield Alert(
        "PrometheusNotificationsLost",
        expr=f"{NOT_SENT} > 0 unless on (job) {ALERTMANAGERS} < 1",
        for_="12m",
        severity="critical",
        summary="Prometheus loses alerts on the way to Alertmanager",
        description="{{ $value | humanize }} in ten minutes were dropped or refused. Some or all alerts reach nobody.",
    )
    yield Alert(
        "AlertmanagerNotificationsFailing",
        expr=f"{NOT_NOTIFIED} > 0",
        for_="15m",
        severity="critical",
        summary="Alertmanager cannot deliver by {{ $labels.integration }}",
        description="{{ $value | humanize }} notifications failed in 15 minutes. This one comes by another way, or not at all.",
    )
    yield Alert(
        "PrometheusConfigBad",
        expr=CONFIG_BAD,
        for_="10m",
        severity="warning",
        summary="Prometheus rejected its new configuration",
        description="It goes on with the old one: new targets and rules are not there.",
    )
    yield Alert(
        "AlertmanagerConfigBad",
        expr=ALERTMANAGER_CONFIG_BAD,
        for_="10m",
        severity="warning",
        summary="Alertmanager rejected its new configuration",
        description="It goes on with the old one, until it restarts and does not start.",
    )
    yield Alert(
        "PrometheusNotIngesting",
        expr=NOT_INGESTING,
        for_="10m",
        severity="critical",
        labels={"job": "kube-prometheus-stack-prometheus"},
        summary="Prometheus stores no samples",
        description="Its disk is full or its clock is wrong: every alert is blind.",
    )
    yield Alert(
        "PrometheusStorageFailing",
        expr=f"{TSDB_FAILURES} > 0",
        for_="15m",
        severity="warning",
        summary="Prometheus cannot maintain its storage",
        description="Compaction, truncation or the WAL fails again and again: usually a full or failing disk, and the next restart may lose data.",
    )
    yield Alert(
        "PrometheusOperatorRejects",
        expr=f"{REJECTED} > 0",
        for_="10m",
        severity="warning",
        summary="{{ $value }} {{ $labels.resource }} objects are rejected",
        description="The operator leaves them out without a word: their rules, targets or receivers do not exist.",
    )
    yield Alert(
        "PrometheusOperatorFailing",
        expr=f"{OPERATOR_FAILED} > 0 or {RECONCILE_ERRORS} > {limits.reconcile_errors_ratio}",
        for_="15m",
        severity="warning",
        summary="The Prometheus operator fails to apply its objects",
        description="Changes for {{ $labels.controller }} do not arrive.",
    )
    yield Alert(
        "PrometheusSeriesGrowing",
        expr=f"{HEAD_SERIES} > {limits.head_series}",
        for_="30m",
        severity="warning",
        summary="Prometheus holds {{ $value | humanize }} series",
        description="Memory follows, and on a Raspberry Pi ends soon. Look for a label that changes all the time.",
    )
