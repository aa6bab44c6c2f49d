"""What arrives: the receiver that the real Alertmanager posts to, and the page that shows it, newest first."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any

from demo.stack import HEARTBEAT, NOTIFY
from demo.web import Answer, Request

_STYLE = (Path(__file__).parent / "inbox.css").read_text("utf-8")
_HIDDEN = ("alertname", "severity")  # shown elsewhere on the card


@dataclass(frozen=True)
class Notification:
    """One alert of one message of Alertmanager, as it came; `received` is unix time."""

    received: float
    alert: Mapping[str, Any]

    @property
    def firing(self) -> bool:
        """Whether it says that the alert fires; otherwise that it is resolved."""
        return bool(self.alert["status"] == "firing")

    @property
    def labels(self) -> Mapping[str, str]:
        """The alert's labels."""
        return dict(self.alert["labels"])

    @property
    def annotations(self) -> Mapping[str, str]:
        """The sentences and links of the rule."""
        return dict(self.alert["annotations"])


@dataclass
class Inbox:
    """Everything that came, oldest first; `about` is a sentence for the page."""

    about: str
    links: Mapping[str, str]
    notifications: list[Notification] = field(default_factory=list)
    heartbeat: float | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def answer(self, request: Request) -> Answer:
        """Take a message of Alertmanager, or show the page."""
        if request.path in (NOTIFY, HEARTBEAT):
            with self.changed:
                if request.path == HEARTBEAT:
                    self.heartbeat = time.time()
                else:
                    alerts = json.loads(request.body)["alerts"]
                    self.notifications += (Notification(time.time(), alert) for alert in alerts)
                self.changed.notify_all()
            return Answer("")
        if request.path == "/":
            return Answer(page(self), "text/html; charset=utf-8")
        return Answer("there is only /\n", status=HTTPStatus.NOT_FOUND)

    def wait(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait until it is so, looking whenever something arrives; False if it never was in that time."""
        with self.changed:
            return self.changed.wait_for(done, seconds)


def page(inbox: Inbox, now: float | None = None) -> str:
    """The page as HTML. Nothing that arrived is trusted: every text is escaped, and only web addresses are links."""
    now = time.time() if now is None else now
    cards = "".join(_card(one, now) for one in reversed(inbox.notifications))
    beat = "not yet" if inbox.heartbeat is None else _ago(now - inbox.heartbeat)
    links = "".join(_link(name, url) for name, url in inbox.links.items())
    empty = '<p class="empty">Nothing has arrived. A quiet cluster sends nothing but its heartbeat.</p>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta http-equiv="refresh" content="3">'
        f"<title>{_title(inbox)}</title><style>{_STYLE}</style></head><body>"
        f'<header><h1>Inbox</h1><p class="beat"><i></i>Watchdog heartbeat: {beat}</p></header>'
        f'<p class="about">{escape(inbox.about)}</p><nav>{links}</nav>'
        f"<main>{cards or empty}</main></body></html>\n"
    )


def _title(inbox: Inbox) -> str:
    latest = {tuple(sorted(one.labels.items())): one.firing for one in inbox.notifications}
    firing = sum(latest.values())
    return f"({firing}) Inbox" if firing else "Inbox"


def _card(one: Notification, now: float) -> str:
    severity = one.labels.get("severity", "none")
    state = severity if one.firing else "resolved"
    shown = {name: value for name, value in sorted(one.labels.items()) if name not in _HIDDEN}
    labels = "".join(f"<li><b>{escape(name)}</b> {escape(value)}</li>" for name, value in shown.items())
    links = "".join(
        _link(name, url)
        for name, url in (
            ("Runbook", one.annotations.get("runbook_url", "")),
            ("Dashboard", one.annotations.get("dashboard_url", "")),
            ("Query in Prometheus", str(one.alert.get("generatorURL", ""))),
        )
    )
    clock = time.strftime("%H:%M:%S", time.localtime(one.received))
    return (
        f'<article class="{escape(state)}"><p class="top"><span class="state">{escape(state)}</span> '
        f"<span>{escape(one.labels.get('alertname', ''))}</span>"
        f"<time>{clock}, {_ago(now - one.received)}</time></p>"
        f"<h2>{escape(one.annotations.get('summary', ''))}</h2>"
        f"<p>{escape(one.annotations.get('description', ''))}</p>"
        f"<ul>{labels}</ul><nav>{links}</nav></article>"
    )


def _link(name: str, url: str) -> str:
    if not url.startswith(("http://", "https://")):
        return ""
    return f'<a href="{escape(url)}" rel="noreferrer">{escape(name)}</a>'


def _ago(seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole} s ago" if whole < 120 else f"{whole // 60} min ago"


def told(one: Notification) -> Sequence[str]:
    """The notification as lines for a terminal; what arrived cannot move the cursor there."""
    kind = f"FIRING ({one.labels.get('severity', '')})" if one.firing else "RESOLVED"
    lines = [f"{kind}  {one.labels.get('alertname', '')}"]
    lines += [one.annotations[name] for name in ("summary", "description") if one.annotations.get(name)]
    lines.append(", ".join(f"{n}={v}" for n, v in sorted(one.labels.items()) if n not in _HIDDEN))
    lines += [f"{name}: {url}" for name, url in one.annotations.items() if name.endswith("_url")]
    return ["".join(sign if sign.isprintable() else " " for sign in line) for line in lines]
