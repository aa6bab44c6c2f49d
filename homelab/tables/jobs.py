"""jobs: Jobs and CronJobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homelab.mistakes import doubles
from homelab.site import Site

COMPONENTS = ("kube-state-metrics",)


@dataclass(frozen=True)
class CronJob:
    """A CronJob that must keep succeeding; `max_age_hours` since its last success is still fine."""

    name: str
    namespace: str
    max_age_hours: float


@dataclass(frozen=True)
class Table:
    """The CronJobs whose silence would matter."""

    expected: tuple[CronJob, ...] = ()


def mistakes(table: Table, site: Site) -> Iterator[tuple[str, str]]:  # noqa: ARG001
    """A CronJob that is there twice."""
    yield from doubles("expected", "CronJob", [f"{c.namespace}/{c.name}" for c in table.expected])
