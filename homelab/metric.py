"""What a component exposes, as metrics/<component>.yaml says it, and the series that this becomes in Prometheus."""

# No postponed annotations here: the dataclasses are the schema of those files, and to resolve their annotations from
# text for every metric takes longer than all the rest.
import dataclasses
import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Type = Literal["gauge", "counter", "histogram", "summary", "untyped"]
# number: any; one-hot: 1 on the series of the present state, 0 on the others; ordinal: the state is the number;
# timestamp: unix seconds; info: always 1; flag: 0 or 1; present: 1, or no series at all.
Kind = Literal["number", "one-hot", "ordinal", "timestamp", "info", "flag", "present"]
Known = tuple[str, ...] | None  # every value that a label can have; None for free text


@dataclass(frozen=True)
class Job:
    """A scrape job: the labels that it attaches to every series besides `job`, and how often it looks."""

    labels: tuple[str, ...] = ()
    honor_labels: bool = False
    interval: str = "1m"


@dataclass(frozen=True)
class Before:
    """The other shape that the same name has in versions older than `version`; no value: the same meaning."""

    version: str
    value: Kind | None = None
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """One metric. `jobs` are those that carry it: none is all of its component, `any` all of every component.

    The label "*" stands for any label; such a metric is made by Prometheus itself, as ALERTS is.
    """

    type: Type
    labels: Mapping[str, Known] = field(default_factory=dict)
    jobs: tuple[str, ...] = ()
    value: Kind = "number"
    before: Before | None = None
    since: str = ""
    removed_in: str = ""
    renamed_from: str = ""
    zero: Literal["", "never"] = ""
    absent: str = ""
    note: str = ""


@dataclass(frozen=True)
class Component:
    """One file of metrics/: a program, the jobs that scrape it and what it exposes."""

    component: str
    versions: str
    jobs: Mapping[str, Job]
    metrics: Mapping[str, Metric]
    not_existing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Series:
    """A metric as it arrives from one job; `component` and `job` are empty for what no scrape brings."""

    name: str
    component: str
    job: str
    type: Type  # never histogram or summary: those arrive as counters and gauges
    metric: Metric
    labels: Mapping[str, Known]
    sure: frozenset[str] = frozenset()  # the labels that are never empty
    interval: str = ""  # between two scrapes

    @property
    def free(self) -> bool:
        """Whether it may have labels besides `labels`."""
        return "*" in self.metric.labels

    @property
    def note(self) -> str:
        """What the contract says about the metric, to end a sentence with."""
        return f" ({self.metric.note})" if self.metric.note else ""


@dataclass(frozen=True, eq=False)
class Contract:
    """What arrives in Prometheus: from the components that run (None: all there are), and from rules of ours."""

    components: Mapping[str, Component]
    running: frozenset[str] | None = None
    recorded: tuple[Series, ...] = ()

    def lookup(self, name: str) -> list[Series]:
        """What arrives under a name, once per component and job that brings it; nothing if the name is unknown."""
        return self.series.get(name, [])

    @cached_property
    def series(self) -> Mapping[str, list[Series]]:
        """Every name that arrives, older names of renamed metrics included."""
        found: dict[str, list[Series]] = {}
        older: list[Series] = []
        for component in self.components.values():
            for name, metric in component.metrics.items():
                for series in self._carried(name, metric, component):
                    found.setdefault(series.name, []).append(series)
                if metric.renamed_from:
                    older += self._carried(metric.renamed_from, metric, component)
        known = set(found)  # a file may list an older name by itself, with what was different then
        for series in (*(s for s in older if s.name not in known), *self.recorded):
            found.setdefault(series.name, []).append(series)
        return found

    def _carried(self, name: str, metric: Metric, component: Component) -> Iterator[Series]:
        if "*" in metric.labels:
            labels = {label: values for label, values in metric.labels.items() if label != "*"}
            yield Series(name, "", "", metric.type, metric, labels)
            return
        everywhere = metric.jobs == ("any",)
        for carrier in self.components.values() if everywhere else (component,):
            if self.running is not None and carrier.component not in self.running:
                continue
            for job in carrier.jobs if everywhere else metric.jobs or carrier.jobs:
                scrape = carrier.jobs[job]
                for series, kind, own in _arriving(name, {} if everywhere else metric.labels, metric.type):
                    labels = _labels(job, scrape, own)
                    sure = frozenset({"job", "instance"} & labels.keys() - own.keys())
                    yield Series(series, carrier.component, job, kind, metric, labels, sure, scrape.interval)

    @cached_property
    def everywhere(self) -> "Contract":
        """The same with every component, whether it runs here or not."""
        return self if self.running is None else dataclasses.replace(self, running=None)

    @cached_property
    def not_existing(self) -> Mapping[str, str]:
        """Names seen in the wild that nobody exposes, and why people write them."""
        return {name: why for c in self.components.values() for name, why in c.not_existing.items()}


def _arriving(name: str, own: Mapping[str, Known], kind: Type) -> Iterator[tuple[str, Type, Mapping[str, Known]]]:
    """Name, type and own labels of what one metric is exposed as: itself, or the series of a histogram or summary."""
    if kind == "histogram":
        yield f"{name}_bucket", "counter", {**own, "le": None}
    elif kind == "summary":
        yield name, "gauge", {**own, "quantile": None}
    else:
        yield name, kind, own
        return
    yield f"{name}_sum", "counter", own
    yield f"{name}_count", "counter", own


def _labels(job: str, scrape: Job, own: Mapping[str, Known]) -> dict[str, Known]:
    """An own label that the scrape attaches too becomes exported_<label>, unless the job honours own labels."""
    attached: dict[str, Known] = {**dict.fromkeys(scrape.labels), "job": (job,)}
    kept = {
        f"exported_{label}" if label in attached and not scrape.honor_labels else label: values
        for label, values in own.items()
    }
    return {**attached, **kept}


def nearest(name: str, names: Collection[str]) -> str:
    """The known name that looks most like `name`, or nothing if none does."""
    return near[0] if (near := difflib.get_close_matches(name, names, n=1, cutoff=0.7)) else ""


def hint(found: str, known: Collection[str]) -> str:
    """The known name that `found` is probably meant to be, or the names that there are."""
    if near := nearest(found, known):
        return f"did you mean {near}?"
    names = sorted(known)
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"there is {', '.join(names[:10])}{more}" if names else "there is none"
