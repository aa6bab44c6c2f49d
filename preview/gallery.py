"""The folder of pages: a card per dashboard, a page per dashboard and situation, and what they all load."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path

from preview import colours, page
from preview.page import Side
from preview.thumbnail import thumbnail

FOLDER = Path("build/preview")
_ASSETS = ("preview.css", "preview.js")
_BESIDE = "side by side"


def write(folder: Path, sides: Mapping[str, Sequence[Side]], cluster: str) -> Path:
    """Write everything into the folder, in place of what was there; gives the first page.

    `sides` are by stem of the dashboard; of two situations or more, each is laid beside the first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in _ASSETS:
        (folder / name).write_bytes((resources.files("preview") / "assets" / name).read_bytes())
    plotly = resources.files("plotly") / "package_data" / "plotly.min.js"
    (folder / "plotly.min.js").write_bytes(plotly.read_bytes())
    for stem, found in sides.items():
        own = folder / stem
        own.mkdir()
        for side in found:
            (own / f"{side.stem}.js").write_text(_figures(side), encoding="utf-8")
            (own / f"{side.stem}.html").write_text(page.single(side, _others(found, side.stem)), encoding="utf-8")
        for other in found[1:]:
            name = _beside(found[0], other)
            text = page.beside(found[0], other, _others(found, name))
            (own / f"{name}.html").write_text(text, encoding="utf-8")
    index = folder / "index.html"
    index.write_text(_index(sides, cluster), encoding="utf-8")
    return index


def _figures(side: Side) -> str:
    figures = {key: drawn.figure for key, drawn in side.picture.panels.items() if drawn.figure}
    text = json.dumps(figures, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"preview.figures[{json.dumps(side.stem)}] = {text};\npreview.draw();\n"


def _beside(left: Side, right: Side) -> str:
    return f"{left.stem}-{right.stem}"


def _others(found: Sequence[Side], here: str) -> dict[str, str]:
    """The pages of one dashboard; the one that is shown has no address."""
    pages = {side.stem: side.stem for side in found}
    pages |= {f"{_BESIDE}: {side.stem}" if len(found) > 2 else _BESIDE: _beside(found[0], side) for side in found[1:]}
    return {name: "" if stem == here else f"{stem}.html" for name, stem in pages.items()} if len(pages) > 1 else {}


def _index(sides: Mapping[str, Sequence[Side]], cluster: str) -> str:
    worst = {stem: colours.worst(found[-1].picture.tells) for stem, found in sides.items()}
    stems = sorted(sides, key=lambda stem: colours.rank(worst[stem]))
    cards = "".join(_card(stem, sides[stem]) for stem in stems)
    told = "".join(_situation(side) for side in next(iter(sides.values()), ()))
    body = (
        f'<header class="top"><div class="line"><h1>Dashboards of {escape(cluster)}</h1>{page.theme()}</div>'
        f'<p class="facts"><strong>{page.SKETCH}</strong></p><dl class="situations">{told}</dl></header>'
        f'<main class="cards">{cards}</main>'
    )
    return page.document(f"Dashboards of {cluster}", "", body)


def _situation(side: Side) -> str:
    return f"<dt>{escape(side.stem)}: {escape(side.title)}</dt><dd>{escape(side.story)}</dd>"


def _card(stem: str, found: Sequence[Side]) -> str:
    board = found[0].picture.plan.board
    worst = colours.worst(found[-1].picture.tells)
    shown = "".join(
        f'<a href="{stem}/{side.stem}.html"><span>{escape(side.stem)}</span>{thumbnail(side.picture)}'
        f'<span class="told">{" ".join(_told(side))}</span></a>'
        for side in found
    )
    more = "".join(
        f'<a class="beside" href="{stem}/{_beside(found[0], other)}.html">{escape(other.stem)} beside healthy</a>'
        for other in found[1:]
    )
    return (
        f'<article class="card c-{worst}"><h2>{escape(board.title)}</h2><p>{escape(board.description)}</p>'
        f'<div class="shown">{shown}</div>{more}</article>'
    )


def _told(side: Side) -> Iterator[str]:
    """How many panels are of a colour that somebody should look at."""
    counts = Counter(side.picture.tells)
    bad = [name for name in colours.BAD if counts[name]]
    for name in bad:
        yield f'<b class="badge c-{name}">{counts[name]} {name}</b>'
    if not bad:
        yield '<b class="badge c-green">all well</b>' if counts["green"] else '<b class="badge">no judgement</b>'
