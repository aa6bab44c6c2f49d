"""Every panel shows something: on the healthy cluster in a real Prometheus, or, for a reason, only in an incident."""

import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import pytest

from alerts._render import catalogue, recorded
from checks.incident import compose
from checks.panels import Asked, asked, interpolated
from checks.stage import Rule, play, rules_of, selected, touched
from dashboards._render import boards, page
from demo.servers import fetch
from homelab.query import parse, selectors
from preview.cluster import filled
from preview.situation import NOW, Material, material, well

ROOT = Path(__file__).parents[2]
CLUSTERS = ("production", "staging")
DAY = 86_400


@lru_cache
def known(cluster: str) -> Material:
    """The inventory, the healthy cluster and the incidents."""
    return material(cluster, ROOT)


def questions(cluster: str) -> list[Asked]:
    """What its dashboards ask of Prometheus."""
    return [one for one in asked(boards(known(cluster).site).items()) if one.language == "prometheus"]


@pytest.fixture(scope="module", params=CLUSTERS)
def healthy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A real Prometheus that holds a healthy day: the cluster's name, and the address."""
    with filled(tmp_path_factory.mktemp("healthy"), well(known(request.param), DAY)) as server:
        yield request.param, server.url


def answer(url: str, query: str) -> list[Mapping]:
    """The vector that a query gives at NOW."""
    text = urllib.parse.urlencode({"query": query, "time": NOW})
    found = json.loads(fetch(f"{url}/api/v1/query?{text}"))["data"]
    return found["result"] if found["resultType"] == "vector" else [{"metric": {}, "value": found["result"]}]


def test_every_panel_has_data_while_all_is_well(healthy: tuple[str, str]) -> None:
    """A panel without data looks the same whether nothing is wrong or nobody measures. One that says why it is empty
    is empty indeed: otherwise its reason is none."""
    cluster, url = healthy
    # The simulated cluster is production: what staging's inventory expects by name is not in it.
    asks = [one for one in questions(cluster) if cluster == "production" or "homelab:" not in one.expr]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda one: answer(url, one.expr), asks))
    assert [str(one) for one, found in zip(asks, answers, strict=True) if not found and not one.empty] == []
    assert [str(one) for one, found in zip(asks, answers, strict=True) if found and one.empty] == []


def test_a_table_has_the_columns_that_it_names_and_no_others(healthy: tuple[str, str]) -> None:
    """A label that one query has and the others lack splits every line in two."""
    cluster, url = healthy
    site = known(cluster).site
    tables = [
        panel
        for stem, board in boards(site).items()
        for one in page(stem, board, site)["panels"]
        for panel in (one, *one.get("panels", ()))
        if panel["type"] == "table"
    ]
    assert tables
    for panel in tables:
        renamed = panel["transformations"][1]["options"]["renameByName"]
        labels = {name for name in renamed if not name.startswith("Value")}
        for target in panel["targets"]:
            (one,) = [
                q for q in questions(cluster) if q.panel == panel["title"] and q.legend == target["legendFormat"]
            ][:1]
            for series in answer(url, one.expr):
                assert set(series["metric"]) <= labels, (panel["title"], target["legendFormat"])


def test_nothing_is_orange_or_red_while_all_is_well(healthy: tuple[str, str]) -> None:
    """A page that always shows red is a page that nobody reads; it also is where a ratio was put together wrongly."""
    cluster, url = healthy
    site = known(cluster).site
    found = []
    for stem, board in boards(site).items():
        drawn = page(stem, board, site)["panels"]
        for panel in (inner for one in drawn for inner in (one, *one.get("panels", ()))):
            if panel["type"] not in ("stat", "bargauge", "table"):
                continue
            looks = {one["matcher"]["options"]: one["properties"] for one in panel["fieldConfig"]["overrides"]}
            for target in panel["targets"]:
                expr = interpolated(target["expr"])
                if cluster != "production" and "homelab:" in expr:
                    continue
                own = {p["id"]: p["value"] for p in looks.get(target["legendFormat"], [])}
                field = {**panel["fieldConfig"]["defaults"], **own}
                for series in answer(url, expr):
                    color = shown_color(float(series["value"][1]), field)
                    if color in ("orange", "red"):
                        found.append((stem, panel["title"], target["legendFormat"], series["value"][1]))
    assert found == []


def shown_color(value: float, field: Mapping) -> str:
    """The colour that Grafana gives a value: that of its mapping, else that of the last step that it reaches."""
    for mapping in field["mappings"]:
        named = mapping["options"].get(f"{value:g}")
        if named:
            return named["color"]
    return [step["color"] for step in field["thresholds"]["steps"] if step["value"] is None or step["value"] <= value][
        -1
    ]


PRODUCTION = set(boards(known("production").site))


@pytest.mark.parametrize("stem", sorted(PRODUCTION))
def test_what_is_empty_while_all_is_well_shows_in_an_incident(stem: str) -> None:
    """A query that returns something is a rule that fires, so the incidents are replayed with the queries as rules."""
    here = known("production")
    todo = {number: one for number, one in enumerate(questions("production")) if one.dashboard == stem and one.empty}
    groups = catalogue(here.site)
    expected = [Rule(g.subsystem, s, tuple(selectors(parse(s["expr"])))) for g in groups for s in recorded(g)]
    own = [rule for rule in rules_of(groups) if stem in (rule.group, "overview")]
    incidents = sorted(here.incidents.values(), key=lambda one: (one.subsystem != stem, one.end / one.interval))
    for incident in incidents:
        if not todo:
            break
        cluster = compose(incident, here.healthy)
        healthy = {id(series) for series in here.healthy}
        changed = [series for series in cluster if id(series) not in healthy]
        asking = [_rule(number, one) for number, one in todo.items() if "ALERTS" not in one.expr]
        rules = touched([*expected, *asking], changed)
        # What asks for alerts needs the alerts themselves, and nothing that the incident touches but those.
        about = {number: one for number, one in todo.items() if "ALERTS" in one.expr}
        alerts = [rule for rule in touched(own, changed) if any(_asks(one, rule) for one in about.values())]
        if alerts:
            rules = [*expected, *alerts, *asking, *(_rule(number, one) for number, one in about.items())]
        if not any(rule.group == "shown" for rule in rules):
            continue
        seen = play(incident, rules, selected(rules, cluster), shifted=False).firing
        for alert in (alert for alerts in seen.values() for alert in alerts):
            todo.pop(int(alert.get("shown", -1)), None)
    assert [str(one) for one in todo.values()] == []


def _rule(number: int, one: Asked) -> Rule:
    """The query as an alert; its own labels may be anything, so it is only counted."""
    spec = {"alert": "Shown", "expr": f"count({one.expr})", "labels": {"shown": str(number)}}
    return Rule("shown", spec, tuple(selectors(parse(one.expr))))


def _asks(one: Asked, rule: Rule) -> bool:
    """Whether a query about alerts may be about this one."""
    named = re.findall(r'alertname=~"([^"]*)"', one.expr)
    alert = rule.spec.get("alert", "Watchdog")
    return alert != "Watchdog" and (not named or any(re.fullmatch(names, alert) for names in named))
