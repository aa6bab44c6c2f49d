"""What the dashboards ask: every query of every panel, with Grafana's variables put in.

Two questions are answered about them: may the query be asked here (the contract), and does some panel show what an
alert judges.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import promql_parser as promql
from promql_parser import Expr

from dashboards._board import Board
from dashboards._panels import json_of
from homelab.query import bare, children, is_scalar, parse

# What Grafana would put in on a page of six hours with everything chosen; a variable of ours becomes "all of them".
BUILT_IN = {"$__rate_interval": "4m", "$__interval": "1m", "$__range": "6h"}
_VARIABLE = re.compile(r"\$[A-Za-z_]\w*")  # $1 belongs to label_replace
_COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")
_SETS = ("and", "or", "unless")


@dataclass(frozen=True)
class Asked:
    """One query of one panel. `empty` is the panel's reason to show nothing while all is well."""

    dashboard: str
    panel: str
    legend: str
    expr: str
    language: str  # the type of its data source: prometheus, loki
    empty: str = ""

    def __str__(self) -> str:
        return f"{self.dashboard} / {self.panel} / {self.legend}"


def asked(boards: Iterable[tuple[str, Board]]) -> Iterator[Asked]:
    """Every query of these dashboards, as their JSON has it."""
    for stem, board in boards:
        for panel in board.panels:
            drawn = json_of(panel)
            for target in drawn.get("targets", []):
                source, legend = target["datasource"]["type"], target.get("legendFormat", "")
                yield Asked(stem, drawn["title"], legend, interpolated(target["expr"]), source, panel.empty)


def interpolated(query: str) -> str:
    """The query with every variable put in."""
    return _VARIABLE.sub(lambda found: BUILT_IN.get(found[0], ".*"), query)


def measures(alert: str) -> list[str]:
    """What an alert judges: the vectors left of its limits, and the states that it names whole. Raises NotPromQL.

    `A > 3 unless B` judges A, `A == 0 or absent(A)` judges A, `count(A) > 2` judges count(A) and so A.
    """
    return list(dict.fromkeys(str(found.prettify()) for found in _measures(parse(alert)) if not _expected(found)))


def _expected(expr: Expr) -> bool:
    """What the inventory expects is there whatever happens: alone it shows nothing."""
    return isinstance(expr, promql.VectorSelector) and (expr.name or "").startswith("homelab:")


def _measures(expr: Expr) -> Iterator[Expr]:
    expr = bare(expr)
    if not isinstance(expr, promql.BinaryExpr):
        yield from _inner(expr)
    elif str(expr.op) == "or":
        yield from _measures(expr.lhs)
        yield from _measures(expr.rhs)
    elif str(expr.op) in (*_SETS, *_COMPARISONS):
        yield expr  # a state, written as a whole condition
        yield from _measures(expr.rhs if is_scalar(expr.lhs) else expr.lhs)
    else:
        yield expr


def _inner(expr: Expr) -> Iterator[Expr]:
    """A measure, and what it counts or takes the worst of."""
    yield expr
    if isinstance(expr, promql.AggregateExpr) and str(expr.op) in ("count", "max", "min", "sum"):
        yield from _measures(expr.expr)
    elif isinstance(expr, promql.Call) and expr.func.name in ("absent", "max_over_time", "min_over_time"):
        yield from _measures(children(expr)[0])


def parts(query: str) -> set[str]:
    """What a query shows: itself, and every part whose value it passes on or calculates with. Raises NotPromQL.

    `A and on (x) B` shows A; B only chooses.
    """
    return {str(bare(node).prettify()) for node in _shown(parse(query))}


def _shown(expr: Expr) -> Iterator[Expr]:
    yield expr
    if isinstance(expr, promql.BinaryExpr) and str(expr.op) in ("and", "unless"):
        yield from _shown(expr.lhs)
    else:
        for child in children(expr):
            yield from _shown(child)
