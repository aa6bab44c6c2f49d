"""incidents/ is read without a doubt: a change is of exactly the series meant, and every mistake names its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.cluster import Series, baseline, selector, selects, series_named, spell
from checks.incident import Incident, compose
from checks.incidents import load
from checks.timeline import BadWords, always, read
from homelab.parse import Invalid

BASELINE = """\
cnpg:
  - targets: [{job: cnpg, pod: pg-1}, {job: cnpg, pod: pg-2}]
    series:
      up: 1
      'backups{mode=~"daily|weekly"}': 10 +1/m
longhorn:
  - targets: [{job: longhorn, pod: lh-1}]
    series:
      up: 1
      'robustness{volume="data", state="healthy"}': 1
      'robustness{volume="data", state=~"degraded|faulted"}': 0
"""
INCIDENT = """\
- id: PG-01
  title: Backups stop
  story: The bucket is full.
  end: 1h
  fault: 10m
  recovery: 40m
  expect: {by: 30m, severity: warning, names: [pg-1], cleared: 50m}
  quiet:
    - {at: 9m, alerts: '{severity=~"warning|critical"}', why: before the fault}
  changes:
    backups: baseline until 10m, 20
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """incidents/ with a small healthy cluster and one outage."""
    folder = tmp_path / "incidents"
    folder.mkdir()
    (folder / "_baseline.yaml").write_text(BASELINE)
    (folder / "cnpg.yaml").write_text(INCIDENT)
    return folder


def refused(call: Callable[[], object]) -> list[str]:
    """The lines that an operator sees."""
    with pytest.raises(Invalid) as caught:
        call()
    return str(caught.value).splitlines()


def changed(text: str, old: str, new: str) -> str:
    """The text with one place changed, which must be there once."""
    assert text.count(old) == 1
    return text.replace(old, new)


# --- the healthy cluster --------------------------------------------------------------------------------------------


def test_every_target_exposes_every_series_of_its_entry(folder: Path) -> None:
    """A list of label values is a series each; the labels that a scrape attaches are remembered apart."""
    healthy = baseline(folder)
    assert [spell(series.labels) for series in healthy] == [
        'up{job="cnpg", pod="pg-1"}',
        'up{job="cnpg", pod="pg-2"}',
        'backups{job="cnpg", mode="daily", pod="pg-1"}',
        'backups{job="cnpg", mode="weekly", pod="pg-1"}',
        'backups{job="cnpg", mode="daily", pod="pg-2"}',
        'backups{job="cnpg", mode="weekly", pod="pg-2"}',
        'up{job="longhorn", pod="lh-1"}',
        'robustness{job="longhorn", pod="lh-1", state="healthy", volume="data"}',
        'robustness{job="longhorn", pod="lh-1", state="degraded", volume="data"}',
        'robustness{job="longhorn", pod="lh-1", state="faulted", volume="data"}',
    ]
    assert healthy[2].target == (("job", "cnpg"), ("pod", "pg-1"))
    assert (healthy[2].subsystem, healthy[2].values) == ("cnpg", read("10 +1/m"))


