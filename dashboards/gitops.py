"""gitops: does Flux apply what stands in Git?"""

from __future__ import annotations

from alerts import gitops as a
from dashboards._board import Board, Variable, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import firing
from dashboards._panels import conditions, graph, logs, stat, table, timeline
from homelab.site import Site
from homelab.tables.gitops import Table

OBJECT = "customresource_kind, exported_namespace, name"
OBJECTS = 'gotk_resource_info{customresource_kind!~"Alert|Provider"}'
CHOSEN = 'gotk_resource_info{customresource_kind!~"Alert|Provider", name=~"$name"}'
# 0 ready, 1 not ready, 2 neither is said. An object that has two series for a moment shows the worse one.
READY = f'max by ({OBJECT}) (0 * gotk_resource_info{{ready="True"}} or gotk_resource_info{{ready="False"}} or 2 * {OBJECTS})'
READY_CHOSEN = f'max by ({OBJECT}) (0 * gotk_resource_info{{ready="True", name=~"$name"}} or gotk_resource_info{{ready="False", name=~"$name"}} or 2 * {CHOSEN})'
IS_SUSPENDED = f'max by ({OBJECT}) (gotk_resource_info{{suspended="true"}} or 0 * {OBJECTS})'
# Releases are reconciled every half hour or hour: a shorter range would show gaps.
DURATION = (
    "sum by (kind, exported_namespace, name) (rate(gotk_reconcile_duration_seconds_sum[2h]))"
    " / (sum by (kind, exported_namespace, name) (rate(gotk_reconcile_duration_seconds_count[2h])) > 0)"
)
RUNS = "sum by (kind, exported_namespace, name) (increase(gotk_reconcile_duration_seconds_count[2h]))"
# The name of the Deployment instead of the pod's.
CONTROLLER = '"controller", "$1", "pod", "(.+)-[^-]+-[^-]+"'
READINESS = {0: ("ready", "green"), 1: ("not ready", "orange"), 2: ("unknown", "purple")}


def of_object(query: str) -> str:
    """Durations and runs carry the object's kind under a name of their own."""
    return f'max by ({OBJECT}) (label_replace({query}, "customresource_kind", "$1", "kind", "(.+)"))'


