"""What Grafana gets: every dashboard of every cluster, as a file that it takes and a person can review."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as schema

from alerts._render import limit_types, variables
from dashboards._render import boards, render
from homelab.inventory import load

ROOT = Path(__file__).parents[2]
INVENTORY = load(ROOT / "homelab.yaml", limit_types())
FILES = render(INVENTORY.clusters)
PAGES = {f"{path.parent.name}-{path.stem}": json.loads(text) for path, text in FILES.items() if path.suffix == ".json"}
register_default_plugins()

each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


def panels(page: dict) -> Iterator[dict]:
    """Every panel of a page that is no row."""
    for one in page["panels"]:
        if one["type"] == "row":
            yield from one["panels"]
        else:
            yield one


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value of a JSON document with its path; the places in lists are not told apart."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, value


def lost(ours: object, theirs: object, path: str = "") -> Iterator[str]:
    """What of our JSON is not in what Grafana's types made of it."""
    if isinstance(ours, dict):
        for name, inner in ours.items():
            if not isinstance(theirs, dict) or name not in theirs:
                yield f"{path}.{name}"
            else:
                yield from lost(inner, theirs[name], f"{path}.{name}")
    elif isinstance(ours, list):
        if not isinstance(theirs, list) or len(ours) != len(theirs):
            yield path
        else:
            for mine, other in zip(ours, theirs, strict=True):
                yield from lost(mine, other, f"{path}[]")
    elif ours != theirs:
        yield f"{path}: {ours} became {theirs}"


def as_grafana_reads(page: dict) -> dict:
    """The page through Grafana's own types and back."""
    return json.loads(json.dumps(schema.Dashboard.from_json(page), cls=JSONEncoder))


def test_what_is_committed_is_what_is_generated() -> None:
    """`make dashboards` changes nothing in a fresh clone, and a removed module leaves nothing behind."""
    committed = {p.relative_to(ROOT): p.read_text("utf-8") for p in ROOT.glob("monitoring/dashboards/*/*")}
    assert committed.keys() == FILES.keys()
    differing = [str(path) for path, text in FILES.items() if committed[path] != text]
    assert not differing, "run `make dashboards`"


def test_generating_is_deterministic_and_sorted() -> None:
    """A review shows what was changed and nothing else."""
    assert render(INVENTORY.clusters) == FILES
    for path, text in FILES.items():
        if path.suffix == ".json":
            assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_generating_both_clusters_is_cheap() -> None:
    """On every save, and in a pre-commit hook. CPU and not wall time; ten times of what it takes."""
    begun = time.process_time()
    render(INVENTORY.clusters)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("site", INVENTORY.clusters.values(), ids=INVENTORY.clusters)
def test_a_cluster_has_the_dashboards_of_its_subsystems(site: object) -> None:
    """An alert leads to a dashboard that is there; a dashboard of what is not there shows nothing for ever."""
    assert set(boards(site)) == {"overview", *site.subsystems}


@each_page
def test_grafanas_own_types_know_every_key(page: dict) -> None:
    """What the generated schema of Grafana does not know, Grafana drops in silence."""
    assert list(lost(page, as_grafana_reads(page))) == []


def test_the_oracle_notices_a_key_that_grafana_does_not_know() -> None:
    """The test above can fail: in options, in a field's configuration, in a target."""
    for place in ("options", "fieldConfig", "targets"):
        page = json.loads(json.dumps(next(iter(PAGES.values()))))
        panel = next(panels(page))
        spoilt = panel[place][0] if place == "targets" else panel[place]
        spoilt = spoilt.get("defaults", spoilt) if place == "fieldConfig" else spoilt
        spoilt["inventedOption"] = True
        assert [path.rpartition(".")[2] for path in lost(page, as_grafana_reads(page))] == ["inventedOption"]


@each_page
def test_a_page_is_what_a_provisioned_file_should_be(page: dict) -> None:
    """Classic form, not to be edited in the browser, at the pace of the scrapes, in the reader's time zone."""
    assert page["schemaVersion"] == 42
    assert page["editable"] is False
    assert page["refresh"] == "1m"
    assert page["timezone"] == "browser"
    assert page["graphTooltip"] == 1
    assert page["description"].endswith("?")
    assert not {"__inputs", "__requires", "id", "version"} & page.keys()


