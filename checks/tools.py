"""The Python and the servers that the checks and the demo need: found, or installed with the system's package manager.

`python3 checks/tools.py setup` runs before there is any virtual environment, so this file imports the standard library
only, and a Python that is too old for the project must still be able to read it in order to say so.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a Python older than 3.9 could not evaluate Run
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Run = Callable[[Sequence[str]], None]

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)
STAMP = ".made-from"  # inside .venv, written last: what the environment was made from


@dataclass(frozen=True)
class Source:
    """Where a tool comes from: the names that it goes by, its packages in Debian and Homebrew, who makes it."""

    names: tuple[str, ...]
    apt: str
    brew: str
    project: str
    oldest: tuple[int, ...] = ()


# Debian prefixes what the Prometheus project calls alertmanager and node_exporter.
# Prometheus 2.42 is the first to know keep_firing_for; an older one refuses the generated rules.
SOURCES = {
    "prometheus": Source(("prometheus",), "prometheus", "prometheus", "Prometheus", (2, 42)),
    "promtool": Source(("promtool",), "prometheus", "prometheus", "Prometheus", (2, 42)),
    "alertmanager": Source(
        ("alertmanager", "prometheus-alertmanager"), "prometheus-alertmanager", "alertmanager", "Prometheus"
    ),
    "amtool": Source(("amtool",), "prometheus-alertmanager", "alertmanager", "Prometheus"),
    "node_exporter": Source(
        ("node_exporter", "prometheus-node-exporter"), "prometheus-node-exporter", "node_exporter", "Prometheus"
    ),
    "etcd": Source(("etcd",), "etcd-server", "etcd", "etcd"),
}

# For the tests that open pages. Debian's; Ubuntu's package of this name is a snap, which cannot read a test's folder.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MAC_BROWSERS = ("Google Chrome", "Chromium")


@dataclass(frozen=True)
class Tool:
    """A program that answered: where it is, and its version as numbers, (2, 42, 0)."""

    path: Path
    version: tuple[int, ...]


class ToolMissing(Exception):
    """A tool is not there or cannot be used. The message is one line that says what to install."""


class SetupFailed(Exception):
    """A step of the setup failed. The message is one line."""


def find(name: str) -> Tool:
    """Return the tool called `name` in SOURCES, found on PATH and asked for its version, or raise ToolMissing."""
    path = locate(name)
    if path is None:
        raise ToolMissing(_missing([name]))
    try:
        said = subprocess.run(
            [str(path), "--version"],
            env=environment(name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # older releases answer there
            timeout=30,
            check=True,
            text=True,
            errors="replace",
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolMissing(f"{path} does not run ({error}); {_how_to_install([name])}") from error
    number = re.search(r"version:? v?(\d+(?:\.\d+)+)", said, re.IGNORECASE)
    if number is None:
        raise ToolMissing(f"{path} --version names no version; {_how_to_install([name])}")
    version = tuple(int(part) for part in number[1].split("."))
    oldest = SOURCES[name].oldest
    if version < oldest:
        needed = ".".join(map(str, oldest))
        raise ToolMissing(f"{path} is {number[1]}, {needed} or newer is needed; {_how_to_install([name])}")
    return Tool(path, version)


def locate(name: str) -> Path | None:
    """Return where PATH has the tool, under upstream's name or Debian's, without asking it anything."""
    found = (shutil.which(known) for known in SOURCES[name].names)
    return next((Path(path) for path in found if path), None)


def browser() -> Path | None:
    """Return where a Chromium is, if there is one."""
    found = [path for path in map(shutil.which, BROWSERS) if path]
    found += [f"/Applications/{name}.app/Contents/MacOS/{name}" for name in _MAC_BROWSERS]
    return next((Path(path) for path in found if Path(path).exists()), None)


def environment(name: str) -> dict[str, str]:
    """Return the variables that the tool must be started with on this machine."""
    # etcd 3.4, Debian 12's, does not start on arm64 (not even for --version) without being told so.
    arm = name == "etcd" and platform.machine() in {"aarch64", "arm64"}
    return {**os.environ, "ETCD_UNSUPPORTED_ARCH": "arm64"} if arm else dict(os.environ)


def _missing(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not on PATH; {_how_to_install(names)}"


def _how_to_install(names: Sequence[str]) -> str:
    if shutil.which("apt-get"):
        return "install: sudo apt-get install " + _words(SOURCES[name].apt for name in names)
    if shutil.which("brew"):
        return "install: brew install " + _words(SOURCES[name].brew for name in names)
    projects = _words((SOURCES[name].project for name in names), " and ")
    return f"neither apt-get nor brew is here, so install from the download page of {projects} and put it on PATH"


def _words(words: Iterable[str], separator: str = " ") -> str:
    """Join the words, each of them once: two tools may come in one package."""
    return separator.join(dict.fromkeys(words))


def setup(root: Path, run: Run) -> None:
    """Make root/.venv from root/requirements/dev.txt and have every tool on PATH; cheap where that is so already."""
    with _only_one(root):
        if not _is_current(root):
            _make_environment(root, run)
        missing = [name for name in SOURCES if locate(name) is None]
        if missing:
            _install(
                _words(SOURCES[name].apt for name in missing),
                _words(SOURCES[name].brew for name in missing),
                run,
                otherwise=_missing(missing),
            )
            for name in missing:
                find(name)


def have_browser(run: Run) -> None:
    """Install Chromium where no browser is; where that cannot be, say so: the tests that need it are skipped aloud."""
    if browser() is None:
        try:
            _install("chromium", "", run, otherwise="no Chromium; install: sudo apt-get install chromium")
        except SetupFailed as failed:
            _say(f"{failed}; pages are not opened by the tests")


@contextmanager
def _only_one(root: Path) -> Iterator[None]:
    """Keep two makes in one checkout from building .venv together. The lock is on the folder, so no file is left."""
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _is_current(root: Path) -> bool:
    stamp = root / ".venv" / STAMP
    return stamp.is_file() and stamp.read_text() == _made_from(root)


def _made_from(root: Path) -> str:
    """Describe what an environment depends on, one thing a line.

    Its scripts hold absolute paths, so a checkout that moved counts. Its interpreter is a link, which dangles or leads
    elsewhere after the system's Python was upgraded. A folder shared between machines holds another machine's wheels.
    """
    pins = b"".join(path.read_bytes() for path in sorted((root / "requirements").glob("*.txt")))
    python = root / ".venv" / "bin" / "python"
    return (
        f"requirements {hashlib.sha256(pins).hexdigest()}\n"
        f"checkout {root}\n"
        f"interpreter {python.resolve() if python.exists() else 'none'}\n"
        f"machine {sys.platform} {platform.machine()}\n"
    )


def _make_environment(root: Path, run: Run) -> None:
    venv = root / ".venv"
    version = "{}.{}".format(*sys.version_info)
    # Before anything else: an interrupted removal must not leave a stamp that vouches for half an environment.
    (venv / STAMP).unlink(missing_ok=True)
    if not _succeeds(sys.executable, "-c", "import ensurepip"):  # Debian ships it apart from python3
        package = f"python{version}-venv"
        _install(package, "", run, otherwise=f"this Python has no venv; install: sudo apt-get install {package}")
    _say(f"making .venv with Python {version}")
    run([sys.executable, "-m", "venv", "--clear", str(venv)])
    _say("installing requirements/dev.txt into .venv (about 20 s)")
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    run([*pip, "-r", str(root / "requirements" / "dev.txt")])
    (venv / STAMP).write_text(_made_from(root))


def _install(apt: str, brew: str, run: Run, otherwise: str) -> None:
    """Install packages (names separated by spaces) with what this system has, or fail with the line `otherwise`."""
    if shutil.which("apt-get"):
        # A fresh machine may be busy with its own upgrades: wait for them instead of failing on their lock.
        get = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
        as_root = _as_root(otherwise)
        _say(f"installing {apt} with apt-get (may take minutes)")
        try:
            run([*as_root, *get, "update"])
        except SetupFailed as failed:
            _say(f"{failed}; going on with the package lists that are here")
        run([*as_root, *get, "install", "--no-install-recommends", *apt.split()])
    elif brew and shutil.which("brew"):
        _say(f"installing {brew} with brew (may take minutes)")
        run(["brew", "install", *brew.split()])
    else:
        raise SetupFailed(otherwise)


def _as_root(otherwise: str) -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        if _succeeds("sudo", "-n", "true"):
            return ["sudo", "-n"]
        if sys.stdin.isatty():  # somebody is there to type the password
            return ["sudo"]
    raise SetupFailed(otherwise)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def run(command: Sequence[str]) -> None:
    """Run a command without input; if it fails, raise SetupFailed with the line in which it says why."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        errors="replace",
    )
    if done.returncode:
        said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        errors = [line for line in said if re.match(r"E:|error", line, re.IGNORECASE)]
        why = (errors or said or [f"exit code {done.returncode}"])[-1]
        raise SetupFailed(f"`{' '.join(command)}` failed: {why}")


