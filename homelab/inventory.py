"""homelab.yaml -> what each cluster has and what is expected of it.

A cluster is a set of tables, one per subsystem; a subsystem without a table does not exist there. Every table may also
carry `limits` (those of the alerts module of the same stem) and `alerts` (switched off or of another severity, with a
reason). What is expected is enumerated here so that something that never existed can be missed.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import yaml
from cronsim import CronSim, CronSimError

from homelab.parse import Invalid, Problem, Reader, alternatives

Severity = Literal["critical", "warning", "info", "none"]
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Node:
    """A machine of the cluster, under the name that Kubernetes gives it."""

    name: str
    address: str
    hardware: str = ""


@dataclass(frozen=True)
class Nodes:
    """nodes: the machines, their kubelets and their filesystems."""

    expected: tuple[Node, ...]


@dataclass(frozen=True)
class Claim:
    """A PersistentVolumeClaim on Longhorn and the volume behind it; `store` is the bucket of its backups."""

    name: str
    namespace: str
    store: str = ""


@dataclass(frozen=True)
class Longhorn:
    """longhorn: replicated block storage on the nodes' own disks."""

    replicas: int
    disk_path: str
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Snapshots:
    """k3s etcd snapshots that leave the cluster. `schedule` is k3s' own: five cron fields."""

    name: str
    namespace: str
    schedule: str
    store: str


@dataclass(frozen=True)
class Etcd:
    """etcd: the embedded members of k3s, by node name, with their metrics port."""

    members: tuple[str, ...]
    port: int = 2381
    snapshots: Snapshots | None = None


@dataclass(frozen=True)
class Vip:
    """A virtual IP: the Service that owns it and the Deployment whose pods it leads to."""

    address: str
    pool: str
    namespace: str
    service: str
    deployment: str


@dataclass(frozen=True)
class Metallb:
    """metallb: address pools (name to CIDRs) and the virtual IPs that must be announced."""

    pools: Mapping[str, tuple[str, ...]]
    vips: tuple[Vip, ...]


@dataclass(frozen=True)
class Certificate:
    """A cert-manager Certificate that must exist."""

    name: str
    namespace: str


@dataclass(frozen=True)
class Certificates:
    """certificates: what cert-manager issues, and the k3s certificates of the nodes."""

    expected: tuple[Certificate, ...]
    issuers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Database:
    """A CNPG cluster. `schedule` is CNPG's own cron, which begins with seconds: six fields."""

    name: str
    namespace: str
    instances: int
    store: str
    schedule: str
    retention_days: int
    drill_days: int
    archiver: Literal["in-tree", "plugin"] = "in-tree"


@dataclass(frozen=True)
class Cnpg:
    """cnpg: PostgreSQL clusters with continuous archiving."""

    clusters: tuple[Database, ...]


@dataclass(frozen=True)
class Backups:
    """backups: what our backup exporter finds. Its targets follow from longhorn, etcd and cnpg."""


@dataclass(frozen=True)
class StoragePath:
    """A path whose device matters, and the kind of device it has to be on."""

    path: str
    device_type: Literal["nvme", "emmc", "sd", "ssd", "hdd"]


@dataclass(frozen=True)
class RaspberryPi:
    """raspberry_pi: heat, power and drives of the boards."""

    storage_paths: tuple[StoragePath, ...] = ()


@dataclass(frozen=True)
class CronJob:
    """A CronJob that must keep succeeding; `max_age_hours` since its last success is still fine."""

    name: str
    namespace: str
    max_age_hours: float


@dataclass(frozen=True)
class Jobs:
    """jobs: Jobs and CronJobs; `expected` are those whose silence would matter."""

    expected: tuple[CronJob, ...] = ()


@dataclass(frozen=True)
class FluxObject:
    """A Flux object that must exist and be ready."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True)
class Gitops:
    """gitops: what Flux applies."""

    expected: tuple[FluxObject, ...] = ()


@dataclass(frozen=True)
class Logging:
    """logging: Loki's components by scrape job, and Alloy on every node."""

    loki: tuple[str, ...]


@dataclass(frozen=True)
class Host:
    """A public host name, probed from inside, and the Certificate that must be served on it."""

    name: str
    certificate: str = ""


@dataclass(frozen=True)
class Ingress:
    """ingress: Traefik and what a visitor sees."""

    hosts: tuple[Host, ...]


