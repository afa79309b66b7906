"""Alert rules: what alerts are declared as, and the queries that look for anomalies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import pulumi

SIGN_INS = """\
SigninLogs
| project TimeGenerated, Kind = iff(ResultType == "0", "sign-in", "refused sign-in")"""
"""Sign-ins by outcome, where Entra's tenant sends its logs to the workspace."""


@dataclass(frozen=True, kw_only=True)
class MetricAlertArgs:
    """Tells when a metric of a resource crosses a threshold.

    description: what is wrong then, and what to do. resource_id: of the resource. namespace, metric: e.g.
    "Microsoft.ServiceBus/namespaces", "DeadletteredMessages". severity: 0 (critical) to 4 (verbose).
    window: what is looked at, every frequency.
    """

    description: str
    resource_id: pulumi.Input[str]
    namespace: str
    metric: str
    aggregation: Literal["Average", "Count", "Minimum", "Maximum", "Total"]
    threshold: float
    operator: Literal["GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"] = "GreaterThan"
    severity: int = 2
    window: timedelta = timedelta(minutes=15)
    frequency: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        check_severity(self.severity)


@dataclass(frozen=True, kw_only=True)
class QueryAlertArgs:
    """Tells when a query (KQL) over the workspace answers with rows.

    description, severity, window, frequency: as for a metric alert. period: how far back the query sees, where that is
    more than the window; at most two days.
    """

    description: str
    query: str
    severity: int = 2
    window: timedelta = timedelta(minutes=15)
    frequency: timedelta = timedelta(minutes=15)
    period: timedelta | None = None

    def __post_init__(self) -> None:
        check_severity(self.severity)
        # learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule: override query time range.
        if self.period is not None and not self.window <= self.period <= timedelta(days=2):
            raise ValueError(f"period: {self.period} is not allowed; allowed is {self.window} to 2 days.")


def requests_named(names: Sequence[str], role: str) -> str:
    """Events of a service's requests, by their name in Application Insights. role: the service's cloud role name."""
    listed = ", ".join(_quoted(name) for name in names)
    return f"""\
AppRequests
| where AppRoleName == {_quoted(role)} and Name in ({listed})
| project TimeGenerated, Kind = Name"""


def anomaly_query(sources: Sequence[str], sensitivity: float = 2.5) -> str:
    """Kinds of events that were unusually frequent or rare in the last full hour, against the two days before it.

    sources: queries that answer with TimeGenerated and Kind; one whose table is not there yet counts as empty.
    sensitivity: distance from the usual, in Tukey's fences; 1.5 tells of mild anomalies, 3 of strong ones only.
    """
    if not sources:
        raise ValueError("sources: there are none. Give at least one query of events.")
    legs = ",\n".join(f"({each})" for each in sources)
    # The alert looks at rows by TimeGenerated: those of the hour before would lie outside its window.
    return f"""\
let Now = bin(now(), 1h);
union isfuzzy=true
{legs}
| make-series Count = count() default = 0 on TimeGenerated from Now - 2d to Now step 1h by Kind
| extend (Anomaly, Score, Usual) = series_decompose_anomalies(Count, {sensitivity})
| mv-expand TimeGenerated to typeof(datetime), Count to typeof(long), Anomaly to typeof(int), Usual to typeof(real)
| where TimeGenerated >= Now - 1h and Anomaly != 0
| project TimeGenerated = now(), Hour = TimeGenerated, Kind, Count, Usual"""


def check_severity(severity: int) -> None:
    """Raises ValueError for a severity that Azure Monitor does not know."""
    if severity not in range(5):
        raise ValueError(f"severity: {severity} is not allowed; allowed are 0 (critical) to 4 (verbose).")


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
