"""A drive's SMART log and Identify: every byte where the table says, nothing claimed, every refusal explained."""

import ctypes
import errno
import fcntl
import os
import struct
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.raspberry_pi.passthru import _COMMAND, Unreadable, read_health, read_identity
from exporters.raspberry_pi.smart import Health, NotHealth, NotIdentity, health, identity

_NVME = Path(__file__).parent / "fixtures/nvme"
_HEALTHY = (_NVME / "smart_healthy.bin").read_bytes()
_CONTROLLER = (_NVME / "id_ctrl.bin").read_bytes()
# Where, how many bytes wide, and how many base units one is.
_COUNTERS = {
    "host_reads": (64, 16, 1),
    "host_writes": (80, 16, 1),
    "controller_busy_seconds": (96, 16, 60),
    "power_cycles": (112, 16, 1),
    "power_on_seconds": (128, 16, 3600),
    "unsafe_shutdowns": (144, 16, 1),
    "media_errors": (160, 16, 1),
    "error_log_entries": (176, 16, 1),
    "warning_temp_seconds": (192, 4, 60),
    "critical_temp_seconds": (196, 4, 60),
}


def emulated(offset: int = 0, byte: int = 0) -> bytes:
    """What QEMU answers: 323 K, and what it read; no spare, no wear, no count of a life. One byte may differ."""
    return log({1: struct.pack("<H", 323), 32: b"\x42", 64: b"\x21", offset: bytes([byte])})


def log(parts: dict[int, bytes], size: int = 512) -> bytes:
    """Zeros, but for these bytes at these places."""
    data = bytearray(size)
    for offset, part in parts.items():
        data[offset : offset + len(part)] = part
    return bytes(data)


def test_a_healthy_drive() -> None:
    """Each from the bytes: 0x013e K, 0x64 %, 0x0a %, 3 %, 0x0117eece and 0x02753087 data units, 0x906 minutes, ..."""
    assert health(_HEALTHY) == Health(
        critical_warning=0,
        endurance_group_critical_warning=0,
        temperature_celsius=44.85,
        available_spare_ratio=1.0,
        available_spare_threshold_ratio=0.1,
        percentage_used_ratio=0.03,
        read_bytes=18_345_678 * 512_000,
        written_bytes=41_234_567 * 512_000,
        host_reads=312_345_678,
        host_writes=905_123_456,
        controller_busy_seconds=2310 * 60,
        power_cycles=47,
        power_on_seconds=5123 * 3600,
        unsafe_shutdowns=12,
        media_errors=0,
        error_log_entries=3,
        warning_temp_seconds=0,
        critical_temp_seconds=0,
        sensors_celsius={1: 44.85, 2: 57.85},
        thermal_transitions={1: 0, 2: 0},
        thermal_seconds={1: 0, 2: 0},
    )


def test_a_drive_near_its_end() -> None:
    """Counters beyond 64 bits, a wear of more than all, and a third sensor that is missing between others."""
    assert health((_NVME / "smart_degraded.bin").read_bytes()) == Health(
        critical_warning=0b111,
        endurance_group_critical_warning=0,
        temperature_celsius=82.85,
        available_spare_ratio=0.08,
        available_spare_threshold_ratio=0.1,
        percentage_used_ratio=1.04,
        read_bytes=(2**63 + 11) * 512_000,
        written_bytes=(2**64 + 5) * 512_000,
        host_reads=2 * 2**64 + 1,
        host_writes=2**64,
        controller_busy_seconds=0x0F1206 * 60,
        power_cycles=310,
        power_on_seconds=43_210 * 3600,
        unsafe_shutdowns=205,
        media_errors=17,
        error_log_entries=412,
        warning_temp_seconds=95 * 60,
        critical_temp_seconds=3 * 60,
        sensors_celsius={1: 82.85, 2: 87.85, 4: 75.85},
        thermal_transitions={1: 12, 2: 2},
        thermal_seconds={1: 640, 2: 55},
    )


def test_wear_stays_above_all() -> None:
    """255 is 255 % or more."""
    assert health((_NVME / "smart_255_used.bin").read_bytes()).percentage_used_ratio == 2.55


@pytest.mark.parametrize(("name", "place"), _COUNTERS.items(), ids=_COUNTERS)
def test_every_counter_lies_where_the_table_says(name: str, place: tuple[int, int, int]) -> None:
    """It alone changes, over its whole width, into its base unit."""
    offset, size, unit = place
    largest = health(log({0: _HEALTHY, offset: b"\xff" * size}))
    assert asdict(largest) == asdict(health(_HEALTHY)) | {name: (2 ** (8 * size) - 1) * unit}
    assert float(getattr(largest, name)) > 0, "fits a sample of Prometheus"


