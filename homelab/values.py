"""Which sample values pass through a query unchanged, and whether it treats them as what they are.

`max by (volume) (x == 1)` still hands on values of x, `rate(x[5m])` does not. Where a value is computed nothing is
said about it: silence is better than a false refusal. `report(kind, message)` hears of what is wrong.
"""

from __future__ import annotations

from dataclasses import replace

import promql_parser as promql
from promql_parser import Expr

from homelab.kinds import COMPARE, Value, Values, aged, kind_of, mistyped, numbered
from homelab.labels import COMPARISONS, KEEP_ALL, KEEP_NAME, Report, candidates
from homelab.metric import Contract
from homelab.query import Selector, bare, constant, is_scalar, selector, shown

# Aggregations and functions whose result is one of the values that went in.
PICKING = KEEP_ALL | KEEP_NAME | {"min", "max", "label_replace", "label_join"}
PICKING |= {"min_over_time", "max_over_time"}
FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}


def result_values(expr: Expr, contract: Contract, report: Report) -> Values:
    """What passes through an expression."""
    if isinstance(expr, (promql.VectorSelector, promql.MatrixSelector)):
        return _selected(selector(expr), contract)
    if isinstance(expr, (promql.ParenExpr, promql.SubqueryExpr)):
        return result_values(expr.expr, contract, report)
    if isinstance(expr, promql.UnaryExpr):
        result_values(expr.expr, contract, report)
    if isinstance(expr, promql.AggregateExpr):
        return _through(str(expr.op), result_values(expr.expr, contract, report))
    if isinstance(expr, promql.Call):
        return _called(expr, contract, report)
    if isinstance(expr, promql.BinaryExpr):
        return _combined(expr, contract, report)
    return ()


def _selected(chosen: Selector, contract: Contract) -> Values:
    """One value per name; none where a pattern, or one name of several components, mixes what does not go together."""
    found = candidates(chosen, contract)
    if len({(series.type, kind_of(series, chosen)) for series in found}) > 1:
        return ()
    return tuple(Value(kind_of(s, chosen), s, chosen) for s in {series.name: series for series in found}.values())


def _through(name: str, values: Values) -> Values:
    """What an aggregation, or a function of one vector, hands on."""
    if name in PICKING:
        return values
    if name == "count":  # which series are counted matters if nothing has chosen among them by value
        states = [v for v in values if v.kind == "one-hot" and not v.compared]
        return (replace(states[0], kind="count"),) if states else (Value("count"),)
    return tuple(v for v in values if v.kind == "counter" and name in ("sum", "avg"))  # a sum of counters only grows


def _called(expr: promql.Call, contract: Contract, report: Report) -> Values:
    passed: Values = ()
    for argument in expr.args:
        values = result_values(argument, contract, report)
        for message in mistyped(expr.func.name, [v.series for v in values if v.series]):
            report("type", f"{shown(expr)}: {message}")
        passed += values
    return _through(expr.func.name, passed)


def _combined(expr: promql.BinaryExpr, contract: Contract, report: Report) -> Values:
    op = str(expr.op)
    left, right = (result_values(side, contract, report) for side in (expr.lhs, expr.rhs))
    if op == "or":  # a count beside something else may be 0
        return tuple(v for v in left + right if v.kind != "count")
    if op in ("and", "unless"):
        for value in right:
            if value.kind == "one-hot" and value.series and value.chosen and not value.compared:
                what = f"{value.series.name} has a series for every state, present or not; add == 1{value.series.note}"
                report("state", f"{op}: {what}")
        return tuple(replace(v, restricted=v.restricted or op) for v in left)
    if op in COMPARISONS:
        return _compared(expr, left, right, report)
    if op == "-" and (_is_now(expr.lhs) or _is_now(expr.rhs)):
        for message in aged(right if _is_now(expr.lhs) else left):
            report("timestamp", f"{shown(expr)}: {message}")
    if op == "*":  # with a 1 that only lends its labels
        return next((x for x, y in ((left, right), (right, left)) if y and all(v.kind == "info" for v in y)), ())
    both = left + right
    return both if op == "+" and left and right and all(v.kind == "counter" for v in both) else ()


def _is_now(expr: Expr) -> bool:
    expr = bare(expr)
    return isinstance(expr, promql.Call) and expr.func.name == "time"


def _compared(expr: promql.BinaryExpr, left: Values, right: Values, report: Report) -> Values:
    flipped = is_scalar(expr.lhs)
    values, number = (right, constant(expr.lhs)) if flipped else (left, constant(expr.rhs))
    op = FLIPPED[str(expr.op)] if flipped else str(expr.op)
    nonzero = False
    if number is not None:
        for kind, message in numbered(values, op, number):
            report(kind, f"{shown(expr)}: {message}")
        nonzero = not COMPARE[op](0, number)
    if expr.modifier and expr.modifier.return_bool:
        return (Value("bool"),)
    return tuple(replace(v, compared=True, nonzero=v.nonzero or nonzero) for v in values)
