"""What is wrong with an incident that its YAML does not show: times, targets, and words that are about nothing.

A change of a series that does not exist changes nothing, and an alert that nobody could ever raise is quiet for ever:
both would let a story pass that proves nothing.
"""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence

from checks.cluster import Labels, Series, quoted, selector, selects, series_named, sorted_labels, targets
from checks.incident import Incident, New, Time
from checks.timeline import BadWords, Gone, spell_time
from homelab.inventory import Severity
from homelab.parse import alternatives
from homelab.query import Matcher, Selector

Mistake = tuple[str, str]  # where, below the incident, and what
_SHOWN = 8  # of what there is instead


def mistakes(
    incident: Incident, healthy: Sequence[Series], metrics: Mapping[str, list[Series]], known: Mapping[str, set[str]]
) -> Iterator[Mistake]:
    """Every one of them; `metrics` is the healthy cluster by_name, `known` are its label_values."""
    if not incident.interval or incident.interval % 2:
        yield "interval", "must be an even number of seconds: every story is also played with samples half of it later"
        return
    if incident.end % incident.interval:
        yield "end", f"must be a multiple of the interval, {spell_time(incident.interval)}"
    yield from _of_times(incident)
    for text in incident.changes:
        if why := _matches_nothing(text, metrics):
            yield f"changes.{text}", why
    if wrong := list(_of_new_ones(incident.new, healthy)):
        yield from wrong
    else:
        yield from _of_conditions(incident, known)


def _of_times(incident: Incident) -> Iterator[Mistake]:
    for place, time in _times(incident):
        if time > incident.end:
            yield place, f"{spell_time(time)} is after the end, {spell_time(incident.end)}"
        if time % incident.interval and place not in ("fault", "recovery"):
            yield place, f"rules are evaluated every {spell_time(incident.interval)}, found {spell_time(time)}"
    expect, fault, recovery = incident.expect, incident.fault, incident.recovery
    if (expect is None) != (fault is None):
        yield "id", "what breaks (fault) must be noticed (expect): give both or, for a healthy situation, neither"
    if not expect and not (incident.quiet or incident.firing or incident.at_most):
        yield "id", "nothing is expected of the alerts: give expect, quiet, firing or at_most"
    if recovery is not None and recovery <= (fault or 0):
        yield "recovery", f"must come after the fault, found {spell_time(recovery)}"
    if expect and expect.by <= (fault or 0):
        yield "expect.by", f"must come after the fault, found {spell_time(expect.by)}"
    if expect and expect.cleared is not None and (recovery is None or expect.cleared <= recovery):
        yield "expect.cleared", f"must come after the recovery, found {spell_time(expect.cleared)}"


def _times(incident: Incident) -> Iterator[tuple[str, Time]]:
    yield from ((name, time) for name in ("fault", "recovery") if (time := getattr(incident, name)) is not None)
    if expect := incident.expect:
        named = ((f"expect.{name}", getattr(expect, name)) for name in ("by", "cleared"))
        yield from ((place, time) for place, time in named if time is not None)
    for name in ("quiet", "firing", "at_most"):
        for number, limit in enumerate(getattr(incident, name)):
            yield from ((f"{name}[{number}].at", time) for time in limit.at)


def _matches_nothing(text: str, metrics: Mapping[str, list[Series]]) -> str:
    """Why the selector selects no series: the first of its matchers that leaves none, and what there is instead."""
    try:
        matchers = selector(text).matchers
    except BadWords as error:
        return str(error)
    left: list[Series] | None = None
    for matcher in matchers:
        if left is None and matcher.label == "__name__" and matcher.op == "=" and matcher.value in metrics:
            left = metrics[matcher.value]
            continue
        left = [series for some in metrics.values() for series in some] if left is None else left
        there = {series.named.get(matcher.label, "") for series in left}
        if missing := _missing(matcher, there):
            return f"no series left by {matcher.label}={quoted(missing)}; {_instead(missing, there)}"
        left = [series for series in left if selects(Selector(None, (matcher,)), series.named)]
        if not left:
            return f"no series left by {matcher.label}{matcher.op}{quoted(matcher.value)}"
    return ""