@pytest.mark.parametrize(("name", "offset"), [("read_bytes", 32), ("written_bytes", 48)])
def test_no_data_units_means_not_reported(name: str, offset: int) -> None:
    """By the specification, and whatever else the drive tells."""
    assert getattr(health(log({0: _HEALTHY, offset: bytes(16)})), name) is None
    assert getattr(health(log({0: _HEALTHY, offset: b"\xff" * 16})), name) == (2**128 - 1) * 512_000


@pytest.mark.parametrize("number", range(1, 9))
def test_every_sensor_has_its_number(number: int) -> None:
    """The first at byte 200; 0 K is one that is not there."""
    sensors = {1: 44.85, 2: 57.85} | {number: 26.85}
    assert health(log({0: _HEALTHY, 198 + 2 * number: struct.pack("<H", 300)})).sensors_celsius == sensors
    del sensors[number]
    assert health(log({0: _HEALTHY, 198 + 2 * number: bytes(2)})).sensors_celsius == sensors


def test_no_temperature_is_not_absolute_zero() -> None:
    """0 K is not reported."""
    assert health(log({0: _HEALTHY, 1: bytes(2)})).temperature_celsius is None


def test_warnings_are_bitmaps() -> None:
    """The second is that of the endurance groups."""
    told = health(log({1: _HEALTHY[1:], 0: b"\x3f", 6: b"\x0d"}))
    assert (told.critical_warning, told.endurance_group_critical_warning) == (0x3F, 0x0D)


def test_an_emulated_drive_claims_nothing() -> None:
    """No spare of 0, which would be below any limit, no wear of 0, no errors of 0: QEMU counts none of it."""
    told = {name: value for name, value in asdict(health(emulated())).items() if value not in (None, {})}
    assert told == {
        "critical_warning": 0,
        "endurance_group_critical_warning": 0,
        "temperature_celsius": 49.85,
        "read_bytes": 66 * 512_000,
        "host_reads": 33,
    }
    assert health(emulated(0, 6)).critical_warning == 6
    assert health(emulated(128, 1)).power_on_seconds == 3600, "which it counts, after an hour"
    assert health(emulated(128, 1)).media_errors is None
    assert health(emulated(112, 1)).media_errors == 0, "once it is known to count"


@pytest.mark.parametrize(
    ("wear", "ratios"),
    [
        ((0, 0, 0), (None, None, None)),
        ((0, 0, 5), (None, None, 0.05)),
        ((0, 10, 0), (0.0, 0.1, 0.0)),  # used up, and a limit that says so
        ((100, 0, 0), (1.0, 0.0, 0.0)),
        ((100, 10, 0), (1.0, 0.1, 0.0)),  # new
        ((101, 10, 0), (None, 0.1, 0.0)),  # no percentage
        ((100, 255, 0), (1.0, None, 0.0)),
    ],
)
def test_wear_is_told_or_not(wear: tuple[int, int, int], ratios: tuple[float | None, ...]) -> None:
    """A spare of 0 counts where the drive has a limit for it."""
    told = health(log({0: _HEALTHY, 3: bytes(wear)}))
    assert (told.available_spare_ratio, told.available_spare_threshold_ratio, told.percentage_used_ratio) == ratios


def test_a_log_that_is_none() -> None:
    """One sentence each."""
    with pytest.raises(NotHealth, match=r"^the SMART log is all zeros: the drive does not implement it$"):
        health(bytes(512))
    for size in (0, 511, 513, 4096):
        with pytest.raises(NotHealth, match=f"^a SMART log has 512 bytes, not {size}$"):
            health(b"\x01" * size)


@given(st.binary(min_size=512, max_size=512) | st.binary(max_size=9).map(lambda some: log({0: some})))
def test_any_log_is_read_or_refused(data: bytes) -> None:
    """And nothing that it tells is out of bounds."""
    try:
        told = health(data)
    except NotHealth:
        assert not any(data)
        return
    assert not told.available_spare_ratio == told.available_spare_threshold_ratio == 0
    for name in ("available_spare_ratio", "available_spare_threshold_ratio"):
        assert getattr(told, name) is None or 0 <= getattr(told, name) <= 1
    for field in fields(told):
        value = getattr(told, field.name)
        for number in value.values() if isinstance(value, dict) else [value]:
            assert number is None or float(number) >= (-273.15 if "celsius" in field.name else 0)