def dashboard(site: Site) -> Board:
    """The page."""
    wanted = site.table(Table).expected
    return board(
        "GitOps",
        row(
            "Is it well?",
            stat(
                "Controllers answering",
                'sum(up{job="flux-system/flux-system"}) or 0 * count(up)',
                unit="short",
                limits=Limits(orange_below=1),
                description="Processes of Flux that can be scraped. None: Flux is down, or a NetworkPolicy is in the way. What was applied goes on as it is.",
            ),
            stat(
                "Objects not ready",
                f"count({a.NOT_READY}) or 0 * count({OBJECTS})",
                unit="short",
                limits=Limits(orange_above=1),
                description="Objects of Flux that were not applied, fetched or installed. Normal for minutes during an update; for longer, the message of the first one in the chain names the cause.",
            ),
            stat(
                "Controllers gone",
                f'count({a.UNAVAILABLE}) or 0 * count(kube_deployment_status_replicas_available{{namespace="flux-system"}})',
                unit="short",
                limits=Limits(orange_above=1),
                description="Deployments of Flux of which no pod is available, those that somebody scaled to zero among them. Their objects keep saying that they are ready.",
            ),
            stat(
                "Controllers stuck",
                f"count({a.RECONCILIATIONS} == 0) or 0 * count({a.RECONCILIATIONS})",
                unit="short",
                limits=Limits(orange_above=1),
                description="Controllers that answer and finish nothing, not even in vain. Restart the one that the graph of reconciliations below shows at 0.",
            ),
            *(
                [
                    stat(
                        "Objects missing",
                        f'(count({a.OBJECT_MISSING}) or 0 * count(homelab:flux_object:expected)) and on () up{{job="kube-state-metrics"}} == 1',
                        unit="short",
                        limits=Limits(orange_above=1),
                        description="Objects of homelab.yaml that kube-state-metrics does not report. All of them at once: it lost its configuration for Flux, and this page is blind.",
                    )
                ]
                if wanted
                else []
            ),
            stat(
                "Objects suspended",
                f"count({a.SUSPENDED}) or 0 * count({OBJECTS})",
                unit="short",
                description="Objects that somebody suspended: changes in Git do not reach them. Fine for a debugging session; resume them afterwards.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("gitops", width=12),
            conditions(
                "Since when",
                {},
                mild={
                    "no controller answers": 'absent(up{job="flux-system/flux-system"} == 1) and on () up',
                    "no pod {{deployment}}": a.UNAVAILABLE,
                    "stands still {{controller}}": f"label_replace({a.RECONCILIATIONS} == 0, {CONTROLLER})",
                    "not ready {{customresource_kind}} {{name}}": a.NOT_READY,
                    **({"missing {{customresource_kind}} {{name}}": a.OBJECT_MISSING} if wanted else {}),
                    "suspended {{customresource_kind}} {{name}}": a.SUSPENDED,
                },
                description="A bar while a condition of an alert holds, also before the alert fires. A source that is not ready explains everything that is made from it; compare with the time of the last commit.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "Objects",
            table(
                "Every object",
                {"customresource_kind": "Kind", "exported_namespace": "Namespace", "name": "Name"},
                {
                    "State": Column(READY, "none", states=READINESS),
                    "Suspended": Column(IS_SUSPENDED, "none", states={0: ("no", "green"), 1: ("suspended", "orange")}),
                    "Takes": Column(of_object(DURATION), "s"),
                    "Runs in 2 h": Column(f"round({of_object(RUNS)})", "short"),
                },
                description="All that Flux looks after, the worst first. Unknown is an object that no controller has looked at yet, or that is being worked on. Runs include those that failed.",
                sort="State",
                width=14,
            ),
            timeline(
                "Readiness",
                {"{{customresource_kind}} {{name}}": READY_CHOSEN},
                states=READINESS,
                description="The state over time of the objects chosen above. Orange that follows a commit is that commit; orange on a source is its address or its key.",
                width=10,
            ),
            graph(
                "Time of a reconciliation",
                {
                    "{{kind}} {{name}}": f'{DURATION} and on (name) gotk_reconcile_duration_seconds_count{{name=~"$name"}}'
                },
                unit="s",
                least=0,
                description="The average of two hours, for the objects chosen above. A step upwards is a change that does not become ready; a line that ends is an object that is not reconciled any more.",
                width=24,
            ),
        ),
        row(
            "Revisions",
            table(
                "What is applied",
                {
                    "customresource_kind": "Kind",
                    "exported_namespace": "Namespace",
                    "name": "Name",
                    "revision": "Revision",
                },
                {
                    "Ready": Column(
                        f'max by ({OBJECT}, revision) (gotk_resource_info{{revision!="", ready="True"}} or 0 * gotk_resource_info{{revision!=""}})',
                        "none",
                        states={0: ("no", "orange"), 1: ("yes", "green")},
                    )
                },
                description="The commit or the chart's version that each object last attempted or applied. Compare it with Git: an older one on an object that is ready means that nobody reconciles it.",
                sort="Name",
                descending=False,
            ),
            collapsed=True,
        ),
        row(
            "Controllers",
            graph(
                "Reconciliations",
                {"{{controller}}": f"label_replace({a.RECONCILIATIONS}, {CONTROLLER})"},
                unit="short",
                least=0,
                description="Reconciliations of each controller in half an hour; of the helm-controller in somewhat more than one. At 0 it hangs, whatever its objects say.",
                width=8,
            ),
            graph(
                "Failed reconciliations",
                {
                    "{{controller}}": 'sum by (controller) (increase(controller_runtime_reconcile_total{job="flux-system/flux-system", result="error"}[$__rate_interval]))'
                },
                unit="short",
                least=0,
                description="Reconciliations that ended in an error, by kind of object. Many failures do not count here but show as objects that are not ready.",
                width=8,
            ),
            graph(
                "Queues",
                {
                    "waiting {{name}}": 'sum by (name) (workqueue_depth{job="flux-system/flux-system"})',
                },
                unit="short",
                least=0,
                description="Objects that wait for their controller. A short burst after a commit is normal; a queue that only grows is a controller that hangs.",
                width=8,
            ),
            graph(
                "Longest at work",
                {
                    "{{name}}": 'max by (name) (workqueue_longest_running_processor_seconds{job="flux-system/flux-system"})',
                },
                unit="s",
                least=0,
                description="For how long the reconciliation that is running now has been running. A line that climbs for many minutes is the object that blocks the others; the log of the controller stops at it.",
                width=8,
            ),
            graph(
                "Memory",
                {
                    "{{controller}}": f'label_replace(max by (pod) (process_resident_memory_bytes{{job="flux-system/flux-system"}}), {CONTROLLER})'
                },
                unit="bytes",
                least=0,
                description="Memory of each controller. One that climbs and begins anew is killed at its limit, often in the middle of a large apply.",
                width=8,
            ),
            graph(
                "Restarts",
                {
                    "{{controller}}": f'label_replace(sum by (pod) (increase(kube_pod_container_status_restarts_total{{namespace="flux-system"}}[1h])), {CONTROLLER})'
                },
                unit="short",
                least=0,
                description="Restarts within an hour. Any that an update does not explain are a crash or want of memory.",
                width=8,
            ),
        ),
        row(
            "Logs",
            logs(
                "Errors of Flux",
                '{namespace="flux-system"} |~ "\\"level\\":\\"error\\""',
                description="What the controllers could not do, with the name of the object. The first line after a commit is usually the cause, the others wait for it.",
                width=12,
            ),
            logs(
                "Events",
                '{job="kubernetes-events"} |~ "(?i)(kustomization|helmrelease|gitrepository|helmrepository|ocirepository|helmchart)" |~ "(?i)(fail|error|not found|denied)"',
                description="Kubernetes events of Flux's objects that tell of a failure.",
                width=12,
            ),
            collapsed=True,
        ),
        variables=[Variable("name", "Object", "gotk_resource_info")],
        logs='{namespace="flux-system"}',
    )
