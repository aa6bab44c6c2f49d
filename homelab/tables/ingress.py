"""ingress: Traefik and what a visitor sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from homelab.mistakes import doubles
from homelab.parse import alternatives
from homelab.site import Site
from homelab.tables import certificates

COMPONENTS = ("traefik", "blackbox-exporter")
REFERS_TO = ("certificates",)


@dataclass(frozen=True)
class Host:
    """A public host name, probed from inside, and the Certificate that must be served on it."""

    name: str
    certificate: str = ""


@dataclass(frozen=True)
class Table:
    """The public hosts."""

    hosts: tuple[Host, ...]


def mistakes(table: Table, site: Site) -> Iterator[tuple[str, str]]:
    """A host that is there twice, and a certificate that nothing issues."""
    yield from doubles("hosts", "host", [h.name for h in table.hosts])
    known = certificates.names(site)
    for number, host in enumerate(table.hosts):
        if host.certificate and host.certificate not in known:
            yield (
                f"hosts[{number}]",
                f"no certificate named {host.certificate}; {alternatives(host.certificate, known)}",
            )
