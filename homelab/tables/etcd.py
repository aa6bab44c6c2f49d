"""etcd: the members that are embedded in k3s."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homelab.mistakes import schedule
from homelab.parse import alternatives
from homelab.site import BackupTarget, Site
from homelab.tables.nodes import machines

COMPONENTS = ("etcd",)
REFERS_TO = ("nodes",)


@dataclass(frozen=True)
class Snapshots:
    """k3s etcd snapshots that leave the cluster. `schedule` is k3s' own: five cron fields."""

    name: str
    namespace: str
    schedule: str
    store: str


@dataclass(frozen=True)
class Table:
    """The members by node name, their metrics port, and their snapshots."""

    members: tuple[str, ...]
    port: int = 2381
    snapshots: Snapshots | None = None

    @property
    def backup_targets(self) -> tuple[BackupTarget, ...]:
        """The snapshots."""
        s = self.snapshots
        return (BackupTarget("etcd", s.namespace, s.name, s.store),) if s else ()


def mistakes(table: Table, site: Site) -> Iterator[tuple[str, str]]:
    """A member that is no node, a schedule that is no cron."""
    names = [n.name for n in machines(site)]
    for number, member in enumerate(table.members):
        if member not in names:
            yield f"members[{number}]", f"no node named {member}; {alternatives(member, names)}"
    if table.snapshots:
        yield from schedule("snapshots", table.snapshots.schedule, 5, "minute hour day month weekday")
