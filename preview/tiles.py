"""stat and bargauge: a number per series, the last one there is, in the colour of its threshold or meaning."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from preview import fieldconfig, links, names
from preview.drawn import Asked, Drawn, Scene
from preview.fields import Field, Shown
from preview.options import Option


@dataclass(frozen=True)
class Tile:
    """What one series comes to."""

    name: str
    value: float | None
    shown: Shown
    course: Sequence[float]


def stat(asked: Asked, scene: Scene) -> Drawn:
    """Draw a panel of kind stat."""
    options = asked.panel.option["options"]
    field, _ = fieldconfig.read(asked.panel.option)
    background = options["colorMode"].choice("value", "background", "none") == "background"
    area = options["graphMode"].choice("none", "area") == "area"
    named = options["textMode"].choice("auto", "value", "value_and_name")
    tiles = list(_tiles(asked, field, scene))
    with_names = named == "value_and_name" or (named == "auto" and len(tiles) > 1)
    inside = "".join(
        _linked(field, scene, _tile(one, background=background, area=area, named=with_names)) for one in tiles
    )
    return Drawn(f'<div class="tiles">{inside}</div>', tells=[one.shown.colour for one in tiles if one.shown.told])


def bars(asked: Asked, scene: Scene) -> Drawn:
    """Draw a panel of kind bargauge."""
    options = asked.panel.option["options"]
    options["displayMode"].choice("basic")
    options["valueMode"].choice("color")
    unfilled = options["showUnfilled"].flag()
    field, _ = fieldconfig.read(asked.panel.option)
    tiles = list(_tiles(asked, field, scene))
    values = [one.value for one in tiles if one.value is not None and math.isfinite(one.value)]
    least = field.least if field.least is not None else min(values, default=0.0)
    most = field.most if field.most is not None else max(values, default=1.0)
    rows = "".join(_bar(one, least, most) for one in tiles)
    html = f'<div class="bars{" unfilled" if unfilled else ""}">{rows}</div>'
    shares = [_part(one, least, most) for one in tiles[:8]]
    return Drawn(
        html,
        tells=[one.shown.colour for one in tiles if one.shown.told],
        bars=[[(0.0, share, one.shown.colour)] for share, one in zip(shares, tiles, strict=False)],
    )


def _tiles(asked: Asked, field: Field, scene: Scene) -> Iterator[Tile]:
    calc = _calculation(asked.panel.option["options"]["reduceOptions"]["calcs"])
    for target, series in asked.answered:
        called = names.of(series, target.legend, target.query.expr, asked.all)
        for name, one in zip(called, series, strict=True):
            course = [value for _, value in one.points]
            value = _reduced(course, calc)
            yield Tile(name, value, field.show(value, scene.end), course)
    if not asked.all:
        yield Tile("", None, field.show(None, scene.end), ())


def _calculation(calcs: Option) -> str:
    return next((one.choice("lastNotNull", "last", "min", "max", "mean") for one in calcs.items()), "lastNotNull")


def _reduced(values: Sequence[float], calc: str) -> float | None:
    there = [value for value in values if not math.isnan(value)]
    if not there or calc in ("lastNotNull", "last"):
        return there[-1] if there else None
    return {"min": min(there), "max": max(there), "mean": sum(there) / len(there)}[calc]


def _tile(one: Tile, *, background: bool, area: bool, named: bool) -> str:
    kind = "filled" if background else "plain"
    name = f'<span class="name">{escape(one.name)}</span>' if named and one.name else ""
    course = sparkline(one.course) if area else ""
    told = f' data-tells="{one.shown.colour}"' if one.shown.told else ""
    value = f'<span class="value" style="--n:{max(len(one.shown.text), 3)}">{escape(one.shown.text)}</span>'
    return f'<div class="tile {kind} c-{one.shown.colour}"{told}>{course}{name}{value}</div>'


def _linked(field: Field, scene: Scene, inside: str) -> str:
    if not field.links or not (address := links.address(field.links[0][1], scene.pages)):
        return inside
    return f'<a class="through" href="{escape(address)}">{inside}</a>'


def sparkline(values: Sequence[float]) -> str:
    """The course of a value, behind it."""
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return ""
    low, high = min(finite), max(finite)
    height = (high - low) or 1.0
    every = max(1, len(finite) // 120)
    kept = finite[::every]
    wide = 100 / (len(kept) - 1) if len(kept) > 1 else 100
    points = " ".join(
        f"{n * wide:.1f},{30 - 26 * (v - low) / height if high > low else 17:.1f}" for n, v in enumerate(kept)
    )
    return (
        '<svg class="course" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">'
        f'<polygon points="0,30 {points} 100,30"/><polyline points="{points}"/></svg>'
    )


def _part(one: Tile, least: float, most: float) -> float:
    if one.value is None or not math.isfinite(one.value) or most <= least:
        return 0.0
    return min(1.0, max(0.0, (one.value - least) / (most - least)))


def _bar(one: Tile, least: float, most: float) -> str:
    share = 100 * _part(one, least, most)
    told = f' data-tells="{one.shown.colour}"' if one.shown.told else ""
    return (
        f'<div class="bar c-{one.shown.colour}"{told}><span class="name">{escape(one.name)}</span>'
        f'<span class="track"><i style="width:{share:.1f}%"></i></span>'
        f'<span class="value">{escape(one.shown.text)}</span></div>'
    )
