"""Which sample values pass through a query unchanged, and whether it treats them as what they are.

`max by (volume) (x == 1)` still hands on values of x, `rate(x[5m])` does not. Where a value is computed from several
metrics nothing is said: silence is better than a false refusal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import promql_parser as promql
from promql_parser import Expr

from homelab.labels import COMPARISONS, KEEP_ALL, KEEP_NAME, candidates
from homelab.meaning import (
    COMPARE,
    DOMAINS,
    Doubt,
    Report,
    Value,
    ages,
    kind_of,
    lifted,
    mistyped,
    note,
    settled,
    with_clock,
    with_number,
)
from homelab.metric import Contract, Metric
from homelab.query import FLIPPED, Selector, constant, is_clock, is_scalar, selector, selectors, shown

# Aggregations and functions whose result is one of the values that went in.
_PICKING = KEEP_ALL | (KEEP_NAME - {"info"}) | {"min", "max", "label_replace", "label_join"}
_PICKING |= {"min_over_time", "max_over_time"}
_ROUNDING = {"abs", "ceil", "floor", "round"}
# Those whose result is of the same nature: the mean of two times is a time, that of two counters only grows.
_AVERAGING = {"avg", "quantile", "avg_over_time", "quantile_over_time"}


@dataclass(frozen=True)
class Values:
    """The values of a result; `doubts` are refusals unless something outside lifts them."""

    passed: tuple[Value, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    nonzero: frozenset[str] = frozenset()  # metrics that are not 0 in what is left
    zero: frozenset[str] = frozenset()  # metrics that are 0 in what is left
    ranged: frozenset[str] = frozenset()  # metrics that are looked at over a range

    def beside(self, other: Values) -> Values:
        """Both together."""
        return Values(
            self.passed + other.passed,
            self.doubts + other.doubts,
            self.nonzero | other.nonzero,
            self.zero | other.zero,
            self.ranged | other.ranged,
        )

    def passing(self, passed: Iterator[Value] | tuple[Value, ...] = ()) -> Values:
        """The same with other values, or none: computed from what was there."""
        return replace(self, passed=tuple(passed))


def result_values(expr: Expr, contract: Contract, report: Report) -> Values:
    """What passes through an expression. `report(kind, message)` hears of what is wrong whatever stands around it."""
    if isinstance(expr, (promql.VectorSelector, promql.MatrixSelector)):
        return _selected(selector(expr), contract)
    if isinstance(expr, (promql.ParenExpr, promql.SubqueryExpr)):
        return result_values(expr.expr, contract, report)
    if isinstance(expr, promql.UnaryExpr):
        return result_values(expr.expr, contract, report).passing()
    if isinstance(expr, promql.AggregateExpr):
        return _through(str(expr.op), result_values(expr.expr, contract, report))
    if isinstance(expr, promql.Call):
        return _called(expr, contract, report)
    if isinstance(expr, promql.BinaryExpr):
        return _combined(expr, contract, report)
    return Values()


def _selected(chosen: Selector, contract: Contract) -> Values:
    metrics = candidates(chosen, contract)
    ranged = frozenset(m.name for m in metrics) if chosen.range_seconds is not None else frozenset()
    passed = tuple(Value(kind_of(metric, chosen), metric, chosen) for metric in metrics)
    return Values(passed, tuple(_removed(metrics)), ranged=ranged)


def _removed(metrics: list[Metric]) -> Iterator[Doubt]:
    """A metric that newer versions lack, unless the selector matches another one too."""
    for metric in metrics if all(m.removed_in for m in metrics) else []:
        instead = (
            f"there it is {metric.renamed_to}: ask for both" if metric.renamed_to else "ask for what they have too"
        )
        message = (
            f"{metric.name} is gone since {metric.component} {metric.removed_in}; {instead}, with `or`{note(metric)}"
        )
        yield Doubt("removed", metric.name, message)


def _through(name: str, values: Values) -> Values:
    """What an aggregation, or a function of one vector, hands on."""
    if name in _PICKING:
        return values
    if name == "count":
        # Which series are counted matters if nothing has chosen among them by value.
        chosen = [v for v in values.passed if v.kind == "one-hot" and not v.compared][:1]
        return values.passing((replace(chosen[0], kind="count") if chosen else Value("count"),))
    if name in ("group", "absent", "absent_over_time"):
        return values.passing((Value("present"),))
    kept = [v for v in values.passed if name in _ROUNDING and v.kind in DOMAINS]
    if name in _ROUNDING | _AVERAGING:
        kept += [v for v in values.passed if v.cumulative or v.kind == "timestamp"]
    if name == "sum":
        kept += [v for v in values.passed if v.cumulative]
    return values.passing(tuple(kept))


def _called(expr: promql.Call, contract: Contract, report: Report) -> Values:
    name, merged = expr.func.name, Values()
    for argument in expr.args:
        values = result_values(argument, contract, report)
        if isinstance(argument, (promql.MatrixSelector, promql.SubqueryExpr)):
            for kind, message in mistyped(name, [v.metric for v in values.passed if v.metric], shown(expr)):
                report(kind, message)
        merged = merged.beside(values)
    return _through(name, merged)


def _combined(expr: promql.BinaryExpr, contract: Contract, report: Report) -> Values:
    op = str(expr.op)
    left, right = (result_values(side, contract, report) for side in (expr.lhs, expr.rhs))
    both = left.beside(right)
    if op == "or":
        doubts = _unreplaced(left, right, expr.rhs) + _unreplaced(right, left, expr.lhs)
        return replace(both, doubts=doubts, nonzero=left.nonzero & right.nonzero)
    if op == "and":
        return replace(both, passed=left.passed, doubts=lifted(both.doubts, both.nonzero, both.ranged))
    if op == "unless":
        doubts = lifted(left.doubts, left.nonzero | right.zero, both.ranged) + right.doubts
        # A flag may stand for the thing that has it: `up unless on (pod) ready`. The series of a state never do.
        passed = tuple(replace(v, compared=v.compared or v.kind == "flag") for v in left.passed)
        return Values(passed, doubts, left.nonzero, left.zero, both.ranged)
    if op in COMPARISONS:
        return _compared(expr, left, right, report)
    return _calculated(expr, left, right, report)


def _unreplaced(values: Values, other: Values, side: Expr) -> tuple[Doubt, ...]:
    """The doubts of one side of `or`: what newer versions lack, the other side may find under its newer name."""
    replaced = bool(selectors(side)) and not any(d.kind == "removed" for d in other.doubts)
    return tuple(d for d in values.doubts if d.kind != "removed" or not replaced)


def _calculated(expr: promql.BinaryExpr, left: Values, right: Values, report: Report) -> Values:
    """Arithmetic: a counter or a time with a number added is one still; an age is neither."""
    op, both = str(expr.op), left.beside(right)
    if op == "-" and is_clock(expr.lhs):
        doubts = tuple(ages(right.passed, "large", right.nonzero, shown(expr), report))
        return replace(both, passed=(), doubts=both.doubts + doubts)
    if op == "-" and is_clock(expr.rhs):
        doubts = tuple(ages(left.passed, "small", left.nonzero, shown(expr), report))
        return replace(both, passed=(), doubts=both.doubts + doubts)
    number = constant(expr.lhs if is_scalar(expr.lhs) else expr.rhs)
    if number is None:
        return both.passing()
    moved = op == "+" or (op == "-" and not is_scalar(expr.lhs))
    scaled = number > 0 and (op == "*" or (op == "/" and not is_scalar(expr.lhs)))
    vector = right if is_scalar(expr.lhs) else left
    return both.passing(
        tuple(
            v for v in vector.passed if (moved and (v.cumulative or v.kind == "timestamp")) or (scaled and v.cumulative)
        )
    )


def _compared(expr: promql.BinaryExpr, left: Values, right: Values, report: Report) -> Values:
    op, text, both = str(expr.op), shown(expr), left.beside(right)
    doubts = settled(left.doubts, op) + settled(right.doubts, FLIPPED[op])
    backwards = is_scalar(expr.lhs) or (is_clock(expr.lhs) and not is_scalar(expr.rhs))
    values, other, way = (right, expr.lhs, FLIPPED[op]) if backwards else (left, expr.rhs, op)
    number, nonzero, zero = constant(other), both.nonzero, both.zero
    keeps = not (expr.modifier and expr.modifier.return_bool)
    if is_clock(other):
        doubts += tuple(with_clock(values.passed, way, values.nonzero, text))
    elif number is not None:
        doubts += tuple(with_number(values.passed, way, number, text, report))
        named = frozenset(v.metric.name for v in values.passed if v.metric and v.kind != "count")
        at_zero, at_one = COMPARE[way](0, number), COMPARE[way](1, number)
        nonzero |= named if keeps and not at_zero else frozenset()
        zero |= named if keeps and at_zero and not at_one else frozenset()
    if not keeps:
        return replace(both, passed=(Value("bool"),), doubts=doubts)
    handed = values.passed if is_scalar(other) else left.passed
    passed = tuple(replace(v, compared=True) for v in handed)
    if way in ("<", "<="):  # "fewer than three of them report" may count whatever the state is
        passed = tuple(replace(v, metric=None) if v.kind == "count" else v for v in passed)
    return Values(passed, doubts, nonzero, zero, both.ranged)