@given(st.binary(max_size=600), st.binary(max_size=80))
def test_no_bytes_end_a_parser(anything: bytes, start: bytes) -> None:
    """Whatever their length."""
    for parse, error, data in (
        (health, NotHealth, anything),
        (identity, NotIdentity, anything),
        (identity, NotIdentity, log({0: start, 4: anything}, 4096)),
    ):
        with suppress(error):
            parse(data)


def test_who_a_drive_is() -> None:
    """0x164 and 0x166 K, and 0x773c256000 bytes; texts without their padding."""
    assert asdict(identity(_CONTROLLER)) == {
        "model": "HOMELAB EXAMPLE NVME 512GB",
        "serial": "HLTEST512A0001",
        "firmware_revision": "HL10A",
        "warning_limit_celsius": 82.85,
        "critical_limit_celsius": 84.85,
        "capacity_bytes": 512_110_190_592,
    }


def test_texts_may_fill_their_fields() -> None:
    """20, 40 and 8 characters, side by side."""
    full = identity(log({4: b"s" * 20 + b"m" * 40 + b"f" * 8}, 4096))
    assert (full.serial, full.model, full.firmware_revision) == ("s" * 20, "m" * 40, "f" * 8)


def test_what_identify_leaves_out() -> None:
    """No limit is 0 K, no capacity is 0 bytes; what is no text is still a label, the same as sysfs shows."""
    bare = identity(
        log({0: _CONTROLLER, 4: b"  S\xff\n1\x1f\0junk".ljust(20, b"\0"), 266: bytes(4), 280: bytes(16)}, 4096)
    )
    assert (bare.warning_limit_celsius, bare.critical_limit_celsius, bare.capacity_bytes) == (None, None, None)
    assert bare.serial == "S\ufffd\n1\x1f"
    with pytest.raises(NotIdentity, match="all zeros"):
        identity(bytes(4096))
    with pytest.raises(NotIdentity, match="has 4096 bytes, not 512"):
        identity(_HEALTHY)


class Command(ctypes.Structure):
    """struct nvme_passthru_cmd, as linux/nvme_ioctl.h declares it; the compiler's rules place the fields."""

    _fields_ = (
        ("opcode", ctypes.c_uint8),
        ("flags", ctypes.c_uint8),
        ("rsvd1", ctypes.c_uint16),
        ("nsid", ctypes.c_uint32),
        ("cdw2", ctypes.c_uint32),
        ("cdw3", ctypes.c_uint32),
        ("metadata", ctypes.c_uint64),
        ("addr", ctypes.c_uint64),
        ("metadata_len", ctypes.c_uint32),
        ("data_len", ctypes.c_uint32),
        *((f"cdw{number}", ctypes.c_uint32) for number in range(10, 16)),
        ("timeout_ms", ctypes.c_uint32),
        ("result", ctypes.c_uint32),
    )


class Drive:
    """In the place of the ioctl: keeps what it was asked, and answers."""

    def __init__(self, answer: bytes = b"", status: int = 0, error: int = 0) -> None:
        self.answer, self.status, self.error = answer, status, error
        self.asked: list[dict[str, int]] = []
        self.descriptors: list[int] = []

    def __call__(self, descriptor: int, request: int, argument: bytearray) -> int:
        assert request == 0xC0484E41
        assert fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        self.descriptors.append(descriptor)
        command = Command.from_buffer_copy(argument)
        self.asked.append({name: getattr(command, name) for name, _ in Command._fields_ if getattr(command, name)})
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        assert len(self.answer) <= command.data_len
        ctypes.memmove(command.addr, self.answer, len(self.answer))
        return self.status


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A file that can be opened."""
    path = tmp_path / "nvme0"
    path.touch()
    return path


def test_the_command_is_laid_out_as_the_kernel_reads_it() -> None:
    """72 bytes, which the number of the ioctl holds, and every field at the offset of the header's struct."""
    offsets = {name: getattr(Command, name).offset for name, _ in Command._fields_}
    assert offsets["nsid"] == 4
    assert (offsets["addr"], offsets["data_len"], offsets["cdw10"], offsets["result"]) == (24, 36, 40, 68)
    assert ctypes.sizeof(Command) == _COMMAND.size == 72 == 0xC0484E41 >> 16 & 0x3FFF
    numbers = range(1, len(offsets) + 1)
    packed = Command.from_buffer_copy(_COMMAND.pack(*numbers))
    assert [getattr(packed, name) for name in offsets] == list(numbers)


