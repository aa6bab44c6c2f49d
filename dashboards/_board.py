"""A dashboard as it is read, from top to bottom: rows of panels, on 24 columns as Grafana has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

COLUMNS = 24
# What is narrower cannot be read: a number in a low row, a graph in a high one.
NARROWEST = {"low": 4, "high": 6}
_LOW = 5  # units of height


@dataclass(frozen=True)
class Panel:
    """A panel of grafanalib, and what its JSON has no room for.

    `width` is in columns; 0 is an equal share of what the row leaves. `empty` says why it shows nothing while all is
    well: without such a reason, a panel that shows nothing is a fault.
    """

    drawn: Any
    width: int = 0
    empty: str = ""


@dataclass(frozen=True)
class Row:
    """Panels side by side under a heading, `height` in Grafana's units of 30 pixels; wrapped where they do not fit."""

    title: str
    panels: tuple[Panel, ...]
    height: int = 8
    collapsed: bool = False
    repeat: str = ""  # the variable for each of whose values the row is repeated


@dataclass(frozen=True)
class Variable:
    """Something to choose on top of the page: the values that `label` has among the series that `source` selects."""

    label: str
    title: str
    source: str


@dataclass(frozen=True)
class Board:
    """A dashboard. `logs` is the LogQL with which Explore opens on the same objects."""

    title: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    logs: str = ""

    @property
    def panels(self) -> Iterator[Panel]:
        """All of them, in reading order."""
        for one in self.rows:
            yield from one.panels


def board(title: str, *rows: Row, variables: Sequence[Variable] = (), logs: str = "") -> Board:
    """A page: the first row says whether all is well, the details come below."""
    return Board(title, rows, tuple(variables), logs)


def row(title: str, *panels: Panel, height: int = 8, collapsed: bool = False, repeat: str = "") -> Row:
    """Panels side by side; a collapsed row is opened by a click, and asks nothing before that."""
    return Row(title, panels, height, collapsed, repeat)


def placed(one: Row, top: int) -> tuple[list[dict[str, int]], int]:
    """Where each panel of a row goes (gridPos), and where the next row begins."""
    least = NARROWEST["low" if one.height <= _LOW else "high"]
    lines: list[list[Panel]] = [[]]
    for panel in one.panels:
        if sum(p.width or least for p in lines[-1]) + (panel.width or least) > COLUMNS:
            lines.append([])
        lines[-1].append(panel)
    found = []
    for line in lines:
        left = 0
        for width in _widths(line):
            found.append({"h": one.height, "w": width, "x": left, "y": top})
            left += width
        top += one.height
    return found, top


def _widths(line: Sequence[Panel]) -> list[int]:
    """The columns of each panel of one line; what cannot be shared evenly goes to the first ones."""
    free = COLUMNS - sum(panel.width for panel in line)
    sharing = sum(not panel.width for panel in line)
    widths = []
    for panel in line:
        if panel.width:
            widths.append(panel.width)
        else:
            share = -(-free // sharing)
            widths.append(share)
            free, sharing = free - share, sharing - 1
    return widths
