"""A machine with NVMe drives and Linux' own driver for them, emulated by QEMU: its drives fail when they are told to.

It needs neither virtualization by this machine nor, once QEMU is installed, root.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.hardware import initramfs
from tests.hardware.guest import Guest, Line, device
from tests.hardware.parts import Parts, find

_DISK = 64 << 20  # bytes; the file is sparse
_MEMORY = 768  # MiB


@contextlib.contextmanager
def booted(*serials: str) -> Iterator[Guest]:
    """A machine with a live drive for each serial. It ends with the context, or with this process however that ends.

    In it, `python3 -m exporters.raspberry_pi` runs what is in this checkout. Raises Unavailable and BenchFailed.
    """
    parts = find()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hardware-")))
        with (folder / "initrd").open("wb") as file:
            initramfs.write(file, parts)
        log = folder / "log"
        (shell, its_shell), (qmp, its_qmp) = socket.socketpair(), socket.socketpair()
        for end in (shell, qmp):
            stack.enter_context(end)
        with its_shell, its_qmp, log.open("wb") as file:
            sockets = [its_shell.fileno(), its_qmp.fileno()]
            process = stack.enter_context(
                subprocess.Popen(
                    _command(parts, folder, serials, sockets),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    pass_fds=sockets,
                )
            )
            stack.callback(process.kill)
        guest = Guest(serials, Line(shell), Line(qmp), log)
        guest.await_boot()
        yield guest


def _command(parts: Parts, folder: Path, serials: Sequence[str], sockets: Sequence[int]) -> list[str | Path]:
    command: list[str | Path] = [parts.setpriv, "--pdeathsig", "KILL"]  # also where this process is killed
    command += [parts.qemu, "-machine", "q35", "-accel", "tcg", "-cpu", "max", "-m", str(_MEMORY), "-no-reboot"]
    command += ["-nodefaults", "-display", "none", "-kernel", parts.kernel, "-initrd", folder / "initrd"]
    command += ["-append", "console=ttyS0 quiet panic=-1", "-serial", "stdio"]
    for name, number in zip(("shell", "qmp"), sockets, strict=True):
        command += ["-chardev", f"socket,id={name},fd={number}"]
    command += ["-mon", "chardev=qmp,mode=control"]
    command += ["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=shell"]
    for number, serial in enumerate(serials):
        disk = folder / f"disk{number}"
        with disk.open("wb") as file:
            file.truncate(_DISK)
        command += ["-drive", f"file={disk},if=none,id=disk{number},format=raw"]
        # As on a Compute Module 5: one lane, second generation. The emulated drive itself does no more than the first.
        command += ["-device", f"pcie-root-port,id=port{number},chassis={number},x-speed=5,x-width=1"]
        command += ["-device", f"nvme,id={device(number)},drive=disk{number},serial={serial},bus=port{number}"]
    return command
