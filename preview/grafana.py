"""`python -m preview.grafana`: the generated dashboards in a real Grafana on loopback, over the preview's Prometheus.

Exit status: 0 ended by Ctrl-C, 1 there is no Grafana here or it did not start, 2 called wrongly or an input cannot be
used.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from checks.promtool import PromtoolError
from checks.tools import ToolMissing
from dashboards._render import FOLDER
from demo.rehearsal import NothingToShow
from demo.servers import Server, ServerFailed, free_port
from demo.signals import Ended, held, raising
from demo.web import LOOPBACK
from homelab.parse import Invalid
from preview.cluster import filled
from preview.situation import NOW, during, material, well

IMAGE = "grafana/grafana:12.1.0"  # where there is docker and no Grafana; GRAFANA_IMAGE names another one
_PATIENCE = 120.0  # seconds; a first start makes its database
_ABSENT = "there is no Grafana here: neither `grafana` on PATH nor a docker that answers; `make preview` needs neither"
_HOMES = ("/usr/share/grafana", "/opt/homebrew/opt/grafana/share/grafana", "/usr/local/opt/grafana/share/grafana")


class NoGrafana(Exception):
    """Neither a server nor a docker that could run one; the message is a sentence."""


def command(folder: Path, dashboards: Path, port: int) -> tuple[list[str], Mapping[str, str]]:
    """How Grafana is started on this machine, and the variables that it is started with. Raises NoGrafana."""
    settings = {
        "GF_SERVER_HTTP_ADDR": LOOPBACK,
        "GF_SERVER_HTTP_PORT": str(port),
        "GF_PATHS_PROVISIONING": str(folder / "provisioning"),
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_NEWS_NEWS_FEED_ENABLED": "false",
        "GF_USERS_DEFAULT_THEME": "system",
    }
    if binary := shutil.which("grafana"):
        own = {"GF_PATHS_DATA": str(folder / "data"), "GF_PATHS_LOGS": str(folder / "logs")}
        return [binary, "server", "--homepath", str(_home(Path(binary)))], {**os.environ, **settings, **own}
    # The Prometheus listens on loopback only, which a container shares on Linux alone.
    if platform.system() == "Linux" and (docker := shutil.which("docker")) and _answers(docker):
        given = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
        mounts = [word for path in (folder, dashboards) for word in ("--volume", f"{path}:{path}:ro")]
        image = os.environ.get("GRAFANA_IMAGE", IMAGE)
        return [docker, "run", "--rm", "--network=host", *mounts, *given, image], dict(os.environ)
    raise NoGrafana(_ABSENT)


def _home(binary: Path) -> Path:
    """Where Grafana's own files are: beside the program, or where packages put them."""
    candidates = [binary.resolve().parent.parent, *map(Path, _HOMES)]
    return next((one for one in candidates if (one / "conf" / "defaults.ini").exists()), candidates[0])


def _answers(docker: str) -> bool:
    done = subprocess.run([docker, "info"], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=30)
    return done.returncode == 0


def provision(folder: Path, dashboards: Path, prometheus: str) -> None:
    """Write what Grafana reads at its start: one data source, and the folder of the generated files."""
    source = {"name": "Prometheus", "uid": "prometheus", "type": "prometheus", "url": prometheus, "isDefault": True}
    provider = {"name": "homelab", "type": "file", "folder": "Homelab", "options": {"path": str(dashboards)}}
    written = {
        "datasources": {"apiVersion": 1, "datasources": [{**source, "access": "proxy"}]},
        "dashboards": {"apiVersion": 1, "providers": [{**provider, "allowUiUpdates": False}]},
    }
    for name, content in written.items():
        place = folder / "provisioning" / name
        place.mkdir(parents=True)
        # JSON is YAML.
        (place / "homelab.yaml").write_text(json.dumps(content, indent=1), encoding="utf-8")


@contextlib.contextmanager
def started(folder: Path, dashboards: Path, prometheus: str) -> Iterator[Server]:
    """Start Grafana, await it, and end it with the context. Raises NoGrafana and ServerFailed."""
    port = free_port()
    arguments, environment = command(folder, dashboards, port)
    provision(folder, dashboards, prometheus)
    log = folder / "grafana.log"
    process = None
    try:
        with log.open("wb") as file, held():
            process = subprocess.Popen(
                arguments,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this program alone, which ends it in order
            )
        server = Server("grafana", process, f"http://{LOOPBACK}:{port}", log)
        server.await_ready("/api/health", _PATIENCE)
        yield server
    finally:
        if process:
            with held():
                process.terminate()
                process.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m preview.grafana", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--incident", metavar="ID", help="one of incidents/ (default: a healthy week)")
    parser.add_argument("--cluster", default="production", metavar="NAME")
    options = parser.parse_args(arguments)
    try:
        with raising(), tempfile.TemporaryDirectory(prefix="homelab-grafana-") as name:
            folder, dashboards = Path(name), (FOLDER / options.cluster).resolve()
            command(folder, dashboards, 0)  # before a minute is spent on the history
            known = material(options.cluster)
            situation = during(known.incident(options.incident), known) if options.incident else well(known)
            (folder / "prometheus").mkdir()
            with (
                filled(folder / "prometheus", situation) as prometheus,
                started(folder, dashboards, prometheus.url) as grafana,
            ):
                # The history ends at a fixed time, so the page has to be told.
                times = f"from={(NOW - 6 * 3600) * 1000}&to={NOW * 1000}"
                print(f"{situation.title}: {grafana.url}/d/homelab-overview?{times}  (Ctrl-C ends it)", flush=True)
                while True:
                    grafana.check()
                    time.sleep(1)
    except (NoGrafana, ServerFailed, PromtoolError, ToolMissing, NothingToShow) as error:
        print(f"grafana: {error}", file=sys.stderr)
        return 1
    except (Invalid, OSError) as error:
        print(f"grafana: {error}", file=sys.stderr)
        return 2
    except Ended as ended:
        return 0 if ended.number == signal.SIGINT else 128 + ended.number


if __name__ == "__main__":
    sys.exit(main())
