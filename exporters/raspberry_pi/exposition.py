"""Readings as prometheus_client shows them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exporters.raspberry_pi.metrics import METRICS
from exporters.raspberry_pi.reading import Reading


@dataclass(frozen=True)
class Exposition(Collector):
    """All readings of the moment, by metric; a metric without readings is left out."""

    readings: Callable[[], Iterable[Reading]]

    def collect(self) -> Iterator[Metric]:
        """The families, in the order of metrics.py."""
        found: dict[str, list[Reading]] = {}
        for reading in self.readings():
            found.setdefault(reading.metric, []).append(reading)
        for metric in METRICS:
            mine = found.pop(metric.name, [])
            if not mine:
                continue
            kind = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
            family = kind(metric.name, metric.help, labels=metric.labels)
            for reading in mine:
                family.add_metric([reading.labels[label] for label in metric.labels], reading.value)
            yield family
        if found:
            raise LookupError(f"metrics.py does not know {', '.join(sorted(found))}")


def registry(readings: Callable[[], Iterable[Reading]]) -> CollectorRegistry:
    """A registry with nothing but these: what the interpreter does is no concern of a node's health."""
    made = CollectorRegistry(auto_describe=False)
    made.register(Exposition(readings))
    return made


def write(path: Path, made: CollectorRegistry) -> None:
    """Write the exposition for node_exporter's textfile collector: as a whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(generate_latest(made))
            file.flush()
            Path(file.name).chmod(0o644)
            os.replace(file.name, path)  # noqa: PTH105, which says less
        except OSError:
            Path(file.name).unlink(missing_ok=True)
            raise
