"""certificates: is every certificate renewed in time, measured by its own lifetime?"""

from __future__ import annotations

from alerts import certificates as a
from dashboards._board import Board, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import active, firing
from dashboards._panels import bars, conditions, graph, logs, stat, table
from homelab.site import Site

DAY = 86_400
NAME = "name, exported_namespace"
# While cert-manager is silent nobody knows what exists.
KNOWN = 'and on () up{job="cert-manager"} == 1'
ISSUERS = "certmanager_clusterissuer_ready_status or certmanager_issuer_ready_status"


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("certificates") or a.Limits()
    left = Limits(red_below=limits.remaining_ratio)
    overdue = Limits(orange_above=limits.overdue_ratio)
    k3s = Limits(orange_below=limits.k3s_days * DAY, red_below=limits.k3s_critical_days * DAY)
    return board(
        "Certificates",
        row(
            "Is it well?",
            stat(
                "Least lifetime left",
                {"{{name}}": f"bottomk(2, {a.REMAINING})"},
                unit="percentunit",
                limits=left,
                description="What is left of the lifetime of the certificates that are nearest to their end. Renewal begins at a third; at 0 every client refuses the hosts that it covers.",
            ),
            stat(
                "Renewals overdue",
                f"count({a.OVERDUE} > {limits.overdue_ratio}) or 0 * count({a.RENEWS})",
                unit="short",
                limits=Limits(orange_above=1),
                description="Certificates whose renewal should have succeeded long ago. They are still valid and called Ready while every attempt fails: the DNS token is the usual cause.",
            ),
            stat(
                "Missing or unusable",
                f"(count({a.NOT_READY} or on ({NAME}) ({a.MISSING})) or 0 * count({a.PRESENT})) {KNOWN}",
                unit="short",
                limits=Limits(orange_above=1),
                description="Certificates that do not exist although they should, were never issued, or whose Secret is gone or does not fit.",
            ),
            stat(
                "Issuers not ready",
                f"count({a.ISSUER_NOT_READY}) or 0 * count({ISSUERS})",
                unit="short",
                limits=Limits(orange_above=1),
                description="Issuers that cannot sign. Every renewal of theirs will fail. A dash is a cert-manager that is too old to say so.",
            ),
            stat(
                "k3s certificates",
                f"min({a.K3S_REMAINING})",
                unit="s",
                limits=k3s,
                description="What is left to the k3s certificate that ends first. k3s renews them when it starts: restart it on that node, one node at a time.",
            ),
            stat(
                "cert-manager",
                'max(up{job="cert-manager"})',
                unit="none",
                states={0: ("silent", "orange"), 1: ("answers", "green")},
                description="While it is silent nothing is renewed and no expiry is watched: then this page knows nothing about certificates other than those of k3s.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("certificates", width=12),
            conditions(
                "Since when",
                {
                    "nearly over {{name}}": f"{a.REMAINING} < {limits.remaining_ratio}",
                    **active("K3sCertificateNearlyExpired"),
                },
                mild={
                    "unusable {{name}}": a.NOT_READY,
                    "missing {{name}}": f"{a.MISSING} {KNOWN}",
                    "not renewed {{name}}": f"{a.OVERDUE} > {limits.overdue_ratio}",
                    "issuer not ready {{name}}": a.ISSUER_NOT_READY,
                    "challenge open {{domain}}": a.CHALLENGE_OPEN,
                    **active("CertManagerDown", "AcmeRequestsFailing", "K3sCertificateExpiring"),
                },
                description="A bar while a condition of an alert holds, also before the alert fires. The uppermost are the worst. An open challenge is normal for the minutes of a renewal.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "What expires next",
            table(
                "Every certificate",
                {"name": "Certificate", "exported_namespace": "Namespace"},
                {
                    "Left": Column(a.REMAINING, "percentunit", left),
                    "Expires": Column(f"1000 * {a.EXPIRES}", "dateTimeAsIso"),
                    "Renewal": Column(f"1000 * {a.RENEWS}", "dateTimeFromNow"),
                    "Overdue": Column(f"clamp_min({a.OVERDUE}, 0)", "percentunit", overdue),
                    "Ready": Column(
                        f'max by ({NAME}) (certmanager_certificate_ready_status{{condition="True"}})',
                        "none",
                        states={0: ("no", "red"), 1: ("yes", "green")},
                    ),
                },
                description="The nearest to its end first; left and overdue are shares of its own lifetime. A renewal that lies in the past is one that fails, whatever Ready says.",
                sort="Left",
                descending=False,
                width=16,
            ),
            bars(
                "Left of the lifetime",
                {"{{name}}": f"sort({a.REMAINING})"},
                unit="percentunit",
                limits=left,
                description="The same as bars, the shortest first. A certificate that is renewed in time never falls much below a third.",
                width=8,
            ),
        ),
        row(
            "k3s",
            bars(
                "Nodes",
                {"{{node}}": f"sort({a.K3S_REMAINING})"},
                unit="s",
                limits=k3s,
                description="What is left to the first certificate of each node that ends. Past 0 the node drops out of the cluster; a restart of k3s renews what is due.",
                width=8,
            ),
            table(
                "Every certificate of k3s",
                {"node": "Node", "subject": "Subject"},
                {
                    "Left": Column(
                        'min by (node, subject) (k3s_certificate_expiration_seconds{job="kubelet"})', "s", k3s
                    )
                },
                description="All that k3s looks after, the first to end on top. A single old one among young ones was not rotated: its file may have been replaced by hand.",
                sort="Left",
                descending=False,
                width=16,
            ),
        ),
        row(
            "Let's Encrypt",
            graph(
                "Refused requests",
                {"{{host}} answers {{status}}": a.ACME_ERRORS},
                unit="short",
                limits=Limits(orange_above=limits.acme_errors),
                least=0,
                empty="a series exists only for a status that is an error",
                description="Failed requests within an hour. 429 is a rate limit and needs patience, 401 and 403 the account key or the terms, 999 is no answer at all.",
            ),
            graph(
                "All requests",
                {
                    "{{host}} {{status}}": "sum by (host, status) (increase(certmanager_http_acme_client_request_count[1h]))"
                },
                unit="short",
                least=0,
                description="Requests to the certificate authority within an hour. Quiet for weeks and busy for minutes is normal; a plateau is a renewal in a loop.",
            ),
            graph(
                "Failed rounds of cert-manager",
                {"{{controller}}": "sum by (controller) (increase(certmanager_controller_sync_error_count[1h]))"},
                unit="short",
                least=0,
                description="Rounds that ended with an error within an hour, by controller. Challenges are DNS and its token, orders the authority, certificates a Secret.",
            ),
        ),
        row(
            "In the long run",
            graph(
                "Life left",
                {"{{name}}": a.REMAINING},
                unit="percentunit",
                limits=left,
                least=0,
                description="A sawtooth over months: it jumps up with each renewal. Choose ninety days to see whether the last one came in time.",
            ),
            graph(
                "Overdue",
                {"{{name}}": a.OVERDUE},
                unit="percentunit",
                limits=overdue,
                description="How long each renewal is overdue, as a share of the lifetime; below 0 it is not due. It rises for as long as every attempt fails.",
            ),
            collapsed=True,
        ),
        row(
            "Logs",
            logs(
                "What cert-manager says",
                '{namespace="cert-manager"} |~ "(?i)^E[0-9]|level=error|propagation|429|acme: "',
                description="Errors of cert-manager, and what it waits for. Look for the name of the certificate: the first refusal has the reason.",
            ),
            collapsed=True,
        ),
        logs='{namespace="cert-manager"}',
    )
