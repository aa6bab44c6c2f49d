"""What holds for every alert of every module, so that a new module is covered without a new test."""

import json
import re
import shutil
from functools import lru_cache
from pathlib import Path

import pytest
import yaml

from alerts.__main__ import render, write
from alerts._render import catalogue, limit_types, links, rule
from checks import promtool
from homelab.inventory import Site, load

ROOT = Path(__file__).parents[2]
INVENTORY = load(ROOT / "homelab.yaml", limit_types())
PRODUCTION = INVENTORY.clusters["production"]
GROUPS = {g.subsystem: g for g in catalogue(PRODUCTION)}
ALERTS = [pytest.param(g.subsystem, a, id=f"{g.subsystem}-{a.name}") for g in GROUPS.values() for a in g.alerts]
FOLDER = ROOT / "tests" / "alerts"
SITUATIONS = {
    stem: promtool.situations(FOLDER / f"{stem}.yaml") for stem in GROUPS if (FOLDER / f"{stem}.yaml").exists()
}


@pytest.fixture(scope="session")
def plain_rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules of every cluster, freshly rendered, and promtool's tests beside them as in a checkout."""
    root = tmp_path_factory.mktemp("rules")
    write(render(INVENTORY), root)
    # Copies: from a symbolic link the way up leads to the checkout, and to rules that were rendered who knows when.
    shutil.copytree(FOLDER, root / "tests" / "alerts")
    return root


def test_promtool_accepts_every_rule(plain_rules: Path) -> None:
    """Syntax and templates are Prometheus' own to judge."""
    complaints = promtool.check_rules(*sorted(plain_rules.glob("build/rules/*/*.yaml")))
    assert not complaints, "\n".join(map(str, complaints))


def test_what_is_committed_is_what_is_generated(plain_rules: Path) -> None:
    """`make alerts` changes nothing in a fresh clone, and a removed module leaves nothing behind."""
    fresh = {p.relative_to(plain_rules): p.read_text() for p in plain_rules.glob("monitoring/rules/*/*.yaml")}
    committed = {p.relative_to(ROOT): p.read_text() for p in ROOT.glob("monitoring/rules/*/*.yaml")}
    assert fresh == committed


@pytest.mark.parametrize(("subsystem", "alert"), ALERTS)
def test_an_alert_is_fit_for_the_phone(subsystem: str, alert: object) -> None:
    """A short sentence, a description that is no formula, a severity that somebody handles."""
    assert subsystem in PRODUCTION.subsystems
    summary, description = alert.summary, alert.description
    assert len(re.sub(r"{{.*?}}", "xxxxxxxx", summary)) <= 100, "too long for a lock screen"
    assert not summary.endswith("."), "a summary is a headline"
    assert description.endswith("."), "a description is made of sentences"
    assert alert.severity in ("critical", "warning", "info", "none")


@pytest.mark.parametrize("site", INVENTORY.clusters.values(), ids=INVENTORY.clusters)
def test_names_are_unique_in_a_cluster(site: Site) -> None:
    """A name is what people silence, search and look up."""
    names = [a.name for g in catalogue(site) for a in g.alerts]
    assert len(names) == len(set(names))


def test_links_and_labels_are_attached_to_every_rule(plain_rules: Path) -> None:
    """The cluster's objects carry what no test file has to repeat."""
    for path in plain_rules.glob("monitoring/rules/production/*.yaml"):
        manifest = yaml.safe_load(path.read_text())
        assert manifest["metadata"]["labels"] == {"release": "kube-prometheus-stack"}
        assert manifest["metadata"]["annotations"] == {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}
        for one in (r for g in manifest["spec"]["groups"] for r in g["rules"]):
            assert one["labels"]["subsystem"] == path.stem
            if "record" in one:  # what is expected is read by alerts, not by people
                continue
            assert one["annotations"]["runbook_url"].endswith(f"/docs/runbooks/{path.stem}.md#{one['alert'].lower()}")
            page = f"https://grafana.ronaldlokers.nl/d/homelab-{path.stem.replace('_', '-')}"
            assert one["annotations"]["dashboard_url"].partition("?")[0] == page


