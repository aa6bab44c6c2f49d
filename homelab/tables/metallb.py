"""metallb: address pools and the virtual IPs that must be announced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from homelab.mistakes import address, doubles, network
from homelab.parse import alternatives
from homelab.site import Site

COMPONENTS = ("metallb",)


@dataclass(frozen=True)
class Vip:
    """A virtual IP: the Service that owns it and the Deployment whose pods it leads to."""

    address: str
    pool: str
    namespace: str
    service: str
    deployment: str


@dataclass(frozen=True)
class Table:
    """Pools (name to CIDRs) and virtual IPs."""

    pools: Mapping[str, tuple[str, ...]]
    vips: tuple[Vip, ...]


def mistakes(table: Table, site: Site) -> Iterator[tuple[str, str]]:  # noqa: ARG001
    """What is no range or no address, an unknown pool, an address outside its pool or there twice."""
    for name, ranges in table.pools.items():
        for text in ranges:
            if network(text) is None:
                yield f"pools.{name}", f'must be CIDR ranges, found "{text}"'
    for number, vip in enumerate(table.vips):
        place, found = f"vips[{number}]", address(vip.address)
        if vip.pool not in table.pools:
            yield place, f"no pool named {vip.pool}; {alternatives(vip.pool, table.pools)}"
        elif found is None:
            yield place, f'address must be an IP address, found "{vip.address}"'
        elif not any(found in n for n in map(network, table.pools[vip.pool]) if n is not None):
            yield place, f"{vip.address} is outside its pool {vip.pool} ({', '.join(table.pools[vip.pool])})"
    yield from doubles("vips", "address", [v.address for v in table.vips])
