"""`python -m demo`: a real Prometheus and a real Alertmanager over a simulated homelab in which an incident happens.

Exit status: 0 what had to arrive has arrived, and nothing where nothing had to; 1 not so; 2 called wrongly or an input
cannot be used; 128 and the signal's number if one ended it before that.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from checks import cluster, incidents
from checks.promtool import PromtoolError
from checks.tools import ToolMissing
from demo import story
from demo.rehearsal import NothingToShow, shipped
from demo.screen import Screen
from demo.servers import ServerFailed
from demo.signals import Ended, held, raising
from demo.staging import Material, TooSlow, staged
from demo.watching import Disappointed, explain, stay, watch
from homelab.parse import Invalid, alternatives

INCIDENTS, METRICS, RULES = Path("incidents"), Path("metrics"), Path("monitoring/rules/production")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--incident", default="PG-01", metavar="ID", help="one of incidents/ (default: PG-01)")
    parser.add_argument("--list", action="store_true", help="list the incidents and end")
    parser.add_argument("--exit", action="store_true", help="end as soon as all has arrived; status 0 only then")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the data, logs and configurations")
    options = parser.parse_args(arguments)
    complete = False
    try:
        with raising():
            screen = Screen(time.monotonic())
            healthy = cluster.baseline(INCIDENTS)
            known = {one.id: one for one in incidents.load(INCIDENTS, healthy)}
            if options.list:
                print("\n".join(f"{one.id}  {one.subsystem:<14}{one.title}" for one in known.values()))
                return 0
            if options.incident not in known:
                print(f"demo: no incident {options.incident}; {alternatives(options.incident, known)}", file=sys.stderr)
                return 2
            incident = known[options.incident]
            screen.step(f"{incident.id}: {incident.title}")
            screen.note(incident.story)
            with (
                _folder(keep=options.keep) as folder,
                staged(incident, Material(healthy, shipped(RULES), story.kinds(METRICS)), folder, screen) as stage,
            ):
                explain(stage)
                watch(stage)
                complete = True
                if not options.exit:
                    stay(stage)
    except (Invalid, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except (ToolMissing, PromtoolError, ServerFailed, NothingToShow, TooSlow, Disappointed) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except Ended as ended:
        return 0 if complete and not options.exit else 128 + ended.number
    return 0


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="homelab-demo-"))
    try:
        yield folder
    finally:
        with held():
            if keep:
                print(f"kept: {folder}", flush=True)
            else:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
