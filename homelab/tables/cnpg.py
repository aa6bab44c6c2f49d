"""cnpg: PostgreSQL clusters of CloudNativePG with continuous archiving."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from homelab.mistakes import doubles, schedule
from homelab.site import BackupTarget, Site

COMPONENTS = ("cnpg",)


@dataclass(frozen=True)
class Database:
    """A CNPG cluster. `schedule` is CNPG's own cron, which begins with seconds: six fields."""

    name: str
    namespace: str
    instances: int
    store: str
    schedule: str
    retention_days: int
    drill_days: int
    archiver: Literal["in-tree", "plugin"] = "in-tree"


@dataclass(frozen=True)
class Table:
    """The database clusters."""

    clusters: tuple[Database, ...]

    @property
    def backup_targets(self) -> tuple[BackupTarget, ...]:
        """Every database cluster."""
        return tuple(BackupTarget("cnpg", d.namespace, d.name, d.store) for d in self.clusters)


def mistakes(table: Table, site: Site) -> Iterator[tuple[str, str]]:  # noqa: ARG001
    """A cluster that is there twice, a schedule that is no cron of six fields."""
    yield from doubles("clusters", "cluster", [f"{d.namespace}/{d.name}" for d in table.clusters])
    for number, database in enumerate(table.clusters):
        yield from schedule(f"clusters[{number}]", database.schedule, 6, "second minute hour day month weekday")
