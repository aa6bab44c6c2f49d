"""What each collector makes of a host: golden where it is healthy, and one by one what may be otherwise."""

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from exporters.raspberry_pi import board, cpu, firmware, mmc, nvme, nvme_smart, storage_paths, thermal
from exporters.raspberry_pi.exposition import registry
from exporters.raspberry_pi.host import Host
from exporters.raspberry_pi.mailbox import Mailbox, Refused, Tag
from exporters.raspberry_pi.passthru import Unreadable
from exporters.raspberry_pi.reading import NotAvailable, Reading

ETCD = "/var/lib/rancher/k3s/server/db/etcd"
PATHS = ("/", "/mnt/longhorn", ETCD)
DRIVE = "sys/devices/platform/axi/1000110000.pcie/pci0001:00/0001:00:00.0/0001:01:00.0"
NVME = f"{DRIVE}/nvme/nvme0"
EMMC = "sys/devices/platform/soc@107c000000/1000fff000.mmc/mmc_host/mmc0/mmc0:0001"
ZONE = "sys/devices/virtual/thermal/thermal_zone0"


FIXTURES = Path(__file__).parent / "fixtures"
ASK = nvme_smart.Ask(
    health=lambda _: (FIXTURES / "nvme/smart_healthy.bin").read_bytes(),
    identity=lambda _: (FIXTURES / "nvme/id_ctrl.bin").read_bytes(),
)


class Firmware(Mailbox):
    """Answers as the firmware of a board did; the rest of it is tested in test_mailbox."""

    said: Mapping[str, str]

    def gencmd(self, command: str) -> str:
        """What was captured."""
        if command not in self.said:
            raise Refused(command)
        return (FIXTURES / "mailbox" / f"{self.said[command]}.txt").read_text("utf-8")

    def tag(self, tag: Tag, *values: int) -> tuple[int, ...]:
        """The build of the firmware, and nothing else."""
        assert (tag, values) == (Tag.FIRMWARE_REVISION, ())
        return (1_757_500_000,)


def speaking(**said: str) -> Firmware:
    """A mailbox with these answers by command, as files of fixtures/mailbox."""
    made = Firmware()
    made.said = {name.replace("_arm", " arm"): file for name, file in said.items()}
    return made


HEALTHY = {
    "get_throttled": "get_throttled_ok",
    "measure_clock_arm": "measure_clock_arm",
    "pmic_read_adc": "pmic_read_adc",
}


def everything(host: Host) -> list[Reading]:
    """All that the collectors give; those that have nothing are left out."""
    memory = nvme.Memory()
    mailbox = speaking(**HEALTHY) if (host.sys / "firmware").exists() else Mailbox(host.dev)
    found: list[Reading] = []
    for part in (
        thermal.collect(host),
        board.collect(host),
        firmware.collect(mailbox),
        cpu.collect(host),
        nvme.collect(host, memory),
        nvme_smart.collect(host, ASK),
        mmc.collect(host),
        storage_paths.collect(host, PATHS),
    ):
        try:
            found += part
        except NotAvailable:
            continue
    return found


def values(readings: Iterable[Reading], metric: str) -> dict[str, float]:
    """The values of one metric by those of its labels, joined."""
    return {" ".join(one.labels.values()): one.value for one in readings if one.metric == metric}


@pytest.mark.parametrize("name", ["pi-cm5", "x86-vm"])
def test_a_healthy_host_is_shown_as_a_person_read_it(host: Callable, name: str) -> None:
    """The golden text was held against the files by hand: millidegrees, kilohertz, sectors of 512 bytes."""
    shown = generate_latest(registry(lambda: everything(host(name)))).decode()
    assert shown == (Path(__file__).parent / "hosts" / f"{name}.prom").read_text("utf-8")


def test_etcd_on_the_emmc_is_told(host: Callable) -> None:
    """A rebuilt node without its bind mount: the same path, the root's device."""
    told = "22 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw\n35 22 259:1 / /mnt/longhorn rw - ext4 /dev/nvme0n1p1 rw\n"
    found = storage_paths.collect(host("pi-cm5", **{"proc/1/mountinfo": told}), PATHS)
    assert set(values(found, "storage_path_info")) == {
        "/ mmcblk0 emmc",
        "/mnt/longhorn nvme0n1 nvme",
        f"{ETCD} mmcblk0 emmc",
    }


def test_a_fan_that_stands_while_it_is_driven(host: Callable) -> None:
    """Speed and drive apart: which of them is wrong says the alert."""
    fan = "sys/devices/platform/cooling_fan/hwmon/hwmon3"
    found = list(thermal.collect(host("pi-cm5", **{f"{fan}/fan1_input": "0", f"{fan}/pwm1": "255"})))
    assert values(found, "rpi_fan_speed_rpm") == {"": 0}
    assert values(found, "rpi_fan_duty_ratio") == {"": 1}


