"""What series are called: the legend of a query with the values of labels in it, or, without one, their labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from preview.prometheus import Series

_LABEL = re.compile(r"\{\{\s*(.+?)\s*\}\}")
_AUTO = "__auto"


def of(series: Sequence[Series], legend: str, expr: str, together: Sequence[Series]) -> list[str]:
    """What each series of one query is called; `together` are all series of the panel."""
    if legend == _AUTO:
        only = _single(together)
        return [_automatic(one.labels, only) or expr for one in series]
    if legend:
        return [filled_in(legend, one.labels) or expr for one in series]
    return [_written(one.labels) or expr for one in series]


def filled_in(template: str, labels: Mapping[str, str]) -> str:
    """A template with the values of labels in it: `{{pvc}} read`. A label that is not there is nothing."""
    return _LABEL.sub(lambda found: labels.get(found[1], ""), template)


def _single(series: Sequence[Series]) -> str:
    """The label that all of them have and no other."""
    known = {label for one in series for label in one.labels}
    return known.pop() if len(known) == 1 else ""


def _automatic(labels: Mapping[str, str], only: str) -> str:
    return labels.get(only, "") if only else _written(labels)


def _written(labels: Mapping[str, str]) -> str:
    rest = ", ".join(f'{label}="{value}"' for label, value in sorted(labels.items()) if label != "__name__")
    name = labels.get("__name__", "")
    return f"{name}{{{rest}}}" if rest else name
