"""`python -m preview`: the generated dashboards as pages, against a healthy week, an incident or a live Prometheus.

Exit status: 0 every panel is drawn; 1 a panel could not be drawn or a server failed; 2 called wrongly or an input
cannot be used; 128 and the signal's number if one ended it before all was written.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from checks.promtool import PromtoolError
from checks.tools import ToolMissing
from dashboards._render import FOLDER as DASHBOARDS
from demo.rehearsal import NothingToShow
from demo.servers import ServerFailed
from demo.signals import Ended, raising
from homelab.parse import Invalid, Problem, alternatives
from preview import address, board, gallery, situation
from preview.board import Board
from preview.cluster import filled
from preview.colours import NoColour
from preview.interpolate import NoTime
from preview.options import Undrawable
from preview.page import Side
from preview.progress import Progress
from preview.prometheus import Prometheus, Unreachable
from preview.sides import Source, sides
from preview.units import NoUnit

_DONE = "Ctrl-C ends the servers; the pages stay."


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    options = _parser().parse_args(arguments)
    complete = False
    try:
        with raising(), contextlib.ExitStack() as everything:
            if options.list:
                known = situation.material(options.cluster).incidents.values()
                print("\n".join(f"{one.id}  {one.subsystem:<14}{one.title}" for one in known))
                return 0
            boards = _boards(DASHBOARDS / options.cluster, options.dashboard)
            told = Progress()
            shown = max(one.length for one in boards.values())
            sources = list(_sources(options, shown, told, everything))
            found = {stem: list[Side]() for stem in boards}
            for source in sources:
                for stem, side in sides(source, boards, told).items():
                    found[stem].append(side)
            index = gallery.write(gallery.FOLDER, found, options.cluster)
            complete = True
            worse = _tell(found)
            print(f"{len(found)} dashboards: {index.resolve().as_uri()}", flush=True)
            if not options.exit and not options.prometheus:
                print("\n".join([*(f"{one.stem}: {one.server.url}" for one in sources), _DONE]), flush=True)
                signal.pause()
            return worse
    except (Invalid, OSError, NoTime, Unreachable) as error:
        print(f"preview: {error}", file=sys.stderr)
        return 2
    except (ToolMissing, PromtoolError, ServerFailed, NothingToShow, Undrawable, NoUnit, NoColour) as error:
        print(f"preview: {error}", file=sys.stderr)
        return 1
    except Ended as ended:
        return worse if complete else 128 + ended.number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m preview", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cluster", default="production", metavar="NAME", help="one of homelab.yaml (production)")
    parser.add_argument("--dashboard", action="append", default=[], metavar="STEM", help="only this one (repeatable)")
    parser.add_argument("--incident", action="append", default=[], metavar="ID", help="beside healthy (repeatable)")
    parser.add_argument("--prometheus", default="", metavar="URL", help="a live one instead; only asked, never changed")
    parser.add_argument(
        "--at", type=_time, metavar="TIME", help="with --prometheus: 2026-03-04T14:00 (UTC) or unix time"
    )
    parser.add_argument("--exit", action="store_true", help="write the pages and end")
    parser.add_argument("--list", action="store_true", help="list the incidents and end")
    return parser


def _time(written: str) -> int:
    """Unix time. Raises ValueError, which argparse tells."""
    if written.isdecimal():
        return int(written)
    when = datetime.fromisoformat(written)
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def _boards(folder: Path, wanted: Sequence[str]) -> dict[str, Board]:
    """The generated dashboards, or those wanted, the overview first. Raises Invalid and NoTime."""
    paths = {
        path.stem: path for path in sorted(folder.glob("*.json"), key=lambda path: (path.stem != "overview", path.stem))
    }
    problems = [
        Problem(str(folder), 0, "", f"no dashboard {stem}; {alternatives(stem, paths)}")
        for stem in wanted
        if stem not in paths
    ]
    clusters = [path.name for path in folder.parent.glob("*") if path.is_dir()]
    if clusters and folder.name not in clusters:
        problems = [Problem("--cluster", 0, "", f"no cluster {folder.name}; {alternatives(folder.name, clusters)}")]
    elif not paths:
        problems = [Problem(str(folder), 0, "", "there are no dashboards; run `make dashboards` first")]
    if problems:
        raise Invalid(problems)
    try:
        return {stem: board.read(path) for stem, path in paths.items() if stem in wanted or not wanted}
    except ValueError as error:
        raise Invalid([Problem(str(folder), 0, "", f"is no JSON: {error}; run `make dashboards` again")]) from None


def _sources(
    options: argparse.Namespace, shown: int, told: Progress, everything: contextlib.ExitStack
) -> Iterator[Source]:
    """The servers to ask, each with its moment and what it shows; pages show so many seconds."""
    if options.prometheus:
        if options.incident:
            raise Invalid([Problem("--incident", 0, "", "is for the local Prometheus; leave --prometheus out")])
        now = options.at or int(time.time())
        yield Source("live", "Live", "A running cluster.", address.at(options.prometheus), now)
        return
    if options.at:
        raise Invalid([Problem("--at", 0, "", "needs --prometheus: a local one is always shown at the same time")])
    known = situation.material(options.cluster)
    incidents = [known.incident(named) for named in dict.fromkeys(options.incident)]
    for one in (situation.well(known), *(situation.during(incident, known) for incident in incidents)):
        folder = Path(everything.enter_context(tempfile.TemporaryDirectory(prefix="homelab-preview-")))
        server = everything.enter_context(filled(folder, one, shown))
        told.step(f"{one.name}: wrote {one.length // 86_400} days of {len(one.series)} series, serving {server.url}")
        yield Source(one.name, one.title, one.told, Prometheus(server.url), situation.NOW)


def _tell(found: dict[str, list[Side]]) -> int:
    """Say what could not be drawn; the exit status."""
    lines = [
        f"{stem}, {side.stem}: {failure}"
        for stem, drawn in found.items()
        for side in drawn
        for failure in (*side.picture.failures, *(f"not drawn: {path}" for path in side.picture.undrawn))
    ]
    for line in lines:
        print(f"preview: {line}", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
