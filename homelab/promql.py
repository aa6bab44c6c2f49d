"""Holds a query, or a whole alert, against the contract: what can never match, never fire or never end is refused.

A refusal is certain as far as the contract is complete; what names, labels and kinds of values cannot decide is let
through. Left to others: syntax (promtool), what only some versions have, series that vanish instead of becoming 0,
-1 for "never", counters that are compared with each other, and whether two metrics that are joined ever meet.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

import promql_parser as promql
from promql_parser import Expr

from homelab.labels import Labels, candidates, result_labels
from homelab.meaning import note
from homelab.metric import Contract, Metric, nearest
from homelab.parse import alternatives
from homelab.query import Finding, Matcher, NotPromQL, Selector, parse, selectors, walk
from homelab.values import Values, result_values

__all__ = ["Finding", "Labels", "Rule", "Selector", "check", "check_alert", "parse", "result_labels", "selectors"]

_SCRAPES_IN_FOR = 2
_SCRAPES_IN_RANGE = 4
_EXPRESSION_IN_TEXT = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_LABEL_IN_TEXT = re.compile(r'(?:\$labels|(?<![\w)])\.Labels)\.(\w+)|index\s+(?:\$labels|\.Labels)\s+"(\w+)"')


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


def check(query: str, contract: Contract, components: Collection[str] | None = None) -> list[Finding]:
    """What is wrong with a query in a cluster that runs `components` (None: any). Never raises."""
    try:
        return list(dict.fromkeys(_query_findings(parse(query), contract, components)))
    except NotPromQL as error:
        return [Finding("syntax", f"promql-parser cannot read it: {error}")]
    except RecursionError:
        return [Finding("syntax", "nested too deeply to be read")]


def check_alert(rule: Rule, contract: Contract, components: Collection[str] | None = None) -> list[Finding]:
    """What is wrong with an alert: its query, its condition, its texts, its patience. Never raises."""
    findings = check(rule.expr, contract, components)
    if any(f.kind == "syntax" for f in findings):
        return findings
    expr = parse(rule.expr)
    findings += _condition(result_values(expr, contract, lambda *_: None))
    findings += _texts(rule, result_labels(expr, contract))
    findings += _patience(rule, expr, contract, components)
    return list(dict.fromkeys(findings))


def _query_findings(expr: Expr, contract: Contract, components: Collection[str] | None) -> list[Finding]:
    findings: list[Finding] = []
    for chosen in selectors(expr):
        findings += _selector(chosen, contract, components)

    def report(kind: str, message: str) -> None:
        findings.append(Finding(kind, message))

    result_labels(expr, contract, report)
    doubts = result_values(expr, contract, report).doubts
    return findings + [Finding({"never": "timestamp"}.get(d.kind, d.kind), d.message) for d in doubts]


def _selector(chosen: Selector, contract: Contract, components: Collection[str] | None) -> Iterator[Finding]:
    """Whether there is such a metric, in this cluster, with such labels and values."""
    metrics = candidates(chosen, contract)
    if not metrics:
        yield Finding("metric", _unknown(chosen, contract))
        return
    of = sorted({metric.component for metric in metrics})
    if components is not None and "" not in of and not set(of) & set(components):
        what = f"{chosen} belongs to {' or '.join(of)}, which this cluster does not run"
        yield Finding("component", f"{what}; it runs {', '.join(sorted(components))}")
    # Against the metrics of all jobs: `job!="x"` is about a job that the selector leaves out.
    everywhere = candidates(replace(chosen, matchers=tuple(m for m in chosen.matchers if m.label != "job")), contract)
    for matcher in chosen.matchers:
        if matcher.label == "__name__":
            for pattern in matcher.alternatives:
                if not any(matcher.names(pattern, name) for name in contract.names):
                    yield Finding("metric", f"{chosen}: {_unknown(Selector(pattern, ()), contract)}")
        else:
            yield from _matcher(chosen, matcher, everywhere if matcher.label == "job" else metrics)


def _unknown(chosen: Selector, contract: Contract) -> str:
    name = chosen.name
    if name is None:
        return f"no metric matches {chosen}; the names are those of metrics/*.yaml"
    if name in contract.not_existing:
        return f"nobody exposes {name}: {contract.not_existing[name]}"
    if name in contract.families:
        return f"{name} is a histogram; there is {name}_bucket, {name}_sum and {name}_count"
    near = nearest(name, contract.names)
    return f"no metric named {name}; {f'did you mean {near}?' if near else 'the names are those of metrics/*.yaml'}"


def _matcher(chosen: Selector, matcher: Matcher, metrics: list[Metric]) -> Iterator[Finding]:
    subject = chosen.name or str(chosen)
    with_label = [m for m in metrics if matcher.label in m.arriving]
    if not with_label:
        if not any(m.free for m in metrics):
            labels = {label for m in metrics for label in m.arriving}
            hint = alternatives(matcher.label, labels)
            yield Finding("label", f"{subject} never has the label {matcher.label} ({matcher}); {hint}")
        return
    known: list[str] = []
    for values in (m.arriving[matcher.label] for m in with_label):
        if values is None:
            return
        known += values
    for pattern in matcher.alternatives:
        # Nothing is a series without the label, which may well be.
        if pattern and not any(matcher.names(pattern, value) for value in known):
            hint = alternatives(pattern, set(known))
            what = f'{matcher.label} of {subject} is never "{pattern}"'
            yield Finding("value", f"{what} ({matcher}); {hint}{note(with_label[0])}")


def _condition(values: Values) -> Iterator[Finding]:
    """An alert fires for every series of its result, those with the value 0 too."""
    for value in values.passed:
        metric, kind = value.metric, value.kind
        name = metric.name if metric else "a comparison with bool"
        if metric and metric.before and not metric.before.without and metric.before.value:
            kind = metric.before.value if kind == "present" else kind  # older versions had a 0 where none is now
        if kind == "count" and metric:
            reason = "so count() is the same whatever the state"
            yield Finding("condition", f"{name} has a series for every state, {reason}; count those that are == 1")
        elif kind in ("one-hot", "flag", "bool") and not value.compared:
            reason = "series of value 0 match too, so this always fires"
            yield Finding("condition", f"{name} ({kind}) is the whole condition and not compared; {reason}; add == 1")
        elif kind == "one-hot" and metric and value.selector and not _chosen(metric, value.selector):
            states = ", ".join(f"{k}={'|'.join(v)}" for k, v in metric.labels.items() if v)
            reason = "has a series for every state and one of them always matches"
            yield Finding("condition", f"{name} {reason}; choose one: {states}")


def _chosen(metric: Metric, chosen: Selector) -> bool:
    """Whether a selector says which state it means, as far as the contract tells states from other labels."""
    listed = [label for label, known in metric.labels.items() if known]
    return not listed or any(m.label in metric.labels for m in chosen.matchers)


def _texts(rule: Rule, labels: Labels) -> Iterator[Finding]:
    """Labels in templates: what the expression cannot have is an empty word in the notification."""
    texts = {"summary": rule.summary, "description": rule.description}
    texts |= {f"label {name}": text for name, text in rule.labels.items()}
    for place, text in texts.items():
        for inner in _EXPRESSION_IN_TEXT.findall(text):
            for name in (first or second for first, second in _LABEL_IN_TEXT.findall(inner)):
                own = ".Labels" in inner and "query" in text  # of another query's result
                if name not in labels and not own:
                    hint = alternatives(name, labels.names - {"__name__"})
                    yield Finding(
                        "template", f"{place} uses the label {name}, which the expression cannot have; {hint}"
                    )


def _patience(rule: Rule, expr: Expr, contract: Contract, components: Collection[str] | None) -> Iterator[Finding]:
    """One lost scrape must not decide: `for` spans two of the slowest target, a range four."""
    slowest, name = 0.0, ""
    for chosen in selectors(expr):
        interval = max((j.interval_seconds for m in _here(chosen, contract, components) for j in m.jobs), default=0.0)
        if interval > slowest:
            slowest, name = interval, chosen.name or str(chosen)
        if chosen.range_seconds is not None and chosen.range_seconds < _SCRAPES_IN_RANGE * interval:
            need = _duration(_SCRAPES_IN_RANGE * interval)
            reason = f"is shorter than four scrapes (every {_duration(interval)}); allowed is {need} or more"
            yield Finding("range", f"{chosen}[{_duration(chosen.range_seconds)}] {reason}")
    wait = _seconds(rule.for_)
    if wait is None:
        yield Finding("for", f'for "{rule.for_}" is not a duration; allowed is 0m, 5m, 1h30m')
    elif wait == 0 and slowest and not _patient(expr):
        reason = "fires on one scrape, since nothing in the expression looks back (no time(), no range)"
        yield Finding("for", f"for 0m {reason}; allowed is {_duration(_SCRAPES_IN_FOR * slowest)} or more for {name}")
    elif 0 < wait < _SCRAPES_IN_FOR * slowest:
        reason = f"is shorter than two scrapes of {name} (every {_duration(slowest)})"
        yield Finding("for", f"for {rule.for_} {reason}; allowed is {_duration(_SCRAPES_IN_FOR * slowest)} or more")


def _here(chosen: Selector, contract: Contract, components: Collection[str] | None) -> list[Metric]:
    metrics = candidates(chosen, contract)
    return [m for m in metrics if components is None or m.component in components] or metrics


def _patient(expr: Expr) -> bool:
    nodes = list(walk(expr))
    if any(isinstance(node, (promql.MatrixSelector, promql.SubqueryExpr)) for node in nodes):
        return True
    return any(isinstance(node, promql.Call) and node.func.name == "time" for node in nodes)


def _seconds(duration: str) -> float | None:
    if re.fullmatch(r"(0+(ms|[smhdwy])?)*", duration):
        return 0.0
    try:
        return promql.parse_duration(duration).total_seconds()
    except ValueError:
        return None


def _duration(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"
