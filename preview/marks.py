"""Alerts on a graph: where one began, and for how long it fired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from preview.drawn import Figure, Mark


def regions(marks: Sequence[Mark]) -> Iterator[Figure]:
    """Each as a line where it began, and a veil for as long as it lasted."""
    for mark in marks:
        edges = {"x0": mark.begin * 1000, "x1": mark.end * 1000, "yref": "paper", "y0": 0, "y1": 1}
        yield {"type": "rect", **edges, "fillcolor": f"@{mark.colour}/0.1", "line": {"width": 0}, "layer": "below"}
        edge = {"color": f"@{mark.colour}", "width": 1, "dash": "dot"}
        yield {"type": "line", **edges, "x1": mark.begin * 1000, "line": edge}


def points(marks: Sequence[Mark], foot: float) -> Iterator[Figure]:
    """What the pointer finds at the foot of a mark."""
    for colour in sorted({mark.colour for mark in marks}):
        mine = [mark for mark in marks if mark.colour == colour]
        yield {
            "type": "scatter",
            "mode": "markers",
            "name": "fires",
            "x": [mark.begin * 1000 for mark in mine],
            "y": [foot] * len(mine),
            "text": [escape(mark.name) for mark in mine],
            "hovertemplate": "%{text} fires<extra></extra>",
            "marker": {"symbol": "triangle-up", "size": 9, "color": f"@{colour}"},
            "cliponaxis": False,
        }
