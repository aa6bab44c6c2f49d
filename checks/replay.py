"""python -m checks.replay: every outage of incidents/ once more, through the rules that the cluster gets.

For each it tells what noticed the outage and when, how many pages it sent and when they ended. Each story is played
twice, the second time with every sample half a step later: what decides on the edge of a range gives itself away there.

Exit status: 0 every incident was caught and nothing else fired, 1 not so, 2 an input cannot be used.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from checks.outcome import RANK, Outcome, hits
from checks.promtool import PromtoolError
from checks.stage import Rule, Stage, Unknown, healthy_runs, picked, selected, stage, touched
from checks.timeline import spell_time
from checks.tools import ToolMissing
from homelab.parse import Invalid

__all__ = ["RANK", "Rule", "Stage", "hits", "main", "selected", "stage", "touched"]

HEAD = f"{'incident':<16} {'what fired, and how many others':<38} {'after':>8} {'pages':>5} {'cleared':>8}  verdict"


@dataclass(frozen=True)
class Played:
    """One incident, played as it stands and, unless that was not wanted, with all samples half a step later."""

    plain: Outcome
    shifted: Outcome | None

    @property
    def problems(self) -> list[str]:
        """Those of both, each once."""
        late = self.shifted.problems if self.shifted else ()
        return [
            *self.plain.problems,
            *(f"with samples half a step later: {text}" for text in late if text not in self.plain.problems),
        ]

    @property
    def verdict(self) -> str:
        """The last word of the row."""
        if self.shifted and bool(self.shifted.problems) != bool(self.plain.problems):
            return "DEPENDS ON THE SCRAPE"
        return "FAILED" if self.problems else "ok"

    def row(self) -> str:
        """A line of the table."""
        outcome, incident = self.plain, self.plain.incident
        names = outcome.names or ["-"]
        fired = names[0] + (f" +{len(names) - 1}" if len(names) > 1 else "")
        after = _between(incident.fault or 0, outcome.noticed)
        cleared = _between(incident.recovery, outcome.cleared)
        return f"{incident.id:<16} {fired:<38.38} {after:>8} {outcome.pages:>5} {cleared:>8}  {self.verdict}"

    def record(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "id": self.plain.incident.id,
            "subsystem": self.plain.incident.subsystem,
            "fired": self.plain.names,
            "fault_seconds": self.plain.incident.fault,
            "noticed_seconds": self.plain.noticed,
            "cleared_seconds": self.plain.cleared,
            "pages": self.plain.pages,
            "verdict": self.verdict,
            "problems": self.problems,
        }


def _between(begin: int | None, end: int | None) -> str:
    return "" if begin is None or end is None else spell_time(max(0, end - begin))


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m checks.replay", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("only", nargs="*", metavar="ID|SUBSYSTEM", help="these incidents; default: all")
    parser.add_argument("--cluster", default="production", help="whose rules (default: production)")
    parser.add_argument("--whole", action="store_true", help="evaluate every rule on every series (slow)")
    parser.add_argument("--once", action="store_true", help="without the second run on shifted samples")
    parser.add_argument("--json", action="store_true", help="one JSON object per incident and line")
    options = parser.parse_args(arguments)
    try:
        scene = stage(cluster=options.cluster)
        stories = picked([*healthy_runs(scene.incidents), *scene.incidents], options.only)
    except (Invalid, Unknown) as error:
        print(error, file=sys.stderr)
        return 2

    def both(number: int) -> Played:
        outcome = scene.replay(stories[number], whole=options.whole)
        return Played(
            outcome, None if options.once else scene.replay(stories[number], shifted=True, whole=options.whole)
        )

    if not options.json:
        print(HEAD)
    failed = 0
    try:
        with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
            for played in pool.map(both, range(len(stories))):
                failed += bool(played.problems)
                print("\n".join([json.dumps(played.record())] if options.json else _lines(played)), flush=True)
    except (ToolMissing, PromtoolError) as error:
        print(error, file=sys.stderr)
        return 2
    if not options.json:
        print(f"{len(stories) - failed} of {len(stories)} as they must be")
    return 1 if failed else 0


def _lines(played: Played) -> Iterator[str]:
    yield played.row()
    yield from (f"    {problem}" for problem in played.problems)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it, and is no error of ours
    sys.exit(main())