DAILY_OR_WEEKLY = 'backups{mode=~"daily|weekly"}'


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("10 +1/m", "rising", 5, 'no value "rising"; there is 3.5, '),
        (
            "10 +1/m",
            "baseline until 5m, 1",
            5,
            "`baseline` means nothing here: there is no other series below this one",
        ),
        ("10 +1/m", "[1, 2]", 5, "must be text, found a list"),
        (DAILY_OR_WEEKLY, 'backups{mode!="a"}', 5, '"backups{mode!="a"}" must name series: a metric, and each label'),
        (DAILY_OR_WEEKLY, 'backups{mode="a", mode="b"}', 5, '"backups{mode="a", mode="b"}" must name series: a metric'),
        (
            DAILY_OR_WEEKLY,
            '{mode="a"}',
            5,
            '"{mode="a"}" must name series: a metric, and each label once with = or, for',
        ),
        (
            DAILY_OR_WEEKLY,
            "rate(a[5m])",
            5,
            'no plain selector "rate(a[5m])"; there is name{label="value", other=~"a|b"}',
        ),
        (DAILY_OR_WEEKLY, "backups{", 5, 'no selector "backups{": '),
        (DAILY_OR_WEEKLY, 'backups{pod="x"}', 5, "its target has pod already"),
        ("[{job: longhorn, pod: lh-1}]", "[]", 7, "needs a target: no scrape, no series"),
        ("[{job: longhorn, pod: lh-1}]", "lh-1", 7, 'must be a list, found "lh-1"'),
        (
            "targets: [{job: l",
            "target: [{job: l",
            7,
            "no key named target; did you mean targets? There is series, targets",
        ),
        (
            'state="healthy"',
            'state="faulted"',
            11,
            'robustness{job="longhorn", pod="lh-1", state="faulted", volume="data"} is',
        ),
    ],
)
def test_a_mistake_in_the_baseline_names_its_line(folder: Path, old: str, new: str, line: int, message: str) -> None:
    """file:line [place]: what was found and what is allowed."""
    (folder / "_baseline.yaml").write_text(changed(BASELINE, old, new))
    said = [re.sub(r" \[.*?\]: ", ": ", one, count=1) for one in refused(lambda: baseline(folder))]
    assert any(one.startswith(f"incidents/_baseline.yaml:{line}") and message in one for one in said), said


def test_a_series_that_is_there_twice_is_told(folder: Path) -> None:
    """promtool would refuse it much later, and without a line."""
    (folder / "_baseline.yaml").write_text(BASELINE + "      up{}: 2\n")
    assert refused(lambda: baseline(folder)) == [
        'incidents/_baseline.yaml:12 [longhorn[0].series.up{}]: up{job="longhorn", pod="lh-1"} is there twice'
    ]


def test_several_mistakes_of_the_baseline_are_told_at_once(folder: Path) -> None:
    """Nobody wants to mend a file line by line."""
    text = changed(changed(BASELINE, "10 +1/m", "rising"), 'state="healthy"', "state")
    (folder / "_baseline.yaml").write_text(text)
    said = refused(lambda: baseline(folder))
    assert [line.split(" [")[0] for line in said] == [f"incidents/_baseline.yaml:{line}" for line in (5, 10)]


def test_a_baseline_that_is_missing_empty_or_no_table_is_one_line(folder: Path) -> None:
    """Without it no story can be told."""
    file = folder / "_baseline.yaml"
    file.write_text("- a list\n")
    assert refused(lambda: baseline(folder)) == ["incidents/_baseline.yaml:1: must be a table of keys, found a list"]
    file.write_text("# nothing yet\n")
    assert refused(lambda: baseline(folder)) == ["incidents/_baseline.yaml: is empty"]
    file.unlink()
    assert refused(lambda: baseline(folder)) == ["incidents/_baseline.yaml: cannot be read: No such file or directory"]


# --- names and selectors --------------------------------------------------------------------------------------------


def test_a_series_is_named_as_promql_does() -> None:
    """With escapes undone: a list stands for alternatives, not for a pattern."""
    assert series_named('a{b="x\\"y", c=~"1\\\\.5|2"}') == [
        {"__name__": "a", "b": 'x"y', "c": "1.5"},
        {"__name__": "a", "b": 'x"y', "c": "2"},
    ]
    assert series_named('{__name__=~"a|b"}') == [{"__name__": "a"}, {"__name__": "b"}]


