"""The simulated targets: what Prometheus makes of them are the series of the story, and down is down."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from pathlib import Path

from checks import promtool, timeline
from checks.cluster import baseline, sorted_labels
from demo.targets import DISCOVERY, Target, answering, discovered, targets
from demo.web import Request

ROOT = Path(__file__).parent.parent.parent
KUBELET = {"job": "kubelet", "instance": "10.0.0.1:10250"}


def scraped(target: Target, exposed: str) -> dict[str, str]:
    """The labels of a series as honor_labels leaves them."""
    own = {"__name__": exposed.partition("{")[0], **promtool.labels(exposed)}
    return {name: value for name, value in {**dict(target.labels), **own}.items() if value}


def test_a_scrape_gives_exactly_the_series_of_the_healthy_cluster() -> None:
    healthy = baseline(ROOT / "incidents")
    found = []
    for target in targets((series.labels, series.values) for series in healthy):
        found.append(sorted_labels({"__name__": "up", **dict(target.labels)}))
        found += (sorted_labels(scraped(target, name)) for name, _ in target.exposed)
    assert sorted(found) == sorted(series.labels for series in healthy)


def one(up: str, size: str = "1") -> list[Target]:
    named = {
        "up": {**KUBELET, "__name__": "up", "namespace": "kube-system"},
        "size": {**KUBELET, "__name__": "size", "volume": "a"},
    }
    words = {"up": up, "size": size}
    return targets((tuple(sorted(labels.items())), timeline.read(words[name])) for name, labels in named.items())


def test_a_label_that_a_series_does_not_have_is_kept_from_being_attached() -> None:
    (target,) = one("1")
    assert dict(target.labels) == {**KUBELET, "namespace": "kube-system"}
    assert target.exposition(0) == 'size{namespace="",volume="a"} 1.0\n'


def test_a_target_that_is_down_answers_503_and_one_that_is_gone_is_not_discovered() -> None:
    now = int(time.time())
    down, gone = one("0"), one("1 until 1m, gone")
    assert answering(down)(Request("/0/metrics")).status == HTTPStatus.SERVICE_UNAVAILABLE
    assert len(discovered(down, "127.0.0.1:1", now)) == 1
    assert discovered(gone, "127.0.0.1:1", now) == []


def test_discovery_names_the_address_that_it_was_asked_at() -> None:
    (found,) = json.loads(answering(one("1"))(Request(DISCOVERY, host="127.0.0.1:4711")).body)
    assert found["targets"] == ["127.0.0.1:4711"]
    assert found["labels"] == {**KUBELET, "namespace": "kube-system", "__metrics_path__": "/0/metrics"}


def test_there_are_no_other_pages() -> None:
    for path in ("/", "/1/metrics", "/-1/metrics", "/x/metrics"):
        assert answering(one("1"))(Request(path)).status == HTTPStatus.NOT_FOUND
