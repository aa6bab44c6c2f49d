"""What goes wrong is told in one sentence with an exit status."""

from pathlib import Path

import pytest

from demo.servers import free_port
from preview import gallery
from preview.__main__ import main


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, Path]) -> Path:
    """A checkout in which one dashboard has been generated."""
    root = Path.cwd()
    for name in ("homelab.yaml", "incidents", "metrics"):
        (tmp_path / name).symlink_to(root / name)
    (tmp_path / "monitoring/dashboards/production").mkdir(parents=True)
    (tmp_path / "monitoring/rules").symlink_to(root / "monitoring/rules")
    (tmp_path / "monitoring/dashboards/production/etcd.json").write_text(files["production-etcd"].read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> tuple[int, str]:
    status = main(arguments)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("preview: ")]
    assert len(lines) == 1
    return status, lines[0]


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dashboard", "etdc"], "no dashboard etdc; did you mean etcd?"),
        (["--cluster", "prodution"], "no cluster prodution; did you mean production?"),
        (["--incident", "PG-1"], "no incident PG-1; did you mean PG-"),
        (["--at", "2026-03-04"], "--at: needs --prometheus"),
        (["--prometheus", "localhost:9090"], "must be an address such as"),
        (["--prometheus", "http://x", "--incident", "PG-01"], "--incident: is for the local Prometheus"),
    ],
)
def test_called_wrongly(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, line = said(capsys, arguments)
    assert status == 2
    assert words in line


@pytest.mark.usefixtures("there")
def test_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    status, line = said(capsys, ["--exit", "--prometheus", f"http://me:secret@127.0.0.1:{free_port()}"])
    assert status == 2
    assert "does not answer" in line
    assert "secret" not in line


def test_nothing_has_been_generated(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (there / "monitoring/dashboards/production/etcd.json").unlink()
    status, line = said(capsys, [])
    assert (status, "run `make dashboards` first" in line) == (2, True)


def test_what_was_generated_is_no_json(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (there / "monitoring/dashboards/production/etcd.json").write_text("{")
    status, line = said(capsys, [])
    assert (status, "is no JSON" in line) == (2, True)


@pytest.mark.usefixtures("there")
def test_the_incidents_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert "PG-01  cnpg" in capsys.readouterr().out


def test_a_time_may_be_written_in_two_ways(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for written in ("1772632800", "2026-03-04T14:00"):
        status, line = said(capsys, ["--prometheus", f"http://127.0.0.1:{free_port()}", "--at", written])
        assert (status, "does not answer" in line) == (2, True)
    assert not (there / gallery.FOLDER).exists()
