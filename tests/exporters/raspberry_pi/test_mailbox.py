"""The mailbox: bytes as the firmware has them, what may be asked, and what is never asked twice."""

from __future__ import annotations

import errno
import os
import re
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.raspberry_pi import mailbox
from exporters.raspberry_pi.gencmd import (
    REASONS,
    Build,
    Rail,
    Throttled,
    firmware_build,
    measured_hertz,
    rails,
    throttled,
)
from exporters.raspberry_pi.mailbox import (
    ARM,
    COMMANDS,
    GENCMD,
    Mailbox,
    MailboxError,
    Refused,
    Tag,
    gencmd_request,
    gencmd_response,
    property_ioctl,
    request,
    response,
)
from exporters.raspberry_pi.reading import NotAvailable

FIXTURES = Path(__file__).parent / "fixtures/mailbox"
ERROR = (FIXTURES / "error.txt").read_text()
GET_THROTTLED = 0x00030046
GET_TEMPERATURE = 0x00030006
VERSION = "2026/05/26 16:01:25 \nCopyright (c) 2012 Broadcom\nversion 086b83e3 (release) (embedded)"
NEVER = frozenset[str]()

TEXTS = st.one_of(
    st.text(),
    st.from_regex(r"throttled=[0-9a-fx]*\s*"),
    st.from_regex(r"frequency\(\d+\)=\d*"),
    st.from_regex(r"(\s*\w+_[AV] (current|volt)\(\d+\)=[-0-9.]*[AV]\n)*"),
    st.from_regex(r"\d{4}/\d\d/\d\d .*\nversion [0-9a-f]*"),
    st.from_regex(r"[A-Z][a-z][a-z]  ?\d+ \d{4} .*\nversion [0-9a-f]{8}"),
)


def printed(name: str) -> str:
    return (FIXTURES / f"{name}.txt").read_text()


def answer(text: str, code: int = 0) -> bytearray:
    """What comes back from the firmware after a command."""
    raw = text.encode()
    return bytearray(struct.pack("<5Ii4096sI", 4124, 0x80000000, GENCMD, 4096, 0x80000000 | len(raw), code, raw, 0))


