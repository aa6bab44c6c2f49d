"""A dashboard's JSON -> its rows and panels in their places, and the questions that each of them asks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from preview import interpolate
from preview.interpolate import Variable
from preview.options import Option
from preview.prometheus import Query

KINDS = ("stat", "timeseries", "bargauge", "state-timeline", "table", "logs", "text")
_WIDE = 1400  # pixels of a page on a desk, for the step of its queries
_COLUMNS = 24


@dataclass(frozen=True)
class Place:
    """Where a panel is: 24 columns, and rows of 30 pixels; `y` is counted from its row's heading."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True)
class Panel:
    """A panel; `only` are the variables that have one value here, since its row is repeated for each."""

    key: str  # unique in its dashboard
    kind: str
    option: Option
    place: Place
    only: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """Panels below a heading; what comes before the first heading has none."""

    title: str
    collapsed: bool
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Target:
    """One question of a panel."""

    ref: str
    legend: str
    form: str
    query: Query


@dataclass(frozen=True)
class Link:
    """A link above the page: to an address, or, where there is none, to all dashboards with one of these tags."""

    title: str
    url: str
    tags: Sequence[str]


@dataclass(frozen=True)
class Board:
    """A dashboard as generated; `drawn` collects what of its JSON is read."""

    stem: str
    document: Option
    drawn: set[str]
    uid: str
    title: str
    description: str
    length: int  # seconds that its graphs show
    links: Sequence[Link]


def read(path: Path) -> Board:
    """Read a generated file. Raises OSError, ValueError, and NoTime."""
    drawn: set[str] = set()
    document = Option(json.loads(path.read_text(encoding="utf-8")), "dashboard", drawn)
    document["time"]["to"].choice("now")
    return Board(
        path.stem,
        document,
        drawn,
        document["uid"].text(),
        document["title"].text(),
        document["description"].text(),
        interpolate.seconds_ago(document["time"]["from"].text()),
        [_link(one) for one in document["links"].items()],
    )


def _link(one: Option) -> Link:
    return Link(
        one["title"].text(),
        one["url"].text(),
        _tags(one) if one["type"].choice("link", "dashboards") == "dashboards" else (),
    )


def _tags(one: Option) -> Sequence[str]:
    return [tag.text() for tag in one["tags"].items()]


def variables(board: Board) -> Iterator[tuple[Variable, str]]:
    """What can be chosen, and the query for its values; data sources have none."""
    for one in board.document["templating"]["list"].items():
        name, title = one["name"].text(), one["label"].text()
        if one["type"].choice("datasource", "query", "constant", "custom") == "datasource":
            one["query"].read()
            yield Variable(name, title, asks=False), ""
            continue
        one["includeAll"].choice("True")
        one["multi"].flag()
        one["sort"].choice("1")
        yield Variable(name, title, everything=one["allValue"].text(".*")), one["query"]["query"].text()


def targets(panel: Panel, board: Board, known: Mapping[str, Variable], now: int) -> list[Target]:
    """What the panel asks Prometheus; what asks Loki is not answered here."""
    if panel.kind in ("logs", "text"):
        return []
    length = board.length
    step = interpolate.step(length, _WIDE * panel.place.w // _COLUMNS)
    end = now // step * step  # on whole steps, so that a page that is drawn again has the same points
    found = []
    for one in panel.option["targets"].items():
        expr = interpolate.expression(one["expr"].text(), known, panel.only, length, step)
        instant = one["instant"].flag()
        one["range"].choice(str(not instant))
        query = Query(expr, now, now) if instant else Query(expr, end - length // step * step, end, step)
        form = one["format"].choice("time_series", "table")
        found.append(Target(one["refId"].text(), one["legendFormat"].text(), form, query))
    return found
