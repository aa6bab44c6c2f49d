"""What a value looks like: thresholds, meanings, names."""

import math

import pytest

from preview import fieldconfig, names
from preview.colours import NoColour, worst
from preview.fields import Field, Threshold
from preview.options import Option, Undrawable
from preview.prometheus import Series


def read(defaults: dict, overrides: list | None = None) -> tuple[Field, dict[str, Field]]:
    panel = {"fieldConfig": {"defaults": defaults, "overrides": overrides or []}}
    usual, named = fieldconfig.read(Option(panel, "stat", set()))
    return usual, dict(named)


STEPS = {"mode": "absolute", "steps": [{"color": "green", "value": None}, {"color": "red", "value": 1}]}
STATES = [
    {"type": "value", "options": {"0": {"color": "green", "text": "fine", "index": 0}}},
    {"type": "range", "options": {"from": 2, "to": None, "result": {"color": "orange", "text": "many"}}},
    {"type": "special", "options": {"match": "null", "result": {"color": "purple", "text": "unknown"}}},
]


@pytest.mark.parametrize(
    ("value", "colour"), [(-5, "green"), (0.999, "green"), (1, "red"), (7, "red"), (math.nan, "text"), (None, "text")]
)
def test_a_threshold_begins_at_its_value(value: float | None, colour: str) -> None:
    field, _ = read({"thresholds": STEPS, "unit": "short"})
    found = field.show(None if value is None else float(value), 0)
    if value is None or not math.isnan(value):
        assert found.colour == colour


def test_one_threshold_alone_is_no_judgement() -> None:
    assert not Field(thresholds=(Threshold(None, "green"),)).show(1.0, 0).told
    assert Field(thresholds=(Threshold(None, "green"), Threshold(1, "red"))).show(1.0, 0).told


@pytest.mark.parametrize(
    ("value", "text", "colour"),
    [
        (0.0, "fine", "green"),
        (1.0, "1", "red"),
        (2.0, "many", "orange"),
        (99.0, "many", "orange"),
        (None, "unknown", "purple"),
    ],
)
def test_meanings_come_before_thresholds(value: float | None, text: str, colour: str) -> None:
    field, _ = read({"thresholds": STEPS, "mappings": STATES, "unit": "short"})
    assert (field.show(value, 0).text, field.show(value, 0).colour) == (text, colour)


def test_a_range_without_ends_is_about_every_value_but_none() -> None:
    mapping = [{"type": "range", "options": {"from": None, "to": None, "result": {"color": "red", "text": "yes"}}}]
    field, _ = read({"mappings": mapping})
    assert field.show(-3.0, 0).text == "yes"
    assert field.show(None, 0).text == "No data"


def test_words_have_meanings_too() -> None:
    mapping = [{"type": "value", "options": {"critical": {"color": "red", "text": "page"}}}]
    field, _ = read({"mappings": mapping})
    assert field.show("critical", 0).text == "page"
    assert field.show("warning", 0).text == "warning"


def test_what_is_not_there_has_the_text_that_the_dashboard_gives_it() -> None:
    assert read({"noValue": "-"})[0].show(None, 0).text == "-"
    assert read({})[0].show(None, 0).text == "No data"


def test_an_override_changes_one_field_and_no_other() -> None:
    properties = [{"id": "unit", "value": "bytes"}, {"id": "color", "value": {"mode": "fixed", "fixedColor": "blue"}}]
    usual, named = read({"unit": "s"}, [{"matcher": {"id": "byName", "options": "Size"}, "properties": properties}])
    assert (usual.unit, named["Size"].unit, named["Size"].show(1024.0, 0).colour) == ("s", "bytes", "blue")


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(Undrawable, match=r"overrides custom\.hidden, which the preview does not draw"):
        read(
            {}, [{"matcher": {"id": "byName", "options": "x"}, "properties": [{"id": "custom.hidden", "value": True}]}]
        )
    with pytest.raises(Undrawable, match=r"matcher.id is byRegexp"):
        read({}, [{"matcher": {"id": "byRegexp", "options": "x"}, "properties": []}])
    with pytest.raises(NoColour, match="no colour mauve"):
        read({"thresholds": {"mode": "absolute", "steps": [{"color": "mauve", "value": None}]}})


def test_the_worst_colour_is_what_must_be_seen_first() -> None:
    assert worst(["green", "orange", "blue", "red"]) == "red"
    assert worst(["blue", "text"]) == "none"


A = Series({"node": "a", "job": "x"}, [(0, 1)])
B = Series({"node": "b"}, [(0, 1)])


def test_a_legend_is_filled_with_labels() -> None:
    assert names.of([A], "{{node}} of {{ job }}{{nothing}}", "up", [A]) == ["a of x"]
    assert names.of([B], "{{job}}", "up", [B]) == ["up"]


def test_without_a_legend_the_labels_are_the_name() -> None:
    assert names.of([A], "__auto", "up", [A]) == ['{job="x", node="a"}']
    assert names.of([B], "__auto", "up", [B]) == ["b"]
    assert names.of([Series({}, [(0, 1)])], "__auto", "sum(up)", [B]) == ["sum(up)"]
    assert names.of([Series({"__name__": "up", "job": "x"}, [(0, 1)])], "", "up", []) == ['up{job="x"}']
