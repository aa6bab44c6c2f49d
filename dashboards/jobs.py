"""jobs: do the Jobs and CronJobs that somebody relies on run and succeed?"""

from __future__ import annotations

from alerts import jobs as a
from dashboards._board import Board, Panel, Variable, board, row
from dashboards._fields import Column, Limits
from dashboards._firing import firing
from dashboards._panels import bars, conditions, graph, logs, stat, table, timeline
from homelab.site import Site
from homelab.tables.jobs import Table

ON_CHOSEN = 'and on (namespace, cronjob) kube_cronjob_info{cronjob=~"$cronjob"}'
DAY = 86400
# What stands first wins, the worst.
STATE = (
    f"({a.FAILING}) * 0 + 3 or ({a.SUSPENDED}) * 0 + 2 or ({a.UNFINISHED} or {a.NEVER_SUCCEEDED}) * 0 + 1"
    " or 0 * max by (namespace, cronjob) (kube_cronjob_info)"
)
STATES = {
    0: ("well", "green"),
    1: ("not done", "blue"),
    2: ("suspended", "purple"),
    3: ("failed", "red"),
    4: ("missing", "red"),
}
# While a run lasts, its end is the one before it.
TOOK = "(max by (namespace, cronjob) (kube_cronjob_status_last_successful_time - kube_cronjob_status_last_schedule_time) > 0)"
AGE_RATIO = f"({a.SUCCESS_AGE}) / on (namespace, cronjob) homelab:cronjob_age_seconds:expected"
JOB_STATE = 'max by (namespace, job_name) (2 * kube_job_failed{condition="true"} or kube_job_complete{condition="true"} or 0 * kube_job_status_active)'


