"""Budget: what a resource group, and others beside it, may cost a month, and who is told before they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pulumi
from pulumi_azure_native import consumption

from components.common import Site


@dataclass(frozen=True, kw_only=True)
class BudgetArgs:
    """What the resource group may cost.

    amount: a month, in the subscription's currency. since: first day of the month that the stack was first deployed
    in; Azure refuses an earlier one then, and another one later (azurerm#12121, CanadaPubSecALZ#317).
    beside: names of further groups that count, e.g. of a cluster's nodes, which Azure keeps in a group of their own.
    """

    amount: float
    since: date
    beside: Sequence[pulumi.Input[str]] = ()

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise ValueError(f"amount: {self.amount} is not allowed; allowed is more than 0.")
        if self.since.day != 1:
            raise ValueError(f"since: {self.since} is not allowed; allowed are first days of a month.")


def budget(
    name: str,
    args: BudgetArgs,
    emails: Sequence[str],
    action_group_id: pulumi.Input[str],
    site: Site,
    opts: pulumi.ResourceOptions,
) -> None:
    """A budget of the site's resource group; tells at 80 and 100 percent spent, and when 100 are foreseen."""
    scope = pulumi.Output.from_input(f"/subscriptions/{site.subscription_id}")
    groups = None
    if args.beside:
        groups = consumption.BudgetFilterArgs(
            dimensions=consumption.BudgetComparisonExpressionArgs(
                name="ResourceGroupName",
                operator=consumption.BudgetOperatorType.IN_,
                values=[site.resource_group, *args.beside],
            )
        )
    else:
        scope = pulumi.Output.concat(scope, "/resourceGroups/", site.resource_group)
    consumption.Budget(
        name,
        budget_name=site.name("budget", name),
        scope=scope,
        filter=groups,
        category=consumption.CategoryType.COST,
        amount=args.amount,
        time_grain=consumption.TimeGrainType.MONTHLY,
        time_period=consumption.BudgetTimePeriodArgs(start_date=f"{args.since}T00:00:00Z"),
        notifications={
            label: consumption.NotificationArgs(
                enabled=True,
                operator=consumption.OperatorType.GREATER_THAN_OR_EQUAL_TO,
                threshold=percent,
                threshold_type=kind,
                contact_emails=emails,
                contact_groups=[action_group_id],
            )
            for label, percent, kind in (
                ("spent-80", 80, consumption.ThresholdType.ACTUAL),
                ("spent-100", 100, consumption.ThresholdType.ACTUAL),
                ("forecast-100", 100, consumption.ThresholdType.FORECASTED),
            )
        },
        # "Start date of budgets cannot be updated. Please delete and create a new budget." (CanadaPubSecALZ#317)
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(replace_on_changes=["timePeriod.startDate"], delete_before_replace=True),
        ),
    )
