"""The words for values mean what they say, and promtool reads from their notation what Timeline.at() promises."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import promtool
from checks.timeline import BadWords, Timeline, always, read, read_time, samples, spell_time

HOUR = 3600

# --- what each kind of words means ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("3.5", {0: 3.5, 60: 3.5, 90_000: 3.5}),
        ("-2e3", {0: -2000, 61: -2000}),
        ("100 +5/m", {0: 100, 30: 102.5, 60: 105, 600: 150}),
        ("100 -5/m", {60: 95, 1260: -5}),
        ("1 +1 every 5m", {0: 1, 299: 1, 300: 2, 601: 3}),
        ("9 -2 every 1h", {3599: 9, 3600: 7}),
        ("clock", {0: 0, 7200: 7200}),
        ("clock -45", {60: 15}),
        ("clock +3600", {60: 3660}),
        ("at 2h5m every 24h", {0: 60, 7499: 60, 7500: 7500, 93_899: 7500, 93_900: 93_900}),
        ("at 0m every 10m", {0: 0, 599: 0, 1205: 1200}),
        ("cycle 1 0 0", {0: 1, 60: 0, 120: 0, 180: 1, 239: 1}),
        ("gone", {0: None, 600: None}),
    ],
)
def test_words_hold_values_over_time(words: str, values: dict[int, float | None]) -> None:
    """One example for each kind."""
    assert {at: read(words).at(at) for at in values} == values


def test_parts_follow_each_other_and_begin_anew() -> None:
    """At `until` the next value is already there, and counts from that moment."""
    story = read("1 until 10m, 100 +5/m until 20m, gone until 30m, 0 +1 every 5m until 40m, cycle 7 8")
    at = {0: 1, 599: 1, 600: 100, 660: 105, 1199: 149.91666, 1200: None, 1799: None, 1800: 0, 2100: 1, 2400: 7, 2460: 8}
    assert {time: story.at(time) for time in at} == pytest.approx(at)


def test_white_space_does_not_matter() -> None:
    """A long list may be broken into lines."""
    assert read(" 1  until 10m,\n   cycle  1   0 until\n 1h ,gone\n") == read("1 until 10m, cycle 1 0 until 1h, gone")


def test_baseline_is_what_the_healthy_cluster_has_at_that_moment() -> None:
    """Its own time goes on while something else is told, so a counter returns to where it would have been."""
    healthy = read("cycle 1 2 3 until 1h, 10 +1/m")
    story = read("baseline until 10m, 0 until 2h, baseline")
    assert story.needs_another
    told = story.over(healthy)
    assert not told.needs_another
    assert [told.at(at) for at in (0, 60, 540, 600, HOUR, 2 * HOUR, 2 * HOUR + 60)] == [1, 2, 1, 0, 0, 70, 71]
    with pytest.raises(LookupError, match=r"Timeline\.over comes first"):
        story.at(0)


def test_a_cycle_is_a_sample_per_scrape() -> None:
    """However far apart the scrapes are."""
    assert [read("cycle 1 0").at(at, 300) for at in (0, 60, 300, 600)] == [1, 1, 0, 1]


@pytest.mark.parametrize(
    ("text", "seconds"), [("0m", 0), ("45m", 2700), ("1h30m", 5400), ("2d", 172_800), ("1d1h1m1s", 90_061), ("90s", 90)]
)
def test_times_are_read_as_they_are_said(text: str, seconds: int) -> None:
    """Days, hours, minutes, seconds, in this order."""
    assert read_time(text) == seconds


@pytest.mark.parametrize(("seconds", "text"), [(0, "0m"), (45, "45s"), (5400, "1h30m"), (90_061, "25h1m1s")])
def test_times_are_spelt_in_hours_that_may_pass_a_day(seconds: int, text: str) -> None:
    """A story is counted from its start."""
    assert spell_time(seconds) == text


# --- what is no word ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("1, 2", '"1" is followed by another value and needs `until <time>`'),
        ("1 until 10m, 2 until 10m, 3", "until-times must ascend from above 0, found 10m"),
        ("1 until 0m, 2", "until-times must ascend from above 0, found 0m"),
        ("1 until 10m", '"1 until 10m" is the last value: nothing follows its `until`'),
        ("healthy", 'no value "healthy"; there is 3.5, 100 +5/m, 1 +1 every 5m, clock -45, at 2h5m every 24h, '),
        ("", 'no value ""; there is 3.5,'),
        ("100 +5", 'no value "100 +5"; there is 3.5,'),
        ("1 +1 every 0m", "`every` needs a time above 0"),
        ("at 1h every 0h", "`every` needs a time above 0"),
        ("1e999", "1e999 is too large for a number"),
        ("1 until ten, 2", 'no time "ten"; there is 45m, 1h30m, 2d and so on'),
        ("1 until 30m1h, 2", 'no time "30m1h"; there is 45m, 1h30m, 2d and so on'),
    ],
)
def test_what_is_no_word_is_told_with_what_is_allowed(words: str, message: str) -> None:
    """Every sentence that an operator may meet."""
    with pytest.raises(BadWords) as caught:
        read(words)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


WORDS = ["until", "every", "clock", "at", "cycle", "gone", "baseline", ",", "+", "-", "/m", "1", "0", "5m", "1h", "9d"]


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(), st.lists(st.sampled_from([*WORDS, "e9", ".", "1e308", "٣"])).map(" ".join)))
def test_any_text_is_words_or_bad_words(text: str) -> None:
    """Whatever stands in a file: no other error, and what was read can be asked at any time."""
    try:
        story = read(text)
    except BadWords:
        return
    story.over(always(1)).at(123_456)


# --- promtool's notation --------------------------------------------------------------------------------------------

Notation = list[float | str | None]  # a value, "stale", or no sample


def expanded(notation: str) -> Notation:
    """promtool's notation as its documentation has it: a+bxn is n+1 samples, _xn is n blanks."""
    found: Notation = []
    for word in notation.split():
        if word == "stale":
            found.append("stale")
        elif blank := re.fullmatch(r"_(?:x(\d+))?", word):
            found += [None] * int(blank[1] or 1)
        else:
            number = r"[-+]?[0-9.]+(?:e[-+][0-9]+)?"
            run = re.fullmatch(rf"({number})(?:([-+]{number.removeprefix('[-+]?')})x(\d+))?", word)
            assert run, word
            found += [float(run[1]) + float(run[2] or 0) * step for step in range(int(run[3] or 0) + 1)]
    return found