def test_the_smart_log_is_asked_for(node: Path) -> None:
    """Get Log Page for every namespace: 127 words and one of page 02h. What is not shown here is 0."""
    drive = Drive(_HEALTHY)
    assert read_health(node, drive) == _HEALTHY
    (asked,) = drive.asked
    assert asked.pop("addr")
    assert asked == {"opcode": 0x02, "nsid": 0xFFFFFFFF, "data_len": 512, "cdw10": 0x007F0002}


def test_identify_is_asked_for(node: Path) -> None:
    """Identify, of the controller."""
    drive = Drive(_CONTROLLER)
    assert read_identity(node, drive) == _CONTROLLER
    (asked,) = drive.asked
    assert asked.pop("addr")
    assert asked == {"opcode": 0x06, "data_len": 4096, "cdw10": 1}


@pytest.mark.parametrize("drive", [Drive(_HEALTHY), Drive(status=0x4002), Drive(error=errno.EIO)])
def test_nothing_stays_open(node: Path, drive: Drive) -> None:
    """Whatever the drive answers."""
    for _ in range(3):
        try:
            read_health(node, drive)
        except Unreadable:
            assert drive.status or drive.error
    for descriptor in drive.descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
    assert len(drive.descriptors) == 3


@pytest.mark.parametrize(
    ("error", "reason", "why"),
    [
        (errno.EACCES, "no_permission", "the kernel wants CAP_SYS_ADMIN at the time of the command"),
        (errno.EPERM, "no_permission", "a security policy, such as seccomp, forbids the command"),
        (errno.ENODEV, "no_device", "the drive is gone"),
        (errno.ENXIO, "no_device", "the drive is gone"),
        (errno.EINTR, "not_live", "the controller was reset meanwhile, or timed out"),
        (errno.ENOTTY, "not_supported", "it is no NVMe drive"),
        (errno.EIO, "failed", "Input/output error"),
    ],
)
def test_the_kernel_refuses(node: Path, error: int, reason: str, why: str) -> None:
    """The message says which part, and why."""
    with pytest.raises(Unreadable) as raised:
        read_health(node, Drive(error=error))
    assert raised.value.reason == reason
    assert str(raised.value) == f"{node}: the SMART log cannot be read: {why}"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (0x4002, "not_supported"),  # Invalid Field, Do Not Retry
        (0x4001, "not_supported"),
        (0x7802, "not_supported"),  # with every bit that is no part of the code
        (0x4109, "not_supported"),  # Invalid Log Page
        (0x400B, "failed"),  # Invalid Namespace or Format
        (0x0006, "failed"),
    ],
)
def test_the_drive_refuses(node: Path, status: int, reason: str) -> None:
    """ioctl() returns its status; the data is then not data."""
    with pytest.raises(Unreadable) as raised:
        read_identity(node, Drive(b"rubbish", status))
    assert raised.value.reason == reason
    answers = f"the drive answers with NVMe status 0x{status:04x}"
    assert str(raised.value) == f"{node}: Identify Controller cannot be read: {answers}"


@pytest.mark.parametrize(
    ("error", "reason", "why"),
    [
        (errno.ENOENT, "no_device", "no such device node"),
        (errno.ENXIO, "no_device", "is gone"),
        (errno.ENODEV, "no_device", "is gone"),
        (errno.EACCES, "no_permission", "mode"),
        (errno.EPERM, "no_permission", "device cgroup"),
        (errno.EAGAIN, "not_live", "not live"),
        (errno.EMFILE, "failed", "Too many open files"),
    ],
)
def test_the_node_cannot_be_opened(monkeypatch: pytest.MonkeyPatch, error: int, reason: str, why: str) -> None:
    """The same number means another thing than at the command."""
    drive = Drive(_HEALTHY)

    def refuse(*_: object) -> int:
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        with pytest.raises(Unreadable, match=why) as raised:
            read_health(Path("/dev/nvme0"), drive)
    assert raised.value.reason == reason
    assert str(raised.value).startswith("/dev/nvme0: the SMART log cannot be read: ")
    assert not drive.asked


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/dev/null", "not_supported"), ("/dev/null/nvme0", "no_device"), ("/dev/no-nvme", "no_device")],
)
def test_the_kernel_itself(path: str, reason: str) -> None:
    """With the real ioctl, on what is no drive."""
    for read in (read_health, read_identity):
        with pytest.raises(Unreadable) as raised:
            read(Path(path))
        assert raised.value.reason == reason