def _say(line: str) -> None:
    # Not to stdout: that belongs to the target which asked for the setup.
    print(f"setup: {line}", file=sys.stderr, flush=True)


def _newer_python() -> str | None:
    """Return a Python on PATH that is new enough; it may stand beside a python3 that is the system's old one."""
    question = f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    found = (shutil.which(f"python3.{minor}") for minor in range(19, OLDEST_PYTHON[1] - 1, -1))
    # Asked, because a version manager has names for versions that are not switched on.
    return next((python for python in found if python and _succeeds(python, "-c", question)), None)


def main(arguments: Sequence[str]) -> int:
    """Carry out `setup` or `browser`: 0 done, 1 could not (one line says why), 2 called wrongly, 130 interrupted."""
    if list(arguments) not in (["setup"], ["browser"]):
        print("usage: python3 checks/tools.py setup|browser", file=sys.stderr)
        return 2
    if sys.version_info < OLDEST_PYTHON:
        newer = _newer_python()
        if newer:
            os.execv(newer, [newer, __file__, *arguments])  # noqa: S606  (no shell is wanted)
        need = "{}.{}".format(*OLDEST_PYTHON)
        install = f"apt-get install python{need} or brew install python"
        _say(f"python3 is {platform.python_version()}, {need} or newer is needed; install: {install}")
        return 1
    try:
        if list(arguments) == ["setup"]:
            setup(ROOT, run)
        else:
            have_browser(run)
    except (SetupFailed, ToolMissing) as problem:
        _say(str(problem))
        return 1
    except KeyboardInterrupt:
        _say("interrupted; the next call starts over")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
