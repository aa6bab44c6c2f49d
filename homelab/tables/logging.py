"""logging: Loki's components by scrape job, and Alloy on every node."""

from __future__ import annotations

from dataclasses import dataclass

COMPONENTS = ("loki", "alloy")


@dataclass(frozen=True)
class Table:
    """The scrape jobs of Loki's components."""

    loki: tuple[str, ...]
