"""metrics/<component>.yaml -> the contract: what each component really exposes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import yaml

from homelab.metric import Component, Contract, Metric
from homelab.parse import Invalid, Problem, Reader, alternatives, describe
from homelab.query import duration

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# A mistake before its line is looked up: the keys that lead to it, and the sentence.
Mistake = tuple[tuple[str, ...], str]


def load(folder: Path) -> Contract:
    """Read every file of the folder. Raises Invalid with every mistake of all of them."""
    components: dict[str, Component] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        name = f"{folder.name}/{path.name}"
        try:
            reader = _Reader(path, name)
            component = _component(reader, path.stem)
        except Invalid as error:
            problems += error.problems
            continue
        except RecursionError:
            message = "refers to itself or is nested too deeply"
            problems.append(Problem(name, 0, "", message))
            continue
        problems += reader.problems
        if component is not None:
            components[path.stem] = component
    if not components and not problems:
        problems.append(Problem(str(folder), 0, "", "there is no file named <component>.yaml"))
    if problems:
        raise Invalid(problems)
    return Contract(components)


class _Reader(Reader):
    """Takes words for text: `status: [true, false]` and `since: 1.21` are label values and versions."""

    def add(self, node: yaml.Node | None, place: str, message: str) -> None:
        """As in every Reader; places begin at the top of the file."""
        super().add(node, place.removeprefix("."), message)

    def at(self, keys: tuple[str, ...], message: str) -> Problem:
        """A problem at the node below the keys, or at the last one there is on the way."""
        node = self.root
        for key in keys:
            if isinstance(node, yaml.MappingNode):
                node = next((value for name, value in node.value if name.value == key), node)
        return Problem(self.file, node.start_mark.line + 1 if node else 0, ".".join(keys), message)

    def scalar(self, node: yaml.Node, kind: type, place: str) -> Any:  # noqa: ANN401, the annotation decides
        """Text whatever it looks like, but not nothing; true or false."""
        if isinstance(node, yaml.ScalarNode):
            if kind is str and not node.tag.endswith(":null"):
                return node.value
            if kind is bool and node.value in ("true", "false"):
                return node.value == "true"
        self.add(node, place, f"must be {'text' if kind is str else 'true or false'}, found {describe(node)}")
        return None

    def sequence(self, node: yaml.Node, kind: Any, place: str) -> tuple[Any, ...]:  # noqa: ANN401, the same
        """As in every Reader; the word `any` is a list of itself."""
        if isinstance(node, yaml.ScalarNode) and node.value == "any":
            return ("any",)
        return super().sequence(node, kind, place)

    def items(self, node: yaml.Node, place: str) -> dict[str, yaml.Node]:
        """As in every Reader, with `<<: *labels` written out; own keys stand over merged ones."""
        if not isinstance(node, yaml.MappingNode):
            return super().items(node, place)
        own, merged = [], dict[str, yaml.Node]()
        for key, value in node.value:
            if not key.tag.endswith(":merge"):
                own.append((key, value))
                continue
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                merged = {**self.items(source, place), **merged}
        return merged | super().items(yaml.MappingNode(node.tag, own, node.start_mark), place)


def _component(reader: _Reader, stem: str) -> Component | None:
    """The component of one file; None with problems noted."""
    if reader.root is None:
        reader.add(None, "", "is empty; there must be component, versions, jobs, metrics")
        return None
    read: Component | None = reader.read(reader.root, Component, "")
    if read is not None:
        reader.problems += [reader.at(keys, message) for keys, message in _mistakes(read, stem)]
    return None if reader.problems else read


def _mistakes(read: Component, stem: str) -> Iterator[Mistake]:
    if read.component != stem:
        yield ("component",), f'must be the file\'s own name {stem}, found "{read.component}"'
    if not read.jobs:
        yield ("jobs",), "needs at least one scrape job, found none"
    for name in read.not_existing.keys() & read.metrics.keys():
        yield ("not_existing", name), "stands in metrics too; it either exists or it does not"
    for name, job in read.jobs.items():
        for label in _misnamed(job.labels):
            yield ("jobs", name, "labels"), label
        if not duration(job.interval):
            yield ("jobs", name, "interval"), f'must be a duration such as 30s or 1m, found "{job.interval}"'
    for name, metric in read.metrics.items():
        for keys, message in _of_metric(name, metric, read):
            yield ("metrics", name, *keys), message


def _of_metric(name: str, metric: Metric, read: Component) -> Iterator[Mistake]:
    if not _NAME.fullmatch(name):
        yield (), "is not the name of a metric; letters, digits, _ and : are allowed"
    for message in _misnamed(metric.labels.keys() - {"*"}):
        yield ("labels",), message
    for label, values in metric.labels.items():
        if values == ():
            yield ("labels", label), "must list every value, or be empty for free text, found []"
    for job in () if metric.jobs == ("any",) else metric.jobs:
        if job not in read.jobs:
            yield ("jobs",), f'no job named "{job}"; {alternatives(job, read.jobs)}, or the word any'
    for label in metric.before.without if metric.before else ():
        if label not in metric.labels:
            yield ("before", "without"), f'no label named "{label}"; {alternatives(label, metric.labels)}'
    if metric.type in ("counter", "histogram", "summary") and metric.value != "number":
        yield ("value",), f"must be number for a {metric.type}, found {metric.value}"


def _misnamed(labels: Collection[str]) -> Iterator[str]:
    for label in sorted(labels):
        if not _LABEL.fullmatch(label):
            yield f'"{label}" is not the name of a label; letters, digits and _ are allowed'