def _of_new_ones(new: Sequence[New], healthy: Sequence[Series]) -> Iterator[Mistake]:
    there = {series.labels for series in healthy}
    before: set[Labels] = set()
    for number, one in enumerate(new):
        place = f"new[{number}]"
        if bool(one.on) == bool(one.target):
            yield place, "needs either on (labels of a target that is there) or target (all labels of a new one)"
        elif one.on and len(found := targets(one.on, healthy)) != 1:
            yield f"{place}.on", f"must name one target of the healthy cluster, found {len(found)}"
        else:
            target = dict(one.target or targets(one.on, healthy)[0])
            for text in one.series:
                yield from ((f"{place}.series.{text}", why) for why in _of_new(one, text, target, there, before))


def _of_new(new: New, text: str, target: Mapping[str, str], there: set[Labels], before: set[Labels]) -> Iterator[str]:
    values = new.series[text]
    try:
        named = series_named(text)
    except BadWords as error:
        yield str(error)
        return
    if doubled := target.keys() & named[0].keys():
        yield f"its target has {', '.join(sorted(doubled))} already"
    these = {sorted_labels({**target, **own}) for own in named}
    if these & there:
        yield "the healthy cluster has this series: write it under changes"
    if these & before:
        yield "is there twice"
    before |= these
    if values.needs_another:
        yield "`baseline` means nothing for a series that the healthy cluster does not have"
    if all(isinstance(part.value, Gone) for part in values.parts):
        yield "is never there"


def _of_conditions(incident: Incident, known: Mapping[str, set[str]]) -> Iterator[Mistake]:
    """Alerts carry labels of the series that they are about: what no series has, no alert can have."""
    own = _values_of(named for new in incident.new for named in (new.target, *_names(new)))
    for name in ("quiet", "firing", "at_most"):
        for number, condition in enumerate(getattr(incident, name)):
            place = f"{name}[{number}].alerts"
            if not condition.at:
                yield f"{name}[{number}].at", "needs a time"
            for matcher in selector(f"ALERTS{condition.alerts}").matchers:
                there = known.get(matcher.label, set()) | own.get(matcher.label, set())
                if matcher.label in ("__name__", "alertname"):  # only the rules know the names of alerts
                    continue
                if not there:
                    yield place, f"no series has the label {matcher.label}; {_instead(matcher.label, known)}"
                elif missing := _missing(matcher, there):
                    found = f"no series has {matcher.label}={quoted(missing)}"
                    yield place, f"{found}; {_instead(missing, there)}"


def label_values(cluster: Sequence[Series]) -> dict[str, set[str]]:
    """What stands in each label of the cluster's series, and in those that every rule attaches."""
    attached = {"severity": set(typing.get_args(Severity)), "subsystem": {series.subsystem for series in cluster}}
    return _values_of(series.named for series in cluster) | attached


def _values_of(named: Iterable[Mapping[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for labels in named:
        for label, value in labels.items():
            found.setdefault(label, set()).add(value)
    return found


def _names(new: New) -> list[Mapping[str, str]]:
    return [named for text in new.series for named in series_named(text)]


def _missing(matcher: Matcher, there: Iterable[str]) -> str:
    """The value, or that of a list `a|b`, which none of these is; negative matchers name what need not be there."""
    if matcher.negative:
        return ""
    return next((one for one in matcher.alternatives if not any(matcher.names(one, value) for value in there)), "")


def _instead(found: str, there: Iterable[str]) -> str:
    near = difflib.get_close_matches(found, there := sorted(there), n=_SHOWN, cutoff=0.4)
    return alternatives(found, near or there[:_SHOWN])
