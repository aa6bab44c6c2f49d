"""What fired during an incident, and what is wrong with it: a miss, a late end, a false alarm, a page storm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from checks.cluster import selector, selects
from checks.incident import Expect, Incident
from checks.timeline import spell_time

RANK = {"none": 0, "info": 1, "warning": 2, "critical": 3}
Alert = Mapping[str, str]  # the labels of a firing alert
Firing = Mapping[int, Sequence[Alert]]  # at every step of the story, in seconds


@dataclass(frozen=True)
class Outcome:
    """What happened when an incident was played; `problems` is empty if all went as it must."""

    incident: Incident
    firing: Firing
    problems: tuple[str, ...]

    @property
    def noticed(self) -> int | None:
        """When the first alert that counts as noticing it fired."""
        return next((at for at, alerts in self._after_the_fault() if hits(self.incident, alerts)), None)

    @property
    def cleared(self) -> int | None:
        """From when on no such alert was left, if it was noticed and ended."""
        times = [at for at, alerts in self.firing.items() if hits(self.incident, alerts)]
        ended = max(times, default=0) + self.incident.interval
        return ended if times and ended <= self.incident.end else None

    @property
    def names(self) -> list[str]:
        """The alerts of warning or above that fired after the fault, in order of appearance; those that count first."""
        counts: dict[str, bool] = {}
        for _, alerts in self._after_the_fault():
            for alert in filter(_loud, alerts):
                counts[alert["alertname"]] = counts.get(alert["alertname"], False) or bool(hits(self.incident, [alert]))
        return sorted(counts, key=lambda name: not counts[name])

    @property
    def pages(self) -> int:
        """How many critical alerts began to fire; one that ended and began again counts twice."""
        count, before = 0, set[frozenset[tuple[str, str]]]()
        for alerts in self.firing.values():
            now = {frozenset(alert.items()) for alert in alerts if alert.get("severity") == "critical"}
            count += len(now - before)
            before = now
        return count

    def _after_the_fault(self) -> Iterator[tuple[int, Sequence[Alert]]]:
        return ((at, alerts) for at, alerts in self.firing.items() if at >= (self.incident.fault or 0))


def hits(incident: Incident, alerts: Iterable[Alert]) -> list[Alert]:
    """The alerts that count as noticing the incident: severe enough, and they name what it is about."""
    expect = incident.expect
    if expect is None:
        return []
    loud = [a for a in alerts if _rank(a) >= RANK[expect.severity]]
    return [a for a in loud if not expect.names or any(n.search(v) for n in expect.names for v in a.values())]


def judge(incident: Incident, firing: Firing) -> Iterator[str]:
    """What did not go as it must, one sentence each."""
    if incident.expect:
        yield from _unnoticed(incident, incident.expect, firing)
    for condition, at in ((one, at) for one in incident.quiet for at in one.at):
        if wrong := _chosen(condition.alerts, firing[at]):
            yield f"false alarm at {spell_time(at)} ({condition.why}): {_told(wrong)}"
    for condition, at in ((one, at) for one in incident.firing for at in one.at):
        if not _chosen(condition.alerts, firing[at]):
            yield f"missed: no {condition.alerts} at {spell_time(at)} ({condition.why})"
    for limit, at in ((one, at) for one in incident.at_most for at in one.at):
        if len(found := _chosen(limit.alerts, firing[at])) > limit.count:
            yield f"page storm at {spell_time(at)} ({limit.why}): {len(found)}, not {limit.count}: {_told(found)}"


def _unnoticed(incident: Incident, expect: Expect, firing: Firing) -> Iterator[str]:
    if not hits(incident, firing[expect.by]):
        others = _told(filter(_loud, firing[expect.by])) or "none"
        yield f"missed: nothing that names it fires at {spell_time(expect.by)}; there is {others}"
    if expect.cleared is not None and (left := _told(filter(_loud, hits(incident, firing[expect.cleared])))):
        yield f"late clear: {left} at {spell_time(expect.cleared)}"


def _chosen(alerts: str, firing: Iterable[Alert]) -> list[Alert]:
    wanted = selector(f"ALERTS{alerts}")
    return [alert for alert in firing if selects(wanted, {"__name__": "ALERTS", **alert})]


def _told(alerts: Iterable[Alert]) -> str:
    return ", ".join(sorted({alert["alertname"] for alert in alerts}))


def _rank(alert: Alert) -> int:
    return RANK.get(alert.get("severity", "none"), 0)


def _loud(alert: Alert) -> bool:
    return _rank(alert) >= RANK["warning"]
