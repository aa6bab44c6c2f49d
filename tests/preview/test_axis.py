"""The scale beside a graph."""

from hypothesis import given
from hypothesis import strategies as st

from preview.axis import scale
from preview.fields import Field


def test_ticks_are_round_in_their_unit() -> None:
    assert scale([0, 5.0e9], Field(unit="bytes", least=0), 4, 0).texts == ["0 B", "2 GiB", "4 GiB", "6 GiB"]
    assert scale([0, 36_000], Field(unit="s", least=0), 4, 0).texts == ["0 s", "4 hour", "8 hour", "12 hour"]
    assert scale([0.2], Field(unit="percentunit", least=0, most=1), 4, 0).texts == ["0%", "25%", "50%", "75%", "100%"]


@given(
    st.lists(st.floats(-1e12, 1e12), max_size=20),
    st.sampled_from(["short", "s", "bytes", "percentunit", "ns", "celsius", "dtdurations"]),
    st.integers(2, 6),
)
def test_every_value_is_on_the_scale_and_every_tick_too(values: list[float], unit: str, count: int) -> None:
    found = scale(values, Field(unit=unit), count, 0)
    room = 1e-6 * (found.high - found.low)
    assert found.low < found.high
    assert all(found.low - room <= value <= found.high + room for value in values)
    assert all(found.low - room <= tick <= found.high + room for tick in found.ticks)
    assert len(found.ticks) == len(found.texts) <= 4 * count + 2
