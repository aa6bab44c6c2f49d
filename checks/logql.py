"""Holds a LogQL query against the labels that our Alloy sets.

There is no grammar of LogQL for Python. So a query of ours is what Prometheus' grammar decides once the line filters
behind a selector are taken away: a selector, and perhaps a count over it. Anything more is refused, since nothing could
check it. Left unchecked is whether RE2 reads a line filter's regular expression as Python does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from homelab.metric import hint
from homelab.promql import Finding
from homelab.query import NotPromQL, Selector, parse, selectors

# What loki/config.alloy attaches to every line; `unit` only to the journal's.
LABELS = ("app", "container", "job", "namespace", "node", "pod", "stream", "unit")
_FILTER = re.compile(r'\s*(\|=|!=|\|~|!~)\s*("(?:[^"\\]|\\.)*")')


def check_logs(query: str) -> list[Finding]:
    """What is wrong with a query. Never raises."""
    try:
        chosen = selectors(parse(_without_filters(query)))
    except NotPromQL as error:
        allowed = "a selector, line filters, and a count over them"
        return [Finding("logql", f"cannot be read: {error}; there is {allowed}")]
    return [*_filters(query), *(finding for one in chosen for finding in _labels(one))]


def _without_filters(query: str) -> str:
    """The query without line filters; only those that follow a selector, or another of them, are taken away."""
    head, brace, rest = query.partition("}")
    while found := _FILTER.match(rest):
        rest = rest[found.end() :]
    return head + brace + rest


def _filters(query: str) -> Iterator[Finding]:
    rest = query.partition("}")[2]
    while found := _FILTER.match(rest):
        rest = rest[found.end() :]
        if found[1] in ("|~", "!~"):
            try:
                re.compile(found[2][1:-1].replace("\\\\", "\\"))
            except re.error as error:
                yield Finding("logql", f"line filter {found[2]} is no regular expression: {error}")


def _labels(chosen: Selector) -> Iterator[Finding]:
    if chosen.name:
        yield Finding("logql", f"{chosen.name} is a metric; a log selector begins with a brace")
    for matcher in chosen.matchers:
        if matcher.label not in LABELS:
            yield Finding("logql", f"no log line has the label {matcher.label}; {hint(matcher.label, LABELS)}")
    if all(matcher.admits("") for matcher in chosen.matchers):
        yield Finding("logql", f"{chosen} selects everything; Loki wants a matcher that excludes an empty value")
