"""A dashboard the size of a stamp: its panels in their places, with their colours and courses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from preview import colours
from preview.board import Place
from preview.drawing import Picture
from preview.drawn import Drawn

_X, _Y = 10, 8  # units of the drawing per column and per row
_TALL = 30  # rows that are shown


def thumbnail(picture: Picture) -> str:
    """An SVG."""
    parts: list[str] = []
    top = 0
    for row in picture.plan.rows:
        if row.title:
            top += 1
        if row.collapsed:
            continue
        for panel in row.panels:
            if top + panel.place.y < _TALL:
                parts += _panel(panel.place, top, picture.panels[panel.key])
        top += max((panel.place.y + panel.place.h for panel in row.panels), default=0)
    return (
        f'<svg class="thumbnail" viewBox="0 0 {24 * _X} {_TALL * _Y}" preserveAspectRatio="xMidYMin slice"'
        f' aria-hidden="true">{"".join(parts)}</svg>'
    )


def _panel(place: Place, top: int, drawn: Drawn) -> Iterator[str]:
    x, y = place.x * _X + 1, (top + place.y) * _Y + 1
    width, height = place.w * _X - 2, place.h * _Y - 2
    worst = colours.worst(drawn.tells)
    small = place.h <= 5
    kind = f"told c-{worst}" if worst != colours.QUIET and (small or worst in colours.BAD) else ""
    yield f'<rect class="{kind}{"" if small else " edge"}" x="{x}" y="{y}" width="{width}" height="{height}" rx="1"/>'
    if small:
        return
    for number, line in enumerate(drawn.lines):
        yield f'<path class="c-{colours.classic(number)}" d="{_line(line, (x + 3, y + 8), (width - 6, height - 12))}"/>'
    thick = max(1.5, min(6, (height - 10) / max(len(drawn.bars), 1) - 1))
    for number, lane in enumerate(drawn.bars):
        for begin, end, colour in lane:
            left, wide = x + 3 + begin * (width - 6), max(1, (end - begin) * (width - 6))
            at = y + 7 + number * (thick + 1)
            yield f'<rect class="bit c-{colour}" x="{left:.1f}" y="{at:.1f}" width="{wide:.1f}" height="{thick:.1f}"/>'


def _line(values: Sequence[float | None], corner: tuple[float, float], size: tuple[float, float]) -> str:
    """The path of a line whose values are shares of the height; gaps stay gaps."""
    wide = size[0] / max(len(values) - 1, 1)
    pieces: list[str] = []
    down = False
    for number, value in enumerate(values):
        if value is not None:
            pieces.append(
                f"{'L' if down else 'M'}{corner[0] + number * wide:.0f} {corner[1] + (1 - value) * size[1]:.0f}"
            )
        down = value is not None
    return "".join(pieces)
