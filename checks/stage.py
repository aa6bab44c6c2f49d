"""Incidents played on the whole cluster: promtool evaluates the rules on its series and says what fires at every step.

A rule whose selectors match nothing that the incident touches sees the healthy cluster, and what it says then is proven
once for all by the healthy runs, which are as long as the longest incident. So only the other rules are evaluated, on
the series that they select; `whole` evaluates all of them and must give the same.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alerts._render import Group, catalogue, group_rules, limit_types
from checks import promtool
from checks.cluster import Series, baseline, by_name, selects, spell
from checks.incident import AlertSelector, Condition, Incident, Time, compose
from checks.incidents import load
from checks.outcome import Alert, Outcome, judge
from checks.timeline import samples, spell_time
from homelab import inventory
from homelab.parse import alternatives
from homelab.query import Selector, parse, selectors

FOLDER = Path("incidents")
HEALTHY = "healthy"
FIRING = 'ALERTS{alertstate="firing"}'


class Unknown(LookupError):
    """There is no cluster, incident or subsystem of this name; the message says which there are."""


@dataclass(frozen=True)
class Rule:
    """A rule of a group as Prometheus reads it, and what it selects."""

    group: str
    spec: Mapping[str, Any]
    selectors: tuple[Selector, ...]


@dataclass(frozen=True)
class Stage:
    """All that a replay needs, read once."""

    rules: Sequence[Rule]
    healthy: Sequence[Series]
    incidents: Sequence[Incident]

    def replay(self, incident: Incident, *, shifted: bool = False, whole: bool = False) -> Outcome:
        """Play one incident; `shifted` plays it with every sample half a step later."""
        cluster = compose(incident, self.healthy)
        rules = self.rules
        if not whole and incident.subsystem != HEALTHY:
            known = {id(series) for series in self.healthy}
            rules = touched(rules, [series for series in cluster if id(series) not in known])
        return play(incident, rules, selected(rules, cluster), shifted=shifted)


def stage(root: Path = Path(), cluster: str = "production", only: Sequence[str] = ()) -> Stage:
    """Read the inventory, the rules and the incidents. Raises Invalid, and Unknown."""
    sites = inventory.load(root / "homelab.yaml", limit_types()).clusters
    if cluster not in sites:
        raise Unknown(f"homelab.yaml has no cluster {cluster}; {alternatives(cluster, sites)}")
    healthy = baseline(root / FOLDER)
    return Stage(rules_of(catalogue(sites[cluster])), healthy, picked(load(root / FOLDER, healthy), only))


def picked(incidents: Sequence[Incident], only: Sequence[str]) -> list[Incident]:
    """Those of the given ids or subsystems, or all of them. Raises Unknown."""
    known = {incident.id for incident in incidents} | {incident.subsystem for incident in incidents}
    for word in only:
        if word not in known:
            raise Unknown(f"no incident or subsystem {word}; {alternatives(word, known)}")
    return [incident for incident in incidents if not only or incident.id in only or incident.subsystem in only]


def healthy_runs(incidents: Sequence[Incident]) -> list[Incident]:
    """The healthy cluster for as long as any incident lasts, once for each interval; nothing may fire."""
    runs = []
    for step in sorted({incident.interval for incident in incidents}):
        end = Time(max(incident.end for incident in incidents if incident.interval == step))
        at = tuple(Time(time) for time in range(0, end + 1, step))
        quiet = Condition(at, AlertSelector('{severity=~"warning|critical"}'), "nothing is wrong")
        name = f"{HEALTHY}-{spell_time(step)}"
        story = "Nothing happens."
        runs.append(Incident(name, "The healthy cluster", story, end, step, quiet=(quiet,), subsystem=HEALTHY))
    return runs


def rules_of(groups: Sequence[Group]) -> list[Rule]:
    """The rules of a cluster, in the order in which they are evaluated."""
    return [
        Rule(group.subsystem, spec, tuple(selectors(parse(spec["expr"]))))
        for group in groups
        for spec in group_rules(group)
    ]


def touched(rules: Sequence[Rule], changed: Sequence[Series]) -> list[Rule]:
    """The rules that can see a difference: they select a changed series, or nothing at all.

    So does who reads what was recorded from changed series; and what any of them reads is recorded for them.
    One that reads ALERTS reads all others: then none is left out.
    """
    if any(_reads(rule, {"ALERTS", "ALERTS_FOR_STATE"}) for rule in rules):
        return list(rules)
    pools = by_name(changed)
    records = {number: rule.spec["record"] for number, rule in enumerate(rules) if "record" in rule.spec}
    found = {number for number, rule in enumerate(rules) if _sees(rule, pools)}
    while True:
        different = {name for number, name in records.items() if number in found}
        more = {number for number, rule in enumerate(rules) if _reads(rule, different)} - found
        if not more:
            break
        found |= more
    while more := {n for n, name in records.items() if any(_reads(rules[reader], {name}) for reader in found)} - found:
        found |= more
    return [rule for number, rule in enumerate(rules) if number in found]


def _sees(rule: Rule, changed: Mapping[str, Sequence[Series]]) -> bool:
    """Whether the rule selects one of the changed series, or is an alert that selects none: it is always evaluated."""
    for chosen in rule.selectors:
        pool = changed.get(chosen.name, ()) if chosen.name else [s for some in changed.values() for s in some]
        if any(selects(chosen, series.named) for series in pool):
            return True
    return not rule.selectors and "alert" in rule.spec


def _reads(rule: Rule, names: Iterable[str]) -> bool:
    """Whether the rule may select a series of one of these names, whatever its labels."""
    return any(
        chosen.name == name or (not chosen.name and all(matcher.admits(name) for matcher in chosen.of("__name__")))
        for chosen in rule.selectors
        for name in names
    )


def selected(rules: Sequence[Rule], cluster: Sequence[Series]) -> list[Series]:
    """The series that any of the rules selects."""
    wanted: dict[str, list[Selector]] = {}
    for rule in rules:
        for chosen in rule.selectors:
            wanted.setdefault(chosen.name or "", []).append(chosen)
    unnamed = wanted.get("", [])
    return [
        series
        for series in cluster
        if any(selects(chosen, series.named) for chosen in (*wanted.get(series.named["__name__"], ()), *unnamed))
    ]


def play(incident: Incident, rules: Sequence[Rule], cluster: Sequence[Series], *, shifted: bool) -> Outcome:
    """What fires at every step. `cluster` is what compose() gave, or the part of it that the rules select."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for rule in rules:
        groups.setdefault(rule.group, []).append(rule.spec)
    step, end = incident.interval, incident.end
    test = {
        "interval": _duration(step / 2 if shifted else step),
        "input_series": [
            {"series": spell(series.labels), "values": samples(series.values, step, end, shifted=shifted)}
            for series in cluster
        ],
        # Nothing is expected, so that promtool tells everything that fires.
        "promql_expr_test": [
            {"expr": FIRING, "eval_time": _duration(at), "exp_samples": []} for at in range(0, end + 1, step)
        ],
    }
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        # JSON is YAML, and is written twenty times faster.
        rule_file, test_file = Path(folder) / "rules.json", Path(folder) / "test.json"
        rule_file.write_text(json.dumps({"groups": [{"name": name, "rules": specs} for name, specs in groups.items()]}))
        test_file.write_text(
            json.dumps({"rule_files": [rule_file.name], "evaluation_interval": _duration(step), "tests": [test]})
        )
        failures = promtool.test_rules(test_file)
    firing: dict[int, list[Alert]] = {at: [] for at in range(0, end + 1, step)}
    for failure in failures:
        firing[int(failure.seconds)] = [
            {label: value for label, value in sample.labels.items() if label not in ("__name__", "alertstate")}
            for sample in failure.samples
        ]
    return Outcome(incident, firing, tuple(judge(incident, firing)))


def _duration(seconds: float) -> str:
    return f"{int(seconds * 1000)}ms" if seconds % 1 else f"{int(seconds)}s"
