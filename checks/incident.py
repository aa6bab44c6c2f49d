"""What one incident says: what was different from the healthy cluster, when, and which alerts that must raise.

Times are seconds from the start of the story (`1h30m`), the words for values are those of checks.timeline.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NewType

from checks.cluster import Series, by_name, selector, selects, series_named, sorted_labels, targets
from checks.timeline import Timeline
from homelab.inventory import Severity

Time = NewType("Time", int)  # seconds from the start
AlertSelector = NewType("AlertSelector", str)  # of alerts, as PromQL writes matchers: {severity="critical"}


@dataclass(frozen=True)
class Expect:
    """What must be firing at `by`: an alert of at least this severity, with one of `names` found in a label value.

    At `cleared` no such alert of warning or above may be left.
    """

    by: Time
    severity: Severity
    names: tuple[re.Pattern[str], ...] = ()
    cleared: Time | None = None


@dataclass(frozen=True)
class Condition:
    """Alerts of which none may be firing at these times (quiet), or of which one must be (firing)."""

    at: tuple[Time, ...]
    alerts: AlertSelector
    why: str


@dataclass(frozen=True)
class AtMost:
    """How many alerts may be firing at these times: one cause, few pages."""

    at: tuple[Time, ...]
    count: int
    alerts: AlertSelector
    why: str


@dataclass(frozen=True)
class New:
    """Series that the healthy cluster does not have: on a target of it (`on` names it), or on a new one (`target`)."""

    series: Mapping[str, Timeline]
    on: Mapping[str, str] = field(default_factory=dict)
    target: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Incident:
    """An outage, or an odd but healthy situation: then there is no `expect`."""

    id: str
    title: str
    story: str
    end: Time
    interval: Time = Time(60)  # between two scrapes, and between two evaluations of the rules
    fault: Time | None = None
    recovery: Time | None = None
    expect: Expect | None = None
    quiet: tuple[Condition, ...] = ()
    firing: tuple[Condition, ...] = ()
    at_most: tuple[AtMost, ...] = ()
    changes: Mapping[str, Timeline] = field(default_factory=dict)
    new: tuple[New, ...] = ()
    source: str = ""
    note: str = ""
    subsystem: str = ""


def compose(incident: Incident, healthy: Sequence[Series]) -> list[Series]:
    """Every series of the cluster during the incident. One that it leaves alone is the same object as in `healthy`.

    Where several changes select one series, the last one counts.
    """
    found = {series.labels: series for series in healthy}
    by_metric = by_name(healthy)
    for text, values in incident.changes.items():
        wanted = selector(text)
        name = next((m.value for m in wanted.matchers if m.label == "__name__" and m.op == "="), "")
        for base in by_metric.get(name, ()) if name else healthy:
            if selects(wanted, base.named):
                found[base.labels] = dataclasses.replace(base, values=values.over(base.values))
    for new in incident.new:
        target = tuple(sorted(new.target.items())) or targets(new.on, healthy)[0]
        for text, values in new.series.items():
            for own in series_named(text):
                labels = sorted_labels({**dict(target), **own})
                found[labels] = Series(labels, target, values, incident.subsystem)
    return list(found.values())
