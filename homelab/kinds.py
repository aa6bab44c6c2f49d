"""What the values of each kind mean: which functions, comparisons and ages make sense of them."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from homelab.metric import Kind, Series
from homelab.query import Selector

COUNTERS_ONLY = {"rate", "irate", "increase", "resets"}
GAUGES_ONLY = {"deriv", "predict_linear", "delta", "idelta", "holt_winters", "double_exponential_smoothing"}
COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
DOMAINS = {"one-hot": (0, 1), "flag": (0, 1), "bool": (0, 1), "info": (1,), "present": (1,)}
_OLDEST = 1e9  # September 2001: no unix time that a homelab cares about is smaller


@dataclass(frozen=True)
class Value:
    """Sample values of one metric, unchanged; `bool` and `count` are made by the query itself."""

    kind: Kind | Literal["counter", "bool", "count"]
    series: Series | None = None
    selector: Selector | None = None
    compared: bool = False  # a comparison has chosen among them
    restricted: str = ""  # the first of `and` and `unless` that has chosen among their series
    nonzero: bool = False  # a comparison has left no 0

    @property
    def chosen(self) -> bool:
        """Whether the selector says which state it means, as far as the contract tells states from other labels."""
        states = {label for label, known in self.series.metric.labels.items() if known} if self.series else None
        return not states or self.selector is None or any(m.label in states for m in self.selector.matchers)


Values = tuple[Value, ...]


def kind_of(series: Series, chosen: Selector) -> Kind | Literal["counter"]:
    """What the values mean in the version that the selector means: {state=""} is the one without that label.

    Where no label tells the versions apart, both are meant, and the older one allows more.
    """
    if series.type == "counter":
        return "counter"
    before = series.metric.before
    if before and before.value:
        pinned = {m.label for m in chosen.matchers if m.op == "=" and not m.value}
        if not before.without or pinned & set(before.without):
            return before.value
    return series.metric.value


def mistyped(function: str, found: list[Series]) -> Iterator[str]:
    """rate() and its kin want counters, deriv() and its kin gauges; what is untyped may go to both."""
    types, first = {series.type for series in found}, found[0] if found else None
    if first is None or len(types) > 1:
        return
    if function in COUNTERS_ONLY and first.type == "gauge":
        what, instead = "a gauge", "delta() or deriv()"
        if first.metric.value == "timestamp":
            what, instead = "a unix time", f"changes(), or its age, time() - {first.name}"
        yield f"{function}() wants a counter and {first.name} is {what}; there is {instead}{first.note}"
    if function in GAUGES_ONLY and first.type == "counter":
        instead = "rate() or increase()"
        yield f"{function}() wants a gauge and {first.name} is a counter; there is {instead}{first.note}"
    if function == "histogram_quantile" and first.type == "counter":
        yield f"{first.name} is a counter, so this is about all time; say rate() over a range{first.note}"


def aged(values: Values) -> Iterator[str]:
    """What is taken from the present time must be a time, and where 0 is "never" it must be kept out."""
    for value in values:
        series = value.series
        if series and value.kind != "timestamp":
            yield f"{series.name} is no unix time, so this is no age{series.note}"
        elif series and series.metric.zero == "never" and not value.nonzero:
            guard = f'say ({series.name} > 0), and let another alert answer for "never"'
            yield f'0 means "never" and is read as 1970 here; {guard}{series.note}'


def numbered(values: Values, op: str, number: float) -> Iterator[tuple[str, str]]:
    """What is wrong with `values op number`."""
    at_zero, at_one = COMPARE[op](0, number), COMPARE[op](1, number)
    for value in values:
        series, metric = value.series, value.series.metric if value.series else None
        if value.kind == "count" and at_zero and not at_one:
            instead = "compare what is inside with 0, or say absent()"
            yield "count", f"count() is never 0, since without series it is no series itself; {instead}"
        elif value.kind == "count" and series and not at_zero:
            yield "count", f"{series.name} has a series for every state; count those that are == 1{series.note}"
        elif value.kind == "counter" and series:
            instead = "say increase() or rate() over a range"
            yield "counter", f"{series.name} is a counter and only grows; {instead}{series.note}"
        elif value.kind in DOMAINS and not _telling(DOMAINS[value.kind], op, number):
            yield "state", _stateless(value, op, number)
        elif value.kind == "timestamp" and series and metric and abs(number) < _OLDEST:
            if number == 0 and (metric.zero == "never" or op in (">", "!=")):
                continue
            allowed = '0, for "never", or its age' if metric.zero == "never" else "its age"
            what = f"is a unix time and {number:g} is none; allowed is {allowed}, time() - {series.name}"
            yield "timestamp", f"{series.name} {what}{series.note}"


def _telling(domain: Iterable[float], op: str, number: float) -> bool:
    """Whether a comparison tells 0 from 1, or names the only value that there is."""
    outcomes = [COMPARE[op](value, number) for value in domain]
    return any(outcomes) and (len(outcomes) == 1 or not all(outcomes))


def _stateless(value: Value, op: str, number: float) -> str:
    domain = DOMAINS[value.kind]
    values = " and ".join(f"{v:g}" for v in domain)
    outcome = "always" if COMPARE[op](domain[0], number) else "never"
    instead = " or ".join(f"== {v:g}" for v in domain[::-1])
    if value.series is None:
        return f"its values are {values}, so this is {outcome} true; there is {instead}"
    name, metric = value.series.name, value.series.metric
    states = next((f" for one {label}: {', '.join(known)}" for label, known in metric.labels.items() if known), "")
    message = f"{name} is {value.kind} ({values}), so this is {outcome} true; there is {instead}"
    message += states if value.kind == "one-hot" else ""
    if metric.before and metric.before.value == "ordinal":
        pinned = ", ".join(f'{label}=""' for label in metric.before.without)
        message += f"; before {metric.before.version} it is ordinal: {name}{{{pinned}}} {op} {number:g}"
    return message + value.series.note
