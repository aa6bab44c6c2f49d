"""Rows and panels in their places, as Grafana lays them out: repeated rows once for each value of their variable."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from preview import interpolate
from preview.board import KINDS, Board, Panel, Place, Row
from preview.interpolate import Variable
from preview.options import Option, Undrawable

_MOST_REPEATED = 20


def rows(board: Board, known: Mapping[str, Variable]) -> list[Row]:
    """The rows, from top to bottom, the repeated ones once for each value of their variable."""
    found: list[Row] = []
    for heading, below in _grouped(board.document["panels"]):
        variable = heading["repeat"].text() if heading is not None else ""
        values = known[variable].values[:_MOST_REPEATED] if variable in known else ()
        found += [_row(heading, below, {variable: value} if value else {}, known) for value in values or ("",)]
    return found


def _grouped(panels: Option) -> Iterator[tuple[Option | None, list[Option]]]:
    """Each heading with its panels: those it carries when it is collapsed, or those that follow it."""
    heading: Option | None = None
    below: list[Option] = []
    for one in panels.items():
        kind = one["type"].text()
        if kind != "row":
            below.append(dataclasses.replace(one, path=kind))
            continue
        if heading or below:
            yield heading, below
        heading = dataclasses.replace(one, path="row")
        heading["type"].read()
        below = [dataclasses.replace(inner, path=str(inner.value.get("type"))) for inner in heading["panels"].items()]
    if heading or below:
        yield heading, below


def _row(
    heading: Option | None, below: Sequence[Option], only: Mapping[str, str], known: Mapping[str, Variable]
) -> Row:
    top = 0
    if heading is not None:
        place = _place(heading["gridPos"])
        top = place.y + place.h
    panels = [_panel(one, top, only) for one in below]
    panels.sort(key=lambda panel: (panel.place.y, panel.place.x))
    if heading is None:
        return Row("", collapsed=False, panels=tuple(panels))
    title = interpolate.title(heading["title"].text(), only, known)
    return Row(title, heading["collapsed"].flag(), tuple(panels))


def _panel(one: Option, top: int, only: Mapping[str, str]) -> Panel:
    kind = one["type"].text()
    if kind not in KINDS:
        raise Undrawable(f"there is a panel of kind {kind}; the preview draws {', '.join(KINDS)}")
    place = _place(one["gridPos"])
    key = "-".join([f"p{one['id'].text()}", *only.values()])
    return Panel(key, kind, one, dataclasses.replace(place, y=place.y - top), only)


def _place(grid: Option) -> Place:
    return Place(*(int(grid[side].number() or 0) for side in "xywh"))
