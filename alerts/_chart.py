"""Which alerts of kube-prometheus-stack ours stand in for, so that one fault is told once.

The deployment switches each of them off by its name (`defaultRules.disabled`). The names are those of chart 88; what is
not listed stays on: the pods and workloads of every application, the API server, quotas, and kubelet's own health.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Replaced:
    """Alerts of the chart that are switched off: `ours` answer for the same faults, or none does, for the reason `why`."""

    chart: tuple[str, ...]
    ours: tuple[str, ...]
    why: str


REPLACED = (
    Replaced(("Watchdog",), ("Watchdog",), "one heartbeat: two would hide from the outside that one of them stopped"),
    Replaced(
        ("TargetDown",),
        ("TargetDown", "ScrapeJobDown"),
        "warns per job and service from 10 % on, which in a cluster of three repeats every dead node for every exporter",
    ),
    Replaced(
        ("InfoInhibitor",), (), "it exists to inhibit info alerts of the chart, and no alert here has that severity"
    ),
    Replaced(
        ("etcdMembersDown", "etcdInsufficientMembers"),
        ("EtcdQuorumLost", "EtcdQuorumAtRisk", "EtcdMemberUnscraped"),
        "count the members that are discovered; one that vanished from discovery is not missed",
    ),
    Replaced(("etcdNoLeader",), ("EtcdMemberWithoutLeader", "EtcdQuorumLost"), "pages per member for one lost quorum"),
    Replaced(
        ("etcdHighNumberOfLeaderChanges",), ("EtcdLeaderChangesOften",), "fires at every rolling upgrade of three nodes"
    ),
    Replaced(
        ("etcdHighFsyncDurations", "etcdHighCommitDurations", "etcdMemberCommunicationSlow"),
        ("EtcdFsyncSlow", "EtcdCommitSlow", "EtcdPeerSlow"),
        "the same measures, with the node in the sentence",
    ),
    Replaced(("etcdHighNumberOfFailedProposals",), ("EtcdProposalsFailing", "EtcdProposalsPiling"), "the same measure"),
    Replaced(
        ("etcdDatabaseQuotaLowSpace", "etcdExcessiveDatabaseGrowth"),
        ("EtcdDatabaseFilling", "EtcdDatabaseGrowing", "EtcdAlarmRaised"),
        "the forecast from four hours takes the growth after a defragmentation for a database that fills",
    ),
    Replaced(
        ("etcdDatabaseHighFragmentationRatio",), (), "k3s defragments at every start; a half empty file is no fault"
    ),
    Replaced(
        ("etcdHighNumberOfFailedGRPCRequests", "etcdGRPCRequestsSlow"),
        (),
        "watches that the API server gives up count as failed requests, and those that it keeps as slow ones",
    ),
    Replaced(("KubeNodeNotReady", "KubeNodeUnreachable"), ("NodeNotReady", "NodeDown"), "two alerts for one dead node"),
    Replaced(
        ("KubeletDown", "KubeletInstanceUnreachable"),
        ("NodeKubeletMissing", "NodesUnobserved"),
        "the same measure, against the inventory",
    ),
    Replaced(
        ("NodeFilesystemSpaceFillingUp", "NodeFilesystemAlmostOutOfSpace"),
        ("NodeFilesystemFillingSoon", "NodeFilesystemFilling", "NodeFilesystemNearlyFull"),
        "tell one full disk once per mount, warning and critical at once",
    ),
    Replaced(
        ("NodeFilesystemFilesFillingUp", "NodeFilesystemAlmostOutOfFiles"), ("NodeInodesLow",), "the same, for inodes"
    ),
    Replaced(("NodeClockSkewDetected", "NodeClockNotSynchronising"), ("NodeClockWrong",), "two alerts for one clock"),
    Replaced(
        ("NodeMemoryHighUtilization", "NodeMemoryMajorPagesFaults"), ("NodeMemoryLow",), "a full page cache is no fault"
    ),
    Replaced(
        ("NodeNetworkReceiveErrs", "NodeNetworkTransmitErrs"), ("NodeNetworkErrors",), "two alerts for one bad cable"
    ),
    Replaced(("NodeHighNumberConntrackEntriesUsed",), ("NodeConntrackFilling",), "the same measure"),
    Replaced(
        ("NodeCPUHighUsage", "NodeDiskIOSaturation", "CPUThrottlingHigh"),
        (),
        "causes, not symptoms: a busy small node is a well used one",
    ),
    Replaced(
        ("NodeSystemSaturation",), ("NodeOverloaded",), "warns from twice the cores on, which is a well used node"
    ),
    Replaced(("KubeNodePressure",), ("NodeUnderPressure",), "the same measure"),
    Replaced(
        ("KubeNodeReadinessFlapping", "NodeNetworkInterfaceFlapping"),
        ("NodeKubeletFlapping", "NodeLinkFlapping"),
        "two minutes of a link and a quarter of an hour of a node are too short for a fault that returns every few minutes",
    ),
    Replaced(
        ("KubeCPUOvercommit", "KubeMemoryOvercommit"), (), "three nodes are always overcommitted for the loss of one"
    ),
    Replaced(
        ("KubePersistentVolumeFillingUp", "KubePersistentVolumeInodesFillingUp"),
        ("VolumeFillingSoon", "VolumeFilling", "VolumeNearlyFull", "VolumeInodesLow"),
        "on local-path every claim reports the node's disk: one full disk would be an alert per claim",
    ),
    Replaced(
        ("KubeJobFailed",),
        ("JobFailed", "CronJobFailed"),
        "stays until the Job object is deleted, whatever succeeded since",
    ),
    Replaced(("KubeJobNotCompleted",), ("JobStuck",), "the same measure"),
    Replaced(
        ("PrometheusBadConfig", "PrometheusRuleFailures", "PrometheusMissingRuleEvaluations"),
        ("PrometheusConfigBad", "PrometheusRulesFailing", "PrometheusRulesMissed"),
        "the same measures",
    ),
    Replaced(
        (
            "PrometheusKubernetesListWatchFailures",
            "PrometheusTargetSyncFailure",
            "PrometheusDuplicateTimestamps",
            "PrometheusOutOfOrderTimestamps",
            "KubeStateMetricsListErrors",
            "KubeStateMetricsWatchErrors",
        ),
        ("PrometheusDiscoveryFailing", "PrometheusSamplesRefused", "KubeStateMetricsBlind"),
        "the same measures, quiet after a single blip and while the API server is away",
    ),
    Replaced(
        (
            "PrometheusNotConnectedToAlertmanagers",
            "PrometheusErrorSendingAlertsToSomeAlertmanagers",
            "PrometheusErrorSendingAlertsToAnyAlertmanager",
            "PrometheusNotificationQueueRunningFull",
        ),
        ("PrometheusWithoutAlertmanager", "PrometheusNotificationsLost", "AlertmanagerDown"),
        "four alerts for one Alertmanager that is away",
    ),
    Replaced(
        ("PrometheusNotIngestingSamples", "PrometheusTSDBReloadsFailing", "PrometheusTSDBCompactionsFailing"),
        ("PrometheusNotIngesting", "PrometheusStorageFailing"),
        "the same measures",
    ),
    Replaced(
        ("AlertmanagerFailedReload", "AlertmanagerFailedToSendAlerts", "AlertmanagerClusterFailedToSendAlerts"),
        ("AlertmanagerConfigBad", "AlertmanagerNotificationsFailing"),
        "the same measures, and one alert per receiver",
    ),
    Replaced(
        (
            "AlertmanagerMembersInconsistent",
            "AlertmanagerConfigInconsistent",
            "AlertmanagerClusterDown",
            "AlertmanagerClusterCrashlooping",
        ),
        ("AlertmanagerDown",),
        "there is a single Alertmanager: it has no peers to disagree with",
    ),
    Replaced(
        (
            "PrometheusOperatorRejectedResources",
            "PrometheusOperatorSyncFailed",
            "PrometheusOperatorReconcileErrors",
            "PrometheusOperatorNotReady",
            "PrometheusOperatorListErrors",
            "PrometheusOperatorWatchErrors",
        ),
        ("PrometheusOperatorRejects", "PrometheusOperatorFailing"),
        "six alerts for an operator that is failing or that refuses an object",
    ),
    Replaced(
        (
            "KubeControllerManagerDown",
            "KubeControllerManagerInstanceUnreachable",
            "KubeSchedulerDown",
            "KubeSchedulerInstanceUnreachable",
            "KubeProxyDown",
            "KubeProxyInstanceUnreachable",
        ),
        (),
        "k3s runs them in its own process and gives them no targets: these would fire for ever",
    ),
    Replaced(
        ("KubeClientCertificateExpiration", "KubeletClientCertificateExpiration", "KubeletServerCertificateExpiration"),
        ("K3sCertificateExpiring",),
        "k3s renews them at a restart, which has to be planned: the chart's last days are too late",
    ),
)
