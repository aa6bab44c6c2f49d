"""The exporter against Linux' own NVMe driver: its ioctl, its sysfs, its hwmon, and drives that come and go."""

import re
from collections.abc import Iterator

import pytest

from tests.hardware.bench import booted
from tests.hardware.guest import Guest
from tests.hardware.parts import Unavailable

FIRST, SECOND = "HLTEST0001", "HLTEST0002"
ONCE = "python3 -m exporters.raspberry_pi --once --collector.nvme_smart"


@pytest.fixture(scope="module")
def guest() -> Iterator[Guest]:
    """A machine with two drives."""
    try:
        with booted(FIRST, SECOND) as machine:
            yield machine
    except Unavailable as reason:
        pytest.skip(str(reason))


def values(text: str, metric: str) -> dict[str, float]:
    """The values of a metric by serial number."""
    found = re.findall(rf'^{metric}{{.*?serial="(\w*)".*?}} (\S+)$', text, re.MULTILINE)
    return {serial: float(value) for serial, value in found}


def test_what_the_driver_and_the_drives_say(guest: Guest) -> None:
    """Temperatures by hwmon, the log by ioctl; a reserve of 0 under a threshold of 0 is not told, so nothing is."""
    status, text = guest.run(ONCE)
    assert status == 0, text
    assert values(text, "nvme_device_present") == {FIRST: 1, SECOND: 1}
    assert values(text, "nvme_temperature_celsius") == {FIRST: 49.85, SECOND: 49.85}
    assert values(text, "nvme_critical_warning") == {FIRST: 0, SECOND: 0}
    assert values(text, "nvme_pcie_link_max_speed_transfers_per_second") == {FIRST: 5e9, SECOND: 5e9}
    assert values(text, "nvme_available_spare_ratio") == {}
    assert values(text, "nvme_media_errors_total") == {}


def test_a_warning_that_the_drive_raises_is_told_of_that_drive(guest: Guest) -> None:
    """Raised while the machine runs; and it ends."""
    guest.critical_warning(FIRST, 6)
    try:
        assert values(guest.run(ONCE)[1], "nvme_critical_warning") == {FIRST: 6, SECOND: 0}
    finally:
        guest.critical_warning(FIRST, 0)
    assert values(guest.run(ONCE)[1], "nvme_critical_warning") == {FIRST: 0, SECOND: 0}


def test_without_the_capability_the_log_fails_and_the_rest_is_told(guest: Guest) -> None:
    """One line says which part and why."""
    status, text = guest.run(f"/usr/bin/setpriv --inh-caps -sys_admin --bounding-set -sys_admin {ONCE}")
    assert status == 1
    assert 'rpi_exporter_collector_success{collector="nvme_smart"} 0.0' in text
    assert "the kernel wants CAP_SYS_ADMIN" in text
    assert "Traceback" not in text
    assert values(text, "nvme_temperature_celsius") == {FIRST: 49.85, SECOND: 49.85}


def test_a_drive_that_is_pulled_and_put_back(guest: Guest) -> None:
    """While the exporter serves: a 0 with its serial number, and a 1 again, under whatever name."""
    collectors = "--collector.nvme_smart --nvme.expected NEVERSEEN"
    guest.check(f"python3 -m exporters.raspberry_pi {collectors} >/dev/null 2>&1 &")
    try:
        scrape = "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:9998/metrics\").read().decode())'"
        present = {FIRST: 1, SECOND: 1, "NEVERSEEN": 0}
        assert until(guest, scrape, present) == present
        guest.remove(FIRST)
        assert until(guest, scrape, {**present, FIRST: 0}) == {**present, FIRST: 0}
        guest.rescan()
        assert until(guest, scrape, present) == present
    finally:
        guest.run("pkill -f exporters.raspberry_pi")


def until(guest: Guest, scrape: str, wanted: dict[str, float]) -> dict[str, float]:
    """What is scraped as soon as it is as wanted, or after a minute, in which the exporter looks four times."""
    found: dict[str, float] = {}
    for _ in range(30):
        found = values(guest.run(scrape)[1], "nvme_device_present")
        if found == wanted:
            break
        guest.run("sleep 2")
    return found
