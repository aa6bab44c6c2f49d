"""certificates: what cert-manager issues, and the certificates of k3s itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homelab.mistakes import doubles
from homelab.site import Site

COMPONENTS = ("cert-manager", "k3s")


@dataclass(frozen=True)
class Certificate:
    """A cert-manager Certificate that must exist."""

    name: str
    namespace: str


@dataclass(frozen=True)
class Table:
    """The certificates that must exist and the issuers that sign them."""

    expected: tuple[Certificate, ...]
    issuers: tuple[str, ...] = ()


def names(site: Site) -> list[str]:
    """The names of the expected certificates of a cluster."""
    table = site.get(Table)
    return [c.name for c in table.expected] if table else []


def mistakes(table: Table, site: Site) -> Iterator[tuple[str, str]]:  # noqa: ARG001
    """A certificate that is there twice."""
    yield from doubles("expected", "certificate", [f"{c.namespace}/{c.name}" for c in table.expected])