@dataclass(frozen=True)
class Monitoring:
    """monitoring: Prometheus, Alertmanager, the operator and the targets."""


@dataclass(frozen=True)
class Links:
    """Where a notification leads: Grafana's address and the folder of the runbooks."""

    grafana: str
    runbooks: str


@dataclass(frozen=True)
class Receiver:
    """Where Alertmanager sends a severity. The address is a secret and stays one: `namespace/secret/key`."""

    kind: Literal["ntfy", "webhook", "email", "heartbeat"]
    secret: str


@dataclass(frozen=True)
class Override:
    """One alert of one cluster, off or of another severity; the reason is shown wherever it takes effect."""

    reason: str
    off: bool = False
    severity: Severity | None = None


# One table per subsystem; the stem is also that of alerts/, dashboards/, docs/runbooks/ and incidents/.
TABLES: Mapping[str, type] = {
    "nodes": Nodes,
    "longhorn": Longhorn,
    "etcd": Etcd,
    "metallb": Metallb,
    "certificates": Certificates,
    "cnpg": Cnpg,
    "backups": Backups,
    "raspberry_pi": RaspberryPi,
    "jobs": Jobs,
    "gitops": Gitops,
    "logging": Logging,
    "ingress": Ingress,
    "monitoring": Monitoring,
}

# The files of metrics/ that a subsystem brings with it.
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "nodes": ("node-exporter", "kubelet", "kube-state-metrics"),
    "longhorn": ("longhorn",),
    "etcd": ("etcd",),
    "metallb": ("metallb",),
    "certificates": ("cert-manager", "k3s"),
    "cnpg": ("cnpg",),
    "backups": ("backup-exporter",),
    "raspberry_pi": ("rpi-exporter",),
    "jobs": ("kube-state-metrics",),
    "gitops": ("flux",),
    "logging": ("loki", "alloy"),
    "ingress": ("traefik", "blackbox-exporter"),
    "monitoring": ("prometheus", "alertmanager", "prometheus-operator", "kube-state-metrics"),
}


@dataclass(frozen=True)
class BackupTarget:
    """Something that must be recoverable, in the identity that the backup exporter gives it."""

    kind: Literal["cnpg", "longhorn", "etcd"]
    namespace: str
    name: str
    store: str


@dataclass(frozen=True)
class Site:
    """One cluster. A table is None where the cluster does not have the subsystem."""

    name: str
    links: Links
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    nodes: Nodes | None = None
    longhorn: Longhorn | None = None
    etcd: Etcd | None = None
    metallb: Metallb | None = None
    certificates: Certificates | None = None
    cnpg: Cnpg | None = None
    backups: Backups | None = None
    raspberry_pi: RaspberryPi | None = None
    jobs: Jobs | None = None
    gitops: Gitops | None = None
    logging: Logging | None = None
    ingress: Ingress | None = None
    monitoring: Monitoring | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Override] = field(default_factory=dict)

    @property
    def subsystems(self) -> tuple[str, ...]:
        """The stems of the subsystems that this cluster has, in the order of TABLES."""
        return tuple(stem for stem in TABLES if getattr(self, stem) is not None)

    @property
    def components(self) -> frozenset[str]:
        """The components of metrics/ that this cluster runs."""
        return frozenset(name for stem in self.subsystems for name in COMPONENTS[stem])

    @property
    def machines(self) -> tuple[Node, ...]:
        """The expected nodes."""
        return self.nodes.expected if self.nodes else ()

    @property
    def backup_targets(self) -> tuple[BackupTarget, ...]:
        """Everything that must be recoverable: database clusters, backed up claims, etcd."""
        databases = (
            BackupTarget("cnpg", d.namespace, d.name, d.store) for d in (self.cnpg.clusters if self.cnpg else ())
        )
        claims = (
            BackupTarget("longhorn", c.namespace, c.name, c.store)
            for c in (self.longhorn.claims if self.longhorn else ())
            if c.store
        )
        snapshots = self.etcd.snapshots if self.etcd else None
        return (
            *databases,
            *claims,
            *([BackupTarget("etcd", snapshots.namespace, snapshots.name, snapshots.store)] if snapshots else []),
        )


@dataclass(frozen=True)
class Inventory:
    """All clusters of homelab.yaml, by name."""

    clusters: Mapping[str, Site]


