"""What an alert is, and the two expressions that every subsystem needs: absence and expectation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from homelab.inventory import Severity


@dataclass(frozen=True)
class Alert:
    """A Prometheus alerting rule, in Prometheus' own words.

    `for_` and `keep_firing_for` are durations as Prometheus writes them; "0m" fires at the first evaluation.
    `summary` and `description` may use `{{ $labels.x }}` and `{{ $value }}`; they never repeat a limit.
    """

    name: str
    expr: str
    severity: Severity
    summary: str
    description: str
    for_: str = "0m"
    keep_firing_for: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def target_down(name: str, *, job: str, what: str, for_: str = "10m", severity: Severity = "warning") -> Alert:
    """All targets of a scrape job are down, or the job has no target any more: its rules are blind.

    `absent` alone stays quiet while a dead target is still discovered; `== 0` alone stays quiet once it is not.
    """
    up = f'up{{job="{job}"}}'
    return Alert(
        name,
        expr=f"max by (job) ({up}) == 0 or absent({up})",
        for_=for_,
        severity=severity,
        summary=f"{what} cannot be scraped",
        description=f"No target of job {job} answers, so every other alert on it is blind. It is down, its ServiceMonitor selects nothing, or a NetworkPolicy is in the way.",
    )


def expected(rows: Iterable[Mapping[str, str]], values: Iterable[float] | None = None) -> str:
    """A vector with one series per row of the inventory, to be compared with what is there by `unless on (...)`.

    Each series has the row's labels; its value is 1, or the one of `values` at its place.
    """
    series = []
    for row, value in zip(rows, values if values is not None else _ones(), strict=False):
        text = f"vector({value:g})"
        for label, content in row.items():
            text = f'label_replace({text}, "{label}", "{content}", "", "")'
        series.append(text)
    return "(" + " or ".join(series) + ")"


def _ones() -> Iterable[float]:
    while True:
        yield 1
