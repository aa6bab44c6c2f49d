"""Which labels the result of a query can carry, as Prometheus' engine hands them on.

"Can": a label that any version, job or branch of `or` may bring counts as there, so a refusal is certain.
`report(kind, message)` hears of labels that are asked for where they cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import promql_parser as promql
from promql_parser import Expr

from homelab.metric import Contract, Series, hint
from homelab.query import Matcher, Selector, is_scalar, selector, shown

Report = Callable[[str, str], None]

KEEP_ALL = {"topk", "bottomk", "limitk", "limit_ratio"}
# Functions that hand on whole series, name included; every other one drops the name.
KEEP_NAME = {"sort", "sort_desc", "sort_by_label", "sort_by_label_desc", "last_over_time", "first_over_time"}
SET_OPERATORS = {"and", "or", "unless"}
COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}


@dataclass(frozen=True)
class Labels:
    """The labels that the series of a result can have.

    `sure` are those that every one of them has, never empty; with `free` there may be any others too.
    """

    names: frozenset[str] = frozenset()
    sure: frozenset[str] = frozenset()
    free: bool = False

    def __contains__(self, label: str) -> bool:
        return self.free or label in self.names

    def only(self, labels: Iterable[str]) -> Labels:
        """After `by (labels)`. A label that is not there was reported; it is not reported again further up."""
        kept = frozenset(labels)
        return Labels(kept, self.sure & kept)

    def without(self, *labels: str) -> Labels:
        """After `without (labels)`."""
        return Labels(self.names - set(labels), self.sure - set(labels), self.free)

    def unnamed(self) -> Labels:
        """Without the metric's name."""
        return self.without("__name__")

    def adding(self, *labels: str) -> Labels:
        """With labels that may be set to nothing."""
        return Labels(self.names | set(labels), self.sure - set(labels), self.free)

    def either(self, other: Labels) -> Labels:
        """After `or`."""
        return Labels(self.names | other.names, self.sure & other.sure, self.free or other.free)


def admitted(series: Series, matcher: Matcher) -> bool:
    """Whether the matcher can select the series; a label that is not there for certain may be empty."""
    values = series.labels.get(matcher.label, None if series.free else ())
    if values is None:
        return True
    return any(matcher.admits(value) for value in (values if matcher.label in series.sure else (*values, "")))


def named(chosen: Selector, contract: Contract) -> list[Series]:
    """The series that a selector can mean by its name alone."""
    if chosen.name is not None:
        return contract.lookup(chosen.name)
    patterns = chosen.of("__name__")
    return [s for name, found in contract.series.items() if all(p.admits(name) for p in patterns) for s in found]


def candidates(chosen: Selector, contract: Contract) -> list[Series]:
    """The series that a selector can match; all of its name where a matcher fits none, which is reported elsewhere."""
    found = named(chosen, contract)
    matchers = [m for m in chosen.matchers if m.label != "__name__"]
    return [s for s in found if all(admitted(s, m) for m in matchers)] or found


def selected(chosen: Selector, contract: Contract) -> Labels:
    """The labels of what a selector matches; an unknown metric may have any."""
    found = candidates(chosen, contract)
    if not found:
        return Labels(free=True)
    names = frozenset(label for series in found for label in series.labels) | {"__name__"}
    missing = {m.label for m in chosen.matchers if m.op == "=" and not m.value}
    pinned = {m.label for m in chosen.matchers if m.op == "=" and m.value and m.label in names}
    sure = names.intersection(*(series.sure for series in found)) | pinned
    return Labels(names - missing, sure - missing, any(series.free for series in found))


def result_labels(expr: Expr, contract: Contract, report: Report) -> Labels:
    """The labels that the result of an expression can carry; none for a scalar."""
    if isinstance(expr, (promql.VectorSelector, promql.MatrixSelector)):
        return selected(selector(expr), contract)
    if isinstance(expr, (promql.ParenExpr, promql.SubqueryExpr)):
        return result_labels(expr.expr, contract, report)
    if isinstance(expr, promql.UnaryExpr):
        return result_labels(expr.expr, contract, report).unnamed()
    if isinstance(expr, promql.AggregateExpr):
        return _aggregated(expr, contract, report)
    if isinstance(expr, promql.Call):
        return _called(expr, contract, report)
    if isinstance(expr, promql.BinaryExpr):
        return _combined(expr, contract, report)
    return Labels()


def _aggregated(expr: promql.AggregateExpr, contract: Contract, report: Report) -> Labels:
    inner = result_labels(expr.expr, contract, report)
    op, modifier = str(expr.op), expr.modifier
    asked = list(modifier.labels) if modifier else []
    without = modifier is not None and modifier.type == promql.AggModifierType.Without
    counted = [expr.param.val] if op == "count_values" and isinstance(expr.param, promql.StringLiteral) else []
    word = "without" if without else "by"
    _known(asked, inner.adding(*counted), f"{op} {word} ({', '.join(asked)}): {shown(expr.expr)}", report)
    if op in KEEP_ALL:
        return inner
    return (inner.without(*asked, "__name__") if without else inner.only(asked)).adding(*counted)


