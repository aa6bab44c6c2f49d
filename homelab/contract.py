"""metrics/<component>.yaml -> the contract: what each component really exposes.

`load("metrics")` reads every file of the folder; `Contract.lookup(name)` answers for the name of a series.
"""

# No postponed annotations here: see homelab/metric.py.
import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import promql_parser
import yaml

from homelab.metric import Before, Component, Contract, Job, Kind, Known, Metric, Type, nearest
from homelab.parse import Invalid, Problem, Reader, alternatives

__all__ = ["Before", "Component", "Contract", "ContractError", "Job", "Kind", "Known", "Metric", "Type", "load"]

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class ContractError(Invalid):
    """The files of metrics/ cannot be used; `lines` has one sentence per mistake: file, place, found, allowed."""

    @property
    def lines(self) -> list[str]:
        """One sentence per mistake, in the order of the files."""
        return [str(problem) for problem in self.problems]


@dataclass(frozen=True)
class _Job:
    labels: tuple[str, ...] = ()
    honor_labels: bool = False
    interval: str = "1m"


@dataclass(frozen=True)
class _Metric:
    type: Type
    labels: Mapping[str, Known] = field(default_factory=dict)  # "*" among them: any other label too
    jobs: tuple[
        str, ...
    ] = ()  # where only some of the component's jobs carry it; `any` is every job of every component
    value: Kind = "number"
    before: Before | None = None
    since: str = ""
    removed_in: str = ""
    renamed_from: str = ""
    renamed_to: str = ""
    zero: Literal["", "never"] = ""
    absent: str = ""
    note: str = ""


@dataclass(frozen=True)
class _File:
    component: str
    versions: str
    jobs: Mapping[str, _Job]
    metrics: Mapping[str, _Metric]
    not_existing: Mapping[str, str] = field(default_factory=dict)


# The keys that a Metric has in the same form as the file.
_SAME = ("value", "before", "since", "removed_in", "renamed_from", "renamed_to", "zero", "absent", "note")


