"""homelab.yaml is read whole: every mistake at once, with its line, and nothing is guessed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts._render import catalogue, limit_types
from homelab.inventory import load
from homelab.parse import Invalid
from homelab.tables.backups import targets
from homelab.tables.nodes import machines

OURS = Path(__file__).parents[2] / "homelab.yaml"

DATABASE = "name: a, namespace: n, instances: 1, store: s, retention_days: 1, drill_days: 1"
HEAD = """\
clusters:
  lab:
    links: {grafana: https://g, runbooks: https://r}
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    """What an operator reads for `text`."""
    path = tmp_path / "homelab.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Invalid) as caught:
        load(path, limit_types())
    return str(caught.value).splitlines()


def test_our_own_inventory_has_both_clusters() -> None:
    """The file in this repository is valid and describes production and staging."""
    clusters = load(OURS, limit_types()).clusters
    assert set(clusters) == {"production", "staging"}
    assert [n.name for n in machines(clusters["production"])] == ["kube-srv-1", "kube-srv-2", "kube-srv-3"]
    assert {t.kind for t in targets(clusters["production"])} == {"cnpg", "longhorn", "etcd"}
    assert not {"longhorn", "metallb", "etcd", "raspberry_pi"} & set(clusters["staging"].subsystems)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "    longhornn:\n", "no subsystem or key named longhornn; did you mean longhorn?", id="unknown subsystem"
        ),
        pytest.param("    nodes: {expectd: []}\n", "no key named expectd; did you mean expected?", id="unknown key"),
        pytest.param("    nodes: {expected: 3}\n", 'must be a list, found "3"', id="wrong type"),
        pytest.param("    etcd: {members: [], port: !!int x}\n", 'must be a whole number, found "x"', id="false tag"),
        pytest.param("    nodes: {}\n", "expected is missing", id="missing key"),
        pytest.param(
            "    nodes: {expected: [{name: a, address: 10.0.0.1}, {name: a, address: 10.0.0.2}]}\n",
            "node a is there 2 times, each must be unique",
            id="two nodes of one name",
        ),
        pytest.param(
            "    nodes: {expected: [{name: a, address: 10.0.0.x}]}\n",
            'must be an IP address, found "10.0.0.x"',
            id="bad address",
        ),
        pytest.param(
            "    metallb:\n      pools: {p: [10.0.0.0/30]}\n      vips:\n"
            "        - {address: 10.0.0.9, pool: p, namespace: n, service: s, deployment: d}\n",
            "10.0.0.9 is outside its pool p (10.0.0.0/30)",
            id="VIP outside its pool",
        ),
        pytest.param(
            f"    cnpg: {{clusters: [{{{DATABASE}, schedule: '0 3 * * *'}}]}}\n",
            'schedule needs 6 fields (second minute hour day month weekday), found 5 in "0 3 * * *"',
            id="five cron fields for CNPG",
        ),
        pytest.param(
            f"    cnpg: {{clusters: [{{{DATABASE}, schedule: '0 0 25 * * *'}}]}}\n",
            'schedule "0 0 25 * * *" is not cron',
            id="bad cron",
        ),
        pytest.param(
            "    backups: {limits: {size_ration: 0.4}}\n",
            "backups has no limit named size_ration; did you mean size_ratio?",
            id="unknown limit",
        ),
        pytest.param(
            "    backups: {limits: {size_ratio: half}}\n", 'must be a number, found "half"', id="wrong type of a limit"
        ),
        pytest.param(
            "    backups: {alerts: {BackupStale: {off: }}}\n", "must be text, found nothing", id="off without a reason"
        ),
        pytest.param(
            "    backups: {alerts: {BackupStale: {severity: warning}}}\n",
            "needs `off: <reason>`",
            id="other severity without a reason",
        ),
        pytest.param("    backups:\n    backups:\n", "backups is there twice", id="a table twice"),
        pytest.param(
            "    ingress: {hosts: [{name: h, certificate: c}]}\n",
            "no certificate named c; there is none",
            id="unknown certificate",
        ),
    ],
)
def test_every_mistake_names_place_found_and_allowed(tmp_path: Path, text: str, line: str) -> None:
    """One line per mistake, beginning with file and line."""
    found = problems(tmp_path, HEAD + text)
    assert any(line in p for p in found), found
    assert all(p.startswith("homelab.yaml:") for p in found)


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    """An operator mends a file in one go."""
    found = problems(tmp_path, HEAD + "    nodes: {expected: 3}\n    etcd: {members: [], port: x}\n    gitopss:\n")
    assert len(found) == 3


def test_what_can_still_be_judged_is_judged(tmp_path: Path) -> None:
    """A broken table hides no mistake of another one, and what it would have defined is not called missing."""
    vip = "{address: 10.0.0.9, pool: p, namespace: n, service: s, deployment: d}"
    metallb = f"metallb: {{pools: {{p: [10.0.0.0/30]}}, vips: [{vip}]}}"
    found = problems(tmp_path, HEAD + f"    nodes: {{expected: 3}}\n    etcd: {{members: [a]}}\n    {metallb}\n")
    assert len(found) == 2, found
    assert "must be a list" in found[0]
    assert "10.0.0.9 is outside its pool p" in found[1]


def test_an_alert_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A switched off alert with a misspelt name would silently stay on."""
    path = tmp_path / "homelab.yaml"
    path.write_text(HEAD + "    backups: {alerts: {BackupStael: {off: noisy}}}\n", encoding="utf-8")
    site = load(path, limit_types()).clusters["lab"]
    with pytest.raises(Invalid, match="no alert named BackupStael; did you mean BackupStale"):
        catalogue(site)


@given(st.text(max_size=80))
def test_no_text_is_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever the file holds, the answer is a list of problems."""
    path = tmp_path_factory.mktemp("any") / "homelab.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with pytest.raises(Invalid):
        load(path)
