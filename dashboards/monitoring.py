"""monitoring: would we be told?"""

from __future__ import annotations

from alerts import monitoring as a
from dashboards._board import Board, Variable, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import active, firing
from dashboards._panels import bars, conditions, graph, logs, stat, table, timeline
from homelab.site import Site

# "<file>;<group>" is longer than a phone is wide. A label of its own, since two files may have groups of one name.
GROUP = '"group", "$1", "rule_group", ".*;(.*)"'
VOLUME_FREE = (
    'max(kubelet_volume_stats_available_bytes{persistentvolumeclaim=~"prometheus-.+", namespace="monitoring"})'
)


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("monitoring") or a.Limits()
    return board(
        "Monitoring",
        row(
            "Is it well?",
            stat(
                "Watchdog",
                f'max(ALERTS{{alertname="Watchdog", alertstate="firing", subsystem="monitoring"}}) or 0 * {a.WATCHDOG}',
                unit="none",
                states={0: ("silent", "red"), 1: ("fires", "green")},
                description="The alert that always fires. Silent while this page answers: rules are not evaluated, and nobody will be told of anything.",
            ),
            stat(
                "Alertmanagers known",
                f"min({a.ALERTMANAGERS})",
                unit="short",
                limits=Limits(red_below=1),
                description="Where Prometheus sends its alerts. At 0 nothing inside the cluster can tell anybody.",
            ),
            stat(
                "Alerts lost on the way",
                f"ceil(sum({a.NOT_SENT}))",
                unit="short",
                limits=Limits(red_above=1),
                description="Alerts that Prometheus could not hand to Alertmanager in ten minutes. Above 0: look at Alertmanager's pod first.",
            ),
            stat(
                "Ways out that fail",
                f"count({a.NOT_NOTIFIED} > 0) or 0 * count({a.NOT_NOTIFIED})",
                unit="short",
                limits=Limits(red_above=1),
                description="Integrations by which Alertmanager could not deliver in the last quarter of an hour. Usually the network, or an address or password that changed.",
            ),
            stat(
                "Rule groups failing",
                f"count({a.RULE_FAILURES} > 0) or 0 * count({a.RULE_FAILURES})",
                unit="short",
                limits=Limits(orange_above=1),
                description="Groups in which rules end in an error: their alerts are dead, although all else works.",
            ),
            stat(
                "Targets not seen",
                f"(count(up == 0) or 0 * count(up)) + (count({a.VANISHED}) or 0 * count(up))",
                unit="short",
                limits=Limits(orange_above=1),
                description="Targets that do not answer, those among them that other alerts speak for, and jobs that had targets in the last hours and have none now. The tables below name them.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("monitoring", width=12),
            conditions(
                "Since when",
                {
                    "no Alertmanager": f"{a.ALERTMANAGERS} < 1",
                    "alerts lost": f"{a.NOT_SENT} > 0",
                    "not delivered by {{integration}}": f"{a.NOT_NOTIFIED} > 0",
                    "nothing stored": a.NOT_INGESTING,
                    **active("AlertmanagerDown"),
                },
                mild={
                    "restarts {{pod}}": f"{a.RESTARTS} > {limits.restarts}",
                    "rules fail {{group}}": f"label_replace({a.RULE_FAILURES} > 0, {GROUP})",
                    "rules late {{group}}": f"label_replace({a.RULES_MISSED} > 0, {GROUP})",
                    "no answer from {{job}}": a.WHOLE_JOBS,
                    "no answer from {{instance}} of {{job}}": a.TARGET_DOWN,
                    "vanished {{job}}": a.VANISHED,
                    "selects nothing {{scrape_job}}": a.EMPTY_POOL,
                    "comes and goes {{job}}": f"{a.TARGET_CHANGES} > {limits.target_changes} unless on () {a.KUBELET_CHANGES} > {limits.target_changes}",
                    "targets cannot be found": f"{a.DISCOVERY_FAILURES} > 0 unless on () ({a.API_DOWN})",
                    "samples refused": f"{a.SAMPLES_REFUSED} > 0",
                    "cannot see {{resource}}": f"({a.LIST_FAILURES} > 0 or {a.WATCH_FAILURES} > 0) unless on () ({a.API_DOWN})",
                    "storage fails": f"{a.TSDB_FAILURES} > 0",
                    "configuration refused by Prometheus": a.CONFIG_BAD,
                    "configuration refused by Alertmanager": a.ALERTMANAGER_CONFIG_BAD,
                    "rejected {{resource}}": f"{a.REJECTED} > 0",
                    "operator fails {{controller}}": f"{a.OPERATOR_FAILED} > 0 or {a.RECONCILE_ERRORS} > {limits.reconcile_errors_ratio}",
                    **active("KubeStateMetricsDown", "PrometheusSelfScrapeDown", "PrometheusSeriesGrowing"),
                },
                description="A bar while a condition of an alert holds, also before the alert fires. The uppermost mean that nobody is told, those below that something is not seen.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "Delivery",
            timeline(
                "Who watches",
                {
                    "Prometheus answers": f"max by (job) (up{{{a.PROMETHEUS}}})",
                    "Alertmanager answers": 'max by (job) (up{job="kube-prometheus-stack-alertmanager"})',
                    "kube-state-metrics answers": 'max by (job) (up{job="kube-state-metrics"})',
                    "operator answers": 'max by (job) (up{job="kube-prometheus-stack-operator"})',
                    "Prometheus has its configuration": "min by (job) (prometheus_config_last_reload_successful)",
                    "Alertmanager has its configuration": "min by (job) (alertmanager_config_last_reload_successful)",
                },
                states={0: ("no", "red"), 1: ("yes", "green")},
                description="Whether the parts of monitoring answer, and whether they took the configuration that was loaded last. A gap is a time of which nothing is known: Prometheus itself did not run, or the target was not there.",
                width=12,
            ),
            graph(
                "Alerts and silences",
                {
                    "alerts {{state}}": "max by (state) (alertmanager_alerts)",
                    "silences active": 'max(alertmanager_silences{state="active"})',
                },
                unit="short",
                least=0,
                description="What Alertmanager holds. Suppressed alerts are silenced, or explained by another one: look here when an alert fires and nobody was told.",
                width=12,
            ),
            graph(
                "From Prometheus to Alertmanager",
                {
                    "sent": "sum by (job) (increase(prometheus_notifications_sent_total[10m]))",
                    "lost": a.NOT_SENT,
                    "waiting": "sum by (job) (prometheus_notifications_queue_length)",
                },
                unit="short",
                least=0,
                description="Alerts in ten minutes. Some are always sent, since the Watchdog always fires; lost ones are dropped or refused.",
                width=12,
            ),
            graph(
                "From Alertmanager to you",
                {
                    "sent by {{integration}}": "sum by (job, integration) (increase(alertmanager_notifications_total[15m]))",
                    "failed by {{integration}}": a.NOT_NOTIFIED,
                },
                unit="short",
                least=0,
                description="Notifications in a quarter of an hour, after all attempts. Failed ones are counted in both lines; when all fail, the way out of the cluster is closed.",
                width=12,
            ),
        ),
        row(
            "Targets",
            table(
                "Every job",
                {"job": "Job"},
                {
                    "Down": Column("sum by (job) (up == bool 0)", "short", Limits(orange_above=1)),
                    "Up": Column("sum by (job) (up)", "short"),
                    "Changes in 30 min": Column(
                        f"max by (job) ({a.TARGET_CHANGES})", "short", Limits(orange_above=limits.target_changes)
                    ),
                    "Slowest scrape": Column("max by (job) (scrape_duration_seconds)", "s"),
                    "Series": Column("sum by (job) (scrape_samples_post_metric_relabeling)", "short"),
                    "New in 1 h": Column("sum by (job) (sum_over_time(scrape_series_added[1h]))", "short"),
                },
                description="Everything that is scraped, what is down first. A job that is missing here has no target: its monitor selects nothing. Scrapes that take many seconds end as targets that come and go.",
                sort="Down",
                width=14,
            ),
            table(
                "Targets of the job",
                {"job": "Job", "instance": "Target"},
                {
                    "Answers": Column(
                        'max by (job, instance) (up{job=~"$job"})',
                        "none",
                        states={0: ("no", "orange"), 1: ("yes", "green")},
                    ),
                    "Scrape": Column('max by (job, instance) (scrape_duration_seconds{job=~"$job"})', "s"),
                    "Series": Column(
                        'sum by (job, instance) (scrape_samples_post_metric_relabeling{job=~"$job"})', "short"
                    ),
                },
                description="The targets of the jobs chosen above, those that do not answer first. One that answers with far fewer series than its neighbours is half broken.",
                sort="Answers",
                descending=False,
                width=10,
            ),
        ),
        row(
            "Series and memory",
            bars(
                "Series by job",
                {"{{job}}": "sort_desc(sum by (job) (scrape_samples_post_metric_relabeling))"},
                unit="short",
                description="Who brings how much at every scrape. Drop what nobody asks for at the uppermost ones first; on k3s one process shows the same families at several ports.",
            ),
            graph(
                "Series in memory",
                {"{{job}}": a.HEAD_SERIES},
                unit="short",
                limits=Limits(orange_above=limits.head_series),
                least=0,
                description="Memory follows this line. A climb without an end is a label that changes all the time; the table above says which job brings new series.",
            ),
            graph(
                "Memory",
                {"{{pod}}": f"max by (pod) (process_resident_memory_bytes{{{a.PROMETHEUS}}})"},
                unit="bytes",
                least=0,
                description="Memory of Prometheus. A saw with steep ends is a process that the kernel kills and that reads its log again, which takes minutes without alerts.",
            ),
        ),
        row(
            "Storage",
            graph(
                "Samples stored",
                {"all jobs": a.INGESTED},
                unit="cps",
                least=0,
                description="Samples per second. At 0, or with a gap, every alert is blind: a full disk, a wrong clock, or no Prometheus.",
            ),
            graph(
                "Disk",
                {
                    "blocks": "max(prometheus_tsdb_storage_blocks_bytes)",
                    "write-ahead log": "max(prometheus_tsdb_wal_storage_size_bytes)",
                    "chunks of the head": "max(prometheus_tsdb_head_chunks_storage_size_bytes)",
                    "limit of the blocks": "max(prometheus_tsdb_retention_limit_bytes) > 0",
                    "free on its volume": VOLUME_FREE,
                },
                unit="bytes",
                least=0,
                description="What Prometheus keeps, and how much room is left. Its limit counts blocks only, so the volume must hold log and head besides. At no free room nothing is stored.",
            ),
            graph(
                "How far back",
                {
                    "oldest sample": "time() - min(prometheus_tsdb_lowest_timestamp_seconds)",
                    "asked for": "max(prometheus_tsdb_retention_limit_seconds) > 0",
                },
                unit="s",
                least=0,
                description="The age of the oldest data, and how long it should be kept. Far below while Prometheus is not new: the limit of size removes data first, or data was lost.",
            ),
        ),
        row(
            "Rules and operator",
            graph(
                "Time of evaluation",
                {
                    "{{group}}": f"label_replace(max by (rule_group) (prometheus_rule_group_last_duration_seconds / prometheus_rule_group_interval_seconds), {GROUP})"
                },
                unit="percentunit",
                least=0,
                description="How much of its interval each group of rules needs. Above 100 % turns are left out and alerts come late.",
            ),
            graph(
                "Rules that fail",
                {
                    "failed {{group}}": f"label_replace({a.RULE_FAILURES}, {GROUP})",
                    "left out {{group}}": f"label_replace({a.RULES_MISSED}, {GROUP})",
                },
                unit="short",
                least=0,
                description="Evaluations that ended in an error in ten minutes, and turns that were left out in fifteen. An error usually is a second object for which a rule was not written.",
            ),
            table(
                "What the operator took",
                {"resource": "Kind", "controller": "For"},
                {
                    "Rejected": Column(a.REJECTED, "short", Limits(orange_above=1)),
                    "Taken": Column(
                        'max by (controller, resource) (prometheus_operator_managed_resources{state="selected"})',
                        "short",
                    ),
                },
                description="Objects that the operator hands to Prometheus and Alertmanager. A rejected one is left out as a whole and without a word: its rules, targets or receivers do not exist.",
                sort="Rejected",
            ),
            collapsed=True,
        ),
        row(
            "Logs",
            logs(
                "What monitoring says",
                '{namespace="monitoring", container=~"prometheus|alertmanager|kube-prometheus-stack|kube-state-metrics|config-reloader"} |~ "(?i)(level=\\"?(warn|error)|^[ew][0-9]{4} )"',
                description="Warnings and errors of Prometheus, Alertmanager, the operator and kube-state-metrics. Refused configurations, rules and notifications stand here with their reason.",
            ),
            collapsed=True,
        ),
        variables=[Variable("job", "Job", "up")],
        logs='{namespace="monitoring"}',
    )
