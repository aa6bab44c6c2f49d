"""Where samples are missing there is a gap; where states are equal there is one stretch."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from preview.gaps import filled, stretches
from preview.prometheus import Query, Series

QUERY = Query("x", 0, 600, 60)


def test_a_missing_sample_is_a_gap() -> None:
    series = Series({}, [(0, 1), (60, 1), (240, 2), (600, 2)])
    assert filled(series, QUERY) == [1, 1, None, None, 2, None, None, None, None, None, 2]


def test_equal_neighbours_are_one_stretch_and_a_gap_ends_it() -> None:
    values = [1, 1, None, 1, 0, 0, None, None, None, None, 0]
    assert list(stretches(values, QUERY)) == [(0, 120, 1), (180, 240, 1), (240, 360, 0), (600, 600, 0)]


@given(st.lists(st.none() | st.sampled_from([0.0, 1.0, 2.0]), min_size=11, max_size=11))
def test_stretches_are_in_order_and_never_overlap(values: list[float | None]) -> None:
    found = list(stretches(values, QUERY))
    assert all(begin <= end <= QUERY.end for begin, end, _ in found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    assert sum(value is not None for value in values) >= len(found)
