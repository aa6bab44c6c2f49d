"""monitoring: Prometheus, Alertmanager, the operator and the targets."""

from __future__ import annotations

from dataclasses import dataclass

COMPONENTS = ("prometheus", "alertmanager", "prometheus-operator", "kube-state-metrics")


@dataclass(frozen=True)
class Table:
    """Nothing of its own."""
