"""What the real promtool says becomes typed outcomes, and nothing that proves nothing passes for a proof."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from checks import promtool, tools
from checks.promtool import Complaint, PromtoolError, Sample

RULES = """\
groups:
  - name: storage
    rules:
      - alert: DiskFull
        expr: disk_used > 90
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.disk }} is at {{ $value }}"}
"""


def written(folder: Path, name: str, text: str) -> Path:
    """A file in the folder."""
    file = folder / name
    file.write_text(text)
    return file


def suite(folder: Path, *tests: dict[str, Any], **more: Any) -> Path:
    """A test file beside the rules."""
    written(folder, "rules.yaml", RULES)
    whole = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", **more}
    return written(folder, "suite.json", json.dumps({**whole, "tests": [{"interval": "1m", **test} for test in tests]}))


# --- check ----------------------------------------------------------------------------------------------------------


def test_good_rules_get_no_complaint(tmp_path: Path) -> None:
    """Nothing is what there is to say."""
    assert promtool.check_rules(written(tmp_path, "rules.yaml", RULES)) == ()


def test_every_complaint_about_rules_names_file_line_group_and_rule(tmp_path: Path) -> None:
    """Of several files at once, each complaint about its own, also where promtool tells it on a line further down."""
    query = written(tmp_path, "query.yaml", RULES.replace("> 90", "> ("))
    template = written(tmp_path, "template.yaml", RULES.replace("$value }}", "$value"))
    key = written(tmp_path, "key.yaml", RULES.replace("expr:", "expression: 1\n        expr:"))
    group = written(tmp_path, "group.yaml", RULES + "  - name: storage\n    rules: []\n")
    broken = written(tmp_path, "broken.yaml", "groups: [\n")
    good = written(tmp_path, "rules.yaml", RULES)
    said = promtool.check_rules(query, template, key, group, broken, good)
    assert [(c.file, c.line, c.group, c.rule) for c in said] == [
        (str(query), 5, "storage", "DiskFull"),
        (str(template), 0, "storage", "DiskFull"),
        (str(key), 5, "", ""),
        (str(group), 8, "", ""),
        (str(broken), 1, "", ""),
    ]
    messages = [
        "could not parse expression: ",
        'annotation "summary": ',
        "field expression not found",
        "groupname",
        "did",
    ]
    assert all(c.message.startswith(start) for c, start in zip(said, messages, strict=True))
    assert str(said[0]).startswith(f"{query}:5 [DiskFull]: could not parse expression: 1:14: parse error")
    assert str(said[1]).startswith(f"{template} [DiskFull]: annotation")
    assert str(said[3]) == f'{group}:8: groupname: "storage" is repeated in the same file'


def test_rules_that_are_not_there_are_no_rules_without_complaint(tmp_path: Path) -> None:
    """The wrapper was asked for something else than it can do."""
    with pytest.raises(PromtoolError, match=r"^path '.*/rules\.yaml' does not exist$"):
        promtool.check_rules(tmp_path / "rules.yaml")


def test_a_configuration_is_checked_with_the_rules_that_it_names(tmp_path: Path) -> None:
    """Each complaint about the file it is in."""
    rules = written(tmp_path, "rules.yaml", RULES)
    config = written(tmp_path, "prometheus.yaml", "global: {scrape_interval: 1m}\nrule_files: [rules.yaml]\n")
    assert promtool.check_config(config) == ()
    rules.write_text(RULES.replace("> 90", "> ("))
    assert [(c.file, c.line, c.rule) for c in promtool.check_config(config)] == [(str(rules), 5, "DiskFull")]
    rules.unlink()
    assert promtool.check_config(config) == (Complaint(str(config), f'"{rules}" does not point to an existing file'),)
    config.write_text("global: {scrape_interval: often}\n")
    assert promtool.check_config(config) == (Complaint(str(config), 'not a valid duration string: "often"'),)


def test_an_exposition_is_linted(tmp_path: Path) -> None:  # noqa: ARG001
    """A finding is a sentence; what cannot be parsed is one too."""
    good = "# HELP jobs_total Jobs that ended.\n# TYPE jobs_total counter\njobs_total 1\n"
    assert promtool.check_metrics(good) == ()
    assert promtool.check_metrics(good.replace("jobs_total", "jobs")) == (
        'jobs counter metrics should have "_total" suffix',
    )
    (said,) = promtool.check_metrics("jobs{ 1\n")
    assert said.startswith("error while linting: text format parsing error in line 1")


# --- test rules -----------------------------------------------------------------------------------------------------

ODD = {"disk": 'the "big" one', "path": "a\\b{c}, d=e", "note": "tab\tand no\u00a0break\nline"}


def test_what_holds_is_no_failure(tmp_path: Path) -> None:
    """An alert with its labels and sentence, and an expression."""
    alert = {"exp_labels": {"severity": "critical", "disk": "a"}, "exp_annotations": {"summary": "a is at 95"}}
    file = suite(
        tmp_path,
        {
            "input_series": [{"series": 'disk_used{disk="a"}', "values": "95x5"}],
            "alert_rule_test": [{"alertname": "DiskFull", "eval_time": "1m", "exp_alerts": [alert]}],
            "promql_expr_test": [{"expr": "count(disk_used)", "eval_time": "1m", "exp_samples": [{"value": 1}]}],
        },
    )
    assert promtool.test_rules(file) == ()


def test_an_expression_that_gives_something_else_is_told_with_every_sample(tmp_path: Path) -> None:
    """Label values may hold quotes, braces, commas, backslashes and lines; values may be no number."""
    labels = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in ODD.items())
    file = suite(
        tmp_path,
        {
            "input_series": [
                {"series": f"disk_used{{{labels}}}", "values": "1 -2.5e-7"},
                {"series": 'disk_used{disk="b"}', "values": "1 NaN"},
                {"series": 'disk_used{disk="c"}', "values": "1 -Inf"},
            ],
            "promql_expr_test": [
                {"expr": "disk_used", "eval_time": "1m", "exp_samples": []},
                {"expr": 'sum(disk_used{disk!~"b|c"}) or vector(1e20)', "eval_time": "90s", "exp_samples": []},
                {
                    "expr": "disk_free",
                    "eval_time": "1h5m",
                    "exp_samples": [{"labels": 'disk_free{disk="a"}', "value": 1}],
                },
            ],
        },
    )
    every, total, none = promtool.test_rules(file)
    assert (every.subject, every.seconds, every.expected) == ("disk_used", 60, "nil")
    by_disk = {sample.labels["disk"]: sample for sample in every.samples}
    assert by_disk[ODD["disk"]] == Sample({"__name__": "disk_used", **ODD}, -2.5e-7)
    assert math.isnan(by_disk["b"].value)
    assert by_disk["c"].value == -math.inf
    assert (total.seconds, total.samples) == (90, (Sample({}, -2.5e-7),))
    assert total.subject == 'sum(disk_used{disk!~"b|c"}) or vector(1e20)'
    assert (none.seconds, none.samples, none.found) == (3900, (), "nil")
    assert none.expected == '{__name__="disk_free", disk="a"} 1E+00'
    assert str(none).splitlines() == [
        "disk_free at 3900s",
        f"  expected {none.expected}",
        "  found    nil",
    ]


def test_an_alert_that_differs_is_told_with_what_was_expected(tmp_path: Path) -> None:
    """One that fires though it must not, one that does not, one with another sentence; brackets do not confuse it."""
    expected = {"exp_labels": {"severity": "critical", "disk": "got:[]"}, "exp_annotations": {"summary": "exp:[ ]"}}
    file = suite(
        tmp_path,
        {
            "name": "the disk fills",
            "input_series": [{"series": 'disk_used{disk="got:[]"}', "values": "95 95 1 95"}],
            "alert_rule_test": [
                {"alertname": "DiskFull", "eval_time": "0m", "exp_alerts": []},
                {"alertname": "DiskFull", "eval_time": "2m", "exp_alerts": [expected]},
                {"alertname": "DiskFull", "eval_time": "3m", "exp_alerts": [expected]},
            ],
        },
    )
    fires, silent, other = promtool.test_rules(file)
    assert [(failure.subject, failure.seconds) for failure in (fires, silent, other)] == [
        *(("DiskFull", 0), ("DiskFull", 120), ("DiskFull", 180))
    ]
    labels = 'Labels:{alertname="DiskFull", disk="got:[]", severity="critical"}'
    assert (fires.expected, fires.found) == ("[]", f'[ 0: {labels} Annotations:{{summary="got:[] is at 95"}} ]')
    assert (silent.expected, silent.found) == (f'[ 0: {labels} Annotations:{{summary="exp:[ ]"}} ]', "[]")
    assert (other.expected, other.found) == (silent.expected, fires.found)


def test_a_rule_file_that_is_not_there_is_an_error_and_no_pass(tmp_path: Path) -> None:
    """promtool only warns, runs without rules, and finds every alert as quiet as it was asked to be."""
    quiet = {"alert_rule_test": [{"alertname": "DiskFull", "eval_time": "1m", "exp_alerts": []}]}
    file = suite(tmp_path, quiet, rule_files=["rulez.yaml"])
    with pytest.raises(PromtoolError, match=r"suite\.json: .*no file match pattern .*rulez\.yaml"):
        promtool.test_rules(file)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ({"promql_expr_test": [{"expr": "sum(", "eval_time": "1m"}]}, "parse error"),
        ({"input_series": [{"series": "a", "values": "1 2 x"}]}, "parse error"),
        ({"input_series": [{"series": "a{", "values": "1"}]}, "parse error"),
        ({"promql_exp_test": []}, "field promql_exp_test not found"),
        (
            {"alert_rule_test": [{"eval_time": "1m"}]},
            "an item under alert_rule_test misses required attribute alertname",
        ),
    ],
)
def test_a_test_that_cannot_be_run_as_written_is_an_error(tmp_path: Path, test: dict[str, Any], message: str) -> None:
    """With the file in front, and promtool's own reason."""
    with pytest.raises(PromtoolError, match=message) as caught:
        promtool.test_rules(suite(tmp_path, test))
    assert str(caught.value).startswith(f"{tmp_path}/suite.json: ")


