"""Holds an alert against the contract: what can never match, never fire or never end is refused.

A refusal is certain as far as the contract is complete; what names, labels and kinds of values cannot decide is let
through. Left to others: syntax (promtool), series that vanish instead of becoming 0, -1 for "never", counters that are
compared with each other, and whether two metrics that are joined ever meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from promql_parser import Expr

from homelab.kinds import Values
from homelab.labels import Labels, candidates, named, result_labels
from homelab.metric import Contract, hint, nearest
from homelab.query import Matcher, NotPromQL, Selector, duration, parse, selectors
from homelab.values import result_values

_SCRAPES_IN_FOR = 2
_SCRAPES_IN_RANGE = 4
_EXPRESSION_IN_TEXT = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_LABEL_IN_TEXT = re.compile(r"\$labels\.(\w+)")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with an alert. `kind` is the check that refuses it, `message` one sentence."""

    kind: str
    message: str


class Rule(Protocol):
    """An alerting rule, in Prometheus' own words; durations and templates are text."""

    @property
    def expr(self) -> str: ...
    @property
    def for_(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


def check(query: str, contract: Contract) -> list[Finding]:
    """What is wrong with a query. Never raises."""
    return _checked(query, contract)[0]


def check_alert(rule: Rule, contract: Contract) -> list[Finding]:
    """What is wrong with an alert: its query, its condition, its texts, its patience. Never raises."""
    findings, chosen, labels, values = _checked(rule.expr, contract)
    if any(f.kind == "syntax" for f in findings):
        return findings
    if not any(f.kind == "state" for f in findings):  # what is never true does not fire for a wrong state
        findings += _condition(values)
    return [*findings, *_texts(rule, labels), *_patience(rule.for_, chosen, contract)]


def _checked(query: str, contract: Contract) -> tuple[list[Finding], list[Selector], Labels, Values]:
    """What is wrong with a query, what it selects, and what its result can carry."""
    try:
        return _walked(parse(query), contract)
    except NotPromQL as error:
        return [Finding("syntax", f"promql-parser cannot read it: {error}")], [], Labels(), ()
    except RecursionError:
        return [Finding("syntax", "nested too deeply to be read")], [], Labels(), ()


def _walked(expr: Expr, contract: Contract) -> tuple[list[Finding], list[Selector], Labels, Values]:
    chosen = selectors(expr)
    findings = [finding for one in chosen for finding in _selector(one, contract)]

    def report(kind: str, message: str) -> None:
        findings.append(Finding(kind, message))

    labels, values = result_labels(expr, contract, report), result_values(expr, contract, report)
    return list(dict.fromkeys(findings)), chosen, labels, values


def _selector(chosen: Selector, contract: Contract) -> Iterator[Finding]:
    """Whether there is such a metric in this cluster, with such labels and values, and enough samples in its range."""
    if not named(chosen, contract):
        yield _unknown(chosen.name, contract) if chosen.name else Finding("metric", f"no metric matches {chosen}")
        return
    for matcher in chosen.matchers:
        if matcher.label != "__name__":
            yield from _matcher(chosen, matcher, contract)
            continue
        for pattern in matcher.alternatives:
            if pattern and not any(matcher.names(pattern, name) for name in contract.series):
                yield _unknown(pattern, contract)
    interval = _slowest(chosen, contract)
    if chosen.range_seconds is not None and chosen.range_seconds < _SCRAPES_IN_RANGE * interval:
        reason = f"is shorter than four scrapes (every {_length(interval)})"
        allowed = f"allowed is {_length(_SCRAPES_IN_RANGE * interval)} or more"
        yield Finding("range", f"{chosen}[{_length(chosen.range_seconds)}] {reason}; {allowed}")


def _unknown(name: str, contract: Contract) -> Finding:
    if owners := sorted({series.component for series in contract.everywhere.lookup(name)}):
        return Finding("component", f"{name} belongs to {' or '.join(owners)}, which this cluster does not run")
    if name in contract.not_existing:
        return Finding("metric", f"nobody exposes {name}: {contract.not_existing[name]}")
    if f"{name}_bucket" in contract.series:
        return Finding("metric", f"{name} is a histogram; there is {name}_bucket, {name}_sum and {name}_count")
    near = nearest(name, contract.series)
    advice = f"did you mean {near}?" if near else "the names are those of metrics/*.yaml"
    return Finding("metric", f"no metric named {name}; {advice}")


def _matcher(chosen: Selector, matcher: Matcher, contract: Contract) -> Iterator[Finding]:
    """Whether the label and its values are known, among what the other matchers select."""
    others = replace(chosen, matchers=tuple(m for m in chosen.matchers if m is not matcher))
    # What is excluded need not be here, as long as it can be somewhere.
    found = candidates(others, contract.everywhere if matcher.negative else contract)
    subject, label = chosen.name or str(others), matcher.label
    found = [series for series in found if not series.free]
    if not found:
        return
    known = [series.labels[label] for series in found if label in series.labels]
    if not known:
        advice = hint(label, {name for series in found for name in series.labels})
        yield Finding("label", f"{subject} never has the label {label}; {advice}")
        return
    if None in known:
        return
    values = {value for of_one in known for value in of_one or ()}
    for pattern in matcher.alternatives:
        # Nothing is a series without the label, which may well be.
        if pattern and not any(matcher.names(pattern, value) for value in values):
            what = f'{label} of {subject} is never "{pattern}"'
            yield Finding("value", f"{what}; {hint(pattern, values)}{found[0].note}")


def _condition(values: Values) -> Iterator[Finding]:
    """An alert fires for every series of its result, those with the value 0 too."""
    for value in values:
        if value.kind in ("one-hot", "flag", "bool") and not value.compared:
            if value.kind != "flag" or value.restricted != "unless":  # there it may stand for what has it
                name = f"{value.series.name} ({value.kind})" if value.series else "a comparison with bool"
                reason = "so this fires for a value of 0 too; add == 1"
                yield Finding("condition", f"{name} is the whole condition and not compared, {reason}")
        elif value.kind == "one-hot" and value.series and not value.restricted and not value.chosen:
            states = next(f"{k}={'|'.join(v)}" for k, v in value.series.metric.labels.items() if v)
            reason = "has a series for every state and one of them always matches"
            yield Finding("condition", f"{value.series.name} {reason}; choose one: {states}")


def _texts(rule: Rule, labels: Labels) -> Iterator[Finding]:
    """Labels in templates: what the expression cannot have is an empty word in the notification."""
    texts = {"summary": rule.summary, "description": rule.description}
    texts |= {f"label {name}": text for name, text in rule.labels.items()}
    for place, text in texts.items():
        for inner in _EXPRESSION_IN_TEXT.findall(text):
            for name in _LABEL_IN_TEXT.findall(inner):
                if name not in labels:
                    advice = hint(name, labels.names - {"__name__"})
                    message = f"{place} uses the label {name}, which the expression cannot have; {advice}"
                    yield Finding("template", message)


def _patience(for_: str, chosen: list[Selector], contract: Contract) -> Iterator[Finding]:
    """One lost scrape of the slowest target must not decide."""
    wait = duration(for_)
    slowest = max(chosen, key=lambda one: _slowest(one, contract), default=None)
    interval = _slowest(slowest, contract) if slowest else 0
    if wait is None:
        yield Finding("for", f'for "{for_}" is not a duration; allowed is 0m, 5m, 1h30m')
    elif wait < _SCRAPES_IN_FOR * interval:
        reason = f"is shorter than two scrapes of {slowest} (every {_length(interval)})"
        yield Finding("for", f"for {for_} {reason}; allowed is {_length(_SCRAPES_IN_FOR * interval)} or more")


def _slowest(chosen: Selector, contract: Contract) -> float:
    """Seconds between two scrapes of the slowest target that a selector matches; 0 for what no scrape brings."""
    return max((duration(series.interval) or 0 for series in candidates(chosen, contract)), default=0)


def _length(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"
