"""The simulated homelab: every scrape target as an HTTP endpoint, and the discovery that tells Prometheus of them.

Whether a target is up is not asserted but so: where the story says 0 it answers 503, and where the story knows no such
target, discovery does not name it. Prometheus attaches the target's labels itself, as it does in the cluster.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from checks.cluster import Labels
from checks.timeline import Timeline
from demo.history import spell
from demo.web import Answer, Request

DISCOVERY = "/targets"
_UP = ("__name__", "up")
_IDENTITY = ("job", "instance", "metrics_path")  # what tells one scrape from another
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Target:
    """The labels that Prometheus attaches, whether the target is up, and what it exposes, in unix time."""

    labels: Labels
    up: Timeline | None  # None: the story never says; it is up while it exposes anything
    exposed: Sequence[tuple[str, Timeline]]

    def is_up(self, now: int) -> float | None:
        """1 or 0; None where there is no such target."""
        if self.up is not None:
            return self.up.at(now)
        return 1.0 if any(values.at(now) is not None for _, values in self.exposed) else None

    def exposition(self, now: int) -> str:
        """What it exposes at a moment."""
        found = ((name, values.at(now)) for name, values in self.exposed)
        return "".join([f"{name} {value!r}\n" for name, value in found if value is not None])


def targets(series: Iterable[tuple[Labels, Timeline]]) -> list[Target]:
    """The targets that expose these series, given as their labels and values.

    What the scrape of a target attaches is seen on its `up`. A series that lacks one of those labels exposes it empty,
    which keeps it from being attached (honor_labels).
    """
    exposed: dict[Labels, list[tuple[Labels, Timeline]]] = {}
    up: dict[Labels, tuple[Labels, Timeline]] = {}
    for labels, values in sorted(series, key=lambda pair: pair[0]):
        target = tuple(pair for pair in labels if pair[0] in _IDENTITY)
        mine = exposed.setdefault(target, [])
        if _UP in labels:
            up[target] = tuple(pair for pair in labels if pair != _UP), values
        else:
            mine.append((labels, values))
    found = []
    for target, mine in exposed.items():
        attached, alive = up.get(target, (target, None))
        found.append(Target(attached, alive, [(_own(labels, attached), values) for labels, values in mine]))
    return found


def _own(labels: Labels, attached: Labels) -> str:
    missing = dict.fromkeys(dict(attached).keys() - dict(labels).keys(), "")
    return spell(tuple(sorted({**dict(set(labels) - set(attached)), **missing}.items())))


def answering(known: Sequence[Target]) -> Callable[[Request], Answer]:
    """Answer for all of them: the discovery, and /<number>/metrics of each."""

    def answer(request: Request) -> Answer:
        now = int(time.time())
        if request.path == DISCOVERY:
            return Answer(json.dumps(discovered(known, request.host, now)), "application/json")
        number = request.path.removeprefix("/").removesuffix("/metrics")
        if not number.isdecimal() or int(number) >= len(known):
            return Answer("there is no such target\n", status=HTTPStatus.NOT_FOUND)
        target = known[int(number)]
        if target.is_up(now) != 1:
            return Answer("down, as the story says\n", status=HTTPStatus.SERVICE_UNAVAILABLE)
        return Answer(target.exposition(now), _TEXT)

    return answer


def discovered(known: Sequence[Target], address: str, now: int) -> list[Mapping[str, object]]:
    """The targets that exist at a moment, all at one address, as http_sd_configs reads them."""
    return [
        {"targets": [address], "labels": {**dict(target.labels), "__metrics_path__": f"/{number}/metrics"}}
        for number, target in enumerate(known)
        if target.is_up(now) is not None
    ]
