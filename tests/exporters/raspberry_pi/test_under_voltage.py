"""Dips of the voltage, counted as the kernel announces them."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from exporters.raspberry_pi import board
from exporters.raspberry_pi.under_voltage import Events, alarm, watch


def counted(path: Path, *values: str) -> Events:
    """What is counted while the alarm has these values, one after each announcement; "" is a read that fails."""
    events, ending, rest = Events(), threading.Event(), list(values)

    def announced(descriptor: int) -> None:
        assert os.pread(descriptor, 16, 0)
        if rest:
            path.write_text(rest.pop(0) + "\n")
        else:
            ending.set()

    path.write_text(rest.pop(0) + "\n")
    watch(path, events, ending, announced)
    return events


def test_every_dip_counts_once(tmp_path: Path) -> None:
    """However long it lasts; one that goes on since before the start is one."""
    assert counted(tmp_path / "alarm", "0", "1", "1", "0", "1", "0").count == 2
    assert counted(tmp_path / "alarm", "1", "1", "0").count == 1
    assert counted(tmp_path / "alarm", "0", "0").count == 0


def test_nothing_is_counted_of_an_alarm_that_cannot_be_read(tmp_path: Path) -> None:
    """Nobody knows then, which is not 0."""
    events, ending = Events(), threading.Event()
    watching = threading.Thread(target=watch, args=(tmp_path / "gone", events, ending), daemon=True)
    watching.start()
    ending.set()
    watching.join(5)
    assert not watching.is_alive()
    assert events.count is None


def test_a_virtual_machine_has_no_alarm(host: Callable) -> None:
    """Nothing to watch."""
    assert alarm(host("x86-vm")) is None


def test_the_board_tells_how_many(host: Callable) -> None:
    """Beside the alarm itself; before the first look nothing is said of events."""
    here = host("pi-cm5")
    assert alarm(here) == here.sys / "class/hwmon/hwmon4/in0_lcrit_alarm"
    names = {one.metric: one.value for one in board.collect(here, Events(3))}
    assert names["rpi_under_voltage_events_total"] == 3
    assert "rpi_under_voltage_events_total" not in {one.metric for one in board.collect(here, Events())}
