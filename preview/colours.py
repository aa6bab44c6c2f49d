"""Colours by Grafana's names. What they look like in the dark and in the light stands in assets/preview.css."""

from __future__ import annotations

from collections.abc import Iterable

# From what must be seen first to what is well; any other colour says nothing about that.
BAD = ("red", "orange", "yellow", "purple")
_WORST = (*BAD, "green")
CLEAR = "transparent"
NAMES = (*_WORST, "blue", "text", CLEAR)
QUIET = "none"  # there is no colour that says anything
# Lines that those who see few colours can tell apart, too (after Okabe and Ito, brighter).
PALETTE = ("sky", "amber", "teal", "rose", "blue", "lemon", "vermilion", "grey")


class NoColour(Exception):
    """There is no colour of that name; the message is a sentence."""


def plain(name: str) -> str:
    """The colour itself of `dark-red`, `semi-dark-red` and so on. Raises NoColour."""
    base = name
    for shade in ("super-light-", "light-", "semi-dark-", "dark-"):
        base = base.removeprefix(shade)
    if base not in NAMES:
        raise NoColour(f"no colour {name}; the preview knows {', '.join(NAMES)} and their shades")
    return base


def classic(number: int) -> str:
    """The colour of a line by its place in the legend."""
    return PALETTE[number % len(PALETTE)]


def worst(names: Iterable[str]) -> str:
    """The one that must be seen first."""
    found = set(names)
    return next((name for name in _WORST if name in found), QUIET)


def rank(name: str) -> int:
    """Its place among those that must be seen, the first being the worst."""
    return _WORST.index(name) if name in _WORST else len(_WORST)
