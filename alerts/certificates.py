"""certificates: is every certificate renewed in time, measured by its own lifetime?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected, target_down
from homelab.site import Site
from homelab.tables.certificates import Table

# Without honorLabels the certificate's own namespace arrives as exported_namespace. 0 is "never issued".
EXPIRES = "max by (name, exported_namespace) (certmanager_certificate_expiration_timestamp_seconds > 0)"
RENEWS = "max by (name, exported_namespace) (certmanager_certificate_renewal_timestamp_seconds > 0)"
# not_before exists since 1.18. Before that: renewal is due when a third of the lifetime is left.
LIFETIME = (
    "(max by (name, exported_namespace) ((certmanager_certificate_not_after_timestamp_seconds > 0) - (certmanager_certificate_not_before_timestamp_seconds > 0))"
    " or 3 * max by (name, exported_namespace) ((certmanager_certificate_expiration_timestamp_seconds > 0) - (certmanager_certificate_renewal_timestamp_seconds > 0)))"
)
# As shares of the certificate's own lifetime: days would be wrong for a certificate of six days or of ninety.
OVERDUE = f"(time() - {RENEWS}) / {LIFETIME}"
REMAINING = f"({EXPIRES} - time()) / {LIFETIME}"
# Stays ready while a renewal keeps failing: this is about certificates that cannot be used at all.
NOT_READY = 'max by (name, exported_namespace) (certmanager_certificate_ready_status{condition!="True"} == 1)'
PRESENT = "certmanager_certificate_ready_status"
MISSING = f"homelab:certificate:expected unless on (name, exported_namespace) {PRESENT}"
ISSUER_NOT_READY = 'max by (name, exported_namespace) (certmanager_clusterissuer_ready_status{condition!="True"} == 1 or certmanager_issuer_ready_status{condition!="True"} == 1)'
# Exists while a challenge does, which takes minutes. Its name and its reason change with every attempt.
CHALLENGE_OPEN = (
    'max by (exported_namespace, domain) (certmanager_certificate_challenge_status{status!~"ready|valid"} == 1)'
)
# 999 is a transport failure. The name keeps its http_ in every version.
ACME_ERRORS = 'sum by (job, host, status) (increase(certmanager_http_acme_client_request_count{status=~"401|403|429|5..|999"}[1h]))'
# k3s exposes the REMAINING seconds, not a timestamp.
# The same series come by the job apiserver too, without a node.
K3S_REMAINING = 'min by (node) (k3s_certificate_expiration_seconds{job="kubelet"})'


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    overdue_ratio: float = 0.10  # of the lifetime: nine days of ninety; cert-manager retries with back-off
    remaining_ratio: float = 0.10  # of the lifetime: nine days of ninety
    acme_errors: int = 3  # in an hour; single ones happen
    k3s_days: int = 30  # k3s renews at a restart within 90 days of the end
    k3s_critical_days: int = 3  # a weekend


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    certificates = site.table(Table).expected
    for certificate in certificates:
        labels = {"name": certificate.name, "exported_namespace": certificate.namespace}
        yield Expected("homelab:certificate:expected", labels)
    yield target_down("CertManagerDown", job="cert-manager", what="cert-manager")
    yield Alert(
        "CertificateRenewalOverdue",
        expr=f"{OVERDUE} > {limits.overdue_ratio} unless on (name, exported_namespace) {REMAINING} < {limits.remaining_ratio}",
        for_="30m",
        severity="warning",
        summary="Certificate {{ $labels.name }} ({{ $labels.exported_namespace }}) is not renewed",
        description="Its renewal is overdue by {{ $value | humanizePercentage }} of its lifetime. It is still valid and still Ready; each attempt to renew fails.",
    )
    yield Alert(
        "CertificateExpiring",
        expr=f"{REMAINING} < {limits.remaining_ratio}",
        for_="10m",
        severity="critical",
        summary="Certificate {{ $labels.name }} ({{ $labels.exported_namespace }}) is about to expire or has expired",
        description="{{ $value | humanizePercentage }} of its lifetime is left and it was not renewed. Its clients fail from 0 on.",
    )
    yield Alert(
        "CertificateNotReady",
        expr=f"{NOT_READY} unless on (name, exported_namespace) {REMAINING} < {limits.remaining_ratio}",
        for_="30m",
        severity="warning",
        summary="Certificate {{ $labels.name }} ({{ $labels.exported_namespace }}) cannot be used",
        description="It was never issued, its Secret is missing, or it does not match what is asked for.",
    )
    if certificates:
        yield Alert(
            "CertificateMissing",
            expr=f'{MISSING} and on () up{{job="cert-manager"}} == 1',
            for_="30m",
            severity="warning",
            summary="Certificate {{ $labels.name }} ({{ $labels.exported_namespace }}) does not exist",
            description="The inventory expects it; nothing will renew what is being served.",
        )
    yield Alert(
        "CertificateIssuerNotReady",
        expr=ISSUER_NOT_READY,
        for_="15m",
        severity="warning",
        summary="Issuer {{ $labels.name }} is not ready",
        description="The next renewal of every certificate of this issuer will fail. Often its account key or its DNS token is gone.",
    )
    yield Alert(
        "CertificateChallengeStuck",
        expr=CHALLENGE_OPEN,
        for_="1h",
        severity="warning",
        summary="The challenge for {{ $labels.domain }} ({{ $labels.exported_namespace }}) does not succeed",
        description="A certificate waits for it: the record is not visible to everybody, the DNS token may not write it, or the name is refused. An old certificate stays Ready meanwhile.",
    )
    yield Alert(
        "AcmeRequestsFailing",
        expr=f"{ACME_ERRORS} > {limits.acme_errors}",
        for_="15m",
        severity="warning",
        summary="{{ $labels.host }} answers {{ $labels.status }} to cert-manager",
        description="{{ $value | humanize }} failed requests within an hour. 429 is a rate limit: find what asks so often before more certificates are due.",
    )
    yield Alert(
        "K3sCertificateExpiring",
        expr=f"{K3S_REMAINING} < {limits.k3s_days} * 86400 >= {limits.k3s_critical_days} * 86400",
        for_="15m",
        severity="warning",
        summary="k3s certificates of {{ $labels.node }} expire in {{ $value | humanizeDuration }}",
        description="k3s renews them when it starts, and this node was not restarted for long. Past the end the node drops out of the cluster.",
    )
    yield Alert(
        "K3sCertificateNearlyExpired",
        expr=f"{K3S_REMAINING} < {limits.k3s_critical_days} * 86400",
        for_="10m",
        severity="critical",
        summary="k3s certificates of {{ $labels.node }} expire in {{ $value | humanizeDuration }}",
        description="Restart k3s on this node now: past the end its API server, kubelet and etcd are refused, and it drops out of the cluster.",
    )
