"""The machine while it runs: what can be asked of it, and done to its drives."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BOOT = 90.0  # seconds; it is three where the CPU is free
_COMMAND = 20.0
_SETTLE = 15.0  # for drives to be live
_SPARE = 5.0  # between a command's end in the guest and the answer here


class BenchFailed(Exception):
    """The machine did not do what was asked. The message is a sentence, then the end of its kernel's log."""


class Line:
    """One end of a connection on which lines go back and forth."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._received = connection, b""

    def send(self, text: str) -> None:
        """Send a line. Raises OSError."""
        self._connection.sendall(f"{text}\n".encode())

    def receive(self, seconds: float) -> str:
        """The next line. Raises OSError, and then for ever: an answer that is late must not be taken for the next."""
        end = time.monotonic() + seconds
        while b"\n" not in self._received:
            try:
                self._connection.settimeout(max(end - time.monotonic(), 0.001))
                if not (more := self._connection.recv(65_536)):
                    raise ConnectionError("QEMU has ended")
            except OSError:
                self._connection.close()
                raise
            self._received += more
        line, self._received = self._received.split(b"\n", 1)
        return line.decode()


@dataclass
class Guest:
    """The machine. Drives go by their serials, since their names change."""

    serials: Sequence[str]
    shell: Line
    qmp: Line
    log: Path

    def run(self, command: str, seconds: float = _COMMAND) -> tuple[int, str]:
        """Let the guest's shell run a command as root: its exit status, and what it says on either stream.

        The status is 137 where it took too long. A process that it leaves behind with & goes on. Raises BenchFailed.
        """
        with self._explained(f"no answer to: {command}"):
            self.shell.send(f"{seconds:.0f} {base64.b64encode(command.encode()).decode()}")
            status, _, output = self.shell.receive(seconds + _SPARE).partition(" ")
            return int(status), base64.b64decode(output).decode(errors="replace")

    def check(self, command: str, seconds: float = _COMMAND) -> str:
        """The output of a command, without white space around it. Raises BenchFailed where its status is not 0."""
        status, output = self.run(command, seconds)
        if status:
            raise BenchFailed(f"{command} ended with {status}: {output.strip()}")
        return output.strip()

    def name(self, serial: str) -> str | None:
        """What the kernel calls the drive now, such as nvme0; None where it has no such drive."""
        _, output = self.run(f"cd /sys/class/nvme && grep -lE '^{serial} *$' */serial")
        return output.split("/")[0] or None

    def critical_warning(self, serial: str, value: int) -> None:
        """Set the first byte of the drive's SMART log. Raises BenchFailed."""
        path = f"/machine/peripheral/{device(self.serials.index(serial))}"
        self._ask("qom-set", path=path, property="smart_critical_warning", value=value)

    def remove(self, serial: str) -> None:
        """Take the drive off its bus. Raises BenchFailed."""
        self.check(f"echo 1 > {self._folder(serial)}/device/remove")

    def rescan(self) -> None:
        """Let the kernel find the drives that it does not have; return when all are live. Raises BenchFailed."""
        self.check("echo 1 > /sys/bus/pci/rescan")
        self.await_live()

    def reset(self, serial: str) -> None:
        """Reset the drive's controller; return when that is done. Raises BenchFailed."""
        self.check(f"echo 1 > {self._folder(serial)}/reset_controller")

    def await_boot(self) -> None:
        """Return when the machine can be asked. Raises BenchFailed."""
        self._ask("qmp_capabilities")
        with self._explained("the guest did not boot"):
            self.shell.receive(_BOOT)
        self.await_live()

    def await_live(self, seconds: float = _SETTLE) -> None:
        """Return when every drive is there and live. Raises BenchFailed."""
        end = time.monotonic() + seconds
        while (states := self.run("cat /sys/class/nvme/*/state")[1].split()) != ["live"] * len(self.serials):
            if time.monotonic() > end:
                raise BenchFailed(f"of {len(self.serials)} drives the states are {states}")
            time.sleep(0.1)

    def _folder(self, serial: str) -> str:
        name = self.name(serial)
        if name is None:
            raise BenchFailed(f"the guest has no drive {serial}")
        return f"/sys/class/nvme/{name}"

    def _ask(self, command: str, **arguments: object) -> Any:
        """Ask QEMU itself. Raises BenchFailed."""
        with self._explained(f"no answer to {command}"):
            self.qmp.send(json.dumps({"execute": command, "arguments": arguments}))
            answer: dict[str, Any] = {}
            while not answer.keys() & {"return", "error"}:  # events, and the greeting, come in between
                answer = json.loads(self.qmp.receive(_COMMAND))
        if "error" in answer:
            raise BenchFailed(f"{command}: {answer['error']['desc']}")
        return answer["return"]

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            end = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
            raise BenchFailed(f"{what} ({error}); the end of the log:\n{end}") from error


def device(number: int) -> str:
    """What QEMU calls a drive, by its place among the serials."""
    return f"drive{number}"
