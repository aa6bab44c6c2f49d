"""A whole dashboard in one situation: what it asks, and what becomes of every panel."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from preview import board as boards
from preview import colours, graph, interpolate, layout, names, states, table, tiles, words
from preview.board import Board, Panel, Row, Target
from preview.drawn import Asked, Drawn, Mark, Scene, failed, failures
from preview.interpolate import Variable
from preview.links import Pages
from preview.options import undrawn
from preview.prometheus import Answers, Failure, Prometheus, Query

KINDS: Mapping[str, Callable[[Asked, Scene], Drawn]] = {
    "stat": tiles.stat,
    "timeseries": graph.draw,
    "bargauge": tiles.bars,
    "state-timeline": states.draw,
    "table": table.draw,
    "logs": words.logs,
    "text": words.text,
}


@dataclass(frozen=True)
class Plan:
    """A dashboard with its variables known: its rows, and what each panel and the marks on the graphs ask."""

    board: Board
    now: int
    variables: Mapping[str, Variable]
    rows: Sequence[Row]
    targets: Mapping[str, Sequence[Target]]  # by key of the panel
    alerts: Sequence[tuple[Query, str, str]]  # the query, the title and the colour of its marks
    unknown: Sequence[str]  # variables whose values cannot be told, and why

    @property
    def queries(self) -> Iterator[Query]:
        """Everything there is to ask."""
        yield from (target.query for found in self.targets.values() for target in found)
        yield from (query for query, _, _ in self.alerts)


@dataclass(frozen=True)
class Picture:
    """A dashboard as it looks in one situation; `panels` by key."""

    plan: Plan
    scene: Scene
    panels: Mapping[str, Drawn]
    undrawn: Sequence[str]  # options of the JSON that the preview neither draws nor knows

    @property
    def tells(self) -> list[str]:
        """The worst colour of each panel."""
        return [colours.worst(drawn.tells) for drawn in self.panels.values()]

    @property
    def failures(self) -> list[str]:
        """What could not be asked, with the panel's title."""
        titles = {panel.key: panel.option.value.get("title", "") for row in self.plan.rows for panel in row.panels}
        return [*self.plan.unknown, *(f"{titles[key]}: {d.failure}" for key, d in self.panels.items() if d.failure)]


def plan(board: Board, server: Prometheus, now: int) -> Plan:
    """Find out what there is to ask. Raises Undrawable, NoTime and Unreachable."""
    known: dict[str, Variable] = {}
    unknown: list[str] = []
    for one, query in boards.variables(board):
        found = server.label_values(query, now - board.length, now) if query else []
        if isinstance(found, Failure):
            unknown.append(f"variable {one.name}: {found.message}")
        known[one.name] = dataclasses.replace(one, values=() if isinstance(found, Failure) else tuple(found))
    rows = layout.rows(board, known)
    targets = {panel.key: boards.targets(panel, board, known, now) for row in rows for panel in row.panels}
    return Plan(board, now, known, rows, targets, list(_alerts(board, known, now)), unknown)


def _alerts(board: Board, known: Mapping[str, Variable], now: int) -> Iterator[tuple[Query, str, str]]:
    for one in board.document["annotations"]["list"].items():
        step = interpolate.seconds_ago(f"now-{one['step'].text('60s')}")
        expr = interpolate.expression(one["expr"].text(), known, {}, board.length, step)
        title, colour = one["titleFormat"].text(), colours.plain(one["iconColor"].text())
        if one["enable"].flag(missing=True):
            end = now // step * step
            yield Query(expr, end - board.length // step * step, end, step), title, colour


def picture(plan: Plan, answers: Answers, pages: Pages) -> Picture:
    """Draw it. Raises Undrawable, NoUnit and NoColour: what Grafana knows and the preview does not."""
    board = plan.board
    start = plan.now - board.length
    marks = [mark for query, title, colour in plan.alerts for mark in _marks(query, title, colour, answers)]
    scene = Scene(answers, start, plan.now, sorted(marks, key=lambda mark: mark.begin), pages)
    panels = {panel.key: _panel(panel, plan, scene) for row in plan.rows for panel in row.panels}
    for row in plan.rows:
        for panel in row.panels:
            panel.option["title"].text()
            panel.option["description"].text()
    return Picture(plan, scene, panels, sorted(set(_undrawn(plan))))


def _panel(panel: Panel, plan: Plan, scene: Scene) -> Drawn:
    targets = plan.targets[panel.key]
    if problems := failures(targets, scene.answers):
        return failed("; ".join(dict.fromkeys(problems)))
    answered = [
        (target, [] if isinstance(answer := scene.answers[target.query], Failure) else answer) for target in targets
    ]
    return KINDS[panel.kind](Asked(panel, answered), scene)


def _marks(query: Query, title: str, colour: str, answers: Answers) -> Iterator[Mark]:
    """A mark for each time that something fired without a pause."""
    found = answers[query]
    for one in () if isinstance(found, Failure) else found:
        name = names.filled_in(title, one.labels)
        times = [time for time, _ in one.points]
        begin = times[0]
        for before, after in pairwise([*times, float("inf")]):
            if after - before > query.step * 1.5:
                yield Mark(name, colour, begin, before)
                begin = after


def _undrawn(plan: Plan) -> Iterator[str]:
    """Every option that nobody read, wherever in the dashboard it is."""
    board, drawn = plan.board, plan.board.drawn
    whole = {key: value for key, value in board.document.value.items() if key != "panels"}
    yield from undrawn(whole, drawn, "dashboard")
    for panel in board.document.value["panels"]:
        own = {key: value for key, value in panel.items() if key != "panels"}
        yield from undrawn(own, drawn, panel["type"])
        for inner in panel.get("panels") or ():
            yield from undrawn(inner, drawn, inner["type"])