def test_addresses_are_unique_and_ours() -> None:
    """A uid that another dashboard has too makes Grafana refuse to write the whole folder. The chart's are hashes or
    plain names, none of which begins like ours."""
    for cluster in INVENTORY.clusters:
        uids = [page["uid"] for name, page in PAGES.items() if name.startswith(f"{cluster}-")]
        assert len(set(uids)) == len(uids)
        assert all(re.fullmatch(r"homelab-[a-z-]{1,31}", uid) for uid in uids), uids
    titles = {page["title"] for page in PAGES.values()}
    assert len(titles) == len({page["uid"] for page in PAGES.values()})


@each_page
def test_flux_finds_no_variable_to_replace(page: dict) -> None:
    """`${datasource}` would be an empty word after Flux's substitution; `$datasource` is left alone."""
    assert not [path for path, value in leaves(page) if isinstance(value, str) and "${" in value]


@each_page
def test_every_query_goes_to_the_chosen_data_source(page: dict) -> None:
    """Panel, target, variable and annotation alike: a fixed uid exists in one Grafana only."""
    chosen = [{"type": "prometheus", "uid": "$datasource"}, {"type": "loki", "uid": "$loki"}]
    for panel in panels(page):
        if panel["type"] == "text":
            continue
        assert panel["datasource"] in chosen
        assert panel["targets"], panel["title"]
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
        assert all(re.fullmatch("[A-Z]", target["refId"]) for target in panel["targets"]), "more queries than letters"
    for one in [*page["annotations"]["list"], *page["templating"]["list"]]:
        assert one.get("datasource", chosen[0]) in chosen
    names = [one["name"] for one in page["templating"]["list"]]
    assert names[0] == "datasource"
    used = {f"${name}" for name in names}
    asked = " ".join(value for _, value in leaves(page["panels"]) if isinstance(value, str))
    known = {"$__rate_interval", "$__range", "$__interval", "$datasource", "$loki"}
    assert set(re.findall(r"\$[A-Za-z_]\w*", asked)) <= used | known
    for name in names[1:]:
        assert re.search(rf"\${name}\b", asked + json.dumps(page["links"])), f"nothing depends on ${name}"


@each_page
def test_every_panel_says_what_it_shows(page: dict) -> None:
    """Unit, and a description that helps: what it is, what bad looks like, what to do."""
    shown = list(panels(page))
    assert len(shown) <= 24, "more than anybody reads"
    for panel in shown:
        assert 0 < len(panel["title"]) <= 5.5 * panel["gridPos"]["w"], "cut off on a laptop"
        text = panel["description"]
        assert text.endswith("."), panel["title"]
        assert len(text) > 40, panel["title"]
        if panel["type"] not in ("logs", "text"):
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


@each_page
def test_legacy_and_costly_keys_are_not_there(page: dict) -> None:
    """grafanalib's own defaults: 100 points per graph, and words of Grafana 4 to 8."""
    old = {"maxDataPoints", "intervalFactor", "step", "metric", "span", "minSpan", "fieldOptions", "editable", "error"}
    old |= {"cacheTimeout", "timeShift", "hideTimeOverride", "sharedCrosshair", "rows", "fontSize", "columns"}
    keys = {part for panel in page["panels"] for path, _ in leaves(panel) for part in re.split(r"[.\[\]]+", path)}
    assert not old & keys
    assert not [path for path, value in leaves(page) if value is None and not path.endswith((".value", ".from", ".to"))]


