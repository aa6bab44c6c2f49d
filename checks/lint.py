"""`make lint`: hold every alert and every panel of every cluster against the contract of metrics/.

Exit status: 0 nothing to refuse, 1 at least one refusal, 2 homelab.yaml or metrics/ is not usable.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from alerts._render import Group, catalogue, limit_types
from checks.logql import check_logs
from checks.panels import asked
from dashboards._board import Board
from dashboards._render import boards
from homelab import contract, inventory
from homelab.inventory import Inventory, Site
from homelab.metric import Contract, Metric, Series
from homelab.parse import Invalid, Problem
from homelab.promql import check, check_alert


@dataclass(frozen=True)
class Refusal:
    """One thing that is wrong with one alert or one panel of one cluster; `check` is what refuses it."""

    cluster: str
    subsystem: str
    name: str
    check: str
    message: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.subsystem} {self.name}: {self.message}"


def recorded(groups: Iterable[Group]) -> Iterator[Series]:
    """What the recording rules at the head of the groups write: one series per expected thing, every label known."""
    for group in groups:
        for row in group.expected:
            labels = {"subsystem": group.subsystem, **{name: text for name, text in row.labels.items() if text}}
            known = {name: (text,) for name, text in labels.items()}
            yield Series(row.name, "", "", "gauge", Metric("gauge"), known, frozenset(known))


def exposed(site: Site, groups: Iterable[Group], known: Contract) -> Contract:
    """What there is in one cluster: the metrics of its components, and what its own rules record."""
    return dataclasses.replace(known, running=site.components, recorded=tuple(recorded(groups)))


def lint(site: Site, groups: list[Group], known: Contract) -> Iterator[Refusal]:
    """What is wrong with the alerts of one cluster, in the order of the groups."""
    here = exposed(site, groups, known)
    for group in groups:
        for alert in group.alerts:
            for finding in check_alert(alert, here):
                yield Refusal(site.name, group.subsystem, alert.name, finding.kind, finding.message)


def lint_boards(site: Site, boards: Mapping[str, Board], groups: Iterable[Group], known: Contract) -> Iterator[Refusal]:
    """What is wrong with the queries of the dashboards of one cluster."""
    here = exposed(site, groups, known)
    for one in asked(boards.items()):
        for finding in check(one.expr, here) if one.language == "prometheus" else check_logs(one.expr):
            yield Refusal(site.name, one.dashboard, f'"{one.panel}" {one.legend}', finding.kind, finding.message)


def read(homelab: Path, metrics: Path) -> tuple[Inventory, Contract]:
    """The inventory and the contract. Raises Invalid with every mistake of both."""
    problems: list[Problem] = []
    try:
        clusters = inventory.load(homelab, limit_types())
    except Invalid as error:
        problems += error.problems
    try:
        known = contract.load(metrics)
    except Invalid as error:
        problems += error.problems
    if problems:
        raise Invalid(problems)
    for name, site in clusters.clusters.items():
        for missing in sorted(site.components - known.components.keys()):
            problems.append(Problem(f"{metrics.name}/{missing}.yaml", 0, "", f"is missing; {name} runs {missing}"))
    if problems:
        raise Invalid(problems)
    return clusters, known


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m checks.lint", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inventory", type=Path, default=Path("homelab.yaml"), metavar="FILE")
    parser.add_argument("--metrics", type=Path, default=Path("metrics"), metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="one list of refusals, for machines")
    options = parser.parse_args(arguments)
    try:
        clusters, known = read(options.inventory, options.metrics)
        catalogues = {name: catalogue(site) for name, site in clusters.clusters.items()}
    except Invalid as error:
        print(error, file=sys.stderr)
        return 2
    pages = {name: boards(site) for name, site in clusters.clusters.items()}
    refusals = [r for name, site in clusters.clusters.items() for r in lint(site, catalogues[name], known)]
    for name, site in clusters.clusters.items():
        refusals += lint_boards(site, pages[name], catalogues[name], known)
    if options.json:
        print(json.dumps([dataclasses.asdict(refusal) for refusal in refusals], indent=2))
    elif refusals:
        print("\n".join(map(str, refusals)))
    else:
        alerts = sum(len(group.alerts) for groups in catalogues.values() for group in groups)
        names = f"{len(known.series)} names that {len(known.components)} components expose"
        queries = sum(1 for found in pages.values() for _ in asked(found.items()))
        print(f"{alerts} alerts and {queries} queries of dashboards, of {len(catalogues)} clusters, fit the {names}")
    return 1 if refusals else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it, and is no error of ours
    sys.exit(main())
