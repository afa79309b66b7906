"""Observability: who is told of what, what it looks like on one page, and what the stack may cost."""

from __future__ import annotations

from datetime import date, timedelta

from components.alert_rules import SIGN_INS, MetricAlertArgs, QueryAlertArgs, requests_named
from components.alerts import Alerts, AlertsArgs
from components.budget import BudgetArgs
from components.cluster import Cluster
from components.common import Site
from components.functions import Functions
from components.messaging import Messaging
from components.monitoring import Monitoring, MonitoringArgs
from components.network import Network
from components.vault import Vault
from stacks.data import UNDELIVERED
from stacks.network import BLOB_ZONE, MONITOR_ZONE, MONITOR_ZONES, access, metrics_zone
from stacks.settings import Settings

_SLOW = """\
AppRequests
| summarize Requests = sum(ItemCount), Slowest = percentile(DurationMs, 95) by AppRoleName
| where Requests > 100 and Slowest > 2000"""
_CONSENTS = ("POST /consents", "DELETE /consents/{consent_id}")
_PANELS = {
    "Requests and failures by service": """\
AppRequests
| summarize Requests = sum(ItemCount), Failures = sumif(ItemCount, not(Success)) by AppRoleName, bin(TimeGenerated, 1h)
| render timechart""",
    "What the connector's calls to banks end in": """\
AppDependencies
| where AppRoleName == "connector"
| summarize Calls = sum(ItemCount) by Target, ResultCode
| order by Calls desc""",
    "Exceptions by kind": """\
AppExceptions
| summarize Count = sum(ItemCount) by AppRoleName, ExceptionType
| order by Count desc""",
}


def make_monitoring(settings: Settings, site: Site) -> Monitoring:
    """Where logs, metrics and traces go."""
    return Monitoring(
        "main",
        MonitoringArgs(
            site=site,
            retention_days=settings.monitoring.retention_days,
            sampling_percentage=settings.monitoring.sampling_percentage,
            metrics=settings.cluster.observed,
            private=settings.network.private,
            locked=settings.safeguards.locked,
        ),
    )


def reach_monitoring(settings: Settings, network: Network, monitoring: Monitoring) -> None:
    """Private endpoints of monitoring, where the network is private: nothing else leads to it then."""
    if not settings.network.private:
        return
    metrics = access(network, metrics_zone(settings.location)) if settings.cluster.observed else None
    monitoring.place_endpoints(access(network, MONITOR_ZONE, *MONITOR_ZONES, BLOB_ZONE), metrics)


def make_alerts(
    settings: Settings,
    site: Site,
    monitoring: Monitoring,
    messaging: Messaging,
    vault: Vault,
    cluster: Cluster,
    functions: Functions,
) -> Alerts:
    """Alerts of what nobody would notice by itself."""
    wanted = settings.alerts
    since = date.fromisoformat(wanted.budget_since)
    return Alerts(
        "main",
        AlertsArgs(
            site=site,
            component_id=monitoring.component_id,
            workspace_id=monitoring.workspace_id,
            emails=wanted.emails,
            budget=BudgetArgs(amount=wanted.monthly_budget, since=since, beside=[cluster.node_group]),
            metrics={
                "dead-letters": MetricAlertArgs(
                    description="Events were given up: list them, mend what refuses them, and replay them.",
                    resource_id=messaging.namespace_id,
                    namespace="Microsoft.ServiceBus/namespaces",
                    metric="DeadletteredMessages",
                    aggregation="Average",
                    threshold=0,
                ),
                "vault-unavailable": MetricAlertArgs(
                    description="The vault fails to answer: without it no service reads or writes personal data.",
                    resource_id=vault.vault_id,
                    namespace="Microsoft.KeyVault/vaults",
                    metric="Availability",
                    aggregation="Average",
                    operator="LessThan",
                    threshold=99,
                    severity=1,
                ),
                **_undelivered(functions),
            },
            queries={
                "slow-services": QueryAlertArgs(
                    description="One request of twenty takes more than two seconds: look at the service's traces.",
                    query=_SLOW,
                    window=timedelta(minutes=30),
                ),
            },
            anomalies=[SIGN_INS, requests_named(_CONSENTS, role="consent")],
            panels=_PANELS,
        ),
    )


def _undelivered(functions: Functions) -> dict[str, MetricAlertArgs]:
    """Each failed attempt is told of: some errors are tried again for a day, others are given up at once
    (learn.microsoft.com/azure/event-grid/delivery-and-retry)."""
    if functions.topic_id is None:
        return {}
    alert = MetricAlertArgs(
        description="Files came that nothing is told of, so one without a document stays: table AegDeliveryFailureLogs "
        f"says what refuses them. Mend it, and replay the events that were given up, in the container {UNDELIVERED}.",
        resource_id=functions.topic_id,
        namespace="Microsoft.EventGrid/systemTopics",
        metric="DeliveryAttemptFailCount",
        aggregation="Total",
        threshold=0,
    )
    return {"undelivered-events": alert}
