"""The guest's file system: busybox, the NVMe modules, this Python and the exporters, as the kernel unpacks it."""

from __future__ import annotations

import lzma
import re
import shlex
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tests.hardware.parts import Parts

Tree = Mapping[str, Path | bytes]  # what stands where in the guest, without a / at the front

INIT = Path(__file__).with_name("init.sh")
_PACKAGES = ("prometheus_client", "exporters")
_DRIVERS = ("nvme", "virtio_pci", "virtio_console")
# Parts of the standard library that are large, and that nothing in the guest imports.
_UNUSED = re.compile(
    r"site-packages|dist-packages|test|config-.*|idlelib|lib2to3|tkinter|turtle.*|ensurepip|pydoc_data"
)
_UNUSED_MODULE = re.compile(r"_tkinter\..*|_test.*|_curses.*")
_INTERPRETER = Path(sys.executable).resolve()


def write(file: BinaryIO, parts: Parts) -> None:
    """Write it, uncompressed: an emulated CPU is slow at unpacking."""
    python = _python()
    programs = [parts.setpriv, *(path for path in python.values() if path.suffix == ".so" or path == _INTERPRETER)]
    pack(file, {**_system(parts), **_modules(parts.modules), **python, **_packages(), **_libraries(programs)})


def pack(file: BinaryIO, tree: Tree) -> None:
    """Write a tree as cpio in the one format that the kernel reads, newc. Everything can be read and executed."""
    folders = {str(folder) for path in tree for folder in PurePosixPath(path).parents} - {"."}
    for folder in sorted(folders):
        _entry(file, folder, stat.S_IFDIR)
    for path, source in tree.items():
        content, modified = (source, 0) if isinstance(source, bytes) else (source.read_bytes(), source.stat().st_mtime)
        _entry(file, path, stat.S_IFREG, content, int(modified))  # Python compiles anew what seems to be modified
    _entry(file, "TRAILER!!!", 0)


def _entry(file: BinaryIO, path: str, kind: int, content: bytes = b"", modified: int = 0) -> None:
    name = path.encode() + b"\0"
    # inode, mode, uid, gid, links, time, size, device twice two numbers, length of the name, checksum
    numbers = (0, kind | 0o755, 0, 0, 1, modified, len(content), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08x" % number for number in numbers)
    file.writelines(part + b"\0" * (-len(part) % 4) for part in (header + name, content))


def _system(parts: Parts) -> dict[str, Path | bytes]:
    return {
        "init": INIT,
        "bin/busybox": parts.busybox,
        "bin/python3": f'#!/bin/sh\nexec {shlex.quote(str(_INTERPRETER))} "$@"\n'.encode(),
        # To be asked for by its path: busybox' shell prefers busybox' own, which cannot take away capabilities.
        "usr/bin/setpriv": parts.setpriv,
        "etc/passwd": b"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
        "etc/group": b"root:x:0:\nnogroup:x:65534:\n",
        "etc/hosts": b"127.0.0.1 localhost\n",
    }


def _modules(folder: Path) -> dict[str, bytes]:
    """The drivers and what they depend on, numbered as they are to be loaded."""
    files = {path.name.split(".")[0].replace("-", "_"): path for path in folder.glob("*.ko*")}
    loaded: dict[str, bytes] = {}

    def load(name: str) -> None:
        if name in loaded or name not in files:  # what is no module is built into the kernel
            return
        content = files[name].read_bytes()
        content = lzma.decompress(content) if files[name].suffix == ".xz" else content
        depends = re.search(rb"\0depends=([^\0]+)", content)
        for other in depends[1].decode().replace("-", "_").split(",") if depends else ():
            load(other)
        loaded[name] = content

    for driver in _DRIVERS:
        load(driver)
    return {f"modules/{number:02}-{name}.ko": content for number, (name, content) in enumerate(loaded.items())}


def _python() -> dict[str, Path]:
    """The interpreter and its library. They stand where they do here, so that it finds itself."""
    library = Path(sysconfig.get_path("stdlib"))
    used = (path for path in library.iterdir() if not _UNUSED.fullmatch(path.name))
    files = (file for path in used for file in _files(path) if not _UNUSED_MODULE.fullmatch(file.name))
    return {_here(path): path for path in (_INTERPRETER, *files)}


def _packages() -> dict[str, Path]:
    """What is tried in the guest, and what that imports."""
    tree: dict[str, Path] = {}
    for name in _PACKAGES:
        spec = find_spec(name)
        for folder in (spec and spec.submodule_search_locations) or ():
            tree |= {f"app/{name}/{path.relative_to(folder)}": path for path in _files(Path(folder))}
    return tree


def _libraries(programs: Sequence[Path]) -> dict[str, Path]:
    """The shared libraries of programs."""
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, timeout=60, check=False).stdout
    libraries = {Path(found) for found in re.findall(r"(/\S+) \(0x", said)}
    # glibc opens this one itself, when a thread of Python's ends early.
    beside = {path.with_name("libgcc_s.so.1") for path in libraries if path.name == "libc.so.6"}
    return {_here(path): path for path in libraries | beside}


def _files(path: Path) -> Iterator[Path]:
    """The file, or all that are within; of compiled modules this Python's own."""
    found = path.rglob("*") if path.is_dir() else [path]
    compiled = f".{sys.implementation.cache_tag}.pyc"
    return (file for file in found if file.is_file() and (file.suffix != ".pyc" or file.name.endswith(compiled)))


def _here(path: Path) -> str:
    return str(path.absolute()).lstrip("/")
