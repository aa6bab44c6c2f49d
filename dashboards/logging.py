"""logging: do the logs of every node arrive in Loki, stay there and get removed in time?"""

from __future__ import annotations

from alerts import logging as a
from dashboards._board import Board, Variable, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import active, firing
from dashboards._panels import conditions, graph, logs, stat, table
from homelab.site import Site

# Alloy's pods are known by the node on which they run.
NODE_OF = "* on (namespace, pod) group_left (node) max by (namespace, pod, node) (kube_pod_info)"
ON_CHOSEN = '* on (namespace, pod) group_left (node) max by (namespace, pod, node) (kube_pod_info{node=~"$node"})'
SILENT_NODES = f"{a.NODES} unless on (node) (({a.SENT} > 0) {NODE_OF})"
RETRIES = 'sum by (namespace, pod) (increase(loki_write_batch_retries_total{job="alloy"}[10m]))'
CONFIG_GOOD = "min by (namespace, pod) (alloy_config_last_load_successful)"


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("logging") or a.Limits()
    compaction = limits.compaction_age_hours * 3600
    return board(
        "Logging",
        row(
            "Is it well?",
            stat(
                "Parts of Loki down",
                f"(count({a.COMPONENT_DOWN}) or 0 * count(homelab:loki_job:expected)) and on () up",
                unit="short",
                limits=Limits(orange_above=1),
                description="Of write, read and backend, those of which no pod answers. Without write lines are lost, without read Grafana shows none, without backend nothing is deleted.",
            ),
            stat(
                "Lines received",
                f"sum({a.RECEIVED}) or 0 * count({a.DISTRIBUTOR_ANSWERS})",
                unit="cps",
                states={0: ("nothing", "orange")},
                description="Lines per second that arrive in Loki from all nodes. Nothing while Loki runs means that Alloy cannot reach it or reads nothing.",
            ),
            stat(
                "Chunks not stored",
                f"ceil(sum({a.FLUSH_FAILURES}))",
                unit="short",
                limits=Limits(orange_above=1),
                description="Failed attempts in ten minutes to put lines into the object store on the NAS. Above 0 they pile up in memory: repair the store, and do not restart the writers.",
            ),
            stat(
                "Requests that fail",
                f"max({a.FAILED_SHARE}) or 0 * max({a.REQUESTS})",
                unit="percentunit",
                limits=Limits(orange_above=limits.failed_requests_ratio),
                description="The share of failed requests of the route that is worst off. Below, each route by name: push is writing, query is reading.",
            ),
            stat(
                "Lines refused",
                f"max({a.DISCARDED}) or 0 * sum({a.RECEIVED})",
                unit="cps",
                limits=Limits(orange_above=limits.discarded_lines_per_second),
                description="Lines per second that Loki throws away, for the most frequent reason. They are lost.",
            ),
            stat(
                "Nodes without logs",
                f"(count({SILENT_NODES}) or 0 * count({a.NODES})) and on () kube_pod_info",
                unit="short",
                limits=Limits(orange_above=1),
                description="Expected nodes whose Alloy sends nothing, those that are down among them. The table below says which and why.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("logging", width=12),
            conditions(
                "Since when",
                {},
                mild={
                    "down {{job}}": a.COMPONENT_DOWN,
                    "receives nothing {{job}}": a.RECEIVES_NOTHING,
                    "WAL disk full {{pod}}": f"{a.WAL_DISK_FULL} > 0",
                    "chunks not stored {{job}}": f"{a.FLUSH_FAILURES} > 0",
                    "ring unhealthy {{name}}": f"{a.UNHEALTHY_MEMBERS} > 0",
                    "never compacted {{job}}": f"{a.COMPACTED} == 0",
                    "rules fail {{group}}": f'label_replace({a.RULE_FAILURES} > 0, "group", "$1", "rule_group", ".*;(.*)")',
                    "no Alloy answers": 'absent(up{job="alloy"} == 1) and on () up',
                    "no Alloy on {{node}}": a.ALLOY_MISSING,
                    "sends nothing {{node}}": f"({a.SENDS_NOTHING}) {NODE_OF}",
                    "drops lines {{node}}": f"({a.DROPPED} > 0) {NODE_OF}",
                    "journal unread {{node}}": f"({a.JOURNAL_UNREAD}) {NODE_OF}",
                    "no k3s journal {{job}}": a.JOURNAL_SILENT,
                    "configuration refused {{node}}": f"({a.CONFIG_BAD}) {NODE_OF}",
                    "unhealthy part {{node}}": f"({a.UNHEALTHY} > 0) {NODE_OF}",
                    **active("LokiRequestsFailing", "LokiDiscarding", "LokiWalDiskFilling"),
                },
                description="A bar while a condition of an alert holds, also before the alert fires. Loki stands above Alloy: when Loki takes nothing, every node looks ill.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "From every node",
            table(
                "Every node",
                {"node": "Node"},
                {
                    "Lines sent": Column(f"sum by (node) ({a.SENT} {NODE_OF})", "cps"),
                    "Journal lines read": Column(f"sum by (node) ({a.JOURNAL} {NODE_OF})", "cps"),
                    "Dropped in 10 min": Column(
                        f"ceil(sum by (node) ({a.DROPPED} {NODE_OF}))", "short", Limits(orange_above=1)
                    ),
                    "Sent again in 10 min": Column(f"ceil(sum by (node) ({RETRIES} {NODE_OF}))", "short"),
                    "Unhealthy parts": Column(
                        f"sum by (node) ({a.UNHEALTHY} {NODE_OF})", "short", Limits(orange_above=1)
                    ),
                    "Configuration": Column(
                        f"min by (node) ({CONFIG_GOOD} {NODE_OF})",
                        "none",
                        states={0: ("refused", "orange"), 1: ("loaded", "green")},
                    ),
                },
                description="The Alloy of each node. A node that is missing here has none that answers. Batches that are sent again are the early sign of a Loki that cannot be reached; drops follow some minutes later.",
                sort="Lines sent",
                descending=False,
                width=14,
            ),
            graph(
                "Sent and received",
                {"sent by Alloy": f"sum({a.SENT})", "received by {{job}}": a.RECEIVED},
                unit="cps",
                least=0,
                description="Both lines lie together while all is well. Alloy above Loki: lines are on the way, sent again or lost. Both at 0: the sources.",
                width=10,
            ),
            graph(
                "Sent by each node",
                {"{{node}}": f"{a.SENT} {ON_CHOSEN}"},
                unit="cps",
                least=0,
                description="Lines per second of the nodes chosen above. A line that falls to 0 alone is a node that Loki hears nothing from; one that ends is an Alloy that does not run.",
            ),
            graph(
                "Dropped by each node",
                {"{{node}}": f"{a.DROPPED} {ON_CHOSEN}"},
                unit="short",
                least=0,
                description="Lines that Alloy gave up, in ten minutes. Any are lost. One node alone often has a wrong clock; all of them mean that Loki refuses or is away.",
            ),
            graph(
                "Journal lines read",
                {"{{node}}": f"{a.JOURNAL} {ON_CHOSEN}", "of k3s, all nodes": a.CANARY},
                unit="cps",
                least=0,
                description="What Alloy reads from each node's journal, and the lines of k3s that the pipeline counts. Without the second, alerts that are derived from logs cannot fire.",
            ),
        ),
        row(
            "Loki",
            graph(
                "Failed requests by route",
                {"{{route}} on {{job}}": a.FAILED_SHARE},
                unit="percentunit",
                limits=Limits(orange_above=limits.failed_requests_ratio),
                least=0,
                description="Failed requests as a share of all, by route. Loki logs each of them with its reason.",
                width=8,
            ),
            graph(
                "Lines refused by reason",
                {"{{reason}}": a.DISCARDED},
                unit="cps",
                limits=Limits(orange_above=limits.discarded_lines_per_second),
                least=0,
                description="Lines per second that Loki throws away, by reason. Limits of rate are a workload that writes too much; too far behind is normal for minutes after Alloy restarts.",
                width=8,
            ),
            graph(
                "Storing chunks",
                {
                    "failed in 10 min on {{job}}": a.FLUSH_FAILURES,
                    "waiting on {{pod}}": "max by (pod) (loki_ingester_flush_queue_length)",
                },
                unit="short",
                least=0,
                description="Failures of the object store, and chunks that wait for it. A queue that grows with the failures is held in memory and in the WAL until the store is back.",
                width=8,
            ),
            graph(
                "WAL disks",
                {"{{pod}}": a.WAL_DISK_USED},
                unit="percentunit",
                limits=Limits(orange_above=limits.wal_disk_ratio),
                least=0,
                most=1,
                description="How full the disk of each write-ahead log is, as Loki 3.7 and later tell. When it is full, Loki goes on without a log: store the chunks first, then enlarge the claim.",
                width=8,
            ),
            graph(
                "Members of the rings",
                {
                    "{{name}} unhealthy": f"max by (name) ({a.UNHEALTHY_MEMBERS})",
                    "{{name}} active": 'max by (name) (loki_ring_members{state="ACTIVE"})',
                },
                unit="short",
                least=0,
                description="What Loki's processes know of each other. Unhealthy members left without saying so; writes are refused when too many of the ingesters are missing.",
                width=8,
            ),
            graph(
                "Since the last success",
                {"compaction {{job}}": a.COMPACTION_AGE, "deletion {{job}}": a.RETENTION_AGE},
                unit="s",
                limits=Limits(orange_above=compaction),
                least=0,
                description="The compactor works every few minutes, so both stay low. One that climbs stands still: the bucket grows, and old lines are kept. A line that is missing never succeeded.",
                width=8,
            ),
        ),
        row(
            "Memory",
            graph(
                "Memory",
                {
                    "{{pod}}": 'max by (pod) (process_resident_memory_bytes{job=~".+/loki(-.+)?"})',
                    "Alloy on {{node}}": f'max by (namespace, pod) (process_resident_memory_bytes{{job="alloy"}}) {NODE_OF}',
                },
                unit="bytes",
                least=0,
                description="Memory of each process. Writers grow while chunks cannot be stored; readers grow with large queries and are the ones that get killed.",
            ),
            graph(
                "Streams and chunks in memory",
                {
                    "streams of {{pod}}": "sum by (pod) (loki_ingester_memory_streams)",
                    "chunks of {{pod}}": "sum by (pod) (loki_ingester_memory_chunks)",
                },
                unit="short",
                least=0,
                description="Open streams, one per combination of labels, and their chunks. Streams that grow for days are a label with too many values.",
            ),
            collapsed=True,
        ),
        row(
            "Logs",
            logs(
                "What Loki and Alloy say",
                '{namespace="monitoring", container=~"loki|alloy"} |~ "level=(warn|error)"',
                description="Warnings and errors of the pipeline itself. Empty while Loki takes nothing: then ask kubectl, as the runbook shows.",
                width=12,
            ),
            logs(
                "Errors of the workloads",
                '{namespace=~".+", namespace=~"$namespace"} |~ "(?i)(level=(error|fatal)|\\"level\\":\\"(error|fatal)\\"|panic:)"',
                description="Lines of the namespaces chosen above that call themselves an error. A flood here is what Loki refuses further up.",
                width=12,
            ),
            logs(
                "Journal",
                '{job="systemd-journal", node=~"$node"} |~ "(?i)(error|fail|fatal|panic|oom)"',
                description="Errors of k3s, the kernel and other units of the nodes chosen above. Nothing for a node that works means that its journal is not read.",
                width=24,
            ),
            collapsed=True,
        ),
        variables=[
            Variable("node", "Node", 'homelab:node:expected{subsystem="logging"}'),
            Variable("namespace", "Namespace", "kube_pod_info"),
        ],
        logs='{namespace="monitoring", container=~"loki|alloy"}',
    )