@pytest.mark.parametrize(
    ("text", "admits"),
    [
        ("up", True),
        ('up{job="cnpg"}', True),
        ('up{job=~"cn.*", pod!~"lh-.+"}', True),
        ('{job="cnpg"}', True),
        ('up{zone=""}', True),
        ('up{zone!="a"}', True),
        ('up{job=~"cn"}', False),
        ('down{job="cnpg"}', False),
        ('up{zone=~".+"}', False),
    ],
)
def test_a_selector_selects_as_in_prometheus(text: str, admits: bool) -> None:  # noqa: FBT001
    """Patterns match from end to end, and a label that is not there is empty."""
    assert selects(selector(text), {"__name__": "up", "job": "cnpg", "pod": "pg-1"}) == admits


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(["up", "{", "}", "a", "=", "=~", '"', "b|c", ",", "[5m]", "("])).map("".join),
    )
)
def test_any_text_is_a_selector_or_bad_words(text: str) -> None:
    """No other error, whatever an operator types."""
    try:
        series_named(text)
    except BadWords:
        return


# --- reading incidents ----------------------------------------------------------------------------------------------


def test_an_incident_is_read_with_its_subsystem_from_the_file(folder: Path) -> None:
    """Times in seconds, one time for a list of one, patterns compiled, the word `subsystem` over the file's name."""
    (folder / "healthy_odd.yaml").write_text(
        "- {id: H-1, title: t, story: s, end: 10h, interval: 5m, subsystem: longhorn,"
        " quiet: [{at: [5m, 1h], alerts: '{}', why: w}]}\n"
    )
    outage, odd = load(folder, baseline(folder))
    assert (outage.id, outage.subsystem, outage.interval, outage.end) == ("PG-01", "cnpg", 60, 3600)
    assert (outage.fault, outage.recovery, outage.quiet[0].at) == (600, 2400, (540,))
    assert outage.expect
    assert (outage.expect.by, outage.expect.cleared, outage.expect.names) == (1800, 3000, (re.compile("pg-1"),))
    assert (odd.subsystem, odd.interval, odd.expect, odd.quiet[0].at) == ("longhorn", 300, None, (300, 3600))


EXPECT = "  expect: {by: 30m, severity: warning, names: [pg-1], cleared: 50m}\n"
LOUD = 'severity=~"warning|critical"'
BOTH = "what breaks (fault) must be noticed (expect): give both or, for a healthy situation, neither"
EVEN = "must be an even number of seconds: every story is also played with samples half of it later"


