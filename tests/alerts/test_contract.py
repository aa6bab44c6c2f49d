"""A query can only name what a component of its cluster really exposes."""

from pathlib import Path

import pytest

from alerts._render import catalogue
from checks.lint import lint, read

ROOT = Path(__file__).parents[2]
CLUSTERS, CONTRACT = read(ROOT / "homelab.yaml", ROOT / "metrics")


@pytest.mark.parametrize("site", CLUSTERS.clusters.values(), ids=CLUSTERS.clusters)
def test_nothing_in_the_rules_of_a_cluster_is_refused(site: object) -> None:
    """A misspelt name, or a metric of something that this cluster lacks, would be a rule that is quiet for ever."""
    assert "\n".join(map(str, lint(site, catalogue(site), CONTRACT))) == ""