def test_a_query_that_cannot_be_evaluated_does_not_hide_behind_a_failure(tmp_path: Path) -> None:
    """Taken for a result, `nothing` would be what fires."""
    failing = {"expr": "vector(1)", "eval_time": "1m", "exp_samples": []}
    file = suite(tmp_path, {"promql_expr_test": [failing, {**failing, "expr": "sum("}]})
    with pytest.raises(PromtoolError, match="unclosed left parenthesis"):
        promtool.test_rules(file)


def test_a_rule_that_cannot_be_evaluated_does_not_hide_behind_a_failure(tmp_path: Path) -> None:
    """Two series of one name on one side: Prometheus refuses the rule at that moment only."""
    file = suite(
        tmp_path,
        {"promql_expr_test": [{"expr": "vector(1)", "eval_time": "1m", "exp_samples": []}]},
        {"input_series": [{"series": f'a{{b="{b}"}}', "values": "1 1"} for b in "xy"],
         "promql_expr_test": [{"expr": "vector(1)", "eval_time": "1m", "exp_samples": []}]},
    )  # fmt: skip
    written(tmp_path, "rules.yaml", RULES.replace("disk_used > 90", "a / on () a"))
    with pytest.raises(PromtoolError, match="found duplicate series"):
        promtool.test_rules(file)


