"""monitoring: would we be told?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected, target_down
from alerts._presence import expected_nodes, node_down, pods_of_dead_nodes
from homelab.site import Site

NODE_DOWN = node_down("monitoring")
PROMETHEUS = 'job="kube-prometheus-stack-prometheus"'
# Jobs whose absence another alert reports by name of the node or of the subsystem.
TARGETS = 'up{job!~"kubelet|node-exporter|kube-etcd|longhorn-backend|rpi-exporter|alloy|metallb.*|blackbox"} == 0'
WHOLE_JOBS = (
    'max by (namespace, job) (up{job!~"kubelet|node-exporter|kube-etcd|longhorn-backend|rpi-exporter|alloy|metallb.*|blackbox|traefik|cert-manager|backup-exporter'
    "|flux-system/flux-system|cnpg-system/cloudnative-pg-operator|database/cloudnative-pg-clusters|monitoring/loki-.*|kube-state-metrics"
    '|kube-prometheus-stack-alertmanager|kube-prometheus-stack-prometheus"}) == 0'
)
RULE_FAILURES = "sum by (job, rule_group) (increase(prometheus_rule_evaluation_failures_total[10m]))"
RULES_MISSED = "sum by (job, rule_group) (increase(prometheus_rule_group_iterations_missed_total[15m]))"
ALERTMANAGERS = "min by (job) (prometheus_notifications_alertmanagers_discovered)"
NOT_SENT = "(sum by (job) (increase(prometheus_notifications_errors_total[15m])) + sum by (job) (increase(prometheus_notifications_dropped_total[15m])))"
NOT_NOTIFIED = "sum by (job, integration) (increase(alertmanager_notifications_failed_total[15m]))"
CONFIG_BAD = "max by (job) (max_over_time(prometheus_config_last_reload_successful[5m])) == 0"
ALERTMANAGER_CONFIG_BAD = "max by (job) (max_over_time(alertmanager_config_last_reload_successful[5m])) == 0"
INGESTED = "sum by (job) (rate(prometheus_tsdb_head_samples_appended_total[5m]))"
TSDB_FAILURES = (
    "(sum by (job) (increase(prometheus_tsdb_compactions_failed_total[3h])) + sum by (job) (increase(prometheus_tsdb_reloads_failures_total[3h]))"
    " + sum by (job) (increase(prometheus_tsdb_wal_corruptions_total[3h])) + sum by (job) (increase(prometheus_tsdb_head_truncations_failed_total[3h]))"
    " + sum by (job) (increase(prometheus_tsdb_wal_truncations_failed_total[3h])))"
)
REJECTED = 'max by (controller, resource) (prometheus_operator_managed_resources{state="rejected"})'
OPERATOR_FAILED = 'max by (job, controller) (prometheus_operator_syncs{status="failed"})'
EMPTY_POOL = "min by (job, scrape_job) (prometheus_target_scrape_pool_targets) == 0"
HEAD_SERIES = "max by (job) (prometheus_tsdb_head_series)"


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    head_series: int = 500_000  # about 4 GB of memory; twice of what this homelab has


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    yield from expected_nodes(site)
    yield Alert(
        "Watchdog",
        expr="vector(1)",
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
        # Targets on a machine that is down, or in a k3s process that is down, are explained by that.
        expr=f"({TARGETS} and on (job) (max by (job) (up) == 1)) unless on (namespace, pod) {pods_of_dead_nodes('monitoring')}"
        f' unless on (instance) (label_replace({TARGETS}, "address", "$1", "instance", "(.*):.*") and on (address)'
        f' (label_replace(up{{job="kubelet"}} == 0, "address", "$1", "instance", "(.*):.*") or {NODE_DOWN}))',
        for_="15m",
        severity="warning",
        summary="{{ $labels.instance }} of {{ $labels.job }} ({{ $labels.namespace }}) does not answer",
        description="Other targets of this job do. What this one measures is unknown.",
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
        "PrometheusRulesFailing",
        expr=f"{RULE_FAILURES} > 0",
        for_="10m",
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
        for_="10m",
        severity="warning",
        summary="Prometheus loses alerts on the way to Alertmanager",
        description="{{ $value | humanize }} in 15 minutes were dropped or refused.",
    )
    yield Alert(
        "AlertmanagerNotificationsFailing",
        expr=f"{NOT_NOTIFIED} > 0",
        for_="5m",
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
        expr=f"{INGESTED} <= 0",
        for_="10m",
        severity="critical",
        summary="Prometheus stores no samples",
        description="Its disk is full or its clock is wrong: every alert is blind.",
    )
    yield Alert(
        "PrometheusStorageFailing",
        expr=f"{TSDB_FAILURES} > 0",
        for_="15m",
        severity="warning",
        summary="Prometheus cannot maintain its storage",
        description="Compaction, truncation or the WAL failed in the last three hours: usually a full or failing disk, and the next restart may lose data.",
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
        expr=f"{OPERATOR_FAILED} > 0",
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
