"""`make lint`: which alert of which cluster is refused, in which words, and with which exit status."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from alerts._alert import Alert, Expected
from alerts._render import Group, catalogue
from checks.lint import exposed, lint, main, read, recorded
from checks.panels import asked
from dashboards._render import boards
from homelab.promql import check
from homelab.query import parse, selectors

ROOT = Path(__file__).parents[2]
CLUSTERS, CONTRACT = read(ROOT / "homelab.yaml", ROOT / "metrics")
PRODUCTION, STAGING = CLUSTERS.clusters["production"], CLUSTERS.clusters["staging"]
ALERT = Alert("Odd", "up > 0.5", "warning", "odd", "Odd.", for_="5m")
NODES = (
    Expected("homelab:node:expected", {"node": "kube-srv-1", "address": "10.0.40.101"}),
    Expected("homelab:node:expected", {"node": "kube-srv-2", "address": ""}),
)


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    """A copy of metrics/ that a test may spoil."""
    return Path(shutil.copytree(ROOT / "metrics", tmp_path / "metrics"))


def run(metrics: Path, *arguments: str) -> int:
    """The command with this homelab's inventory."""
    return main(["--inventory", str(ROOT / "homelab.yaml"), "--metrics", str(metrics), *arguments])


def said(site: object, alert: Alert, expected: tuple[Expected, ...] = NODES) -> list[str]:
    """What is refused in one alert of one cluster."""
    return [str(refusal) for refusal in lint(site, [Group("nodes", "", expected, (alert,), {})], CONTRACT)]


def test_nothing_is_refused_here(capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says how much was looked at."""
    assert run(ROOT / "metrics") == 0
    alerts = sum(len(group.alerts) for site in CLUSTERS.clusters.values() for group in catalogue(site))
    queries = sum(1 for site in CLUSTERS.clusters.values() for _ in asked(boards(site).items()))
    names = f"{len(CONTRACT.series)} names that {len(CONTRACT.components)} components expose"
    said = f"{alerts} alerts and {queries} queries of dashboards, of 2 clusters, fit the {names}\n"
    assert capsys.readouterr().out == said


def test_a_name_that_is_not_in_the_contract_is_refused(metrics: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line per rule or panel and reason: cluster, subsystem, which one, metric, the nearest known name."""
    path = metrics / "longhorn.yaml"
    path.write_text(
        path.read_text().replace("longhorn_volume_file_system_read_only:", "longhorn_file_system_read_only:")
    )
    assert run(metrics) == 1
    message = "no metric named longhorn_volume_file_system_read_only; did you mean longhorn_file_system_read_only?"
    assert capsys.readouterr().out == (
        f"production/longhorn LonghornVolumeReadOnly: {message}\n"
        f'production/longhorn "Since when" read-only {{{{pvc}}}}: {message}\n'
    )
    assert run(metrics, "--json") == 1
    where = {"cluster": "production", "subsystem": "longhorn", "check": "metric", "message": message}
    assert json.loads(capsys.readouterr().out) == [
        {**where, "name": "LonghornVolumeReadOnly"},
        {**where, "name": '"Since when" read-only {{pvc}}'},
    ]


def test_machines_get_an_empty_list_where_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Valid JSON in every case."""
    assert run(ROOT / "metrics", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_files_that_cannot_be_used_are_said_at_once(
    metrics: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mistakes of the inventory and of the contract together, each with its line; nothing is judged then."""
    (metrics / "k3s.yaml").write_text("component: k3s\n")
    (tmp_path / "homelab.yaml").write_text("clusters: []\n")
    assert main(["--inventory", str(tmp_path / "homelab.yaml"), "--metrics", str(metrics)]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert [line.split(":")[:2] for line in streams.err.splitlines()] == [
        ["homelab.yaml", "1 [clusters]"],
        ["metrics/k3s.yaml", "1"],
        ["metrics/k3s.yaml", "1"],
        ["metrics/k3s.yaml", "1"],
    ]


def test_a_component_without_its_file_is_said(metrics: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every metric of it would be called unknown otherwise."""
    (metrics / "flux.yaml").unlink()
    assert run(metrics) == 2
    assert capsys.readouterr().err.splitlines() == [
        "metrics/flux.yaml: is missing; production runs flux",
        "metrics/flux.yaml: is missing; staging runs flux",
    ]


def test_a_cluster_is_held_against_its_own_components() -> None:
    """Staging has no Longhorn."""
    alert = replace(ALERT, expr="longhorn_disk_usage_bytes > 5")
    assert said(PRODUCTION, alert) == []
    assert said(STAGING, alert) == [
        "staging/nodes Odd: longhorn_disk_usage_bytes belongs to longhorn, which this cluster does not run"
    ]


@pytest.mark.parametrize(
    ("expr", "refused"),
    [
        ("homelab:node:expected", None),
        ('homelab:node:expected{subsystem="nodes", node="kube-srv-2"}', None),
        ('homelab:node:expected{address=""}', None),
        ("homelab:nodes:expected", "no metric named homelab:nodes:expected; did you mean homelab:node:expected?"),
        (
            'homelab:node:expected{subsystem="longhorn"}',
            'subsystem of homelab:node:expected is never "longhorn"; there is nodes',
        ),
        (
            'homelab:node:expected{node="kube-srv-3"}',
            'node of homelab:node:expected is never "kube-srv-3"; did you mean kube-srv-2?',
        ),
        (
            "homelab:node:expected unless on (instance) up",
            (
                "unless on (instance), left side: homelab:node:expected never has the label instance; "
                "there is address, node, subsystem"
            ),
        ),
    ],
)
def test_what_the_inventory_expects_is_a_known_series(expr: str, refused: str | None) -> None:
    """With the labels and the values that its recording rules write."""
    assert said(PRODUCTION, replace(ALERT, expr=expr)) == ([f"production/nodes Odd: {refused}"] if refused else [])


def test_expected_series_have_the_labels_that_are_written() -> None:
    """The subsystem is attached, and an empty label is none."""
    assert [(s.name, s.labels) for s in recorded([Group("nodes", "", NODES, (), {})])] == [
        ("homelab:node:expected", {"subsystem": ("nodes",), "node": ("kube-srv-1",), "address": ("10.0.40.101",)}),
        ("homelab:node:expected", {"subsystem": ("nodes",), "node": ("kube-srv-2",)}),
    ]


def test_a_misspelt_name_is_refused_in_every_rule() -> None:
    """Each metric of each alert, so that no part of a rule goes unlooked at."""
    groups = catalogue(PRODUCTION)
    here = exposed(PRODUCTION, groups, CONTRACT)
    for alert in (alert for group in groups for alert in group.alerts):
        for name in {one.name for one in selectors(parse(alert.expr)) if one.name}:
            spoilt = re.sub(rf"\b{name}\b", "q", alert.expr)
            assert any(f.message.startswith("no metric named q;") for f in check(spoilt, here)), (alert.name, name)