@dataclass
class Firmware:
    """An ioctl that answers from a table, and remembers what it was asked."""

    answers: dict[str, str | OSError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    numbers: set[int] = field(default_factory=set)

    def __call__(self, _: int, number: int, buffer: bytearray) -> int:
        self.numbers.add(number)
        (tag,) = struct.unpack_from("<I", buffer, 8)
        command = bytes(buffer[24:]).partition(b"\0")[0].decode() if tag == GENCMD else hex(tag)
        self.asked.append(command)
        told = self.answers.get(command, ERROR)
        if isinstance(told, OSError):
            raise told
        if tag == GENCMD:
            buffer[:] = answer(told, -1 if told == ERROR else 0)
        else:
            struct.pack_into("<I", buffer, 4, 0x80000000)
            struct.pack_into("<II", buffer, len(buffer) - 8, int(told), 0)
            struct.pack_into("<I", buffer, 16, 0x80000000 | len(buffer) - 24)
        return 0


def machine(tmp_path: Path, *nodes: str, **answers: str | OSError) -> tuple[Mailbox, Firmware]:
    for node in nodes:
        (tmp_path / node).touch()
    firmware = Firmware(answers)
    return Mailbox(tmp_path, firmware), firmware


# bytes


def test_a_question_is_laid_out_as_vcio_takes_it() -> None:
    ours = request(Tag.FIRMWARE_REVISION)
    known = bytearray((FIXTURES / "get_throttled_request.bin").read_bytes())
    struct.pack_into("<I", known, 8, Tag.FIRMWARE_REVISION)
    assert ours == known


def test_a_clock_is_asked_for_with_room_for_its_rate() -> None:
    assert struct.unpack("<8I", request(Tag.CLOCK_RATE_MEASURED, ARM)) == (32, 0, 0x00030047, 8, 0, 3, 0, 0)


def test_a_command_is_laid_out_as_vcgencmd_lays_it_out() -> None:
    question = gencmd_request("measure_clock arm")
    assert len(question) == 4124
    assert struct.unpack_from("<6I", question) == (4124, 0, 0x00030080, 4096, 0, 0)
    assert question[24:42] == b"measure_clock arm\0"
    assert not any(question[42:])


def test_genuine_answers() -> None:
    assert response((FIXTURES / "get_throttled_response.bin").read_bytes(), GET_THROTTLED) == (0x50000,)
    assert response((FIXTURES / "get_temperature_response.bin").read_bytes(), GET_TEMPERATURE) == (0, 47200)
    assert gencmd_response(answer("throttled=0x0"), "get_throttled") == "throttled=0x0"


@pytest.mark.parametrize(
    ("place", "word", "error", "sentence"),
    [
        (0, 4, MailboxError, "size 4 in 28 bytes"),
        (4, 0, MailboxError, "status 0x00000000"),
        (4, 0x80000001, Refused, "rejects tag 0x00030046"),
        (8, 1, MailboxError, "tag 0x00000001"),
        (12, 8, MailboxError, "4 bytes of values in room for 8"),
        (16, 4, Refused, "does not know tag 0x00030046"),
        (16, 0x80000008, MailboxError, "8 bytes of values in room for 4"),
        (16, 0x80000003, MailboxError, "3 bytes of values"),
    ],
)
def test_an_answer_that_is_none_says_why(place: int, word: int, error: type[MailboxError], sentence: str) -> None:
    known = bytearray((FIXTURES / "get_throttled_response.bin").read_bytes())
    struct.pack_into("<I", known, place, word)
    with pytest.raises(MailboxError, match=sentence) as caught:
        response(known, GET_THROTTLED)
    assert caught.type is error


@pytest.mark.parametrize(
    ("told", "error", "sentence"),
    [
        (answer(ERROR, -1), Refused, 'code -1: .*"Command not registered"'),
        (answer(ERROR), Refused, "Command not registered"),
        (answer("throttled=0x0", 1), Refused, "code 1"),
        (answer("get_throttled"), Refused, "unanswered"),
        (answer(""), MailboxError, "with nothing"),
        (answer("x" * 4096), MailboxError, "has no end"),
        (answer("throttled=0x0")[:-1], MailboxError, "of 4123 bytes"),
        (gencmd_request("get_throttled"), MailboxError, "status 0x00000000"),
        (b"", MailboxError, "of 0 bytes"),
    ],
)
def test_a_command_that_failed_says_why(told: bytes, error: type[MailboxError], sentence: str) -> None:
    with pytest.raises(MailboxError, match=sentence) as caught:
        gencmd_response(told, "get_throttled")
    assert caught.type is error


@pytest.mark.parametrize("length", range(28))
def test_an_answer_that_is_cut_is_none(length: int) -> None:
    known = (FIXTURES / "get_throttled_response.bin").read_bytes()
    for told in (known[:length], struct.pack("<I", length) + known[4:length]):
        with pytest.raises(MailboxError):
            response(told, GET_THROTTLED)
        with pytest.raises(MailboxError):
            gencmd_response(told, "get_throttled")


def mangled(known: bytes) -> st.SearchStrategy[bytes]:
    """An answer with a few of its words changed, or cut."""
    words = st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 4, 8, 0x80000000, 0x80000001, 0x80000004]))
    changes = st.dictionaries(st.integers(0, 6), words, max_size=3)

    def change(by: dict[int, int], length: int) -> bytes:
        changed = bytearray(known)
        for place, word in by.items():
            struct.pack_into("<I", changed, 4 * place, word)
        return bytes(changed[:length])

    return st.builds(change, changes, st.one_of(st.just(len(known)), st.integers(0, len(known))))


