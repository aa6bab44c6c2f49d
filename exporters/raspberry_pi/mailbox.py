"""The firmware's mailbox, /dev/vcio: questions and answers as bytes, and the device nodes that they go through.

Only what is named here can be asked, and all of it reads: through the same node a Pi can be reset, overclocked or have
its one-time memory written. In particular nothing here can clear the history of throttling. `get_throttled` followed by
any argument does, and so does its tag with a mask; the kernel sends the latter every two seconds, so that the tag knows
of nothing older, and for this reason it is not asked at all.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TypeVar

from exporters.raspberry_pi.reading import NotAvailable

# To be sent as they are, not one word more.
COMMANDS = frozenset({"get_throttled", "measure_clock arm", "pmic_read_adc", "version"})
GENCMD = 0x00030080  # the tag that carries a command
ARM = 3  # the processor, among the clocks

Ioctl = Callable[[int, int, bytearray], object]
_Answer = TypeVar("_Answer")

_RESTRICTED, _FULL = "vcio_gencmd", "vcio"  # device nodes; the former lets no tag but GENCMD pass
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO)
_DENIED = (errno.EACCES, errno.EPERM)
_DONE, _FAILED = 0x80000000, 0x80000001  # by the firmware, in the second word; the former also marks a tag's length
_WORD = 4  # bytes
_HEAD = 5 * _WORD  # size, status, tag, room for values, length of values
_ROOM = 4096  # bytes, for a command and for what it prints
_TEXT = _HEAD + _WORD  # where it begins, after the command's return code


class Tag(IntEnum):
    """What the firmware can be asked for without a command."""

    FIRMWARE_REVISION = 0x00000001  # () -> (unix time at which it was built,)
    CLOCK_RATE_MEASURED = 0x00030047  # (clock,) -> (clock, hertz)


_VALUES = {Tag.FIRMWARE_REVISION: 1, Tag.CLOCK_RATE_MEASURED: 2}  # words: the longer of question and answer


class MailboxError(ValueError):
    """The answer is none, or the question may not be asked."""


class Refused(MailboxError):
    """The firmware, or the device node, does not answer this question, and will not until the next boot."""


def property_ioctl(pointer: int = struct.calcsize("P")) -> int:
    """The number of the one ioctl there is, _IOWR(100, 0, char *), for programs with pointers of so many bytes."""
    return 0xC0006400 | pointer << 16


def request(tag: Tag, *values: int) -> bytearray:
    """The question for a tag, which the answer overwrites. Raises MailboxError for any tag that is not in Tag."""
    words = _VALUES.get(tag)
    if words is None:
        raise MailboxError(f"tag {tag:#010x} is not among those that are asked")
    if len(values) > words or not all(0 <= value < 1 << 32 for value in values):
        raise MailboxError(f"tag {tag:#010x} takes at most {words} numbers of 32 bits, not {values}")
    room = _WORD * words
    padded = (*values, *[0] * (words - len(values)))
    return bytearray(struct.pack(f"<5I{words}II", _HEAD + room + _WORD, 0, tag, room, 0, *padded, 0))


def response(answer: bytes | bytearray, tag: int) -> tuple[int, ...]:
    """The values in the answer for a tag. Raises MailboxError, Refused where it was asked in vain."""
    room, length = _head(answer, tag)
    if not length & _DONE:
        raise Refused(f"the firmware does not know tag {tag:#010x}")
    length &= ~_DONE
    if length % _WORD or length > room or _HEAD + room + _WORD > len(answer):
        raise MailboxError(f"the answer for tag {tag:#010x} has {length} bytes of values in room for {room}")
    return struct.unpack_from(f"<{length // _WORD}I", answer, _HEAD)


def gencmd_request(command: str) -> bytearray:
    """The question for a command, which the answer overwrites. Raises MailboxError for any that is not in COMMANDS."""
    if command not in COMMANDS:
        raise MailboxError(f"{command[:40]!r} is not among the commands that are sent: {', '.join(sorted(COMMANDS))}")
    size = _TEXT + _ROOM + _WORD
    return bytearray(struct.pack(f"<6I{_ROOM}sI", size, 0, GENCMD, _ROOM, 0, 0, command.encode(), 0))


def gencmd_response(answer: bytes | bytearray, command: str) -> str:
    """What a command printed. Raises MailboxError, Refused where the firmware does not know the command."""
    _head(answer, GENCMD)
    printed, end, _ = bytes(answer[_TEXT:-_WORD]).partition(b"\0")
    text = printed.decode("utf-8", "replace")
    if not end:  # a number may be cut short, and would be another one
        raise MailboxError(f"the answer to {command} has no end")
    (code,) = struct.unpack_from("<i", answer, _HEAD)
    if code or text.lstrip().startswith("error="):
        raise Refused(f"the firmware answers {command} with code {code}: {text[:80]!r}")
    if text == command:  # the length that other tags have says it better, but vcgencmd does not look at it either
        raise Refused(f"the firmware left {command} unanswered")
    if not text.strip():
        raise MailboxError(f"the firmware answers {command} with nothing")
    return text


def _head(answer: bytes | bytearray, tag: int) -> tuple[int, int]:
    """The room for values and their length as the answer has them, once the rest of its head is as it must be."""
    if len(answer) < _TEXT or len(answer) % _WORD:
        raise MailboxError(f"an answer of {len(answer)} bytes is none")
    size, status, answered, room, length = struct.unpack_from("<5I", answer)
    if status == _FAILED:
        raise Refused(f"the firmware rejects tag {tag:#010x}")
    if status != _DONE or size != len(answer) or answered != tag:
        raise MailboxError(
            f"the answer for tag {tag:#010x} has status {status:#010x}, tag {answered:#010x} and size {size}"
            f" in {len(answer)} bytes"
        )
    return room, length


@dataclass
class Mailbox:
    """The mailbox of this machine. What was refused once is not asked again: the kernel logs an error each time.

    NotAvailable is raised where no node is there (no_mailbox: not a Pi) or none may be opened (no_permission), and
    OSError where asking failed this time: ETIMEDOUT after a second without an answer, EIO for a broken one.
    """

    dev: Path = Path("/dev")
    ioctl: Ioctl = fcntl.ioctl
    refused: dict[str, str] = field(default_factory=dict)  # by command or tag, with the reason

    def gencmd(self, command: str) -> str:
        """What a command of COMMANDS prints. Raises MailboxError, Refused, NotAvailable and OSError."""
        nodes = (_RESTRICTED, _FULL)  # the one that allows less first
        return self._ask(command, gencmd_request(command), nodes, lambda answer: gencmd_response(answer, command))

    def tag(self, tag: Tag, *values: int) -> tuple[int, ...]:
        """The values of a tag. Raises like gencmd, Refused also where there is only the node that lets none pass."""
        question = request(tag, *values)
        return self._ask(Tag(tag).name, question, (_FULL, _RESTRICTED), lambda answer: response(answer, tag))

    def _ask(
        self, name: str, buffer: bytearray, nodes: tuple[str, str], read: Callable[[bytearray], _Answer]
    ) -> _Answer:
        if name in self.refused:
            raise Refused(self.refused[name])
        try:
            self._exchange(name, buffer, nodes)
            return read(buffer)
        except Refused as refusal:
            self.refused[name] = str(refusal)
            raise

    def _exchange(self, name: str, buffer: bytearray, nodes: tuple[str, str]) -> None:
        descriptor, path = self._open(nodes)
        try:
            if path.name == _RESTRICTED and name not in COMMANDS:  # the kernel would log this, too
                raise Refused(f"{path} lets commands pass and no {name}; {_FULL} cannot be opened")
            self.ioctl(descriptor, property_ioctl(), buffer)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.EPERM):
                raise Refused(f"{path}: {name} is rejected: {error.strerror}") from None
            raise OSError(error.errno, error.strerror, str(path)) from None
        finally:
            os.close(descriptor)

    def _open(self, nodes: tuple[str, str]) -> tuple[int, Path]:
        reason = "no_mailbox"
        for path in [self.dev / node for node in nodes]:
            try:
                return os.open(path, os.O_RDONLY | os.O_CLOEXEC), path
            except OSError as error:
                if error.errno in _DENIED:
                    reason = "no_permission"
                elif error.errno not in _ABSENT:
                    raise
        raise NotAvailable(reason)