def load(path: Path | str = "homelab.yaml", limits: Mapping[str, type] | None = None) -> Inventory:
    """Read and check the inventory.

    `limits` maps a subsystem to the dataclass of its limits (alerts/ knows them); without it the `limits` tables are
    left unread. Raises Invalid with every mistake at once.
    """
    reader = Reader(Path(path))
    clusters: dict[str, Site] = {}
    top = reader.items(reader.root, "") if reader.root is not None else {}
    for name, node in top.items():
        if name != "clusters":
            reader.add(node, "", f"no key named {name}; {alternatives(name, ['clusters'])}")
    if "clusters" not in top:
        reader.problems.append(Problem(reader.file, 0, "", "clusters is missing"))
    for name, node in reader.items(top["clusters"], "clusters").items() if "clusters" in top else ():
        site = _site(reader, name, node, limits)
        if site is not None:
            clusters[name] = site
            for place, message in _mistakes(site):
                reader.add(_at(node, place), f"{name}.{place}", message)
    if reader.problems:
        raise Invalid(reader.problems)
    return Inventory(clusters)


def _site(reader: Reader, name: str, node: yaml.Node, limits: Mapping[str, type] | None) -> Site | None:
    before = len(reader.problems)
    known = {"links": Links, "receivers": Mapping[str, Receiver], **TABLES}
    values: dict[str, Any] = {}
    chosen: dict[str, Any] = {}
    overrides: dict[str, Override] = {}
    for key, value in reader.items(node, name).items():
        place = f"{name}.{key}"
        if key not in known:
            reader.add(value, name, f"no subsystem or key named {key}; {alternatives(key, known)}")
            continue
        extras, table = _split(value) if key in TABLES else ({}, value)
        values[key] = reader.read(table, known[key], place)
        if "limits" in extras and limits is not None:
            chosen[key] = _limits(reader, extras["limits"], limits.get(key), f"{place}.limits", key)
        for alert, override in reader.items(extras["alerts"], f"{place}.alerts").items() if "alerts" in extras else ():
            found = _override(reader, override, f"{place}.alerts.{alert}")
            if found is not None:
                overrides[alert] = found
    if "links" not in values:
        reader.add(node, name, "links is missing")
    if len(reader.problems) > before:
        return None
    return Site(name=name, limits=chosen, overrides=overrides, **values)


def _split(node: yaml.Node) -> tuple[dict[str, yaml.Node], yaml.Node]:
    """Separate `limits` and `alerts`, which every table may have, from the table's own keys."""
    if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"):
        return {}, yaml.MappingNode("tag:yaml.org,2002:map", [], node.start_mark, node.end_mark)
    if not isinstance(node, yaml.MappingNode):
        return {}, node
    extras = {key.value: value for key, value in node.value if key.value in ("limits", "alerts")}
    rest = [(key, value) for key, value in node.value if key.value not in extras]
    return extras, yaml.MappingNode(node.tag, rest, node.start_mark, node.end_mark)


def _limits(reader: Reader, node: yaml.Node, kind: type | None, place: str, stem: str) -> Any:  # noqa: ANN401
    names = [f.name for f in dataclasses.fields(kind)] if kind else []
    for name, value in reader.items(node, place).items():
        if name not in names:
            reader.add(value, place, f"{stem} has no limit named {name}; {alternatives(name, names)}")
    known = (
        [(key, value) for key, value in node.value if key.value in names] if isinstance(node, yaml.MappingNode) else []
    )
    return reader.read(yaml.MappingNode(node.tag, known, node.start_mark, node.end_mark), kind, place) if kind else None


def _override(reader: Reader, node: yaml.Node, place: str) -> Override | None:
    """`{off: reason}` or `{severity: warning, reason: why}`."""
    items = reader.items(node, place)
    for key in items:
        if key not in ("off", "severity", "reason"):
            reader.add(items[key], place, f"no key named {key}; {alternatives(key, ['off', 'severity', 'reason'])}")
    if "off" in items:
        reason = reader.read(items["off"], str, f"{place}.off")
        return Override(reason, off=True) if reason else None
    severity = reader.read(items["severity"], Severity, f"{place}.severity") if "severity" in items else None
    reason = reader.read(items["reason"], str, f"{place}.reason") if "reason" in items else ""
    if severity is None or not reason:
        reader.add(node, place, "needs `off: <reason>`, or `severity:` and `reason:`")
        return None
    return Override(reason, severity=severity)


