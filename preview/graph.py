"""timeseries: lines over time, as a figure of plotly; colours stay names, which the page's script looks up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

from preview import axis, colours, fieldconfig, marks, names
from preview.axis import Scale
from preview.drawn import Asked, Drawn, Figure, Scene, nothing
from preview.fields import NO_DATA, Field
from preview.gaps import filled
from preview.options import Option

_TICK = 46  # pixels between two ticks
_AROUND = 86  # pixels of a panel that its title, legend and time axis take
_DIGITS = 6


@dataclass(frozen=True)
class Line:
    """A line: its name, its colour, and a value for every step."""

    name: str
    colour: str
    values: Sequence[float | None]
    start: int
    step: int


@dataclass(frozen=True)
class Look:
    """How all lines of a panel look: whether they are stacked, how wide they are, how opaque what lies below them."""

    stack: str
    width: float
    opacity: float


def draw(asked: Asked, scene: Scene) -> Drawn:
    """Draw a panel of kind timeseries."""
    option = asked.panel.option
    field, _ = fieldconfig.read(option)
    custom = option["fieldConfig"]["defaults"]["custom"]
    look = Look(
        custom["stacking"]["mode"].choice("none", "normal", "percent"),
        custom["lineWidth"].number() or 1,
        (custom["fillOpacity"].number() or 0) / 100,
    )
    dashed = custom["thresholdsStyle"]["mode"].choice("off", "dashed", "line")
    legend, mode = _legend(option), option["options"]["tooltip"]["mode"].choice("single", "multi", "none")
    lines = list(_lines(asked, field))
    if not any(value is not None for line in lines for value in line.values):
        return nothing(field.empty or NO_DATA)
    count = (asked.panel.place.h * 38 - _AROUND) // _TICK
    scale = axis.scale(_heights(lines, look.stack), field, min(max(count, 2), 6), scene.end)
    figure = {
        "data": [
            *(_trace(line, field, scene, look) for line in lines),
            *marks.points(scene.marks, scale.low),
        ],
        "layout": {
            "xaxis": {"type": "date", "range": [scene.start * 1000, scene.end * 1000], "tickformat": _clock(scene)},
            "yaxis": {"range": [scale.low, scale.high], "tickvals": scale.ticks, "ticktext": scale.texts},
            "shapes": [*_limits(field, dashed), *marks.regions(scene.marks)],
            "hovermode": {"multi": "x unified", "single": "closest", "none": False}[mode],
        },
    }
    return Drawn(
        f'<div class="plot"></div>{_names(lines) if legend else ""}',
        figure,
        lines=[_share(line.values, scale) for line in lines[:12]],
    )


def _legend(option: Option) -> bool:
    legend = option["options"]["legend"]
    legend["placement"].choice("bottom")
    legend["displayMode"].choice("list")
    list(legend["calcs"].items())
    return legend["showLegend"].flag(missing=True)


def _lines(asked: Asked, field: Field) -> Iterator[Line]:
    number = 0
    for target, series in asked.answered:
        called = names.of(series, target.legend, target.query.expr, asked.all)
        for name, one in zip(called, series, strict=True):
            colour = colours.classic(number) if field.mode == "palette-classic" else field.colour(one.points[-1][1])
            number += 1
            values = [v if v is not None and math.isfinite(v) else None for v in filled(one, target.query)]
            yield Line(name, colour, values, target.query.start, target.query.step)


def _heights(lines: Sequence[Line], stack: str) -> list[float]:
    """What the axis must reach: the values, or where they are stacked, their sums."""
    if stack == "percent":
        return [0.0, 1.0]
    if stack == "none":
        return [value for line in lines for value in line.values if value is not None]
    columns = zip(*(line.values for line in lines), strict=False)
    return [0.0, *(sum(value for value in column if value is not None) for column in columns)]


def _trace(line: Line, field: Field, scene: Scene, look: Look) -> Figure:
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "name": line.name,
        "x0": line.start * 1000,
        "dx": line.step * 1000,
        "y": [None if value is None else _short(value) for value in line.values],
        "text": ["" if value is None else field.write(value, scene.end) for value in line.values],
        "hovertemplate": "%{text}",
        "line": {"color": f"@{line.colour}", "width": look.width + 0.5},
        "connectgaps": False,
    }
    if look.stack != "none":
        norm = {"groupnorm": "fraction"} if look.stack == "percent" else {}
        trace |= {"stackgroup": "A", "fillcolor": f"@{line.colour}/{look.opacity}", **norm}
    elif look.opacity:
        trace |= {"fill": "tozeroy", "fillcolor": f"@{line.colour}/{look.opacity}"}
    if sum(value is not None for value in line.values) == 1:
        trace["mode"] = "markers"  # a line of one point would not be seen
    return trace


def _short(value: float) -> float:
    """As many digits as anybody can see: they are what a page's size consists of."""
    rounded = float(f"{value:.{_DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def _clock(scene: Scene) -> str:
    return "%H:%M" if scene.end - scene.start <= 86_400 else "%d %b"


def _limits(field: Field, mode: str) -> Iterator[Mapping[str, Any]]:
    """Each threshold in the colour that begins there; where nothing begins, in the one that ends there."""
    for before, step in pairwise(field.thresholds) if mode != "off" else ():
        if step.value is not None:
            colour = before.colour if step.colour == colours.CLEAR else step.colour
            line = {"color": f"@{colour}", "width": 1.5, "dash": "dash" if mode == "dashed" else "solid"}
            across = {"xref": "paper", "x0": 0, "x1": 1}
            yield {"type": "line", **across, "y0": step.value, "y1": step.value, "line": line}


def _names(lines: Sequence[Line]) -> str:
    items = (
        f'<li><button type="button" data-line="{number}" aria-pressed="true">'
        f'<i class="c-{line.colour}"></i><span title="{escape(line.name)}">{escape(line.name)}</span></button></li>'
        for number, line in enumerate(lines)
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def _share(values: Sequence[float | None], scale: Scale) -> list[float | None]:
    """A few values as shares of the height, for a thumbnail."""
    every = max(1, len(values) // 40)
    height = scale.high - scale.low
    return [None if v is None else min(1.0, max(0.0, (v - scale.low) / height)) for v in values[::every]]
