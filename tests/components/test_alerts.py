"""What alerts promise: every alert reaches people, and what is unusual is told of."""

from __future__ import annotations

import json
import uuid
from datetime import date, timedelta
from typing import Any

import pytest

from components.alert_rules import SIGN_INS, MetricAlertArgs, QueryAlertArgs, anomaly_query, requests_named
from components.alerts import Alerts
from components.budget import BudgetArgs
from tests.components.samples import alerts_args, build, made, options
from tests.components.site import SITE

GROUP = "/id/of/ActionGroup/main"


def test_every_alert_tells_the_action_group() -> None:
    registered = made("alerts")
    assert registered.one(":MetricAlert").inputs["actions"] == [{"actionGroupId": GROUP}]
    for rule in registered.of(":ScheduledQueryRule"):
        assert rule.inputs["actions"] == {"actionGroups": [GROUP]}
        assert rule.inputs["enabled"] is True
    assert registered.one(":SmartDetectorAlertRule").inputs["actionGroups"]["groupIds"] == [GROUP]
    for notification in registered.one(":Budget").inputs["notifications"].values():
        assert notification["contactGroups"] == [GROUP]


def test_the_failure_anomalies_rule_takes_the_place_of_azure_s_own() -> None:
    """azurerm#10563, #18026: Azure makes one of this name for every Application Insights component."""
    rule = made("alerts").one(":SmartDetectorAlertRule").inputs
    assert rule["alertRuleName"] == "Failure Anomalies - appi-main"
    assert rule["detector"]["id"] == "FailureAnomaliesDetector"
    assert rule["location"] == "global"


def test_unusual_sign_ins_and_consents_are_looked_for_in_all_that_a_rule_may_see() -> None:
    rule = made("alerts").one(":ScheduledQueryRule", "main-anomalies").inputs
    query = rule["criteria"]["allOf"][0]["query"]
    assert "SigninLogs" in query
    assert 'AppRoleName == "consent" and Name in ("POST /consents")' in query
    assert "series_decompose_anomalies" in query
    # A table that has no record yet does not exist.
    assert "isfuzzy=true" in query
    assert rule["skipQueryValidation"] is True
    assert rule["overrideQueryTimeRange"] == "P2D"
    assert (rule["windowSize"], rule["evaluationFrequency"]) == ("PT1H", "PT1H")


def test_without_events_there_is_no_anomaly_rule() -> None:
    assert build(lambda: Alerts("main", alerts_args(anomalies=(), queries={}))).of(":ScheduledQueryRule") == []
    with pytest.raises(ValueError, match="sources: there are none"):
        anomaly_query([])


def test_names_in_queries_can_not_end_their_quotes() -> None:
    assert r'Name in ("a\" or 1 == 1 or Name == \"")' in requests_named(['a" or 1 == 1 or Name == "'], role="r")
    assert r'AppRoleName == "\\"' in requests_named(["a"], role="\\")


def test_kinds_are_told_apart_and_the_hour_before_is_not_lost() -> None:
    query = anomaly_query([SIGN_INS], sensitivity=3)
    assert "by Kind" in query
    assert "series_decompose_anomalies(Count, 3)" in query
    assert query.endswith("| project TimeGenerated = now(), Hour = TimeGenerated, Kind, Count, Usual")


def test_the_workbook_shows_every_query_and_stays_the_same_one() -> None:
    workbook = made("alerts").one(":Workbook").inputs
    panels = [item["name"] for item in json.loads(workbook["serializedData"])["items"]]
    assert panels == ["restarts", "anomalies", "Slow requests"]
    again = build(lambda: Alerts("main", alerts_args())).one(":Workbook").inputs
    assert str(uuid.UUID(workbook["resourceName"])) == workbook["resourceName"] == again["resourceName"]
    assert build(lambda: Alerts("b", alerts_args())).one(":Workbook").inputs["resourceName"] != again["resourceName"]


def test_a_budget_tells_before_it_is_spent() -> None:
    budget = made("alerts").one(":Budget").inputs
    assert budget["timePeriod"] == {"startDate": "2026-11-01T00:00:00Z"}
    assert budget["scope"].endswith("/resourceGroups/rg-test")
    told = {(each["thresholdType"], each["threshold"]) for each in budget["notifications"].values()}
    assert told == {("Actual", 80), ("Actual", 100), ("Forecasted", 100)}
    assert all(each["contactEmails"] == ["oncall@example.com"] for each in budget["notifications"].values())


def test_a_budget_counts_groups_beside_its_own() -> None:
    """A cluster's nodes, which cost the most, are in a group of their own."""
    args = alerts_args(budget=BudgetArgs(amount=1, since=date(2026, 11, 1), beside=["rg-nodes"]))
    budget = build(lambda: Alerts("main", args)).one(":Budget").inputs
    assert budget["scope"] == f"/subscriptions/{SITE.subscription_id}"
    chosen = {"name": "ResourceGroupName", "operator": "In", "values": ["rg-test", "rg-nodes"]}
    assert budget["filter"] == {"dimensions": chosen}


def test_a_budget_s_start_is_changed_by_a_new_budget() -> None:
    """CanadaPubSecALZ#317: "Start date of budgets cannot be updated. Please delete and create a new budget." """
    budget = options("alerts")["Budget"]
    assert budget.replace_on_changes == ["timePeriod.startDate"]
    assert budget.delete_before_replace is True


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: alerts_args(emails={}), r"emails: nobody is told"),
        (lambda: alerts_args(emails={"x": "nobody"}), r"the address of 'x' has no '@'"),
        (lambda: BudgetArgs(amount=0, since=date(2026, 11, 1)), r"amount: 0 is not allowed; allowed is more than 0"),
        (lambda: BudgetArgs(amount=1, since=date(2026, 11, 2)), r"since: 2026-11-02 is not allowed; allowed are first"),
        (lambda: QueryAlertArgs(description="d", query="q", severity=5), r"severity: 5 is not allowed; allowed are 0"),
        (lambda: QueryAlertArgs(description="d", query="q", period=timedelta(days=3)), r"period: 3 days, .* to 2 days"),
        (
            lambda: MetricAlertArgs(
                description="d",
                resource_id="r",
                namespace="n",
                metric="m",
                aggregation="Total",
                threshold=0,
                severity=-1,
            ),
            r"severity: -1 is not allowed",
        ),
    ],
)
def test_alerts_that_azure_would_refuse_are_refused_before(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
