"""nodes: are the machines up, in time, with memory and space, and are the claims that they mount?"""

from __future__ import annotations

from alerts import nodes as a
from dashboards._board import Board, Variable, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import active, firing
from dashboards._panels import bars, conditions, graph, logs, stat, table, timeline
from homelab.site import Site

# Kubernetes and the inventory say node, node_exporter's metrics get nodename.
CALLED = '"nodename", "$1", "node", "(.+)"'
# 0 where neither kubelet nor node_exporter answers, 1 where only one does, 2 where both do; -1 where none is asked any more.
TARGETS = (
    f'(label_replace({a.MACHINES}, "address", "$1", "instance", "(.*):.*") * on (address) group_left (node) {a.NODES})'
)
ANSWERS = f"min by (node) {TARGETS} + max by (node) {TARGETS} or on (node) -1 * max by (node) ({a.NODES})"
CPU_USED = f'1 - avg by (instance) (rate(node_cpu_seconds_total{{mode="idle"}}[$__rate_interval])) {a.NAME}'
DRIVES = 'device=~"nvme[0-9]+n[0-9]+|mmcblk[0-9]+|[sv]d[a-z]+"'
LINKS = 'device=~"e.+"'
CHOSEN = 'kubelet_volume_stats_capacity_bytes{persistentvolumeclaim=~"$persistentvolumeclaim"}'
ON_CHOSEN = f"and on (namespace, persistentvolumeclaim) {CHOSEN}"


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("nodes") or a.Limits()
    room = Limits(orange_below=limits.free_ratio, red_below=limits.free_critical_ratio)
    memory = Limits(orange_below=limits.memory_ratio)
    load = Limits(orange_above=limits.load_per_core)
    errors = Limits(orange_above=limits.network_errors_per_second)
    return board(
        "Nodes",
        row(
            "Is it well?",
            stat(
                "Nodes down",
                f"(count({a.NODE_DOWN}) or 0 * count({a.NODES})) and on () {a.SOME_MACHINE_ANSWERS}",
                unit="short",
                limits=Limits(red_above=1),
                description="Machines of which nothing answers: no power, no network, or a hung kernel. A dash means that no machine answers at all, so look at Prometheus and the switch.",
            ),
            stat(
                "Nodes not ready",
                f'count({a.NOT_READY}) or 0 * count(kube_node_status_condition{{condition="Ready", status="true"}})',
                unit="short",
                limits=Limits(orange_above=1),
                description="Nodes whose kubelet no longer reports to Kubernetes, dead ones included. Pods there are replaced elsewhere after some minutes.",
            ),
            stat(
                "Least free file system",
                f"min({a.FREE})",
                unit="percentunit",
                limits=room,
                description="The share that is free of the fullest file system of a machine. When it is full, k3s, containerd and logs stop. Longhorn's own disks are on the page of Longhorn.",
            ),
            stat(
                "Least free claim",
                f"min({a.CLAIM_FREE})",
                unit="percentunit",
                limits=room,
                description="The share that is free of the fullest claim that some pod mounts. PostgreSQL and Prometheus crash on a full one: enlarge it, or find what fills it.",
            ),
            stat(
                "Least memory",
                f"min({a.MEMORY_AVAILABLE})",
                unit="percentunit",
                limits=memory,
                description="The share of memory that programs can still get on the node that has the least. Below the limit the kernel is about to kill something.",
            ),
            stat(
                "Highest load",
                f"max({a.LOAD})",
                unit="short",
                limits=load,
                description="Processes that run or wait, per core, on the busiest node over a quarter of an hour. Far above 1 everything there is late, etcd first.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("nodes", width=12),
            conditions(
                "Since when",
                {
                    "down {{node}}": a.NODE_DOWN,
                    "read-only {{mountpoint}} on {{nodename}}": a.READ_ONLY,
                    **active("NodesUnobserved", "NodeFilesystemNearlyFull", "VolumeNearlyFull"),
                },
                mild={
                    "not ready {{node}}": a.NOT_READY,
                    "{{condition}} on {{node}}": a.PRESSURE,
                    "unreadable {{mountpoint}} on {{nodename}}": a.UNREADABLE,
                    "kubelet silent {{node}}": a.KUBELET_SILENT,
                    "node_exporter silent {{node}}": a.NODE_EXPORTER_SILENT,
                    "no time server {{nodename}}": a.CLOCK_LOST,
                    "cordoned {{node}}": a.CORDONED,
                    **active(
                        "NodeKubeletFlapping",
                        "NodeRebootsOften",
                        "NodeOverloaded",
                        "NodeKillsProcesses",
                        "NodeMemoryLow",
                        "NodeFilesystemFillingSoon",
                        "NodeFilesystemFilling",
                        "NodeInodesLow",
                        "NodeLinkSlow",
                        "NodeNetworkErrors",
                        "NodeLinkFlapping",
                        "NodeConntrackFilling",
                        "VolumeFillingSoon",
                        "VolumeFilling",
                        "VolumeInodesLow",
                    ),
                },
                description="A bar while a condition of an alert holds, also before the alert fires. The uppermost are the worst; a node that is down explains what else is wrong with it.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "Nodes",
            timeline(
                "Who answers",
                {"{{node}}": ANSWERS},
                states={
                    -1: ("no target", "red"),
                    0: ("silent", "red"),
                    1: ("in part", "orange"),
                    2: ("answers", "green"),
                },
                description="Whether kubelet and node_exporter of each node can be scraped. In part means that the machine runs: look at the one of the two that is silent. Without a target the node has left the cluster.",
                width=10,
            ),
            table(
                "Every node",
                {"nodename": "Node"},
                {
                    "CPU": Column(f"max by (nodename) ({CPU_USED})", "percentunit"),
                    "Load": Column(f"max by (nodename) ({a.LOAD})", "short", load),
                    "Memory left": Column(f"min by (nodename) ({a.MEMORY_AVAILABLE})", "percentunit", memory),
                    "Least space": Column(f"min by (nodename) ({a.FREE})", "percentunit", room),
                    "Pods": Column(
                        f"max by (nodename) (label_replace(max by (node) (kubelet_running_pods), {CALLED}))", "short"
                    ),
                    "Up since": Column(
                        f"1000 * max by (nodename) (node_boot_time_seconds {a.NAME})", "dateTimeFromNow"
                    ),
                },
                description="The machines side by side, the busiest first. One that differs from the others has a fault of its own; a dash is a machine that does not say.",
                sort="Load",
                width=14,
            ),
        ),
        row(
            "CPU and memory",
            graph(
                "CPU used",
                {"{{nodename}}": CPU_USED},
                unit="percentunit",
                least=0,
                most=1,
                description="The share of all cores that works, or waits for a drive. One node near the top while the others rest: a pod there, or a rebuild of Longhorn.",
            ),
            graph(
                "Load per core",
                {"{{nodename}}": a.LOAD},
                unit="short",
                limits=load,
                least=0,
                description="Processes that run or wait, per core, over a quarter of an hour. High while the CPU rests is a drive or a network mount that does not answer.",
            ),
            graph(
                "Memory left",
                {"{{nodename}}": a.MEMORY_AVAILABLE},
                unit="percentunit",
                limits=memory,
                least=0,
                description="What programs can still get, as a share of all memory; caches count as free. A steady fall is a leak, and ends with a kill.",
            ),
        ),
        row(
            "Drives and network",
            graph(
                "Drives at work",
                {
                    "{{nodename}} {{device}}": f"rate(node_disk_io_time_seconds_total{{{DRIVES}}}[$__rate_interval]) {a.NAME}"
                },
                unit="percentunit",
                least=0,
                description="The share of time in which each drive has something to do. An NVMe can do many things at once and is not full at the top; an SD card or eMMC is.",
            ),
            graph(
                "Traffic",
                {
                    "{{nodename}} in": f"sum by (instance) (rate(node_network_receive_bytes_total{{{LINKS}}}[$__rate_interval])) {a.NAME}",
                    "{{nodename}} out": f"sum by (instance) (rate(node_network_transmit_bytes_total{{{LINKS}}}[$__rate_interval])) {a.NAME}",
                },
                unit="Bps",
                least=0,
                description="Bytes per second over the wire. Replicas, backups and etcd share one link; a plateau at its speed makes etcd slow.",
            ),
        ),
        row(
            "Space",
            graph(
                "Free space",
                {"{{nodename}} {{mountpoint}}": a.FREE},
                unit="percentunit",
                limits=room,
                least=0,
                most=1,
                description="The free share of each file system. Images and logs fill it; the kubelet removes images and evicts pods when it is nearly full.",
            ),
            graph(
                "Free space tomorrow",
                {
                    "{{nodename}} {{mountpoint}} as in six hours": a.FREE_TOMORROW,
                    "{{nodename}} {{mountpoint}} as in half an hour": a.FREE_STILL,
                },
                unit="bytes",
                limits=Limits(red_below=0),
                description="What would be free in a day if it went on as in the last hours. Both below 0: it is full tomorrow. Only one: an image was pulled, or something was deleted.",
            ),
            graph(
                "Inodes left",
                {
                    "{{nodename}} {{mountpoint}}": a.INODES_FREE,
                    "claim {{persistentvolumeclaim}}": f"{a.CLAIM_INODES_FREE} {ON_CHOSEN}",
                },
                unit="percentunit",
                limits=Limits(orange_below=limits.inodes_ratio),
                least=0,
                most=1,
                description="The share of files that can still be created. At 0 nothing can be written however much space is free: look for a folder with millions of small files.",
            ),
        ),
        row(
            "Claims",
            bars(
                "Free in each claim",
                {"{{persistentvolumeclaim}}": f"sort({a.CLAIM_FREE})"},
                unit="percentunit",
                limits=room,
                description="The free share of every claim that a pod mounts, the fullest first. Claims of local-path show the file system of their node.",
            ),
            graph(
                "Free in claims over time",
                {"{{persistentvolumeclaim}}": f"{a.CLAIM_FREE} {ON_CHOSEN}"},
                unit="percentunit",
                limits=room,
                least=0,
                most=1,
                description="The same over time, of the chosen claims. Steps downwards are jobs or restores; a slope that never turns needs a larger claim or shorter retention.",
            ),
            graph(
                "Free in claims tomorrow",
                {
                    "{{persistentvolumeclaim}} as in six hours": f"{a.CLAIM_FREE_TOMORROW} {ON_CHOSEN}",
                    "{{persistentvolumeclaim}} as in half an hour": f"{a.CLAIM_FREE_STILL} {ON_CHOSEN}",
                },
                unit="bytes",
                limits=Limits(red_below=0),
                description="What would be free in a day if it went on as in the last hours. Both below 0: it is full tomorrow.",
            ),
        ),
        row(
            "What seldom goes wrong",
            table(
                "What nodes count",
                {"nodename": "Node"},
                {
                    "Starts in an hour": Column(
                        f"max by (nodename) ({a.REBOOTS})", "short", Limits(orange_above=limits.reboots)
                    ),
                    "Kubelet": Column(
                        f"max by (nodename) (label_replace({a.KUBELET_CHANGES}, {CALLED}))",
                        "short",
                        Limits(orange_above=limits.kubelet_changes),
                    ),
                    "Killed": Column(
                        f"max by (nodename) ({a.OOM_KILLS})", "short", Limits(orange_above=limits.oom_kills)
                    ),
                    "Link changes": Column(
                        f"max by (nodename) ({a.LINK_CHANGES})", "short", Limits(orange_above=limits.link_changes)
                    ),
                    "Link": Column(
                        f"min by (nodename) ({a.LINK_SPEED})", "Bps", Limits(orange_below=limits.link_bytes_per_second)
                    ),
                    "Network errors": Column(f"max by (nodename) ({a.NETWORK_ERRORS})", "cps", errors),
                    "Clock off by": Column(
                        f"max by (nodename) ({a.CLOCK_OFFSET})", "s", Limits(orange_above=limits.clock_offset_seconds)
                    ),
                    "Connections": Column(
                        f"max by (nodename) ({a.CONNTRACK_USED})",
                        "percentunit",
                        Limits(orange_above=limits.conntrack_ratio),
                    ),
                },
                description="Kubelet, killed processes and link count what happened within half an hour; errors are damaged packets per second, connections the share of the kernel's table. On a healthy node all of it but the speed of the link is close to 0. Errors of the network are the cable first, then the port.",
                sort="Starts in an hour",
                width=14,
            ),
            graph(
                "Comes and goes",
                {
                    "{{nodename}} started": a.REBOOTS,
                    "{{node}} kubelet": a.KUBELET_CHANGES,
                    "{{nodename}} killed a process": a.OOM_KILLS,
                    "{{nodename}} {{device}}": a.LINK_CHANGES,
                },
                unit="short",
                least=0,
                description="The counts of the table over time; down and up again are two. What rises first is the cause: the link takes the kubelet with it, a start takes both.",
                width=10,
            ),
            collapsed=True,
        ),
        row(
            "Logs",
            logs(
                "What k3s says about its node",
                '{unit=~"k3s.*"} |~ "(?i)evict|oom|out of memory|pressure|no space|i/o error|NodeNotReady"',
                description="The journal of k3s, which the kubelet is a part of: evictions, pressure and errors of drives, at the time when the first bar above began.",
            ),
            collapsed=True,
        ),
        variables=[Variable("persistentvolumeclaim", "Claim", "kubelet_volume_stats_capacity_bytes")],
        logs='{unit=~"k3s.*"}',
    )
