"""longhorn: replicated block storage on the nodes' own disks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homelab.mistakes import doubles
from homelab.site import BackupTarget, Site

COMPONENTS = ("longhorn",)


@dataclass(frozen=True)
class Claim:
    """A PersistentVolumeClaim on Longhorn and the volume behind it; `store` is the bucket of its backups."""

    name: str
    namespace: str
    store: str = ""


@dataclass(frozen=True)
class Table:
    """Replicas per volume, the path of the disks, and the claims whose loss would hurt."""

    replicas: int
    disk_path: str
    claims: tuple[Claim, ...] = ()

    @property
    def backup_targets(self) -> tuple[BackupTarget, ...]:
        """The claims that are backed up."""
        return tuple(BackupTarget("longhorn", c.namespace, c.name, c.store) for c in self.claims if c.store)


def mistakes(table: Table, site: Site) -> Iterator[tuple[str, str]]:  # noqa: ARG001
    """A claim that is there twice."""
    yield from doubles("claims", "claim", [f"{c.namespace}/{c.name}" for c in table.claims])
