"""metallb: does every virtual IP have exactly one announcer, and every LoadBalancer Service an address?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected
from alerts._presence import expected_nodes, node_down, nodes, pods_of_dead_nodes
from homelab.site import Site
from homelab.tables.metallb import Table

NODE_DOWN = node_down("metallb")
NODES = nodes("metallb")
# Ports, names of services and job labels differ before and after 0.16: select by namespace and container.
CONTROLLER = 'up{namespace="metallb-system", container="controller"}'
SPEAKER = 'up{namespace="metallb-system", container="speaker"}'
SPEAKER_ANSWERS = f'label_replace({SPEAKER} == 1, "address", "$1", "instance", "(.*):.*")'
SPEAKER_SILENT = f"{SPEAKER} == 0"
SPEAKER_MISSING = f"{NODES} unless on (address) {SPEAKER_ANSWERS} unless on (node) {NODE_DOWN}"
CONTROLLER_SILENT = f"(max by (namespace, container) ({CONTROLLER}) == 0 or absent({CONTROLLER}))"
CONTAINER_DOWN = "kube_pod_container_status_ready == 0"
# 1 or no series: a speaker that withdraws deletes it.
ANNOUNCED = "metallb_speaker_announced"
UNANNOUNCED = f"homelab:vip:expected unless on (ip) {ANNOUNCED}"
ANNOUNCERS = 'count by (ip, service) (metallb_speaker_announced{protocol="layer2"})'
# A node that takes an address over says so several times within seconds.
TAKEOVERS = "sum by (ip) (increase(metallb_layer2_gratuitous_sent[30m]))"
NO_ENDPOINT = "kube_deployment_status_replicas_available == 0"
PENDING = 'kube_service_spec_type{type="LoadBalancer"} unless on (namespace, service) kube_service_status_load_balancer_ingress'
STALE_PODS = "sum by (namespace) (metallb_k8s_client_config_stale_bool)"
CONFIG_STALE = "max by (namespace, pod) (metallb_k8s_client_config_stale_bool) == 1"
CONFIG_NOT_LOADED = "metallb_k8s_client_config_loaded_bool == 0"


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    gratuitous_packets: int = 40  # in half an hour; six to ten for each time that the address moves


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    yield from expected_nodes(site)
    vips = site.table(Table).vips
    for vip in vips:
        yield Expected(
            "homelab:vip:expected",
            {"ip": vip.address, "service": vip.service, "namespace": vip.namespace, "deployment": vip.deployment},
        )
    yield Alert(
        "MetalLBDown",
        expr=f"max by (namespace, container) ({SPEAKER}) == 0 or absent({SPEAKER}) and on () up",
        for_="10m",
        severity="warning",
        summary="MetalLB cannot be scraped",
        description="No speaker answers, so every other alert on it is blind: a NetworkPolicy that does not match the hosts' addresses looks like this. Since 0.16 metrics are HTTPS on port 9120 and need authorisation.",
    )
    if vips:
        yield Alert(
            "MetalLBAddressNotAnnounced",
            # MetalLB withdraws the address of a Service without endpoints: then the pods are the cause, not MetalLB.
            # A speaker that is silent on a living node may still announce, unless its container is down: unknown is not withdrawn.
            expr=f"{UNANNOUNCED} unless on (namespace, deployment) {NO_ENDPOINT}"
            f" unless on () ({SPEAKER_SILENT} unless on (namespace, pod) {CONTAINER_DOWN} unless on (namespace, pod) {pods_of_dead_nodes('metallb')})"
            f" and on () {SPEAKER_ANSWERS}",
            for_="5m",
            severity="critical",
            summary="Nobody announces {{ $labels.ip }} ({{ $labels.namespace }}/{{ $labels.service }})",
            description="No speaker answers ARP for this address: from outside, everything behind it is unreachable, while probes inside the cluster may stay green.",
        )
    yield Alert(
        "MetalLBAddressAnnouncedTwice",
        expr=f"{ANNOUNCERS} > 1",
        for_="5m",
        severity="critical",
        summary="{{ $value }} nodes announce {{ $labels.ip }} ({{ $labels.service }})",
        description="Clients learn one node or the other by chance and lose their connections: speakers do not see each other.",
    )
    yield Alert(
        "MetalLBAddressMoving",
        expr=f"{TAKEOVERS} > {limits.gratuitous_packets} unless on (ip) {ANNOUNCERS} > 1",
        for_="5m",
        severity="warning",
        summary="{{ $labels.ip }} moves from node to node",
        description="Nodes take it over again and again, and every move breaks the connections of all visitors: speakers that restart, or that lose each other for moments.",
    )
    yield Alert(
        "MetalLBServicePending",
        expr=PENDING,
        for_="10m",
        severity="warning",
        summary="Service {{ $labels.namespace }}/{{ $labels.service }} has no address",
        description="A LoadBalancer Service waits for an address: the pool is used up, does not match, or the controller does not work.",
    )
    yield Alert(
        "MetalLBSpeakerMissing",
        expr=f"{SPEAKER_MISSING} and on () {SPEAKER_ANSWERS}",
        for_="15m",
        severity="warning",
        summary="No MetalLB speaker answers on {{ $labels.node }}",
        description="{{ $labels.node }} ({{ $labels.address }}) cannot take over a virtual IP; one failover less is possible.",
    )
    yield Alert(
        "MetalLBControllerMissing",
        expr=f"{CONTROLLER_SILENT} and on () {SPEAKER} == 1",
        for_="15m",
        severity="warning",
        summary="The MetalLB controller does not answer",
        description="Addresses that are announced stay so; no Service gets a new one.",
    )
    yield Alert(
        "MetalLBConfigStale",
        # One pod is named; more than one are one mistake.
        expr=f"{CONFIG_STALE} and on (namespace) {STALE_PODS} == 1 or {STALE_PODS} > 1",
        for_="10m",
        severity="warning",
        summary="MetalLB rejected its new configuration",
        description="{{ $value }} pods keep the previous one. A revert to exactly that one may leave this alert on until the pods restart.",
    )
    yield Alert(
        "MetalLBConfigNotLoaded",
        expr=CONFIG_NOT_LOADED,
        for_="10m",
        severity="warning",
        summary="{{ $labels.pod }} never loaded a MetalLB configuration",
        description="It restarted while the configuration is invalid. Existing addresses go on; nothing new works.",
    )
