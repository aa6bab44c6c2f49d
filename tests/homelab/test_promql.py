"""What is refused in an alert, in which words, and the neighbouring right form that is let through."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelab.contract import load
from homelab.metric import Contract, Metric, Series
from homelab.promql import Finding, check, check_alert
from homelab.query import parse

PUMP = """\
component: pump
versions: 1.0 to 2.4
jobs:
  pump: {labels: [instance, pod]}
  pump-slow: {labels: [instance], interval: 5m}
metrics:
  up: {type: gauge, value: flag, jobs: any}
  ALERTS: {type: gauge, labels: {alertstate: [pending, firing], "*"}, jobs: any}
  pump_pascals: {type: gauge, labels: {pump}, jobs: [pump]}
  pump_strokes_total: {type: counter, labels: {pump}, jobs: [pump]}
  pump_stroke_seconds: {type: histogram, labels: {pump}, jobs: [pump]}
  pump_untyped: {type: untyped, labels: {pump}, jobs: [pump]}
  pump_state:
    type: gauge
    labels: {pump, state: [idle, running, failed]}
    jobs: [pump]
    value: one-hot
    before: {version: 2.0, value: ordinal, without: [state]}
    note: once 3 was failed
  pump_primed: {type: gauge, labels: {pump}, jobs: [pump], value: flag}
  pump_dry: {type: gauge, labels: {pump}, jobs: [pump], value: present, before: {version: 2.0, value: flag}}
  pump_leaking: {type: gauge, labels: {pump}, jobs: [pump], value: present}
  pump_info: {type: gauge, labels: {pump, model}, jobs: [pump], value: info}
  pump_serviced_seconds: {type: gauge, labels: {pump}, jobs: [pump], value: timestamp, zero: never}
  pump_started_seconds: {type: gauge, labels: {pump}, jobs: [pump], value: timestamp}
  pump_level_ratio: {type: gauge, labels: {pump}, jobs: [pump-slow], renamed_from: pump_fill_ratio}
not_existing:
  pump_flow: a draft that became pump_pascals
"""
TANK = """\
component: tank
versions: "1"
jobs:
  tank: {labels: [instance]}
metrics:
  tank_level_ratio: {type: gauge, labels: {tank}}
