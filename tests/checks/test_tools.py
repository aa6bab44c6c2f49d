"""The tools are found under either name, a missing one is one clear line, and a second setup does nothing."""

from __future__ import annotations

import ast
import errno
import fcntl
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from checks import tools

UPSTREAM = ["prometheus", "promtool", "alertmanager", "amtool", "node_exporter", "etcd"]
DEBIAN = ["prometheus", "promtool", "prometheus-alertmanager", "amtool", "prometheus-node-exporter", "etcd"]


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of PATH."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, says: str = "a tool, version 9.8.7", exit_code: int = 0) -> Path:
    """Put a program on the shelf. It may use nothing but the shell's own words: PATH is empty."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {exit_code}\n")
    path.chmod(0o755)
    return path


def message(call: Callable[[], object], kind: type[Exception] = tools.ToolMissing) -> str:
    """Return the message of the failure, which must be one line."""
    with pytest.raises(kind) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    return text


# --- finding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "file"), sorted({*zip(UPSTREAM, UPSTREAM, strict=True), *zip(UPSTREAM, DEBIAN, strict=True)})
)
def test_a_tool_is_found_under_upstreams_name_and_under_debians(shelf: Path, name: str, file: str) -> None:
    path = program(shelf, file)
    assert tools.find(name) == tools.Tool(path, (9, 8, 7))


@pytest.mark.parametrize(
    ("name", "says", "version"),
    [
        ("prometheus", "prometheus, version 2.42.0+ds (branch: debian/sid, revision: 2.42.0+ds-5)", (2, 42, 0)),
        (
            "promtool",
            "promtool, version 3.5.0 (branch: HEAD, revision: 8be3a9560fbdd18a94dedec4b747c35178177202)",
            (3, 5, 0),
        ),
        ("alertmanager", "alertmanager, version 0.25.0 (branch: debian/sid, revision: 0.25.0-1+b4)", (0, 25, 0)),
        ("etcd", "etcd Version: 3.4.23\nGit SHA: Not provided\nGo Version: go1.19.8", (3, 4, 23)),
        ("etcd", "etcd Version: 3.6.0-rc.3\nGit SHA: 0a2fc2f", (3, 6, 0)),
    ],
)
def test_the_version_is_read_from_what_each_project_prints(
    shelf: Path, name: str, says: str, version: tuple[int, ...]
) -> None:
    program(shelf, name, says)
    assert tools.find(name).version == version


@pytest.mark.parametrize("name", tools.SOURCES)
def test_this_machines_own_tool_is_found_with_the_version_that_it_prints(name: str) -> None:
    tool = tools.find(name)
    said = subprocess.run(
        [tool.path, "--version"], env=tools.environment(name), capture_output=True, text=True, check=True
    )
    assert ".".join(map(str, tool.version)) in said.stdout.splitlines()[0]
    assert tool.version >= (0, 20)


@pytest.mark.parametrize("name", tools.SOURCES)
@pytest.mark.parametrize("manager", ["apt-get", "brew", None])
def test_a_missing_tool_is_one_line_that_names_the_package(shelf: Path, manager: str | None, name: str) -> None:
    source = tools.SOURCES[name]
    if manager:
        program(shelf, manager)
    expected = {
        "apt-get": f"install: sudo apt-get install {source.apt}",
        "brew": f"install: brew install {source.brew}",
        None: f"download page of {source.project}",
    }
    text = message(lambda: tools.find(name))
    assert text.startswith(f"{name} is not on PATH; ")
    assert expected[manager] in text


@pytest.mark.parametrize(
    ("says", "exit_code", "complaint"),
    [
        ("promtool, version 2.31.2+ds1 (branch: debian/sid)", 0, "is 2.31.2, 2.42 or newer is needed"),
        ("promtool, version 2.42.0", 3, "does not run"),
        ("hello", 0, "--version names no version"),
    ],
)
def test_a_tool_that_is_there_but_of_no_use_is_told_apart_from_a_missing_one(
    shelf: Path, says: str, exit_code: int, complaint: str
) -> None:
    program(shelf, "apt-get")
    path = program(shelf, "promtool", says, exit_code)
    text = message(lambda: tools.find("promtool"))
    assert text.startswith(str(path))
    assert complaint in text
    assert text.endswith("install: sudo apt-get install prometheus")


@pytest.mark.parametrize(("machine", "told"), [("aarch64", True), ("arm64", True), ("x86_64", False)])
def test_only_etcd_on_arm_is_told_that_arm_is_meant(monkeypatch: pytest.MonkeyPatch, machine: str, told: bool) -> None:  # noqa: FBT001
    monkeypatch.delenv("ETCD_UNSUPPORTED_ARCH", raising=False)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert ("ETCD_UNSUPPORTED_ARCH" in tools.environment("etcd")) == told
    assert "ETCD_UNSUPPORTED_ARCH" not in tools.environment("promtool")


# --- setup: the environment -----------------------------------------------------------------------------------------


class Recorder:
    """Stands for tools.run: notes commands, and makes what they would make."""

    def __init__(self, *, installs: Sequence[str] = (), into: Path | None = None, fail: str = "") -> None:
        self.commands: list[str] = []
        self.installs, self.into, self.fail = installs, into, fail

    def __call__(self, command: Sequence[str]) -> None:
        line = " ".join(command)
        self.commands.append(line)
        if self.fail and self.fail in line:
            raise tools.SetupFailed(f"`{line}` failed: no network")
        if "-m venv" in line:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.unlink(missing_ok=True)
            python.symlink_to(sys.executable)
        if re.search(r"(apt-get|brew) .*install", line) and self.into:
            for name in self.installs:
                program(self.into, name)

    def steps(self) -> list[str]:
        """Return of each command the word that tells it from the others."""
        words = (re.search(r"(?<= )(-m venv|-m pip|update|install)\b", line) for line in self.commands)
        return [word[0] for word in words if word]


@pytest.fixture
def checkout(tmp_path: Path, shelf: Path) -> Path:
    """A checkout with pinned requirements on a machine that has every tool."""
    for name in UPSTREAM:
        program(shelf, name)
    root = tmp_path / "checkout"
    (root / "requirements").mkdir(parents=True)
    (root / "requirements" / "base.txt").write_text("a==1\n")
    (root / "requirements" / "dev.txt").write_text("-r base.txt\nb==1\n")
    return root


MADE = ["-m venv", "-m pip"]


def again(root: Path) -> list[str]:
    """Run setup once more and return the steps that it took."""
    recorder = Recorder()
    tools.setup(root, recorder)
    return recorder.steps()


def test_the_first_setup_installs_the_pinned_requirements_and_the_second_runs_nothing(checkout: Path) -> None:
    recorder = Recorder()
    tools.setup(checkout, recorder)
    assert recorder.steps() == MADE
    assert recorder.commands[1].startswith(f"{checkout}/.venv/bin/python -m pip install")
    assert recorder.commands[1].endswith(f"-r {checkout}/requirements/dev.txt")
    assert again(checkout) == []


def test_a_changed_pin_in_any_requirements_file_makes_the_environment_anew_once(checkout: Path) -> None:
    tools.setup(checkout, Recorder())
    (checkout / "requirements" / "base.txt").write_text("a==2\n")
    assert again(checkout) == MADE
    assert again(checkout) == []


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    tools.setup(checkout, Recorder())
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(checkout / "upgraded-away")
    assert again(checkout) == MADE
    assert again(checkout) == []


def test_an_environment_whose_python_became_another_is_made_anew(checkout: Path) -> None:
    tools.setup(checkout, Recorder())
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/bin/sh")
    assert again(checkout) == MADE


def test_a_checkout_that_moved_gets_a_new_environment(checkout: Path) -> None:
    tools.setup(checkout, Recorder())
    moved = checkout.rename(checkout.with_name("elsewhere"))
    assert again(moved) == MADE


@pytest.mark.parametrize("interrupted", ["-m venv", "-m pip"])
def test_an_interrupted_setup_starts_over_even_where_an_environment_was_good_before(
    checkout: Path, interrupted: str
) -> None:
    tools.setup(checkout, Recorder())
    pins = checkout / "requirements" / "dev.txt"
    good = pins.read_text()
    pins.write_text("b==2\n")
    recorder = Recorder(fail=interrupted)
    message(lambda: tools.setup(checkout, recorder), tools.SetupFailed)
    assert recorder.steps()[-1] == interrupted
    pins.write_text(good)  # what the good one was made from: only the missing stamp can tell now
    assert again(checkout) == MADE


def test_a_stamp_that_says_nothing_vouches_for_nothing(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / tools.STAMP).write_text("")
    assert again(checkout) == MADE


def test_no_second_setup_of_the_checkout_works_at_the_same_time(checkout: Path) -> None:
    refused: list[int | None] = []

    def run(command: Sequence[str]) -> None:
        Recorder()(command)
        folder = os.open(checkout, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            refused.append(error.errno)
        finally:
            os.close(folder)

    tools.setup(checkout, run)
    assert refused == [errno.EWOULDBLOCK] * 2


def test_debians_python_without_venv_gets_it_from_apt_first(
    checkout: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(shelf, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(tools, "_succeeds", lambda *command: "import ensurepip" not in command)
    recorder = Recorder()
    tools.setup(checkout, recorder)
    assert recorder.steps() == ["update", "install", *MADE]
    assert recorder.commands[1].endswith("python{}.{}-venv".format(*sys.version_info))


# --- setup: the tools -----------------------------------------------------------------------------------------------


def test_only_what_is_missing_is_installed_with_apt_without_recommendations_or_questions(
    checkout: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(shelf, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    gone = ["etcd", "prometheus", "promtool"]
    for name in gone:
        (shelf / name).unlink()
    tools.setup(checkout, recorder := Recorder(installs=gone, into=shelf))
    update, install = recorder.commands[2:]
    assert update.startswith("env DEBIAN_FRONTEND=noninteractive apt-get ")
    assert update.endswith(" update")
    assert install.startswith("env DEBIAN_FRONTEND=noninteractive apt-get ")
    assert install.endswith(" install --no-install-recommends prometheus etcd-server")
    assert again(checkout) == []


def test_a_user_who_is_not_root_installs_through_sudo(
    checkout: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(shelf, "apt-get")
    program(shelf, "sudo")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (shelf / "etcd").unlink()
    tools.setup(checkout, recorder := Recorder(installs=["etcd"], into=shelf))
    assert [line.split(" apt-get ")[0] for line in recorder.commands[2:]] == [
        "sudo -n env DEBIAN_FRONTEND=noninteractive"
    ] * 2


@pytest.mark.parametrize("sudo", [True, False], ids=["sudo wants a password that nobody can type", "no sudo"])
def test_without_the_right_to_install_one_line_says_what_to_install(
    checkout: Path,
    shelf: Path,
    monkeypatch: pytest.MonkeyPatch,
    sudo: bool,  # noqa: FBT001
) -> None:
    program(shelf, "apt-get")
    if sudo:
        program(shelf, "sudo", "sudo: a password is required", 1)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    for name in ("etcd", "amtool"):
        (shelf / name).unlink()
    recorder = Recorder()
    assert message(lambda: tools.setup(checkout, recorder), tools.SetupFailed) == (
        "amtool, etcd are not on PATH; install: sudo apt-get install prometheus-alertmanager etcd-server"
    )
    assert recorder.steps() == MADE


def test_stale_package_lists_do_not_keep_apt_from_installing(
    checkout: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(shelf, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (shelf / "etcd").unlink()
    tools.setup(checkout, recorder := Recorder(installs=["etcd"], into=shelf, fail="update"))
    assert recorder.steps() == [*MADE, "update", "install"]
    assert "no network; going on with the package lists that are here" in capsys.readouterr().err


def test_a_mac_installs_with_brew(checkout: Path, shelf: Path) -> None:
    program(shelf, "brew")
    for name in ("node_exporter", "alertmanager", "amtool"):
        (shelf / name).unlink()
    tools.setup(checkout, recorder := Recorder(installs=["node_exporter", "alertmanager", "amtool"], into=shelf))
    assert recorder.commands[2:] == ["brew install alertmanager node_exporter"]


@pytest.mark.parametrize("package_has", [[], ["promtool"]])
def test_a_package_that_did_not_bring_the_tool_is_no_success(
    checkout: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch, package_has: list[str]
) -> None:
    program(shelf, "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("prometheus", "promtool"):
        (shelf / name).unlink()
    run = Recorder(installs=package_has, into=shelf)
    assert message(lambda: tools.setup(checkout, run)).startswith("prometheus is not on PATH")


# --- the command ----------------------------------------------------------------------------------------------------


def test_a_failing_command_is_told_in_one_line_with_its_reason() -> None:
    script = "echo first; echo 'E: Unable to locate package etcd-server'; echo 'see the manual'; exit 100"
    text = message(lambda: tools.run(["/bin/sh", "-c", script]), tools.SetupFailed)
    assert text.endswith("failed: E: Unable to locate package etcd-server")
    assert message(lambda: tools.run(["/bin/sh", "-c", "exit 7"]), tools.SetupFailed).endswith("failed: exit code 7")


def test_a_python_that_is_too_old_is_told_so_in_one_line(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(shelf, "python3.13", "pyenv: python3.13: command not found", 127)  # a version that is not switched on
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    assert tools.main(["setup"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "3.11 or newer is needed" in said


def test_a_newer_python_beside_the_old_one_takes_over(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = program(shelf, "python3.12")
    taken: list[list[str]] = []
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))

    def execv(_path: str, arguments: list[str]) -> None:
        taken.append(arguments)
        raise KeyboardInterrupt  # execv does not return

    monkeypatch.setattr(os, "execv", execv)
    with pytest.raises(KeyboardInterrupt):
        tools.main(["setup"])
    assert taken == [[str(newer), tools.__file__, "setup"]]


def test_a_browser_is_installed_only_where_none_is(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under whatever name; on a Mac it is no program on PATH."""
    monkeypatch.setattr(tools, "_MAC_BROWSERS", ())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(shelf, "apt-get")
    tools.have_browser(recorder := Recorder(installs=["chromium"], into=shelf))
    assert recorder.commands[-1].endswith("install --no-install-recommends chromium")
    assert tools.browser() == shelf / "chromium"
    tools.have_browser(recorder := Recorder())
    assert recorder.commands == []


