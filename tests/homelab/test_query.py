"""A query as a tree: what its selectors select, what its constants are, and what cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homelab.query import Matcher, NotPromQL, constant, duration, is_scalar, parse, selectors, shown


@pytest.mark.parametrize(
    ("matcher", "admitted", "refused"),
    [
        (Matcher("job", "=", "a"), ["a"], ["b", "", "aa"]),
        (Matcher("job", "!=", "a"), ["b", ""], ["a"]),
        (Matcher("job", "=~", "a|b.*"), ["a", "b", "bc"], ["", "ac", "xb"]),
        (Matcher("job", "!~", "a|b.*"), ["", "ac"], ["a", "bc"]),
        (Matcher("job", "=", ""), [""], ["a"]),
        (Matcher("job", "=~", ".+"), ["a"], [""]),
        (Matcher("job", "=~", "(?P<broken"), ["a", ""], []),  # left to promtool
    ],
)
def test_a_matcher_admits_what_prometheus_would(matcher: Matcher, admitted: list[str], refused: list[str]) -> None:
    """Regular expressions are anchored; an empty value is a series without the label."""
    assert all(matcher.admits(value) for value in admitted)
    assert not any(matcher.admits(value) for value in refused)


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("a", ["a"]),
        ("a|b", ["a", "b"]),
        ("(a|b)", ["a", "b"]),
        ("(?:a|b.*)", ["a", "b.*"]),
        ("a(b|c)|d", ["a(b|c)", "d"]),
        ("(a)|(b)", ["(a)", "(b)"]),
        ("[a|b]|c", ["[a|b]", "c"]),
        (r"a\|b|c", [r"a\|b", "c"]),
        ("(a|b", ["(a|b"]),
    ],
)
def test_an_alternation_has_parts(pattern: str, parts: list[str]) -> None:
    """Each of them can be misspelt by itself."""
    assert Matcher("job", "=~", pattern).alternatives == parts
    assert Matcher("job", "=", pattern).alternatives == [pattern]


def test_every_selector_of_a_query_is_found() -> None:
    """In arguments, parameters, subqueries and on both sides, with its range."""
    query = (
        'topk(scalar(a), b{x!="1", y=~"2|3"}) > on (x) rate(c[5m]) or max_over_time(d[1h:5m]) or {__name__="e", z="1"}'
    )
    assert [str(one) for one in selectors(parse(query))] == ["a", 'b{x!="1", y=~"2|3"}', "c", "d", 'e{z="1"}']
    assert [one.range_seconds for one in selectors(parse(query))] == [None, None, 300, None, None]
    (pattern,) = selectors(parse('{__name__=~"a|b"}'))
    assert (pattern.name, str(pattern)) == (None, '{__name__=~"a|b"}')


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("26 * 3600", 93600),
        ("-(2 - 5)", 3),
        ("1 / 4", 0.25),
        ("1 / 0", None),
        ("2 ^ 3", 8.0),
        ("2 % 3", None),
        ("(-8) ^ 0.5", None),
        ("10 ^ 400", None),
        ("time()", None),
        ("a", None),
    ],
)
def test_an_expression_of_numbers_has_a_value(text: str, value: float | None) -> None:
    """A limit is often written as a product."""
    assert constant(parse(text)) == value


def test_scalars_are_told_from_vectors() -> None:
    """A comparison of the two needs no labels in common."""
    assert all(is_scalar(parse(text)) for text in ("1", "(1 + 2)", "-time()", "scalar(a) * 2"))
    assert not any(is_scalar(parse(text)) for text in ("a", "vector(1)", "1 + a", "sum(a)"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0m", 0),
        ("5m", 300),
        ("1h30m", 5400),
        ("1d", 86400),
        ("250ms", 0.25),
        ("5", None),
        ("5m1h", None),
        ("", None),
    ],
)
def test_durations_are_those_of_prometheus(text: str, seconds: float | None) -> None:
    """Units from long to short, each at most once."""
    assert duration(text) == seconds


def test_a_long_expression_is_shown_on_one_line() -> None:
    """A sentence must stay readable."""
    text = shown(parse("sum by (x) (" + " + ".join(["some_metric"] * 20) + ")"))
    assert (len(text), text[-3:]) == (70, "...")
    assert "\n" not in text


@given(st.text(max_size=80))
def test_any_text_is_a_tree_or_no_promql(text: str) -> None:
    """Nothing else may come out of the native parser."""
    try:
        selectors(parse(text))
    except NotPromQL as error:
        assert str(error)  # noqa: PT017, either is fine
