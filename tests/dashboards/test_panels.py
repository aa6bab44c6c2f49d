"""The vocabulary: where panels go, what a limit becomes, what a query becomes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards._board import COLUMNS, Panel, Row, placed
from dashboards._fields import Column, Limits
from dashboards._panels import conditions, graph, json_of, logs, stat, table, text, timeline

widths = st.lists(st.integers(0, COLUMNS), min_size=1, max_size=30)
numbers = st.floats(-1e12, 1e12)


@given(widths, st.integers(1, 20), st.integers(0, 500))
def test_panels_of_a_row_never_overlap_and_stay_on_the_page(sizes: list[int], height: int, top: int) -> None:
    """Whatever widths are asked for; a fixed one is kept, and the next row begins below all of them."""
    row = Row("", tuple(Panel(None, width) for width in sizes), height)
    places, below = placed(row, top)
    assert len(places) == len(sizes)
    taken = set()
    for size, place in zip(sizes, places, strict=True):
        assert place["w"] == size or size == 0
        assert place["w"] >= (size or (4 if height <= 5 else 6))
        assert 0 <= place["x"] <= COLUMNS - place["w"]
        assert top <= place["y"] < below
        assert place["y"] + place["h"] <= below
        cells = set(itertools.product(range(place["x"], place["x"] + place["w"]), [place["y"]]))
        assert not cells & taken
        taken |= cells


def test_what_shares_a_row_fills_it() -> None:
    """No ragged right edge: what cannot be shared evenly goes to the first ones."""
    places, below = placed(Row("", (Panel(None), Panel(None, 10), Panel(None)), 4), 7)
    assert [(place["x"], place["w"]) for place in places] == [(0, 7), (7, 10), (17, 7)]
    assert below == 11
    places, _ = placed(Row("", tuple(Panel(None) for _ in range(5))), 0)
    assert [(place["x"], place["y"], place["w"]) for place in places] == [
        *((x, 0, 6) for x in (0, 6, 12, 18)),
        (0, 8, 24),
    ]


@given(st.none() | numbers, st.none() | numbers)
def test_steps_begin_without_a_value_and_a_limit_is_where_the_colour_changes(low: float, high: float) -> None:
    """Grafana wants the first step open to below; the figure on the limit has the new colour."""
    steps = Limits(red_below=low, orange_above=high).thresholds()["steps"]
    assert steps[0]["value"] is None
    assert all(step["value"] is not None for step in steps[1:])
    assert [step["color"] for step in steps] == ["red"] * (low is not None) + ["green"] + ["orange"] * (
        high is not None
    )
    assert [step["value"] for step in steps[1:]] == [value for value in (low, high) if value is not None]


@pytest.mark.parametrize(
    ("limits", "steps"),
    [
        (Limits(), [(None, "green")]),
        (Limits(red_above=5), [(None, "green"), (5, "red")]),
        (Limits(orange_above=3, red_above=5), [(None, "green"), (3, "orange"), (5, "red")]),
        (Limits(orange_below=0.2, red_below=0.1), [(None, "red"), (0.1, "orange"), (0.2, "green")]),
        (Limits(orange_below=0.2), [(None, "orange"), (0.2, "green")]),
        (Limits(red_below=0), [(None, "red"), (0, "green")]),
    ],
)
def test_limits_become_steps(limits: Limits, steps: list) -> None:
    """Worst colours at the ends, green where all is well."""
    assert [(step["value"], step["color"]) for step in limits.thresholds()["steps"]] == steps


def test_a_stat_asks_once_and_a_graph_asks_for_a_range() -> None:
    """On a Raspberry Pi six hours for one number are a waste; with its course behind it, they are not."""
    asked = {"unit": "s", "description": "It is."}
    assert json_of(stat("a", "up", **asked))["targets"][0]["instant"] is True
    assert json_of(stat("a", "up", spark=True, **asked))["targets"][0]["instant"] is False
    target = json_of(graph("a", {"{{job}}": "up"}, **asked))["targets"][0]
    assert (target["range"], target["instant"], target["legendFormat"]) == (True, False, "{{job}}")


def test_a_limit_is_a_line_in_a_graph_and_a_background_in_a_number() -> None:
    """The red line in the graph is the alert."""
    drawn = json_of(graph("a", "up", unit="s", description="It is.", limits=Limits(red_above=3)))
    assert drawn["fieldConfig"]["defaults"]["custom"]["thresholdsStyle"] == {"mode": "dashed"}
    # Grafana gives the line of a lower limit the colour of what is below it only where what is fine has none.
    assert [step["color"] for step in drawn["fieldConfig"]["defaults"]["thresholds"]["steps"]] == ["transparent", "red"]
    assert json_of(stat("a", "up", unit="s", description="It is."))["options"]["colorMode"] == "value"
    coloured = stat("a", "up", unit="s", description="It is.", limits=Limits(red_above=3))
    assert json_of(coloured)["options"]["colorMode"] == "background"


def test_a_table_names_its_columns_by_their_queries() -> None:
    """Grafana calls the value of the only query Value, those of several Value #A, Value #B."""
    columns = {"Age": Column("a", "s", Limits(red_above=3)), "State": Column("b", "none", states={1: ("up", "green")})}
    drawn = json_of(table("t", {"pvc": "Claim"}, columns, description="It is.", sort="Age"))
    organize = drawn["transformations"][1]["options"]
    assert organize["renameByName"] == {"pvc": "Claim", "Value #A": "Age", "Value #B": "State"}
    assert organize["indexByName"] == {"pvc": 0, "Value #A": 1, "Value #B": 2}
    assert [one["matcher"]["options"] for one in drawn["fieldConfig"]["overrides"]] == ["Age", "State"]
    alone = json_of(table("t", {}, {"Age": Column("a", "s")}, description="It is.", sort="Age"))
    assert alone["transformations"][1]["options"]["renameByName"] == {"Value #A": "Age", "Value": "Age"}


def test_a_condition_is_red_whatever_its_value() -> None:
    """`X == 0` keeps the value 0: that there is a series is what it says."""
    drawn = json_of(
        conditions("c", {"down {{job}}": "up == 0"}, mild={"slow": "x > 3"}, description="It is.", empty="all is well")
    )
    (meanings,) = drawn["fieldConfig"]["defaults"]["mappings"]
    assert {value: one["color"] for value, one in meanings["options"].items()} == {"1": "orange", "2": "red"}
    assert [target["expr"] for target in drawn["targets"]] == ["2 * (up == 0) ^ 0", "(x > 3) ^ 0"]
    # By thresholds, Grafana would merge equal values into those of the thresholds, and forget what states mean.
    assert drawn["fieldConfig"]["defaults"]["color"]["mode"] == "fixed"
    named = json_of(timeline("t", "up", description="It is.", states={0: ("down", "red"), 1: ("up", "green")}))
    assert set(named["fieldConfig"]["defaults"]["mappings"][0]["options"]) == {"0", "1"}


def test_logs_go_to_loki_and_text_goes_nowhere() -> None:
    """The one panel with another source, and the one without."""
    drawn = json_of(logs("l", '{namespace="a"}', description="It is."))
    assert drawn["datasource"] == {"type": "loki", "uid": "$loki"}
    assert drawn["targets"] == [
        {"datasource": drawn["datasource"], "expr": '{namespace="a"}', "queryType": "range", "refId": "A"}
    ]
    written = json_of(text("t", "Some *words*.", description="It is."))
    assert "datasource" not in written
    assert written["options"]["content"] == "Some *words*."