@pytest.mark.parametrize(
    ("old", "new", "line", "place", "message"),
    [
        (
            "recovery: 40m",
            "repaired: 40m",
            6,
            "",
            "no key named repaired; there is at_most, changes, end, expect, fault",
        ),
        ("  title: Backups stop\n", "", 1, "", "title is missing"),
        ("end: 1h", "end: an hour", 4, ".end", 'no time "an hour"; there is 45m, 1h30m, 2d and so on'),
        ("end: 1h", "end: 1h\n  interval: 7m", 4, ".end", "must be a multiple of the interval, 7m"),
        ("end: 1h", "end: 1h\n  interval: 15s", 5, ".interval", EVEN),
        ("end: 1h", "end: 1h\n  interval: 0m", 5, ".interval", EVEN),
        # times that cannot be
        ("by: 30m", "by: 2h", 7, ".expect.by", "2h is after the end, 1h"),
        ("at: 9m", "at: [9m, 61m]", 9, ".quiet[0].at", "1h1m is after the end, 1h"),
        ("at: 9m", "at: 90s", 9, ".quiet[0].at", "rules are evaluated every 1m, found 1m30s"),
        ("at: 9m", "at: []", 9, ".quiet[0].at", "needs a time"),
        ("fault: 10m", "fault: 50m", 6, ".recovery", "must come after the fault, found 40m"),
        ("fault: 10m", "fault: 40m", 6, ".recovery", "must come after the fault, found 40m"),
        ("by: 30m", "by: 10m", 7, ".expect.by", "must come after the fault, found 10m"),
        ("cleared: 50m", "cleared: 40m", 7, ".expect.cleared", "must come after the recovery, found 40m"),
        # what is expected
        (EXPECT, "", 1, ".id", BOTH),
        ("  fault: 10m\n", "", 1, ".id", BOTH),
        ("severity: warning", "severity: loud", 7, ".expect.severity", "must be one of critical, warning"),
        ("names: [pg-1]", "names: ['(pg']", 7, ".expect.names[0]", 'no regular expression "(pg": missing )'),
        # changes of nothing, in the whole or in a part
        (
            "backups: b",
            "backup: b",
            11,
            ".changes.backup",
            'no series left by __name__="backup"; did you mean backups?',
        ),
        ("backups: b", "backups[5m]: b", 11, ".changes.backups[5m]", 'no plain selector "backups[5m]"; there is name{'),
        ("10m, 20", "10m", 11, ".changes.backups", '"baseline until 10m" is the last value: nothing follows its'),
        (
            *("backups: b", "'backups{mode=\"dayly\"}': b", 11, '.changes.backups{mode="dayly"}'),
            'no series left by mode="dayly"; did you mean daily? There is daily',
        ),
        (
            *("backups: b", "'backups{mode=~\"daily|weakly\"}': b", 11, '.changes.backups{mode=~"daily|weakly"}'),
            'no series left by mode="weakly"; did you mean weekly?',
        ),
        (
            *("backups: b", "'backups{mode!~\".*\"}': b", 11, '.changes.backups{mode!~".*"}'),
            'no series left by mode!~".*"',
        ),
        # alerts that nobody could raise
        (
            f"'{{{LOUD}}}'",
            "severity",
            9,
            ".quiet[0].alerts",
            'no selector of alerts "severity"; there is {severity="cri',
        ),
        (f"'{{{LOUD}}}'", f"'X{{{LOUD}}}'", 9, ".quiet[0].alerts", "no selector of alerts"),
        (LOUD, 'severity=~"warning|page"', 9, ".quiet[0].alerts", 'no series has severity="page"; there is critical, '),
        (LOUD, 'podd="pg-1"', 9, ".quiet[0].alerts", "no series has the label podd; did you mean pod?"),
        (LOUD, 'pod="pg-3"', 9, ".quiet[0].alerts", 'no series has pod="pg-3"; did you mean pg-'),
        (LOUD, 'subsystem="cnpq"', 9, ".quiet[0].alerts", 'no series has subsystem="cnpq"; did you mean cnpg?'),
    ],
)
def test_a_mistake_in_an_incident_names_its_line(
    folder: Path, *, old: str, new: str, line: int, place: str, message: str
) -> None:
    """file:line [place]: what was found and what is allowed."""
    (folder / "cnpg.yaml").write_text(changed(INCIDENT, old, new))
    said = [one.replace("]: PG-01: ", "]: ") for one in refused(lambda: load(folder, baseline(folder)))]
    assert any(one.startswith(f"incidents/cnpg.yaml:{line} [[0]{place}]: {message}") for one in said), said


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (
            "{series: {retries: 1}}",
            "]: PG-01: needs either on (labels of a target that is there) or target (all labels",
        ),
        ("{on: {pod: pg-1}, target: {pod: pg-9}, series: {retries: 1}}", "]: PG-01: needs either on (labels of"),
        (
            "{on: {job: cnpg}, series: {retries: 1}}",
            ".on]: PG-01: must name one target of the healthy cluster, found 2",
        ),
        (
            "{on: {pod: pg-9}, series: {retries: 1}}",
            ".on]: PG-01: must name one target of the healthy cluster, found 0",
        ),
        (
            "{on: {pod: pg-1}, series: {up: 0}}",
            ".series.up]: PG-01: the healthy cluster has this series: write it under",
        ),
        ("{on: {pod: pg-1}, series: {a: 0, 'a{}': 1}}", ".series.a{}]: PG-01: is there twice"),
        ("{on: {pod: pg-1}, series: {'a{pod=\"x\"}': 0}}", '.series.a{pod="x"}]: PG-01: its target has pod already'),
        (
            "{on: {pod: pg-1}, series: {a: baseline}}",
            ".series.a]: PG-01: `baseline` means nothing for a series that the",
        ),
        ("{on: {pod: pg-1}, series: {a: 'gone until 5m, gone'}}", ".series.a]: PG-01: is never there"),
        ("{on: {pod: pg-1}, series: {a: 1}, name: x}", "]: no key named name; there is on, series, target"),
        ("{on: {pod: pg-1}, series: {'sum(a)': 1}}", '.series.sum(a)]: PG-01: no plain selector "sum(a)"'),
    ],
)
def test_a_mistake_in_a_new_series_names_its_line(folder: Path, new: str, message: str) -> None:
    """A series of an outage must be told from one of the healthy cluster."""
    (folder / "cnpg.yaml").write_text(f"{INCIDENT}  new:\n    - {new}\n")
    said = refused(lambda: load(folder, baseline(folder)))
    assert any(one.startswith(f"incidents/cnpg.yaml:13 [[0].new[0]{message}") for one in said), said


