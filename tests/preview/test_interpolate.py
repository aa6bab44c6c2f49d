"""Dollars in queries, steps and times, as Grafana has them."""

import pytest

from preview.interpolate import NoTime, Variable, expression, seconds_ago, step, title

KNOWN = {"pvc": Variable("pvc", "Claim", ("a.b", "c")), "datasource": Variable("datasource", "Prometheus", asks=False)}


def test_all_is_what_the_dashboard_says_it_is() -> None:
    assert expression('up{pvc=~"$pvc"} ${pvc} [[pvc]]', KNOWN, {}, 3600, 60) == 'up{pvc=~".*"} .* .*'


def test_one_value_is_taken_by_its_letters() -> None:
    assert expression('up{pvc=~"$pvc"}', KNOWN, {"pvc": "a.b"}, 3600, 60) == r'up{pvc=~"a\\.b"}'


def test_grafanas_own_variables() -> None:
    written = "rate(x[$__rate_interval]) $__interval $__range $__range_s"
    assert expression(written, {}, {}, 21_600, 60) == "rate(x[240s]) 60s 21600s 21600"
    assert expression("[$__rate_interval]", {}, {}, 604_800, 600) == "[660s]"


def test_what_is_not_known_stays_for_prometheus_to_complain_about() -> None:
    assert expression("$nothing", KNOWN, {}, 60, 60) == "$nothing"


@pytest.mark.parametrize(
    ("length", "width", "seconds"), [(21_600, 466, 60), (21_600, 1400, 15), (604_800, 466, 1200), (60, 1000, 15)]
)
def test_a_step_is_a_round_number_of_seconds_per_pixel(length: int, width: int, seconds: int) -> None:
    assert step(length, width) == seconds


def test_titles() -> None:
    assert title("Cluster $pvc", {"pvc": "c"}, KNOWN) == "Cluster c"
    assert title("Cluster $pvc", {}, KNOWN) == "Cluster All"


def test_times() -> None:
    assert [seconds_ago(text) for text in ("now", "now-6h", "now-7d", "now-1w")] == [0, 21_600, 604_800, 604_800]
    with pytest.raises(NoTime, match="no time now/d"):
        seconds_ago("now/d")
