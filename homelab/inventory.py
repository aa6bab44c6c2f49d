"""homelab.yaml -> what each cluster has and what is expected of it.

A cluster is a set of tables, one per subsystem (homelab/tables/); a subsystem without a table does not exist there.
Every table may also carry `limits` (those of the alerts module of the same stem) and `alerts` (switched off or of
another severity, with a reason). What is expected is enumerated here, so that what never existed can be missed.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from homelab import tables
from homelab.parse import Invalid, Problem, Reader, alternatives
from homelab.site import BackupTarget, Links, Override, Receiver, Severity, Site

__all__ = ["BackupTarget", "Inventory", "Links", "Override", "Receiver", "Severity", "Site", "load"]


@dataclass(frozen=True)
class Inventory:
    """All clusters of homelab.yaml, by name."""

    clusters: Mapping[str, Site]


@cache
def subsystems() -> dict[str, ModuleType]:
    """The modules of homelab/tables/ by stem: the folder listing is the registry."""
    stems = sorted(module.name for module in pkgutil.iter_modules(tables.__path__))
    return {stem: importlib.import_module(f"{tables.__name__}.{stem}") for stem in stems}


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
        clusters[name] = _site(reader, name, node, limits)
    if reader.problems:
        raise Invalid(reader.problems)
    return Inventory(clusters)


def _site(reader: Reader, name: str, node: yaml.Node, limits: Mapping[str, type] | None) -> Site:
    """The cluster as far as it could be read; what could not is noted."""
    common: Mapping[str, Any] = {"links": Links, "receivers": Mapping[str, Receiver]}
    known = subsystems()
    values: dict[str, Any] = {"links": None}
    found: dict[str, Any] = {}
    chosen: dict[str, Any] = {}
    overrides: dict[str, Override] = {}
    for key, value in reader.items(node, name).items():
        place = f"{name}.{key}"
        if key in common:
            values[key] = reader.read(value, common[key], place)
            continue
        if key not in known:
            reader.add(value, name, f"no subsystem or key named {key}; {alternatives(key, [*common, *known])}")
            continue
        extras, table = _split(value)
        found[key] = reader.read(table, known[key].Table, place)
        if "limits" in extras and limits is not None:
            chosen[key] = _limits(reader, extras["limits"], limits.get(key), f"{place}.limits", key)
        for alert, override in reader.items(extras["alerts"], f"{place}.alerts").items() if "alerts" in extras else ():
            read = _override(reader, override, f"{place}.alerts.{alert}")
            if read is not None:
                overrides[alert] = read
    if isinstance(node, yaml.MappingNode) and not any(key.value == "links" for key, _ in node.value):
        reader.add(node, name, "links is missing")
    components = frozenset(component for stem in found for component in known[stem].COMPONENTS)
    ordered = {stem: found[stem] for stem in known if found.get(stem) is not None}
    site = Site(name=name, tables=ordered, components=components, limits=chosen, overrides=overrides, **values)
    for place, message in _mistakes(site, broken={stem for stem, table in found.items() if table is None}):
        reader.add(_at(node, place), f"{name}.{place}", message)
    return site


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


def _mistakes(site: Site, broken: Collection[str]) -> Iterator[tuple[str, str]]:
    """What no single value shows: doubles, names that nothing defines, addresses outside their pool, bad schedules.

    A table that refers to one that could not be read is left alone: what it names would seem to be missing.
    """
    for stem, table in site.tables.items():
        module = subsystems()[stem]
        if not hasattr(module, "mistakes") or set(getattr(module, "REFERS_TO", ())) & set(broken):
            continue
        for place, message in module.mistakes(table, site):
            yield f"{stem}.{place}", message


def _at(node: yaml.Node, place: str) -> yaml.Node:
    """The node at a place such as `metallb.vips[0]`, or the nearest one above it."""
    for step in place.replace("[", ".[").split("."):
        if step.startswith("[") and isinstance(node, yaml.SequenceNode):
            node = node.value[int(step[1:-1])]
        elif isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
    return node