def test_a_situation_that_asks_nothing_of_the_alerts_is_refused(folder: Path) -> None:
    """It could not fail."""
    (folder / "cnpg.yaml").write_text("- {id: H-1, title: t, story: s, end: 1h}\n")
    assert refused(lambda: load(folder, baseline(folder))) == [
        "incidents/cnpg.yaml:1 [[0].id]: H-1: nothing is expected of the alerts: give expect, quiet, firing or at_most"
    ]


def test_mistakes_of_all_files_are_told_at_once(folder: Path) -> None:
    """A double id, broken YAML, an empty file, text where a list belongs, and what each of them says besides."""
    (folder / "cnpg.yaml").write_text(INCIDENT.replace("by: 30m", "by: 2h").replace("backups: ", "backup: "))
    (folder / "etcd.yaml").write_text("- id: [\n")
    (folder / "jobs.yaml").write_text("# nothing happened yet\n")
    (folder / "longhorn.yaml").write_text(INCIDENT)
    (folder / "nodes.yaml").write_text("id: ND-01\n")
    (folder / "other.yaml").write_bytes(b"\xff\xfe")
    said = refused(lambda: load(folder, baseline(folder)))
    places = ["cnpg:7", "cnpg:11", "etcd:2", "jobs", "longhorn:1", "nodes:1", "other"]
    starts = [f"incidents/{file}.yaml{colon}{line}" for file, colon, line in (place.partition(":") for place in places)]
    assert [re.split(r" \[|: ", line)[0] for line in said] == starts
    assert said[2].startswith("incidents/etcd.yaml:2: is not YAML: ")
    assert said[3:] == [
        "incidents/jobs.yaml: is empty",
        "incidents/longhorn.yaml:1 [[0]]: PG-01 is there twice, in cnpg.yaml too",
        "incidents/nodes.yaml:1: must be a list, found a table",
        "incidents/other.yaml: is not UTF-8 text",
    ]


KEYS = [
    "id",
    "title",
    "story",
    "end",
    "interval",
    "fault",
    "expect",
    "quiet",
    "changes",
    "new",
    "at",
    "count",
    "series",
]
SCALARS = st.one_of(
    st.text(max_size=8), st.integers(), st.floats(), st.none(), st.booleans(), st.sampled_from(["1h", "{}"])
)
TREES = st.recursive(
    SCALARS,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(st.sampled_from(KEYS), below, max_size=6)),
)
SHAPED = st.builds(
    lambda item, more: [{**item, **more}],
    st.fixed_dictionaries(
        {"id": st.text(), "title": st.text(), "story": st.text(), "end": st.sampled_from(["1h", "0m", 3])}
    ),
    st.dictionaries(st.sampled_from(KEYS), TREES, max_size=3),
)
FILES = st.one_of(st.text(), TREES.map(yaml.safe_dump), SHAPED.map(yaml.safe_dump))


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FILES)
def test_any_file_is_read_or_refused(folder: Path, text: str) -> None:
    """Never a traceback: whatever stands in a file, an operator gets lines that name it."""
    healthy = baseline(folder)
    for name, call in (("cnpg", lambda: load(folder, healthy)), ("_baseline", lambda: baseline(folder))):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8", errors="replace")
        try:
            call()
        except Invalid as error:
            assert all(str(problem).startswith(f"incidents/{name}.yaml") for problem in error.problems)  # noqa: PT017
    (folder / "_baseline.yaml").write_text(BASELINE)


