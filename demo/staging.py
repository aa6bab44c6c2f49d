"""Everything that has to be there before the story can go on: the rehearsal, the history, the servers."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks.cluster import Series
from checks.incidents import Incident
from checks.timeline import spell_time
from demo import history, memory, stack, targets
from demo.inbox import Inbox
from demo.rehearsal import Rehearsal, rehearse
from demo.screen import Screen
from demo.servers import Server, free_port
from demo.story import Kinds, placed
from demo.web import LOOPBACK, serving

# Seconds from the last sample of the history to the start of Prometheus. A machine that was slow so far, or has others
# to serve, needs more: so many times what has passed.
_PREPARATION = 10
_SLOWNESS = (2, 4, 8)
_ENOUGH = 35  # seconds that the alert must still have when Prometheus starts


class TooSlow(Exception):
    """This machine cannot write the history in time; the message is a sentence."""


@dataclass(frozen=True)
class Material:
    """What the repository says: the healthy cluster, the rules by file, what kinds of values there are."""

    healthy: Sequence[Series]
    rules: Mapping[str, Sequence[Mapping[str, Any]]]
    kinds: Kinds


@dataclass(frozen=True)
class Stage:
    """A running demo; `offset` is the unix time at which the story began."""

    incident: Incident
    rehearsal: Rehearsal
    inbox: Inbox
    servers: Sequence[Server]
    offset: int
    screen: Screen

    def ahead(self, seconds: int) -> int:
        """How far ahead a second of the story is, in seconds; 0 when it has passed."""
        return max(0, seconds + self.offset - int(time.time()))

    @property
    def prometheus(self) -> Server:
        """The server that judges."""
        return next(server for server in self.servers if server.name == "prometheus")


@contextlib.contextmanager
def staged(incident: Incident, material: Material, folder: Path, screen: Screen) -> Iterator[Stage]:
    """Start everything, and end it with the context.

    Raises NothingToShow, TooSlow, PromtoolError, ServerFailed and ToolMissing.
    """
    rules = material.rules
    rehearsal = rehearse(incident, material.healthy, [group for groups in rules.values() for group in groups])
    screen.step(f"rehearsed with promtool: {_told(incident, rehearsal)}")
    with contextlib.ExitStack() as everything:
        ports = {name: free_port() for name in stack.READY}
        inbox = Inbox(
            f"{incident.id}: {incident.title}",
            {name.capitalize(): f"http://{LOOPBACK}:{ports[name]}" for name in ("prometheus", "alertmanager")},
        )
        inbox_port = everything.enter_context(serving(inbox.answer))
        folders = {name: stack.prepare(folder / name) for name in stack.READY if name != "prometheus"}
        stack.prepare(folder / "alertmanager", {"alertmanager.json": stack.alertmanager_config(inbox_port)})
        servers = everything.enter_context(stack.started(folders, ports))
        screen.step("started " + ", ".join(f"{server.name} {server.url}" for server in servers))

        own = stack.prepare(folder / "prometheus")
        offset = _backdate(rehearsal, material.kinds, own / stack.DATA, screen)
        known = targets.targets((s.labels, placed(s, offset, 0, material.kinds)) for s in rehearsal.series)
        homelab = everything.enter_context(serving(targets.answering(known)))
        screen.step(f"serving {len(known)} simulated targets, listed on http://{LOOPBACK}:{homelab}{targets.DISCOVERY}")

        stack.prepare(own, {"prometheus.json": stack.prometheus_config(ports, homelab)})
        stack.prepare(own / stack.RULES, {f"{stem}.json": {"groups": groups} for stem, groups in rules.items()})
        servers = [*servers, *everything.enter_context(stack.started({"prometheus": own}, ports))]
        screen.step(f"started prometheus {servers[-1].url} with the rules of monitoring/rules/production")
        screen.step(f"inbox: http://{LOOPBACK}:{inbox_port}")
        yield Stage(incident, rehearsal, inbox, servers, offset, screen)


def _told(incident: Incident, rehearsal: Rehearsal) -> str:
    if rehearsal.alert is None:
        return f"{', '.join(rehearsal.firing_before(incident.end + 1)) or 'only Watchdog'} fires"
    fault = incident.fault or 0
    before = ", ".join(rehearsal.firing_before(fault)) or "only Watchdog"
    after = spell_time(max(0, rehearsal.fires - fault))
    return f"before the fault {before} fires, {after} after it {rehearsal.alert['alertname']} too"


def _backdate(rehearsal: Rehearsal, kinds: Kinds, data: Path, screen: Screen) -> int:
    """Write the history, and return the unix time at which the story began."""
    length = history.past(rehearsal.begin)
    for times_slower in _SLOWNESS:
        seconds = max(_PREPARATION, round(times_slower * screen.elapsed))
        data.mkdir()
        now = int(time.time())
        offset = now + seconds - rehearsal.begin
        past = offset - (now - length)
        told = rehearsal.series
        series = [history.Placed(s.labels, placed(s, offset, past, kinds), s.labels in rehearsal.changed) for s in told]
        series += memory.remembered(rehearsal, offset)
        times = history.grid(now, length, now - offset, len(rehearsal.changed))
        history.write(data, series, times)
        if rehearsal.alert is None or time.time() < rehearsal.clears + offset - _ENOUGH:
            count = len(series) * len(times.all) / 1e6
            screen.step(f"backdated {length // 86_400} days: {len(series)} series, {count:.1f} million samples")
            return offset
        shutil.rmtree(data)
        screen.step(f"writing the history took {time.time() - now:.0f} s, too long for this moment: once more")
    raise TooSlow("this machine writes the history so slowly that the alert is over before Prometheus could start")
