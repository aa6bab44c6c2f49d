"""The live part: every notification is shown as it arrives, until the one that was expected is over."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from checks.replay import RANK, hits
from checks.timeline import spell_time
from demo.history import LIVE
from demo.inbox import Notification, told
from demo.servers import fetch
from demo.stack import EVALUATION
from demo.staging import Stage

_NOTICE = 60  # seconds for the notification
_MORE = 90  # seconds for the resolution, after the moment when the rehearsal had it
_QUIET = 45  # seconds for which nothing may arrive where nothing is wrong
_GLANCE = 1.0  # seconds between two looks at the servers


class Disappointed(Exception):
    """What had to arrive did not, or the other way round; the message is a sentence."""


def explain(stage: Stage) -> None:
    """Say what is true here and what is not."""
    rehearsal, recovery = stage.rehearsal, stage.incident.recovery
    age = spell_time(int(time.time()) - stage.offset)
    stage.screen.note(
        f"Backdated: the first {age} of the story, and days before it, were computed from incidents/ and imported with"
        " promtool. So were the alerts' own ALERTS_FOR_STATE, by promtool's rule engine from the same rules: Prometheus"
        " reads there since when each alert is active, and no `for` begins anew.",
        f"Live from here: scraping every {LIVE} s and evaluating every {EVALUATION} s (in the cluster every minute),"
        " firing, delivery, resolution. The rules are the shipped ones. Of this demo are Prometheus'"
        " for-grace-period (0 s) and resend-delay (2 s), and Alertmanager's one route and its short waits; `startsAt`"
        " is when this Prometheus fired, not when the fault began.",
    )
    if rehearsal.repaired is not None:
        stage.screen.note(
            f"The story knows no recovery: everything was made healthy at {spell_time(rehearsal.repaired)},"
            " which is what resolves the alert."
        )
    elif recovery is not None and not stage.ahead(recovery):
        stage.screen.note("The fault itself is over; the alert is not yet, since it looks back over a while.")
    if rehearsal.alert:
        healing = f" the recovery in {stage.ahead(recovery)} s," if recovery and stage.ahead(recovery) else ""
        stage.screen.note(
            f"To come: the notification at once,{healing} the resolution in about {stage.ahead(rehearsal.clears)} s."
        )


def watch(stage: Stage) -> None:
    """Show what arrives until all that had to arrive has. Raises Disappointed and ServerFailed."""
    if stage.rehearsal.alert is None:
        _watch_nothing(stage)
        return
    name = stage.rehearsal.alert["alertname"]
    begun = time.time()
    shown = 0
    fired: list[Mapping[str, str]] = []
    while True:
        for one in _next(stage, shown):
            shown += 1
            if not hits(stage.incident, [one.labels]):
                continue
            if one.firing:
                fired.append(one.labels)
            elif one.labels in fired:
                stage.screen.step(f"both arrived. Firing now: {', '.join(_firing(stage)) or 'nothing'}")
                return
        if not fired and time.time() > begun + _NOTICE:
            raise Disappointed(f"no notification of {name} arrived within {_NOTICE} s. {_state(stage)}")
        late = max(stage.rehearsal.clears + stage.offset, begun) + _MORE
        if time.time() > late:
            what = ", ".join(sorted({labels["alertname"] for labels in fired}))
            raise Disappointed(f"the notification of {what} arrived, its resolution did not. {_state(stage)}")


def _watch_nothing(stage: Stage) -> None:
    stage.screen.note(f"This is odd but healthy: nothing may arrive. Watching for {_QUIET} s.")
    end = time.time() + _QUIET
    shown = 0
    while time.time() < end:
        for one in _next(stage, shown):
            shown += 1
            if RANK.get(one.labels.get("severity", ""), 0) >= RANK["warning"]:
                raise Disappointed(f"nothing is wrong, yet {one.labels['alertname']} arrived")
    if stage.inbox.heartbeat is None:
        raise Disappointed(f"nothing arrived, not even Watchdog's heartbeat. {_state(stage)}")
    stage.screen.step("nothing arrived but Watchdog's heartbeat, as it should be")


def stay(stage: Stage) -> None:
    """Go on until a signal ends it. Raises ServerFailed."""
    stage.screen.step("everything goes on running; Ctrl-C ends it")
    shown = len(stage.inbox.notifications)
    while True:
        shown += len(_next(stage, shown))


def _next(stage: Stage, shown: int) -> list[Notification]:
    """Wait a moment for what comes after the first `shown`, and show it."""
    stage.inbox.wait(lambda: len(stage.inbox.notifications) > shown, _GLANCE)
    for server in stage.servers:
        server.check()
    new = stage.inbox.notifications[shown:]
    for one in new:
        known = {state.labels["alertname"] for states in stage.rehearsal.states.values() for state in states}
        expected = one.labels.get("alertname") in known
        stage.screen.step("notification" if expected else "notification that is no part of this incident")
        stage.screen.lines(["| " + line for line in told(one)])
    return new


def _alerts(stage: Stage) -> list[dict[str, str]]:
    answer = json.loads(fetch(f"{stage.prometheus.url}/api/v1/alerts"))
    return [{**alert["labels"], "state": alert["state"]} for alert in answer["data"]["alerts"]]


def _firing(stage: Stage) -> list[str]:
    return sorted({alert["alertname"] for alert in _alerts(stage) if alert["state"] == "firing"})


def _state(stage: Stage) -> str:
    name = (stage.rehearsal.alert or {}).get("alertname", "Watchdog")
    states = sorted({alert["state"] for alert in _alerts(stage) if alert["alertname"] == name})
    return f"Prometheus says that {name} is {' and '.join(states) or 'not active'}."
