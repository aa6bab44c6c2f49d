"""What every series of a cluster holds up to a moment: while all is well, or in the middle of an incident.

The moment is always the same one, so that two situations can be laid side by side and a picture can be made again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alerts._render import catalogue, limit_types
from checks import cluster, incidents
from checks.cluster import Labels, Series, sorted_labels
from checks.incidents import Incident
from checks.timeline import Gone, Line, Part, Timeline, always
from demo import story
from demo.history import Placed
from demo.memory import remembered
from demo.rehearsal import Rehearsal, rehearse, shipped
from demo.story import Kinds
from homelab import inventory
from homelab.metric import hint
from homelab.parse import Invalid, Problem, alternatives
from homelab.site import Site
from preview.histogram import family, shares
from preview.rhythm import alive

NOW = 1_772_632_800  # 2026-03-04 14:00:00 UTC, an afternoon on which every nightly job has run
HEALTHY = "healthy"
_DAY = 86_400
WEEK = 7 * _DAY
_MIDNIGHT = NOW - NOW % _DAY  # stories of a healthy cluster begin then: nightly jobs run at night
_LONGEST = 9 * _DAY  # the longest range that a rule looks back is eight days
_HEARTBEAT = "Watchdog"


@dataclass(frozen=True)
class Material:
    """What the repository says: the inventory of one cluster, the healthy cluster, the incidents, the rules."""

    site: Site
    healthy: Sequence[Series]
    incidents: Mapping[str, Incident]
    kinds: Kinds
    rules: Mapping[str, Sequence[Mapping[str, Any]]]

    def incident(self, named: str) -> Incident:
        """The incident of that ID. Raises Invalid."""
        if named not in self.incidents:
            message = f"no incident {named}; {hint(named, self.incidents)} (--list shows all)"
            raise Invalid([Problem("incidents", 0, "", message)])
        return self.incidents[named]


@dataclass(frozen=True)
class Situation:
    """A week, or whatever was asked for, that ends at `NOW`; `changed` is how many series an incident changes."""

    name: str
    title: str
    told: str
    series: Sequence[Placed]
    length: int  # seconds of history
    story: int = 0  # how many seconds before NOW the story began
    changed: int = 0


def material(cluster_name: str, root: Path = Path()) -> Material:
    """Read what there is. Raises Invalid."""
    clusters = inventory.load(root / "homelab.yaml", limit_types()).clusters
    if cluster_name not in clusters:
        message = f"no cluster {cluster_name}; {alternatives(cluster_name, clusters)}"
        raise Invalid([Problem("homelab.yaml", 0, "clusters", message)])
    healthy = cluster.baseline(root / "incidents")
    known = {one.id: one for one in incidents.load(root / "incidents", healthy)}
    rules = shipped(root / "monitoring/rules" / cluster_name)
    return Material(clusters[cluster_name], healthy, known, story.kinds(root / "metrics"), rules)


def well(known: Material, length: int = WEEK) -> Situation:
    """Everything as it should be, for `length` seconds."""
    begun = _before(length)
    parts = shares(known.healthy)
    series = [_living(one, begun, 0, known.kinds, parts) for one in known.healthy]
    series += _own(known, {}, NOW - length)
    return Situation(HEALTHY, "Healthy", "Everything is as it should be.", series, length)


def during(incident: Incident, known: Material, length: int = WEEK) -> Situation:
    """The incident at a moment worth showing. Raises NothingToShow, PromtoolError and ToolMissing."""
    groups = [group for groups in known.rules.values() for group in groups]
    rehearsal = rehearse(incident, known.healthy, groups)
    moment = shown(incident, rehearsal)
    length = min(max(length, moment), max(length, _LONGEST))
    begun = NOW - moment
    past = max(0, length - moment)
    parts = shares(rehearsal.series)
    still = {family(labels) for labels in rehearsal.changed}  # the whole histogram, when it changes one bucket
    series = [
        Placed(one.labels, story.placed(one, begun, past, known.kinds), closely=one.labels in rehearsal.changed)
        if family(one.labels) in still
        else _living(one, begun, past, known.kinds, parts)
        for one in rehearsal.series
    ]
    written = {one.labels: one for one in remembered(rehearsal, begun)}
    series += _own(known, written, NOW - length)
    return Situation(incident.id, incident.title, incident.story, series, length, moment, len(rehearsal.changed))


def _before(length: int) -> int:
    """A midnight at least so many seconds ago."""
    return _MIDNIGHT - -(-length // _DAY) * _DAY


def shown(incident: Incident, rehearsal: Rehearsal) -> int:
    """The second of the story to stop at: its alert has fired for as long as it can, and the recovery has not begun."""
    if rehearsal.alert is None:
        return rehearsal.begin
    over = min(incident.end if incident.recovery is None else incident.recovery, rehearsal.clears)
    last = (over - 1) // incident.interval * incident.interval
    return last if last > rehearsal.fires else rehearsal.begin


def _living(series: Series, begun: int, past: int, kinds: Kinds, parts: Mapping[Labels, float]) -> Placed:
    name = series.named["__name__"]
    # Some counters call themselves gauges: their names say what they are.
    counter = name in kinds.counters or name.endswith("_total")
    values = story.placed(series, begun, past, kinds)
    if isinstance(values.parts[0].value, Gone):
        # What happened "long ago" is not known before the story: here it was as long ago as in the healthy cluster.
        values = story.placed(series, _before(past + NOW - begun), 0, kinds)
    share = parts.get(series.labels, 1.0)
    return Placed(series.labels, alive(series.labels, values, counter=counter, share=share))


def _own(known: Material, written: Mapping[Labels, Placed], since: int) -> Iterator[Placed]:
    """What Prometheus writes itself: what is expected, the alert that always fires, and what the incident raised."""
    for group in catalogue(known.site):
        for row in group.expected:
            labels = {"__name__": row.name, "subsystem": group.subsystem, **row.labels}
            yield Placed(sorted_labels(labels), always(row.value))
        for alert in group.alerts:
            if alert.name == _HEARTBEAT:
                named = {"alertname": alert.name, "severity": alert.severity, "subsystem": group.subsystem}
                yield from _firing({**named, **alert.labels}, since)
    yield from (one for labels, one in written.items() if dict(labels)["alertname"] != _HEARTBEAT)


def _firing(labels: Mapping[str, str], since: int) -> Iterator[Placed]:
    constant = Timeline((Part(0, math.inf, Line(float(since)), 0),))
    yield Placed(sorted_labels({**labels, "__name__": "ALERTS", "alertstate": "firing"}), always(1.0))
    yield Placed(sorted_labels({**labels, "__name__": "ALERTS_FOR_STATE"}), constant)
