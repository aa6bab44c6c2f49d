"""What Prometheus remembers of its alerts, as it would have written it during the story."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from checks.cluster import Labels, sorted_labels
from checks.timeline import Gone, Line, Part, Timeline
from demo.history import Placed
from demo.rehearsal import Rehearsal
from demo.states import State


def remembered(rehearsal: Rehearsal, offset: int) -> list[Placed]:
    """What Prometheus itself would have written about the alerts: ALERTS and ALERTS_FOR_STATE.

    From the latter it takes, when it starts, since when each alert is active, so that no `for` begins anew.
    """
    found: dict[Labels, dict[int, float]] = {}
    for at, states in rehearsal.states.items():
        for state in states:
            for labels, value in _written(state, offset):
                found.setdefault(labels, {})[at] = value
    steps = [*rehearsal.states, math.inf]
    return [Placed(labels, _timeline(values, steps, offset)) for labels, values in found.items()]


def _written(state: State, offset: int) -> Iterator[tuple[Labels, float]]:
    kind = "firing" if state.firing else "pending"
    yield sorted_labels({**state.labels, "__name__": "ALERTS", "alertstate": kind}), 1.0
    yield sorted_labels({**state.labels, "__name__": "ALERTS_FOR_STATE"}), float(state.since + offset)


def _timeline(values: dict[int, float], steps: Sequence[float], offset: int) -> Timeline:
    parts: list[Part] = []
    for value, run in groupby(pairwise(steps), key=lambda pair: values.get(int(pair[0]))):
        spans = list(run)
        begin, end = int(spans[0][0]) + offset, spans[-1][1] + offset
        parts.append(Part(begin, end, Gone() if value is None else Line(value), begin))
    return Timeline(tuple(parts))