def promised(story: Timeline, step: int, end: int, *, shifted: bool) -> Notation:
    """What Timeline.at() says at every scrape, a series that ends saying so once, in the same places."""
    found: Notation = []
    alive = False
    for at in range(step // 2 if shifted else 0, end + 1, step):
        value = story.at(at, step)
        found += [*([None] if shifted else []), "stale" if value is None and alive else value]
        alive = value is not None
    return found


def same(one: Notation, other: Notation) -> bool:
    """Equal but for the rounding of sums."""
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6)
        if isinstance(a, float | int) and isinstance(b, float | int)
        else a == b
        for a, b in zip(one, other, strict=True)
    )


NUMBERS = st.one_of(
    st.integers(-1000, 1000), st.floats(-1e17, 1e17, allow_subnormal=False).map(lambda x: float(f"{x:.6g}"))
)
SLOPES = NUMBERS.map(lambda number: f"{'-' if number < 0 else '+'}{abs(number)!r}")
TIMES = st.integers(1, 40_000).map(lambda seconds: f"{seconds}s")
VALUES = st.one_of(
    NUMBERS.map(repr),
    st.builds("{!r} {}/m".format, NUMBERS, SLOPES),
    st.builds("{!r} {} every {}".format, NUMBERS, SLOPES, TIMES),
    st.just("clock"),
    st.builds("clock {}".format, SLOPES),
    st.builds("at {} every {}".format, TIMES, TIMES),
    st.lists(NUMBERS.map(repr), min_size=1, max_size=4).map(lambda some: " ".join(["cycle", *some])),
    st.just("gone"),
)


