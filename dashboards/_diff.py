"""What changed between two versions of the dashboards, in the words of a reviewer and not in JSON."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Page = Mapping[str, Any]
Pages = Mapping[str, Page]  # by cluster/stem
_AROUND = 40  # characters of what stayed the same on either side of a change
_PLACED = ("gridPos", "id")


class NoRevision(Exception):
    """git cannot show that revision; the message is a sentence."""


def at(revision: str, folder: Path) -> dict[str, Page]:
    """The dashboards of a revision, from git. Raises NoRevision."""
    names = _git("ls-tree", "-r", "--name-only", revision, "--", folder.as_posix()).splitlines()
    texts = {name: _git("show", f"{revision}:./{name}") for name in names if name.endswith(".json")}
    return {f"{Path(name).parent.name}/{Path(name).stem}": json.loads(text) for name, text in texts.items()}


def _git(*arguments: str) -> str:
    # The words of git's complaints, whatever the reader's language.
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False, env=environment)  # noqa: S607, whose git it is
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["git failed"])[0]
        raise NoRevision(said.removeprefix("fatal: "))
    return done.stdout


def told(before: Pages, after: Pages) -> Iterator[str]:
    """One line per change; nothing where nothing changed."""
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"{name}: dashboard removed"
        elif name not in before:
            yield f"{name}: dashboard added, {len(_panels(after[name]))} panels"
        else:
            yield from (f"{name} / {line}" for line in _page(before[name], after[name]))


def _page(before: Page, after: Page) -> Iterator[str]:
    old, new = _panels(before), _panels(after)
    for row, title in old.keys() - new.keys():
        if not any(other == title for _, other in new.keys() - old.keys()):
            yield f"{row} / {title}: panel removed"
    for row, title in new:
        if (row, title) in old:
            yield from (f"{row} / {title}: {line}" for line in _panel(old[row, title], new[row, title]))
            continue
        came_from = next((r for r, other in old.keys() - new.keys() if other == title), None)
        if came_from is None:
            yield f"{row} / {title}: panel added"
        else:
            yield f"{row} / {title}: moved here from {came_from}"
            yield from (f"{row} / {title}: {line}" for line in _panel(old[came_from, title], new[row, title]))
    if [place for place in old if place in new] != [place for place in new if place in old]:
        yield "order of panels changed"
    rest = {"panels"}
    yield from _leaves(
        {k: v for k, v in before.items() if k not in rest}, {k: v for k, v in after.items() if k not in rest}
    )


def _panels(page: Page) -> dict[tuple[str, str], Page]:
    """The panels of a page by the title of their row and their own."""
    found: dict[tuple[str, str], Page] = {}
    row = ""
    for one in page["panels"]:
        if one["type"] == "row":
            row = one["title"]
        for panel in one.get("panels", ()) if one["type"] == "row" else [one]:
            found[row, panel["title"]] = panel
    return found


def _panel(before: Page, after: Page) -> Iterator[str]:
    for side, word in (("w", "width"), ("h", "height")):
        if before["gridPos"][side] != after["gridPos"][side]:
            yield f"{word} {before['gridPos'][side]} -> {after['gridPos'][side]}"
    yield from _queries(before, after)
    skipped = (*_PLACED, "targets")
    yield from _leaves(
        {k: v for k, v in before.items() if k not in skipped}, {k: v for k, v in after.items() if k not in skipped}
    )


def _queries(before: Page, after: Page) -> Iterator[str]:
    """By legend, which is what a reader knows a query by; by its letter where the legend changed."""
    old, new = ({t["refId"]: t for t in page.get("targets", ())} for page in (before, after))
    for letter in sorted(old.keys() | new.keys()):
        name = f"query {_legend((new if letter in new else old)[letter])}"
        if letter not in new:
            yield f"{name} removed"
        elif letter not in old:
            yield f"{name} added: {new[letter]['expr']}"
        elif old[letter] != new[letter]:
            yield from (f"{name}: {line.removeprefix('expr ')}" for line in _leaves(old[letter], new[letter]))


def _legend(target: Page) -> str:
    legend = target.get("legendFormat", "__auto")
    return str(target["refId"] if legend == "__auto" else legend)


def _leaves(before: object, after: object, path: str = "") -> Iterator[str]:
    """The values that differ, each with the path that leads to it."""
    if before == after:
        return
    if path.endswith("thresholds"):
        yield f"limits {_limits(before)} -> {_limits(after)}"
    elif isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{path}.{name}" if path else name
            yield from _leaves(before.get(name), after.get(name), inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _leaves(old, new, f"{path}[{number}]")
    else:
        yield f"{path.removeprefix('fieldConfig.defaults.')} {_change(before, after)}"


def _limits(thresholds: Any) -> str:  # noqa: ANN401, as JSON has it
    if not thresholds:
        return "none"
    steps = [
        step["color"] if step["value"] is None else f"{step['color']} from {step['value']:g}"
        for step in thresholds["steps"]
    ]
    return ", ".join(steps)


def _change(before: object, after: object) -> str:
    """Old -> new; of long texts only the part that changed, and a little around it."""
    if not (isinstance(before, str) and isinstance(after, str)) or len(before) + len(after) < 3 * _AROUND:
        return f"{_short(before)} -> {_short(after)}"
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    begin = max(0, start - _AROUND)
    shown = [
        ("..." if begin else "") + text[begin : len(text) - max(0, end - _AROUND)] + ("..." if end > _AROUND else "")
        for text in (before, after)
    ]
    return f"{shown[0]} -> {shown[1]}"


def _common(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _short(value: object) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