@given(st.one_of(st.binary(max_size=64), mangled((FIXTURES / "get_throttled_response.bin").read_bytes())))
def test_no_bytes_crash_the_reader(told: bytes) -> None:
    with suppress(MailboxError):
        assert all(0 <= value < 1 << 32 for value in response(told, GET_THROTTLED))


@given(st.one_of(st.binary(max_size=64), mangled(bytes(answer("throttled=0x0")))))
def test_no_bytes_crash_the_reader_of_commands(told: bytes) -> None:
    with suppress(MailboxError):
        assert gencmd_response(told, "get_throttled").strip()


# what may be asked


@given(st.one_of(st.text(), st.sampled_from(sorted(COMMANDS)).flatmap(lambda c: st.text(min_size=1).map(c.__add__))))
def test_no_other_text_is_sent(command: str) -> None:
    if command not in COMMANDS:
        with pytest.raises(MailboxError, match="not among the commands"):
            gencmd_request(command)


@pytest.mark.parametrize("command", ["get_throttled 1", "get_throttled 0xf", "get_throttled\0 1", " get_throttled", ""])
def test_history_cannot_be_cleared_by_a_command(command: str, tmp_path: Path) -> None:
    pi, firmware = machine(tmp_path, "vcio")
    with pytest.raises(MailboxError, match="not among the commands"):
        pi.gencmd(command)
    assert firmware.asked == []


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(-1, 2**32), max_size=3))
def test_history_cannot_be_cleared_by_a_tag(tag: int, values: list[int]) -> None:
    """Nor anything written: the tags that can be asked are the two that read, and a command is none of them."""
    try:
        built = struct.unpack_from("<5I", request(tag, *values))  # type: ignore[arg-type]
    except MailboxError:
        return
    assert built[2] in {Tag.FIRMWARE_REVISION, Tag.CLOCK_RATE_MEASURED}


@pytest.mark.parametrize("tag", [GET_THROTTLED, GENCMD, 0x00038002])
def test_a_tag_that_is_not_listed_is_not_sent(tag: int, tmp_path: Path) -> None:
    pi, firmware = machine(tmp_path, "vcio")
    with pytest.raises(MailboxError, match="not among those that are asked"):
        pi.tag(tag, 0xFFFF)  # type: ignore[arg-type]
    assert firmware.asked == []


def test_no_known_question_has_an_argument_for_the_history() -> None:
    assert {command for command in COMMANDS if "throttled" in command} == {"get_throttled"}
    assert {tag & 0x8000 for tag in Tag} == {0}  # the bit that makes a tag one that sets


@pytest.mark.parametrize("values", [(3, 0, 0), (-1,), (1 << 32,)])
def test_a_tag_takes_no_more_than_its_numbers(values: tuple[int, ...]) -> None:
    with pytest.raises(MailboxError, match="at most 2 numbers of 32 bits"):
        request(Tag.CLOCK_RATE_MEASURED, *values)


# the way there


def test_the_number_of_the_ioctl_follows_the_pointers() -> None:
    assert property_ioctl(8) == 0xC0086400
    assert property_ioctl(4) == 0xC0046400
    assert property_ioctl() in {0xC0086400, 0xC0046400}


def opened(monkeypatch: pytest.MonkeyPatch, denied: tuple[str, ...] = (), reason: int = errno.EACCES) -> list[str]:
    """The nodes that are tried from now on; those in `denied` are not to be opened."""
    tried: list[str] = []
    genuine: Callable[..., int] = os.open

    def fake(path: Path, flags: int) -> int:
        tried.append(path.name)
        assert flags & os.O_ACCMODE == os.O_RDONLY
        if path.name in denied:
            raise OSError(reason, os.strerror(reason), str(path))
        return genuine(path, flags)

    monkeypatch.setattr(mailbox.os, "open", fake)
    return tried


