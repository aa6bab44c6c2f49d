"""Story time becomes wall time by one offset: times move along, counts and sizes do not."""

from __future__ import annotations

from itertools import pairwise

import pytest

from checks import timeline
from checks.cluster import Series, sorted_labels
from checks.timeline import Timeline
from demo.story import Kinds, held, placed, repaired

OFFSET = 1_700_000_000
PAST = 2 * 86_400
KINDS = Kinds(dated={"backup_at"}, counters={"requests_total"})


def series(name: str, words: str) -> Series:
    labels = sorted_labels({"__name__": name, "job": "some"})
    return Series(labels, (), timeline.read(words), "some")


def live(name: str, words: str, past: int = PAST) -> Timeline:
    return placed(series(name, words), OFFSET, past, KINDS)


@pytest.mark.parametrize(
    ("name", "words", "at", "value"),
    [
        ("size", "3.5", 100, 3.5),
        ("size", "1 until 10m, 2", 600, 2),
        ("size", "1 until 10m, 2", 599, 1),
        ("requests_total", "100000 +6/m", 600, 100_060),
        ("seconds_since", "45 +60/m", 60, 105),
        ("backup_at", "clock -45", 600, OFFSET + 555),
        ("backup_at", "at 2h5m every 24h", 3 * 3600, OFFSET + 7500),
        ("backup_at", "at 2h5m every 24h", 3600, OFFSET + 60),  # long ago, as the story has it
        ("backup_at", "60", 3600, OFFSET + 60),
        ("backup_at", "1155 until 1h, clock -15", 1800, OFFSET + 1155),
        ("backup_at", "-45 +60/m", 60, OFFSET + 15),
        ("backup_at", "0", 3600, 0),  # never is not a time
        ("backup_at", "-1", 3600, -1),
        ("backup_at", "gone until 1h, 60", 1800, None),
    ],
)
def test_a_value_moves_if_it_is_a_time(name: str, words: str, at: int, value: float | None) -> None:
    assert live(name, words).at(OFFSET + at) == value


@pytest.mark.parametrize(
    ("name", "words", "before", "value"),
    [
        ("size", "3.5 until 1h, 7", 86_400, 3.5),
        ("size", "gone until 1h, 7", 86_400, None),
        ("backup_at", "at 2h5m every 24h", 3600, OFFSET - 86_400 + 7500),
        ("backup_at", "at 2h5m every 24h", 86_400, OFFSET - 2 * 86_400 + 7500),
        ("backup_at", "clock -45", 600, OFFSET - 645),
        ("backup_at", "60", 600, None),  # nobody knows when it was before
        ("backup_at", "7776000", 600, OFFSET + 7_776_000),  # but when a certificate will expire is known
        ("backup_at", "0", 600, 0),
    ],
)
def test_the_days_before_the_story_are_uneventful(name: str, words: str, before: int, value: float | None) -> None:
    assert live(name, words).at(OFFSET - before) == value


def test_a_counter_was_never_below_zero_and_grows_as_told() -> None:
    values = live("requests_total", "0 +60/m until 1h, 3600")
    assert values.at(OFFSET - PAST) == 0
    grown = [values.at(OFFSET + at) for at in (-60, 0, 60, 3599, 3600)]
    assert [later - sooner for sooner, later in pairwise(grown)] == [60, 60, 3539, 1]


def test_a_counter_that_is_reset_starts_where_the_story_says() -> None:
    values = live("requests_total", "0 +60/m until 1h, gone until 2h, 0 +6/m")
    assert values.at(OFFSET + 3599) > PAST
    assert values.at(OFFSET + 7200) == 0


def test_a_part_ends_on_what_its_last_scrape_saw() -> None:
    failed = held(timeline.read("0 until 21m, 1 +1/m until 1h, 39"), 60)
    assert [failed.at(at) for at in (3539, 3540, 3570, 3599, 3600)] == pytest.approx([38.98, 39, 39, 39, 39], abs=0.01)


def test_a_cycle_takes_its_own_time_however_often_it_is_scraped() -> None:
    values = held(timeline.read("cycle 1 0"), 60)
    assert [values.at(at, step=10) for at in (0, 10, 59, 60, 119, 120)] == [1, 1, 1, 0, 0, 1]


def test_a_story_without_recovery_is_repaired_to_the_healthy_cluster() -> None:
    healthy = [series("size", "5 +60/m"), series("other", "1")]
    ill = [series("size", "5 until 10m, 900"), healthy[1], series("extra", "7")]
    size, other, extra = repaired(ill, healthy, 3600)
    assert [size.values.at(at) for at in (0, 600, 3599, 3600, 3660)] == [5, 900, 900, 3605, 3665]
    assert other is healthy[1]
    assert [extra.values.at(at) for at in (3599, 3600)] == [7, None]
