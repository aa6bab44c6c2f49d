"""nodes: are the machines up, in time, with memory and space, and are the claims that they mount?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected
from alerts._presence import KUBELET_ANSWERS, NODE_EXPORTER_ANSWERS, expected_nodes, node_down, nodes
from homelab.site import Site

# What of its dashboard an alert's labels choose.
VARIABLES = {"persistentvolumeclaim": ("persistentvolumeclaim",)}

NODE_DOWN = node_down("nodes")
NODES = nodes("nodes")
MACHINES = 'up{job=~"kubelet|node-exporter"}'
# With none left, NodesUnobserved says so once.
SOME_MACHINE_ANSWERS = f"{MACHINES} == 1"
KUBELET_SILENT = f"{NODES} unless on (address) {KUBELET_ANSWERS} unless on (node) {NODE_DOWN}"
NODE_EXPORTER_SILENT = f"{NODES} unless on (address) {NODE_EXPORTER_ANSWERS} unless on (node) {NODE_DOWN}"
# A dead node turns to status="unknown", not to "false".
NOT_READY = 'kube_node_status_condition{condition="Ready", status="true"} == 0'
CORDONED = "kube_node_spec_unschedulable == 1"
# node_exporter knows addresses, people know names.
NAME = "* on (instance) group_left (nodename) node_uname_info"
# The kubelet's own opinion: it evicts pods and takes no new ones.
PRESSURE = 'max by (node, condition) (kube_node_status_condition{condition=~".+Pressure", status="true"}) == 1'
# Down and up again count one each; two restarts are four.
KUBELET_CHANGES = 'max by (node, instance) (changes(up{job="kubelet", metrics_path="/metrics"}[30m]))'
# To the minute, since the boot time wobbles by a second when the clock is corrected.
REBOOTS = f"changes(round(node_boot_time_seconds, 60)[1h:1m]) {NAME}"
LOAD = f'node_load15 / on (instance) count by (instance) (node_cpu_seconds_total{{mode="idle"}}) {NAME}'
OOM_KILLS = f"increase(node_vmstat_oom_kill[30m]) {NAME}"
MEMORY_AVAILABLE = f"node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes {NAME}"
CLOCK_LOST = f"(node_timex_sync_status == bool 0) * (node_timex_maxerror_seconds >= bool 16) {NAME} == 1"
CLOCK_OFFSET = f"abs(node_timex_offset_seconds) {NAME}"
# Bind mounts repeat a device; /mnt/longhorn is watched as a Longhorn disk.
FREE = f'max by (instance, device, mountpoint) (node_filesystem_avail_bytes{{fstype=~"ext4|xfs|btrfs|f2fs", mountpoint!="/mnt/longhorn"}} / node_filesystem_size_bytes) {NAME}'
FREE_TOMORROW = f'max by (instance, device, mountpoint) (predict_linear(node_filesystem_avail_bytes{{fstype=~"ext4|xfs|btrfs|f2fs", mountpoint!="/mnt/longhorn"}}[6h], 24 * 3600)) {NAME}'
# A large image is a step: a slope for six hours in the forecast above, and over after half of one.
FREE_STILL = f'max by (instance, device, mountpoint) (predict_linear(node_filesystem_avail_bytes{{fstype=~"ext4|xfs|btrfs|f2fs", mountpoint!="/mnt/longhorn"}}[30m], 24 * 3600)) {NAME}'
INODES_FREE = f'max by (instance, device, mountpoint) (node_filesystem_files_free{{fstype=~"ext4|xfs"}} / (node_filesystem_files > 0)) {NAME}'
READ_ONLY = (
    f'max by (instance, device, mountpoint) (node_filesystem_readonly{{fstype=~"ext4|xfs|btrfs|f2fs"}}) {NAME} == 1'
)
# With an error the size series vanish and every rule on space goes quiet.
UNREADABLE = f"max by (instance, device, mountpoint) (node_filesystem_device_error) {NAME} == 1"
# -125000 is "unknown".
LINK_SPEED = f'(node_network_speed_bytes{{device=~"e.+"}} > 0) {NAME}'
NETWORK_ERRORS = f'(rate(node_network_receive_errs_total{{device=~"e.+"}}[10m]) + rate(node_network_transmit_errs_total{{device=~"e.+"}}[10m])) {NAME}'
# Down and up again count one each.
LINK_CHANGES = f'increase(node_network_carrier_changes_total{{device=~"e.+"}}[30m]) {NAME}'
CONNTRACK_USED = f"node_nf_conntrack_entries / node_nf_conntrack_entries_limit {NAME}"
# Only while a pod mounts the claim; block volumes report 0.
CLAIM_FREE = "min by (namespace, persistentvolumeclaim) (kubelet_volume_stats_available_bytes / (kubelet_volume_stats_capacity_bytes > 0))"
CLAIM_FREE_TOMORROW = (
    "min by (namespace, persistentvolumeclaim) (predict_linear(kubelet_volume_stats_available_bytes[6h], 24 * 3600))"
)
CLAIM_FREE_STILL = (
    "min by (namespace, persistentvolumeclaim) (predict_linear(kubelet_volume_stats_available_bytes[30m], 24 * 3600))"
)
CLAIM_INODES_FREE = (
    "min by (namespace, persistentvolumeclaim) (kubelet_volume_stats_inodes_free / (kubelet_volume_stats_inodes > 0))"
)


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    cordoned_hours: float = 2  # planned work takes an hour
    kubelet_changes: int = 5  # in half an hour
    reboots: int = 2  # in an hour; an update may need two
    load_per_core: float = 4  # over 15 minutes; two are a well used node
    oom_kills: int = 2  # in half an hour; one is a process at its own limit
    memory_ratio: float = 0.08
    clock_offset_seconds: float = 0.1  # etcd leases and signed requests to the stores suffer first
    free_ratio: float = 0.10
    free_critical_ratio: float = 0.05
    inodes_ratio: float = 0.05
    link_bytes_per_second: float = 125_000_000  # gigabit
    network_errors_per_second: float = 1
    link_changes: int = 8  # in half an hour; plugging a cable twice is half of it
    conntrack_ratio: float = 0.75


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    yield from expected_nodes(site)
    yield Alert(
        "NodeDown",
        expr=NODE_DOWN,
        for_="5m",
        severity="critical",
        summary="{{ $labels.node }} ({{ $labels.address }}) is down",
        description="Neither its kubelet nor node_exporter answers: no power, no network, or a hung kernel. Everything on it is gone, and with it the spare member of etcd.",
    )
    yield Alert(
        "NodesUnobserved",
        expr=f"absent({SOME_MACHINE_ANSWERS}) and on () up",
        for_="5m",
        severity="critical",
        summary="No node can be scraped",
        description="No kubelet and no node_exporter answers Prometheus: all machines are down, or scraping is. Every alert on nodes is blind.",
    )
    yield Alert(
        "NodeNotReady",
        expr=f"{NOT_READY} unless on (node) {NODE_DOWN}",
        for_="10m",
        severity="warning",
        summary="{{ $labels.node }} is not ready",
        description="The machine lives and its kubelet does not report. Pods there run on unmanaged and are replaced elsewhere.",
    )
    yield Alert(
        "NodeKubeletMissing",
        expr=f"{KUBELET_SILENT} unless on (node) {NOT_READY} and on () ({SOME_MACHINE_ANSWERS})",
        for_="15m",
        severity="warning",
        summary="The kubelet of {{ $labels.node }} cannot be scraped",
        description="The node is ready, so it is the way there: a NetworkPolicy, or authorisation. Volume figures of its pods are missing.",
    )
    yield Alert(
        "NodeKubeletFlapping",
        expr=f"{KUBELET_CHANGES} > {limits.kubelet_changes}",
        for_="5m",
        severity="warning",
        summary="The kubelet of {{ $labels.node }} comes and goes",
        description="{{ $labels.instance }} answers now and then: k3s dies and is started again, or the network of the node does not last. Its etcd member goes with it.",
    )
    yield Alert(
        "NodeExporterMissing",
        expr=f"{NODE_EXPORTER_SILENT} and on () ({SOME_MACHINE_ANSWERS})",
        for_="15m",
        severity="warning",
        summary="node_exporter on {{ $labels.node }} cannot be scraped",
        description="Memory, space, clock and network of this machine are unobserved.",
    )
    yield Alert(
        "NodeCordonedLong",
        expr=f"{CORDONED}",
        for_=f"{limits.cordoned_hours:g}h",
        severity="warning",
        summary="{{ $labels.node }} is still cordoned",
        description="Nothing is scheduled there; the work was probably finished and the node forgotten.",
    )
    yield Alert(
        "NodeUnderPressure",
        expr=PRESSURE,
        for_="5m",
        severity="warning",
        summary="{{ $labels.node }} is under {{ $labels.condition }}",
        description="The kubelet evicts pods from it and takes no new ones. Its own limits may be reached before those of the other alerts are.",
    )
    yield Alert(
        "NodeRebootsOften",
        expr=f"{REBOOTS} > {limits.reboots}",
        for_="5m",
        severity="warning",
        summary="{{ $labels.nodename }} was started {{ $value }} times in an hour",
        description="{{ $labels.instance }} comes back each time, so it is never down for long: a watchdog, the supply, or a kernel that panics.",
    )
    yield Alert(
        "NodeOverloaded",
        expr=f"{LOAD} > {limits.load_per_core}",
        for_="30m",
        severity="warning",
        summary="{{ $labels.nodename }} has {{ $value | humanize }} processes waiting per core",
        description="For three quarters of an hour {{ $labels.instance }} had far more to do than it can: etcd, probes and everything else there are late.",
    )
    yield Alert(
        "NodeKillsProcesses",
        expr=f"{OOM_KILLS} > {limits.oom_kills}",
        for_="5m",
        severity="warning",
        summary="The kernel of {{ $labels.nodename }} killed {{ $value | humanize }} processes for memory",
        description="In half an hour on {{ $labels.instance }}: after each there is memory again, until the same one has grown. Its log names the victim.",
    )
    yield Alert(
        "NodeMemoryLow",
        expr=f"{MEMORY_AVAILABLE} < {limits.memory_ratio}",
        for_="10m",
        severity="warning",
        summary="{{ $labels.nodename }} has {{ $value | humanizePercentage }} of its memory left",
        description="The kernel is about to kill something on {{ $labels.instance }}; etcd and the kubelet slow down first.",
    )
    yield Alert(
        "NodeClockWrong",
        expr=f"{CLOCK_LOST} or {CLOCK_OFFSET} > {limits.clock_offset_seconds}",
        for_="10m",
        severity="warning",
        summary="The clock of {{ $labels.nodename }} is not synchronised",
        description="{{ $labels.instance }} reaches no time server or drifts. TLS, etcd leases, log order and signed requests to backup stores depend on it.",
    )
    yield Alert(
        "NodeFilesystemFillingSoon",
        expr=f"{FREE_TOMORROW} < 0 and {FREE_STILL} < 0 and {FREE} < 0.4 unless {FREE} < {limits.free_ratio}",
        for_="1h",
        severity="warning",
        summary="{{ $labels.mountpoint }} on {{ $labels.nodename }} will be full within a day",
        description="If {{ $labels.device }} on {{ $labels.instance }} goes on filling as in the last hours.",
    )
    yield Alert(
        "NodeFilesystemFilling",
        expr=f"{FREE} < {limits.free_ratio} >= {limits.free_critical_ratio}",
        for_="15m",
        severity="warning",
        summary="{{ $labels.mountpoint }} on {{ $labels.nodename }} has {{ $value | humanizePercentage }} left",
        description="The kubelet of {{ $labels.instance }} evicts pods and removes images when {{ $labels.device }} is nearly full.",
    )
    yield Alert(
        "NodeFilesystemNearlyFull",
        expr=f"{FREE} < {limits.free_critical_ratio}",
        for_="10m",
        severity="critical",
        summary="{{ $labels.mountpoint }} on {{ $labels.nodename }} has only {{ $value | humanizePercentage }} left",
        description="{{ $labels.device }} on {{ $labels.instance }}: k3s, containerd and logs stop working when it is full.",
    )
    yield Alert(
        "NodeInodesLow",
        expr=f"{INODES_FREE} < {limits.inodes_ratio}",
        for_="15m",
        severity="warning",
        summary="{{ $labels.mountpoint }} on {{ $labels.nodename }} has {{ $value | humanizePercentage }} of its inodes left",
        description="No file can be created on {{ $labels.device }} at 0, however much space is free.",
    )
    yield Alert(
        "NodeFilesystemReadOnly",
        expr=READ_ONLY,
        for_="5m",
        severity="critical",
        summary="{{ $labels.mountpoint }} on {{ $labels.nodename }} is read-only",
        description="The kernel remounted {{ $labels.device }} on {{ $labels.instance }} after an I/O error; its space figures look perfect.",
    )
    yield Alert(
        "NodeFilesystemUnreadable",
        expr=UNREADABLE,
        for_="10m",
        severity="warning",
        summary="{{ $labels.mountpoint }} on {{ $labels.nodename }} cannot be looked at",
        description="statfs of {{ $labels.device }} fails or hangs, so its space is unknown: a stuck network mount or a dead drive.",
    )
    yield Alert(
        "NodeLinkSlow",
        expr=f"{LINK_SPEED} < {limits.link_bytes_per_second:.0f}",
        for_="15m",
        severity="warning",
        summary="{{ $labels.device }} of {{ $labels.nodename }} links at {{ $value | humanize }}B/s",
        description="Less than it should negotiate: usually the cable or the switch port. Replicas and etcd share this link.",
    )
    yield Alert(
        "NodeNetworkErrors",
        expr=f"{NETWORK_ERRORS} > {limits.network_errors_per_second}",
        for_="30m",
        severity="warning",
        summary="{{ $labels.device }} of {{ $labels.nodename }} has {{ $value | humanize }} errors a second",
        description="A bad cable, port or driver on {{ $labels.instance }}.",
    )
    yield Alert(
        "NodeLinkFlapping",
        expr=f"{LINK_CHANGES} > {limits.link_changes}",
        for_="5m",
        severity="warning",
        summary="{{ $labels.device }} of {{ $labels.nodename }} goes down and up again",
        description="Its carrier changed about {{ $value | humanize }} times in half an hour: a loose plug, a bad port, or the supply of the switch. Nothing else may tell.",
    )
    yield Alert(
        "NodeConntrackFilling",
        expr=f"{CONNTRACK_USED} > {limits.conntrack_ratio}",
        for_="10m",
        severity="warning",
        summary="{{ $labels.nodename }} tracks {{ $value | humanizePercentage }} of the connections it can",
        description="When the table of {{ $labels.instance }} is full, new connections are dropped.",
    )
    yield Alert(
        "VolumeFillingSoon",
        expr=f"{CLAIM_FREE_TOMORROW} < 0 and {CLAIM_FREE_STILL} < 0 and {CLAIM_FREE} < 0.5 unless {CLAIM_FREE} < {limits.free_ratio}",
        for_="1h",
        severity="warning",
        summary="Claim {{ $labels.persistentvolumeclaim }} ({{ $labels.namespace }}) will be full within a day",
        description="If it goes on filling as in the last hours.",
    )
    yield Alert(
        "VolumeFilling",
        expr=f"{CLAIM_FREE} < {limits.free_ratio} >= {limits.free_critical_ratio}",
        for_="10m",
        severity="warning",
        summary="Claim {{ $labels.persistentvolumeclaim }} ({{ $labels.namespace }}) has {{ $value | humanizePercentage }} left",
        description="Enlarge it, or find what fills it. Claims on local-path report the file system of their node.",
    )
    yield Alert(
        "VolumeNearlyFull",
        expr=f"{CLAIM_FREE} < {limits.free_critical_ratio}",
        for_="5m",
        severity="critical",
        summary="Claim {{ $labels.persistentvolumeclaim }} ({{ $labels.namespace }}) has only {{ $value | humanizePercentage }} left",
        description="Its workload stops when it is full; PostgreSQL and Prometheus crash then.",
    )
    yield Alert(
        "VolumeInodesLow",
        expr=f"{CLAIM_INODES_FREE} < {limits.inodes_ratio}",
        for_="15m",
        severity="warning",
        summary="Claim {{ $labels.persistentvolumeclaim }} ({{ $labels.namespace }}) has {{ $value | humanizePercentage }} of its inodes left",
        description="No file can be created at 0, however much space is free.",
    )
