"""Every option that the generated JSON carries is drawn, or stands on the list of those that need no drawing."""

import json
from pathlib import Path

import pytest

from preview import board
from preview.drawing import Picture, picture, plan
from preview.ignored import IGNORED
from preview.options import Option, Undrawable, _names, leaves, undrawn
from preview.prometheus import Prometheus, ask_all
from preview.situation import NOW


def drawn(path: Path, server: Prometheus) -> Picture:
    planned = plan(board.read(path), server, NOW)
    return picture(planned, ask_all(server, list(planned.queries), lambda *_: None), {})


def changed(path: Path, folder: Path, change: dict) -> Path:
    """The dashboard with one option more in its first panel that is no row."""
    document = json.loads(path.read_text())
    panel = next(one for one in document["panels"] if one["type"] != "row")
    for place, value in change.items():
        *above, last = place.split(".")
        below = panel
        for key in above:
            below = below.setdefault(key, {})
        below[last] = value
    (folder / "changed.json").write_text(json.dumps(document))
    return folder / "changed.json"


@pytest.mark.parametrize("server", ["full", "silent"])
def test_nothing_that_is_generated_is_left_undrawn(
    files: dict[str, Path], server: str, request: pytest.FixtureRequest
) -> None:
    found = {name: list(drawn(path, request.getfixturevalue(server)).undrawn) for name, path in files.items()}
    assert {name: paths for name, paths in found.items() if paths} == {}


def test_a_new_option_is_noticed(files: dict[str, Path], tmp_path: Path, full: Prometheus) -> None:
    path = changed(files["every-kind"], tmp_path, {"options.percentChangeColorMode": "standard"})
    assert drawn(path, full).undrawn == ["stat.options.percentChangeColorMode"]


def test_an_ignored_option_is_noticed_as_soon_as_it_says_something(
    files: dict[str, Path], tmp_path: Path, full: Prometheus
) -> None:
    path = changed(files["every-kind"], tmp_path, {"options.justifyMode": "center"})
    assert drawn(path, full).undrawn == ["stat.options.justifyMode"]


def test_a_value_that_the_preview_does_not_know_is_said(
    files: dict[str, Path], tmp_path: Path, full: Prometheus
) -> None:
    path = changed(files["every-kind"], tmp_path, {"options.graphMode": "line"})
    with pytest.raises(Undrawable, match=r"stat.options.graphMode is line; the preview draws none, area"):
        drawn(path, full)


def test_a_panel_of_an_unknown_kind_is_said(files: dict[str, Path], tmp_path: Path, full: Prometheus) -> None:
    path = changed(files["every-kind"], tmp_path, {"type": "heatmap"})
    with pytest.raises(Undrawable, match="kind heatmap"):
        drawn(path, full)


def test_nothing_is_ignored_that_is_not_generated(files: dict[str, Path]) -> None:
    found = set()
    for path in files.values():
        document = json.loads(path.read_text())
        panels = [one for row in document["panels"] for one in (row, *row.get("panels", ()))]
        found |= {place for place, _ in leaves({k: v for k, v in document.items() if k != "panels"}, "dashboard")}
        found |= {place for one in panels for place, _ in leaves({**one, "panels": []}, one["type"])}
    places = found | {f"{place[:end]}.*" for place in found for end, at in enumerate(place) if at in ".["}
    assert [pattern for pattern in IGNORED if not any(_names(pattern, place) for place in places)] == []


def test_what_is_read_counts_as_drawn_and_nothing_else() -> None:
    read: set[str] = set()
    option = Option({"a": {"b": 1, "c": 2}, "d": [{"id": "x", "e": 3}], "f": {}}, "p", read)
    option["a"]["b"].read()
    assert list(undrawn(option.value, read, "p")) == ["p.a.c", "p.d[x].e", "p.f"]  # an id needs no drawing
    option["f"]["g"].flag()
    list(option["d"].items())
    assert list(undrawn(option.value, read, "p")) == ["p.a.c", "p.d[x].e"]
