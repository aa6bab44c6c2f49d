"""incidents/<subsystem>.yaml -> the outages and the odd but healthy situations that are replayed for ever.

Each file is a list; the fields of checks.incident.Incident are the keys.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from checks import timeline
from checks.cluster import Series, WordReader, by_name, selector
from checks.incident import AlertSelector, AtMost, Condition, Expect, Incident, New, Time, compose
from checks.mistakes import label_values, mistakes
from checks.timeline import BadWords
from homelab.parse import Invalid, Problem

__all__ = ["AtMost", "Condition", "Expect", "Incident", "New", "Time", "compose", "load"]


def _alerts(text: str) -> AlertSelector:
    if not text.startswith("{") or (text != "{}" and not selector(f"ALERTS{text}").matchers[1:]):
        raise BadWords(f'no selector of alerts "{text}"; there is {{severity="critical"}}, or {{}} for all')
    return AlertSelector(text)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadWords(f'no regular expression "{text}": {error}') from None


class _Reader(WordReader):
    words: Mapping[Any, Any] = {
        **WordReader.words,
        Time: timeline.read_time,
        AlertSelector: _alerts,
        re.Pattern[str]: _pattern,
    }

    def read(self, node: yaml.Node, kind: Any, place: str) -> Any:  # noqa: ANN401, the annotation decides
        """As in every WordReader; one time may stand instead of a list of one."""
        if kind == tuple[Time, ...] and isinstance(node, yaml.ScalarNode):
            return (self.read(node, Time, place),)
        return super().read(node, kind, place)


def load(folder: Path, healthy: Sequence[Series]) -> list[Incident]:
    """All incidents, in the order of the files. Raises Invalid with every mistake of all the files."""
    incidents: dict[str, Incident] = {}
    problems: list[Problem] = []
    metrics, known = by_name(healthy), label_values(healthy)
    for path in sorted(folder.glob("[!_.]*.yaml")):
        try:
            reader = _Reader(path)
        except Invalid as error:
            problems += error.problems
            continue
        for number, incident in enumerate(reader.read(reader.top, tuple[Incident, ...], "")):
            if incident is None:
                continue
            place = f"[{number}]"
            if incident.id in incidents:
                reader.wrong(place, f"{incident.id} is there twice, in {incidents[incident.id].subsystem}.yaml too")
            for below, message in mistakes(incident, healthy, metrics, known):
                reader.wrong(f"{place}.{below}", f"{incident.id}: {message}")
            incidents[incident.id] = dataclasses.replace(incident, subsystem=incident.subsystem or path.stem)
        problems += reader.problems
    if problems:
        raise Invalid(problems)
    return list(incidents.values())
