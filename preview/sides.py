"""Every dashboard in one situation: asked all at once, then drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from preview.board import Board
from preview.drawing import picture, plan
from preview.links import Page
from preview.page import Side
from preview.progress import Progress
from preview.prometheus import Prometheus, ask_all


@dataclass(frozen=True)
class Source:
    """A Prometheus, the moment at which it is asked, and what it shows there."""

    stem: str
    title: str
    story: str
    server: Prometheus
    now: int


def sides(source: Source, boards: Mapping[str, Board], told: Progress) -> dict[str, Side]:
    """Draw them, by stem.

    Raises Unreachable, and Undrawable, NoUnit, NoColour and NoTime for what the preview does not know.
    """
    plans = {stem: plan(board, source.server, source.now) for stem, board in boards.items()}
    queries = [query for one in plans.values() for query in one.queries]
    answers = ask_all(source.server, queries, told.part)
    told.step(f"{source.stem}: asked {len(answers)} queries")
    pages = {board.uid: Page(board.title, f"../{stem}/{source.stem}.html") for stem, board in boards.items()}
    return {
        stem: Side(source.stem, source.title, source.story, source.server.url, picture(one, answers, pages))
        for stem, one in plans.items()
    }
