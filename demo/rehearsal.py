"""The incident, played by promtool before anything is started: which alerts fire when, and since when each is active.

So the demo knows at which moment of the story it has to begin, and what Prometheus would remember there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from checks.cluster import Labels, Series, sorted_labels
from checks.incidents import Incident, compose
from checks.replay import RANK, Rule, hits, touched
from checks.timeline import spell_time
from demo import story
from demo.states import Alert, State, States, ends, needed, play
from homelab.query import parse, selectors

_LEAD = 60  # the live part begins so many seconds before the alert resolves
_LONGEST_WAIT = (2 * 3600, 9 * 3600)  # how far after a repair it is looked for: first a short way, then a long one


class NothingToShow(Exception):
    """The incident cannot be shown; the message says why."""


@dataclass(frozen=True)
class Rehearsal:
    """The whole cluster during the story, and what the alerts do; times are seconds of the story."""

    series: Sequence[Series]
    states: States
    begin: int  # where the live part begins
    changed: Collection[Labels] = ()  # the series of which the story says something
    alert: Alert | None = None  # the one to show; none in a healthy situation
    fires: int = 0
    clears: int = 0
    repaired: int | None = None  # where the story knows no recovery: from then on everything is healthy

    def at(self, seconds: int) -> Sequence[State]:
        """The alerts that are active at a moment."""
        return self.states[max(at for at in self.states if at <= seconds)]

    def firing_before(self, seconds: int) -> list[str]:
        """The names of those that fired before then, apart from the one that always does."""
        found = (labels for at, states in self.states.items() if at < seconds for labels in _firing(states))
        return sorted({labels["alertname"] for labels in found if RANK[labels["severity"]] > RANK["none"]})


def shipped(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The groups of the PrometheusRule objects in a folder, by the stem of their file."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    files = sorted(folder.glob("*.yaml"))
    # The loader is a safe one, if perhaps the faster of the two.
    return {path.stem: yaml.load(path.read_text("utf-8"), loader)["spec"]["groups"] for path in files}  # noqa: S506


def rehearse(incident: Incident, healthy: Sequence[Series], groups: Iterable[Mapping[str, Any]]) -> Rehearsal:
    """Find the moment worth showing. Raises NothingToShow, PromtoolError and ToolMissing."""
    rules = [Rule(g["name"], spec, tuple(selectors(parse(spec["expr"])))) for g in groups for spec in g["rules"]]
    told = compose(incident, healthy)
    known = {id(series) for series in healthy}
    different = [series for series in told if id(series) not in known]
    changed = {series.labels for series in different}
    rules = needed(touched(rules, different))
    states = play(rules, told, incident.interval, incident.end)
    if incident.expect is None:
        return Rehearsal(_held(told, incident.interval), states, _oddest(incident, states), changed)
    if incident.expect.severity == "none":
        raise NothingToShow(f"{incident.id} is about the alert that always fires; every demo shows its heartbeat")
    if not any(hits(incident, _firing(found)) for found in states.values()):
        raise NothingToShow(f"no alert notices {incident.id}; `make replay ARGS={incident.id}` says more")
    if incident.recovery is not None and (found := _episode(incident, states)):
        alert, fires, clears = found
        return _precisely(incident, rules, Rehearsal(told, states, 0, changed, alert, fires, clears))
    mended = story.repaired(told, healthy, incident.end)
    for wait in _LONGEST_WAIT:
        states = play(rules, mended, incident.interval, incident.end + wait)
        if found := _episode(incident, states):
            alert, fires, clears = found
            return _precisely(
                incident, rules, Rehearsal(mended, states, 0, changed, alert, fires, clears, incident.end)
            )
    raise NothingToShow(f"{incident.id} is still an alert {spell_time(_LONGEST_WAIT[-1])} after everything is healthy")


def _firing(states: Iterable[State]) -> list[Alert]:
    return [state.labels for state in states if state.firing]


def _oddest(incident: Incident, states: States) -> int:
    """Of the moments at which nothing may fire, the one at which most is pending."""
    moments = sorted({at for quiet in incident.quiet for at in quiet.at}) or [incident.end]
    return max(moments, key=lambda at: len(states[at]))


def _episode(incident: Incident, states: States) -> tuple[Alert, int, int] | None:
    """The alert to show, the step at which it fires and the step at which it no longer does.

    Of those that notice the incident, rather one that ends because it is over and not because it got worse; then the
    more severe, the earlier.
    """
    found: list[tuple[tuple[bool, int, int], Labels, int]] = []
    begun: dict[Labels, int] = {}
    over = incident.end if incident.recovery is None else incident.recovery
    for at, active in states.items():
        there = {sorted_labels(alert) for alert in hits(incident, _firing(active))}
        for labels in begun.keys() - there:
            fired = begun.pop(labels)
            found.append(((at < over, -RANK[dict(labels)["severity"]], fired), labels, at))
        begun = {**dict.fromkeys(there, at), **begun}
    if not found:
        return None
    (_, _, fires), labels, clears = min(found)
    return dict(labels), fires, clears


def _precisely(incident: Incident, rules: Sequence[Rule], rough: Rehearsal) -> Rehearsal:
    """The story's steps may be minutes apart: look once more at this one alert, every few seconds."""
    alert, series = rough.alert or {}, _held(rough.series, incident.interval)
    clears = ends(alert, rules, series, rough.clears, incident.interval)
    return dataclasses.replace(rough, series=series, begin=max(rough.fires, clears - _LEAD), clears=clears)


def _held(series: Sequence[Series], interval: int) -> list[Series]:
    return [dataclasses.replace(one, values=story.held(one.values, interval)) for one in series]
