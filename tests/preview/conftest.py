"""The dashboards as they are generated now, whatever lies in monitoring/."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from alerts._render import limit_types
from dashboards import _panels
from dashboards._board import Board as Described
from dashboards._board import board as described
from dashboards._board import row
from dashboards._render import boards, page, render
from homelab import inventory
from preview.board import Board, read
from preview.prometheus import Answer, Prometheus, Query, Series

ROOT = Path(__file__).parents[2]
SITES = inventory.load(ROOT / "homelab.yaml", limit_types()).clusters


def generated(cluster: str) -> dict[str, str]:
    """The text of every dashboard by its stem."""
    files = render({cluster: SITES[cluster]})
    return {path.stem: text for path, text in files.items() if path.suffix == ".json"}


def every_kind() -> str:
    """A dashboard with a panel of every kind, with every option that its module can say."""
    limits = _panels.Limits(red_below=0, orange_below=1, orange_above=2, red_above=3)
    states = {0: ("fine", "green"), 1: ("bad", "red")}
    of = {"unit": "short", "description": "d"}
    page_ = described(
        "Every kind",
        row(
            "$node",
            _panels.stat("Stat", "up", limits=limits, states=states, spark=True, link="/d/homelab-etcd", **of),
            _panels.graph("Graph", {"{{a}}": "up"}, limits=limits, stack="percent", least=0, most=1, **of),
            _panels.bars("Bars", "up", limits=limits, **of),
            repeat="node",
        ),
        row(
            "Closed",
            _panels.timeline("Timeline", "up", states=states, description="d"),
            _panels.conditions("Conditions", {"{{a}}": "up == 0"}, description="d", empty="e"),
            _panels.table(
                "Table",
                {"a": "A"},
                {"One": _panels.Column("up", "s", limits, states), "Two": _panels.Column("up", "bytes")},
                description="d",
                sort="One",
            ),
            _panels.logs("Logs", '{a="b"}', description="d"),
            _panels.text("Text", "**Words**", description="d"),
            collapsed=True,
        ),
        logs='{a="b"}',
    )
    return json.dumps(_whole(page_))


def _whole(one: Described) -> dict:
    site = SITES["production"]
    stem = next(iter(boards(site)))
    return page(stem, one, site)


class Fake(Prometheus):
    """A server that answers every question with the same series."""

    def __init__(self, series: Sequence[Mapping[str, str]]) -> None:
        super().__init__("http://nowhere")
        object.__setattr__(self, "known", series)

    def ask(self, query: Query) -> Answer:
        """A few points, with a gap."""
        times = range(query.start, query.end + 1, query.step or 1)
        times = [time for number, time in enumerate(times) if number % 7 != 3] if query.step else [query.end]
        return [Series(labels, [(time, float(n % 3)) for n, time in enumerate(times)]) for labels in self.known]

    def label_values(self, query: str, start: int, end: int) -> list[str]:  # noqa: ARG002
        """Two of them."""
        return ["kube-srv-1", "kube-srv-2"]


FULL = [{"__name__": "up", "a": "1", "severity": "critical", "alertname": "X"}, {"a": "2", "severity": "warning"}]


@pytest.fixture
def full() -> Prometheus:
    """A server that has an answer to everything."""
    return Fake(FULL)


@pytest.fixture
def silent() -> Prometheus:
    """A server that knows no series at all."""
    return Fake([])


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The generated files of both clusters, and one with a panel of every kind."""
    folder = tmp_path_factory.mktemp("dashboards")
    texts = {f"{cluster}-{stem}": text for cluster in SITES for stem, text in generated(cluster).items()}
    texts["every-kind"] = every_kind()
    for name, text in texts.items():
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.json" for name in texts}


@pytest.fixture
def everything(files: dict[str, Path]) -> dict[str, Board]:
    """The same, read."""
    return {name: read(path) for name, path in files.items()}
