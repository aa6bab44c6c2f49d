"""What becomes of a panel: HTML, a figure for plotly, and what both say at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from preview.board import Panel, Target
from preview.links import Pages
from preview.prometheus import Answers, Failure, Series

Figure = Mapping[str, Any]
Marks = Sequence[tuple[float, float, str]]  # from where to where, as shares of the width, and the colour


@dataclass(frozen=True)
class Mark:
    """An alert that fired from one moment to another, in unix time."""

    name: str
    colour: str
    begin: float
    end: float


@dataclass(frozen=True)
class Scene:
    """What surrounds a panel: the answers, its time, the alerts of that time, and where links lead."""

    answers: Answers
    start: int
    end: int
    marks: Sequence[Mark]
    pages: Pages


@dataclass(frozen=True)
class Drawn:
    """A panel's inside. `tells` are the colours that judge, `lines` and `bars` what a thumbnail shows of it."""

    html: str
    figure: Figure | None = None
    tells: Sequence[str] = ()
    lines: Sequence[Sequence[float | None]] = ()
    bars: Sequence[Marks] = ()
    failure: str = ""


@dataclass(frozen=True)
class Asked:
    """A panel's questions with what came of them."""

    panel: Panel
    answered: Sequence[tuple[Target, Sequence[Series]]] = field(default_factory=list)

    @property
    def all(self) -> list[Series]:
        """The series of all its questions."""
        return [one for _, series in self.answered for one in series]


def failures(targets: Sequence[Target], answers: Answers) -> list[str]:
    """What Prometheus says about those questions that it cannot answer."""
    return [answer.message for target in targets if isinstance(answer := answers[target.query], Failure)]


def nothing(text: str) -> Drawn:
    """A panel that has nothing to show, and says so."""
    return Drawn(f'<p class="nothing">{escape(text)}</p>')


def failed(message: str) -> Drawn:
    """A panel whose query cannot be answered."""
    return Drawn(f'<p class="failed" role="alert">{escape(message)}</p>', tells=("red",), failure=message)
