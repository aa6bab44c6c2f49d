"""What a component exposes: metrics, their labels and what their values mean, as metrics/<component>.yaml says it."""

# No postponed annotations here: they are the schema of those files, and to resolve them from text for every metric
# takes longer than all the rest.
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
    """A scrape job, and the labels that the scrape attaches to every series besides `job`."""

    name: str
    labels: tuple[str, ...]
    honor_labels: bool = False
    interval_seconds: float = 60.0


@dataclass(frozen=True)
class Before:
    """The other shape that the same name has in versions older than `version`; no value: the same meaning."""

    version: str
    value: Kind | None = None
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """A name, its own labels and what its values mean. `component` is empty for what no scrape brings."""

    name: str
    component: str
    type: Type
    labels: Mapping[str, Known] = field(default_factory=dict, hash=False)
    jobs: tuple[Job, ...] = ()
    value: Kind = "number"
    before: Before | None = None
    since: str = ""
    removed_in: str = ""
    renamed_from: str = ""
    renamed_to: str = ""
    zero: Literal["", "never"] = ""
    absent: str = ""
    note: str = ""
    free: bool = False  # may carry any label, as ALERTS does
    everywhere: bool = False  # made by Prometheus for every job, as `up` is

    @cached_property
    def arriving(self) -> Mapping[str, Known]:
        """The labels that the series can have in Prometheus, whichever of `jobs` it comes from.

        An own label that the scrape attaches too becomes exported_<label>, unless the job honours own labels.
        """
        found: dict[str, Known] = {} if self.jobs else dict(self.labels)
        for job in self.jobs:
            attached: dict[str, Known] = {**dict.fromkeys(job.labels), "job": (job.name,)}
            own = {
                f"exported_{label}" if label in attached and not job.honor_labels else label: known
                for label, known in self.labels.items()
            }
            for label, known in {**attached, **own}.items():
                seen = found.get(label, ())
                found[label] = None if known is None or seen is None else tuple(dict.fromkeys((*seen, *known)))
        return found

    @property
    def attached(self) -> frozenset[str]:
        """The labels that the series has for certain and not empty: Prometheus itself sets them on every scrape."""
        return frozenset({"job", "instance"} - set(self.labels)) & self.arriving.keys() if self.jobs else frozenset()


@dataclass(frozen=True)
class Component:
    """One file of metrics/: a program, the jobs that scrape it and what it exposes."""

    name: str
    versions: str
    jobs: tuple[Job, ...]
    metrics: tuple[Metric, ...]
    not_existing: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, eq=False)
class Contract:
    """All components by name."""

    components: Mapping[str, Component]

    def lookup(self, name: str) -> list[Metric]:
        """The metrics behind a series name, one per component that exposes it; none if it is unknown.

        Histograms and summaries answer as the series that they arrive as: `x_bucket` is a counter with the label le.
        """
        return self._series.get(name, [])

    @property
    def names(self) -> Collection[str]:
        """Every series name that there is."""
        return self._series.keys()

    @cached_property
    def families(self) -> Mapping[str, Type]:
        """The names that are no series themselves: histograms, by base name."""
        return {m.name: m.type for c in self.components.values() for m in c.metrics if m.name not in self._series}

    @cached_property
    def not_existing(self) -> Mapping[str, str]:
        """Names seen in the wild that nobody exposes, and why people write them."""
        return {name: why for c in self.components.values() for name, why in c.not_existing.items()}

    @cached_property
    def _series(self) -> Mapping[str, list[Metric]]:
        found: dict[str, list[Metric]] = {}
        everywhere = {metric.name: metric for metric in _EVERYWHERE}
        for component in self.components.values():
            for metric in component.metrics:
                if metric.everywhere:
                    everywhere[metric.name] = metric
                    continue
                for series in _arrivals(metric):
                    found.setdefault(series.name, []).append(series)
        for metric in everywhere.values():  # with the labels of the alert, or those of the job
            of_scrapes = [
                dataclasses.replace(metric, component=c.name, jobs=c.jobs, labels={}) for c in self.components.values()
            ]
            found[metric.name] = [dataclasses.replace(metric, component="", jobs=())] if metric.free else of_scrapes
        for component in self.components.values():  # an older name counts where no file lists it by itself
            for metric in component.metrics:
                if metric.renamed_from and metric.renamed_from not in found:
                    gone = metric.since or "newer versions"
                    old = dataclasses.replace(metric, name=metric.renamed_from, renamed_from="", removed_in=gone)
                    for series in _arrivals(dataclasses.replace(old, renamed_to=metric.name)):
                        found.setdefault(series.name, []).append(series)
        return found


# What Prometheus records about every scrape and about its own alerts, where no file says more about it.
_EVERYWHERE = (
    Metric("up", "", "gauge", value="flag", everywhere=True),
    Metric("scrape_duration_seconds", "", "gauge", everywhere=True),
    Metric("scrape_samples_scraped", "", "gauge", everywhere=True),
    Metric("scrape_samples_post_metric_relabeling", "", "gauge", everywhere=True),
    Metric("scrape_series_added", "", "gauge", everywhere=True),
    Metric("ALERTS", "", "gauge", {"alertstate": ("pending", "firing")}, value="present", free=True, everywhere=True),
    Metric("ALERTS_FOR_STATE", "", "gauge", value="timestamp", free=True, everywhere=True),
)


def _arrivals(metric: Metric) -> Iterator[Metric]:
    """What one metric arrives as: itself, or the series of a histogram or summary."""
    if metric.type not in ("histogram", "summary"):
        yield metric
        return
    if metric.type == "summary":
        yield dataclasses.replace(metric, type="gauge", labels={**metric.labels, "quantile": None})
    else:
        yield dataclasses.replace(
            metric, name=f"{metric.name}_bucket", type="counter", labels={**metric.labels, "le": None}
        )
    for suffix in ("_sum", "_count"):
        yield dataclasses.replace(metric, name=metric.name + suffix, type="counter")


def nearest(name: str, names: Collection[str]) -> str:
    """The known name that looks most like `name`, or nothing if none does."""
    return near[0] if (near := difflib.get_close_matches(name, names, n=1, cutoff=0.7)) else ""