class _Reader(Reader):
    """Reads with libyaml where there is one, since the contract is the largest YAML here, and takes words for text.

    `status: [true, false]` and `since: 1.21` are label values and versions, which YAML would turn into other things.
    """

    def __init__(self, path: Path) -> None:
        try:
            self.root = yaml.compose(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            super().__init__(path)  # fails in the same way, with a sentence about it
        self.file = f"{path.parent.name}/{path.name}"
        self.problems: list[Problem] = []

    def add(self, node: yaml.Node | None, place: str, message: str) -> None:
        """As in every Reader; places begin at the top of the file."""
        super().add(node, place.removeprefix("."), message)

    def scalar(self, node: yaml.Node, kind: type, place: str) -> Any:  # noqa: ANN401, the annotation decides
        if kind is str and isinstance(node, yaml.ScalarNode) and not node.tag.endswith(":null"):
            return node.value
        return super().scalar(node, kind, place)

    def sequence(self, node: yaml.Node, kind: Any, place: str) -> tuple[Any, ...]:  # noqa: ANN401, the same
        """As in every Reader; the word `any` is a list of itself."""
        if isinstance(node, yaml.ScalarNode) and node.value == "any":
            return ("any",)
        return super().sequence(node, kind, place)

    def items(self, node: yaml.Node, place: str) -> dict[str, yaml.Node]:
        """As in every Reader, with `<<: *labels` written out; own keys stand over merged ones."""
        if not isinstance(node, yaml.MappingNode) or not any(key.tag.endswith(":merge") for key, _ in node.value):
            return super().items(node, place)
        own = [(key, value) for key, value in node.value if not key.tag.endswith(":merge")]
        merged: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.tag.endswith(":merge"):
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    merged = {**self.items(source, place), **merged}
        return merged | super().items(yaml.MappingNode(node.tag, own, node.start_mark, node.end_mark), place)

    def problem(self, message: str, *keys: str) -> Problem:
        """A problem at the node below the keys, or at the last one there is on the way."""
        node = self.root
        for key in keys:
            if isinstance(node, yaml.MappingNode):
                node = next((value for name, value in node.value if name.value == key), node)
        return Problem(self.file, node.start_mark.line + 1 if node else 0, ".".join(keys), message)


def load(folder: Path | str = "metrics") -> Contract:
    """Read every file of the folder. Raises ContractError with every mistake of all of them."""
    components: dict[str, Component] = {}
    readers: dict[str, _Reader] = {}
    problems: list[Problem] = []
    paths = sorted(Path(folder).glob("*.yaml"))
    if not paths:
        problems.append(Problem(str(folder), 0, "", "there is no file named <component>.yaml"))
    for path in paths:
        try:
            reader = readers[path.stem] = _Reader(path)
        except Invalid as error:
            problems += [dataclasses.replace(p, file=f"{path.parent.name}/{path.name}") for p in error.problems]
            continue
        component = _component(reader, path.stem)
        problems += reader.problems
        if component is not None:
            components[path.stem] = component
    contract = Contract(components)
    if not problems:  # a file that could not be read has names that would seem to be missing
        problems += _mistakes(contract, readers)
    if problems:
        raise ContractError(problems)
    return contract


def _component(reader: _Reader, stem: str) -> Component | None:
    """The component of one file, or None with problems noted."""
    if reader.root is None:
        needed = [f.name for f in dataclasses.fields(_File)]
        reader.add(None, "", f"is empty; {alternatives('', needed)}")
        return None
    read: _File | None = reader.read(reader.root, _File, "")
    if read is None:
        return None
    jobs = {name: _job(reader, name, raw) for name, raw in read.jobs.items()}
    metrics = tuple(_metric(reader, stem, name, raw, jobs) for name, raw in read.metrics.items())
    if read.component != stem:
        reader.problems.append(
            reader.problem(f"must be the file's own name {stem}, found {read.component}", "component")
        )
    if not jobs:
        reader.problems.append(reader.problem("needs at least one scrape job", "jobs"))
    for name in read.not_existing.keys() & read.metrics.keys():
        message = "stands in metrics too; it either exists or it does not"
        reader.problems.append(reader.problem(message, "not_existing", name))
    if reader.problems:
        return None
    return Component(stem, read.versions, tuple(jobs.values()), metrics, read.not_existing)


def _job(reader: _Reader, name: str, raw: _Job) -> Job:
    place = ("jobs", name)
    reader.problems += [reader.problem(message, *place, "labels") for message in _bad_labels(raw.labels)]
    seconds = 60.0
    try:
        seconds = promql_parser.parse_duration(raw.interval).total_seconds()
    except ValueError:
        message = f'must be a duration such as 30s or 1m, found "{raw.interval}"'
        reader.problems.append(reader.problem(message, *place, "interval"))
    return Job(name, raw.labels, raw.honor_labels, seconds)


def _metric(reader: _Reader, stem: str, name: str, raw: _Metric, jobs: Mapping[str, Job]) -> Metric:
    labels = {label: values for label, values in raw.labels.items() if label != "*"}
    place = ("metrics", name)
    if not _NAME.fullmatch(name):
        message = "is not the name of a metric: letters, digits, _ and : are allowed"
        reader.problems.append(reader.problem(message, *place))
    reader.problems += [reader.problem(message, *place, "labels") for message in _bad_labels(labels)]
    for label, known in labels.items():
        if known == ():
            message = "must list every value, or be empty for free text, found []"
            reader.problems.append(reader.problem(message, *place, "labels", label))
    everywhere = raw.jobs == ("any",)
    for job in () if everywhere else raw.jobs:
        if job not in jobs:
            message = f"no job named {job}; {alternatives(job, jobs)}"
            reader.problems.append(reader.problem(message, *place, "jobs"))
    for label in raw.before.without if raw.before else ():
        if label not in labels:
            message = f"no label named {label}; {alternatives(label, labels)}"
            reader.problems.append(reader.problem(message, *place, "before", "without"))
    if raw.type in ("counter", "histogram", "summary") and raw.value != "number":
        message = f"must be number for a {raw.type}, found {raw.value}"
        reader.problems.append(reader.problem(message, *place, "value"))
    same = {key: getattr(raw, key) for key in _SAME}
    carriers = tuple(jobs[job] for job in raw.jobs if job in jobs) or tuple(jobs.values())
    return Metric(name, stem, raw.type, labels, carriers, **same, free="*" in raw.labels, everywhere=everywhere)


def _bad_labels(labels: Collection[str]) -> Iterator[str]:
    for label in labels:
        if not _LABEL.fullmatch(label):
            yield f'"{label}" is not the name of a label: letters, digits and _ are allowed'


def _mistakes(contract: Contract, readers: Mapping[str, _Reader]) -> Iterator[Problem]:
    """Names that only all files together can prove wrong."""
    for component in contract.components.values():
        for metric in component.metrics:
            new = metric.renamed_to
            if new and new not in contract.names and new not in contract.families:
                message = f"no metric named {new}; the nearest is {nearest(new, contract.names) or 'none'}"
                yield readers[component.name].problem(message, "metrics", metric.name, "renamed_to")
