"""Prometheus, Alertmanager, etcd and node_exporter: how each is configured and started here."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from demo.history import LIVE
from demo.servers import Server, free_port, running
from demo.targets import DISCOVERY
from demo.web import LOOPBACK

EVALUATION = 2  # seconds between two evaluations of the rules
HEARTBEAT = "/heartbeat"
NOTIFY = "/notify"
RULES = "rules"
DATA = "data"
# Every rule about machines takes their names from node_uname_info. Without it none judges this machine, whose disk may
# well be full: the alerts here are the homelab's.
_UNNAMED = {
    "node_exporter": {
        "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": "node_uname_info", "action": "drop"}]
    }
}


def alertmanager_config(inbox: int) -> dict[str, Any]:
    """Everything goes to the inbox, every alert by itself, so that nothing is hidden; Watchdog is the heartbeat."""
    address = f"http://{LOOPBACK}:{inbox}"
    return {
        "route": {
            "receiver": "inbox",
            "group_by": ["..."],
            "group_wait": "1s",
            "group_interval": "2s",
            "repeat_interval": "4h",
            "routes": [{"receiver": "heartbeat", "matchers": ['severity="none"'], "repeat_interval": "10s"}],
        },
        "receivers": [
            {"name": "inbox", "webhook_configs": [{"url": address + NOTIFY, "send_resolved": True}]},
            {"name": "heartbeat", "webhook_configs": [{"url": address + HEARTBEAT, "send_resolved": False}]},
        ],
    }


def prometheus_config(ports: Mapping[str, int], homelab: int) -> dict[str, Any]:
    """The rules as shipped, the simulated homelab by discovery, the real servers by address."""
    return {
        "global": {
            "scrape_interval": f"{LIVE}s",
            "evaluation_interval": f"{EVALUATION}s",
            "external_labels": {"cluster": "production"},
        },
        "rule_files": [f"{RULES}/*.json"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{LOOPBACK}:{ports['alertmanager']}"]}]}]},
        "scrape_configs": [
            {
                "job_name": "homelab",
                "honor_labels": True,
                "http_sd_configs": [{"url": f"http://{LOOPBACK}:{homelab}{DISCOVERY}", "refresh_interval": "5s"}],
            },
            *({**_real(name, port), **_UNNAMED.get(name, {})} for name, port in sorted(ports.items())),
        ],
    }


def _real(name: str, port: int) -> dict[str, Any]:
    """A real server has a job of its own, so that no rule takes it for the cluster's."""
    return {"job_name": f"demo-{name}", "static_configs": [{"targets": [f"{LOOPBACK}:{port}"]}]}


def arguments(name: str, port: int, extra: int) -> list[str]:
    """How each server is started in a folder of its own; `extra` is a second port, for those that need one."""
    here, there = f"{LOOPBACK}:{port}", f"http://{LOOPBACK}:{extra}"
    return {
        "prometheus": [
            "--config.file=prometheus.json",
            f"--storage.tsdb.path={DATA}",
            "--storage.tsdb.retention.time=30d",
            f"--web.listen-address={here}",
            f"--web.external-url=http://{here}",
            # Alerts go on from what the history says about them, however short their `for`, and however late
            # Alertmanager is discovered: about five seconds after the first alert, which is then sent again.
            "--rules.alert.for-grace-period=0s",
            "--rules.alert.resend-delay=2s",
        ],
        "alertmanager": [
            "--config.file=alertmanager.json",
            "--storage.path=data",
            f"--web.listen-address={here}",
            f"--web.external-url=http://{here}",
            "--cluster.listen-address=",  # alone: it would wait for others before its first notification
        ],
        "node_exporter": [f"--web.listen-address={here}"],
        "etcd": [
            "--data-dir=data",
            f"--listen-client-urls=http://{here}",
            f"--advertise-client-urls=http://{here}",
            f"--listen-peer-urls={there}",
            f"--initial-advertise-peer-urls={there}",
            f"--initial-cluster=default={there}",
        ],
    }[name]


READY = {"prometheus": "/-/ready", "alertmanager": "/-/ready", "node_exporter": "/", "etcd": "/health"}


def prepare(folder: Path, files: Mapping[str, object] | None = None) -> Path:
    """Make the folder of a server, with its files as JSON, which Prometheus and Alertmanager read as the YAML it is."""
    folder.mkdir(exist_ok=True)
    for name, content in (files or {}).items():
        (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    return folder


@contextlib.contextmanager
def started(folders: Mapping[str, Path], ports: Mapping[str, int]) -> Iterator[list[Server]]:
    """Start servers at once, await them all, and end them with the context. Raises ServerFailed and ToolMissing."""
    with contextlib.ExitStack() as stack:
        servers = []
        for name, folder in folders.items():
            url = f"http://{LOOPBACK}:{ports[name]}"
            servers.append(stack.enter_context(running(name, folder, url, arguments(name, ports[name], free_port()))))
        for server in servers:
            server.await_ready(READY[server.name])
        yield servers
