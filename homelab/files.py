"""Generated files: written where they changed, removed where what they came from is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def write(files: Mapping[Path, str], root: Path, folders: Iterable[Path]) -> None:
    """Write the files below `root`. Each of `folders` has a folder per cluster and holds nothing else."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
    for folder in folders:
        for old in sorted((root / folder).glob("*/*")):
            if old.relative_to(root) not in files:
                old.unlink()
        for cluster in sorted((root / folder).glob("*")):
            if cluster.is_dir() and not any(cluster.iterdir()):
                cluster.rmdir()
