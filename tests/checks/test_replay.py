"""The replay can tell a caught outage from a missed one, and leaves out only rules that could not have differed."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import replay
from checks.cluster import Series, selects, sorted_labels
from checks.incident import AlertSelector, AtMost, Condition, Expect, Incident, Time
from checks.outcome import Firing, Outcome, judge
from checks.replay import Played, main
from checks.stage import Rule, Stage, Unknown, healthy_runs, picked, selected, stage, touched
from checks.timeline import read
from homelab.query import parse, selectors

ROOT = Path(__file__).parents[2]


# --- a made-up cluster ----------------------------------------------------------------------------------------------


def alert(name: str, expr: str, severity: str = "warning", **more: Any) -> Rule:
    """A rule of the made-up cluster."""
    spec = {"alert": name, "expr": expr, "labels": {"severity": severity}, **more}
    return Rule("disks", spec, tuple(selectors(parse(expr))))


def record(name: str, expr: str) -> Rule:
    """A recording rule."""
    return Rule("disks", {"record": name, "expr": expr}, tuple(selectors(parse(expr))))


def series(words: str, **labels: str) -> Series:
    """One of its series."""
    return Series(sorted_labels({"__name__": labels.pop("name"), **labels}), (), read(words), "disks")


HEALTHY = [
    series("50", name="disk_used", disk="a"),
    series("60", name="disk_used", disk="b"),
    series("1", name="up", job="disks"),
    series("0 +1/m", name="backups_total", disk="a"),
]
FULL = alert("DiskFull", "disk_used > 90", **{"for": "2m"})
WRITABLE = alert("DiskReadOnly", "disk_read_only > 0", "critical")
OUTAGE = Incident(
    id="DK-01",
    title="A disk fills",
    story="Logs are not rotated.",
    end=Time(3600),
    fault=Time(600),
    recovery=Time(2400),
    expect=Expect(Time(1200), "warning", (re.compile("^a$"),), Time(2700)),
    quiet=(Condition((Time(540), Time(1200)), AlertSelector('{disk="b"}'), "the neighbour"),),
    changes={'disk_used{disk="a"}': read("baseline until 10m, 95 until 40m, baseline")},
    subsystem="disks",
)


def played(*rules: Rule, incident: Incident = OUTAGE, shifted: bool = False) -> Outcome:
    """The incident in the made-up cluster with these rules, by the real promtool."""
    return Stage(rules, HEALTHY, [incident]).replay(incident, shifted=shifted)


def changed(**fields: Any) -> Incident:
    """The outage with something else about it."""
    return dataclasses.replace(OUTAGE, **fields)


# --- verdicts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shifted", [False, True])
def test_a_caught_outage_has_no_problem(shifted: bool) -> None:  # noqa: FBT001
    """With who noticed it, when, and when it was over."""
    outcome = played(FULL, WRITABLE, shifted=shifted)
    assert outcome.problems == ()
    assert (outcome.names, outcome.pages) == (["DiskFull"], 0)
    assert (outcome.noticed, outcome.cleared) == ((780, 2460) if shifted else (720, 2400))
    labels = {"alertname": "DiskFull", "severity": "warning", "disk": "a"}
    assert outcome.firing[1200] == [labels]
    assert outcome.firing[540] == []
    assert list(outcome.firing) == list(range(0, 3601, 60))


def test_an_outage_without_its_rule_is_missed() -> None:
    """A rule deleted, or one that misspells its metric, looks the same: nothing fires."""
    for rules in ([], [alert("DiskFull", "disk_usage > 90")], [alert("DiskFull", "disk_used > 99")]):
        outcome = played(WRITABLE, *rules)
        assert outcome.problems == ("missed: nothing that names it fires at 20m; there is none",)
        assert (outcome.noticed, outcome.cleared, outcome.names, outcome.pages) == (None, None, [], 0)


def test_an_alert_that_names_something_else_does_not_count() -> None:
    """Nor one that is not severe enough; but they are told."""
    assert played(alert("DisksFull", "max(disk_used) > 90")).problems == (
        "missed: nothing that names it fires at 20m; there is DisksFull",
    )
    critical = changed(expect=dataclasses.replace(OUTAGE.expect, severity="critical"))
    assert played(FULL, incident=critical).problems == (
        "missed: nothing that names it fires at 20m; there is DiskFull",
    )
    assert played(alert("DiskFull", "disk_used > 90", "info")).problems == (
        "missed: nothing that names it fires at 20m; there is none",
    )


def test_an_alert_that_comes_too_late_is_a_miss() -> None:
    """It must fire at the time given, not some day."""
    outcome = played(alert("DiskFull", "disk_used > 90", **{"for": "15m"}))
    assert outcome.problems == ("missed: nothing that names it fires at 20m; there is none",)
    assert (outcome.noticed, outcome.names) == (1500, ["DiskFull"])


def test_an_alert_that_stays_after_the_repair_is_a_late_clear() -> None:
    """An operator who mended it would go on looking."""
    outcome = played(alert("DiskFull", "max_over_time(disk_used[10m]) > 90"))
    assert outcome.problems == ("late clear: DiskFull at 45m",)
    assert outcome.cleared == 3000
    assert played(alert("DiskFull", "max_over_time(disk_used[2h]) > 90")).cleared is None


def test_an_alert_about_a_healthy_neighbour_is_a_false_alarm() -> None:
    """With the reason why it must not fire."""
    outcome = played(FULL, alert("DiskFilling", "disk_used >= 60 and on () disk_used > 90"))
    assert outcome.problems == ("false alarm at 20m (the neighbour): DiskFilling",)
    assert outcome.names == ["DiskFilling", "DiskFull"]


def test_a_condition_that_must_fire_is_a_miss_where_it_does_not() -> None:
    """For what is expected besides."""
    must = changed(firing=(Condition((Time(1200), Time(1260)), AlertSelector('{disk="b"}'), "it fills too"),), quiet=())
    assert played(FULL, incident=must).problems == (
        'missed: no {disk="b"} at 20m (it fills too)',
        'missed: no {disk="b"} at 21m (it fills too)',
    )


def test_one_cause_with_many_alerts_is_a_page_storm() -> None:
    """Each of them is told."""
    storm = [alert(f"Disk{number}", "disk_used > 90", "critical") for number in range(3)]
    few = changed(at_most=(AtMost((Time(1200),), 2, AlertSelector('{severity="critical"}'), "one cause"),))
    assert played(*storm[:2], incident=few).problems == ()
    outcome = played(*storm, incident=few)
    assert outcome.problems == ("page storm at 20m (one cause): 3, not 2: Disk0, Disk1, Disk2",)
    assert outcome.pages == 3


def test_a_rule_on_the_edge_of_a_range_depends_on_the_scrape() -> None:
    """Three samples fit into two minutes only where the scrape and the evaluation fall together."""
    edge = alert("DiskFull", "count_over_time(disk_used[2m]) >= 3 and disk_used > 90")
    plain, shifted = played(edge), played(edge, shifted=True)
    assert plain.problems == ()
    assert shifted.problems == ("missed: nothing that names it fires at 20m; there is none",)
    both = Played(plain, shifted)
    assert both.row().split()[-4:] == ["DEPENDS", "ON", "THE", "SCRAPE"]
    assert both.problems == [f"with samples half a step later: {shifted.problems[0]}"]
    assert Played(shifted, shifted).verdict == "FAILED"
    assert Played(shifted, shifted).problems == list(shifted.problems)
    assert (Played(plain, None).verdict, Played(plain, plain).verdict) == ("ok", "ok")


def test_a_healthy_run_is_as_long_as_any_incident_and_quiet_throughout() -> None:
    """One for each interval, so that every moment of every story has its healthy twin."""
    slow = changed(interval=Time(300), end=Time(7200))
    minutes, fives = healthy_runs([OUTAGE, slow, changed(end=Time(1200))])
    assert [(run.id, run.interval, run.end) for run in (minutes, fives)] == [
        ("healthy-1m", 60, 3600),
        ("healthy-5m", 300, 7200),
    ]
    assert fives.quiet[0].at == tuple(range(0, 7201, 300))
    assert played(FULL, incident=fives).problems == ()
    noisy = played(FULL, alert("DiskUsed", "disk_used{disk='b'} > 50"), incident=fives)
    assert noisy.problems[0] == "false alarm at 0m (nothing is wrong): DiskUsed"
    assert len(noisy.problems) == 25


# --- what an outcome says, without promtool -------------------------------------------------------------------------


def firing(*alerts: tuple[int, str, str, str]) -> Firing:
    """Alerts as (time, name, severity, disk), and nothing at the other steps."""
    found: dict[int, list[dict[str, str]]] = {at: [] for at in range(0, 3601, 60)}
    for at, name, severity, disk in alerts:
        found[at].append({"alertname": name, "severity": severity, "disk": disk})
    return found


def outcome_of(*alerts: tuple[int, str, str, str]) -> Outcome:
    """The outcome of the made-up outage."""
    return Outcome(OUTAGE, firing(*alerts), tuple(judge(OUTAGE, firing(*alerts))))


def test_names_come_in_order_of_appearance_but_first_those_that_count() -> None:
    """What fired before the fault, or below warning, is none of them."""
    said = outcome_of(
        (540, "Before", "critical", "a"),
        (600, "Neighbour", "critical", "b"),
        (660, "Whisper", "info", "a"),
        (660, "Second", "warning", "a"),
        (720, "First", "critical", "a"),
        (720, "Neighbour", "critical", "b"),
    )
    assert said.names == ["Second", "First", "Neighbour"]
    assert said.noticed == 660
    assert said.cleared == 780


def test_every_beginning_of_a_critical_alert_is_a_page() -> None:
    """Two disks are two, one that flaps counts again, one that stays does not, and a warning is none."""
    said = outcome_of(
        (600, "Gone", "critical", "a"),
        (600, "Gone", "critical", "b"),
        (660, "Gone", "critical", "a"),
        (780, "Gone", "critical", "a"),
        (780, "Slow", "warning", "a"),
    )
    assert said.pages == 3


def test_an_outage_that_fires_to_the_end_never_cleared() -> None:
    """Nobody saw it end."""
    assert outcome_of((3540, "Gone", "warning", "a")).cleared == 3600
    assert outcome_of((3600, "Gone", "warning", "a")).cleared is None
    assert outcome_of((600, "Gone", "warning", "b")).cleared is None


# --- what need not be evaluated -------------------------------------------------------------------------------------

NAMES = st.sampled_from(["disk_used", "up", "disk_read_only"])
LABELS = st.dictionaries(st.sampled_from(["disk", "job"]), st.sampled_from(["a", "b"]), max_size=2)
MATCHERS = st.lists(
    st.builds('{}{}"{}"'.format, st.sampled_from(["disk", "job"]), st.sampled_from(["=", "!=", "=~", "!~"]),
              st.sampled_from(["", "a", "b", "a|b", ".+"])),
    max_size=2,
).map(", ".join)  # fmt: skip
SELECTORS = st.one_of(
    st.builds("{}{{{}}}".format, NAMES, MATCHERS),
    st.builds('{{__name__=~"{}.*", {}}}'.format, NAMES, MATCHERS),
)
EXPRESSIONS = st.one_of(SELECTORS, st.builds("sum({}) > sum(rate({}[5m] offset 1h))".format, SELECTORS, SELECTORS))
SERIES = st.builds(lambda name, labels: series("1", name=name, **labels), NAMES, LABELS)


@settings(deadline=None)
@given(st.lists(EXPRESSIONS, max_size=5), st.lists(SERIES, max_size=4))
def test_a_rule_is_left_out_only_if_it_selects_nothing_that_changed(texts: list[str], different: list[Series]) -> None:
    """Whatever was added, removed or changed: a rule that could see it is evaluated, and no other."""
    rules = [alert(f"Alert{number}", text) for number, text in enumerate(texts)]
    sees = [rule for rule in rules if any(selects_named(chosen, one) for chosen in rule.selectors for one in different)]
    assert touched(rules, different) == sees


def selects_named(chosen: Any, one: Series) -> bool:
    """Whether the selector, by its name and its matchers, selects the series."""
    return chosen.name in (None, one.named["__name__"]) and selects(chosen, one.named)


@settings(deadline=None)
@given(st.lists(EXPRESSIONS, max_size=5), st.lists(SERIES, max_size=6))
def test_exactly_the_series_that_a_rule_selects_are_played(texts: list[str], cluster: list[Series]) -> None:
    """The others would cost time and show nothing."""
    rules = [alert(f"Alert{number}", text) for number, text in enumerate(texts)]
    chosen = [one for one in cluster if any(selects_named(s, one) for rule in rules for s in rule.selectors)]
    assert selected(rules, cluster) == chosen


def names(rules: Sequence[Rule]) -> list[str]:
    """Of alerts and recordings."""
    return [rule.spec.get("alert") or rule.spec["record"] for rule in rules]


def test_whoever_reads_what_was_recorded_from_a_change_sees_the_change() -> None:
    """Through any number of recordings, in whatever order they stand; what is read comes along, the rest does not."""
    rules = [
        alert("Reads", "disk:worst > expected"),
        record("disk:worst", "max(disk:used)"),
        record("disk:used", "disk_used / 100"),
        record("expected", "vector(3) + more"),
        record("more", "vector(0)"),
        alert("Other", "count(up) < 1"),
        alert("AnyRecorded", '{__name__=~"disk:.+"} > 90'),
    ]
    used = [one for one in HEALTHY if one.named["__name__"] == "disk_used"]
    up = [one for one in HEALTHY if one.named["__name__"] == "up"]
    assert names(touched(rules, used)) == ["Reads", "disk:worst", "disk:used", "expected", "more", "AnyRecorded"]
    assert names(touched(rules, up)) == ["Other"]


def test_a_rule_about_nothing_is_never_left_out_and_one_about_alerts_leaves_none_out() -> None:
    """The Watchdog selects no series; what reads ALERTS reads every other rule."""
    watchdog = alert("Watchdog", "vector(1)")
    assert names(touched([watchdog, FULL], [])) == ["Watchdog"]
    meta = alert("TooMany", 'count(ALERTS{severity="critical"}) > 5')
    assert names(touched([watchdog, FULL, meta], [])) == ["Watchdog", "DiskFull", "TooMany"]


@pytest.fixture(scope="session")
def real() -> Stage:
    """The rules of production and the incidents of this checkout."""
    return stage(ROOT)


@pytest.mark.parametrize("name", ["LH-04", "ET-11", "IN-01", "ML-01", "PG-12", "PI-09"])
def test_leaving_rules_out_changes_nothing_that_fires(real: Stage, name: str) -> None:
    """The same alerts at every step as with every rule on every series, for an incident of each of some subsystems."""
    (incident,) = picked(real.incidents, [name])
    some, everything = real.replay(incident), real.replay(incident, whole=True)
    assert any(some.firing.values())
    for at in everything.firing:
        assert labels(some.firing[at]) == labels(everything.firing[at]), f"at {at} s"


def labels(alerts: Sequence[Any]) -> list[list[tuple[str, str]]]:
    """In an order that does not depend on that of the groups."""
    return sorted(sorted(one.items()) for one in alerts)


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> list[Rule]:
    """What `python -m checks.replay` finds: the made-up cluster with these rules."""
    rules = [FULL, WRITABLE]
    other = changed(id="DK-02", subsystem="tapes", title="Again")
    monkeypatch.setattr(replay, "stage", lambda cluster: Stage(rules, HEALTHY, [OUTAGE, other]))  # noqa: ARG005
    return rules


@pytest.mark.usefixtures("scene")
def test_the_table_has_a_row_per_incident_and_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    """The healthy run first; what noticed it, how long after the fault, pages, how long after the repair it ended."""
    assert main([]) == 0
    head, healthy, first, second, last = capsys.readouterr().out.splitlines()
    assert re.split("  +| (?=pages)", head) == [
        *("incident", "what fired, and how many others", "after", "pages", "cleared", "verdict")
    ]
    assert healthy.split() == ["healthy-1m", "-", "0", "ok"]
    assert first.split() == ["DK-01", "DiskFull", "2m", "0", "0m", "ok"]
    assert second.split() == ["DK-02", *first.split()[1:]]
    assert last == "3 of 3 as they must be"


@pytest.mark.usefixtures("scene")
@pytest.mark.parametrize(
    ("only", "ids"),
    [
        (["DK-02"], ["DK-02"]),
        (["disks"], ["DK-01"]),
        (["healthy"], ["healthy-1m"]),
        (["tapes", "DK-01"], ["DK-01", "DK-02"]),
    ],
)
def test_incidents_are_picked_by_id_or_subsystem(
    capsys: pytest.CaptureFixture[str], only: list[str], ids: list[str]
) -> None:
    """`--json` gives one object per line, and nothing else."""
    assert main(["--json", *only]) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == ids


@pytest.mark.usefixtures("scene")
def test_json_says_what_the_table_says(capsys: pytest.CaptureFixture[str]) -> None:
    """In seconds from the start of the story."""
    assert main(["--json", "--once", "DK-01"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "id": "DK-01",
        "subsystem": "disks",
        "fired": ["DiskFull"],
        "fault_seconds": 600,
        "noticed_seconds": 720,
        "cleared_seconds": 2400,
        "pages": 0,
        "verdict": "ok",
        "problems": [],
    }


def test_a_rule_made_blind_ends_with_exit_1(scene: list[Rule], capsys: pytest.CaptureFixture[str]) -> None:
    """Each problem once below its row, though both runs have it."""
    scene[0] = alert("DiskFull", "disk_usage > 90")
    assert main(["DK-01"]) == 1
    _, row, problem, last = capsys.readouterr().out.splitlines()
    assert row.split() == ["DK-01", "-", "0", "FAILED"]
    assert problem == "    missed: nothing that names it fires at 20m; there is none"
    assert last == "0 of 1 as they must be"


def test_the_scrape_on_which_a_verdict_depends_is_told(scene: list[Rule], capsys: pytest.CaptureFixture[str]) -> None:
    """And it fails: half of all clusters would miss the outage."""
    scene[0] = alert("DiskFull", "count_over_time(disk_used[2m]) >= 3 and disk_used > 90")
    assert main(["--once", "DK-01"]) == 0
    assert main(["DK-01"]) == 1
    row, problem = capsys.readouterr().out.splitlines()[-3:-1]
    assert row.endswith("  DEPENDS ON THE SCRAPE")
    assert problem.startswith("    with samples half a step later: missed: ")


@pytest.mark.usefixtures("scene")
def test_an_unknown_id_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2: nothing was played."""
    assert main(["DK-1"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("no incident or subsystem DK-1; did you mean DK-0")


def test_an_unknown_cluster_is_answered_with_the_nearest() -> None:
    """It is a name of homelab.yaml."""
    with pytest.raises(Unknown, match=r"^homelab\.yaml has no cluster produktion; did you mean production\? There is"):
        stage(ROOT, "produktion")


def test_an_input_that_cannot_be_used_ends_with_exit_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line per mistake."""
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert capsys.readouterr().err == "homelab.yaml: cannot be read: No such file or directory\n"


@pytest.mark.usefixtures("scene")
def test_without_promtool_nothing_is_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, with the line that installs it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["DK-01"]) == 2
    assert capsys.readouterr().err.startswith("promtool is not on PATH; ")


def test_a_real_rule_made_blind_misses_its_outage(
    real: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same incident with production's rules, and with one of them asking for another metric."""
    monkeypatch.setattr(replay, "stage", lambda cluster: real)  # noqa: ARG005
    assert main(["LH-04"]) == 0
    blind = [
        rule if rule.spec.get("alert") != "LonghornNodeNotReady" else alert("LonghornNodeNotReady", "longhorn_nod == 0")
        for rule in real.rules
    ]
    assert blind != real.rules
    monkeypatch.setattr(replay, "stage", lambda cluster: dataclasses.replace(real, rules=blind))  # noqa: ARG005
    assert main(["LH-04"]) == 1
    assert "missed: nothing that names it fires at 30m" in capsys.readouterr().out
