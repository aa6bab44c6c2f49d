"""`make diff-dashboards`: a change in the words of a reviewer."""

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboards._board import Variable, board, row
from dashboards._diff import told
from dashboards._fields import Limits
from dashboards._panels import graph, stat
from dashboards._render import page
from homelab.site import Links, Site

ROOT = Path(__file__).parents[2]
SITE = Site("production", Links("https://grafana.example", "https://runbooks.example"), {})
AGE = graph(
    "Age of the newest backup",
    {"{{pvc}}": "time() - (max by (volume, pvc, pvc_namespace) (longhorn_volume_last_backup_at) > 0)"},
    unit="s",
    limits=Limits(red_above=93600),
    description="A sawtooth.",
)
UP = stat("Up", "up", unit="short", description="Whether it is up.")
BEFORE = page("longhorn", board("Longhorn", row("Backups", AGE, UP)), SITE)


def changed(change: Callable[[dict], object]) -> list[str]:
    """What is told about one change to the page."""
    after = copy.deepcopy(BEFORE)
    change(after)
    return list(told({"production/longhorn": BEFORE}, {"production/longhorn": after}))


def of(rows: tuple, **more: object) -> list[str]:
    """What is told about a page of other rows."""
    after = page("longhorn", board("Longhorn", *rows, **more), SITE)
    return list(told({"production/longhorn": BEFORE}, {"production/longhorn": after}))


def test_nothing_is_told_of_what_did_not_change() -> None:
    """Numbers and places follow from the order of the panels: they are no news."""
    assert changed(lambda _: None) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda p: p["panels"][1]["fieldConfig"]["defaults"].update(unit="h"), "unit s -> h"),
        (
            lambda p: p["panels"][1]["fieldConfig"]["defaults"]["thresholds"]["steps"][1].update(value=90000),
            "limits transparent, red from 93600 -> transparent, red from 90000",
        ),
        (lambda p: p["panels"][1].update(description="A saw."), "description A sawtooth. -> A saw."),
        (lambda p: p["panels"][1].update(type="stat"), "type timeseries -> stat"),
        (lambda p: p["panels"][1]["gridPos"].update(w=8), "width 12 -> 8"),
        (lambda p: p["panels"][1]["targets"][0].update(instant=True), "query {{pvc}}: instant false -> true"),
    ],
)
def test_a_change_names_dashboard_row_panel_and_what_it_was(change: Callable, line: str) -> None:
    """A reviewer knows where to look without opening the JSON."""
    assert changed(change) == [f"production/longhorn / Backups / Age of the newest backup: {line}"]


def test_of_a_long_query_only_what_changed_is_told() -> None:
    """And a little around it, to find it again."""
    target = BEFORE["panels"][1]["targets"][0]
    renamed = target["expr"].replace("last_backup_at", "last_seen_at")
    said = changed(lambda p: p["panels"][1]["targets"][0].update(expr=renamed))
    old = "...c, pvc_namespace) (longhorn_volume_last_backup_at) > 0)"
    new = "...c, pvc_namespace) (longhorn_volume_last_seen_at) > 0)"
    assert said == [f"production/longhorn / Backups / Age of the newest backup: query {{{{pvc}}}}: {old} -> {new}"]


def test_panels_and_queries_that_come_and_go_are_named() -> None:
    """Whole panels are not listed option by option."""
    head = "production/longhorn / "
    assert of((row("Backups", AGE),)) == [
        f"{head}Backups / Up: panel removed",
        f"{head}Backups / Age of the newest backup: width 12 -> 24",
    ]
    more = stat("More", "up", unit="short", description="More.")
    assert f"{head}Backups / More: panel added" in of((row("Backups", AGE, UP, more),))
    assert of((row("Backups", UP, AGE),)) == [f"{head}order of panels changed"]
    assert f"{head}Other / Up: moved here from Backups" in of((row("Backups", AGE), row("Other", UP)))
    two = stat("Up", {"a": "up", "b": "down"}, unit="short", description="Whether it is up.")
    assert f"{head}Backups / Up: query b added: down" in of((row("Backups", AGE, two),))


def test_what_belongs_to_the_page_is_told_too() -> None:
    """Variables, links, the title."""
    said = of((row("Backups", AGE, UP),), variables=[Variable("pvc", "Claim", "longhorn_volume_capacity_bytes")])
    assert len(said) == 1
    assert "templating" in said[0]
    assert changed(lambda p: p.update(title="Long horn")) == ["production/longhorn / title Longhorn -> Long horn"]


def test_dashboards_that_come_and_go_are_one_line_each() -> None:
    """A new subsystem is no list of its options."""
    assert list(told({}, {"production/longhorn": BEFORE})) == ["production/longhorn: dashboard added, 2 panels"]
    assert list(told({"production/longhorn": BEFORE}, {})) == ["production/longhorn: dashboard removed"]


def test_a_revision_that_is_none_is_said_in_one_line() -> None:
    """No traceback for a slip of the pen."""
    command = [sys.executable, "-m", "dashboards", "--diff", "no-such-revision"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no-such-revision" in done.stderr