"""


@dataclass(frozen=True)
class Rule:
    """An alert as the checker sees it."""

    expr: str
    for_: str = "10m"
    summary: str = ""
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    """A cluster that has pumps and expects one; tanks are elsewhere."""
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "pump.yaml").write_text(PUMP)
    (folder / "tank.yaml").write_text(TANK)
    labels = {"subsystem": ("pumps",), "pump": ("north",)}
    expected = Series("homelab:pump:expected", "", "", "gauge", Metric("gauge"), labels, frozenset(labels))
    return replace(load(folder), running=frozenset({"pump"}), recorded=(expected,))


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        # names
        ("pump_pascals > 1", "pump_pascal > 1", "no metric named pump_pascal; did you mean pump_pascals?"),
        ("pump_pascals > 1", "xyz > 1", "no metric named xyz; the names are those of metrics/*.yaml"),
        ("pump_pascals > 1", "pump_flow > 1", "nobody exposes pump_flow: a draft that became pump_pascals"),
        (
            "rate(pump_stroke_seconds_sum[5m]) > 1",
            "rate(pump_stroke_seconds[5m]) > 1",
            (
                "pump_stroke_seconds is a histogram; there is pump_stroke_seconds_bucket, pump_stroke_seconds_sum and "
                "pump_stroke_seconds_count"
            ),
        ),
        (
            'max by (pump) ({__name__=~"pump_fill_ratio|pump_level_ratio"}) > 1',
            'max by (pump) ({__name__=~"pump_fill_rate|pump_level_ratio"}) > 1',
            "no metric named pump_fill_rate; did you mean pump_fill_ratio?",
        ),
        (
            '{job="pump", __name__=~"pump_p.*s"} > 1',
            '{job="pump", __name__=~"pomp_.*"} > 1',
            'no metric matches {job="pump", __name__=~"pomp_.*"}',
        ),
        (
            "homelab:pump:expected unless on (pump) pump_info",
            "homelab:pumps:expected unless on (pump) pump_info",
            "no metric named homelab:pumps:expected; did you mean homelab:pump:expected?",
        ),
        # metrics of other clusters
        (
            "pump_level_ratio > 1",
            "tank_level_ratio > 1",
            "tank_level_ratio belongs to tank, which this cluster does not run",
        ),
        # labels
        (
            'pump_pascals{pump="a"} > 1',
            'pump_pascals{pmp="a"} > 1',
            "pump_pascals never has the label pmp; did you mean pump?",
        ),
        (
            'ALERTS{alertstate="firing", anything="a"}',
            'ALERTS{alertstate="fireing"} and pump_pascals{anything="a"}',
            "pump_pascals never has the label anything; there is instance, job, pod, pump",
        ),
        (
            "sum by (pump) (pump_pascals) > 1",
            "sum by (pmp) (pump_pascals) > 1",
            "sum by (pmp): pump_pascals never has the label pmp; did you mean pump?",
        ),
        (
            "max by (pod) (sum without (pump) (pump_pascals)) > 1",
            "max by (pump) (sum without (pump) (pump_pascals)) > 1",
            "max by (pump): sum without (pump) (pump_pascals) never has the label pump; there is instance, job, pod",
        ),
        (
            'count_values by (pump) ("value", pump_pascals) > 1',
            'count_values by (model) ("value", pump_pascals) > 1',
            "count_values by (model): pump_pascals never has the label model; there is instance, job, pod, pump, value",
        ),
        (
            "pump_pascals and on (pod) pump_info",
            "pump_pascals and on (model) pump_info",
            "and on (model), left side: pump_pascals never has the label model; there is instance, job, pod, pump",
        ),
        (
            "pump_pascals and ignoring (model) pump_info",
            "pump_pascals and ignoring (modell) pump_info",
            (
                "and ignoring (modell): pump_pascals and ignoring (modell) pump_info never has the label modell; "
                "did you mean model?"
            ),
        ),
        (
            "pump_pascals * on (pump) group_left (model) pump_info > 1",
            "pump_pascals * on (pump) group_left (modell) pump_info > 1",
            "group_left (modell): pump_info never has the label modell; did you mean model?",
        ),
        (
            'label_replace(pump_pascals, "address", "$1", "instance", "(.*):.*") > 1',
            'label_replace(pump_pascals, "address", "$1", "instanz", "(.*):.*") > 1',
            "label_replace to address: pump_pascals never has the label instanz; did you mean instance?",
        ),
        (
            'max by (id) (label_join(pump_pascals, "id", "-", "pump", "pod")) > 1',
            'max by (id) (label_join(pump_pascals, "id", "-", "pump", "pods")) > 1',
            "label_join to id: pump_pascals never has the label pods; did you mean pod?",
        ),
        (
            "max by (le) (rate(pump_stroke_seconds_bucket[5m])) > 1",
            "max by (le) (histogram_quantile(0.9, rate(pump_stroke_seconds_bucket[5m]))) > 1",
            (
                "max by (le): histogram_quantile(0.9, rate(pump_stroke_seconds_bucket[5m])) never has the label le; "
                "there is instance, job, pod, pump"
            ),
        ),
        (
            'sum({job="pump"}) > 1',
            'sum({job="pump", pmp="a"}) > 1',
            '{job="pump"} never has the label pmp; did you mean pump?',
        ),
        # values of labels
        (
            'pump_state{state="failed"} == 1',
            'pump_state{state="faild"} == 1',
            'state of pump_state is never "faild"; did you mean failed? (once 3 was failed)',
        ),
        (
            'pump_state{state=~"idle|f.*"} == 1',
            'pump_state{state=~"idle|q.*"} == 1',
            'state of pump_state is never "q.*"; there is failed, idle, running (once 3 was failed)',
        ),
        ('up{job!="tank"} == 0', 'up{job="tank"} == 0', 'job of up is never "tank"; there is pump, pump-slow'),
        ('up{job!="tank"} == 0', 'up{job!="tnk"} == 0', 'job of up is never "tnk"; did you mean tank?'),
        (
            'up{job="pump", pod="a"} == 0',
            'up{job="pump-slow", pod="a"} == 0',
            'job of up is never "pump-slow"; there is pump',
        ),
        (
            'homelab:pump:expected{subsystem="pumps"} unless on (pump) pump_info',
            'homelab:pump:expected{subsystem="tanks"} unless on (pump) pump_info',
            'subsystem of homelab:pump:expected is never "tanks"; there is pumps',
        ),
        # counters and gauges
        (
            "delta(pump_pascals[5m]) > 1",
            "rate(pump_pascals[5m]) > 1",
            "rate(pump_pascals[5m]): rate() wants a counter and pump_pascals is a gauge; there is delta() or deriv()",
        ),
        (
            "increase(pump_strokes_total[5m]) > 1 or rate(pump_untyped[5m]) > 1",
            "increase(pump_level_ratio[20m]) > 1",
            (
                "increase(pump_level_ratio[20m]): increase() wants a counter and pump_level_ratio is a gauge; "
                "there is delta() or deriv()"
            ),
        ),
        (
            "changes(pump_started_seconds[5m]) > 1",
            "increase(pump_started_seconds[5m]) > 1",
            (
                "increase(pump_started_seconds[5m]): increase() wants a counter and pump_started_seconds is a unix "
                "time; there is changes(), or its age, time() - pump_started_seconds"
            ),
        ),
        (
            "max_over_time(rate(pump_strokes_total[5m])[1h:5m]) > 1",
            "deriv(pump_strokes_total[5m]) > 1",
            (
                "deriv(pump_strokes_total[5m]): deriv() wants a gauge and pump_strokes_total is a counter; "
                "there is rate() or increase()"
            ),
        ),
        (
            "rate(pump_strokes_total[5m]) > 5",
            "pump_strokes_total > 5",
            (
                "pump_strokes_total > 5: pump_strokes_total is a counter and only grows; "
                "say increase() or rate() over a range"
            ),
        ),
        (
            "pump_strokes_total - pump_strokes_total offset 1h > 5",
            "5 < sum by (pump) (pump_strokes_total)",
            (
                "5 < sum by (pump) (pump_strokes_total): pump_strokes_total is a counter and only grows; "
                "say increase() or rate() over a range"
            ),
        ),
        (
            "rate(pump_strokes_total[5m]) + rate(pump_stroke_seconds_sum[5m]) > 5",
            "pump_strokes_total + pump_stroke_seconds_sum > 5",
            (
                "pump_strokes_total + pump_stroke_seconds_sum > 5: pump_strokes_total is a counter and only grows; "
                "say increase() or rate() over a range"
            ),
        ),
        (
            "histogram_quantile(0.9, sum by (le) (rate(pump_stroke_seconds_bucket[5m]))) > 1",
            "histogram_quantile(0.9, sum by (le) (pump_stroke_seconds_bucket)) > 1",
            (
                "histogram_quantile(0.9, sum by (le) (pump_stroke_seconds_bucket)): pump_stroke_seconds_bucket is a "
                "counter, so this is about all time; say rate() over a range"
            ),
        ),
        # states
        (
            "pump_primed * on (pump) group_left (model) pump_info == 0",
            "pump_primed * on (pump) group_left (model) pump_info == 2",
            (
                "pump_primed * on (pump) group_left (model) pump_info == 2: pump_primed is flag (0 and 1), so this is "
                "never true; there is == 1 or == 0"
            ),
        ),
        (
            'pump_pascals > 1 and on (pump) pump_state{state="running"} == 1 unless on (pump) pump_state',
            'pump_pascals > 1 and on (pump) pump_state{state="running"}',
            "and: pump_state has a series for every state, present or not; add == 1 (once 3 was failed)",
        ),
        (
            'pump_state{state="failed"} == 1 or pump_state{state=""} == 3',
            "pump_state == 3",
            (
                "pump_state == 3: pump_state is one-hot (0 and 1), so this is never true; there is == 1 or == 0 for "
                'one state: idle, running, failed; before 2.0 it is ordinal: pump_state{state=""} == 3 '
                "(once 3 was failed)"
            ),
        ),
        (
            "pump_primed < 1",
            "pump_primed >= 0",
            "pump_primed >= 0: pump_primed is flag (0 and 1), so this is always true; there is == 1 or == 0",
        ),
        (
            "pump_dry == 0",  # older versions have a 0
            "pump_leaking == 0",
            "pump_leaking == 0: pump_leaking is present (1), so this is never true; there is == 1",
        ),
        (
            "(pump_pascals > bool 5) == 1",
            "(pump_pascals > bool 5) == 2",
            "(pump_pascals > bool 5) == 2: its values are 0 and 1, so this is never true; there is == 1 or == 0",
        ),
        (
            'count(pump_state{state="failed"} == 1) > 0',
            'count(pump_state{state="failed"}) > 0',
            (
                'count(pump_state{state="failed"}) > 0: pump_state has a series for every state; '
                "count those that are == 1 (once 3 was failed)"
            ),
        ),
        (
            "(count(pump_primed == 1) or vector(0)) == 0",
            "count(pump_primed == 1) == 0",
            (
                "count(pump_primed == 1) == 0: count() is never 0, since without series it is no series itself; "
                "compare what is inside with 0, or say absent()"
            ),
        ),
        # conditions: what fires whatever the state is
        (
            'max_over_time(pump_state{state="failed"}[10m]) == 1',
            'max_over_time(pump_state{state="failed"}[10m])',
            (
                "pump_state (one-hot) is the whole condition and not compared, "
                "so this fires for a value of 0 too; add == 1"
            ),
        ),
        (
            "pump_primed unless on (pump) pump_info",
            "pump_primed and on (pump) pump_leaking",
            "pump_primed (flag) is the whole condition and not compared, so this fires for a value of 0 too; add == 1",
        ),
        (
            "max by (pump) (pump_primed) == 1",
            "max by (pump) (pump_primed)",
            "pump_primed (flag) is the whole condition and not compared, so this fires for a value of 0 too; add == 1",
        ),
        (
            "pump_leaking",
            "pump_pascals > bool 5",
            (
                "a comparison with bool is the whole condition and not compared, "
                "so this fires for a value of 0 too; add == 1"
            ),
        ),
        (
            "pump_state == 1 and on (pump) pump_leaking",
            "pump_state == 1",
            (
                "pump_state has a series for every state and one of them always matches; "
                "choose one: state=idle|running|failed"
            ),
        ),
        # times
        (
            "time() - pump_started_seconds > 3600",
            "pump_started_seconds > 3600",
            (
                "pump_started_seconds > 3600: pump_started_seconds is a unix time and 3600 is none; "
                "allowed is its age, time() - pump_started_seconds"
            ),
        ),
        (
            "pump_serviced_seconds == 0",
            "pump_serviced_seconds == 1",
            (
                "pump_serviced_seconds == 1: pump_serviced_seconds is a unix time and 1 is none; "
                'allowed is 0, for "never", or its age, time() - pump_serviced_seconds'
            ),
        ),
        (
            "time() - (pump_serviced_seconds > 0) > 3600",
            "time() - max by (pump) (pump_serviced_seconds) > 3600",
            (
                'time() - max by (pump) (pump_serviced_seconds): 0 means "never" and is read as 1970 here; '
                'say (pump_serviced_seconds > 0), and let another alert answer for "never"'
            ),
        ),
        (
            "pump_started_seconds - time() > 3600",
            "pump_pascals - time() > 3600",
            "pump_pascals - time(): pump_pascals is no unix time, so this is no age",
        ),
        # vectors that never meet
        (
            "pump_pascals / on (pump) group_left () sum by (pump) (pump_pascals) > 1",
            "pump_pascals / sum by (pump) (pump_pascals) > 1",
            (
                "/: every series on the left has instance, job and none on the right, so nothing ever matches; say on "
                "(...) or ignoring (...) with labels that both sides have: pump_pascals / sum by (pump) (pump_pascals)"
            ),
        ),
        (
            "homelab:pump:expected unless on (pump) pump_info",
            "homelab:pump:expected unless pump_info",
            (
                "unless: every series on the left has subsystem and none on the right, so nothing ever matches; say on "
                "(...) or ignoring (...) with labels that both sides have: homelab:pump:expected unless pump_info"
            ),
        ),
        # ranges
        (
            "rate(pump_strokes_total[4m]) > 1",
            "rate(pump_strokes_total[3m]) > 1",
            "pump_strokes_total[3m] is shorter than four scrapes (every 1m); allowed is 4m or more",
        ),
        (
            "avg_over_time(pump_level_ratio[20m]) > 1",
            "avg_over_time(pump_level_ratio[5m]) > 1",
            "pump_level_ratio[5m] is shorter than four scrapes (every 5m); allowed is 20m or more",
        ),
    ],
)
def test_what_can_never_be_right_is_refused(contract: Contract, right: str, wrong: str, said: str) -> None:
    """And the form that was probably meant is let through."""
    assert check_alert(Rule(right), contract) == []
    assert said in [finding.message for finding in check_alert(Rule(wrong), contract)]


@pytest.mark.parametrize(
    "query",
    [
        'absent(up{job="pump"})',
        "pump_pascals > 1 or on () vector(1)",
        "sum(pump_primed) > 2",
        "pump_fill_ratio > 1",
        'topk by (pump) (1, pump_pascals) and on (pump, pod) pump_info{pod!=""}',
        "hour() > 5 and on () pump_pascals",
        "sort_desc(pump_pascals) > scalar(sum(pump_pascals))",
        "-pump_strokes_total > -5",
        '{job="pump"} > 1',  # of some metrics this can be true
    ],
)
def test_what_names_and_kinds_cannot_decide_is_let_through(contract: Contract, query: str) -> None:
    """Silence is better than a false refusal."""
    assert check_alert(Rule(query), contract) == []


@pytest.mark.parametrize(
    ("expr", "text", "said"),
    [
        ("pump_pascals > 1", "{{ $labels.pump }} at {{ $value }}, {{ $externalLabels.cluster }}", None),
        ("pump_pascals > 1", "$labels.pmp outside of a template", None),
        ("pump_pascals > 1", "{{ $labels.pmp }}", "pmp; did you mean pump?"),
        ("sum by (pump) (pump_pascals) > 1", "{{ $labels.pump }}", None),
        ("sum by (pump) (pump_pascals) > 1", "{{ $labels.pod }}", "pod; there is pump"),
        ("sum(pump_pascals) > 1", "{{ $labels.pod }}", "pod; there is none"),
        ("sum without (pod) (pump_pascals) > 1", "{{ $labels.pump }} {{ $labels.job }}", None),
        ('absent(up{job="pump"})', "{{ $labels.job }}", None),
        ('absent(up{job=~"pump"})', "{{ $labels.job }}", "job; there is none"),
        ('absent(sum(up{job="pump"}))', "{{ $labels.job }}", "job; there is none"),
        ("pump_info unless on (pump) pump_pascals", "{{ $labels.model }}", None),
        ("pump_info * on (pump) pump_pascals", "{{ $labels.model }}", "model; there is pump"),
        ("pump_pascals * on (pump) group_left (model) pump_info", "{{ $labels.model }} {{ $labels.pod }}", None),
        ("sum by (pod) (pump_pascals) or sum by (pump) (pump_pascals)", "{{ $labels.pump }} {{ $labels.pod }}", None),
        ('pump_state{state=""} == 3', "{{ $labels.state }}", "state; there is instance, job, pod, pump"),
        ('label_replace(pump_pascals, "zone", "a", "", "") > 1', "{{ $labels.zone }}", None),
        ('label_replace(pump_leaking, "pump", "", "", "")', "{{ $labels.pump }}", "pump; there is instance, job, pod"),
        ('count_values("level", pump_pascals) > 1', "{{ $labels.level }}", None),
        ("vector(1)", "{{ $labels.job }}", "job; there is none"),
        ("homelab:pump:expected", "{{ $labels.pump }} {{ $labels.subsystem }}", None),
        ("ALERTS", "{{ $labels.whatever }}", None),
    ],
)  # fmt: skip
def test_a_text_can_only_use_labels_that_the_expression_has(
    contract: Contract, expr: str, text: str, said: str | None
) -> None:
    """In the summary, in the description and in the alert's own labels."""
    for place, rule in (
        ("summary", Rule(expr, summary=text)),
        ("description", Rule(expr, description=text)),
        ("label severity", Rule(expr, labels={"severity": text})),
    ):
        found = [finding.message for finding in check_alert(rule, contract)]
        where = f"{place} uses the label {said}".replace(";", ", which the expression cannot have;")
        assert found == ([where] if said else [])


