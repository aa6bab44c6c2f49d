"""ingress: what does a visitor see: an answer, in time, with the right certificate?"""

from __future__ import annotations

from alerts import ingress as a
from dashboards._board import Board, Panel, Row, Variable, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import active, firing
from dashboards._panels import bars, conditions, graph, logs, stat, table, timeline
from homelab.site import Site
from homelab.tables.ingress import Table

HOSTS = 'probe_success{job="blackbox"}'
ON_CHOSEN = 'and on (instance) probe_success{job="blackbox", instance=~"$instance"}'
# The address that visitors come to, where MetalLB hands it out. While no speaker answers nobody knows who has it.
ANNOUNCED = 'metallb_speaker_announced{service=~".+/traefik"}'
ANNOUNCERS = (
    f'max by (ip) (count by (ip, protocol) ({ANNOUNCED}) or on (ip) 0 * homelab:vip:expected{{service="traefik"}})'
    ' and on () up{namespace="metallb-system", container="speaker"} == 1'
)


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("ingress") or a.Limits()
    hosts = site.table(Table).hosts
    certified = any(host.certificate for host in hosts)
    slow = Limits(orange_above=limits.duration_seconds)
    failing = {
        "fails {{instance}}": a.FAILING,
        "not asked {{instance}}": 'up{job="blackbox"} == 0',
        "no probe {{instance}}": f'{a.UNPROBED} and on () up{{job="blackbox"}} == 1',
    }
    of_host = {
        "Answers": Column(HOSTS, "none", states={0: ("no", "red"), 1: ("yes", "green")}),
        "Status": Column('probe_http_status_code{job="blackbox"}', "none"),
        "Takes": Column(a.DURATION, "s", slow),
        "Answered in a day": Column('avg_over_time(probe_success{job="blackbox"}[1d])', "percentunit"),
        "Certificate until": Column('1000 * probe_ssl_earliest_cert_expiry{job="blackbox"}', "dateTimeAsIso"),
    }
    return board(
        "Ingress",
        row(
            "Is it well?",
            stat(
                "Hosts that fail",
                f"count({a.FAILING}) or 0 * count({HOSTS})",
                unit="short",
                limits=Limits(orange_above=1, red_above=max(len(hosts), 1)),
                description="Public hosts that do not answer as they should, seen from inside. All of them is something shared: Traefik, DNS, a middleware or the certificate. A dash is a prober that is gone.",
            ),
            stat(
                "Traefik",
                'max(up{job="traefik"})',
                unit="none",
                states={0: ("silent", "red"), 1: ("answers", "green")},
                description="Whether any pod of Traefik can be scraped. Silent while hosts answer is the scrape only; silent while they fail is an outage of everything.",
            ),
            *_announcers(site),
            *(_least_certificate(limits) if certified else ()),
            stat(
                "Slowest host",
                f"max({a.DURATION})",
                unit="s",
                limits=slow,
                description="How long the slowest probe took, redirects included. The graphs below say which host it is and where the time goes.",
            ),
            stat(
                "Worst service errors",
                f"max({a.ERROR_SHARE} >= 0) or 0 * sum({a.REQUESTS})",
                unit="percentunit",
                limits=Limits(orange_above=limits.errors_ratio),
                description="The share of its requests that the worst service behind Traefik answered with 5xx. With few visitors one failure is much; the alert also wants a rate.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("ingress", width=12),
            conditions(
                "Since when",
                {"Traefik silent": a.TRAEFIK_SILENT, **active("IngressCertificateExpiring")},
                mild=failing
                | (
                    {"old certificate {{instance}}": f"{a.SERVED_BEHIND} > {limits.served_behind_ratio}"}
                    if certified
                    else {}
                )
                | active("IngressHostFlapping", "IngressHostSlow", "IngressErrors"),
                description="A bar while a condition of an alert holds, also before the alert fires. The uppermost are the worst; many hosts at once have one cause.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "What visitors see",
            table(
                "Every host",
                {"instance": "Host"},
                {heading: _by_host(column) for heading, column in of_host.items()},
                description="What a visitor of each host gets right now, those that fail first. Status 0 is no answer at all, 502 and 504 an application that Traefik cannot reach.",
                sort="Answers",
                descending=False,
                width=14,
            ),
            timeline(
                "Answers",
                {"{{instance}}": f"max by (instance) ({HOSTS} {ON_CHOSEN})"},
                states={0: ("fails", "red"), 1: ("answers", "green")},
                description="Whether each host answered its probes. Red for all of them at once is shared; red and green in turns is one broken pod of several.",
                width=10,
            ),
        ),
        row(
            "In time?",
            graph(
                "Time of a probe",
                {"{{instance}}": f"max by (instance) ({a.DURATION} {ON_CHOSEN})"},
                unit="s",
                limits=slow,
                least=0,
                description="How long each host takes to answer. One slow host is its application; all slow together is the node of Traefik, DNS or the network.",
            ),
            graph(
                "Where the time goes",
                {"{{phase}}": 'avg by (phase) (probe_http_duration_seconds{job="blackbox", instance=~"$instance"})'},
                unit="s",
                stack="normal",
                least=0,
                description="The parts of a probe, on average over the chosen hosts. Resolve is DNS, connect and tls are Traefik, processing is the application.",
            ),
            graph(
                "Comes and goes",
                {"{{instance}}": f"max by (instance) ({a.FLAPS} {ON_CHOSEN})"},
                unit="short",
                limits=Limits(orange_above=limits.changes),
                least=0,
                description="Changes between answering and failing within half an hour; down and up again are two. A restart stays far below the limit.",
            ),
        ),
        *(_certificates(limits) if certified else ()),
        row(
            "Traefik",
            graph(
                "Requests by answer",
                {"{{code}}": "sum by (code) (rate(traefik_entrypoint_requests_total[$__rate_interval]))"},
                unit="reqps",
                least=0,
                description="Requests per second by status. 404 that grows is a scanner or a lost route, 5xx an application; a fall of everything to nothing is an outage in front of Traefik.",
            ),
            graph(
                "Share of errors",
                {"{{exported_service}}": a.ERROR_SHARE},
                unit="percentunit",
                limits=Limits(orange_above=limits.errors_ratio),
                least=0,
                description="The share of requests that each service answered with 5xx. Services without any error have no line.",
            ),
            graph(
                "Errors",
                {"{{exported_service}}": a.ERRORS},
                unit="reqps",
                limits=Limits(orange_above=limits.errors_per_second),
                least=0,
                description="5xx answers per second. The alert wants both this and the share above their limits, since one failure of two visits says little.",
            ),
        ),
        row(
            "Traefik itself",
            graph(
                "Slow requests",
                {
                    "{{entrypoint}}": '1 - sum by (entrypoint) (rate(traefik_entrypoint_request_duration_seconds_bucket{le="1.2"}[$__rate_interval])) / sum by (entrypoint) (rate(traefik_entrypoint_request_duration_seconds_count[$__rate_interval]))'
                },
                unit="percentunit",
                least=0,
                description="The share of requests that took longer than Traefik's third bucket, a little over a second. Websockets count whole, so a low plateau is normal.",
            ),
            graph(
                "Open connections",
                {"{{entrypoint}}": "sum by (entrypoint) (traefik_open_connections)"},
                unit="short",
                least=0,
                description="Connections that are open now. A steep climb is a client in a loop, or an application that no longer ends its answers.",
            ),
            graph(
                "Restarts and reloads",
                {
                    "restarts": 'sum(increase(kube_pod_container_status_restarts_total{container="traefik"}[1h]))',
                    "configurations loaded": "sum(increase(traefik_config_reloads_total[1h]))",
                },
                unit="short",
                least=0,
                description="Within an hour. Restarts are a crash or a failed probe of its own; a configuration that is refused shows in the log only.",
            ),
            *_who_announces(site),
            collapsed=True,
        ),
        row(
            "Logs",
            logs(
                "What Traefik says",
                '{namespace="kube-system", container="traefik"} |~ "(?i) (ERR|WRN) |level.{1,3}(error|warn)"',
                description="Errors and warnings of Traefik: routes that do not parse, Secrets that it does not find, certificates that it refuses, services that it cannot reach.",
            ),
            collapsed=True,
        ),
        variables=[Variable("instance", "Host", HOSTS)],
        logs='{namespace="kube-system", container="traefik"}',
    )


def _by_host(column: Column) -> Column:
    return Column(f"max by (instance) ({column.expr})", column.unit, column.limits, column.states)


def _announcers(site: Site) -> tuple[Panel, ...]:
    if "metallb" not in site.subsystems:
        return ()
    return (
        stat(
            "VIP announcers",
            {"{{ip}}": ANNOUNCERS},
            unit="short",
            limits=Limits(red_below=1, red_above=2),
            description="How many nodes announce the address that visitors come to. One is right. With none nobody outside reaches anything, while the probes inside may stay green.",
        ),
    )


def _who_announces(site: Site) -> tuple[Panel, ...]:
    if "metallb" not in site.subsystems:
        return ()
    return (
        timeline(
            "Who announces the address",
            {"{{ip}} on {{node}}": f"max by (ip, node) ({ANNOUNCED})"},
            states={1: ("announces", "green")},
            description="The node that visitors reach. It moves when that node or the pod there goes; a gap is an outage for everybody outside.",
        ),
    )


def _least_certificate(limits: a.Limits) -> tuple[Panel, ...]:
    return (
        stat(
            "Least certificate",
            f"min({a.SERVED_REMAINING})",
            unit="percentunit",
            limits=Limits(red_below=limits.served_remaining_ratio),
            description="What is left of the lifetime of the worst certificate that visitors get. At 0 browsers refuse the host, whatever cert-manager has renewed.",
        ),
    )


def _certificates(limits: a.Limits) -> tuple[Row, ...]:
    return (
        row(
            "Certificates that visitors get",
            bars(
                "Left of the lifetime",
                {"{{instance}}": f"sort(max by (instance) ({a.SERVED_REMAINING}))"},
                unit="percentunit",
                limits=Limits(red_below=limits.served_remaining_ratio),
                description="What is left of what each host really serves, the shortest first. A host that is missing here completes no TLS handshake.",
            ),
            bars(
                "Behind what was renewed",
                {"{{instance}}": f"sort_desc(max by (instance) ({a.SERVED_BEHIND}))"},
                unit="percentunit",
                limits=Limits(orange_above=limits.served_behind_ratio),
                description="How much longer the newest certificate lasts than the one that is served, as a share of its lifetime. A long bar is a renewal that Traefik did not load: restart it.",
            ),
            height=6,
        ),
    )
