"""How often the voltage was too low, also between two looks.

The kernel asks the firmware every two seconds and announces each change of the alarm to whoever waits for it.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from exporters.raspberry_pi.host import Host, named

_PACE = 2.0  # seconds: where nothing is announced, it is looked at as often as the kernel does
_AGAIN = 60.0  # seconds until an alarm that cannot be read is tried again


@dataclass
class Events:
    """How often the alarm was raised since the exporter started; None while there is nothing to watch."""

    count: int | None = None
    raised: bool = False

    def see(self, *, raised: bool) -> None:
        """Note the alarm's present value; what was raised before the first look is one event too."""
        self.count = (self.count or 0) + (raised and not self.raised)
        self.raised = raised


def alarm(host: Host) -> Path | None:
    """The file of the alarm, where the board has one."""
    return next((chip / "in0_lcrit_alarm" for chip in named(host.sys / "class/hwmon", "name", "rpi_volt")), None)


def announced(descriptor: int) -> None:
    """Return when the kernel announces a change, and after a while all the same."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLPRI | select.POLLERR)
    waiting.poll(_PACE * 1000)


def watch(path: Path, events: Events, ending: threading.Event, wait: Callable[[int], None] = announced) -> None:
    """Count until `ending` is set. An alarm that cannot be read is tried again later, and counts nothing meanwhile."""
    while not ending.is_set():
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            ending.wait(_AGAIN)
            continue
        try:
            while not ending.is_set():
                # What is announced has to be read from the start, or it is announced again at once.
                events.see(raised=os.pread(descriptor, 16, 0).strip() == b"1")
                wait(descriptor)
        except OSError:
            ending.wait(_AGAIN)
        finally:
            os.close(descriptor)