@pytest.mark.parametrize(
    ("expr", "for_", "said"),
    [
        ("pump_pascals > 1", "2m", None),
        ("up > 0.5", "1m", "for 1m is shorter than two scrapes of up (every 5m); allowed is 10m or more"),
        ("up > 0.5", "0m", "for 0m is shorter than two scrapes of up (every 5m); allowed is 10m or more"),
        ("pump_pascals > 1 and on (pump) pump_level_ratio > 1", "10m", None),
        (
            "pump_pascals > 1 and on (pump) pump_level_ratio > 1",
            "9m",
            "for 9m is shorter than two scrapes of pump_level_ratio (every 5m); allowed is 10m or more",
        ),
        ("vector(1)", "0m", None),
        ("homelab:pump:expected", "0s", None),
        ("pump_pascals > 1", "1h30m", None),
        ("pump_pascals > 1", "soon", 'for "soon" is not a duration; allowed is 0m, 5m, 1h30m'),
    ],
)  # fmt: skip
def test_one_lost_scrape_does_not_decide(contract: Contract, expr: str, for_: str, said: str | None) -> None:
    """`for` spans two scrapes of the slowest target."""
    assert [finding.message for finding in check_alert(Rule(expr, for_), contract)] == ([said] if said else [])


@pytest.mark.parametrize(
    "query",
    [
        "",
        "a b",
        '"\\',
        "sum by (",
        "rate(pump_pascals)",
        "x[1e300]",
        "(" * 300,
        "1 + " * 3000 + "1",
        "a ^ " * 900 + "a",
    ],
)
def test_what_is_no_promql_is_one_finding(contract: Contract, query: str) -> None:
    """Nothing else can be said about it."""
    (finding,) = check_alert(Rule(query, for_="soon", summary="{{ $labels.x }}"), contract)
    assert finding.kind == "syntax"


