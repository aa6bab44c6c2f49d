"""Mistakes that no single value of homelab.yaml shows, as (place below the table, sentence)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def doubles(place: str, what: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names that are there more than once."""
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield place, f"{what} {name} is there {names.count(name)} times, each must be unique"


def schedule(place: str, text: str, fields: int, order: str) -> Iterator[tuple[str, str]]:
    """No cron, or of another number of fields: CNPG takes five for something else, hourly instead of nightly."""
    if len(text.split()) != fields:
        yield place, f'schedule needs {fields} fields ({order}), found {len(text.split())} in "{text}"'
        return
    try:
        CronSim(" ".join(text.split()[-5:]), _ANY_TIME)
    except CronSimError as error:
        yield place, f'schedule "{text}" is not cron: {error}'


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address, or None."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The CIDR range, or None."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None
