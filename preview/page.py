"""A picture as a page: plain HTML that opens from a file, with the figures beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from preview import interpolate, links
from preview.board import Panel, Row
from preview.drawing import Picture
from preview.drawn import Drawn
from preview.links import Pages

SKETCH = "A faithful sketch of the generated JSON, not Grafana"


@dataclass(frozen=True)
class Side:
    """A picture and the situation that it shows: its file's stem, its name, its story, and where it was asked."""

    stem: str
    title: str
    story: str
    server: str
    picture: Picture


def single(side: Side, others: Mapping[str, str]) -> str:
    """The dashboard in one situation; `others` are its other pages, name -> address."""
    grid = "".join(_row(row, side) for row in side.picture.plan.rows)
    return _page(side.picture, [side], others, f'<main class="board">{grid}</main>')


def beside(left: Side, right: Side, others: Mapping[str, str]) -> str:
    """The dashboard in two situations, panel beside panel."""
    rows = [_pairs(row, left, left, right) for row in left.picture.plan.rows]
    # A repeated row may exist in one situation only.
    rows += [
        _pairs(row, right, left, right)
        for row in right.picture.plan.rows
        if not any(panel.key in left.picture.panels for panel in row.panels)
    ]
    heads = f"<b>{escape(left.title)}</b><b>{escape(right.stem)}: {escape(right.title)}</b>"
    body = f'<main class="board compared"><p class="sides" aria-hidden="true">{heads}</p>{"".join(rows)}</main>'
    return _page(left.picture, [left, right], others, body)


def document(title: str, root: str, body: str, scripts: Sequence[str] = ()) -> str:
    """An HTML document; `root` leads to the folder of the gallery."""
    loaded = "".join(f'<script src="{escape(script)}"></script>' for script in scripts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="{root}preview.css">'
        f'<script src="{root}preview.js"></script></head><body>{body}{loaded}</body></html>\n'
    )


def theme() -> str:
    """The button that changes light and dark."""
    return '<button type="button" class="theme" aria-label="Light or dark">◐</button>'


def _page(picture: Picture, sides: Sequence[Side], others: Mapping[str, str], main: str) -> str:
    board = picture.plan.board
    pages = picture.scene.pages
    tabs = "".join(
        f'<a href="{escape(address)}"{" aria-current=page" if not address else ""}>{escape(name)}</a>'
        for name, address in others.items()
    )
    body = (
        f'<header class="top"><div class="line"><a href="../index.html">Gallery</a><h1>{escape(board.title)}</h1>'
        f'<nav class="tabs" aria-label="Situations">{tabs}</nav>{theme()}</div>'
        f'<p class="description">{escape(board.description)}</p>'
        f'<div class="facts"><strong>{SKETCH}</strong>{"".join(_facts(sides))}</div>'
        f'<div class="line choices">{"".join(_choices(picture))}{"".join(_links(picture, pages))}</div></header>{main}'
    )
    scripts = ["../plotly.min.js", *(f"{side.stem}.js" for side in sides)]
    return document(f"{board.title}: {' and '.join(side.title for side in sides)}", "../", body, scripts)


def _facts(sides: Sequence[Side]) -> Iterator[str]:
    for side in sides:
        scene = side.picture.scene
        begin, end = (datetime.fromtimestamp(at, UTC) for at in (scene.start, scene.end))
        told = f"<details><summary>{escape(side.title)}</summary>{escape(side.story)}</details>"
        yield f"<span>{told}</span><span>{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC</span>"
        yield f"<span>Prometheus {escape(side.server)}</span>"
        for path in side.picture.undrawn:
            yield f'<span class="failed">not drawn: {escape(path)}</span>'


def _choices(picture: Picture) -> Iterator[str]:
    for one in picture.plan.variables.values():
        if one.asks:
            values = ", ".join(one.values) or "nothing to choose from"
            yield f'<span class="choice" title="{escape(values)}">{escape(one.title)}: All ({len(one.values)})</span>'


def _links(picture: Picture, pages: Pages) -> Iterator[str]:
    """The links of the dashboard; those to its siblings by name, each once."""
    board = picture.plan.board
    shown = {board.uid}
    for link in board.links:
        if link.tags:
            near = (page for uid, page in pages.items() if uid not in shown)
            yield "".join(f'<a href="{escape(page.address)}">{escape(page.title)}</a>' for page in near)
        elif address := links.address(link.url, pages):
            shown |= {uid for uid, page in pages.items() if page.address == address}
            yield f'<a href="{escape(address)}">{escape(link.title)}</a>'
        else:
            yield f'<span class="choice" title="Only Grafana has what this leads to">{escape(link.title)}</span>'


def _row(row: Row, side: Side) -> str:
    inside = "".join(_panel(panel, side) for panel in row.panels)
    return _titled(row, f'<div class="grid">{inside}</div>')


def _titled(row: Row, inside: str) -> str:
    if not row.title:
        return f"<section>{inside}</section>"
    head = f"<summary><h2>{escape(row.title)}</h2></summary>"
    return f'<details class="row"{"" if row.collapsed else " open"}>{head}{inside}</details>'


def _panel(panel: Panel, side: Side) -> str:
    place = panel.place
    style = f"--x:{place.x + 1};--y:{place.y + 1};--w:{place.w};--h:{place.h}"
    inside = _inside(panel, side)
    return f'<article class="panel k-{panel.kind}" style="{style}">{_head(panel, side)}{inside}</article>'


def _pairs(row: Row, head: Side, left: Side, right: Side) -> str:
    found = []
    for panel in row.panels:
        wide = 8 if panel.place.w <= 5 else 12 if panel.place.w <= 7 else 24
        both = _inside(panel, left) + _inside(panel, right)
        found.append(
            f'<article class="panel pair k-{panel.kind}" style="--w:{wide};--h:{panel.place.h}">{_head(panel, head)}'
            f'<div class="two">{both}</div></article>'
        )
    return _titled(row, f'<div class="grid">{"".join(found)}</div>')


def _inside(panel: Panel, side: Side) -> str:
    drawn = side.picture.panels.get(panel.key, Drawn(""))
    figure = f' data-side="{side.stem}" data-figure="{escape(panel.key)}"' if drawn.figure else ""
    return f'<div class="inside"{figure}>{drawn.html}</div>'


def _head(panel: Panel, side: Side) -> str:
    plan = side.picture.plan
    title = interpolate.title(panel.option["title"].text(), panel.only, plan.variables)
    description = panel.option["description"].text()
    asked = "".join(f"<code>{escape(target.query.expr)}</code>" for target in plan.targets[panel.key])
    button = f'<summary aria-label="What {escape(title)} shows">i</summary>'
    tip = f'<details class="tip">{button}<div><p>{escape(description)}</p>{asked}</div></details>'
    return f'<header><h3 title="{escape(title)}">{escape(title)}</h3>{tip}</header>'
