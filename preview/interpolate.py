"""Dollars in queries and titles: dashboard variables and Grafana's own, replaced as Grafana does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from checks.timeline import UNITS

SCRAPE = 60  # seconds between two scrapes, as the data source is told
LEAST = 15  # seconds; no step is shorter
_DOLLAR = re.compile(r"\$(\w+)|\$\{(\w+)(?::\w+)?\}|\[\[(\w+)(?::\w+)?\]\]")
_SPECIAL = re.compile(r"([\\^$*+?.()|{}\[\]'])")
_TIME = re.compile(r"now(?:-([0-9]+)([smhdwMy]))?")
_LONGER = {"w": 7 * 86_400, "M": 30 * 86_400, "y": 365 * 86_400}
# Steps as Grafana rounds them: up to which seconds, and what they become.
_ROUND = (
    (1.5, 1),
    (3.5, 2),
    (7.5, 5),
    (12.5, 10),
    (17.5, 15),
    (25, 20),
    (45, 30),
    (90, 60),
    (210, 120),
    (450, 300),
    (750, 600),
    (1050, 900),
    (1500, 1200),
    (2700, 1800),
    (5400, 3600),
    (9000, 7200),
    (16_200, 10_800),
    (32_400, 21_600),
    (86_400, 43_200),
    (604_800, 86_400),
)


class NoTime(Exception):
    """A dashboard's time is written in a way the preview does not know; the message is a sentence."""


@dataclass(frozen=True)
class Variable:
    """A variable of a dashboard: its values, and what stands for all of them in a query."""

    name: str
    title: str
    values: tuple[str, ...] = ()
    everything: str = ".*"
    asks: bool = True  # whether it has values at all; a data source has none that matter here


def seconds_ago(written: str) -> int:
    """How long ago `now-6h` is. Raises NoTime."""
    if not (found := _TIME.fullmatch(written)):
        raise NoTime(f"no time {written}; the preview knows now, now-6h, now-7d and so on")
    number, unit = found.groups()
    return int(number) * (UNITS | _LONGER)[unit] if number else 0


def step(length: int, width: int) -> int:
    """Seconds between two points of a panel that is `width` pixels wide and shows `length` seconds."""
    wanted = length / max(width, 1)
    return max(LEAST, next((rounded for limit, rounded in _ROUND if wanted < limit), 86_400))


def expression(expr: str, variables: Mapping[str, Variable], only: Mapping[str, str], length: int, every: int) -> str:
    """A query: of all values of each variable, or of the one that stands in `only`."""
    own = {
        "__interval": f"{every}s",
        "__interval_ms": str(every * 1000),
        "__rate_interval": f"{max(every + SCRAPE, 4 * SCRAPE)}s",
        "__range": f"{length}s",
        "__range_s": str(length),
        "__range_ms": str(length * 1000),
    }
    every_one = {name: one.everything for name, one in variables.items() if one.asks}
    chosen = {name: _SPECIAL.sub(r"\\\\\1", value) for name, value in only.items()}
    return _replaced(expr, {**own, **every_one, **chosen})


def title(written: str, only: Mapping[str, str], variables: Mapping[str, Variable]) -> str:
    """A title: `All`, or the one value."""
    return _replaced(written, {**{name: "All" for name, one in variables.items() if one.asks}, **only})


def _replaced(written: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = next(group for group in found.groups() if group)
        return values.get(name, found[0])  # what is not known stays, and Prometheus says so

    return _DOLLAR.sub(value, written)
