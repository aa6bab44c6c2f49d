"""How a value looks: its unit, its limits, what its states are called. Grafana's word for it is a field.

Colours mean the same on every page: green is well, orange is a warning, red is critical.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

States = Mapping[int, tuple[str, str]]  # value -> what it means, colour

NOTHING = "-"  # shown where there is no value
GREEN, ORANGE, RED, GREY = "green", "orange", "red", "text"
PALETTE = "palette-classic"  # every series has a colour of its own, and limits are lines
# What is fine has no colour in a graph: so Grafana draws the line of a lower limit in the colour of what is below it.
LINE = "transparent"


@dataclass(frozen=True)
class Limits:
    """From which value on something looks bad: the limits of the alerts."""

    orange_above: float | None = None
    red_above: float | None = None
    orange_below: float | None = None
    red_below: float | None = None

    def thresholds(self, well: str = GREEN) -> dict[str, Any]:
        """As Grafana has them: each step reaches from its value to the next one; `well` is the colour of what is fine."""
        steps: list[tuple[float | None, str]] = []
        if self.red_below is not None:
            steps.append((None, RED))
        if self.orange_below is not None:
            steps.append((self.red_below, ORANGE))
        steps.append((self.red_below if self.orange_below is None else self.orange_below, well))
        steps += [(v, c) for v, c in ((self.orange_above, ORANGE), (self.red_above, RED)) if v is not None]
        return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in steps]}

    def __bool__(self) -> bool:
        return self != Limits()


NONE = Limits()


@dataclass(frozen=True)
class Column:
    """One column of a table: a query whose result has the table's labels and no others."""

    expr: str
    unit: str
    limits: Limits = NONE
    states: States = field(default_factory=dict)


def field_config(
    unit: str,
    limits: Limits,
    states: States | None,
    *,
    color: str,
    custom: Mapping[str, Any] | None = None,
    maps: list[Any] | None = None,  # in place of states
    overrides: list[Any] | None = None,
    **more: object,
) -> dict[str, Any]:
    """How the values of a panel look; `color` is one of Grafana's modes, or GREY."""
    how = {"mode": "fixed", "fixedColor": color} if color == GREY else {"mode": color}
    defaults = {
        "color": how,
        "custom": custom or {},
        "mappings": maps if maps is not None else mappings(states or {}),
        "thresholds": limits.thresholds(LINE if color == PALETTE else GREEN),
        "unit": unit,
        **_decimals(unit),
        **{name: value for name, value in more.items() if value is not None},
    }
    return {"fieldConfig": {"defaults": defaults, "overrides": overrides or []}}


def _decimals(unit: str) -> dict[str, int]:
    """A duration has so many more words as it has decimals: two words, "3 days, 4 hours"."""
    return {"decimals": 1} if unit == "dtdurations" else {}


def mappings(states: States) -> list[dict[str, Any]]:
    """The words and colours of values."""
    options = {str(value): {"color": c, "index": n, "text": t} for n, (value, (t, c)) in enumerate(states.items())}
    return [{"type": "value", "options": options}] if options else []


def override(heading: str, column: Column) -> dict[str, Any]:
    """How the values of one column of a table look."""
    properties: list[dict[str, Any]] = [{"id": "unit", "value": column.unit}]
    properties += [{"id": "decimals", "value": places} for places in _decimals(column.unit).values()]
    if column.limits or column.states:
        properties += [
            {"id": "thresholds", "value": column.limits.thresholds()},
            {"id": "custom.cellOptions", "value": {"type": "color-background", "mode": "basic"}},
        ]
    if column.states:
        properties.append({"id": "mappings", "value": mappings(column.states)})
    return {"matcher": {"id": "byName", "options": heading}, "properties": properties}
