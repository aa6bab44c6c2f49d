"""incidents/_baseline.yaml -> a whole healthy cluster: every series of every scrape target, and its values over time.

The file has a list of entries per subsystem:

    longhorn:
      - targets: [{job: longhorn-backend, instance: "10.42.0.15:9500"}]   # labels that the scrape attaches
        series:
          longhorn_node_count_total: 3
          'longhorn_node_status{node="kube-srv-1", condition=~"ready|schedulable"}': 1   # =~ is one series each

The words for values are those of checks.timeline.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import promql_parser
import yaml

from checks import timeline
from checks.timeline import BadWords, Timeline
from homelab.parse import Invalid, Problem, Reader, describe
from homelab.query import Matcher, NotPromQL, Selector, parse
from homelab.query import selector as read_selector

BASELINE = "_baseline.yaml"
_ESCAPE = re.compile(r"\\(.)")
Labels = tuple[tuple[str, str], ...]  # sorted by name, `__name__` among them


@dataclass(frozen=True)
class Series:
    """One series of the cluster; `target` are those of its labels that the scrape attaches."""

    labels: Labels
    target: Labels
    values: Timeline
    subsystem: str

    @cached_property
    def named(self) -> Mapping[str, str]:
        """The labels by name."""
        return dict(self.labels)


def selector(text: str) -> Selector:
    """Read `name{label="value", other=~"a|b"}`, or raise BadWords."""
    allowed = 'there is name{label="value", other=~"a|b"}'
    try:
        tree = parse(text)
    except NotPromQL as error:
        raise BadWords(f'no selector "{text}": {error}; {allowed}') from None
    if not isinstance(tree, promql_parser.VectorSelector) or tree.offset or tree.at or tree.matchers.or_matchers:
        raise BadWords(f'no plain selector "{text}"; {allowed}')
    chosen = read_selector(tree)
    name = (Matcher("__name__", "=", chosen.name),) if chosen.name else ()
    return Selector(None, (*name, *chosen.matchers))


def selects(chosen: Selector, labels: Mapping[str, str]) -> bool:
    """Whether a series with these labels (`__name__` among them) is selected; a missing label is an empty one."""
    return all(matcher.admits(labels.get(matcher.label, "")) for matcher in chosen.matchers)


def series_named(text: str) -> list[Mapping[str, str]]:
    """Read the name of a series, `name{label="value"}`, or raise BadWords.

    `label=~"a|b"` stands for a series per alternative, so that equal series need not be repeated.
    """
    matchers = selector(text).matchers
    names = [matcher.label for matcher in matchers]
    if "__name__" not in names or len(set(names)) < len(names) or any(m.negative for m in matchers):
        raise BadWords(f'"{text}" must name series: a metric, and each label once with = or, for a list, =~ "a|b"')
    choices = [[_ESCAPE.sub(r"\1", v) for v in m.value.split("|")] if m.op == "=~" else [m.value] for m in matchers]
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*choices)]


def by_name(cluster: Iterable[Series]) -> dict[str, list[Series]]:
    """The series of each metric."""
    found: dict[str, list[Series]] = {}
    for series in cluster:
        found.setdefault(series.named["__name__"], []).append(series)
    return found


def spell(labels: Labels) -> str:
    """The full name of a series, as promtool reads it."""
    rest = dict(labels)
    name = rest.pop("__name__", "")
    return f"{name}{{{', '.join(f'{label}={quoted(value)}' for label, value in rest.items())}}}"


def quoted(text: str) -> str:
    """A PromQL string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def sorted_labels(named: Mapping[str, str]) -> Labels:
    """Labels in the order in which series are told apart; an empty one is none."""
    return tuple(sorted((name, value) for name, value in named.items() if value))


def targets(on: Mapping[str, str], cluster: Iterable[Series]) -> list[Labels]:
    """The targets that carry these labels."""
    return list(dict.fromkeys(series.target for series in cluster if on.items() <= dict(series.target).items()))


class WordReader(Reader):
    """Reads times, timelines and the like where the dataclasses ask for them, and remembers where everything stood."""

    words: Mapping[Any, Any] = {Timeline: timeline.read}

    def __init__(self, path: Path) -> None:
        self.nodes: dict[str, yaml.Node] = {}
        super().__init__(path, f"{path.parent.name}/{path.name}")
        if self.root is None:
            raise Invalid([Problem(self.file, 0, "", "is empty")])
        self.top = self.root

    def read(self, node: yaml.Node, kind: Any, place: str) -> Any:  # noqa: ANN401, the annotation decides
        """As in every Reader; what `words` knows is read by its function, which raises BadWords."""
        self.nodes[place] = node
        if kind not in self.words:
            return super().read(node, kind, place)
        if not isinstance(node, yaml.ScalarNode):
            self.add(node, place, f"must be text, found {describe(node)}")
            return None
        try:
            return self.words[kind](node.value)
        except BadWords as error:
            self.add(node, place, str(error))
            return None

    def wrong(self, place: str, message: str) -> None:
        """Note a problem at a place that was read."""
        self.add(self.nodes.get(place), place, message)


@dataclass(frozen=True)
class _Entry:
    """Targets that expose the same series."""

    targets: tuple[Mapping[str, str], ...]
    series: Mapping[str, Timeline]


def baseline(folder: Path) -> list[Series]:
    """Every series of the healthy cluster. Raises Invalid with every mistake."""
    reader = WordReader(folder / BASELINE)
    found: dict[Labels, Series] = {}
    for subsystem, node in reader.items(reader.top, "").items():
        for number, entry in enumerate(reader.read(node, tuple[_Entry, ...], subsystem)):
            if entry is None:
                continue
            place = f"{subsystem}[{number}]"
            if not entry.targets:
                reader.wrong(f"{place}.targets", "needs a target: no scrape, no series")
            for text, series in _exposed(reader, f"{place}.series", entry, subsystem):
                if series.labels in found:
                    reader.wrong(f"{place}.series.{text}", f"{spell(series.labels)} is there twice")
                found[series.labels] = series
    if reader.problems:
        raise Invalid(reader.problems)
    return list(found.values())


def _exposed(reader: WordReader, place: str, entry: _Entry, subsystem: str) -> Iterator[tuple[str, Series]]:
    for text, values in entry.series.items():
        try:
            named = series_named(text)
        except BadWords as error:
            reader.wrong(f"{place}.{text}", str(error))
            continue
        if values.needs_another:
            reader.wrong(f"{place}.{text}", "`baseline` means nothing here: there is no other series below this one")
        for target in entry.targets:
            if doubled := target.keys() & named[0].keys():
                reader.wrong(f"{place}.{text}", f"its target has {', '.join(sorted(doubled))} already")
            attached = tuple(sorted(target.items()))
            for own in named:
                yield text, Series(sorted_labels({**target, **own}), attached, values, subsystem)
