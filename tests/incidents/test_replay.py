"""Every outage of incidents/ is caught by the rules that production gets, and nothing else makes them fire."""

import re
from pathlib import Path

import pytest

from checks.incidents import Incident, load
from checks.stage import healthy_runs, stage
from checks.timeline import read

ROOT = Path(__file__).parents[2]
STAGE = stage(ROOT)
PAGE = (ROOT / "docs" / "add-an-incident.md").read_text()


@pytest.mark.parametrize("shifted", [False, True], ids=["as it stands", "half a step later"])
@pytest.mark.parametrize(
    "incident", [*healthy_runs(STAGE.incidents), *STAGE.incidents], ids=lambda incident: incident.id
)
def test_an_incident_goes_as_it_must(incident: Incident, shifted: bool) -> None:  # noqa: FBT001
    """Noticed in time, few pages, over when it is over; `make replay ARGS=<id>` shows the same as a table."""
    problems = STAGE.replay(incident, shifted=shifted).problems
    if problems:
        pytest.fail("\n".join([f"{incident.id}: {incident.title}", *problems]), pytrace=False)


def test_the_example_of_the_page_is_an_incident_that_is_caught(tmp_path: Path) -> None:
    """What is copied from docs/add-an-incident.md works as it stands there."""
    (tmp_path / "example.yaml").write_text("".join(re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)))
    (example,) = load(tmp_path, STAGE.healthy)
    assert example.new
    assert example.expect
    assert STAGE.replay(example).problems == ()


def test_the_words_of_the_page_are_words() -> None:
    """Its table has no word that checks/timeline.py does not know."""
    table = re.findall(r"^\| (`[^<].*?) \|", PAGE, re.MULTILINE)
    assert [read(words) for row in table for words in re.findall("`(.*?)`", row)]
    assert len(table) == 8