@each_page
def test_panels_have_numbers_and_places_of_their_own(page: dict) -> None:
    """Two panels with one id are one panel to Grafana; nothing overlaps or leaves the 24 columns."""
    everything = [inner for one in page["panels"] for inner in (one, *one.get("panels", ()))]
    assert [one["id"] for one in everything] == list(range(1, len(everything) + 1))
    taken: set[tuple[int, int]] = set()
    for one in everything:
        place = one["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
    for one in page["panels"]:
        place = one["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, one["title"]
        taken |= cells
    lines: dict[tuple[int, int], int] = {}
    for one in everything:
        place = one["gridPos"]
        lines[place["y"], place["h"]] = max(lines.get((place["y"], place["h"]), 0), place["x"] + place["w"])
    assert set(lines.values()) == {24}, "a line of panels ends before the page does"


@each_page
def test_rates_follow_the_zoom(page: dict) -> None:
    """A short range of our own hides peaks on a wide page and is empty on a slow scrape. An alert's measure keeps its
    own, since the panel shows what the alert sees; and a figure over ten minutes or more says so beside it."""
    stem = page["tags"][1]
    source = (ROOT / "dashboards" / f"{stem}.py").read_text("utf-8")
    short = re.findall(r"\b(?:rate|irate|increase|delta|deriv)\([^()]*\[(?:\d+s|\dm)\]", source)
    assert not short, "use $__rate_interval, or import the measure from alerts/"


def test_variables_are_those_that_alerts_choose() -> None:
    """The link in a notification fills them by name."""
    for site in INVENTORY.clusters.values():
        for stem, board in boards(site).items():
            wanted = set() if stem == "overview" else set(variables(stem))
            assert {one.label for one in board.variables} == wanted, stem


def test_each_page_leads_to_its_neighbours_its_runbook_and_its_logs() -> None:
    """From the overview to anything, from anything to what to do."""
    for name, page in PAGES.items():
        links = {one["title"]: one for one in page["links"]}
        assert links["Homelab"]["tags"] == ["homelab"]
        assert "homelab" in page["tags"]
        if not name.endswith("-overview"):
            assert links["Overview"]["url"] == "/d/homelab-overview"
            stem = page["tags"][1]
            assert links["Runbook"]["url"].endswith(f"/docs/runbooks/{stem}.md")
            assert (ROOT / "docs" / "runbooks" / f"{stem}.md").exists()
            firing = [one["expr"] for one in page["annotations"]["list"]]
            assert len(firing) == 2
            assert all(f'subsystem="{stem}"' in expr for expr in firing)
    overview = next(page for name, page in PAGES.items() if name == "production-overview")
    targets = {link["url"] for panel in panels(overview) for link in panel["fieldConfig"]["defaults"].get("links", [])}
    assert targets == {f"/d/{page['uid']}" for n, page in PAGES.items() if n.startswith("production-")} - {
        "/d/homelab-overview"
    }


def test_flux_gets_one_config_map_per_dashboard() -> None:
    """Grafana's sidecar finds them by label and folder; a megabyte is the most that one may hold."""
    for cluster in INVENTORY.clusters:
        folder = Path("monitoring/dashboards") / cluster
        said = yaml.safe_load(FILES[folder / "kustomization.yaml"])
        assert said["generatorOptions"] == {
            "disableNameSuffixHash": True,
            "labels": {"grafana_dashboard": "1"},
            "annotations": {"grafana_folder": "Homelab", "kustomize.toolkit.fluxcd.io/substitute": "disabled"},
        }
        sources = [file for one in said["configMapGenerator"] for file in one["files"]]
        assert all(len(one["files"]) == 1 for one in said["configMapGenerator"])
        assert {folder / file.partition("=")[2] for file in sources} == {
            path for path in FILES if path.parent == folder and path.suffix == ".json"
        }
        assert all(file.startswith("homelab-") for file in sources), "the sidecar puts all files into one folder"
    assert max(len(text.encode()) for text in FILES.values()) < 2**20


@each_page
def test_states_keep_their_meaning_while_equal_values_are_merged(page: dict) -> None:
    """By thresholds, Grafana puts their steps in place of the values that it merges, and every bar would be green."""
    for panel in panels(page):
        if panel["type"] == "state-timeline":
            assert panel["options"]["mergeValues"]
            assert panel["fieldConfig"]["defaults"]["color"]["mode"] != "thresholds", panel["title"]
            assert [mapping["type"] for mapping in panel["fieldConfig"]["defaults"]["mappings"]] == ["value"]
