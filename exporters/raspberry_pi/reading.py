"""What a collector gives: readings, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reading:
    """One value of one metric of metrics.py."""

    metric: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


class NotAvailable(Exception):
    """There is nothing to read on this machine, which is no fault. The message is a reason in one word or a few,
    joined by underscores: it becomes a label."""


@dataclass(frozen=True)
class Collector:
    """One way to look. `read` raises NotAvailable, and OSError or ValueError where looking failed; what it gave before
    that counts.

    It is asked again after `every` seconds; what it gave is kept for `lasts` seconds and then gone.
    """

    name: str
    read: Callable[[], Iterable[Reading]]
    every: float = 15
    lasts: float = 60


def parts(*some: Iterable[Reading]) -> Iterator[Reading]:
    """The readings of several parts. One that fails ends alone; when all are through, the first failure is raised."""
    failure: Exception | None = None
    for part in some:
        try:
            yield from part
        except (OSError, ValueError) as error:
            failure = failure or error
    if failure:
        raise failure


def any_of(readings: Iterable[Reading], otherwise: str) -> Iterator[Reading]:
    """The readings, or NotAvailable with the reason `otherwise` where there are none."""
    found = False
    for reading in readings:
        found = True
        yield reading
    if not found:
        raise NotAvailable(otherwise)
