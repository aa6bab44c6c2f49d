"""Pages over a real Prometheus, in a real browser: every panel shows something, and nothing lies over anything else."""

import html
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts._render import catalogue
from checks import tools
from demo.servers import Server
from preview import colours, gallery
from preview.board import read
from preview.cluster import filled
from preview.page import Side
from preview.progress import Progress
from preview.prometheus import Failure, Prometheus, Query, ask_all
from preview.sides import Source, sides
from preview.situation import NOW, Material, Situation, during, material, well

ROOT = Path(__file__).parents[2]
DAY = 86_400
INCIDENT = "PG-01"
STEMS = sorted(path.stem for path in (ROOT / "monitoring/dashboards/production").glob("*.json"))
# One start of the browser costs more than a page: a few at a time.
SHOWN = [
    ["index.html", f"overview/{INCIDENT}.html", "longhorn/healthy.html", f"cnpg/healthy-{INCIDENT}.html"],
    *([f"{stem}/{INCIDENT}.html" for stem in STEMS[begin : begin + 5]] for begin in range(0, len(STEMS), 5)),
]
WIDTHS = (1440, 390)
BROWSER = tools.browser()
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=20000",
]


@pytest.fixture(scope="module")
def known() -> Material:
    """The inventory, the healthy cluster and the incidents."""
    return material("production", ROOT)


@pytest.fixture(scope="module")
def healthy(known: Material, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prometheus that holds a healthy day."""
    with filled(tmp_path_factory.mktemp("healthy"), well(known, DAY)) as server:
        yield server


@pytest.fixture(scope="module")
def pages(
    known: Material, healthy: Server, files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, list[Side]]]:
    """A gallery of a healthy day and an incident."""
    folder = tmp_path_factory.mktemp("pages")
    boards = {stem: read(files[f"production-{stem}"]) for stem in STEMS}
    incident = during(known.incident(INCIDENT), known, DAY)
    with filled(tmp_path_factory.mktemp(INCIDENT), incident) as server:
        found: dict[str, list[Side]] = {stem: [] for stem in STEMS}
        for name, url in (("healthy", healthy.url), (INCIDENT, server.url)):
            for stem, side in sides(Source(name, name, "", Prometheus(url), NOW), boards, Progress()).items():
                found[stem].append(side)
    gallery.write(folder / "gallery", found, "production")
    return folder, found


def test_no_alert_fires_while_all_is_well(known: Material, healthy: Server) -> None:
    """The rhythm of a healthy day crosses no limit, at no time of it."""
    asked = {
        Query(alert.expr, NOW - 6 * 3600, NOW, 600): alert.name
        for group in catalogue(known.site)
        for alert in group.alerts
    }
    answers = ask_all(Prometheus(healthy.url), list(asked), lambda *_: None)
    assert [failed for failed in answers.values() if isinstance(failed, Failure)] == []
    assert {asked[query] for query, found in answers.items() if found} == {"Watchdog"}


def test_the_incident_is_what_is_seen_first(pages: tuple[Path, dict[str, list[Side]]]) -> None:
    _, found = pages
    for before, _ in found.values():
        assert not set(before.picture.tells) & set(colours.BAD), before.picture.plan.board.stem
    for stem in ("overview", "cnpg"):
        assert "red" in found[stem][1].picture.tells
    assert [side.picture.failures for one in found.values() for side in one if side.picture.failures] == []
    assert [side.picture.undrawn for one in found.values() for side in one if side.picture.undrawn] == []


def test_the_incident_ends_with_its_alert_firing(known: Material) -> None:
    incident: Situation = during(known.incident(INCIDENT), known, DAY)
    firing = [dict(one.labels) for one in incident.series if ("alertstate", "firing") in one.labels]
    assert "CnpgWalArchivingFailing" in {labels["alertname"] for labels in firing}


@pytest.fixture(scope="module")
def browser() -> Path:
    """Its program; a machine that runs all proofs must have one."""
    if BROWSER is None:
        assert os.environ.get("CI") != "true", "there is no chromium: apt-get install chromium"
        pytest.skip("there is no chromium, so nobody has looked at the pages: apt-get install chromium")
    return BROWSER


def run(browser: Path, folder: Path, url: str, *more: str) -> str:
    """Open an address in a browser of its own, and give what it prints."""
    profile = f"--user-data-dir={folder / 'profile'}"
    done = subprocess.run(
        [browser, *FLAGS, profile, *more, url], capture_output=True, text=True, timeout=55, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def frames(addresses: list[str]) -> str:
    """Pages at every width at once, since no window is as narrow as a phone; they post what they find."""
    inside = "".join(
        f'<iframe src="{address}?open" style="border:0;width:{width}px;height:2000px"></iframe>'
        for address in addresses
        for width in WIDTHS
    )
    return (
        "<!doctype html><body><script>const found = [];"
        'addEventListener("message", (event) => { found.push(event.data);'
        "document.body.dataset.found = JSON.stringify(found); });</script>" + inside
    )


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown[-1].replace("/", "-"))
def test_pages_look_right_on_a_desk_and_on_a_phone(
    browser: Path, pages: tuple[Path, dict[str, list[Side]]], tmp_path: Path, shown: list[str]
) -> None:
    """Nothing lies over anything else, nothing is blank or cut off, and no script complains."""
    folder, _ = pages
    addresses = [(folder / "gallery" / page).as_uri() for page in shown]
    (tmp_path / "frames.html").write_text(frames(addresses), encoding="utf-8")
    printed = run(browser, tmp_path, (tmp_path / "frames.html").as_uri(), "--window-size=1500,2000", "--dump-dom")
    told = re.search(r'data-found="([^"]*)"', printed)
    assert told, printed[-500:]
    found = json.loads(html.unescape(told[1]))
    assert sorted(one["width"] for one in found) == sorted(WIDTHS * len(shown))
    for one in found:
        assert one["panels"] >= 14, one
        assert (one["errors"], one["overlaps"], one["blank"], one["cut"], one["overflow"]) == ([], [], [], [], 0), one


PICTURES = {"overview-dark": "1440,1500", "longhorn-light": "500,2400"}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_for_whoever_wants_to_look(
    browser: Path, pages: tuple[Path, dict[str, list[Side]]], tmp_path: Path, name: str
) -> None:
    folder, _ = pages
    target = ROOT / "build/screenshots" / f"{name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    page, theme = name.split("-")
    url = f"{(folder / 'gallery' / page / f'{INCIDENT}.html').as_uri()}?theme={theme}"
    run(browser, tmp_path, url, f"--window-size={PICTURES[name]}", f"--screenshot={target}")
    assert target.stat().st_size > 20_000
