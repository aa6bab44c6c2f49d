"""The bench itself: the drives are real to Linux, fail when they are told to, and the machine outlives nobody."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.tools import ROOT
from tests.hardware.bench import booted
from tests.hardware.guest import BenchFailed, Guest
from tests.hardware.parts import Unavailable

FIRST, SECOND = "HLTEST0001", "HLTEST0002"

# The SMART log by the ioctl that nvme-cli uses, told without the exporter: its first byte.
SMART = """
import ctypes, fcntl, struct, sys
log = ctypes.create_string_buffer(512)
command = struct.pack("=BBHIIIQQ10I", 2, 0, 0, 2**32 - 1, 0, 0, 0, ctypes.addressof(log), 0, 512, 0x7F0002, *[0] * 7)
with open(sys.argv[1], "rb") as drive:
    status = fcntl.ioctl(drive, 0xC0484E41, bytearray(command))
print(status, log.raw[0])
"""


@pytest.fixture(scope="module")
def guest() -> Iterator[Guest]:
    try:
        with booted(FIRST, SECOND) as machine:
            yield machine
    except Unavailable as reason:
        pytest.skip(f"no machine with emulated drives: {reason}")


def smart(guest: Guest, serial: str, under: str = "") -> tuple[int, str]:
    return guest.run(f"{under} python3 -c {shlex.quote(SMART)} /dev/{guest.name(serial)}")


def test_status_and_output_of_a_command_come_back(guest: Guest) -> None:
    assert guest.run("echo one; echo two >&2; exit 3") == (3, "one\ntwo\n")
    assert (
        guest.run("printf '\\001\\n\\r\\004 ä'; head -c 200000 /dev/zero | tr '\\0' x")[1]
        == "\1\n\r\4 ä" + "x" * 200_000
    )
    assert guest.run("no-such-command")[0] == 127


def test_a_command_that_hangs_is_ended_and_the_next_one_answered(guest: Guest) -> None:
    assert guest.run("echo begun; sleep 60", seconds=1)[0] == 137
    assert guest.run("sleep 60 &") == (0, "")
    assert guest.check("echo next") == "next"


def test_the_drives_have_their_serials_and_a_temperature(guest: Guest) -> None:
    names = {serial: guest.name(serial) for serial in (FIRST, SECOND)}
    assert set(names.values()) == {"nvme0", "nvme1"}  # which is which, chance decides
    for name in names.values():
        assert guest.check(f"cat /sys/class/nvme/{name}/state") == "live"
        assert guest.check(f"cat /sys/class/nvme/{name}/hwmon*/temp1_input") == "49850"
    assert guest.name("HLTEST000") is None


def test_a_critical_warning_arises_and_passes(guest: Guest) -> None:
    assert smart(guest, FIRST) == (0, "0 0\n")
    guest.critical_warning(FIRST, 6)
    assert smart(guest, FIRST) == (0, "0 6\n")
    assert smart(guest, SECOND) == (0, "0 0\n")
    assert guest.check(f"cat /sys/class/nvme/{guest.name(FIRST)}/hwmon*/temp1_alarm") == "1"
    guest.critical_warning(FIRST, 0)
    assert smart(guest, FIRST) == (0, "0 0\n")


def test_qemu_refuses_with_a_reason(guest: Guest) -> None:
    with pytest.raises(BenchFailed, match=r"qom-set: .*uint8"):
        guest.critical_warning(FIRST, 1000)


def test_a_capability_can_be_taken_away(guest: Guest) -> None:
    status, output = smart(guest, FIRST, "/usr/bin/setpriv --inh-caps -sys_admin --bounding-set -sys_admin")
    assert status == 1
    assert "PermissionError: [Errno 13]" in output


def test_a_drive_that_was_removed_comes_back_by_another_name(guest: Guest) -> None:
    before = guest.name(SECOND)
    guest.check(f"exec 9</dev/{before}; sleep 5 &")  # the name is free again as soon as nobody holds the drive open
    guest.remove(SECOND)
    assert guest.name(SECOND) is None
    with pytest.raises(BenchFailed, match=f"no drive {SECOND}"):
        guest.remove(SECOND)
    guest.rescan()
    assert guest.name(SECOND) not in {None, before}
    assert smart(guest, SECOND) == (0, "0 0\n")


def test_a_drive_is_live_after_a_reset(guest: Guest) -> None:
    begun = f"dmesg | grep -c 'nvme {guest.name(FIRST)}: .*default/read/poll queues'"
    before = int(guest.check(begun))
    guest.reset(FIRST)
    guest.await_live()
    assert int(guest.check(begun)) == before + 1


def test_the_exporter_of_this_checkout_runs(guest: Guest) -> None:
    exposition = guest.check("python3 -m exporters.raspberry_pi --once")
    assert f'serial="{FIRST}"' in exposition


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_machine_ends_with_the_process_that_started_it(guest: Guest, tmp_path: Path, number: int) -> None:
    assert guest  # there can be one
    program = (
        "from tests.hardware.bench import booted\nwith booted('X') as x: print('up', flush=True); x.run('sleep 60', 60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        assert machines(tmp_path)
        process.send_signal(number)
    end = time.monotonic() + 5
    while machines(tmp_path) and time.monotonic() < end:
        time.sleep(0.05)
    assert machines(tmp_path) == []


def machines(folder: Path) -> list[str]:
    """The processes that work in the folder."""
    commands = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    return [found for found in map(repr, commands) if "qemu" in found and str(folder) in found]
