"""What an alert is, what an expectation is, and the one alert that every subsystem needs: its own blindness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from homelab.site import Severity


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

    `absent` alone stays quiet while a dead target is still discovered; `== 0` alone stays quiet once it is not. With no
    target of any job left it is Prometheus that stores nothing, and PrometheusNotIngesting says so.
    """
    up = f'up{{job="{job}"}}'
    return Alert(
        name,
        expr=f"max by (job) ({up}) == 0 or absent({up}) and on () up",
        for_=for_,
        severity=severity,
        summary=f"{what} cannot be scraped",
        description=f"No target of job {job} answers, so every other alert on it is blind. It is down, its ServiceMonitor selects nothing, or a NetworkPolicy is in the way.",
    )


@dataclass(frozen=True)
class Expected:
    """One thing that the inventory expects: a series of its own, with which alerts compare what is there.

    A recording rule at the head of the group writes it, before the alerts of the same evaluation read it. The label
    `subsystem` is attached, so that the nodes that two groups expect are two series.
    """

    name: str  # homelab:<thing>:expected
    labels: Mapping[str, str]
    value: float = 1
