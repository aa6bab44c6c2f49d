"""jobs: do the Jobs and CronJobs that somebody relies on run and succeed?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts._alert import Alert, Expected
from homelab.site import Site
from homelab.tables.jobs import Table

# What of its dashboard an alert's labels choose.
VARIABLES = {"cronjob": ("cronjob",)}

# While kube-state-metrics is replaced, two pods report every object: what is joined must be one series.
STARTED = (
    "label_replace(kube_job_status_start_time * on (namespace, job_name) group_left (owner_name)"
    ' max by (namespace, job_name, owner_name) (kube_job_owner{owner_kind="CronJob"}), "cronjob", "$1", "owner_name", "(.+)")'
)
FAILED = 'kube_job_failed{condition="true"} == 1'
FAILED_RUN = f"max by (namespace, cronjob) ({STARTED} and on (namespace, job_name) {FAILED})"
LAST_SUCCESS = "max by (namespace, cronjob) (kube_cronjob_status_last_successful_time)"
# A failed Job object stays for ever: it counts only until its CronJob succeeds again.
FAILING = f"({FAILED_RUN} > on (namespace, cronjob) {LAST_SUCCESS} or {FAILED_RUN} unless on (namespace, cronjob) {LAST_SUCCESS})"
# A Job without a CronJob is never superseded: it counts for a day.
FAILED_ALONE = f'kube_job_status_start_time and on (namespace, job_name) {FAILED} unless on (namespace, job_name) kube_job_owner{{owner_kind="CronJob"}}'
FAILED_ALONE_AGE = f"time() - ({FAILED_ALONE})"
RUNTIME = "((time() - kube_job_status_start_time) and on (namespace, job_name) kube_job_status_active > 0)"
SUSPENDED = "max by (namespace, cronjob) (kube_cronjob_spec_suspend) == 1"
# Absent for a suspended CronJob, and for one whose schedule cannot be read.
NOT_SCHEDULED = "time() - max by (namespace, cronjob) (kube_cronjob_next_schedule_time)"
# Scheduled since its last success, which is normal while a run lasts.
UNFINISHED = f"max by (namespace, cronjob) (kube_cronjob_status_last_schedule_time) > {LAST_SUCCESS}"
SUCCESS_AGE = f"time() - {LAST_SUCCESS}"
STALE = f"{SUCCESS_AGE} > on (namespace, cronjob) homelab:cronjob_age_seconds:expected"
NEVER_SUCCEEDED = "max by (namespace, cronjob) (kube_cronjob_status_last_schedule_time) unless on (namespace, cronjob) kube_cronjob_status_last_successful_time"
MISSING = "homelab:cronjob_age_seconds:expected unless on (namespace, cronjob) kube_cronjob_spec_suspend unless on (namespace, cronjob) kube_cronjob_info"


@dataclass(frozen=True)
class Limits:
    """What is still fine."""

    runtime_hours: float = 12  # long backups take some hours
    schedule_minutes: float = 20  # past the time that Kubernetes itself announced; a long run may hold up the next


def rules(limits: Limits, site: Site) -> Iterator[Alert | Expected]:
    """The alerts of this subsystem."""
    wanted = site.table(Table).expected
    for job in wanted:
        labels = {"namespace": job.namespace, "cronjob": job.name}
        yield Expected("homelab:cronjob_age_seconds:expected", labels, job.max_age_hours * 3600)
    yield Alert(
        "CronJobFailed",
        expr=FAILING,
        for_="5m",
        severity="warning",
        summary="The last run of {{ $labels.cronjob }} ({{ $labels.namespace }}) failed",
        description="It has not succeeded since. The alert ends with the next success, whatever old Job objects remain.",
    )
    yield Alert(
        "JobFailed",
        expr=f"{FAILED_ALONE_AGE} < 86400",
        for_="5m",
        severity="warning",
        summary="Job {{ $labels.job_name }} ({{ $labels.namespace }}) failed",
        description="It belongs to no CronJob, so nothing will try again. The alert ends a day after its start.",
    )
    yield Alert(
        "JobStuck",
        expr=f"{RUNTIME} > {limits.runtime_hours} * 3600",
        for_="15m",
        severity="warning",
        summary="Job {{ $labels.job_name }} ({{ $labels.namespace }}) runs for {{ $value | humanizeDuration }}",
        description="It neither fails nor completes: it probably waits for something that does not come.",
    )
    yield Alert(
        "CronJobSuspended",
        expr=SUSPENDED,
        for_="12h",
        severity="warning",
        summary="{{ $labels.cronjob }} ({{ $labels.namespace }}) is suspended",
        description="It was suspended and half a day later it still is: forgotten after some work, or to be removed.",
    )
    yield Alert(
        "CronJobNotScheduled",
        expr=f"{NOT_SCHEDULED} > {limits.schedule_minutes} * 60",
        for_="10m",
        severity="warning",
        summary="{{ $labels.cronjob }} ({{ $labels.namespace }}) is {{ $value | humanizeDuration }} late",
        description="Its time has come and no Job was created: the previous one blocks it, or the controller does not work.",
    )
    # For those that are expected, CronJobStale knows how old a success may be.
    others = " unless on (namespace, cronjob) homelab:cronjob_age_seconds:expected" if wanted else ""
    yield Alert(
        "CronJobNotSucceeding",
        expr=f"({UNFINISHED}{others} or {NEVER_SUCCEEDED}) unless on (namespace, cronjob) {FAILING} unless on (namespace, cronjob) {SUSPENDED}",
        for_="26h",
        severity="warning",
        summary="{{ $labels.cronjob }} ({{ $labels.namespace }}) has not succeeded for more than a day",
        description="It is scheduled again and again, and no run succeeds, maybe none ever did. No failed Job is left that would say why.",
    )
    if wanted:
        yield Alert(
            "CronJobStale",
            expr=f"{STALE} unless on (namespace, cronjob) {FAILING} unless on (namespace, cronjob) {SUSPENDED}",
            for_="15m",
            severity="warning",
            summary="{{ $labels.cronjob }} ({{ $labels.namespace }}) did not succeed for {{ $value | humanizeDuration }}",
            description="No run failed and it is not suspended; it just does not succeed any more.",
        )
        yield Alert(
            "CronJobMissing",
            expr=f'{MISSING} and on () up{{job="kube-state-metrics"}} == 1',
            for_="30m",
            severity="warning",
            summary="CronJob {{ $labels.cronjob }} ({{ $labels.namespace }}) does not exist",
            description="The inventory expects it: removed by a clean-up, or never applied.",
        )