def _called(expr: promql.Call, contract: Contract, report: Report) -> Labels:
    name, arguments = expr.func.name, list(expr.args)
    vectors = [result_labels(a, contract, report) for a in arguments if not is_scalar(a)]
    if name in ("absent", "absent_over_time"):
        return _absent(arguments[0]) if arguments else Labels()
    if is_scalar(expr) or not vectors:  # time(), scalar(x), vector(1), hour()
        return Labels()
    result = vectors[0]
    if name in ("label_replace", "label_join"):
        return _relabelled(name, arguments, result, report)
    if name == "histogram_quantile":
        result = result.without("le")
    return result if name in KEEP_NAME else result.unnamed()


def _absent(argument: Expr) -> Labels:
    """absent() invents its labels: those that one equality matcher gives. Anything but a bare selector gives none."""
    if not isinstance(argument, (promql.VectorSelector, promql.MatrixSelector)):
        return Labels()
    matchers = [m for m in selector(argument).matchers if m.label != "__name__"]
    asked = [m.label for m in matchers]
    names = frozenset(m.label for m in matchers if m.op == "=" and m.value and asked.count(m.label) == 1)
    return Labels(names, names)


def _relabelled(name: str, arguments: list[Expr], inner: Labels, report: Report) -> Labels:
    words = [a.val if isinstance(a, promql.StringLiteral) else "" for a in arguments[1:]]
    if name == "label_join":
        target, sources = words[0], words[2:]
        _known(sources, inner, f"label_join to {target}: {shown(arguments[0])}", report)
        return inner.adding(target)
    target, replacement, source = words[:3]
    if source and "$" in replacement:  # an empty source is the way to set a constant
        _known([source], inner, f"label_replace to {target}: {shown(arguments[0])}", report)
    if replacement:
        return inner.adding(target)
    return inner if source else inner.without(target)  # with a source, only series that match lose the label


def _combined(expr: promql.BinaryExpr, contract: Contract, report: Report) -> Labels:
    op, modifier = str(expr.op), expr.modifier
    left, right = (result_labels(side, contract, report) for side in (expr.lhs, expr.rhs))
    drops_name = op not in SET_OPERATORS and (op not in COMPARISONS or bool(modifier and modifier.return_bool))
    if is_scalar(expr.lhs) or is_scalar(expr.rhs):
        vector = right if is_scalar(expr.lhs) else left
        return vector.unnamed() if drops_name else vector
    on, asked = _matching(expr)
    _matchable(expr, left, right, report)
    if op in SET_OPERATORS:
        return left.either(right) if op == "or" else left
    card = modifier.card if modifier else promql.VectorMatchCardinality.OneToOne
    swapped = card == promql.VectorMatchCardinality.OneToMany
    many, one, one_side = (right, left, expr.lhs) if swapped else (left, right, expr.rhs)
    result = many.unnamed() if drops_name else many
    if card == promql.VectorMatchCardinality.OneToOne:
        return result.only(asked) if on else result.without(*asked)
    included = list(modifier.group_labels or []) if modifier else []
    _known(included, one, f"group_{'right' if swapped else 'left'} ({', '.join(included)}): {shown(one_side)}", report)
    return result.adding(*included)


def _matching(expr: promql.BinaryExpr) -> tuple[bool, list[str]]:
    """Whether the match is `on`, and the labels of `on` or `ignoring`."""
    matching = expr.modifier.matching if expr.modifier else None
    return (matching.type == promql.LabelModifierType.Include, list(matching.labels)) if matching else (False, [])


def _matchable(expr: promql.BinaryExpr, left: Labels, right: Labels, report: Report) -> None:
    """Report labels of on/ignoring that a side never has, and sides that differ in a label which one always has."""
    op = str(expr.op)
    on, asked = _matching(expr)
    words = f"{op} {'on' if on else 'ignoring'} ({', '.join(asked)})"
    if on:
        _known(asked, left, f"{words}, left side: {shown(expr.lhs)}", report)
        _known(asked, right, f"{words}, right side: {shown(expr.rhs)}", report)
        return
    _known(asked, left.either(right), f"{words}: {shown(expr)}", report)
    if op == "or":
        return
    for side, other, name, place in ((left, right, "left", "right"), (right, left, "right", "left")):
        lone = sorted(label for label in side.sure - set(asked) - {"__name__"} if label not in other)
        if lone:
            lonely = f"every series on the {name} has {', '.join(lone)} and none on the {place}"
            advice = "so nothing ever matches; say on (...) or ignoring (...) with labels that both sides have"
            report("matching", f"{op}: {lonely}, {advice}: {shown(expr)}")
            return


def _known(asked: Collection[str], labels: Labels, place: str, report: Report) -> None:
    for label in asked:
        if label not in labels:
            report("label", f"{place} never has the label {label}; {hint(label, labels.names - {'__name__'})}")