def dashboard(site: Site) -> Board:
    """The page."""
    limits = site.limits.get("jobs") or a.Limits()
    wanted = site.table(Table).expected
    too_long = f"{a.RUNTIME} > {limits.runtime_hours} * 3600"
    late = f"{a.NOT_SCHEDULED} > {limits.schedule_minutes} * 60"
    # One that does not exist is known from the inventory only.
    state = (
        f"{STATE} or max by (namespace, cronjob) (homelab:cronjob_age_seconds:expected) * 0 + 4" if wanted else STATE
    )
    relied_on = (
        {"missing {{namespace}} {{cronjob}}": a.MISSING, "no success {{namespace}} {{cronjob}}": a.STALE}
        if wanted
        else {}
    )
    return board(
        "Jobs",
        row(
            "Is it well?",
            stat(
                "CronJobs that failed",
                f"count({a.FAILING}) or 0 * count(kube_cronjob_info)",
                unit="short",
                limits=Limits(orange_above=1),
                description="CronJobs whose newest failed run is later than their last success. They try again at their next time; old failed Jobs do not count.",
            ),
            *([_relied_on()] if wanted else []),
            stat(
                "Jobs that failed alone",
                f"count({a.FAILED_ALONE_AGE} < {DAY}) or 0 * count(kube_job_info)",
                unit="short",
                limits=Limits(orange_above=1),
                description="Jobs without a CronJob that failed within a day: a migration, a restore drill, a hook of a chart. Nothing tries them again.",
            ),
            stat(
                "Jobs that do not end",
                f"count({too_long}) or 0 * count(kube_job_status_active)",
                unit="short",
                limits=Limits(orange_above=1),
                description="Jobs that run for longer than any of them should. They neither fail nor complete and usually wait for something; the next run may wait behind them.",
            ),
            stat(
                "CronJobs that are late",
                f"count({late}) or 0 * count(kube_cronjob_next_schedule_time)",
                unit="short",
                limits=Limits(orange_above=1),
                description="CronJobs whose announced time has passed without a Job. One: its last run blocks it. All: the controller of k3s does not work.",
            ),
            stat(
                "Suspended",
                f"count({a.SUSPENDED}) or 0 * count(kube_cronjob_info)",
                unit="short",
                limits=Limits(orange_above=1),
                description="CronJobs that are switched off. Fine while somebody works on them, easily forgotten afterwards.",
            ),
            height=4,
        ),
        row(
            "What is wrong",
            firing("jobs", width=12),
            conditions(
                "Since when",
                {},
                mild={
                    "failed {{namespace}} {{cronjob}}": a.FAILING,
                    "failed {{namespace}} {{job_name}}": f"{a.FAILED_ALONE_AGE} < {DAY}",
                    **relied_on,
                    "never succeeded {{namespace}} {{cronjob}}": a.NEVER_SUCCEEDED,
                    "late {{namespace}} {{cronjob}}": late,
                    "does not end {{namespace}} {{job_name}}": too_long,
                    "suspended {{namespace}} {{cronjob}}": a.SUSPENDED,
                },
                description="A bar while a condition of an alert holds, also before the alert fires. The uppermost are the worst.",
                empty="each line exists only while its condition is true",
                width=12,
            ),
        ),
        row(
            "CronJobs",
            table(
                "Every CronJob",
                {"namespace": "Namespace", "cronjob": "CronJob"},
                {
                    "State": Column(state, "none", states=STATES),
                    "Last success": Column(f"1000 * {a.LAST_SUCCESS}", "dateTimeFromNow"),
                    "Last start": Column(
                        "1000 * max by (namespace, cronjob) (kube_cronjob_status_last_schedule_time)", "dateTimeFromNow"
                    ),
                    "Next start": Column(
                        "1000 * max by (namespace, cronjob) (kube_cronjob_next_schedule_time)", "dateTimeFromNow"
                    ),
                    "Took": Column(TOOK, "s"),
                },
                description="All CronJobs, missing and failed ones first. Not done is one that has started since its last success: normal while it runs. A dash under Last success is one that never succeeded, under Next start one that is suspended or whose schedule cannot be read.",
                sort="State",
                width=14,
            ),
            timeline(
                "When they ran and failed",
                {"{{cronjob}}": f"max by (cronjob) (({STATE}) {ON_CHOSEN})"},
                states=STATES,
                description="Short blue spots are runs. Blue that does not end is a run that hangs, or runs that end without a result; red ends with the next success.",
                width=10,
            ),
        ),
        row(
            "Times",
            *([_allowed()] if wanted else []),
            graph(
                "Past the announced start",
                {"{{cronjob}}": f"{a.NOT_SCHEDULED} {ON_CHOSEN}"},
                unit="s",
                limits=Limits(orange_above=limits.schedule_minutes * 60),
                description="Below 0 is the time until the next start, which Kubernetes announces itself. Above it nothing was started although it was due.",
            ),
            graph(
                "How long a run takes",
                {"{{cronjob}}": f"{TOOK} {ON_CHOSEN}"},
                unit="s",
                least=0,
                description="From the announced start to the success. A run that gets longer and longer will meet the next one; for backups it is what they have to copy.",
            ),
        ),
        row(
            "Jobs",
            graph(
                "Running now",
                {"{{namespace}} {{job_name}}": a.RUNTIME},
                unit="s",
                limits=Limits(orange_above=limits.runtime_hours * 3600),
                least=0,
                description="How long each Job that is active has been running. A line that only climbs waits for something: look at the events of its pod.",
                empty="no Job runs for most of the time",
                width=10,
            ),
            table(
                "Every Job",
                {"namespace": "Namespace", "job_name": "Job"},
                {
                    "State": Column(
                        JOB_STATE,
                        "none",
                        states={0: ("not done", "blue"), 1: ("complete", "green"), 2: ("failed", "red")},
                    ),
                    "Started": Column(
                        "1000 * max by (namespace, job_name) (kube_job_status_start_time)", "dateTimeFromNow"
                    ),
                    "Took": Column(
                        "max by (namespace, job_name) (kube_job_status_completion_time - kube_job_status_start_time)",
                        "s",
                    ),
                    "Pods failed": Column("max by (namespace, job_name) (kube_job_status_failed)", "short"),
                },
                description="The Jobs that still exist, failed ones first. A failed one stays listed until it is deleted, whatever succeeded later; its pods still have the log. Failed pods of a complete Job are retries.",
                sort="State",
                width=14,
            ),
        ),
        row(
            "Logs",
            logs(
                "What the runs of CronJobs say",
                '{pod=~"$cronjob-[0-9]+-.+"}',
                description="The output of the pods that the chosen CronJobs started, also of those that are deleted by now.",
            ),
            collapsed=True,
        ),
        variables=[Variable("cronjob", "CronJob", "kube_cronjob_info")],
        logs='{pod=~"$cronjob-[0-9]+-.+"}',
    )


def _relied_on() -> Panel:
    return stat(
        "Relied on, no success",
        f"count(({a.STALE}) or ({a.MISSING})) or 0 * count(homelab:cronjob_age_seconds:expected)",
        unit="short",
        limits=Limits(orange_above=1),
        description="CronJobs of the inventory that do not exist, or whose last success is older than the inventory allows, failed or not.",
    )


def _allowed() -> Panel:
    return bars(
        "Since the last success, of what is allowed",
        {"{{cronjob}}": f"sort_desc({AGE_RATIO})"},
        unit="percentunit",
        limits=Limits(orange_above=1),
        description="The CronJobs of the inventory, the one that waits longest for a success first. Full is too old: run it once by hand and see what it says.",
    )