def test_the_node_that_allows_less_is_taken_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pi, firmware = machine(tmp_path, "vcio_gencmd", "vcio", get_throttled="throttled=0x0")
    tried = opened(monkeypatch)
    assert pi.gencmd("get_throttled") == "throttled=0x0"
    assert tried == ["vcio_gencmd"]
    assert firmware.numbers == {property_ioctl()}


@pytest.mark.parametrize("reason", [errno.EACCES, errno.EPERM])
def test_the_other_node_serves_where_the_first_may_not_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    pi, _ = machine(tmp_path, "vcio_gencmd", "vcio", get_throttled="throttled=0x0")
    tried = opened(monkeypatch, ("vcio_gencmd",), reason)
    assert pi.gencmd("get_throttled") == "throttled=0x0"
    assert tried == ["vcio_gencmd", "vcio"]


def test_a_tag_goes_through_the_node_that_lets_it_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pi, firmware = machine(tmp_path, "vcio_gencmd", "vcio", **{"0x30047": "1500019456", "0x1": "1779807685"})
    tried = opened(monkeypatch)
    assert pi.tag(Tag.CLOCK_RATE_MEASURED, ARM) == (ARM, 1500019456)
    assert pi.tag(Tag.FIRMWARE_REVISION) == (1779807685,)
    assert tried == ["vcio", "vcio"]
    assert firmware.asked == ["0x30047", "0x1"]


@pytest.mark.parametrize("nodes", [("vcio_gencmd",), ("vcio_gencmd", "vcio")])
def test_with_the_restricted_node_alone_only_commands_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: tuple[str, ...]
) -> None:
    pi, firmware = machine(tmp_path, *nodes, version=VERSION)
    opened(monkeypatch, ("vcio",))
    with pytest.raises(Refused, match="vcio_gencmd lets commands pass and no FIRMWARE_REVISION"):
        pi.tag(Tag.FIRMWARE_REVISION)
    assert pi.gencmd("version") == VERSION
    assert firmware.asked == ["version"]


def test_a_machine_without_a_mailbox_has_none_which_is_no_fault(tmp_path: Path) -> None:
    pi, _ = machine(tmp_path)
    with pytest.raises(NotAvailable, match=r"^no_mailbox$"):
        pi.gencmd("get_throttled")
    with pytest.raises(NotAvailable, match=r"^no_mailbox$"):
        Mailbox(tmp_path / "nothing").tag(Tag.FIRMWARE_REVISION)
    assert pi.refused == {}


def test_a_node_without_permission_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pi, _ = machine(tmp_path, "vcio")
    opened(monkeypatch, ("vcio",))
    with pytest.raises(NotAvailable, match=r"^no_permission$"):
        pi.gencmd("get_throttled")


def test_every_other_reason_not_to_open_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pi, _ = machine(tmp_path, "vcio")
    opened(monkeypatch, ("vcio_gencmd",), errno.EMFILE)
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.EMFILE))):
        pi.gencmd("get_throttled")


@pytest.mark.parametrize("reason", [errno.EINVAL, errno.EPERM])
def test_what_is_rejected_is_asked_once(tmp_path: Path, reason: int) -> None:
    rejected = OSError(reason, os.strerror(reason))
    pi, firmware = machine(tmp_path, "vcio", get_throttled="throttled=0x0", pmic_read_adc=rejected)
    for _ in range(3):
        with pytest.raises(Refused, match=f"vcio: pmic_read_adc is rejected: {os.strerror(reason)}"):
            pi.gencmd("pmic_read_adc")
    assert pi.gencmd("get_throttled") == "throttled=0x0"
    assert firmware.asked == ["pmic_read_adc", "get_throttled"]


def test_a_command_that_the_firmware_does_not_know_is_asked_once(tmp_path: Path) -> None:
    pi, firmware = machine(tmp_path, "vcio")
    for _ in range(3):
        with pytest.raises(Refused, match="Command not registered"):
            pi.gencmd("pmic_read_adc")
    assert firmware.asked == ["pmic_read_adc"]