def test_without_a_fan_nothing_is_said_of_one(host: Callable) -> None:
    """A carrier that drives its own fan looks like this, and is no fan that stands."""
    gone = {"sys/class/hwmon/hwmon3": None, "sys/class/thermal/cooling_device0": None}
    found = list(thermal.collect(host("pi-cm5", **gone)))
    assert not [one for one in found if "fan" in one.metric]
    assert values(found, "rpi_soc_temperature_celsius")


def test_a_drive_that_fell_off_the_bus_is_a_zero_and_comes_back_under_another_name(host: Callable) -> None:
    """Its series ends nowhere in between, and the old name of its device is not kept beside the new one."""
    memory, here = nvme.Memory(), host("pi-cm5")
    (serial,) = {one.labels["serial"] for one in nvme.collect(here, memory)}
    link = here.sys / "class/nvme/nvme0"
    target = link.readlink()
    link.unlink()
    gone = list(nvme.collect(here, memory))
    assert [(one.metric, one.labels, one.value) for one in gone] == [
        ("nvme_device_present", {"device": "nvme0", "serial": serial}, 0)
    ]
    (here.sys / "class/nvme/nvme1").symlink_to(target)
    assert values(nvme.collect(here, memory), "nvme_device_present") == {f"nvme1 {serial}": 1}


def test_a_drive_that_is_expected_is_missed_although_it_was_never_seen(host: Callable) -> None:
    """After a reboot without it, nothing but the flag knows that it was ever there."""
    here = host("x86-vm")
    assert values(nvme.collect(here, nvme.Memory(), ["S1"]), "nvme_device_present") == {" S1": 0}
    with pytest.raises(NotAvailable, match="no_device"):
        list(nvme.collect(here, nvme.Memory()))


@pytest.mark.parametrize(
    ("told", "state"), [("resetting", "resetting"), ("deleting (no IO)", "deleting"), ("strange", "strange")]
)
def test_one_state_is_the_present_one(host: Callable, told: str, state: str) -> None:
    """Also while it changes, and in a state that is not known here."""
    found = list(nvme.collect(host("pi-cm5", **{f"{NVME}/state": told}), nvme.Memory()))
    states = {one.labels["state"]: one.value for one in found if one.metric == "nvme_device_state"}
    assert {state for state, value in states.items() if value == 1} == {state}
    assert states["live"] == 0


def test_a_link_is_held_against_the_port_and_not_against_the_drive(host: Callable) -> None:
    """The port of a Compute Module has one lane of the second generation; most drives could do more."""
    found = list(nvme.collect(host("pi-cm5", **{f"{DRIVE}/current_link_speed": "2.5 GT/s PCIe"}), nvme.Memory()))
    (now,) = values(found, "nvme_pcie_link_speed_transfers_per_second").values()
    (most,) = values(found, "nvme_pcie_link_max_speed_transfers_per_second").values()
    assert (now, most) == (2.5e9, 5e9)


def test_throttling_now_and_in_history_are_told_apart() -> None:
    """Under-voltage that was, and a soft limit that is."""
    for file, now, since in (
        ("get_throttled_uv_history", set(), {"under_voltage"}),
        ("get_throttled_soft_limit_now", {"soft_temperature_limit"}, {"soft_temperature_limit"}),
    ):
        found = list(firmware.collect(speaking(get_throttled=file)))
        assert {reason for reason, value in values(found, "rpi_throttled").items() if value} == now
        assert since <= {reason for reason, value in values(found, "rpi_throttled_since_boot").items() if value}


def test_what_a_firmware_does_not_know_is_no_fault(host: Callable) -> None:
    """A board without a power chip refuses its rails; a machine without a mailbox has no firmware to ask."""
    found = list(firmware.collect(speaking(get_throttled="get_throttled_ok")))
    assert {one.metric for one in found} == {
        "rpi_throttled",
        "rpi_throttled_since_boot",
        "rpi_firmware_build_timestamp_seconds",
    }
    with pytest.raises(NotAvailable, match="no_mailbox"):
        list(firmware.collect(Mailbox(host("x86-vm").dev)))


