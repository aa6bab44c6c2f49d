"""gitops: does Flux apply what stands in Git?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected, target_down
from homelab.site import Site
from homelab.tables.gitops import Table

# What of its dashboard an alert's labels choose.
VARIABLES = {"name": ("name",)}

# Always 1: the state is a label. A changed revision or readiness is a new series, hence the aggregation.
# A missing or Unknown readiness is not ready either; Alert and Provider have none at all.
NOT_READY = 'max by (customresource_kind, exported_namespace, name) (gotk_resource_info{ready!="True", suspended!="true", customresource_kind!~"Alert|Provider"})'
SUSPENDED = 'max by (customresource_kind, exported_namespace, name) (gotk_resource_info{suspended="true"})'
# By process and not by kind: kinds that nobody uses stand still for ever, charts are looked at twice a day. Releases are
# reconciled every half hour or hour, often all at once, sources and Kustomizations all the time; notifications on demand.
RECONCILIATIONS = (
    '(sum by (job, pod) (increase(controller_runtime_reconcile_total{job="flux-system/flux-system", pod=~"(source|kustomize)-controller-.*"}[30m]))'
    ' or sum by (job, pod) (increase(controller_runtime_reconcile_total{job="flux-system/flux-system", pod=~"helm-controller-.*"}[70m])))'
)
# 0 also when it was scaled to nothing, and with its pod its target is gone.
UNAVAILABLE = 'max by (namespace, deployment) (kube_deployment_status_replicas_available{namespace="flux-system"}) == 0'
OBJECT_MISSING = 'homelab:flux_object:expected unless on (customresource_kind, exported_namespace, name) gotk_resource_info and on () up{job="kube-state-metrics"} == 1'


@dataclass(frozen=True)
class Limits:
    """Nothing here is a matter of degree."""


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:  # noqa: ARG001
    """The alerts of this subsystem."""
    wanted = site.table(Table).expected
    for item in wanted:
        labels = {"customresource_kind": item.kind, "exported_namespace": item.namespace, "name": item.name}
        yield Expected("homelab:flux_object:expected", labels)
    yield target_down("FluxDown", job="flux-system/flux-system", what="Flux")
    yield Alert(
        "FluxNotReady",
        expr=NOT_READY,
        for_="15m",
        severity="warning",
        summary="{{ $labels.customresource_kind }} {{ $labels.name }} ({{ $labels.exported_namespace }}) is not ready",
        description="What stands in Git is not what runs: a bad commit, a missing Secret, a chart that fails to install.",
    )
    yield Alert(
        "FluxSuspendedLong",
        expr=SUSPENDED,
        for_="12h",
        severity="warning",
        summary="{{ $labels.customresource_kind }} {{ $labels.name }} ({{ $labels.exported_namespace }}) is suspended",
        description="Changes in Git do not reach the cluster; half a day is longer than a debugging session.",
    )
    yield Alert(
        "FluxControllerUnavailable",
        # Without any of them it is FluxDown.
        expr=f'{UNAVAILABLE} and on () up{{job="flux-system/flux-system"}} == 1',
        for_="15m",
        severity="warning",
        summary="Flux has no {{ $labels.deployment }}",
        description="Its pod does not run, or somebody scaled it to zero. What it applies stays as it is, and its objects keep saying Ready=True.",
    )
    yield Alert(
        "FluxNotReconciling",
        expr=f"{RECONCILIATIONS} == 0",
        for_="15m",
        severity="warning",
        summary="{{ $labels.pod }} reconciles nothing",
        description="It answers and does not work. Its objects keep saying Ready=True.",
    )
    if wanted:
        yield Alert(
            "FluxObjectMissing",
            expr=OBJECT_MISSING,
            for_="30m",
            severity="warning",
            summary="{{ $labels.customresource_kind }} {{ $labels.name }} ({{ $labels.exported_namespace }}) is not reported",
            description="It was removed, or kube-state-metrics lost its customResourceState configuration; then nothing tells whether Flux works.",
        )
