"""Alerts: who is told when something is wrong, what counts as wrong, a workbook to look into it, and a budget.

Leaves out: processing rules (quiet hours), text messages, and what is measured: that is handed in as data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pulumi
from pulumi_azure_native import alertsmanagement, monitor

from components.alert_rules import MetricAlertArgs, QueryAlertArgs, anomaly_query
from components.budget import BudgetArgs, budget
from components.common import Site
from components.durations import iso_duration
from components.workbook import workbook


@dataclass(frozen=True, kw_only=True)
class AlertsArgs:
    """What alerts need to know.

    site: resource group, region and tags that every block shares. component_id: of Application Insights.
    workspace_id: that queries run on. emails: addresses by name.
    metrics, queries: alerts by name. anomalies: queries of events whose unusual frequency is told of (see
    alert_rules.anomaly_query), e.g. sign-ins and consents. panels: further queries of the workbook, by title.
    budget: what the resource group may cost.
    """

    site: Site
    component_id: pulumi.Input[str]
    workspace_id: pulumi.Input[str]
    emails: Mapping[str, str]
    budget: BudgetArgs
    metrics: Mapping[str, MetricAlertArgs] = field(default_factory=dict)
    queries: Mapping[str, QueryAlertArgs] = field(default_factory=dict)
    anomalies: Sequence[str] = ()
    panels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.emails:
            raise ValueError("emails: nobody is told. Give at least one address.")
        for name, address in self.emails.items():
            if "@" not in address:
                raise ValueError(f"emails: the address of {name!r} has no '@'. Give an e-mail address.")


class Alerts(pulumi.ComponentResource):
    """Alerts of metrics, of logs, of unusual failures and of unusual sign-ins, sent to one group of people."""

    action_group_id: pulumi.Output[str]
    """Resource id of the action group: further alerts may use it."""

    def __init__(self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tributary:azure:Alerts", name, {}, opts)
        site = args.site

        group = monitor.ActionGroup(
            name,
            action_group_name=site.name("ag", name),
            # What an e-mail's subject starts with; twelve characters at most.
            group_short_name=f"{site.stack}"[:12],
            resource_group_name=site.resource_group,
            location="global",
            enabled=True,
            email_receivers=[
                monitor.MicrosoftCommonEmailReceiverArgs(
                    name=person, email_address=address, use_common_alert_schema=True
                )
                for person, address in args.emails.items()
            ],
            tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._failure_anomalies(name, args, group.id)
        queries = dict(args.queries)
        if args.anomalies:
            queries["anomalies"] = QueryAlertArgs(
                description="Sign-ins or the like are unusually frequent or rare: look for an attack or an outage.",
                query=anomaly_query(args.anomalies),
                window=timedelta(hours=1),
                frequency=timedelta(hours=1),
                period=timedelta(days=2),
            )
        for alert, metric in args.metrics.items():
            self._metric_alert(f"{name}-{alert}", metric, site, group.id)
        for alert, query in queries.items():
            self._query_alert(f"{name}-{alert}", query, args, group.id)
        panels = {**{each: queries[each].query for each in queries}, **args.panels}
        child = pulumi.ResourceOptions(parent=self)
        workbook(name, args.workspace_id, panels, site, child)
        budget(name, args.budget, sorted(args.emails.values()), group.id, site, child)

        self.action_group_id = group.id
        self.register_outputs({"action_group_id": self.action_group_id})

    def _failure_anomalies(self, name: str, args: AlertsArgs, group: pulumi.Input[str]) -> None:
        # Azure makes a rule of this name by itself minutes after the component, for an action group of its own
        # (azurerm#10563, #18026): the same name makes it this one.
        component = pulumi.Output.from_input(args.component_id).apply(lambda known: known.rsplit("/", 1)[-1])
        alertsmanagement.SmartDetectorAlertRule(
            name,
            alert_rule_name=pulumi.Output.concat("Failure Anomalies - ", component),
            resource_group_name=args.site.resource_group,
            location="global",
            description="Requests or dependencies fail unusually often.",
            state=alertsmanagement.AlertRuleState.ENABLED,
            severity=alertsmanagement.Severity.SEV2,
            frequency="PT1M",
            detector=alertsmanagement.DetectorArgs(id="FailureAnomaliesDetector"),
            scope=[args.component_id],
            action_groups=alertsmanagement.ActionGroupsInformationArgs(group_ids=[group]),
            tags=args.site.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _metric_alert(self, name: str, args: MetricAlertArgs, site: Site, group: pulumi.Input[str]) -> None:
        monitor.MetricAlert(
            name,
            rule_name=site.name("metric", name),
            resource_group_name=site.resource_group,
            location="global",
            description=args.description,
            enabled=True,
            auto_mitigate=True,
            severity=args.severity,
            scopes=[args.resource_id],
            window_size=iso_duration(args.window),
            evaluation_frequency=iso_duration(args.frequency),
            criteria=monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                all_of=[
                    monitor.MetricCriteriaArgs(
                        criterion_type="StaticThresholdCriterion",
                        name="threshold",
                        metric_namespace=args.namespace,
                        metric_name=args.metric,
                        operator=args.operator,
                        threshold=args.threshold,
                        time_aggregation=args.aggregation,
                    )
                ],
            ),
            actions=[monitor.MetricAlertActionArgs(action_group_id=group)],
            tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _query_alert(self, name: str, args: QueryAlertArgs, alerts: AlertsArgs, group: pulumi.Input[str]) -> None:
        site = alerts.site
        monitor.ScheduledQueryRule(
            name,
            rule_name=site.name("query", name),
            resource_group_name=site.resource_group,
            location=site.location,
            kind=monitor.Kind.LOG_ALERT,
            display_name=name,
            description=args.description,
            enabled=True,
            auto_mitigate=True,
            severity=args.severity,
            scopes=[alerts.workspace_id],
            window_size=iso_duration(args.window),
            evaluation_frequency=iso_duration(args.frequency),
            override_query_time_range=iso_duration(args.period) if args.period else None,
            # Tables appear with their first record: Azure would refuse the query of a fresh workspace.
            skip_query_validation=True,
            criteria=monitor.ScheduledQueryRuleCriteriaArgs(
                all_of=[
                    monitor.ConditionArgs(
                        query=args.query,
                        time_aggregation="Count",
                        operator="GreaterThan",
                        threshold=0,
                        failing_periods=monitor.ConditionFailingPeriodsArgs(
                            number_of_evaluation_periods=1, min_failing_periods_to_alert=1
                        ),
                    )
                ]
            ),
            actions=monitor.ActionsArgs(action_groups=[group]),
            tags=site.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