def _mistakes(site: Site) -> Iterator[tuple[str, str]]:
    """What no single value shows: doubles, names that nothing defines, addresses outside their pool, bad schedules."""
    yield from _node_mistakes(site)
    yield from _database_mistakes(site)
    if site.longhorn:
        yield from _doubles("longhorn.claims", "claim", [f"{c.namespace}/{c.name}" for c in site.longhorn.claims])
    if site.metallb:
        yield from _vips(site.metallb)
    yield from _host_mistakes(site)


def _node_mistakes(site: Site) -> Iterator[tuple[str, str]]:
    machines = [n.name for n in site.machines]
    yield from _doubles("nodes.expected", "node", machines)
    yield from _doubles("nodes.expected", "address", [n.address for n in site.machines])
    for number, node in enumerate(site.machines):
        if _address(node.address) is None:
            yield f"nodes.expected[{number}]", f'address must be an IP address, found "{node.address}"'
    for number, member in enumerate(site.etcd.members if site.etcd else ()):
        if member not in machines:
            yield f"etcd.members[{number}]", f"no node named {member}; {alternatives(member, machines)}"


def _database_mistakes(site: Site) -> Iterator[tuple[str, str]]:
    if site.etcd and site.etcd.snapshots:
        yield from _schedule("etcd.snapshots", site.etcd.snapshots.schedule, 5, "minute hour day month weekday")
    databases = site.cnpg.clusters if site.cnpg else ()
    yield from _doubles("cnpg.clusters", "cluster", [f"{d.namespace}/{d.name}" for d in databases])
    for number, database in enumerate(databases):
        yield from _schedule(f"cnpg.clusters[{number}]", database.schedule, 6, "second minute hour day month weekday")


def _host_mistakes(site: Site) -> Iterator[tuple[str, str]]:
    certificates = [c.name for c in site.certificates.expected] if site.certificates else []
    yield from _doubles("certificates.expected", "certificate", certificates)
    hosts = site.ingress.hosts if site.ingress else ()
    yield from _doubles("ingress.hosts", "host", [h.name for h in hosts])
    for number, host in enumerate(hosts):
        if host.certificate and host.certificate not in certificates:
            message = f"no certificate named {host.certificate}; {alternatives(host.certificate, certificates)}"
            yield f"ingress.hosts[{number}]", message


def _vips(metallb: Metallb) -> Iterator[tuple[str, str]]:
    for name, ranges in metallb.pools.items():
        for text in ranges:
            if _network(text) is None:
                yield f"metallb.pools.{name}", f'must be CIDR ranges, found "{text}"'
    for number, vip in enumerate(metallb.vips):
        place, address = f"metallb.vips[{number}]", _address(vip.address)
        if vip.pool not in metallb.pools:
            yield place, f"no pool named {vip.pool}; {alternatives(vip.pool, metallb.pools)}"
        elif address is None:
            yield place, f'address must be an IP address, found "{vip.address}"'
        elif not any(address in n for n in map(_network, metallb.pools[vip.pool]) if n is not None):
            yield place, f"{vip.address} is outside its pool {vip.pool} ({', '.join(metallb.pools[vip.pool])})"
    yield from _doubles("metallb.vips", "address", [v.address for v in metallb.vips])


def _doubles(place: str, what: str, names: list[str]) -> Iterator[tuple[str, str]]:
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield place, f"{what} {name} is there {names.count(name)} times, each must be unique"


def _schedule(place: str, text: str, fields: int, order: str) -> Iterator[tuple[str, str]]:
    """CNPG reads six cron fields and takes five for something else (hourly instead of nightly): count them."""
    if len(text.split()) != fields:
        yield place, f'schedule needs {fields} fields ({order}), found {len(text.split())} in "{text}"'
        return
    try:
        CronSim(" ".join(text.split()[-5:]), _EPOCH)
    except CronSimError as error:
        yield place, f'schedule "{text}" is not cron: {error}'


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


def _at(node: yaml.Node, place: str) -> yaml.Node:
    """The node at a place such as `metallb.vips[0]`, or the nearest one above it."""
    for step in place.replace("[", ".[").split("."):
        if step.startswith("[") and isinstance(node, yaml.SequenceNode):
            node = node.value[int(step[1:-1])]
        elif isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
    return node
