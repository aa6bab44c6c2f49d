"""gitops: what Flux applies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homelab.mistakes import doubles
from homelab.site import Site

COMPONENTS = ("flux",)


@dataclass(frozen=True)
class FluxObject:
    """A Flux object that must exist and be ready."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Table:
    """The objects that must exist."""

    expected: tuple[FluxObject, ...] = ()


def mistakes(table: Table, site: Site) -> Iterator[tuple[str, str]]:  # noqa: ARG001
    """An object that is there twice."""
    yield from doubles("expected", "object", [f"{o.kind} {o.namespace}/{o.name}" for o in table.expected])