def test_a_brown_out_was_the_cause_of_the_last_reset(host: Callable) -> None:
    """Under either name that the bootloader has for it."""
    here = host("pi-cm5")
    cause = here.sys / "firmware/devicetree/base/chosen/power/reset_event"
    cause.write_bytes(b"\0\0\0\x02")
    assert values(board.collect(here), "rpi_reset_cause")["under_voltage"] == 1
    cause.rename(cause.with_name("power_reset"))
    assert values(board.collect(here), "rpi_reset_cause")["under_voltage"] == 1
    cause.with_name("power_reset").write_bytes(b"\2")
    with pytest.raises(ValueError, match="4 bytes"):
        list(board.collect(here))


def refusing(reason: str) -> nvme_smart.Ask:
    """Drives that cannot be asked."""

    def ask(node: Path) -> bytes:
        raise Unreadable(reason, f"{node}: cannot be read")

    return nvme_smart.Ask(ask, ask)


def test_a_drive_that_may_not_be_asked_is_a_failure_and_one_without_a_log_is_none(host: Callable) -> None:
    """The operator switched it on; that it does not work must be seen."""
    here = host("pi-cm5")
    with pytest.raises(Unreadable, match="nvme0"):
        list(nvme_smart.collect(here, refusing("no_permission")))
    with pytest.raises(NotAvailable):
        list(nvme_smart.collect(here, refusing("not_supported")))


def test_an_all_zero_log_claims_nothing(host: Callable) -> None:
    """Neither that nothing is left nor that nothing ever happened."""
    silent = nvme_smart.Ask(lambda _: bytes(512), ASK.identity)
    with pytest.raises(ValueError, match="does not implement"):
        list(nvme_smart.collect(host("pi-cm5"), silent))


def test_a_card_says_nothing_of_its_wear(host: Callable) -> None:
    """An SD card in place of the eMMC has neither file."""
    gone = {f"{EMMC}/type": "SD", f"{EMMC}/life_time": None, f"{EMMC}/pre_eol_info": None}
    found = list(mmc.collect(host("pi-cm5", **gone)))
    assert {one.metric for one in found} == {"mmc_device_info", "mmc_written_bytes_total"}


def test_a_sensor_that_fails_ends_alone(host: Callable, unreadable: Callable) -> None:
    """The others are still shown, and the failure is one: success is 0, with a reason in the log."""
    here = host("pi-cm5")
    unreadable(here.sys.parent / ZONE / "temp")
    found: list[Reading] = []
    with pytest.raises(OSError, match="temp"):
        found.extend(thermal.collect(here))
    assert not values(found, "rpi_soc_temperature_celsius")
    assert values(found, "rpi_fan_speed_rpm")


@pytest.mark.parametrize("told", ["", "warm", "1.5", "0x10", "9" * 5000])
def test_a_number_that_is_none_is_a_failure_and_no_value(host: Callable, told: str) -> None:
    """Garbage is never 0."""
    found: list[Reading] = []
    with pytest.raises(ValueError, match="temp"):
        found.extend(thermal.collect(host("pi-cm5", **{f"{ZONE}/temp": told})))
    assert not values(found, "rpi_soc_temperature_celsius")


@pytest.mark.parametrize(
    ("told", "used"),
    [("0x01 0x01", (0.1, 0.1)), ("0x0b 0x00", (1.1, None)), ("01 02", (0.1, 0.2)), ("0x0c 0xff", (None, None))],
)
def test_the_life_of_an_emmc_in_tenths(told: str, used: Sequence[float | None]) -> None:
    """0 is undefined, 11 is exceeded, more is not defined."""
    assert mmc.life_time(told) == used


MOUNTS = (
    "22 1 179:2 / / rw - ext4 r rw\n30 22 8:1 / /mnt/a\\040b rw - ext4 x rw\n31 22 8:2 / /mnt/a\\040b rw - ext4 y rw\n"
)


@pytest.mark.parametrize(
    ("path", "device"),
    [("/", "179:2"), ("/mnt", "179:2"), ("/mnt/a b", "8:2"), ("/mnt/a b/c", "8:2"), ("/mnt/a bc", "179:2")],
)
def test_a_path_lies_on_the_nearest_mount_and_of_several_there_on_the_last(path: str, device: str) -> None:
    """By whole names, with blanks as the kernel writes them."""
    mount = storage_paths.backing(PurePosixPath(path), storage_paths.mounts(MOUNTS))
    assert mount
    assert mount.device == device


PARSERS = (mmc.life_time, mmc.written, storage_paths.mounts, nvme.transfers, nvme.total)


@given(st.sampled_from(PARSERS), st.text() | st.from_regex(re.compile(r"[0-9a-fx .:/\-\nTOALERG]{0,60}")))
def test_no_text_of_the_kernel_ends_a_parser_otherwise_than_with_a_sentence(parser: Callable, told: str) -> None:
    """Whatever a driver may write one day."""
    with contextlib.suppress(ValueError):
        parser(told)
