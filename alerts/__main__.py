"""`python -m alerts`: write every cluster's rules, deterministically.

Exit status: 0 written, 2 homelab.yaml is not usable (nothing is written then).
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from alerts._render import catalogue, limit_types, plain, prometheus_rule
from homelab import files as files_
from homelab.inventory import Inventory, load
from homelab.parse import Invalid

RULES = Path("monitoring/rules")  # as the cluster gets them
PLAIN = Path("build/rules")  # as promtool reads them


def render(inventory: Inventory) -> dict[Path, str]:
    """Every file to be written, by its path below the working directory."""
    files: dict[Path, str] = {}
    for name, site in inventory.clusters.items():
        for group in catalogue(site):
            files[RULES / name / f"{group.subsystem}.yaml"] = prometheus_rule(group, site)
            files[PLAIN / name / f"{group.subsystem}.yaml"] = plain(group)
    return files


def write(files: dict[Path, str], root: Path) -> None:
    """Write what changed, and remove the output of what is gone."""
    files_.write(files, root, (RULES, PLAIN))


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m alerts", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inventory", type=Path, default=Path("homelab.yaml"), metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        inventory = load(options.inventory, limit_types())
        files = render(inventory)
    except Invalid as error:
        print(error, file=sys.stderr)
        return 2
    write(files, Path())
    for name, site in inventory.clusters.items():
        groups = catalogue(site)
        count = sum(len(g.alerts) for g in groups)
        print(f"{name}: {count} alerts of {len(groups)} subsystems in monitoring/rules/{name}/")
        for alert, override in sorted(site.overrides.items()):
            print(f"  {alert} is {'off' if override.off else override.severity}: {override.reason}")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it, and is no error of ours
    sys.exit(main())
