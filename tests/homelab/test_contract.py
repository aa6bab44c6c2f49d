"""metrics/: what is read from a file of the contract, and every mistake in one with its line."""

import tempfile
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from homelab.contract import load
from homelab.metric import Contract, Kind
from homelab.parse import Invalid

PUMP = """\
component: pump
versions: 1.0 to 2.4
jobs:
  pump: {labels: [instance, pod]}
  pump-slow: {labels: [instance, pump], honor_labels: true, interval: 5m}
metrics:
  up: {type: gauge, jobs: any}
  ALERTS: {type: gauge, labels: {alertstate: [pending, firing], "*"}, jobs: any}
  pump_state: {type: gauge, labels: &own {pump, pod}, value: flag, jobs: [pump]}
  pump_lid: {type: gauge, labels: {<<: *own, pod: [a, b], shut: [true, false]}, jobs: [pump-slow]}
  pump_strokes: {type: histogram, labels: {pump}, jobs: [pump], renamed_from: pump_hits}
  pump_size: {type: summary, jobs: [pump]}
not_existing:
  pump_flow: a draft
"""
TANK = "component: tank\nversions: 1\njobs: {tank: {labels: [instance]}}\nmetrics: {tank_level_ratio: {type: gauge}}\n"


def read(folder: Path, **files: str) -> Contract:
    """The contract of files given as text."""
    for stem, text in files.items():
        (folder / f"{stem}.yaml").write_text(text, encoding="utf-8")
    return load(folder)


def refused(folder: Path, **files: str) -> list[str]:
    """What is said about files given as text."""
    with pytest.raises(Invalid) as error:
        read(folder, **files)
    return [str(problem).replace(f"{folder.name}/", "") for problem in error.value.problems]


def test_a_series_has_the_labels_of_its_metric_and_of_its_scrape(tmp_path: Path) -> None:
    """An own label that the scrape attaches too arrives as exported_<label>, unless own labels are honoured."""
    contract = read(tmp_path, pump=PUMP)
    (state,) = contract.lookup("pump_state")
    assert state.labels == {"instance": None, "pod": None, "job": ("pump",), "pump": None, "exported_pod": None}
    assert state.sure == {"instance", "job"}
    assert (state.component, state.job, state.interval, state.metric.value) == ("pump", "pump", "1m", "flag")
    (lid,) = contract.lookup("pump_lid")
    assert lid.labels["pod"] == ("a", "b"), "an own key stands over a merged one"
    assert lid.labels["shut"] == ("true", "false"), "words stay words"
    assert "exported_pump" not in lid.labels
    assert lid.interval == "5m"


def test_histograms_and_summaries_arrive_under_several_names(tmp_path: Path) -> None:
    """Their sums, counts and buckets are counters; an older name has the same parts."""
    series = read(tmp_path, pump=PUMP).series
    assert {
        name: found[0].type for name, found in series.items() if name.startswith(("pump_st", "pump_h", "pump_si"))
    } == {
        "pump_state": "gauge",
        "pump_strokes_bucket": "counter",
        "pump_strokes_sum": "counter",
        "pump_strokes_count": "counter",
        "pump_hits_bucket": "counter",
        "pump_hits_sum": "counter",
        "pump_hits_count": "counter",
        "pump_size": "gauge",
        "pump_size_sum": "counter",
        "pump_size_count": "counter",
    }
    assert "le" in series["pump_hits_bucket"][0].labels
    assert "quantile" in series["pump_size"][0].labels


def test_what_prometheus_makes_itself_is_there_for_every_job(tmp_path: Path) -> None:
    """`up` has the labels of each scrape; ALERTS has any label and comes from no scrape."""
    contract = read(tmp_path, pump=PUMP, tank=TANK)
    assert [(s.component, s.job) for s in contract.lookup("up")] == [
        ("pump", "pump"),
        ("pump", "pump-slow"),
        ("tank", "tank"),
    ]
    (alerts,) = contract.lookup("ALERTS")
    assert alerts.free
    assert (alerts.component, alerts.interval) == ("", "")


def test_a_cluster_has_what_its_components_expose(tmp_path: Path) -> None:
    """Also of what Prometheus makes for every job; the rest is known as being elsewhere."""
    contract = read(tmp_path, pump=PUMP, tank=TANK)
    cluster = Contract(contract.components, frozenset({"tank"}))
    assert [s.job for s in cluster.lookup("up")] == ["tank"]
    assert not cluster.lookup("pump_state")
    assert cluster.everywhere.lookup("pump_state")
    assert cluster.not_existing == {"pump_flow": "a draft"}