def test_without_a_browser_the_tests_go_on_and_one_line_says_so(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rules and dashboards are proven without one."""
    assert list(shelf.iterdir()) == []
    monkeypatch.setattr(tools, "_MAC_BROWSERS", ())
    tools.have_browser(Recorder())
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no Chromium; install: sudo apt-get install chromium; pages are not opened by the tests" in said


def test_the_file_can_be_read_by_an_old_python_and_needs_only_the_standard_library() -> None:
    ast.parse(Path(tools.__file__).read_text(), feature_version=(3, 8))
    bare = subprocess.run([sys.executable, "-I", "-S", tools.__file__], capture_output=True, text=True, check=False)
    assert (bare.returncode, bare.stderr) == (2, "usage: python3 checks/tools.py setup|browser\n")


@pytest.mark.parametrize(
    ("raised", "code"), [(tools.SetupFailed("why"), 1), (tools.ToolMissing("why"), 1), (KeyboardInterrupt(), 130)]
)
def test_setup_that_could_not_says_one_line_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: BaseException, code: int
) -> None:
    def failing(_root: Path, _run: tools.Run) -> None:
        raise raised

    monkeypatch.setattr(tools, "setup", failing)
    assert tools.main(["setup"]) == code
    assert capsys.readouterr().err.count("\n") == 1


# --- what setup is given to work with -------------------------------------------------------------------------------

PINS = {
    canonicalize_name(line.split("==")[0]): line.split("==")[1].strip()
    for file in sorted((tools.ROOT / "requirements").glob("*.txt"))
    for line in file.read_text().splitlines()
    if line.strip() and not line.startswith(("#", "-r "))
}


def needs(name: str) -> list[Requirement]:
    """Return what an installed distribution needs on this machine."""
    needed = [Requirement(text) for text in importlib.metadata.distribution(name).requires or []]
    return [need for need in needed if not need.marker or need.marker.evaluate({"extra": ""})]


@pytest.mark.parametrize("name", PINS)
def test_a_pin_is_installed_as_written_and_everything_that_it_needs_is_pinned_too(name: str) -> None:
    # As versions: one package calls itself v0.0.21.
    assert Version(importlib.metadata.version(name)) == Version(PINS[canonicalize_name(name)])
    for need in needs(name):
        assert PINS[canonicalize_name(need.name)] in need.specifier


def test_every_pin_is_declared_with_its_reason_or_needed_by_another() -> None:
    project = tomllib.loads((tools.ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {canonicalize_name(name) for group in groups for name in group}
    needed = {canonicalize_name(need.name) for name in PINS for need in needs(name)}
    assert set(PINS) == declared | needed


def test_make_help_lists_every_target_with_one_line() -> None:
    makefile = (tools.ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z]\S*):(?!=)", makefile, re.MULTILINE)
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=tools.ROOT, capture_output=True, text=True, check=True
    )
    lines = [line.split(maxsplit=2) for line in shown.stdout.splitlines()]
    assert [line[1] for line in lines] == targets
    assert len(set(targets)) == len(targets), "the later one would replace the earlier one"
    assert all(len(line) == 3 for line in lines)
