"""Samples on a grid: where a series has none, there is a gap, which no line may cross."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from preview.prometheus import Query, Series


def filled(series: Series, query: Query) -> list[float | None]:
    """A value for every step of the query, None where the series has no sample."""
    values: list[float | None] = [None] * ((query.end - query.start) // query.step + 1)
    for time, value in series.points:
        place = round((time - query.start) / query.step)
        if 0 <= place < len(values):
            values[place] = value
    return values


def stretches(values: Sequence[float | None], query: Query) -> Iterator[tuple[float, float, float]]:
    """From when to when a series had which value, in unix time: equal neighbours are one stretch.

    The last sample of a stretch holds until the next sample; the last one of all ends with the picture.
    """
    place = 0
    for value, run in groupby(values):
        length = len(list(run))
        begin = query.start + place * query.step
        place += length
        if value is not None:
            yield begin, min(query.start + place * query.step, query.end), value