def test_the_files_of_this_homelab_can_be_read() -> None:
    """All of metrics/, with no name twice in one job."""
    contract = load(Path(__file__).parents[2] / "metrics")
    for name, found in contract.series.items():
        jobs = [(series.component, series.job) for series in found]
        assert len(jobs) == len(set(jobs)), name


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("component: pump", "component: pmp", '1 [component]: must be the file\'s own name pump, found "pmp"'),
        ("component: pump\n", "", "1: component is missing"),
        (
            "interval: 5m",
            "intervl: 5m",
            "5 [jobs.pump-slow]: no key named intervl; did you mean interval? There is honor_labels, interval, labels",
        ),
        (
            "interval: 5m",
            "interval: often",
            '5 [jobs.pump-slow.interval]: must be a duration such as 30s or 1m, found "often"',
        ),
        (
            "[instance, pod]",
            "[instance, p-d]",
            '4 [jobs.pump.labels]: "p-d" is not the name of a label; letters, digits and _ are allowed',
        ),
        (
            "honor_labels: true",
            "honor_labels: si",
            '5 [jobs.pump-slow.honor_labels]: must be true or false, found "si"',
        ),
        (
            "pump_state:",
            "pump-state:",
            "9 [metrics.pump-state]: is not the name of a metric; letters, digits, _ and : are allowed",
        ),
        (
            "{type: gauge, labels: &own",
            "{type: guage, labels: &own",
            '9 [metrics.pump_state.type]: must be one of gauge, counter, histogram, summary, untyped, found "guage"',
        ),
        (
            "value: flag",
            "value: 1",
            f'9 [metrics.pump_state.value]: must be one of {", ".join(get_args(Kind))}, found "1"',
        ),
        (
            "{type: summary",
            "{type: summary, value: flag",
            "12 [metrics.pump_size.value]: must be number for a summary, found flag",
        ),
        (
            "shut: [true, false]",
            "shut: []",
            "10 [metrics.pump_lid.labels.shut]: must list every value, or be empty for free text, found []",
        ),
        ("shut: [true, false]", "shut: yes", '10 [metrics.pump_lid.labels.shut]: must be a list, found "yes"'),
        (
            "shut:",
            "s-ut:",
            '10 [metrics.pump_lid.labels]: "s-ut" is not the name of a label; letters, digits and _ are allowed',
        ),
        (
            "jobs: [pump-slow]",
            "jobs: [tank]",
            '10 [metrics.pump_lid.jobs]: no job named "tank"; there is pump, pump-slow, or the word any',
        ),
        (
            "value: flag",
            "before: {version: 2, without: [pmp]}",
            '9 [metrics.pump_state.before.without]: no label named "pmp"; did you mean pump? There is pod, pump',
        ),
        (
            "pump_flow: a",
            "pump_lid: a",
            "14 [not_existing.pump_lid]: stands in metrics too; it either exists or it does not",
        ),
        ("pump_flow: a draft", "pump_flow:", "14 [not_existing.pump_flow]: must be text, found nothing"),
        ("  pump_size: {", "  pump_lid: {", "12 [metrics]: pump_lid is there twice"),
        ("  up: {", "  up: [", "7: is not YAML: did not find expected ',' or ']'"),
    ],
)
def test_a_mistake_is_said_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    """File, line, place, what was found, what is allowed."""
    assert PUMP.count(old) == 1
    (line,) = refused(tmp_path, pump=PUMP.replace(old, new))
    assert line == f"pump.yaml:{said}"


def test_all_mistakes_of_all_files_are_said_at_once(tmp_path: Path) -> None:
    """One line each, in the order of the files."""
    broken = PUMP.replace("interval: 5m", "interval: often").replace("shut: [true, false]", "shut: []")
    assert [line.split("]")[0] for line in refused(tmp_path, tank="", pump=broken)] == [
        "pump.yaml:5 [jobs.pump-slow.interval",
        "pump.yaml:10 [metrics.pump_lid.labels.shut",
        "tank.yaml: is empty; there must be component, versions, jobs, metrics",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "pump.yaml:1: must be a table of keys, found a list"),
        ("&a\n<<: *a", "pump.yaml: refers to itself or is nested too deeply"),
        (
            "component: pump\nversions: 1\njobs: {}\nmetrics: {}",
            "pump.yaml:3 [jobs]: needs at least one scrape job, found none",
        ),
    ],
)
def test_a_file_without_a_component_in_it(tmp_path: Path, text: str, said: str) -> None:
    """Whatever it is instead."""
    assert refused(tmp_path, pump=text) == [said]


def test_a_folder_without_files(tmp_path: Path) -> None:
    """A mistyped folder must not be a contract in which nothing exists."""
    assert refused(tmp_path) == [f"{tmp_path}: there is no file named <component>.yaml"]


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    """Named like every other mistake."""
    (tmp_path / "pump.yaml").write_bytes(b"\xff\xfe")
    assert refused(tmp_path) == ["pump.yaml: is not UTF-8 text"]


KEYS = ["component", "versions", "jobs", "metrics", "labels", "type", "gauge", "pump", "any", "before", "without", "<<"]
WORDS = st.sampled_from(KEYS) | st.text("ab_:-~!&*<{[\"'#\n 0", max_size=5)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def yaml_text(tree: object) -> str:
    """Flow style with words bare, so that the YAML is broken in as many ways as words can break it."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key}: {yaml_text(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(yaml_text, tree)) + "]"
    return "" if tree is None else str(tree)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | TREES.map(yaml_text) | TREES.map(lambda tree: PUMP.replace("a draft", yaml_text(tree))))
@example("jobs: &a [*a]")
@example("<<: {<<: 1}")
@example("component: pump\nversions: 1\njobs: {p: }\nmetrics: {m: {type: [gauge]}}")
def test_no_text_is_too_odd(text: str) -> None:
    """A contract, or problems that name the file and, below its top, the place."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pump.yaml"
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            contract = load(path.parent)
        except Invalid as error:
            problems = error.problems
        else:
            assert contract.components.keys() == {"pump"}
            return
    assert problems
    for problem in problems:
        assert problem.file == f"{path.parent.name}/pump.yaml"
        assert problem.message
        assert "\n" not in str(problem)
        assert problem.line > 0 or problem.message.startswith(("is ", "refers "))