def test_a_tag_that_is_rejected_is_asked_once(tmp_path: Path) -> None:
    pi, firmware = machine(tmp_path, "vcio", **{"0x1": OSError(errno.EINVAL, "Invalid argument"), "0x30047": "1"})
    for _ in range(3):
        with pytest.raises(Refused, match="FIRMWARE_REVISION is rejected"):
            pi.tag(Tag.FIRMWARE_REVISION)
    assert pi.tag(Tag.CLOCK_RATE_MEASURED, ARM) == (ARM, 1)
    assert firmware.asked == ["0x1", "0x30047"]


@pytest.mark.parametrize("reason", [errno.ETIMEDOUT, errno.EIO])
def test_a_fault_that_may_pass_is_asked_again(tmp_path: Path, reason: int) -> None:
    pi, firmware = machine(tmp_path, "vcio", get_throttled=OSError(reason, os.strerror(reason)))
    with pytest.raises(OSError, match="vcio") as caught:
        pi.gencmd("get_throttled")
    assert caught.value.errno == reason
    firmware.answers["get_throttled"] = "throttled=0x0"
    assert pi.gencmd("get_throttled") == "throttled=0x0"


def test_an_answer_that_is_none_is_asked_again(tmp_path: Path) -> None:
    pi, firmware = machine(tmp_path, "vcio", version="")
    with pytest.raises(MailboxError, match="with nothing"):
        pi.gencmd("version")
    firmware.answers["version"] = VERSION
    assert pi.gencmd("version") == VERSION


def test_a_file_that_is_no_mailbox_is_a_fault_and_names_itself(tmp_path: Path) -> None:
    (tmp_path / "vcio").touch()
    with pytest.raises(OSError, match=re.escape(str(tmp_path / "vcio"))) as caught:
        Mailbox(tmp_path).gencmd("get_throttled")
    assert caught.value.errno == errno.ENOTTY


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    pi, _ = machine(tmp_path, "vcio", version=VERSION, pmic_read_adc=OSError(errno.EIO, "Input/output error"))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for command in ("version", "pmic_read_adc", "get_throttled"):
        with suppress(OSError, Refused):
            pi.gencmd(command)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# what commands print


@pytest.mark.parametrize(
    ("name", "now", "since_boot"),
    [
        ("get_throttled_ok", NEVER, NEVER),
        ("get_throttled_all", {*REASONS}, {*REASONS}),
        ("get_throttled_uv_history", NEVER, {"under_voltage", "throttled"}),
        ("get_throttled_soft_limit_now", {"soft_temperature_limit"}, {"soft_temperature_limit"}),
    ],
)
def test_throttling(name: str, now: set[str], since_boot: set[str]) -> None:
    assert throttled(printed(name)) == Throttled(frozenset(now), frozenset(since_boot))


def test_throttling_is_hexadecimal_with_or_without_saying_so() -> None:
    assert throttled("throttled=50000") == throttled("throttled=0X50000") == throttled("throttled=0x50000\n")


def test_bits_that_are_reserved_mean_nothing() -> None:
    assert throttled("throttled=0xfff0fff0") == Throttled(NEVER, NEVER)


@given(st.integers(0, 2**32 - 1))
def test_every_bit_of_throttling_has_its_reason(bits: int) -> None:
    found = throttled(f"throttled={bits:#x}")
    assert [reason in found.now for reason in REASONS] == [bool(bits & 1 << place) for place in range(4)]
    assert [reason in found.since_boot for reason in REASONS] == [bool(bits & 1 << place) for place in range(16, 20)]


@pytest.mark.parametrize(
    "text", [ERROR, "", "0x0", "throttled=", "throttled=0x", "throttled=-1", "throttled=0x123456789"]
)
def test_throttling_that_is_not_told_is_not_none(text: str) -> None:
    with pytest.raises(MailboxError, match="not in the way of throttled=0x50000"):
        throttled(text)


