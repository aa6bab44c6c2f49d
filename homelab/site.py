"""One cluster of the homelab: where its notifications lead, and a table for each subsystem that it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

Severity = Literal["critical", "warning", "info", "none"]
T = TypeVar("T")


@dataclass(frozen=True)
class Links:
    """Where a notification leads: Grafana's address and the folder of the runbooks."""

    grafana: str
    runbooks: str


@dataclass(frozen=True)
class Receiver:
    """Where Alertmanager sends a severity. The address is a secret and stays one: `namespace/secret/key`."""

    kind: Literal["ntfy", "webhook", "email", "heartbeat"]
    secret: str


@dataclass(frozen=True)
class Override:
    """One alert of one cluster, off or of another severity; the reason is shown wherever it takes effect."""

    reason: str
    off: bool = False
    severity: Severity | None = None


@dataclass(frozen=True)
class BackupTarget:
    """Something that must be recoverable, in the identity that the backup exporter gives it."""

    kind: Literal["cnpg", "longhorn", "etcd"]
    namespace: str
    name: str
    store: str


@dataclass(frozen=True)
class Site:
    """One cluster; `tables` has those of homelab/tables/ that it has, by stem, and `components` what they bring."""

    name: str
    links: Links
    tables: Mapping[str, Any]
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    components: frozenset[str] = frozenset()
    limits: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Override] = field(default_factory=dict)

    def get(self, kind: type[T]) -> T | None:
        """The table of that type, or None where the cluster does not have the subsystem."""
        return next((table for table in self.tables.values() if isinstance(table, kind)), None)

    def table(self, kind: type[T]) -> T:
        """The table of that type, of a subsystem that the cluster has."""
        table = self.get(kind)
        if table is None:
            raise LookupError(f"{self.name} has no {kind.__module__.rpartition('.')[2]}")
        return table

    @property
    def subsystems(self) -> tuple[str, ...]:
        """The stems of the subsystems that this cluster has."""
        return tuple(self.tables)
