"""The demo as a person starts it: real servers on loopback, and nothing left of them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from checks import tools
from demo import servers
from demo.__main__ import main
from demo.servers import ServerFailed, running
from demo.signals import Ended, held, raising

ROOT = Path(__file__).parent.parent.parent


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_nothing_left(said: str, tmp_path: Path) -> None:
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())
    ports = {int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", said)}
    assert len(ports) >= 3
    for port in ports:
        with socket.socket() as some:
            assert some.connect_ex(("127.0.0.1", port)) != 0, f"somebody still listens on {port}"


def test_a_real_notification_arrives_and_its_resolution_too(tmp_path: Path) -> None:
    demo = start(tmp_path, "--exit")
    try:
        said, _ = demo.communicate(timeout=240)
    finally:
        demo.kill()
        demo.wait()
    assert demo.returncode == 0, said
    firing, resolved = said.index("FIRING (critical)  CnpgWalArchivingFailing"), said.index("RESOLVED  CnpgWalArch")
    assert firing < said.index("postgres-cluster (database) cannot archive its WAL") < resolved
    assert "docs/runbooks/cnpg.md#cnpgwalarchivingfailing" in said
    assert "no part of this incident" not in said
    assert re.search(r"Firing now: .*Watchdog", said)
    assert_nothing_left(said, tmp_path)


def test_a_signal_ends_everything_at_once(tmp_path: Path) -> None:
    demo = start(tmp_path)
    watch = threading.Timer(60, demo.kill)
    watch.start()
    try:
        assert demo.stdout
        said = ""
        while "started alertmanager" not in said:
            line = demo.stdout.readline()
            assert line, said
            said += line
        demo.send_signal(signal.SIGTERM)  # in the midst of writing the history
        said += demo.stdout.read()
        assert demo.wait() == 128 + signal.SIGTERM
    finally:
        watch.cancel()
        demo.kill()
        demo.wait()
        demo.stdout.close()
    assert_nothing_left(said, tmp_path)


def test_an_unknown_incident_is_told_the_known_ones(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["--incident", "PG-1"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("demo: no incident PG-1; did you mean PG-")
    assert " ET-01," in said


def test_a_missing_tool_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--exit"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("demo: promtool is not on PATH; ")
    assert said.count("\n") == 1


def a_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A prometheus that does what the script says."""
    program = tmp_path / "prometheus"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(servers.tools, "find", lambda _: tools.Tool(program, (2, 42)))


def test_a_server_that_ends_early_shows_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_tool(tmp_path, monkeypatch, "echo 'listen tcp 127.0.0.1:1: bind: address already in use'; exit 3")
    url = f"http://127.0.0.1:{servers.free_port()}"
    with running("prometheus", tmp_path, url, []) as server, pytest.raises(ServerFailed) as caught:
        server.await_ready("/-/ready", 20)
    assert str(caught.value) == (
        "prometheus ended with 3; the end of its log:\n  listen tcp 127.0.0.1:1: bind: address already in use"
    )


def test_a_server_that_never_answers_is_given_up_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_tool(tmp_path, monkeypatch, "exec sleep 60")
    url = f"http://127.0.0.1:{servers.free_port()}"
    with running("prometheus", tmp_path, url, []) as server, pytest.raises(ServerFailed, match="did not answer"):
        server.await_ready("/-/ready", 0.2)
    assert server.process.returncode == -signal.SIGTERM


def test_a_signal_waits_for_the_end_of_a_step() -> None:
    steps = []
    with pytest.raises(Ended), raising():  # noqa: PT012
        with held():
            os.kill(os.getpid(), signal.SIGTERM)
            steps.append("done")
        steps.append("never")
    assert steps == ["done"]
