"""The digits of a number, as many as mean something."""

from __future__ import annotations

import math


def fixed(value: float, decimals: int | None = None) -> str:
    """A plain number; without `decimals`, with as many as make three digits, and none where it is a whole one."""
    if decimals is None:
        decimals = 0 if value == int(value) else max(0, 2 - math.floor(math.log10(abs(value))))
    if decimals > 20:  # as with JavaScript, what is that small has an exponent
        return f"{value:.3g}"
    rounded = f"{value:.{decimals}f}"
    return rounded.removeprefix("-") if float(rounded) == 0 else rounded
