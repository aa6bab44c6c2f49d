"""The rules, fed with what this exporter really prints of a host, minute by minute, in Prometheus' own rule engine."""

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from alerts._render import catalogue, limit_types, plain
from checks import promtool
from checks.cluster import quoted
from exporters.raspberry_pi import board, firmware, nvme, nvme_smart, storage_paths, thermal
from exporters.raspberry_pi.exposition import registry
from exporters.raspberry_pi.host import Host
from exporters.raspberry_pi.mailbox import Mailbox, Refused, Tag
from exporters.raspberry_pi.reading import Collector
from exporters.raspberry_pi.running import Runner
from homelab.inventory import load

ROOT = Path(__file__).parents[3]
FIXTURES = Path(__file__).parent / "fixtures"
NODE = {"job": "rpi-exporter", "node": "kube-srv-1", "instance": "10.0.40.101:9998"}
ETCD = "/var/lib/rancher/k3s/server/db/etcd"


@lru_cache
def rules() -> str:
    """The rules of the subsystem, as promtool reads them."""
    site = load(ROOT / "homelab.yaml", limit_types()).clusters["production"]
    return plain(next(group for group in catalogue(site) if group.subsystem == "raspberry_pi"))


class Firmware(Mailbox):
    """A mailbox that only knows whether it is throttled; `word` is what get_throttled prints."""

    word = "throttled=0x0"

    def gencmd(self, command: str) -> str:
        """The word, and nothing else."""
        if command != "get_throttled":
            raise Refused(command)
        return self.word

    def tag(self, tag: Tag, *values: int) -> tuple[int, ...]:
        """Nothing."""
        raise Refused(f"{tag} {values}")


def printed(
    host: Host, *, word: str = "throttled=0x0", log: str = "smart_healthy", memory: nvme.Memory | None = None
) -> str:
    """One scrape of a host."""
    mailbox, seen = Firmware(), memory or nvme.Memory()
    mailbox.word = word
    ask = nvme_smart.Ask(
        health=lambda _: (FIXTURES / f"nvme/{log}.bin").read_bytes(),
        identity=lambda _: (FIXTURES / "nvme/id_ctrl.bin").read_bytes(),
    )
    runner = Runner(
        [
            Collector("thermal", lambda: thermal.collect(host)),
            Collector("board", lambda: board.collect(host)),
            Collector("firmware", lambda: firmware.collect(mailbox)),
            Collector("nvme", lambda: nvme.collect(host, seen)),
            Collector("nvme_smart", lambda: nvme_smart.collect(host, ask)),
            Collector("storage_paths", lambda: storage_paths.collect(host, [ETCD])),
        ]
    )
    runner.once(10)
    return generate_latest(registry(runner.readings)).decode()


def firing(folder: Path, scrapes: Sequence[str]) -> dict[str, dict[str, str]]:
    """The alerts that fire after scrapes a minute apart, by name, with their labels."""
    series: dict[str, list[str]] = {f"up{{{_labels(NODE)}}}": ["1"] * len(scrapes)}
    for minute, text in enumerate(scrapes):
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name = f"{sample.name}{{{_labels({**sample.labels, **NODE})}}}"
                series.setdefault(name, ["_"] * len(scrapes))[minute] = repr(sample.value)
    end = f"{len(scrapes) - 1}m"
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": " ".join(values)} for name, values in series.items()],
        "promql_expr_test": [{"expr": 'ALERTS{alertstate="firing"}', "eval_time": end, "exp_samples": []}],
    }
    (folder / "rules.yaml").write_text(rules(), "utf-8")
    (folder / "test.json").write_text(json.dumps({"rule_files": ["rules.yaml"], "tests": [test]}), "utf-8")
    found = [sample.labels for failure in promtool.test_rules(folder / "test.json") for sample in failure.samples]
    return {dict(labels)["alertname"]: dict(labels) for labels in found}


def _labels(labels: dict[str, str]) -> str:
    return ", ".join(f"{name}={quoted(value)}" for name, value in labels.items())


def lasting(text: str, minutes: int = 45) -> list[str]:
    """The same all the time."""
    return [text] * minutes


def test_a_healthy_board_raises_nothing_of_its_own(host: Callable, tmp_path: Path) -> None:
    """The other two boards of the inventory are not scraped here, and that is all that is told."""
    assert set(firing(tmp_path, lasting(printed(host("pi-cm5"))))) <= {"RpiExporterMissing"}


def test_an_under_voltage_that_flaps_is_told(host: Callable, tmp_path: Path) -> None:
    """A weak supply shows in one sample of three."""
    here = host("pi-cm5")
    weak, fine = printed(here, word="throttled=0x50005"), printed(here, word="throttled=0x50000")
    cycle: Iterable[str] = itertools.cycle([weak, fine, fine])
    found = firing(tmp_path, list(itertools.islice(cycle, 45)))
    assert found["RpiUnderVoltage"]["node"] == "kube-srv-1"


@pytest.mark.parametrize(("level", "alert"), [("79000", "RpiHot"), ("84500", "RpiOverheating")])
def test_heat_is_told(host: Callable, tmp_path: Path, level: str, alert: str) -> None:
    """By the processor's own thermometer, in the kernel's millidegrees."""
    zone = "sys/devices/virtual/thermal/thermal_zone0/temp"
    assert alert in firing(tmp_path, lasting(printed(host("pi-cm5", **{zone: level}))))


def test_a_drive_without_reserve_is_told(host: Callable, tmp_path: Path) -> None:
    """Its log: the spare is below its own threshold, and its data is not reliable any more."""
    found = firing(tmp_path, lasting(printed(host("pi-cm5"), log="smart_degraded")))
    assert found["NvmeSpareLow"]["device"] == "nvme0"


def test_a_drive_that_fell_off_the_bus_is_told(host: Callable, tmp_path: Path) -> None:
    """It leaves no file; the exporter remembers it."""
    here, memory = host("pi-cm5"), nvme.Memory()
    before = printed(here, memory=memory)
    (here.sys / "class/nvme/nvme0").unlink()
    after = printed(here, memory=memory)
    assert "NvmeMissing" in firing(tmp_path, [*lasting(before, 10), *lasting(after)])


def test_etcd_on_the_emmc_is_told(host: Callable, tmp_path: Path) -> None:
    """The outage that this exporter was written for."""
    told = "22 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw\n35 22 259:1 / /mnt/longhorn rw - ext4 /dev/nvme0n1p1 rw"
    found = firing(tmp_path, lasting(printed(host("pi-cm5", **{"proc/1/mountinfo": told})), 60))
    assert found["RpiPathOnWrongDevice"]["device_type"] == "emmc"


def test_a_collector_that_fails_is_told(host: Callable, tmp_path: Path) -> None:
    """Its values are gone; that they are is an alert of its own."""
    zone = "sys/devices/virtual/thermal/thermal_zone0/temp"
    found = firing(tmp_path, lasting(printed(host("pi-cm5", **{zone: "warm"})), 60))
    assert "RpiCollectorFailing" in found
