"""Ctrl-C and its kin end the demo through an exception in the main thread, but never between two halves of a step."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal asked to end. Not an Exception: nothing but the entry point may catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _State:
    came: int = 0  # the first signal; what follows changes nothing, since everything is being ended already
    holds: int = 0
    raised: bool = False


def _arrive(number: int, _: FrameType | None = None) -> None:
    _State.came = _State.came or number
    _raise_once()


def _raise_once() -> None:
    if _State.came and not _State.holds and not _State.raised:
        _State.raised = True
        raise Ended(_State.came)


@contextmanager
def raising() -> Iterator[None]:
    """Raise Ended in the main thread when one of the signals comes."""
    before = {number: signal.signal(number, _arrive) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[None]:
    """Let a signal wait until the end of this: a process that was begun must be known to whoever ends it."""
    _State.holds += 1
    try:
        yield
    finally:
        _State.holds -= 1
    _raise_once()
