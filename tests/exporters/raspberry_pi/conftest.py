"""Hosts as trees of files, told in hosts/*.yaml: `files`, `links`, and `bytes` in hexadecimal."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from exporters.raspberry_pi.host import Host

FOLDER = Path(__file__).parent / "hosts"
Build = Callable[..., Host]


def build(root: Path, name: str, changes: Mapping[str, str | None]) -> Host:
    """Write the tree of a host, with files that are otherwise, or gone (None; a folder with all that is in it)."""
    told = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    for path, text in told.get("files", {}).items():
        put(root / path, f"{text}\n".encode())
    for path, digits in told.get("bytes", {}).items():
        put(root / path, bytes.fromhex(str(digits)))
    for path, target in told.get("links", {}).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)
    for path, text in changes.items():
        remove(root / path) if text is None else put(root / path, f"{text}\n".encode())
    return Host(root / "sys", root / "proc", root / "dev")


def put(path: Path, content: bytes) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def remove(path: Path) -> None:
    """Take away a file, a link, or a folder with all that is in it."""
    if path.is_symlink() or path.is_file():
        path.unlink()
        return
    for inner in path.iterdir():
        remove(inner)
    path.rmdir()


@pytest.fixture
def host(tmp_path: Path) -> Build:
    """Builds a host by its name in hosts/."""

    def made(name: str, **changes: str | None) -> Host:
        return build(tmp_path, name, changes)

    return made


@pytest.fixture
def unreadable() -> Callable[[Path], None]:
    """Makes a file one that cannot be read, also by root: a folder of its name."""

    def spoil(path: Path) -> None:
        path.unlink()
        path.mkdir()

    return spoil