# --- situations -----------------------------------------------------------------------------------------------------


def test_every_situation_is_a_file_of_its_own(tmp_path: Path) -> None:
    """With the head of the whole file, and rules that are found from anywhere; a link is a folder like any other."""
    beside = tmp_path / "elsewhere" / "tests"
    beside.mkdir(parents=True)
    suite(beside, {"name": "one"}, {"name": "two"}, rule_files=["../rules.yaml"])
    (tmp_path / "tests").symlink_to(beside)
    written(tmp_path, "rules.yaml", RULES)
    found = promtool.situations(tmp_path / "tests" / "suite.json")
    assert list(found) == ["one", "two"]
    assert found["two"] == {
        "rule_files": [f"{tmp_path}/rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "name": "two"}],
    }
    assert promtool.test_rules(written(beside, "two.json", json.dumps(found["two"]))) == ()


@pytest.mark.parametrize("names", [["one", "one"], ["one", ""]])
def test_a_situation_needs_a_name_of_its_own(tmp_path: Path, names: list[str]) -> None:
    """How else would it be told which one failed?"""
    with pytest.raises(PromtoolError, match=rf"test 1 needs a name of its own, found '{names[1]}'$"):
        promtool.situations(suite(tmp_path, *({"name": name} for name in names)))


def test_situations_that_are_not_yaml_are_told_with_their_file(tmp_path: Path) -> None:
    """Whoever mends one file does not want to look through all of them."""
    file = written(tmp_path, "suite.yaml", "tests: [\n")
    with pytest.raises(PromtoolError, match=rf"^{file}: is not YAML: "):
        promtool.situations(file)


# --- blocks and the tool itself -------------------------------------------------------------------------------------


def test_blocks_are_written_from_openmetrics(tmp_path: Path) -> None:
    """A folder per block, as Prometheus keeps them."""
    samples = written(tmp_path, "samples.txt", "# TYPE a gauge\na 1 1000\na 2 1060\n# EOF\n")
    promtool.create_blocks(samples, tmp_path / "data")
    (block,) = (tmp_path / "data").iterdir()
    assert json.loads((block / "meta.json").read_text())["stats"]["numSamples"] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 1 1000\n", "data does not end with # EOF"),
        ("a{ 1 1000\n# EOF\n", "expected label name or left brace"),
        ("a 1\n# EOF\n", "expected timestamp"),
    ],
)
def test_samples_that_are_no_openmetrics_are_told_with_their_file(tmp_path: Path, text: str, message: str) -> None:
    """In promtool's own words."""
    file = written(tmp_path, "samples.txt", text)
    with pytest.raises(PromtoolError, match=message) as caught:
        promtool.create_blocks(file, tmp_path / "data")
    assert str(caught.value).startswith(f"{file}: ")
    with pytest.raises(PromtoolError, match="no such file or directory"):
        promtool.create_blocks(tmp_path / "nothing.txt", tmp_path / "data")


