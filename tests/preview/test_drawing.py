"""What becomes of panels: lines, tiles, lanes and marks, and what is said where something is missing or wrong."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from preview import board, page
from preview.__main__ import _tell
from preview.drawing import Picture, picture, plan
from preview.drawn import Drawn
from preview.page import Side
from preview.prometheus import Answer, Failure, Prometheus, Query, Series, ask_all
from preview.situation import NOW


def drawn(path: Path, server: Prometheus) -> Picture:
    planned = plan(board.read(path), server, NOW)
    return picture(planned, ask_all(server, list(planned.queries), lambda *_: None), {})


class Told(Prometheus):
    """A server whose answers are told."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__("http://nowhere")
        object.__setattr__(self, "answers", answers)

    def ask(self, query: Query) -> Answer:
        """The same for every question, in the question's own time."""
        found = self.answers[0]
        if isinstance(found, Failure):
            return found
        return [
            Series(
                one.labels,
                [(query.start + n * (query.step or 1), v) for n, (_, v) in enumerate(one.points) if v is not None],
            )
            for one in found
        ]

    def label_values(self, query: str, start: int, end: int) -> list[str]:  # noqa: ARG002
        """None."""
        return []


def points(*values: float | None) -> Sequence[tuple[float, float | None]]:
    return [(0, value) for value in values]


def panel(found: Picture, title: str) -> Drawn:
    keys = {p.option.value["title"]: p.key for row in found.plan.rows for p in row.panels}
    return found.panels[keys[title]]


def test_a_line_is_not_drawn_across_a_gap(files: dict[str, Path]) -> None:
    found = panel(drawn(files["every-kind"], Told([Series({"a": "x"}, points(1, 2, None, 4))])), "Graph")
    trace = found.figure["data"][0]
    assert trace["y"][:4] == [1, 2, None, 4]
    assert (trace["type"], trace["mode"], trace["connectgaps"]) == ("scatter", "lines", False)
    assert trace["stackgroup"] == "A"
    assert trace["text"][:3] == ["1", "2", ""]


def test_limits_are_dashed_lines_in_their_colours(files: dict[str, Path]) -> None:
    shapes = panel(drawn(files["every-kind"], Told([Series({"a": "x"}, points(1))])), "Graph").figure["layout"][
        "shapes"
    ]
    lines = [shape for shape in shapes if shape.get("xref") == "paper"]
    assert lines
    assert {line["line"]["dash"] for line in lines} == {"dash"}
    assert [line["y0"] for line in lines] == sorted(line["y0"] for line in lines)
    assert lines[-1]["line"]["color"] == "@red"


def test_an_alert_that_fires_again_is_marked_again(files: dict[str, Path]) -> None:
    firing = Series({"alertname": "LonghornVolumeFaulted", "a": "x"}, points(1, 1, None, None, 1))
    found = drawn(files["every-kind"], Told([firing]))
    critical = [mark for mark in found.scene.marks if mark.colour == "red"]
    assert [mark.name for mark in critical] == ["LonghornVolumeFaulted"] * 2
    assert critical[0].end - critical[0].begin == 60
    assert critical[1].begin == critical[1].end


def test_a_tile_per_series_and_its_name_where_there_are_more(files: dict[str, Path]) -> None:
    one = panel(drawn(files["every-kind"], Told([Series({"a": "x"}, points(0))])), "Stat")
    two = panel(
        drawn(files["every-kind"], Told([Series({"a": "x"}, points(0)), Series({"a": "y"}, points(1))])), "Stat"
    )
    assert ">x<" not in one.html
    assert ">x<" in two.html
    assert ">bad<" in two.html
    assert list(two.tells) == ["green", "red"]


def test_a_lane_per_series_with_what_it_means(files: dict[str, Path]) -> None:
    found = panel(drawn(files["every-kind"], Told([Series({"a": "x"}, points(0, 0, 1, None, 0))])), "Timeline")
    assert found.html.count('<i class="c-green" style=') == 2
    assert found.html.count('<i class="c-red" style=') == 1
    assert [colour for _, _, colour in found.bars[0]] == ["green", "red", "green"]


def test_states_are_lost_where_grafana_loses_them(files: dict[str, Path], tmp_path: Path) -> None:
    """While it merges equal values by thresholds, it puts the steps of the thresholds in place of what states mean."""
    told = Told([Series({"a": "x"}, points(0, 1, 0))])
    whole = json.loads(files["every-kind"].read_text("utf-8"))
    (timeline,) = [one for row in whole["panels"] for one in row.get("panels", ()) if one["title"] == "Timeline"]
    timeline["fieldConfig"]["defaults"]["color"] = {"mode": "thresholds"}
    (tmp_path / "every-kind.json").write_text(json.dumps(whole), "utf-8")
    red = '<i class="c-red"'
    assert red in panel(drawn(files["every-kind"], told), "Timeline").html
    assert red not in panel(drawn(tmp_path / "every-kind.json", told), "Timeline").html


def test_whoever_has_no_data_says_so(files: dict[str, Path], silent: Prometheus) -> None:
    found = drawn(files["every-kind"], silent)
    assert "No data" in panel(found, "Graph").html
    assert "No data" in panel(found, "Timeline").html
    document = json.loads(files["every-kind"].read_text())
    stat = next(one for one in document["panels"] if one["title"] == "Stat")
    assert f">{stat['fieldConfig']['defaults']['noValue']}</span>" in panel(found, "Stat").html


def test_a_question_that_is_none_stands_in_the_panel_and_in_the_exit_status(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    found = drawn(files["every-kind"], Told(Failure('parse error: unexpected "<b>"')))
    assert "parse error: unexpected &quot;&lt;b&gt;&quot;" in panel(found, "Graph").html
    assert _tell({"x": [Side("healthy", "Healthy", "", "http://nowhere", found)]}) == 1
    assert "x, healthy: Graph: parse error" in capsys.readouterr().err


def test_nothing_that_prometheus_answers_becomes_html(files: dict[str, Path]) -> None:
    found = drawn(files["every-kind"], Told([Series({"a": '<script>"', "alertname": "<i>"}, points(1, 2))]))
    side = Side("healthy", "<b>", "<b>", "http://nowhere", found)
    text = page.single(side, {})
    assert "<script>&quot;" not in text
    assert '<script>"' not in text
    assert "<b><" not in text.replace("<b></b>", "")
    assert "&lt;script&gt;" in text


def test_what_only_one_situation_has_stands_beside_nothing(files: dict[str, Path], silent: Prometheus) -> None:
    """Where a row is repeated, an incident may bring a value more."""
    left = Side("healthy", "Healthy", "", "http://nowhere", drawn(files["production-cnpg"], Told([])))
    right = Side("X-01", "Worse", "", "http://nowhere", drawn(files["production-cnpg"], silent))
    text = page.beside(left, right, {})
    assert text.count('class="inside"></div>') == len(left.picture.panels.keys() ^ right.picture.panels.keys())


def test_figures_are_plain_json(files: dict[str, Path], full: Prometheus) -> None:
    for path in files.values():
        for one in drawn(path, full).panels.values():
            text = json.dumps(one.figure, allow_nan=False)
            assert "scattergl" not in text
