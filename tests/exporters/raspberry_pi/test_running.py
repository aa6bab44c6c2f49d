"""Collectors in threads: one that fails or hangs is seen, and holds up nothing but itself."""

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from exporters.raspberry_pi import running
from exporters.raspberry_pi.reading import Collector, NotAvailable, Reading
from exporters.raspberry_pi.running import Runner

HEAT = Reading("rpi_soc_temperature_celsius", 48.85)


def told(runner: Runner) -> dict[str, float]:
    """The values by metric and labels; times of day and durations left out."""
    return {
        " ".join([one.metric, *one.labels.values()]): one.value
        for one in runner.readings()
        if not one.metric.endswith(("seconds", "timestamp_seconds"))
    }


def once(*collectors: Collector) -> Runner:
    """A runner that has looked once."""
    runner = Runner(collectors)
    runner.once(10)
    return runner


def test_what_works_is_shown_beside_what_is_not_there_and_what_fails() -> None:
    """Not available is no fault and has no success that could be 0; a failure keeps what was read before it."""

    def absent() -> Iterator[Reading]:
        raise NotAvailable("no_device")

    def half() -> Iterator[Reading]:
        yield Reading("rpi_fan_speed_rpm", 3000)
        raise OSError(5, "Input/output error")

    runner = once(Collector("thermal", lambda: [HEAT]), Collector("nvme", absent), Collector("fan", half))
    assert told(runner) == {
        "rpi_exporter_collector_available thermal ": 1,
        "rpi_exporter_collector_success thermal": 1,
        "rpi_soc_temperature_celsius": 48.85,
        "rpi_exporter_collector_available nvme no_device": 0,
        "rpi_exporter_collector_available fan ": 1,
        "rpi_exporter_collector_success fan": 0,
        "rpi_fan_speed_rpm": 3000,
    }
    assert runner.failed == ["fan"]


def test_a_device_that_hangs_stalls_its_own_collector_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead controller blocks a read for a minute: what it said before is gone when it is too old, and the time of its
    last success stays, since that is true for ever."""
    hangs, release, looked = threading.Event(), threading.Event(), threading.Event()

    def drive() -> list[Reading]:
        if looked.is_set():
            hangs.set()
            release.wait(10)
        looked.set()
        return [Reading("nvme_device_present", 1, {"device": "nvme0", "serial": "S"})]

    runner = Runner([Collector("nvme", drive, every=0, lasts=60), Collector("thermal", lambda: [HEAT], every=0)])
    runner.start()
    try:
        assert hangs.wait(10)
        assert told(runner)["nvme_device_present nvme0 S"] == 1
        later = time.monotonic() + 61
        monkeypatch.setattr(running.time, "monotonic", lambda: later)
        now = told(runner)
        assert "nvme_device_present nvme0 S" not in now
        assert now["rpi_exporter_collector_success nvme"] == 0
        assert any(
            one.metric == "rpi_exporter_collector_last_success_timestamp_seconds" and one.labels["collector"] == "nvme"
            for one in runner.readings()
        )
        assert runner.failed[0] == "nvme"
    finally:
        runner.stop()
        release.set()


def test_what_was_there_and_is_gone_has_no_success_that_grows_old() -> None:
    """A drive that is pulled has an alert of its own; its log, which nobody can read then, must not be a second one."""
    answers = iter([[HEAT]])

    def read() -> list[Reading]:
        for answer in answers:
            return answer
        raise NotAvailable("no_device")

    collector = Collector("nvme_smart", read)
    runner = Runner([collector])
    runner.looks["nvme_smart"] = first = running.look(collector, running.Look())
    stamp = "rpi_exporter_collector_last_success_timestamp_seconds"
    assert stamp in {one.metric for one in runner.readings()}
    runner.looks["nvme_smart"] = running.look(collector, first)
    assert {one.metric for one in runner.readings()} == {
        "rpi_exporter_collector_available",
        "rpi_exporter_collector_duration_seconds",
    }


def test_a_collector_that_never_came_back_is_a_failure() -> None:
    """Not even a first look: it is not ready, and nobody may take its silence for health."""
    release = threading.Event()
    runner = Runner([Collector("nvme", lambda: [HEAT][: release.wait(10)])])
    runner.start()
    try:
        assert not runner.ready
        assert told(runner) == {"rpi_exporter_collector_success nvme": 0}
        assert runner.failed == ["nvme"]
    finally:
        runner.stop()
        release.set()


def test_a_line_is_logged_when_something_changes_and_not_at_every_look(caplog: pytest.LogCaptureFixture) -> None:
    """A node looks four times a minute, for years."""
    outcomes = iter([None, None, OSError("gone"), OSError("gone"), None])
    done = threading.Event()

    def drive() -> list[Reading]:
        try:
            outcome = next(outcomes)
        except StopIteration:
            done.set()
            return [HEAT]
        if outcome:
            raise outcome
        return [HEAT]

    with caplog.at_level(logging.INFO):
        runner = Runner([Collector("drive", drive, every=0)])
        runner.start()
        assert done.wait(10)
        runner.stop()
    # Threads of other tests may still say a last word.
    mine = [(one.levelname, one.message) for one in caplog.records if one.message.startswith("drive: ")]
    assert mine == [("INFO", "drive: works"), ("WARNING", "drive: OSError: gone"), ("INFO", "drive: works")]
