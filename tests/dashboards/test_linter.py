"""The rules of grafana/dashboard-linter that apply, as far as no other test here holds them already.

Held elsewhere: template-datasource, panel-datasource, panel-title-description, panel-units, panel-no-targets,
uneditable-dashboard and target-rate-interval in test_json; template-label-promql and target-promql in test_data, where
a real Prometheus answers every query; target-logql in test_queries.

Left out: template-job, template-instance, target-job and target-instance, which want every query filtered by two
variables. These dashboards are of one homelab whose jobs are known by name, and a measure is never templated.
target-logql-auto: no query over logs has a range.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import promql_parser as promql
import pytest
from promql_parser import Expr

from alerts._render import catalogue
from checks.lint import exposed, read
from checks.panels import asked
from dashboards._render import boards, page
from homelab.query import children, parse, selector

ROOT = Path(__file__).parents[2]
CLUSTERS, METRICS = read(ROOT / "homelab.yaml", ROOT / "metrics")
PRODUCTION = CLUSTERS.clusters["production"]
CONTRACT = exposed(PRODUCTION, catalogue(PRODUCTION), METRICS)
# Functions that make of a counter what a person can read: a rate, or how often it moved.
COUNTING = {"rate", "irate", "increase", "resets", "changes", "delta", "deriv", "predict_linear", "timestamp"}
# Counters that are shown as they are.
TOTALS = {
    "nvme_media_errors_total": "how many errors a drive has had in its life",
    "loki_process_custom_k3s_journal_lines": "that there was one within a day, whatever its value",
}


def raw(expr: Expr, *, counted: bool = False) -> Iterator[str]:
    """The counters that a query takes as they are."""
    if isinstance(expr, (promql.VectorSelector, promql.MatrixSelector)):
        name = selector(expr).name
        if name and not counted and any(one.type == "counter" for one in CONTRACT.lookup(name)):
            yield name
        return
    if isinstance(expr, promql.BinaryExpr) and str(expr.op) in ("and", "unless"):  # what only chooses is not shown
        yield from raw(expr.lhs, counted=counted)
        return
    counts = counted or (isinstance(expr, promql.Call) and expr.func.name in COUNTING)
    counts |= isinstance(expr, promql.AggregateExpr) and str(expr.op) in ("count", "group")  # how many series
    for child in children(expr):
        yield from raw(child, counted=counts)


ASKED = [one for one in asked(boards(PRODUCTION).items()) if one.language == "prometheus"]


def test_a_counter_is_shown_as_a_rate() -> None:
    """target-counter-agg: its total only says how long the process has run."""
    found = {(str(one), name) for one in ASKED for name in raw(parse(one.expr))}
    assert {(place, name) for place, name in found if name not in TOTALS} == set()
    assert {name for _, name in found} == TOTALS.keys(), "an exception that nobody needs"


def test_a_raw_counter_would_be_found() -> None:
    """The test above can fail, and is not fooled by what encloses a rate."""
    assert list(raw(parse("sum(etcd_server_leader_changes_seen_total)"))) == ["etcd_server_leader_changes_seen_total"]
    assert list(raw(parse("sum by (job) (rate(etcd_server_leader_changes_seen_total[5m])) > 3"))) == []
    assert list(raw(parse("up and etcd_server_leader_changes_seen_total"))) == []


@pytest.mark.parametrize("stem", boards(PRODUCTION))
def test_choices_are_read_again_when_the_time_changes(stem: str) -> None:
    """template-on-time-change-reload: what has ended since can still be chosen for the time when it was there."""
    drawn = json.loads(json.dumps(page(stem, boards(PRODUCTION)[stem], PRODUCTION)))
    assert {one["refresh"] for one in drawn["templating"]["list"] if one["type"] == "query"} <= {2}
