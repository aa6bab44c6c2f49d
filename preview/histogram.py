"""The series that make up one histogram, and which share of all observations each bucket holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from checks.cluster import Labels, Series
from checks.timeline import Line

_BUCKET = "_bucket"
_SUFFIX = re.compile(r"_(bucket|count|sum)$")


def family(labels: Labels) -> Labels:
    """What the series of one histogram have in common; of any other series, all of it."""
    return tuple(
        (name, _SUFFIX.sub("", value) if name == "__name__" else value) for name, value in labels if name != "le"
    )


def shares(cluster: Sequence[Series]) -> dict[Labels, float]:
    """By labels of the buckets that grow steadily: their growth as a share of that of the whole histogram."""
    found: dict[Labels, dict[Labels, float]] = {}
    for series in cluster:
        first = series.values.parts[0].value
        if series.named["__name__"].endswith(_BUCKET) and isinstance(first, Line) and first.per_minute > 0:
            alike = tuple(pair for pair in series.labels if pair[0] != "le")
            found.setdefault(alike, {})[series.labels] = first.per_minute
    return {labels: rate / max(rates.values()) for rates in found.values() for labels, rate in rates.items()}
