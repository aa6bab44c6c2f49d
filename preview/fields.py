"""How a value looks: its text and its colour, by the thresholds, meanings and unit of its field."""

from __future__ import annotations

import math
from dataclasses import dataclass

from preview import units

Value = float | str | None
NO_DATA = "No data"


@dataclass(frozen=True)
class Threshold:
    """From `value` on, or from the very lowest where it is None, the colour is this one."""

    value: float | None
    colour: str


@dataclass(frozen=True)
class Meaning:
    """What values stand for: those from `low` to `high`, both included, one `word`, or what is not there (`absent`)."""

    low: float | None
    high: float | None
    text: str
    colour: str
    word: str | None = None
    absent: bool = False

    def fits(self, value: Value) -> bool:
        """Whether it is about this value."""
        if isinstance(value, str) or self.word is not None:
            return self.word == value
        if value is None or math.isnan(value):
            return self.absent
        above, below = self.low is None or value >= self.low, self.high is None or value <= self.high
        return not self.absent and above and below


@dataclass(frozen=True)
class Shown:
    """How a value looks: its text and its colour; `told` says whether the colour tells good from bad."""

    text: str
    colour: str
    told: bool = False


@dataclass(frozen=True)
class Field:
    """The options of one field, overrides included."""

    unit: str = "none"
    decimals: int | None = None
    least: float | None = None
    most: float | None = None
    thresholds: tuple[Threshold, ...] = ()
    mappings: tuple[Meaning, ...] = ()
    empty: str = ""
    mode: str = "thresholds"
    fixed: str = "text"
    cell: str = "auto"
    align: str = "auto"
    links: tuple[tuple[str, str], ...] = ()  # title, address

    def show(self, value: Value, now: float) -> Shown:
        """The value as a person reads it, at a time."""
        for mapping in self.mappings:
            if mapping.fits(value):
                text = mapping.text or ("" if value is None else self.write(value, now))
                return Shown(text, mapping.colour or self.colour(value), told=bool(mapping.colour) or self.telling)
        if value is None:
            return Shown(self.empty or NO_DATA, "text")
        return Shown(self.write(value, now), self.colour(value), told=self.telling and isinstance(value, float))

    def write(self, value: float | str, now: float) -> str:
        """The number in its unit, or the text as it is."""
        if isinstance(value, str):
            return value
        return units.text(value, self.unit, decimals=self.decimals, now=now)

    def colour(self, value: Value) -> str:
        """The colour by the mode: that of the thresholds, or a fixed one."""
        if self.mode == "fixed":
            return self.fixed
        found = "text"
        for step in self.thresholds:
            if isinstance(value, float) and (step.value is None or value >= step.value):
                found = step.colour
        return found

    @property
    def telling(self) -> bool:
        """Whether a colour says more than that there is a value: one threshold alone is no judgement."""
        return self.mode == "thresholds" and len(self.thresholds) > 1