def test_rails() -> None:
    found = rails(printed("pmic_read_adc"))
    assert list(found) == [
        *("3V7_WL_SW", "3V3_SYS", "1V8_SYS", "DDR_VDD2", "DDR_VDDQ", "1V1_SYS", "0V8_SW", "VDD_CORE"),
        *("0V8_AON", "3V3_DAC", "3V3_ADC", "HDMI", "EXT5V", "BATT"),
    ]
    assert found["EXT5V"] == Rail(volts=5.0572, amperes=None)
    assert found["BATT"] == Rail(volts=0, amperes=None)
    assert found["VDD_CORE"] == Rail(volts=0.7206, amperes=1.4288)
    assert found["DDR_VDDQ"] == (0.6044, 0)
    assert sum(rail.amperes is not None for rail in found.values()) == 12
    assert all(rail.volts is not None for rail in found.values())


@given(st.permutations(printed("pmic_read_adc").splitlines()))
def test_rails_come_in_any_order(lines: list[str]) -> None:
    assert rails("\n".join(lines)) == rails(printed("pmic_read_adc"))


@pytest.mark.parametrize(
    "line",
    ["EXT5V_V volt(24)=5.0572V", "EXT5V_V\tvolt = 5.0572 V\r\n", "EXT5V volt(7)=5.0572", "x\nEXT5V_V volt=5.0572\nx"],
)
def test_a_rail_may_be_written_a_little_differently(line: str) -> None:
    assert rails(line) == {"EXT5V": (5.0572, None)}


@pytest.mark.parametrize(
    "text",
    [
        ERROR,
        "",
        "EXT5V_V volt(24)=V",
        "EXT5V_V volt(24)=nan",
        "EXT5V_V volt(24)=5057mV",
        "EXT5V_A volt(24)=5V",
        "EXT5V_V volt(24)=5A",
        f"EXT5V_V volt(24)={'9' * 400}V",
    ],
)
def test_what_names_no_rail_is_an_error(text: str) -> None:
    with pytest.raises(MailboxError, match="names no rail"):
        rails(text)


def test_the_clock() -> None:
    assert measured_hertz(printed("measure_clock_arm")) == 1_500_019_456
    assert measured_hertz("frequency(48)=600000000\n") == 600_000_000


@pytest.mark.parametrize("text", [ERROR, "", "frequency(0)=", "frequency(0)=0", "frequency(0)=-1", "frequency(0)=1e9"])
def test_a_clock_that_is_not_measured_is_not_zero(text: str) -> None:
    with pytest.raises(MailboxError, match=r"frequency"):
        measured_hertz(text)


@pytest.mark.parametrize(
    ("text", "build"),
    [
        (VERSION, Build("086b83e3", date(2026, 5, 26))),
        (
            "Jan  5 2024 13:54:06 \nCopyright (c) 2012 Broadcom\nversion 30f9dafb (release)",
            Build("30f9dafb", date(2024, 1, 5)),
        ),
        ("2026/02/30 16:01:25\nversion 086b83e3 (release)", Build("086b83e3", None)),
        ("Foo 12 2020 12:36:21\nversion 086b83e3 (release)", Build("086b83e3", None)),
        (
            "version c3c8dbdf147686fb0c3f32aece709d0653368810 (clean)",
            Build("c3c8dbdf147686fb0c3f32aece709d0653368810", None),
        ),
    ],
)
def test_the_firmware_says_what_it_is(text: str, build: Build) -> None:
    assert firmware_build(text) == build


def test_a_firmware_without_a_version_is_an_error() -> None:
    with pytest.raises(MailboxError, match="names none"):
        firmware_build(ERROR)


@pytest.mark.parametrize("parse", [throttled, rails, measured_hertz, firmware_build])
@given(text=TEXTS)
def test_no_text_crashes_a_parser(parse: Callable[[str], object], text: str) -> None:
    with suppress(MailboxError):
        parse(text)
