"""metallb: does every virtual IP have exactly one announcer, and every LoadBalancer Service an address?"""

from __future__ import annotations

from alerts import metallb as a
from dashboards._board import Board, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import active, firing
from dashboards._panels import bars, conditions, graph, logs, stat, table, timeline
from homelab.site import Site
from homelab.tables.nodes import machines

# While no speaker answers nobody knows who announces what.
KNOWN = f"and on () {a.SPEAKER_ANSWERS}"
BY_ADDRESS = f"max by (ip) ({a.ANNOUNCERS}) or on (ip) 0 * max by (ip) (homelab:vip:expected) {KNOWN}"
# Pods have random names, people know nodes.
ON_NODE = "* on (namespace, pod) group_left (node) max by (namespace, pod, node) (kube_pod_info)"
OURS = 'namespace="metallb-system", container=~"speaker|controller"'


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("metallb") or a.Limits()
    one = Limits(red_below=1, red_above=2)
    return board(
        "MetalLB",
        row(
            "Is it well?",
            stat(
                "Not announced",
                f"(count({a.UNANNOUNCED}) or 0 * count(homelab:vip:expected)) {KNOWN}",
                unit="short",
                limits=Limits(red_above=1),
                description="Virtual IPs for which no node answers ARP: all that is behind them is unreachable from outside. MetalLB withdraws an address whose Service has no pod, so look at those pods first.",
            ),
            stat(
                "Announcers",
                {"{{ip}}": BY_ADDRESS},
                unit="short",
                limits=one,
                description="How many nodes announce each address. One is right; with two, clients reach the one or the other by chance.",
            ),
            stat(
                "Services without IP",
                f"count({a.PENDING}) or 0 * count(kube_service_spec_type)",
                unit="short",
                limits=Limits(orange_above=1),
                description="LoadBalancer Services that wait for an address. The pool is used up or does not match, or the controller does not work.",
            ),
            stat(
                "Speakers that answer",
                f"sum({a.SPEAKER})",
                unit="short",
                limits=Limits(red_below=1, orange_below=len(machines(site)) or None),
                description="Speakers that can be scraped, one per node. A silent one cannot be relied on to take over an address; with none, this page is blind.",
            ),
            stat(
                "Controller",
                f"max({a.CONTROLLER})",
                unit="none",
                states={0: ("silent", "orange"), 1: ("answers", "green")},
                description="It hands out addresses. Without it announced addresses stay and no Service gets a new one. A dash means that there is no such target at all.",
            ),
            stat(
                "Old configuration",
                f"sum({a.STALE_PODS})",
                unit="short",
                limits=Limits(orange_above=1),
                description="Pods that rejected the newest configuration and keep the previous one. Their log names the mistake.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("metallb", width=12),
            conditions(
                "Since when",
                {
                    "nobody announces {{ip}}": f"{a.UNANNOUNCED} {KNOWN}",
                    "announced twice {{ip}}": f"{a.ANNOUNCERS} > 1",
                },
                mild={
                    "no address {{namespace}}/{{service}}": a.PENDING,
                    "no speaker on {{node}}": a.SPEAKER_MISSING,
                    "controller silent": a.CONTROLLER_SILENT,
                    "never loaded a configuration {{pod}}": a.CONFIG_NOT_LOADED,
                    "old configuration {{pod}}": a.CONFIG_STALE,
                    **active("MetalLBDown", "MetalLBAddressMoving"),
                },
                description="A bar while a condition of an alert holds, also before the alert fires. The uppermost are the worst. An address that nobody announces is often one whose Service has no pod left: then those pods are the cause.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "Addresses",
            timeline(
                "Who announces",
                {"{{ip}} on {{node}}": f"max by (ip, node) ({a.ANNOUNCED})"},
                states={1: ("announces", "green")},
                description="Which node announces each address, and when. It should move only when a node goes down; a gap in all lines of one address is an outage.",
            ),
            graph(
                "Takeovers",
                {"{{ip}}": a.TAKEOVERS},
                unit="short",
                limits=Limits(orange_above=limits.gratuitous_packets),
                least=0,
                description="Gratuitous ARP packets within half an hour, several for each time that an address moves. Every move breaks the connections of all visitors.",
            ),
            graph(
                "ARP",
                {
                    "asked for {{ip}}": "sum by (ip) (rate(metallb_layer2_requests_received[$__rate_interval]))",
                    "answered for {{ip}}": "sum by (ip) (rate(metallb_layer2_responses_sent[$__rate_interval]))",
                },
                unit="reqps",
                least=0,
                description="Questions of the network for an address, and answers. Questions without answers come from outside and reach a speaker that may not speak; no questions at all is a switch or a VLAN.",
            ),
        ),
        row(
            "Speakers and controller",
            timeline(
                "Speaker on each node",
                {
                    "{{node}}": f"count by (node) ({a.NODES} and on (address) {a.SPEAKER_ANSWERS}) or on (node) 0 * count by (node) ({a.NODES})"
                },
                states={0: ("silent", "red"), 1: ("answers", "green")},
                description="Whether the speaker of each node can be scraped. Short red is a restart; only one green line means that no failover is possible.",
            ),
            table(
                "Every pod",
                {"container": "Part", "node": "Node"},
                {
                    "Loaded": Column(
                        f"max by (container, node) (metallb_k8s_client_config_loaded_bool {ON_NODE})",
                        "none",
                        states={0: ("never", "red"), 1: ("yes", "green")},
                    ),
                    "Old configuration": Column(
                        f"max by (container, node) (metallb_k8s_client_config_stale_bool {ON_NODE})",
                        "none",
                        states={0: ("no", "green"), 1: ("yes", "orange")},
                    ),
                    "Restarts in a day": Column(
                        f"max by (container, node) (increase(kube_pod_container_status_restarts_total{{{OURS}}}[1d]) {ON_NODE})",
                        "short",
                    ),
                },
                description="What each pod of MetalLB says about its configuration. All of them on an old one is a mistake in Git; a single one missed an update.",
                sort="Old configuration",
            ),
            bars(
                "Addresses in use",
                {
                    "{{pool}}": "sort_desc(max by (pool) (metallb_allocator_addresses_in_use_total / metallb_allocator_addresses_total))"
                },
                unit="percentunit",
                description="The share of each pool that is given out. A full pool is normal where all its addresses are meant for one Service each; the next Service then gets none.",
            ),
        ),
        row(
            "Work",
            graph(
                "Updates from Kubernetes",
                {
                    "{{container}} updates": "sum by (container) (rate(metallb_k8s_client_updates_total[$__rate_interval]))",
                    "{{container}} errors": "sum by (container) (rate(metallb_k8s_client_update_errors_total[$__rate_interval]))",
                },
                unit="ops",
                least=0,
                description="Changes of Services, endpoints and configuration that MetalLB works on. Errors also count a Service that gets no address; they are repeated until it does.",
            ),
            collapsed=True,
        ),
        row(
            "Logs",
            logs(
                "What MetalLB says",
                '{namespace="metallb-system"} |~ "(?i)level.{1,3}(error|warn)"',
                description="Errors and warnings of controller and speakers. Look for the address, or for the mistake in the configuration, at the time when the first bar above began.",
            ),
            collapsed=True,
        ),
        logs='{namespace="metallb-system"}',
    )
