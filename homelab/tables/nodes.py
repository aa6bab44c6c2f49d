"""nodes: the machines, their kubelets and their filesystems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homelab.mistakes import address, doubles
from homelab.site import Site

COMPONENTS = ("node-exporter", "kubelet", "kube-state-metrics")


@dataclass(frozen=True)
class Node:
    """A machine of the cluster, under the name that Kubernetes gives it."""

    name: str
    address: str
    hardware: str = ""


@dataclass(frozen=True)
class Table:
    """The expected machines."""

    expected: tuple[Node, ...]


def machines(site: Site) -> tuple[Node, ...]:
    """The expected machines of a cluster."""
    table = site.get(Table)
    return table.expected if table else ()


def mistakes(table: Table, site: Site) -> Iterator[tuple[str, str]]:  # noqa: ARG001
    """Two machines of one name or address, and what is no address."""
    yield from doubles("expected", "node", [n.name for n in table.expected])
    yield from doubles("expected", "address", [n.address for n in table.expected])
    for number, node in enumerate(table.expected):
        if address(node.address) is None:
            yield f"expected[{number}]", f'address must be an IP address, found "{node.address}"'
