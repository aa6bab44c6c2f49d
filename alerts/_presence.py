"""Which machines are gone, by the inventory: what several subsystems need so that one dead node stays one alert."""

from __future__ import annotations

from collections.abc import Iterator

from alerts._alert import Expected
from homelab.site import Site
from homelab.tables.nodes import machines

# Host-network targets carry the node's address in their instance.
KUBELET_ANSWERS = (
    'label_replace(up{job="kubelet", metrics_path="/metrics"} == 1, "address", "$1", "instance", "(.*):.*")'
)
NODE_EXPORTER_ANSWERS = 'label_replace(up{job="node-exporter"} == 1, "address", "$1", "instance", "(.*):.*")'
MACHINE_ANSWERS = 'label_replace(up{job=~"kubelet|node-exporter"} == 1, "address", "$1", "instance", "(.*):.*")'


def expected_nodes(site: Site) -> Iterator[Expected]:
    """The machines of the inventory: {node, address}."""
    for machine in machines(site):
        yield Expected("homelab:node:expected", {"node": machine.name, "address": machine.address})


def nodes(subsystem: str) -> str:
    """The machines that this group expects: {node, address}."""
    return f'homelab:node:expected{{subsystem="{subsystem}"}}'


def node_down(subsystem: str) -> str:
    """Expected machines of which neither the kubelet nor node_exporter answers: {node, address}.

    Silence of every one at once is a fault of scraping, not of all machines: NodesUnobserved answers for that.
    """
    return (
        f'({nodes(subsystem)} unless on (address) {MACHINE_ANSWERS} and on () up{{job=~"kubelet|node-exporter"}} == 1)'
    )


def pods_of_dead_nodes(subsystem: str) -> str:
    """Pods that Kubernetes last saw on a machine that is down: {namespace, pod, node, ...}."""
    return f"(kube_pod_info * on (node) group_left () {node_down(subsystem)})"
