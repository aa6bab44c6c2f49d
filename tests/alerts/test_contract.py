"""A query can only name metrics that a component of its cluster really exposes."""

from pathlib import Path

import pytest

from alerts._render import catalogue, limit_types
from homelab import contract
from homelab.inventory import Site, load
from homelab.query import parse, selectors

ROOT = Path(__file__).parents[2]
CONTRACT = contract.load(ROOT / "metrics")
CLUSTERS = load(ROOT / "homelab.yaml", limit_types()).clusters


@pytest.mark.parametrize("site", CLUSTERS.values(), ids=CLUSTERS)
def test_every_metric_is_exposed_by_a_component_of_the_cluster(site: Site) -> None:
    """A misspelt name, or a metric of something that this cluster lacks, would be a rule that is quiet for ever."""
    wrong = []
    for group in catalogue(site):
        for alert in group.alerts:
            for selector in selectors(parse(alert.expr)):
                found = CONTRACT.lookup(selector.name) if selector.name else []
                if selector.name and not any(not m.component or m.component in site.components for m in found):
                    wrong.append(
                        f"{alert.name}: {selector.name} ({', '.join(m.component for m in found) or 'unknown'})"
                    )
    assert not wrong, "\n".join(sorted(set(wrong)))


@pytest.mark.parametrize("site", CLUSTERS.values(), ids=CLUSTERS)
def test_every_component_of_a_cluster_has_its_contract(site: Site) -> None:
    """The inventory names components by the files of metrics/."""
    assert site.components <= set(CONTRACT.components)
