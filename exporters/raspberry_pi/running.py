"""Every collector in a thread of its own, and the latest that each of them gave.

A scrape reads what is here and never waits for hardware. A drive that does not answer holds up its own collector alone:
what that gave before is gone when it is too old, and its success is 0 from then on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from exporters.raspberry_pi.reading import Collector, NotAvailable, Reading

_log = logging.getLogger("raspberry_pi")


@dataclass(frozen=True)
class Look:
    """The latest look of a collector. Times are of the monotonic clock, but for `succeeded`, which is unix time."""

    readings: Sequence[Reading] = ()
    at: float = 0.0
    duration: float = 0.0
    failure: str = ""
    unavailable: str = ""
    succeeded: float | None = None

    @property
    def outcome(self) -> str:
        """In words, for the log: a line is written when this changes."""
        return f"not available: {self.unavailable}" if self.unavailable else self.failure or "works"


def look(collector: Collector, before: Look) -> Look:
    """Look once. Whatever goes wrong is an outcome; it never raises."""
    begun = time.monotonic()
    readings: list[Reading] = []
    failure, unavailable, succeeded = "", "", before.succeeded
    try:
        readings.extend(collector.read())  # keeps what came before a failure
        succeeded = time.time()
    except NotAvailable as reason:
        unavailable = str(reason)
    except Exception as error:  # noqa: BLE001, a collector that fails must not end the others
        failure = f"{type(error).__name__}: {error}"
    ended = time.monotonic()
    return Look(tuple(readings), ended, ended - begun, failure, unavailable, succeeded)


@dataclass
class Runner:
    """The collectors of this machine and what they gave."""

    collectors: Sequence[Collector]
    looks: dict[str, Look] = field(default_factory=dict)
    ending: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Look at once, and again and again. The threads end with the process, also one that hangs in the kernel."""
        for collector in self.collectors:
            thread = threading.Thread(target=self._run, args=(collector,), name=collector.name, daemon=True)
            self.threads.append(thread)
            thread.start()

    def once(self, seconds: float) -> None:
        """Look once at everything, and wait for so long at most."""
        self.ending.set()
        self.start()
        end = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, end - time.monotonic()))

    def stop(self) -> None:
        """Look no more."""
        self.ending.set()

    @property
    def ready(self) -> bool:
        """Whether every collector has looked once."""
        return all(collector.name in self.looks for collector in self.collectors)

    @property
    def failed(self) -> list[str]:
        """The collectors that have something to read and did not get it."""
        return [
            collector.name
            for collector in self.collectors
            if not self._fresh(collector) or self.looks[collector.name].failure
        ]

    def _run(self, collector: Collector) -> None:
        while True:
            before = self.looks.get(collector.name, Look())
            now = look(collector, before)
            if now.outcome != before.outcome or collector.name not in self.looks:
                _log.log(logging.WARNING if now.failure else logging.INFO, "%s: %s", collector.name, now.outcome)
            self.looks[collector.name] = now
            if self.ending.wait(collector.every):
                return

    def readings(self) -> Iterator[Reading]:
        """What is known now, of the hardware and of the collectors themselves."""
        for collector in self.collectors:
            labels = {"collector": collector.name}
            latest = self.looks.get(collector.name)
            if latest is None:  # it has not come back from its first look
                yield Reading("rpi_exporter_collector_success", 0, labels)
                continue
            told = {**labels, "reason": latest.unavailable}
            yield Reading("rpi_exporter_collector_available", float(not latest.unavailable), told)
            yield Reading("rpi_exporter_collector_duration_seconds", latest.duration, labels)
            # What was there and is gone is no collector that stopped working: its success may not grow old.
            if latest.succeeded is not None and not latest.unavailable:
                yield Reading("rpi_exporter_collector_last_success_timestamp_seconds", latest.succeeded, labels)
            fresh = self._fresh(collector)
            if not latest.unavailable or not fresh:
                yield Reading("rpi_exporter_collector_success", float(fresh and not latest.failure), labels)
            if fresh:
                yield from latest.readings

    def _fresh(self, collector: Collector) -> bool:
        latest = self.looks.get(collector.name)
        return latest is not None and time.monotonic() - latest.at <= collector.lasts
