"""The inbox: it takes what Alertmanager posts, and trusts none of it."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from demo.inbox import Inbox, Notification, page, told
from demo.stack import HEARTBEAT, NOTIFY
from demo.web import Request, serving


def alert(status: str = "firing", **more: Any) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "LonghornVolumeFaulted", "severity": "critical", "pvc": "linkding-data"},
        "annotations": {"summary": "Volume linkding-data is faulted", "description": "No replica is left."},
        "generatorURL": "http://127.0.0.1:1/graph",
        **more,
    }


def inbox(*alerts: dict[str, Any]) -> Inbox:
    found = Inbox("LH-02: Volume faulted", {})
    for one in alerts:
        found.answer(Request(NOTIFY, json.dumps({"alerts": [one]}).encode()))
    return found


def test_the_newest_notification_stands_first() -> None:
    html = page(inbox(alert(), alert("resolved")))
    assert html.index('class="resolved"') < html.index('class="critical"')
    assert html.count("Volume linkding-data is faulted") == 2


def test_the_title_counts_what_still_fires() -> None:
    assert "<title>(1) Inbox</title>" in page(inbox(alert()))
    assert "<title>Inbox</title>" in page(inbox(alert(), alert("resolved")))


def test_nothing_that_arrives_becomes_markup() -> None:
    bad = '"><script>alert(1)</script>'
    html = page(
        inbox(
            alert(
                labels={"alertname": bad, "severity": bad, bad: bad},
                annotations={"summary": bad, "description": bad, "runbook_url": f"https://x/{bad}"},
                generatorURL="javascript:alert(1)",
            )
        )
    )
    assert "<script" not in html
    assert "javascript:" not in html
    assert html.count("&lt;script&gt;") == 8


def test_a_terminal_shows_what_came_and_obeys_none_of_it() -> None:
    lines = told(Notification(0, alert(annotations={"summary": "a\x1b[2Jb\nc", "runbook_url": "https://runbooks/x"})))
    assert lines == [
        "FIRING (critical)  LonghornVolumeFaulted",
        "a [2Jb c",
        "pvc=linkding-data",
        "runbook_url: https://runbooks/x",
    ]


def test_the_heartbeat_is_no_notification() -> None:
    found = inbox()
    assert "heartbeat: not yet" in page(found)
    found.answer(Request(HEARTBEAT, b"{}"))
    assert found.notifications == []
    assert "heartbeat: 0 s ago" in page(found)


def test_who_waits_is_told_when_something_arrives() -> None:
    found = inbox()
    assert not found.wait(lambda: bool(found.notifications), 0.01)
    with serving(found.answer) as port:
        body = json.dumps({"alerts": [alert()]}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{NOTIFY}", body, timeout=5) as response:
            assert response.status == 200
        assert found.wait(lambda: bool(found.notifications), 5)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as response:
            assert "LonghornVolumeFaulted" in response.read().decode()
