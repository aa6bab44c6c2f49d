"""Which machines are gone, by the inventory: what several subsystems need so that one dead node stays one alert."""

from __future__ import annotations

from alerts._alert import expected
from homelab.inventory import Site

# Host-network targets carry the node's address in their instance.
KUBELET_ANSWERS = (
    'label_replace(up{job="kubelet", metrics_path="/metrics"} == 1, "address", "$1", "instance", "(.*):.*")'
)
NODE_EXPORTER_ANSWERS = 'label_replace(up{job="node-exporter"} == 1, "address", "$1", "instance", "(.*):.*")'
# Silence of every node at once is a fault of scraping, not of three machines.
SOME_NODE_ANSWERS = 'count(up{job=~"kubelet|node-exporter"} == 1) > 0'


def machines(site: Site, **labels: str) -> str:
    """The expected nodes as a vector with `node` and `address`, and `labels` on every series."""
    return expected({"node": n.name, "address": n.address, **labels} for n in site.machines)


def node_down(site: Site) -> str:
    """Expected nodes of which neither the kubelet nor node_exporter answers: {node, address}."""
    return (
        f"({machines(site)} unless on (address) {KUBELET_ANSWERS} unless on (address) {NODE_EXPORTER_ANSWERS}"
        f" and on () {SOME_NODE_ANSWERS})"
    )


def pods_of_dead_nodes(site: Site) -> str:
    """Pods that Kubernetes last saw on a node that is down: {namespace, pod, node, ...}."""
    return f"(kube_pod_info * on (node) group_left () {node_down(site)})"
