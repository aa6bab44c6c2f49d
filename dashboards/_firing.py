"""What fires right now: the panel that every dashboard has right below its numbers."""

from __future__ import annotations

from dashboards._board import Panel
from dashboards._fields import Column
from dashboards._panels import table

QUIET = "nothing fires while all is well"
NO_ALERT = "No alert fires"
# The labels that tell one object from another, in the order in which a person says them; an alert has one to four.
_WHERE = (
    *("node", "nodename", "cnpg_io_cluster", "pvc", "persistentvolumeclaim", "cronjob", "job_name", "name", "domain"),
    *("ip", "pod", "store", "disk", "device", "mountpoint", "path", "collector", "condition", "slot_name", "datname"),
    *("alarm_type", "controller", "resource", "integration", "route", "reason", "rule_group", "instance", "job"),
)


def firing(subsystem: str = "", width: int = 0) -> Panel:
    """The alerts that fire, where, and for how long; without a subsystem, those of all."""
    which = 'severity!="none"' + (f', subsystem="{subsystem}"' if subsystem else "")
    since = f'ALERTS_FOR_STATE{{{which}}} and ignoring (alertstate) ALERTS{{alertstate="firing", {which}}}'
    headings = {"severity": "Severity", "alertname": "Alert", "where": "Where"}
    return table(
        "Firing",
        headings,
        {"For": Column(f"time() - max by ({', '.join(headings)}) ({_where(since)})", unit="dtdurations")},
        description="Alerts that fire, critical ones first, and how long their condition has held. What to do stands in the runbook, which the notification links to.",
        sort="Severity",
        descending=False,
        nothing=NO_ALERT,
        width=width,
        empty=QUIET,
    )


def active(*alerts: str) -> dict[str, str]:
    """For `conditions`: alerts whose measure is past its limit, whether they fire already or wait to."""
    which = f'ALERTS{{alertname=~"{"|".join(alerts)}"}}'
    query = f"max by (alertname, where) ({_where(which)})"
    return {"{{alertname}} {{where}}": query}


def _where(alerts: str) -> str:
    """The same with a label that says which object, in one word or a few."""
    # An address says nothing beside the name of its node.
    named = f'label_replace({alerts}, "instance", "", "nodename", ".+")'
    labels = ", ".join(f'"{label}"' for label in _WHERE)
    return f'label_join({named}, "where", " ", {labels})'
