"""Asking an NVMe drive: the admin commands that read, by ioctl, and in words why one could not be carried out."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from array import array
from collections.abc import Callable
from pathlib import Path

from exporters.raspberry_pi.smart import HEALTH, IDENTITY

Ioctl = Callable[[int, int, bytearray], int]

_ADMIN_COMMAND = 0xC0484E41  # _IOWR('N', 0x41, struct nvme_passthru_cmd)
# opcode, flags, reserved, nsid, cdw2, cdw3, metadata, addr, metadata_len, data_len, cdw10 to 15, timeout_ms, result
_COMMAND = struct.Struct("=BBHIIIQQ10I")
_GET_LOG_PAGE, _IDENTIFY = 0x02, 0x06
_SMART = (HEALTH // 4 - 1) << 16 | 0x02  # how many words but one, and the page
_CONTROLLER = 1  # what to identify
_EVERY_NAMESPACE = 0xFFFFFFFF

_GONE = ("no_device", "the drive is gone")
_NO_NODE = ("no_device", "there is no such device node")
_OPENING = {
    errno.ENOENT: _NO_NODE,
    errno.ENOTDIR: _NO_NODE,
    errno.ENODEV: _GONE,
    errno.ENXIO: _GONE,
    errno.EACCES: ("no_permission", "the node's mode, or a mount with nodev, does not let this user open it"),
    errno.EPERM: ("no_permission", "the container's device cgroup does not allow the node, whatever the capabilities"),
    errno.EAGAIN: ("not_live", "the controller is not live; sysfs has its state"),
}
_ASKING = {
    errno.ENODEV: _GONE,
    errno.ENXIO: _GONE,
    errno.EACCES: ("no_permission", "the kernel wants CAP_SYS_ADMIN at the time of the command"),
    errno.EPERM: ("no_permission", "a security policy, such as seccomp, forbids the command"),
    errno.EINTR: ("not_live", "the controller was reset meanwhile, or timed out"),
    errno.ENOTTY: ("not_supported", "it is no NVMe drive"),
}
_UNKNOWN = (0x001, 0x002, 0x109)  # Invalid Command Opcode, Invalid Field in Command, Invalid Log Page


class Unreadable(OSError):
    """The drive could not be asked, or refused. The message names the node, the part and why.

    `reason` is no_permission, no_device, not_live, not_supported or failed.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def read_health(node: Path, ioctl: Ioctl = fcntl.ioctl) -> bytes:
    """The SMART log of the drive behind /dev/nvme0 or /dev/nvme0n1, as it comes. Raises Unreadable."""
    return _read(node, "the SMART log", (_GET_LOG_PAGE, _EVERY_NAMESPACE, _SMART), HEALTH, ioctl)


def read_identity(node: Path, ioctl: Ioctl = fcntl.ioctl) -> bytes:
    """Identify Controller of the same, which since Linux 6.2 needs no capability. Raises Unreadable."""
    return _read(node, "Identify Controller", (_IDENTIFY, 0, _CONTROLLER), IDENTITY, ioctl)


def _read(node: Path, part: str, command: tuple[int, int, int], size: int, ioctl: Ioctl) -> bytes:
    opcode, nsid, cdw10 = command
    data = array("B", bytes(size))
    # No timeout of our own: when one passes, the kernel resets the controller, and that is not ours to cause.
    packed = _COMMAND.pack(opcode, 0, 0, nsid, 0, 0, 0, data.buffer_info()[0], 0, size, cdw10, 0, 0, 0, 0, 0, 0, 0)
    known = _OPENING
    try:
        # Anew each time: with a descriptor held open, a drive that left and came back gets another name.
        descriptor = os.open(node, os.O_RDONLY)
        known = _ASKING
        try:
            status = ioctl(descriptor, _ADMIN_COMMAND, bytearray(packed))
        finally:
            os.close(descriptor)
    except OSError as error:
        reason, why = known.get(error.errno or 0, ("failed", error.strerror or str(error)))
        raise Unreadable(reason, f"{node}: {part} cannot be read: {why}") from error
    if status:
        reason = "not_supported" if status & 0x7FF in _UNKNOWN else "failed"
        raise Unreadable(reason, f"{node}: {part} cannot be read: the drive answers with NVMe status {status:#06x}")
    return data.tobytes()
