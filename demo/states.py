"""What every alert does during a story, as promtool's own rule engine says it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks import promtool
from checks.cluster import Labels, Series, sorted_labels, spell
from checks.replay import Rule, selected
from checks.timeline import Gone, samples
from homelab.query import Selector

Alert = Mapping[str, str]  # its labels
_ALERTS = '{__name__=~"ALERTS|ALERTS_FOR_STATE"}'
_FINE = 15  # seconds between two looks at what a story's own steps, which may be minutes long, do not show
_SELDOM = 60  # seconds between two evaluations of rules; what is recorded does not change


@dataclass(frozen=True)
class State:
    """An active alert at a moment of the story: its labels, since when its condition holds, whether it fires."""

    labels: Alert
    since: int
    firing: bool


States = Mapping[int, Sequence[State]]  # by second of the story


def needed(rules: Sequence[Rule]) -> list[Rule]:
    """The alerts among the rules, and what they read of what the others record."""
    read = [chosen for rule in rules if "alert" in rule.spec for chosen in rule.selectors]
    return [rule for rule in rules if "alert" in rule.spec or any(_reads(chosen, rule) for chosen in read)]


def _reads(chosen: Selector, rule: Rule) -> bool:
    record = rule.spec["record"]
    return chosen.name == record or (not chosen.name and all(m.admits(record) for m in chosen.of("__name__")))


def play(rules: Sequence[Rule], cluster: Sequence[Series], step: int, end: int) -> States:
    """What is active at every step up to the end. Raises PromtoolError and ToolMissing."""
    steps = range(0, end + 1, step)
    found = _ask(_ALERTS, steps, rules, selected(rules, cluster), step)
    return {at: _states(found[at]) for at in steps}


def ends(alert: Alert, rules: Sequence[Rule], cluster: Sequence[Series], by: int, within: int) -> int:
    """When exactly an alert ends, which it does in the seconds `within` before `by`. Only its query is asked."""
    rule = next(r for r in rules if r.spec.get("alert") == alert["alertname"] and _labelled(r).items() <= alert.items())
    kept = int(promtool.seconds(rule.spec.get("keep_firing_for", "0s")))
    times = range(by - within - kept, by - kept + 3 * _FINE, _FINE)
    recording = [one for one in needed(rules) if "record" in one.spec]
    found = _ask(rule.spec["expr"], times, recording, selected([rule], cluster), _FINE)
    holds = [at for at in times if any(_of(alert, one.labels, _labelled(rule)) for one in found[at])]
    return max(holds, default=times[0]) + _FINE + kept


def _labelled(rule: Rule) -> Mapping[str, str]:
    return {name: text for name, text in rule.spec["labels"].items() if "{{" not in text}


def _of(alert: Alert, labels: Mapping[str, str], attached: Mapping[str, str]) -> bool:
    own = {name: value for name, value in labels.items() if name != "__name__" and name not in attached}
    return own.items() <= alert.items()


def _ask(
    query: str, times: Sequence[int], rules: Sequence[Rule], series: Sequence[Series], step: int
) -> dict[int, Sequence[promtool.Sample]]:
    """What a query gives at each of the times, with the rules evaluated beside it."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for rule in rules:
        groups.setdefault(rule.group, []).append(rule.spec)
    there = [one for one in series if not all(isinstance(part.value, Gone) for part in one.values.parts)]
    test = {
        "interval": f"{step}s",
        "input_series": [{"series": spell(s.labels), "values": samples(s.values, step, times[-1])} for s in there],
        "promql_expr_test": [{"expr": query, "eval_time": f"{at}s", "exp_samples": []} for at in times],
    }
    whole = {"rule_files": ["rules.json"], "evaluation_interval": f"{max(step, _SELDOM)}s", "tests": [test]}
    written = {"groups": [{"name": name, "rules": specs} for name, specs in groups.items()]}
    with tempfile.TemporaryDirectory(prefix="homelab-rehearsal-") as folder:
        # JSON is YAML, and is written twenty times faster.
        (Path(folder) / "rules.json").write_text(json.dumps(written), encoding="utf-8")
        (Path(folder) / "test.json").write_text(json.dumps(whole), encoding="utf-8")
        failures = promtool.test_rules(Path(folder) / "test.json")
    # Nothing is expected, so all that is there is reported as a failure.
    return {**dict.fromkeys(times, ()), **{int(failure.seconds): failure.samples for failure in failures}}


def _states(found: Iterable[promtool.Sample]) -> list[State]:
    firing: dict[Labels, bool] = {}
    since: dict[Labels, float] = {}
    for sample in found:
        labels = dict(sample.labels)
        name, state = labels.pop("__name__"), labels.pop("alertstate", "")
        if name == "ALERTS":
            firing[sorted_labels(labels)] = state == "firing"
        else:
            since[sorted_labels(labels)] = sample.value
    return [State(dict(labels), int(since[labels]), fires) for labels, fires in firing.items() if labels in since]