def test_the_link_to_the_dashboard_chooses_the_object_of_the_alert(tmp_path: Path) -> None:
    """Prometheus fills the template: a label that is there is chosen, escaped for an address; another one is not."""
    alert = next(alert for alert in GROUPS["longhorn"].alerts if alert.name == "LonghornVolumeReadOnly")
    rules = [rule(alert, "longhorn", links(alert, "longhorn", PRODUCTION))]
    (tmp_path / "rules.json").write_text(json.dumps({"groups": [{"name": "longhorn", "rules": rules}]}))
    page = "https://grafana.ronaldlokers.nl/d/homelab-longhorn?from=now-6h"
    for claim, chosen in (("data & more", "&var-pvc=data+%26+more"), ("", "")):
        labels = {"severity": alert.severity, "subsystem": "longhorn", "pvc": claim, "pvc_namespace": "n"}
        annotations = {
            "summary": f"Volume {claim} (n) is read-only",
            "description": "The file system of  was remounted read-only after an I/O error: the workload cannot write.",
            "runbook_url": f"{PRODUCTION.links.runbooks}/longhorn.md#longhornvolumereadonly",
            "dashboard_url": page + chosen,
        }
        series = f'longhorn_volume_file_system_read_only{{pvc="{claim}", pvc_namespace="n"}}'
        test = {
            "interval": "1m",
            "input_series": [{"series": series, "values": "1x10"}],
            "alert_rule_test": [
                {
                    "eval_time": "8m",
                    "alertname": alert.name,
                    "exp_alerts": [
                        {"exp_labels": {k: v for k, v in labels.items() if v}, "exp_annotations": annotations}
                    ],
                }
            ],
        }
        (tmp_path / "test.json").write_text(json.dumps({"rule_files": ["rules.json"], "tests": [test]}))
        assert promtool.test_rules(tmp_path / "test.json") == ()


@lru_cache
def all_hold(file: Path) -> bool:
    """Whether every situation of the file comes out as written: promtool's start costs more than most of them."""
    try:
        return not promtool.test_rules(file)
    except promtool.PromtoolError:
        return False  # which situation that is shows when each is run alone


@pytest.mark.parametrize(
    ("stem", "name"),
    [pytest.param(stem, name, id=f"{stem}: {name}") for stem, names in SITUATIONS.items() for name in names],
)
def test_promtool_situations(stem: str, name: str, plain_rules: Path, tmp_path: Path) -> None:
    """Every situation comes out as written, alerts with their exact labels and sentences."""
    if all_hold(plain_rules / "tests" / "alerts" / f"{stem}.yaml"):
        return
    alone = SITUATIONS[stem][name]
    fresh = [str(plain_rules / Path(file).relative_to(ROOT)) for file in alone["rule_files"]]
    (tmp_path / f"{stem}.json").write_text(json.dumps({**alone, "rule_files": fresh}))
    failures = promtool.test_rules(tmp_path / f"{stem}.json")
    if failures:
        pytest.fail("\n".join([name, *map(str, failures)]), pytrace=False)


@pytest.mark.parametrize("stem", GROUPS)
def test_every_alert_is_shown_firing_and_quiet(stem: str) -> None:
    """A rule that was never seen firing may never fire, one never seen quiet may never be."""
    assert stem in SITUATIONS, f"tests/alerts/{stem}.yaml is missing"
    cases = [c for alone in SITUATIONS[stem].values() for t in alone["tests"] for c in t.get("alert_rule_test", ())]
    names = {a.name for a in GROUPS[stem].alerts}
    firing = {c["alertname"] for c in cases if c.get("exp_alerts")}
    quiet = {c["alertname"] for c in cases if not c.get("exp_alerts")}
    assert firing >= names, f"never shown firing: {sorted(names - firing)}"
    # The Watchdog is never quiet: that is its purpose.
    assert quiet >= names - {"Watchdog"}, f"never shown quiet: {sorted(names - {'Watchdog'} - quiet)}"
    assert firing | quiet <= names, f"no such alert: {sorted((firing | quiet) - names)}"


def test_nothing_outlives_its_subsystem() -> None:
    """A page or a test file of a module that is gone would be found, read and believed."""
    runbooks = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert (runbooks | {path.stem for path in FOLDER.glob("*.yaml")}) <= set(GROUPS)


@pytest.mark.parametrize("stem", GROUPS)
def test_every_alert_has_its_runbook_section(stem: str) -> None:
    """`runbook_url` leads to a section of four parts, and no section outlives its alert."""
    text = (ROOT / "docs" / "runbooks" / f"{stem}.md").read_text()
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == [a.name for a in GROUPS[stem].alerts]
    for name, body in sections.items():
        for part in ("**Meaning.**", "**Impact.**", "**Diagnosis.**", "**Mitigation.**"):
            assert part in body, f"{name} lacks {part}"
        assert "```sh\n" in body, f"{name} has no command to paste"
