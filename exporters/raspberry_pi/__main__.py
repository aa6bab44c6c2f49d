"""`python -m exporters.raspberry_pi`: what a Raspberry Pi says of its heat, power and drives, for Prometheus.

Exit status: 0 ended by a signal, or --once and all that is available could be read; 1 --once and something could not; 2
called wrongly, or the address, the certificate or the file cannot be used.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from prometheus_client import generate_latest

from exporters.raspberry_pi import board, cpu, firmware, mmc, nvme, nvme_smart, storage_paths, thermal, under_voltage
from exporters.raspberry_pi.exposition import registry, write
from exporters.raspberry_pi.host import Host
from exporters.raspberry_pi.mailbox import Mailbox
from exporters.raspberry_pi.reading import Collector
from exporters.raspberry_pi.running import Runner
from exporters.raspberry_pi.server import Address, address, serving

_PATHS = ("/", "/mnt/longhorn", "/var/lib/rancher/k3s/server/db/etcd")
_SLOW = (60, 300)  # seconds: what changes with a reboot or a mount
_TEXTFILE = 15.0  # seconds between two writes
_ONCE = 30.0  # seconds to wait for a collector that hangs


def collectors(options: argparse.Namespace, events: under_voltage.Events) -> list[Collector]:
    """Those that are switched on."""
    host = _host(options)
    memory, mailbox = nvme.Memory(), Mailbox(host.dev)
    paths = tuple(options.storage_path or _PATHS)
    known: dict[str, Callable[[], Collector]] = {
        "thermal": lambda: Collector("thermal", lambda: thermal.collect(host)),
        "board": lambda: Collector("board", lambda: board.collect(host, events)),
        "firmware": lambda: Collector("firmware", lambda: firmware.collect(mailbox)),
        "cpu": lambda: Collector("cpu", lambda: cpu.collect(host)),
        "nvme": lambda: Collector("nvme", lambda: nvme.collect(host, memory, options.nvme_expected)),
        "nvme_smart": lambda: Collector("nvme_smart", lambda: nvme_smart.collect(host), *_SLOW),
        "mmc": lambda: Collector("mmc", lambda: mmc.collect(host), every=60, lasts=300),
        "storage_paths": lambda: Collector(
            "storage_paths", lambda: storage_paths.collect(host, paths), every=60, lasts=300
        ),
    }
    return [make() for name, make in known.items() if getattr(options, f"collector_{name}")]


def _host(options: argparse.Namespace) -> Host:
    return Host(options.path_sysfs, options.path_procfs, options.path_dev)


def parser() -> argparse.ArgumentParser:
    """The flags, named as node_exporter names its own."""
    made = argparse.ArgumentParser(
        prog="python -m exporters.raspberry_pi", description=(__doc__ or "").splitlines()[0], allow_abbrev=False
    )

    def flag(name: str, **more: object) -> None:
        made.add_argument(f"--{name}", dest=name.replace(".", "_").replace("-", "_"), **more)  # type: ignore[arg-type]

    flag("web.listen-address", default="127.0.0.1:9998", metavar="HOST:PORT")
    flag("web.tls-certificate", metavar="FILE", help="with --web.tls-key; without them HTTP is served in the clear")
    flag("web.tls-key", metavar="FILE")
    flag("web.tls-client-ca", metavar="FILE", help="only clients with a certificate of this authority are served")
    flag("path.sysfs", type=Path, default=Path("/sys"), metavar="DIR")
    flag("path.procfs", type=Path, default=Path("/proc"), metavar="DIR")
    flag("path.dev", type=Path, default=Path("/dev"), metavar="DIR")
    for name in ("thermal", "board", "firmware", "cpu", "nvme", "mmc", "storage_paths"):
        flag(f"collector.{name}", action=argparse.BooleanOptionalAction, default=True)
    flag(
        "collector.nvme_smart",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="what the drives count of their health; needs CAP_SYS_ADMIN and their device nodes",
    )
    flag("nvme.expected", action="append", default=[], metavar="SERIAL", help="a drive that must be there (repeatable)")
    flag("storage.path", action="append", metavar="PATH", help=f"instead of {', '.join(_PATHS)} (repeatable)")
    flag("once", action="store_true", help="print what there is and end")
    flag("textfile", type=Path, metavar="FILE", help="write there for node_exporter instead of serving")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    known = parser()
    options = known.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        at = Address(
            *address(options.web_listen_address),
            options.web_tls_certificate,
            options.web_tls_key,
            options.web_tls_client_ca,
        )
    except ValueError as error:
        known.error(str(error))
    if bool(at.certificate) != bool(at.key) or (at.client_ca and not at.certificate):
        known.error("--web.tls-certificate and --web.tls-key go together, and --web.tls-client-ca with both")
    for name in (at.certificate, at.key, at.client_ca):
        if name and not Path(name).is_file():
            known.error(f"there is no file {name}")
    events = under_voltage.Events()
    runner = Runner(collectors(options, events))
    try:
        if options.once:
            return _once(runner, options.textfile)
        if options.collector_board and (path := under_voltage.alarm(_host(options))):
            watching = threading.Thread(target=under_voltage.watch, args=(path, events, runner.ending), daemon=True)
            watching.start()
        return _stay(runner, at, options.textfile)
    except OSError as error:
        print(f"raspberry_pi: {error}", file=sys.stderr)
        return 2


def _once(runner: Runner, textfile: Path | None) -> int:
    runner.once(_ONCE)
    if textfile:
        write(textfile, registry(runner.readings))
    else:
        print(generate_latest(registry(runner.readings)).decode(), end="")
    return 1 if runner.failed else 0


def _stay(runner: Runner, at: Address, textfile: Path | None) -> int:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    made = registry(runner.readings)
    server = None if textfile else serving(at, made, lambda: runner.ready)
    runner.start()
    try:
        while not ended.wait(_TEXTFILE if textfile else None):
            if textfile:
                write(textfile, made)
    finally:
        runner.stop()
        if server:
            server.shutdown()
            server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