def told(values: list[str], times: Iterable[int]) -> Timeline:
    """The values one after the other, each until one of the times."""
    ends = sorted(times)[: len(values) - 1]
    parts = [f"{value} until {end}s" for value, end in zip(values, ends, strict=False)]
    return read(", ".join([*parts, values[len(parts)]]))


STORIES = st.builds(told, st.lists(VALUES, min_size=1, max_size=6), st.sets(st.integers(1, 12_000), max_size=5))
STEPS = st.sampled_from([2, 30, 60, 300])


@settings(deadline=None, max_examples=300)
@given(STORIES, STEPS, st.integers(0, 40), st.booleans())
def test_the_notation_holds_what_the_timeline_promises(story: Timeline, step: int, count: int, shifted: bool) -> None:  # noqa: FBT001
    """At every scrape, from the first to the last, in place and half a step later; an end is marked as one."""
    notation = samples(story, step, count * step, shifted=shifted)
    assert same(expanded(notation), promised(story, step, count * step, shifted=shifted)), notation


@settings(deadline=None)
@given(STORIES, STORIES, st.integers(1, 9000), st.integers(0, 12_000))
def test_over_takes_from_the_healthy_cluster_what_it_has_at_that_time(
    story: Timeline, healthy: Timeline, cut: int, at: int
) -> None:
    """Before and after the cut, at any time, whatever both are made of."""
    half = read(f"baseline until {cut}s, gone")
    assert half.over(healthy).at(at) == (healthy.at(at) if at < cut else None)
    assert story.over(healthy) == story


EXAMPLES = [
    "3.5",
    "-3",
    "0.000001",
    "1e-07",
    "2.5e+20 -1e16/m",
    "100 +5/m",
    "-100 -0.25/m",
    "9 -2 every 4m",
    "clock",
    "clock -45",
    "at 5m every 7m",
    "cycle 1 0 0 -5 -5",
    "gone",
    "gone until 4m, 1",
    "1 until 4m, gone",
    "1 until 4m, gone until 6m, 2 +1/m",
    "1 until 4m, gone until 5m, gone until 7m, cycle 1 2 until 9m, gone",
    "1 until 3m30s, 2 until 3m40s, 3 until 5m30s, gone until 6m, clock until 8m, 0",
]


@pytest.mark.parametrize("shifted", [False, True], ids=["in place", "half a step later"])
def test_promtool_reads_the_notation_as_it_is_meant(tmp_path: Path, shifted: bool) -> None:  # noqa: FBT001
    """The judge is promtool itself: what it has of each story at every scrape is what the timeline promises."""
    step, end = 60, 720
    times = range(step // 2 if shifted else 0, end + 1, step)
    test = {
        "interval": "30s" if shifted else "60s",
        "input_series": [
            {"series": f'm{{story="{number}"}}', "values": samples(read(words), step, end, shifted=shifted)}
            for number, words in enumerate(EXAMPLES)
        ],
        "promql_expr_test": [{"expr": "m", "eval_time": f"{at}s", "exp_samples": []} for at in times],
    }
    file = tmp_path / "notation.yaml"
    file.write_text(json.dumps({"rule_files": [], "evaluation_interval": test["interval"], "tests": [test]}))
    found = {
        failure.seconds: {int(sample.labels["story"]): sample.value for sample in failure.samples}
        for failure in promtool.test_rules(file)
    }
    for at in times:
        expected = {n: value for n, words in enumerate(EXAMPLES) if (value := read(words).at(at, step)) is not None}
        assert found[at] == pytest.approx(expected, rel=1e-9), f"at {at} s"


def test_a_story_without_a_sample_is_only_blanks() -> None:
    """Also when it is asked for its very first moment only."""
    assert samples(read("gone"), 60, 0) == "_x1"
    assert samples(read("7"), 60, 0) == "7"
    assert samples(read("7"), 60, 20, shifted=True) == ""