# --- what an incident makes of the cluster --------------------------------------------------------------------------


def told(healthy: list[Series], **fields: Any) -> dict[str, Series]:
    """The cluster during a made-up incident, by the full names of its series."""
    item = {"id": "X", "title": "t", "story": "s", "end": 3600, "subsystem": "cnpg", **fields}
    return {spell(series.labels): series for series in compose(Incident(**item), healthy)}


DAILY = 'backups{job="cnpg", mode="daily", pod="pg-1"}'
WEEKLY = 'backups{job="cnpg", mode="weekly", pod="pg-1"}'


def test_what_is_not_told_stays_the_same_object(folder: Path) -> None:
    """That is how the replay knows which rules need not be evaluated again."""
    healthy = baseline(folder)
    during = told(healthy, changes={"backups": read("0")})
    touched = {name for name, series in during.items() if not any(series is one for one in healthy)}
    assert touched == {name for name in during if name.startswith("backups")}
    assert len(touched) == 4
    assert list(during) == [spell(series.labels) for series in healthy]


def test_the_last_change_of_a_series_counts(folder: Path) -> None:
    """So that a story can say `all of them`, then `but this one`."""
    healthy = baseline(folder)
    changes = {
        "backups": read("1"),
        'backups{mode="daily"}': read("baseline until 10m, 2"),
        '{pod="pg-2"}': read("gone"),
    }
    during = told(healthy, changes=changes)
    assert during[WEEKLY].values.at(600) == 1
    assert [during[DAILY].values.at(at) for at in (540, 600)] == [19, 2]
    assert {name for name, series in during.items() if series.values.at(0) is None} == {
        name for name in during if 'pod="pg-2"' in name
    }


def test_a_change_keeps_the_target_and_the_subsystem(folder: Path) -> None:
    """Only the values are different: the same exporter says something else."""
    healthy = baseline(folder)
    series = told(healthy, changes={"up": read("0")})['up{job="longhorn", pod="lh-1"}']
    assert (series.target, series.subsystem, series.values) == (healthy[6].target, "longhorn", read("0"))


def test_a_new_series_stands_on_a_target_that_is_there_or_on_a_new_one(folder: Path) -> None:
    """With all the labels that the scrape attaches; a list of values is a series each."""
    (folder / "cnpg.yaml").write_text(
        INCIDENT
        + "  new:\n"
        + "    - {on: {pod: pg-1}, series: {'wal{state=~\"ready|done\"}': 'gone until 10m, 1'}}\n"
        + "    - {target: {job: cnpg, pod: pg-3}, series: {up: 1}}\n"
    )
    healthy = baseline(folder)
    (incident,) = load(folder, healthy)
    during = {spell(series.labels): series for series in compose(incident, healthy)}
    assert len(during) == len(healthy) + 3
    for state in ("ready", "done"):
        wal = during[f'wal{{job="cnpg", pod="pg-1", state="{state}"}}']
        assert (wal.target, wal.values.at(599), wal.values.at(600)) == (healthy[0].target, None, 1)
    up = during['up{job="cnpg", pod="pg-3"}']
    assert (up.target, up.subsystem, up.values) == ((("job", "cnpg"), ("pod", "pg-3")), "cnpg", always(1))
