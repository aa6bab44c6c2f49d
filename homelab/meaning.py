"""What values of each kind can sensibly be compared with, and which functions they can be given to."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from homelab.metric import Kind, Metric
from homelab.query import Selector

Report = Callable[[str, str], None]

COUNTERS_ONLY = {"rate", "irate", "increase", "resets"}
GAUGES_ONLY = {"deriv", "predict_linear", "delta", "idelta", "holt_winters", "double_exponential_smoothing"}
DOMAINS: dict[str, tuple[float, ...]] = {
    "one-hot": (0, 1),
    "flag": (0, 1),
    "bool": (0, 1),
    "info": (1,),
    "present": (1,),
}
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_OLDEST = 1e9  # September 2001: no unix time that a homelab cares about is smaller


@dataclass(frozen=True)
class Value:
    """Sample values of one metric, unchanged. `bool` and `count` are made by the query itself."""

    kind: Kind | Literal["bool", "count"]
    metric: Metric | None = None
    selector: Selector | None = None
    compared: bool = False  # a comparison has chosen among them

    @property
    def cumulative(self) -> bool:
        """Whether they only ever grow."""
        return self.metric is not None and self.metric.type == "counter"

    @property
    def can_be_never(self) -> bool:
        """Whether they are unix times of which 0 means that it never happened."""
        return self.metric is not None and self.kind == "timestamp" and self.metric.zero == "never"


@dataclass(frozen=True)
class Doubt:
    """A refusal that something further out in the query may still lift; `about` is the metric that it is about."""

    kind: Literal["never", "counter", "removed"]
    about: str
    message: str
    zero_is: Literal["large", "small", ""] = ""  # what a 0 that means "never" becomes: a huge age, an expiry long past


def kind_of(metric: Metric, chosen: Selector) -> Kind:
    """What the values mean in the version that the selector means: {state=""} is the one without that label."""
    before = metric.before
    if (
        before
        and before.value
        and any(m.op == "=" and not m.value and m.label in before.without for m in chosen.matchers)
    ):
        return before.value
    return metric.value


def note(metric: Metric | None) -> str:
    """What the contract says about a metric, to end a sentence with."""
    return f" ({metric.note})" if metric and metric.note else ""


def mistyped(function: str, metrics: list[Metric], text: str) -> Iterator[tuple[str, str]]:
    """rate() and its kin want counters, deriv() and its kin gauges; what is untyped may go to both."""
    if not metrics or any(m.type == "untyped" for m in metrics):
        return
    first = metrics[0]
    if function in COUNTERS_ONLY and all(m.type != "counter" for m in metrics):
        what, instead = f"a {first.type}", "delta() or deriv()"
        if first.value == "timestamp":
            what, instead = "a unix time", f"changes(), or its age, time() - {first.name}"
        yield (
            "type",
            f"{text}: {function}() wants a counter and {first.name} is {what}; there is {instead}{note(first)}",
        )
    if function in GAUGES_ONLY and all(m.type == "counter" for m in metrics):
        instead = "rate() or increase()"
        yield (
            "type",
            f"{text}: {function}() wants a gauge and {first.name} is a counter; there is {instead}{note(first)}",
        )


def with_number(values: tuple[Value, ...], op: str, number: float, text: str, report: Report) -> Iterator[Doubt]:
    """`values op number`: refusals are reported, those that may be lifted are returned."""
    at_zero, at_one = COMPARE[op](0, number), COMPARE[op](1, number)
    if values and all(v.kind == "count" for v in values) and at_zero and not at_one:
        instead = "compare the values inside with 0, or say absent()"
        report("count", f"{text}: count() is never 0, since without series it is no series itself; {instead}")
    for value in values:
        metric = value.metric
        if value.kind in DOMAINS:
            _in_domain(value, op, number, text, report)
        elif metric is None or value.kind == "count":
            continue
        elif value.cumulative and not (at_zero and not at_one):  # `== 0` is "not yet" and ends by itself
            reason = "is a counter and only grows, so this never resolves"
            message = f"{text}: {metric.name} {reason}; say increase() or rate() over a range{note(metric)}"
            yield Doubt("counter", metric.name, message)
        elif value.kind == "timestamp" and abs(number) < _OLDEST:
            if number == 0 and (metric.zero == "never" or op in (">", "!=")):
                continue
            allowed = '0, for "never", or ' if metric.zero == "never" else ""
            message = f"{text}: {metric.name} is a unix time and {number:g} is none; allowed is {allowed}its age"
            report("timestamp", f"{message}, time() - {metric.name}{note(metric)}")


def _in_domain(value: Value, op: str, number: float, text: str, report: Report) -> None:
    """Values that are 0 or 1: a comparison must tell the two apart, or name the only one that there is."""
    domain = DOMAINS[value.kind]
    outcomes = {COMPARE[op](v, number) for v in domain}
    if outcomes == {True, False} or (len(domain) == 1 and outcomes == {True}):
        return
    metric = value.metric
    subject = f"{metric.name} is {value.kind}, its values are" if metric else "its values are"
    values = " and ".join(f"{v:g}" for v in domain)
    allowed = " or ".join(f"== {v:g}" for v in domain[::-1])
    message = (
        f"{text}: {subject} {values}, so this is {'always' if True in outcomes else 'never'} true; there is {allowed}"
    )
    if metric is None:
        report("state", message)
        return
    if value.kind == "present":
        message += ", and absent() or unless for the series that is not there"
    states = [f"{label}={'|'.join(known)}" for label, known in metric.labels.items() if known]
    if value.kind == "one-hot" and states:
        message += f" for one state, {states[0]}"
    if metric.before and metric.before.value == "ordinal":
        pinned = ", ".join(f'{label}=""' for label in metric.before.without)
        message += (
            f"; versions before {metric.before.version} have an ordinal: {metric.name}{{{pinned}}} {op} {number:g}"
        )
    report("state", message + note(metric))


def with_clock(values: tuple[Value, ...], op: str, nonzero: frozenset[str], text: str) -> Iterator[Doubt]:
    """`x < time() - 3600` is an age too, and one that "never" always reaches."""
    for value in values:
        if value.metric and value.can_be_never and value.metric.name not in nonzero and op in ("<", "<=", "!="):
            yield _never(value.metric, "older than any limit", "", text)


def ages(
    values: tuple[Value, ...], zero_is: Literal["large", "small"], nonzero: frozenset[str], text: str, report: Report
) -> Iterator[Doubt]:
    """`time() - x` and `x - time()`: x must be a time, and where 0 is "never" it must be kept out."""
    for value in values:
        metric = value.metric
        if metric is None:
            continue
        if value.kind != "timestamp":
            what = f"a {metric.type} ({value.kind})"
            allowed = "an age have only metrics with value: timestamp in the contract"
            report("timestamp", f"{text}: {metric.name} is {what} and no unix time; {allowed}{note(metric)}")
        elif value.can_be_never and metric.name not in nonzero:
            effect = "an age of half a century" if zero_is == "large" else "an expiry long past"
            yield _never(metric, effect, zero_is, text)


def _never(metric: Metric, effect: str, zero_is: Literal["large", "small", ""], text: str) -> Doubt:
    guard = f'say ({metric.name} > 0), and let another alert answer for "never"'
    return Doubt("never", metric.name, f'{text}: 0 means "never" and is {effect} here; {guard}{note(metric)}', zero_is)


def settled(doubts: tuple[Doubt, ...], op: str) -> tuple[Doubt, ...]:
    """Doubts that are left when the values are compared: a huge age is not `< 600`, an expiry long past not `> 0`."""
    harmless = {"large": ("<", "<=", "=="), "small": (">", ">=", "=="), "": ()}
    return tuple(d for d in doubts if op not in harmless[d.zero_is])


def lifted(doubts: tuple[Doubt, ...], nonzero: frozenset[str], ranged: frozenset[str]) -> tuple[Doubt, ...]:
    """Doubts that are left where only some series stay.

    `and x > 0` keeps "never" out; beside `increase(x[1h]) > 0` a counter may be compared, since that part ends.
    """
    return tuple(
        d
        for d in doubts
        if not (d.kind == "never" and d.about in nonzero) and not (d.kind == "counter" and d.about in ranged)
    )
