"""The list of the chart's alerts that ours replace: every name on it exists, and no fault is told by nobody."""

from pathlib import Path

from alerts._chart import REPLACED
from alerts._render import catalogue, limit_types
from homelab.inventory import load

ROOT = Path(__file__).parents[2]
CHART = {
    line for line in (Path(__file__).parent / "chart_alerts.txt").read_text().splitlines() if not line.startswith("#")
}
OURS = {
    alert.name
    for group in catalogue(load(ROOT / "homelab.yaml", limit_types()).clusters["production"])
    for alert in group.alerts
}
OFF = [name for entry in REPLACED for name in entry.chart]


def test_every_replaced_alert_is_one_of_the_chart_and_stands_there_once() -> None:
    """A misspelt name would switch nothing off, and the fault would be told twice."""
    assert set(OFF) <= CHART, sorted(set(OFF) - CHART)
    assert len(OFF) == len(set(OFF)), sorted(name for name in OFF if OFF.count(name) > 1)


def test_every_replacement_exists() -> None:
    """An alert of ours that is renamed must not leave the chart's one switched off for nothing."""
    named = {name for entry in REPLACED for name in entry.ours}
    assert named <= OURS, sorted(named - OURS)


def test_no_alert_of_ours_has_the_name_of_one_that_stays_on() -> None:
    """A name is what people silence and look up; two rules of one name cannot be told apart."""
    assert not (OURS & CHART) - set(OFF)


def test_every_entry_gives_its_reason() -> None:
    """What is switched off without a word is switched on again by the next person."""
    for entry in REPLACED:
        assert entry.chart
        assert entry.why
