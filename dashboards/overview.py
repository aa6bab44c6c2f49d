"""overview: is anything wrong, what, since when, and what runs out first?"""

from __future__ import annotations

from collections.abc import Iterator

from alerts import backups, certificates, cnpg, etcd, longhorn, nodes, raspberry_pi
from dashboards._board import Board, Panel, board, row
from dashboards._fields import Limits
from dashboards._firing import NO_ALERT, QUIET, firing
from dashboards._panels import bars, stat, timeline
from homelab.site import Site

STATES = {0: ("OK", "green"), 1: ("WARNING", "orange"), 2: ("CRITICAL", "red")}
# As Grafana and people write them.
NAMES = {"etcd": "etcd", "metallb": "MetalLB", "cnpg": "PostgreSQL", "raspberry_pi": "Raspberry Pi", "gitops": "GitOps"}
READY = 'kube_node_status_condition{condition="Ready", status="true"}'
EVALUATED = 'prometheus_rule_group_last_evaluation_timestamp_seconds{rule_group=~".+;homelab-.+"}'


def dashboard(site: Site) -> Board:
    """The page."""
    tiles = [*_sums(), *(_tile(stem) for stem in site.subsystems)]
    per_line = -(-len(tiles) // 2)
    wide = [Panel(one.drawn, 24 // per_line, one.empty) for one in tiles]
    return board(
        "Homelab overview",
        row("Is anything wrong?", *wide, height=3),
        row(
            "What, and since when",
            firing(width=12),
            timeline(
                "Alerts over time",
                {
                    "{{alertname}}": 'max by (alertname) (2 * ALERTS{alertstate="firing", severity="critical"}'
                    ' or ALERTS{alertstate="firing", severity="warning"})'
                },
                states={1: ("warning", "orange"), 2: ("critical", "red")},
                description="When each alert fired. The one that began first is usually the cause, the others what follows from it.",
                nothing=NO_ALERT,
                width=12,
                empty=QUIET,
            ),
        ),
        row("What runs out first", *_capacity(site)),
        row("What people and machines notice", *_noticed(site)),
    )


def _sums() -> Iterator[Panel]:
    for severity, title, limits, what in (
        ("critical", "Critical", Limits(red_above=1), "something is lost or unavailable. Act now"),
        ("warning", "Warnings", Limits(orange_above=1), "something will be if nobody looks. Look today"),
    ):
        yield stat(
            title,
            f'count(ALERTS{{alertstate="firing", severity="{severity}"}}) or 0 * count(ALERTS)',
            unit="short",
            limits=limits,
            description=f"Alerts of severity {severity} that fire: {what}.",
        )
    yield stat(
        "Rules evaluated",
        f"max(time() - {EVALUATED})",
        unit="s",
        limits=Limits(red_above=300),  # each is due once a minute
        description="How long ago the alert rules that are worst off were evaluated. While they are not, green on this page means nothing: look at Prometheus.",
    )


def _tile(stem: str) -> Panel:
    """What its alerts say; without its rules in Prometheus, that they are not there."""
    return stat(
        NAMES.get(stem, stem.capitalize()),
        f'max(2 * ALERTS{{alertstate="firing", severity="critical", subsystem="{stem}"}}'
        f' or ALERTS{{alertstate="firing", severity="warning", subsystem="{stem}"}}'
        f' or 0 * prometheus_rule_group_rules{{rule_group=~".+;homelab-{stem}"}})',
        unit="none",
        states=STATES,
        description="The worst alert that fires in this subsystem; a click opens its dashboard. A dash: Prometheus has none of its rules, so nobody looks.",
        link=f"/d/homelab-{stem.replace('_', '-')}",
    )


def _capacity(site: Site) -> Iterator[Panel]:
    limits = site.limits.get("nodes") or nodes.Limits()
    left = {
        "nodes": (
            f'label_join({nodes.FREE}, "what", " ", "nodename", "mountpoint")',
            f'label_join({nodes.CLAIM_FREE}, "what", " ", "namespace", "persistentvolumeclaim")',
        ),
        "longhorn": (f'label_join({longhorn.DISK_FREE}, "what", " ", "node", "disk")',),
        "etcd": (f'label_replace(1 - {etcd.DATABASE_FULL}, "what", "etcd database", "", "")',),
        "cnpg": (f'label_replace(1 - {cnpg.CONNECTIONS}, "what", "connections of $1", "pod", "(.+)")',),
        "raspberry_pi": (f'label_replace(1 - {raspberry_pi.NVME_USED}, "what", "wear of $1", "node", "(.+)")',),
    }
    parts = [f"max by (what) ({part})" for stem in left if stem in site.subsystems for part in left[stem]]
    yield bars(
        "Least room left",
        {"{{what}}": f"sort(bottomk(10, {' or '.join(parts)}))"},
        unit="percentunit",
        limits=Limits(orange_below=limits.free_ratio, red_below=limits.free_critical_ratio),
        description="What is left of everything that can fill up or wear out: disks, claims, the quota of etcd, connections of databases, flash. The colours are those of file systems.",
    )
    soon = {
        "certificates": (
            f'label_join({certificates.EXPIRES} - time(), "what", " ", "name")',
            f'label_join({certificates.K3S_REMAINING}, "what", " ", "node")',
        ),
    }
    parts = [f"max by (what) ({part})" for stem in soon if stem in site.subsystems for part in soon[stem]]
    if parts:
        yield bars(
            "Certificates end in",
            {"{{what}}": f"sort(bottomk(10, {' or '.join(parts)}))"},
            unit="dtdurations",
            description="Until the end of each certificate, of k3s by node. They renew themselves long before; the shortest bar that keeps shrinking is the one that does not.",
        )
    if "backups" in site.subsystems:
        yield bars(
            "Backups: age, of what is allowed",
            {
                "{{kind}} {{namespace}} {{name}}": f"sort_desc(({backups.FOUND_AGE}) / on ({backups.ID}) {backups.EXPECTED_AGE})"
            },
            unit="percentunit",
            limits=Limits(red_above=1),
            description="The age of the newest backup that was found in its store, as a share of what its schedule allows. Above 100 % a run is missing; a target that is not here has none at all.",
        )


def _noticed(site: Site) -> Iterator[Panel]:
    if "ingress" in site.subsystems:
        yield timeline(
            "What visitors see",
            {"{{instance}}": 'min by (instance) (probe_success{job="blackbox"})'},
            states={0: ("fails", "red"), 1: ("answers", "green")},
            description="Whether each host answers from outside through the ingress, with a valid certificate. All red at once is the way there, one alone its application.",
        )
    yield timeline(
        "Nodes",
        {"{{node}}": f"min by (node) (max by (node) ({READY}) or 0 * {nodes.NODE_DOWN})"},
        states={0: ("down or not ready", "red"), 1: ("ready", "green")},
        description="Whether each node answers and Kubernetes calls it ready. While the API is down Kubernetes says what it last knew; a machine that is silent is red all the same.",
    )
    yield stat(
        "Targets down",
        "count(up == 0) or 0 * count(up)",
        unit="short",
        limits=Limits(orange_above=1),
        spark=True,
        description="Scrape targets that do not answer. What they would say is unknown, so rules about them are blind.",
        width=4,
    )
