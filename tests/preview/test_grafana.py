"""`make grafana`: started on loopback with the generated folder, and one line where there is none.

Grafana itself cannot be had here. The double answers the health check and tells how it was started; whether Grafana
takes the dashboards is not imitated (its own types read them, in tests/dashboards).
"""

import json
import os
import stat
import sys
import urllib.request
from pathlib import Path

import pytest

from preview import grafana
from preview.grafana import NoGrafana, command, started

DOUBLE = f"""#!{sys.executable}
import http.server, json, os, pathlib, sys
folder = pathlib.Path(os.environ["GF_PATHS_PROVISIONING"])
told = {{
    "arguments": sys.argv[1:],
    "environment": {{name: value for name, value in os.environ.items() if name.startswith("GF_")}},
    "provisioned": {{path.parent.name: json.loads(path.read_text()) for path in folder.glob("*/*.yaml")}},
}}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())
settings = told["environment"]
address = (settings["GF_SERVER_HTTP_ADDR"], int(settings["GF_SERVER_HTTP_PORT"]))
http.server.HTTPServer(address, Handler).serve_forever()
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one empty folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(file: Path, text: str) -> None:
    """An executable file."""
    file.write_text(text)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def test_without_grafana_one_line_says_so(path: Path, capsys: pytest.CaptureFixture) -> None:
    """And what can be done instead."""
    assert list(path.iterdir()) == []
    assert grafana.main([]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "there is no Grafana here" in said
    assert "make preview" in said


def test_a_docker_that_does_not_answer_is_none(path: Path, tmp_path: Path) -> None:
    """The client is often installed where no daemon runs."""
    program(path / "docker", f"#!{sys.executable}\nraise SystemExit(1)\n")
    with pytest.raises(NoGrafana):
        command(tmp_path, tmp_path, 3000)


@pytest.mark.skipif(sys.platform != "linux", reason="a container shares loopback with its host on Linux alone")
def test_docker_gets_the_folders_and_the_settings(path: Path, tmp_path: Path) -> None:
    """Where there is no server of its own; nothing of this machine's environment goes into the container."""
    program(path / "docker", f"#!{sys.executable}\n")
    words, environment = command(tmp_path, tmp_path / "dashboards", 3000)
    assert words[:2] == [str(path / "docker"), "run"]
    assert "GF_SERVER_HTTP_ADDR=127.0.0.1" in words
    assert f"{tmp_path / 'dashboards'}:{tmp_path / 'dashboards'}:ro" in words
    assert words[-1].startswith("grafana/grafana:")
    assert environment == dict(os.environ)


@pytest.mark.usefixtures("path")
def test_grafana_is_started_on_loopback_with_the_generated_folder(path: Path, tmp_path: Path) -> None:
    """Its own data goes where it is thrown away; whoever opens it may look and not edit."""
    program(path / "grafana", DOUBLE)
    (tmp_path / "own").mkdir()
    with started(tmp_path / "own", tmp_path / "dashboards", "http://127.0.0.1:9090") as server:
        with urllib.request.urlopen(f"{server.url}/api/health", timeout=10) as response:
            told = json.load(response)
        process = server.process
    assert process.poll() is not None, "it ends with the context"
    assert told["arguments"][0] == "server"
    assert told["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert told["environment"]["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert told["environment"]["GF_PATHS_DATA"].startswith(str(tmp_path))
    (source,) = told["provisioned"]["datasources"]["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://127.0.0.1:9090")
    (provider,) = told["provisioned"]["dashboards"]["providers"]
    assert provider["options"] == {"path": str(tmp_path / "dashboards")}
