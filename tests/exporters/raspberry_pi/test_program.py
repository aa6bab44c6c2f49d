"""The program as its user starts it: flags, exit status, HTTP, and an end within a second."""

import gzip
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checks import promtool
from demo.servers import free_port
from exporters.raspberry_pi.__main__ import parser
from exporters.raspberry_pi.host import Host
from exporters.raspberry_pi.metrics import BY_NAME, table
from exporters.raspberry_pi.server import address
from homelab import contract

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "exporters.raspberry_pi"]


def flags(host: Host) -> list[str]:
    """Where the host's files are."""
    return [f"--path.sysfs={host.sys}", f"--path.procfs={host.proc}", f"--path.dev={host.dev}"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The program to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        stdin=subprocess.DEVNULL,
    )


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """The program while it serves, and its address."""
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, f"--web.listen-address=127.0.0.1:{port}", *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    try:
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + 20
        while get(f"{url}/-/ready")[0] != 200:
            assert process.poll() is None
            assert time.monotonic() < end
        yield process, url
    finally:
        process.kill()
        process.communicate()


def get(url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """Status, content and headers; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as response:
            return response.status, response.read(), dict(response.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)
    except (urllib.error.URLError, OSError):
        return 0, b"", {}


def test_once_prints_what_there_is(host: Callable) -> None:
    """For a look by hand, and for whoever has no pod."""
    done = run("--once", *flags(host("pi-cm5")))
    assert done.returncode == 0, done.stderr
    assert "rpi_soc_temperature_celsius 48.85\n" in done.stdout
    assert promtool.check_metrics(done.stdout) == ()


def test_once_fails_where_something_that_is_there_cannot_be_read(host: Callable) -> None:
    """One line says what; the rest is printed all the same."""
    zone = "sys/devices/virtual/thermal/thermal_zone0/temp"
    done = run("--once", *flags(host("pi-cm5", **{zone: "warm"})))
    assert done.returncode == 1
    assert 'rpi_exporter_collector_success{collector="thermal"} 0.0' in done.stdout
    assert "rpi_fan_speed_rpm" in done.stdout
    assert "thermal: ValueError" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_virtual_machine_is_quiet(host: Callable) -> None:
    """What is not there is no fault."""
    done = run("--once", *flags(host("x86-vm")))
    assert done.returncode == 0
    assert 'rpi_exporter_collector_available{collector="thermal",reason="no_sensors"} 0.0' in done.stdout
    assert 'rpi_exporter_collector_success{collector="thermal"}' not in done.stdout


def test_a_collector_that_is_switched_off_is_not_there(host: Callable) -> None:
    """By node_exporter's convention."""
    done = run("--once", "--no-collector.thermal", *flags(host("pi-cm5")))
    assert "thermal" not in done.stdout


def test_the_textfile_is_whole_or_not_there(host: Callable, tmp_path: Path) -> None:
    """node_exporter may read it at any moment; and it is another user."""
    file = tmp_path / "pi.prom"
    assert run("--once", f"--textfile={file}", *flags(host("pi-cm5"))).returncode == 0
    assert "rpi_soc_temperature_celsius 48.85\n" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    done = run("--once", f"--textfile={tmp_path / 'nowhere' / 'pi.prom'}", *flags(host_again(tmp_path)))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("raspberry_pi: ")


def host_again(root: Path) -> Host:
    """The host that was built there."""
    return Host(root / "sys", root / "proc", root / "dev")


def test_what_is_served_and_nothing_else(host: Callable) -> None:
    """Metrics in either format, compressed where that is asked for; and it ends within a second."""
    with serving(*flags(host("pi-cm5"))) as (process, url):
        status, plain, headers = get(f"{url}/metrics")
        assert status == 200
        assert headers["Content-Type"].startswith("text/plain; version=")
        assert b"rpi_soc_temperature_celsius 48.85\n" in plain
        _, packed, headers = get(
            f"{url}/metrics", Accept="application/openmetrics-text; version=1.0.0", **{"Accept-Encoding": "gzip"}
        )
        assert headers["Content-Type"].startswith("application/openmetrics-text")
        assert gzip.decompress(packed).endswith(b"# EOF\n")
        assert get(f"{url}/-/healthy")[:2] == (200, b"healthy\n")
        assert b"/metrics" in get(f"{url}/")[1]
        assert get(f"{url}/etc/passwd")[0] == 404
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert time.monotonic() - begun < 1
        assert process.stderr
        assert b"Traceback" not in process.stderr.read()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key."""
    tool = shutil.which("openssl")
    if tool is None:
        pytest.skip("there is no openssl to make a certificate with, so TLS is not tried")
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [tool, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
    subprocess.run([*command, *subject, "-out", made, "-keyout", key], check=True, capture_output=True)
    return made, key


def test_only_a_client_with_a_certificate_is_served_where_that_is_asked_for(host: Callable, tmp_path: Path) -> None:
    """In a homelab the network is no friend: TLS, and a client that is known."""
    (own, key), (client, client_key) = certificate(tmp_path, "node"), certificate(tmp_path, "prometheus")
    port = free_port()
    tls = [f"--web.tls-certificate={own}", f"--web.tls-key={key}", f"--web.tls-client-ca={client}"]
    command = [*COMMAND, f"--web.listen-address=127.0.0.1:{port}", *tls, *flags(host("pi-cm5"))]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        known, stranger = ssl.create_default_context(cafile=own), ssl.create_default_context(cafile=own)
        known.load_cert_chain(client, client_key)
        end = time.monotonic() + 20
        while (status := secure(port, known)) != 200:
            assert status == 0
            assert time.monotonic() < end
        assert secure(port, stranger) == 0
        assert get(f"http://127.0.0.1:{port}/metrics")[0] == 0
    finally:
        process.kill()
        process.wait()


def secure(port: int, context: ssl.SSLContext) -> int:
    """The status of /metrics by TLS; 0 where the other side does not want to."""
    try:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/metrics", timeout=5, context=context) as response:
            return response.status
    except (urllib.error.URLError, OSError):
        return 0


def test_a_certificate_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    """And no traceback."""
    missing = tmp_path / "node.pem"
    done = run(f"--web.tls-certificate={missing}", f"--web.tls-key={missing}")
    assert done.returncode == 2
    assert f"there is no file {missing}" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_taken_is_one_line(host: Callable) -> None:
    """And no traceback."""
    arguments = flags(host("x86-vm"))
    with serving(*arguments) as (_, url):
        done = run(f"--web.listen-address={url.removeprefix('http://')}", *arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("raspberry_pi: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--web.listen-address=9998"], "'9998' is no address; allowed is 127.0.0.1:9998"),
        (["--web.tls-key=key.pem"], "go together"),
        (["--colector.nvme"], "unrecognized arguments"),
    ],
)
def test_a_slip_of_the_pen_is_told(arguments: list[str], said: str) -> None:
    """Found and allowed, status 2."""
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("written", "read"),
    [("127.0.0.1:9998", ("127.0.0.1", 9998)), ("[::1]:1", ("::1", 1)), (":9998", ("0.0.0.0", 9998))],
)
def test_addresses_are_written_as_everywhere(written: str, read: tuple[str, int]) -> None:
    """An empty host is every address."""
    assert address(written) == read


def test_nothing_is_imported_but_what_every_node_can_spare() -> None:
    """prometheus_client and the standard library, and of that no more than it needs."""
    code = "import sys, exporters.raspberry_pi.__main__; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    foreign = set(done.stdout.split()) - set(sys.stdlib_module_names) - {"exporters", "prometheus_client", "__main__"}
    assert {name for name in foreign if not re.match(r"_|sitecustomize|distutils", name)} == set()


def test_the_contract_knows_what_is_exposed() -> None:
    """metrics/rpi-exporter.yaml is what rules and dashboards are held against: same names, types and labels."""
    (component,) = [
        one for one in contract.load(ROOT / "metrics").components.values() if one.component == "rpi-exporter"
    ]
    for name, metric in BY_NAME.items():
        assert name in component.metrics, name
        assert component.metrics[name].type == metric.type, name
        assert set(component.metrics[name].labels) == set(metric.labels), name


def test_the_documentation_has_every_metric_and_every_collector() -> None:
    """The table is made from the code, and whoever adds a collector says what it needs."""
    written = (ROOT / "docs/exporters/raspberry_pi.md").read_text("utf-8")
    assert written.endswith(table())
    known = {name.removeprefix("collector_") for name in vars(parser().parse_args([])) if name.startswith("collector_")}
    assert set(re.findall(r"^\| `(\w+)` \| .* s \|$", written, re.MULTILINE)) == known
