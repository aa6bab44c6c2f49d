"""What the dashboards ask: only what is exposed, and everything that an alert judges."""

import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser as promql
import pytest

from alerts._render import catalogue, links, variables
from checks.lint import exposed, lint_boards, read
from checks.logql import check_logs
from checks.panels import asked, interpolated, measures, parts
from dashboards._render import boards, page, uid
from homelab.labels import result_labels
from homelab.promql import check
from homelab.query import constant, parse, selectors, walk

ROOT = Path(__file__).parents[2]
CLUSTERS, CONTRACT = read(ROOT / "homelab.yaml", ROOT / "metrics")
PRODUCTION = CLUSTERS.clusters["production"]
GROUPS = {group.subsystem: group for group in catalogue(PRODUCTION)}
BOARDS = boards(PRODUCTION)
ASKED = [one for one in asked(BOARDS.items()) if one.language == "prometheus"]
SHOWN = {stem: {part for one in ASKED if one.dashboard == stem for part in parts(one.expr)} for stem in BOARDS}
ALERTS = [pytest.param(stem, a, id=f"{stem}-{a.name}") for stem, g in GROUPS.items() for a in g.alerts]

each_cluster = pytest.mark.parametrize("site", CLUSTERS.clusters.values(), ids=CLUSTERS.clusters)


@each_cluster
def test_no_query_is_refused(site: object) -> None:
    """A panel of a misspelt metric, or of what this cluster lacks, says "No data" for ever: so does a healthy one."""
    assert "\n".join(map(str, lint_boards(site, boards(site), catalogue(site), CONTRACT))) == ""


def test_a_misspelt_name_is_refused_in_every_query() -> None:
    """Each metric of each query, so that no part of one goes unlooked at."""
    here = exposed(PRODUCTION, GROUPS.values(), CONTRACT)
    for one in ASKED:
        for name in {chosen.name for chosen in selectors(parse(one.expr)) if chosen.name}:
            spoilt = re.sub(rf"(?<![\w:]){re.escape(name)}\b", "q", one.expr)
            assert any(f.message.startswith("no metric named q;") for f in check(spoilt, here)), (str(one), name)


@pytest.mark.parametrize(("stem", "alert"), ALERTS)
def test_the_dashboard_of_an_alert_shows_what_it_judges(stem: str, alert: object) -> None:
    """Whoever follows the link finds the figure that made the alert fire, drawn by the same query."""
    if alert.name == "Watchdog":
        return  # vector(1) judges nothing
    wanted = measures(alert.expr)
    assert any(measure in SHOWN[stem] for measure in wanted), f"no panel has {wanted[-1]}"


@each_cluster
def test_every_alert_is_in_the_row_that_says_what_is_wrong(site: object) -> None:
    """Since when: by its condition, which is seen before the alert fires, or by its name."""
    pages = boards(site)
    for group in catalogue(site):
        row = [one for one in asked([(group.subsystem, pages[group.subsystem])]) if one.panel == "Since when"]
        shown = {part for one in row for part in parts(one.expr)}
        named = {name for one in row for m in re.findall(r'alertname=~"([^"]*)"', one.expr) for name in m.split("|")}
        assert named <= {alert.name for alert in group.alerts} | set(group.off), "no such alert"
        for alert in group.alerts:
            if alert.severity != "none":
                assert alert.name in named or shown & set(measures(alert.expr)), alert.name


@each_cluster
def test_the_limits_that_are_drawn_are_those_of_alerts(site: object) -> None:
    """The dashed line is the alert: a limit that was typed again is one that nobody changes with it. Numbers may also
    be held against how many there are of what the inventory names."""
    pages, groups = boards(site), catalogue(site)
    for stem, board in pages.items():
        alerts = [alert for group in groups if stem in (group.subsystem, "overview") for alert in group.alerts]
        known = {round(limit, 9) for alert in alerts for limit in limits(alert.expr)}
        for panel in page(stem, board, site)["panels"]:
            for one in (panel, *panel.get("panels", ())):
                counts = {float(number) for number in range(2, 10)} if one["type"] == "stat" else set()
                for value in thresholds(one):
                    assert round(value, 9) in known | counts, (stem, one["title"], value)


def limits(alert: str) -> Iterator[float]:
    """The numbers that an alert compares with, or calculates with."""
    for node in walk(parse(alert)):
        if isinstance(node, promql.BinaryExpr):
            yield from (found for side in (node.lhs, node.rhs) if (found := constant(side)) is not None)


def thresholds(panel: dict) -> Iterator[float]:
    """The values at which something changes its colour, in the panel and in its columns."""
    field = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
    told = [field["defaults"].get("thresholds", {"steps": []})]
    told += [p["value"] for one in field["overrides"] for p in one["properties"] if p["id"] == "thresholds"]
    yield from (step["value"] for one in told for step in one["steps"] if step["value"] is not None)


def test_a_measure_that_no_panel_has_is_missed() -> None:
    """The test above can fail: another range, another aggregation or another limit is another measure."""
    for expr in (
        "max_over_time(longhorn_disk_usage_bytes[1d]) > 5",
        "longhorn_node_count_total < 3",
        "homelab:node:expected unless on (node) longhorn_disk_health",
        'kube_node_spec_unschedulable{node=~".*"} == 1',  # chooses in a query, and is not shown
    ):
        assert not any(measure in SHOWN["longhorn"] for measure in measures(expr)), expr


@each_cluster
def test_the_link_of_an_alert_opens_its_own_object(site: object) -> None:
    """The address exists in this cluster, its variables exist there, and each is filled from a label that some alert
    of the subsystem really carries."""
    pages, here = boards(site), exposed(site, catalogue(site), CONTRACT)
    for group in catalogue(site):
        board = pages[group.subsystem]
        carried = {name for alert in group.alerts for name in result_labels(parse(alert.expr), here, print).names}
        for alert in group.alerts:
            url = links(alert, group.subsystem, site)["dashboard_url"]
            address, _, chosen = url.partition("?")
            assert address == f"{site.links.grafana}/d/{uid(group.subsystem)}"
            assert set(re.findall(r"&var-(\w+)=", chosen)) == {one.label for one in board.variables}
        for variable, labels in variables(group.subsystem).items():
            assert set(labels) <= carried, f"no alert of {group.subsystem} has the labels of {variable}"


def test_variables_stand_for_everything_when_nothing_is_chosen() -> None:
    """What Grafana puts in for All, and for the ranges that depend on the zoom."""
    query = 'sum(rate(x{pvc=~"$pvc"}[$__rate_interval])) + increase(y[$__range])'
    assert interpolated(query) == 'sum(rate(x{pvc=~".*"}[4m])) + increase(y[6h])'


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ('{namespace="longhorn-system"}', ""),
        ('{namespace="longhorn-system"} |~ "(?i)error" != "level=info"', ""),
        ('sum by (node) (count_over_time({unit="k3s.service"} |= "took too long" [5m]))', ""),
        ('{namspace="longhorn-system"}', "no log line has the label namspace; did you mean namespace?"),
        ('{namespace="a"} | json', "cannot be read"),
        ('{namespace=~".*"}', "cannot be read"),
        ('{namespace="a"} |~ "("', "is no regular expression"),
        ('{namespace="a"', "cannot be read"),
        ("up", "up is a metric"),
    ],
)
def test_a_log_query_is_held_against_the_labels_of_our_lines(query: str, complaint: str) -> None:
    """A stream that does not exist is an empty panel too."""
    said = [finding.message for finding in check_logs(query)]
    assert complaint in said[0] if complaint else not said
