"""The history: OpenMetrics text in order, dense where the live part begins, and what alerts are remembered."""

from __future__ import annotations

from itertools import pairwise

from checks import timeline
from checks.cluster import sorted_labels
from demo import history
from demo.history import Placed, Times, exposition, grid
from demo.memory import remembered
from demo.rehearsal import Rehearsal
from demo.states import State

NOW = 1_700_000_000


def placed(words: str, **labels: str) -> Placed:
    return Placed(sorted_labels({"__name__": "some_total", **labels}), timeline.read(words))


def test_lines_of_one_name_stand_together_and_labels_are_escaped() -> None:
    series = [placed("1", path='a"b\\c\nd'), Placed((("__name__", "other"),), timeline.read("2 +60/m")), placed("gone")]
    assert "".join(exposition(series, Times([0, 60], []))).splitlines() == [
        "# TYPE other unknown",
        "other{} 2.0 0",
        "other{} 62.0 60",
        "# TYPE some_total unknown",
        r'some_total{path="a\"b\\c\nd"} 1.0 0',
        r'some_total{path="a\"b\\c\nd"} 1.0 60',
    ]


def test_a_part_is_sampled_up_to_just_before_its_end() -> None:
    assert "".join(exposition([placed("1 until 1m, gone until 2m, 3")], Times([0, 59, 60, 119, 120], []))) == (
        "# TYPE some_total unknown\nsome_total{} 1.0 0\nsome_total{} 1.0 59\nsome_total{} 3.0 120\n"
    )


def test_the_samples_reach_to_now_ever_denser_and_never_five_minutes_apart() -> None:
    times = grid(NOW, history.past(0)).all
    apart = [later - sooner for sooner, later in pairwise(times)]
    assert times[0] == NOW - 2 * 86_400
    assert times[-1] == NOW
    assert all(0 < step < 300 for step in apart)
    assert {step for time, step in zip(times, apart, strict=False) if time >= NOW - 1200} == {history.LIVE}


def test_what_the_story_changes_is_sampled_closely_since_it_began_but_not_without_bounds() -> None:
    short, long = grid(NOW, history.past(0), 6 * 3600, 20), grid(NOW, history.past(0), 2 * 86_400, 300)
    story = [time for time in short.close if time >= NOW - 6 * 3600]
    assert max(later - sooner for sooner, later in pairwise(story)) <= 15
    assert set(short.all) < set(short.close)
    assert len(long.close) * 300 < 1_000_000


def test_the_blocks_have_all_the_samples_and_do_not_overlap() -> None:
    times = grid(NOW, history.past(0), 6 * 3600, 20)
    assert [time for _, block in times.blocks() for time in block.all] == times.all
    assert [time for _, block in times.blocks() for time in block.close] == times.close
    assert all(len({time // 21_600 for time in block.close}) == 1 for _, block in times.blocks())


def test_a_long_story_gets_a_long_history_within_bounds() -> None:
    assert history.past(5 * 86_400) == 5 * 86_400
    assert history.past(90 * 86_400) == 9 * 86_400


def test_prometheus_is_told_since_when_an_alert_is_active_and_when_it_fired() -> None:
    alert = {"alertname": "Some", "severity": "warning"}
    states = {0: (), 60: (State(alert, 60, firing=False),), 120: (State(alert, 60, firing=True),), 180: ()}
    found = {
        (dict(one.labels)["__name__"], dict(one.labels).get("alertstate")): [one.values.at(NOW + at) for at in states]
        for one in remembered(Rehearsal((), states, 0), NOW)
    }
    assert found == {
        ("ALERTS", "pending"): [None, 1, None, None],
        ("ALERTS", "firing"): [None, None, 1, None],
        ("ALERTS_FOR_STATE", None): [None, NOW + 60, NOW + 60, None],
    }
