"""backups: what our backup exporter finds. Its targets follow from the tables of what is backed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from homelab.site import BackupTarget, Site

COMPONENTS = ("backup-exporter",)


@dataclass(frozen=True)
class Table:
    """Nothing of its own."""


@runtime_checkable
class Recoverable(Protocol):
    """A table that names what must be recoverable."""

    @property
    def backup_targets(self) -> tuple[BackupTarget, ...]: ...


def targets(site: Site) -> tuple[BackupTarget, ...]:
    """Everything in a cluster that must be recoverable."""
    tables = (table for table in site.tables.values() if isinstance(table, Recoverable))
    return tuple(target for table in tables for target in table.backup_targets)
