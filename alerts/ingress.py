"""ingress: what does a visitor see: an answer, in time, with the right certificate?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected, target_down
from homelab.site import Site
from homelab.tables.ingress import Table

# What of its dashboard an alert's labels choose.
VARIABLES = {"instance": ("instance",)}

TRAEFIK_SILENT = 'max by (job) (up{job="traefik"}) == 0 or absent(up{job="traefik"})'
FAILING = 'probe_success{job="blackbox"} == 0'
SOME_ANSWER = 'sum(probe_success{job="blackbox"}) > 0'
UNPROBED = "sum by (instance) (homelab:ingress_host:expected) unless on (instance) probe_success"
DURATION = 'probe_duration_seconds{job="blackbox"}'
# The service keeps its name as exported_service: a ServiceMonitor brings a label of its own. Idle services have no series.
ERRORS = 'sum by (exported_service) (rate(traefik_service_requests_total{code=~"5.."}[5m]))'
REQUESTS = "sum by (exported_service) (rate(traefik_service_requests_total[5m]))"
ERROR_SHARE = f"{ERRORS} / {REQUESTS}"
# Down and up again count one each; two restarts are four.
FLAPS = 'changes(probe_success{job="blackbox"}[30m])'
# A host without a certificate of its own in the inventory has an empty name.
SERVED = '(homelab:ingress_host:expected{name!=""} * on (instance) group_left () probe_ssl_earliest_cert_expiry{job="blackbox"})'
EXPIRES = "max by (name) (certmanager_certificate_not_after_timestamp_seconds > 0)"
LIFETIME = "max by (name) ((certmanager_certificate_not_after_timestamp_seconds > 0) - (certmanager_certificate_not_before_timestamp_seconds > 0))"

# Shares of the certificate's lifetime: how far what is served is behind what was renewed, and what is left of it.
SERVED_BEHIND = f"({EXPIRES} - on (name) group_right () {SERVED}) / on (name) group_left () {LIFETIME}"
SERVED_REMAINING = f"({SERVED} - time()) / on (name) group_left () {LIFETIME}"


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    duration_seconds: float = 3
    changes: int = 5  # in half an hour
    errors_ratio: float = 0.1
    errors_per_second: float = 0.02  # one a minute; one failure of two visits is no ratio
    served_behind_ratio: float = 0.5  # of the certificate's lifetime; a renewal brings two thirds
    served_remaining_ratio: float = 0.1  # of the certificate's lifetime


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    hosts = site.table(Table).hosts
    for host in hosts:
        yield Expected("homelab:ingress_host:expected", {"instance": f"https://{host.name}", "name": host.certificate})
    yield Alert(
        "TraefikDown",
        # Where visitors get an answer only its metrics are out of reach.
        expr=f"({TRAEFIK_SILENT}) unless on () {SOME_ANSWER} and on () up",
        for_="5m",
        severity="critical",
        summary="Traefik is down",
        description="No Traefik pod answers: nothing is reachable from outside, and MetalLB withdraws the address with it.",
    )
    yield Alert(
        "TraefikUnobserved",
        expr=f"({TRAEFIK_SILENT}) and on () {SOME_ANSWER}",
        for_="10m",
        severity="warning",
        summary="Traefik cannot be scraped",
        description="Hosts answer through it, so it works; what it says about requests, errors and certificates is missing.",
    )
    yield target_down("IngressProbesDown", job="blackbox", what="The prober of the public hosts")
    yield Alert(
        "IngressUnreachable",
        expr=f'sum by (job) (probe_success{{job="blackbox"}}) == 0 unless on () ({TRAEFIK_SILENT})',
        for_="5m",
        severity="critical",
        summary="Every public host fails its probe",
        description="Traefik runs and no host answers as it should: a shared middleware, DNS, the certificate or the network.",
    )
    yield Alert(
        "IngressHostFailing",
        expr=f"{FAILING} and on () {SOME_ANSWER}",
        for_="10m",
        severity="warning",
        summary="{{ $labels.instance }} does not answer as it should",
        description="Other hosts do, so it is this application, its route or its certificate.",
    )
    yield Alert(
        "IngressHostFlapping",
        expr=f"{FLAPS} > {limits.changes}",
        for_="5m",
        severity="warning",
        summary="{{ $labels.instance }} answers now and then",
        description="Its probe failed and succeeded again and again in the last half hour: one of several pods is broken, or what serves it restarts all the time.",
    )
    yield Alert(
        "IngressHostSlow",
        expr=f"{DURATION} > {limits.duration_seconds} and on (instance) probe_success == 1",
        for_="15m",
        severity="warning",
        summary="{{ $labels.instance }} takes {{ $value | humanizeDuration }} to answer",
        description="Every probe of the last quarter of an hour was that slow.",
    )
    yield Alert(
        "IngressErrors",
        expr=f"{ERROR_SHARE} > {limits.errors_ratio} and {ERRORS} > {limits.errors_per_second} and on () {SOME_ANSWER}",
        for_="15m",
        severity="warning",
        summary="{{ $labels.exported_service }} answers {{ $value | humanizePercentage }} of its visitors with errors",
        description="The application behind this Traefik service fails, or Traefik cannot reach it.",
    )
    if hosts:
        yield Alert(
            "IngressHostUnprobed",
            expr=f'{UNPROBED} and on () up{{job="blackbox"}} == 1',
            for_="15m",
            severity="warning",
            summary="{{ $labels.instance }} is not probed",
            description="The inventory expects a probe and there is none: whether visitors get an answer is not known.",
        )
    if any(host.certificate for host in hosts):
        yield Alert(
            "IngressCertificateOutdated",
            expr=f"{SERVED_BEHIND} > {limits.served_behind_ratio}",
            for_="1h",
            severity="warning",
            summary="{{ $labels.instance }} still serves the old certificate",
            description="{{ $labels.name }} was renewed and visitors get its predecessor, which will expire: Traefik did not load the new one.",
        )
        yield Alert(
            "IngressCertificateExpiring",
            expr=f"{SERVED_REMAINING} < {limits.served_remaining_ratio}",
            for_="15m",
            severity="critical",
            summary="The certificate that {{ $labels.instance }} serves is about to expire or has expired",
            description="{{ $value | humanizePercentage }} of the lifetime of {{ $labels.name }} is left to what visitors get; browsers refuse the host from 0 on.",
        )
