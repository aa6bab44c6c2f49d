"""The real servers: started on loopback, awaited until they answer, and ended."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from checks import tools
from demo.signals import held
from demo.web import LOOPBACK

_PATIENCE = 30.0  # seconds for a server to answer
_GRACE = 10.0  # seconds for a server to end by itself
_POLL = 0.05


class ServerFailed(Exception):
    """A server did not start or ended too early. The message is a sentence, then the end of its log."""


@dataclass(frozen=True)
class Server:
    """A process, the address at which it answers, and where it writes its log."""

    name: str
    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def check(self) -> None:
        """Raise ServerFailed if it has ended."""
        if (code := self.process.poll()) is not None:
            raise ServerFailed(f"{self.name} ended with {code}; the end of its log:\n{tail(self.log)}")

    def await_ready(self, path: str, seconds: float = _PATIENCE) -> None:
        """Return as soon as it answers 200 there, or raise ServerFailed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.check()
            if answers(self.url + path):
                return
            time.sleep(_POLL)
        raise ServerFailed(f"{self.name} did not answer within {seconds:.0f} s; the end of its log:\n{tail(self.log)}")


@contextlib.contextmanager
def running(name: str, folder: Path, url: str, arguments: Sequence[str | Path]) -> Iterator[Server]:
    """Start a tool of checks.tools in `folder`, and end it with the context. Raises ToolMissing."""
    tool = tools.find(name)
    log = folder / f"{name}.log"
    process = None
    try:
        with log.open("wb") as file, held():
            process = subprocess.Popen(
                [tool.path, *arguments],
                cwd=folder,
                env=_environment(name),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this program alone, which ends its servers in order
            )
        yield Server(name, process, url, log)
    finally:
        if process:
            with held():
                _end(process)


def _environment(name: str) -> Mapping[str, str]:
    # A proxy that is set for the outside must not come between servers on loopback.
    return {k: v for k, v in tools.environment(name).items() if not k.lower().endswith("_proxy")}


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    """Whether the address answers 200."""
    try:
        with _DIRECT.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


# Loopback needs no proxy, whatever the environment says.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(url: str) -> bytes:
    """What is there. Raises ServerFailed."""
    try:
        with _DIRECT.open(url, timeout=10) as response:
            content: bytes = response.read()
            return content
    except OSError as error:
        raise ServerFailed(f"{url} does not answer: {error}") from error


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as some:
        some.bind((LOOPBACK, 0))
        port: int = some.getsockname()[1]
        return port


def tail(log: Path, lines: int = 8) -> str:
    """The end of a log, indented; each line cut to what a screen shows."""
    said = log.read_text("utf-8", "replace").splitlines()[-lines:] if log.exists() else []
    return "\n".join(f"  {line[:300]}" for line in said) or "  (empty)"