NAMES = st.sampled_from(
    ["pump_state", "pump_strokes_total", "pump_serviced_seconds", "up", "ALERTS", "no", "homelab:pump:expected", ""]
)
LABELS = st.sampled_from(["pump", "state", "job", "pod", "le", "nowhere"])
PATTERNS = st.sampled_from(["", "a", "failed", "a|", "(", "x.*"])
MATCHERS = st.builds("{}{}{!r}".format, LABELS, st.sampled_from(["=", "!=", "=~", "!~"]), PATTERNS)
VECTORS = st.builds("{}{{{}}}".format, NAMES, st.lists(MATCHERS, max_size=2).map(",".join))
GROUPING = st.builds(
    "{} ({})".format, st.sampled_from(["by", "without"]), st.lists(LABELS, max_size=2).map(", ".join)
) | st.just("")
MATCHING = st.builds(
    "{} ({}) {}".format,
    st.sampled_from(["on", "ignoring"]),
    st.lists(LABELS, max_size=2).map(", ".join),
    st.sampled_from(["", "group_left (pod)", "group_right ()"]),
) | st.sampled_from(["", "bool"])
OPERATORS = st.sampled_from(["+", "-", "/", "^", "==", ">", "!=", "and", "or", "unless", "atan2"])
FUNCTIONS = [
    "rate({}[5m])",
    "max_over_time({}[10m:1m])",
    "absent({})",
    "-{}",
    "({})",
    "time() - {}",
    "{} offset 5m",
    'label_replace({}, "pod", "$1", "pump", "(.*)")',
    'label_join({}, "pod", "-")',
    "scalar({})",
    "sort({})",
    "histogram_quantile(0.9, {})",
    'count_values("pod", {})',
    "topk(3, {})",
    "quantile(0.5, {})",
]
QUERIES = st.recursive(
    VECTORS | st.sampled_from(["1", "time()", "vector(1)"]),
    lambda inner: (
        st.builds("{} {} {} {}".format, inner, OPERATORS, MATCHING, inner)
        | st.builds("{} {} ({})".format, st.sampled_from(["sum", "max", "count", "group"]), GROUPING, inner)
        | st.builds(str.format, st.sampled_from(FUNCTIONS), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=250, deadline=None)
@given(
    query=QUERIES | st.text(max_size=40),
    for_=st.text("0159smh.-", max_size=4),
    text=st.text("{}$labels. x", max_size=20),
)
def test_no_query_is_too_odd(contract: Contract, query: str, for_: str, text: str) -> None:
    """Sentences of one line, whatever the text is; the same ones every time."""
    findings = check_alert(Rule(query, for_, text, text), contract)
    assert all(isinstance(f, Finding) and f.kind and f.message and "\n" not in f.message for f in findings)
    assert findings == check_alert(Rule(query, for_, text, text), contract)
    assert len(check(query, contract)) == len(set(check(query, contract)))


@settings(max_examples=150, deadline=None)
@given(query=QUERIES)
def test_an_unknown_name_is_found_wherever_it_stands(contract: Contract, query: str) -> None:
    """A part of a query that nobody looks at would be a part that is not proven."""
    if "no{" in query and not any(f.kind == "syntax" for f in check(query, contract)):
        parse(query)
        assert any(f.message.startswith("no metric named no;") for f in check(query, contract))
