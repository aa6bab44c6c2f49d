"""The daily rhythm of measured quantities: small, always the same, and only where nothing is meant by a number."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.cluster import Labels
from checks.timeline import Line, Part, Timeline, always
from homelab import contract
from preview.histogram import family, shares
from preview.rhythm import Pulsing, alive, swings
from preview.situation import NOW, during, material

ROOT = Path(__file__).parents[2]
DAY = range(NOW - 86_400, NOW, 60)


def labels(name: str, **more: str) -> Labels:
    return tuple(sorted({"__name__": name, **more}.items()))


def growing(per_minute: float) -> Timeline:
    return Timeline((Part(0, float("inf"), Line(0.0, per_minute), 0),))


@given(st.floats(1e-3, 1e9), st.sampled_from("abcdefgh"))
@settings(max_examples=20)
def test_a_gauge_stays_within_a_few_percent_and_is_the_same_every_time(value: float, node: str) -> None:
    of = labels("node_load1", node=node)
    timeline, again = (alive(of, always(value), counter=False) for _ in range(2))
    values = [timeline.at(time) for time in DAY]
    assert all(0.9 * value <= seen <= 1.1 * value for seen in values)
    assert len(set(values)) > 100
    assert timeline == again


@given(st.floats(1e-3, 1e9), st.sampled_from("abcdefgh"))
@settings(max_examples=20)
def test_a_counter_never_falls_and_has_grown_as_much_after_a_day(rate: float, node: str) -> None:
    timeline = alive(labels("requests_total", node=node), growing(rate), counter=True)
    values = [timeline.at(time) for time in range(NOW - 86_400, NOW + 60, 60)]
    assert all(before < after for before, after in pairwise(values))
    assert values[-1] - values[0] == pytest.approx(rate * 1440, rel=1e-6)


def test_no_bucket_of_a_histogram_passes_the_next() -> None:
    known = material("production", ROOT).healthy
    parts = shares(known)
    found: dict[Labels, list[list[float]]] = {}
    for one in sorted(known, key=lambda series: parts.get(series.labels, 0)):
        if one.labels in parts and "etcd_disk_wal" in one.named["__name__"]:
            rate = one.values.parts[0].value.per_minute
            timeline = alive(one.labels, growing(rate), counter=True, share=parts[one.labels])
            values = [timeline.at(time) for time in DAY]
            alike = tuple(pair for pair in one.labels if pair[0] != "le")
            found.setdefault(alike, []).append([after - before for before, after in pairwise(values)])
    assert len(found) == 3
    for buckets in found.values():
        assert all(grown > 0 for bucket in buckets for grown in bucket)
        for low, high in pairwise(buckets):
            assert all(one <= other * (1 + 1e-6) for one, other in zip(low, high, strict=True))


@pytest.mark.parametrize(
    "name",
    [
        "up",
        "longhorn_volume_capacity_bytes",
        "kube_deployment_spec_replicas",
        "node_hwmon_temp_crit_celsius",
        "node_nf_conntrack_entries_limit",
        "node_filesystem_avail_bytes",
        "backup_expected_max_age_seconds",
        "nvme_available_spare_threshold_ratio",
    ],
)
def test_what_means_something_stays(name: str) -> None:
    assert not swings(name, counter=False)
    values = always(3.0)
    assert alive(labels(name), values, counter=False) is values


def test_only_numbers_of_the_contract_swing() -> None:
    """A state, a flag or a time that is called like something measured keeps its value."""
    known = contract.load(ROOT / "metrics").series
    wrong = [
        name
        for name, found in known.items()
        if swings(name, counter=False) and any(one.metric.value != "number" for one in found)
    ]
    assert wrong == []


@pytest.mark.parametrize("incident", ["PG-01", "ET-05"])
def test_what_an_incident_changes_is_as_it_was_told(incident: str) -> None:
    """And so are the other buckets of a histogram of which it changes some."""
    known = material("production", ROOT)
    situation = during(known.incident(incident), known, 86_400)
    changed = {family(one.labels) for one in situation.series if one.closely}
    assert changed
    for one in situation.series:
        if family(one.labels) in changed:
            assert not any(isinstance(part.value, Pulsing) for part in one.values.parts), one.labels
