"""A local Prometheus that holds a situation: written as blocks, served on loopback, nothing scraped and no rule run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from demo import history, stack
from demo.servers import Server, free_port, running
from demo.web import LOOPBACK
from preview.situation import NOW, Situation

_MOST = 400_000  # samples, roughly, of all that an incident changes
SHOWN = 6 * 3600  # what pages show, as a rule
# How far apart samples are, in seconds: in what pages show, and the hour before that a rate may look back on; in the
# days that a rule looks back; and before, where a range of a week needs some samples and nobody looks at a moment.
_FINE, _COARSE, _SPARSE = 60, 240, 1800
_DAYS = 2 * 86_400


def times(situation: Situation, shown: int = SHOWN) -> history.Times:
    """The unix times of the samples, for pages that show so many seconds."""
    begin = NOW - situation.length
    fine = max(begin, NOW - min(shown, SHOWN) - 3600)
    coarse = max(begin, NOW - max(shown, _DAYS))
    every = [*range(begin, coarse, _SPARSE), *range(coarse, fine, _COARSE), *range(fine, NOW + 1, _FINE)]
    step = max(_FINE, situation.story * situation.changed // _MOST // _FINE * _FINE)
    close = range(NOW - min(situation.story, situation.length), NOW, step)
    return history.Times(every, sorted({*every, *close}))


@contextlib.contextmanager
def filled(folder: Path, situation: Situation, shown: int = SHOWN) -> Iterator[Server]:
    """Write the blocks into an existing empty folder, start Prometheus on them, and end it with the context.

    Ask it at `situation.NOW` and in the `shown` seconds before. Raises PromtoolError, ServerFailed and ToolMissing.
    """
    data = folder / stack.DATA
    data.mkdir()
    history.write(data, situation.series, times(situation, shown))
    stack.prepare(folder, {"prometheus.json": {"scrape_configs": []}})
    port = free_port()
    arguments: list[str | Path] = [
        "--config.file=prometheus.json",
        f"--storage.tsdb.path={stack.DATA}",
        "--storage.tsdb.retention.time=100y",  # the history is as old as NOW, whatever the clock says
        # Blocks stay as they were written: to merge them would cost more than to ask them.
        "--storage.tsdb.min-block-duration=2h",
        "--storage.tsdb.max-block-duration=6h",
        f"--web.listen-address={LOOPBACK}:{port}",
        "--log.level=warn",
    ]
    with running("prometheus", folder, f"http://{LOOPBACK}:{port}", arguments) as server:
        server.await_ready(stack.READY["prometheus"])
        yield server
