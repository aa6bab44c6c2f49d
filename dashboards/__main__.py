"""`python -m dashboards`: write every cluster's dashboards, deterministically; or say what they would change.

Exit status: 0 written, or the changes told; 2 homelab.yaml or the revision is not usable (nothing is written then).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from alerts._render import limit_types
from dashboards._diff import NoRevision, at, told
from dashboards._render import FOLDER, render
from homelab.files import write
from homelab.inventory import load
from homelab.parse import Invalid


def tell(files: Mapping[Path, str], revision: str) -> int:
    """Say what the files would change in the dashboards of a revision."""
    try:
        before = at(revision, FOLDER)
    except NoRevision as error:
        print(f"diff-dashboards: {error}", file=sys.stderr)
        return 2
    after = {
        f"{path.parent.name}/{path.stem}": json.loads(text) for path, text in files.items() if path.suffix == ".json"
    }
    lines = list(told(before, after))
    print("\n".join(lines) if lines else f"no dashboard differs from {revision}")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inventory", type=Path, default=Path("homelab.yaml"), metavar="FILE")
    parser.add_argument("--diff", metavar="REV", help="write nothing; tell what changed since a revision of git")
    options = parser.parse_args(arguments)
    try:
        inventory = load(options.inventory, limit_types())
    except Invalid as error:
        print(error, file=sys.stderr)
        return 2
    files = render(inventory.clusters)
    if options.diff:
        return tell(files, options.diff)
    write(files, Path(), [FOLDER])
    for name in inventory.clusters:
        mine = [path for path in files if path.parent.name == name and path.suffix == ".json"]
        size = max((len(files[path].encode()) for path in mine), default=0)
        print(f"{name}: {len(mine)} dashboards in {FOLDER}/{name}/, the largest {size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it, and is no error of ours
    sys.exit(main())
