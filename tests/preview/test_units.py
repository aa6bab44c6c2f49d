"""Numbers in units, as Grafana writes them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preview import units
from preview.units import NoUnit, known, text

NUMBERS = [name for name in known() if not name.startswith(("bool", "dateTime"))]
NOW = 1_772_632_800


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (0, "s", "0 s"),
        (0.0023, "s", "2.30 ms"),
        (45, "s", "45 s"),
        (5400, "s", "1.50 hour"),
        (1e6, "s", "1.65 week"),
        (9300, "dtdurations", "2 hours"),
        (60, "dtdurations", "1 minute"),
        (-60, "dtdurations", "1 minute ago"),
        (0, "dtdurations", "0 seconds"),
        (0.3421, "percentunit", "34.2%"),
        (1, "percentunit", "100%"),
        (5_368_709_120, "bytes", "5 GiB"),
        (1023, "bytes", "1023 B"),
        (90_000, "Bps", "90 kB/s"),
        (1_900_000, "ns", "1.90 ms"),
        (3, "short", "3"),
        (1.5, "short", "1.50"),
        (12_345, "short", "12.3 K"),
        (46.31, "celsius", "46.3 °C"),
        (9, "iops", "9 io/s"),
        (1500, "reqps", "1.50K req/s"),
        (3100, "rotrpm", "3100 rpm"),
        (0.85, "volt", "850 mV"),
        (12, "watt", "12 W"),
        (-2048, "bytes", "-2 KiB"),
        (1, "bool_yes_no", "Yes"),
        (math.nan, "short", "NaN"),
        (-math.inf, "s", "-∞"),
        ((NOW - 3 * 86_400) * 1000, "dateTimeFromNow", "3 days ago"),
        ((NOW + 5375) * 1000, "dateTimeFromNow", "in an hour"),
        (NOW * 1000, "dateTimeAsIso", "2026-03-04 14:00:00"),
    ],
)
def test_a_value_in_its_unit(value: float, unit: str, written: str) -> None:
    assert text(value, unit, now=NOW) == written


def test_decimals_are_kept_where_they_are_said() -> None:
    assert text(1.005, "s", decimals=1) == "1.0 s"
    assert text(9300, "dtdurations", decimals=1) == "2 hours, 35 minutes"


def test_an_unknown_unit_is_a_mistake() -> None:
    with pytest.raises(NoUnit, match="no unit parsecs; the preview knows"):
        text(1, "parsecs")


@given(st.floats(), st.sampled_from(known()), st.none() | st.integers(0, 4))
def test_any_number_has_a_text(value: float, unit: str, decimals: int | None) -> None:
    assert text(value, unit, decimals=decimals, now=NOW)


@given(st.floats(-1e15, 1e15), st.sampled_from(NUMBERS))
def test_the_sign_is_told(value: float, unit: str) -> None:
    written = text(value, unit)
    below = written.startswith("-") or written.endswith(" ago")
    assert value < 0 if below else value >= 0 or not any(digit in written for digit in "123456789")


@given(
    st.floats(1e-6, 1e14), st.sampled_from([n for n in NUMBERS if n not in ("dtdurations", "dthms", "none", "celsius")])
)
def test_a_larger_number_needs_no_more_room(value: float, unit: str) -> None:
    """Sizes change before digits pile up: a tile has only so much room."""
    if unit in ("percent", "percentunit", "rotrpm") and value > 1e5:  # these have no larger sizes
        return
    digits = text(value, unit).split(" ")[0].rstrip("%KMBT")
    assert len(digits) <= 8 + (value < 1e-3) * 6


@given(st.lists(st.floats(0, 1e12), min_size=2, max_size=2).map(sorted), st.sampled_from(["s", "bytes", "short"]))
def test_of_two_numbers_the_larger_one_reads_larger(pair: list[float], unit: str) -> None:
    def magnitude(value: float) -> float:
        number, _, size = text(value, unit).partition(" ")
        factors = {"s": units.spans._SIZES, "bytes": None, "short": None}[unit]
        if factors:
            return float(number) * next(factor for _, factor, name in factors if name == size)
        order = ["B", "KiB", "MiB", "GiB", "TiB"] if unit == "bytes" else ["", "K", "Mil", "Bil", "Tri"]
        return float(number) * (1024 if unit == "bytes" else 1000) ** order.index(size)

    low, high = map(magnitude, pair)
    assert low <= high * 1.01  # 999.9 is written 1000 before the next size begins
