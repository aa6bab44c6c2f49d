"""state-timeline: which state something was in, and when, as lanes of coloured stretches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape

from preview import fieldconfig, names
from preview.drawn import Asked, Drawn, Marks, Scene, nothing
from preview.fields import NO_DATA, Field, Shown
from preview.gaps import filled, stretches

_ROOM = 7  # pixels that a letter takes, of about 700 that a lane has


@dataclass(frozen=True)
class Lane:
    """A series: its name, and what it was from when to when, in unix time."""

    name: str
    stretches: Sequence[tuple[float, float, Shown]]


def draw(asked: Asked, scene: Scene) -> Drawn:
    """Draw a panel of kind state-timeline."""
    options = asked.panel.option["options"]
    field, _ = fieldconfig.read(asked.panel.option)
    custom = asked.panel.option["fieldConfig"]["defaults"]["custom"]
    opacity, edge = custom["fillOpacity"].number(), custom["lineWidth"].number() or 0
    written = options["showValue"].choice("auto", "always", "never") != "never"
    align = options["alignValue"].choice("left", "center", "right")
    merged = options["mergeValues"].flag(missing=True)
    thick = options["rowHeight"].number() or 0.9
    options["legend"]["displayMode"].choice("list")
    options["legend"]["placement"].choice("bottom")
    legend = options["legend"]["showLegend"].flag()
    if merged and field.mode == "thresholds":  # Grafana then merges into the steps of the thresholds: states are lost
        field = replace(field, mappings=())
    lanes = list(_lanes(asked, field, scene, merged=merged))
    if not lanes:
        return nothing(field.empty or NO_DATA)
    length = scene.end - scene.start
    inside = "".join(_lane(lane, scene, written=written) for lane in lanes)
    marks = "".join(
        f'<b class="c-{mark.colour}" style="left:{100 * (mark.begin - scene.start) / length:.2f}%"'
        f' title="{escape(mark.name)} fires"></b>'
        for mark in scene.marks
    )
    style = f"--thick:{thick};--opacity:{(70 if opacity is None else opacity) / 100};--edge:{edge}px"
    return Drawn(
        f'<div class="lanes {align}" style="{style}"><div class="scroll">{inside}'
        f'<div class="marks" aria-hidden="true">{marks}</div></div>{_clock(scene)}</div>'
        f"{_legend(lanes) if legend else ''}",
        tells=[lane.stretches[-1][2].colour for lane in lanes if _lasts(lane, scene) and lane.stretches[-1][2].told],
        bars=[_shares(lane, scene) for lane in lanes[:10]],
    )


def _lanes(asked: Asked, field: Field, scene: Scene, *, merged: bool) -> Iterator[Lane]:
    for target, series in asked.answered:
        called = names.of(series, target.legend, target.query.expr, asked.all)
        for name, one in zip(called, series, strict=True):
            found = list(stretches(filled(one, target.query), target.query))
            shown = [(begin, end, field.show(value, scene.end)) for begin, end, value in found]
            yield Lane(name, _merged(shown) if merged else shown)


def _merged(found: Sequence[tuple[float, float, Shown]]) -> list[tuple[float, float, Shown]]:
    """Neighbours that look the same become one, also where their values differ."""
    whole: list[tuple[float, float, Shown]] = []
    for begin, end, shown in found:
        if whole and whole[-1][1] == begin and whole[-1][2] == shown:
            whole[-1] = (whole[-1][0], end, shown)
        else:
            whole.append((begin, end, shown))
    return whole


def _lasts(lane: Lane, scene: Scene) -> bool:
    """Whether its last state is that of now."""
    return scene.end - lane.stretches[-1][1] < (scene.end - scene.start) / 100


def _lane(lane: Lane, scene: Scene, *, written: bool) -> str:
    length = scene.end - scene.start
    found = []
    for begin, end, shown in lane.stretches:
        left, wide = 100 * (begin - scene.start) / length, 100 * max(end - begin, length / 400) / length
        fits = written and wide * 7 > _ROOM * len(shown.text)
        when = f"{shown.text}, {_time(begin)} to {_time(end)}"
        found.append(
            f'<i class="c-{shown.colour}" style="left:{left:.2f}%;width:{wide:.2f}%" title="{escape(when)}">'
            f"{f'<span>{escape(shown.text)}</span>' if fits else ''}</i>"
        )
    told = lane.stretches[-1][2].text if lane.stretches and _lasts(lane, scene) else ""
    return (
        f'<div class="lane"><span class="name" title="{escape(lane.name)}">{escape(lane.name)}</span>'
        f'<div class="track" role="img" aria-label="{escape(f"{lane.name}: {told}")}">{"".join(found)}</div></div>'
    )


def _shares(lane: Lane, scene: Scene) -> Marks:
    length = scene.end - scene.start
    return [((b - scene.start) / length, (e - scene.start) / length, shown.colour) for b, e, shown in lane.stretches]


def _clock(scene: Scene) -> str:
    """Whole hours below the lanes, or days below longer ones."""
    length = scene.end - scene.start
    every = next((step for step in (3600, 7200, 21_600, 86_400, 172_800) if length / step <= 8), 604_800)
    times = range(-(-scene.start // every) * every, scene.end + 1, every)
    form = "%H:%M" if length <= 86_400 else "%d %b"
    shares = ((at, 100 * (at - scene.start) / length) for at in times)
    ticks = "".join(
        f'<span style="left:{share:.2f}%;translate:{-share if share in (0, 100) else -50:.0f}%">'
        f"{datetime.fromtimestamp(at, UTC):{form}}</span>"
        for at, share in shares
    )
    return f'<div class="clock" aria-hidden="true"><div>{ticks}</div></div>'


def _legend(lanes: Sequence[Lane]) -> str:
    seen = dict.fromkeys((shown.text, shown.colour) for lane in lanes for _, _, shown in lane.stretches)
    items = (f'<li><i class="c-{colour}"></i>{escape(text)}</li>' for text, colour in seen)
    return f'<ul class="legend">{"".join(items)}</ul>'


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%a %H:%M}"