def test_the_version_is_that_of_the_tool_on_the_path() -> None:
    """Whatever checks are proven with can be told."""
    assert promtool.version() == ".".join(map(str, tools.find("promtool").version))


def test_without_promtool_one_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after it was there: nothing is remembered of another PATH."""
    file = suite(tmp_path, {})
    assert promtool.test_rules(file) == ()
    written(tmp_path, "apt-get", "#!/bin/sh\n").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (promtool.version, lambda: promtool.test_rules(file), lambda: promtool.check_rules(file)):
        with pytest.raises(
            tools.ToolMissing, match=r"^promtool is not on PATH; install: .*apt-get install prometheus$"
        ) as caught:
            call()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("1h5m30s", 3930), ("1m30s", 90), ("500ms", 0.5), ("1d12h", 129_600)]
)
def test_times_of_promtool_are_read(text: str, seconds: float) -> None:
    """As it prints them."""
    assert promtool.seconds(text) == seconds


def test_a_situation_keeps_values_as_promtool_reads_them(tmp_path: Path) -> None:
    """YAML would make 96 of `0x60`, and a series of sixty-one zeros would be gone."""
    file = tmp_path / "t.yaml"
    file.write_text(
        "tests: [{name: a, interval: 1m, input_series: [{series: x, values: 0x60}], eval: 10, exp: 1.5}]",
        encoding="utf-8",
    )
    (alone,) = promtool.situations(file)["a"]["tests"]
    assert alone["input_series"] == [{"series": "x", "values": "0x60"}]
    assert (alone["eval"], alone["exp"]) == (10, 1.5)
