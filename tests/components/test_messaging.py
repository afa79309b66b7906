"""What messaging promises: who gets in, who gets which message, and what happens to those nobody takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from components.durations import iso_duration
from components.message_entities import FilterArgs, QueueArgs, SubscriptionArgs, TopicArgs
from components.messaging import Messaging, MessagingArgs
from tests.components.samples import build, made, messaging_args


def standard(**changes: Any) -> MessagingArgs:
    plain: dict[str, Any] = {"tier": "Standard", "capacity": None, "access": None, "key": None, "replica": None}
    return messaging_args(**plain | changes)


def test_only_entra_identities_enter_by_tls_12_and_never_from_outside() -> None:
    inputs = made("messaging").one("servicebus:Namespace").inputs
    assert inputs["disableLocalAuth"] is True
    assert inputs["minimumTlsVersion"] == "1.2"
    assert inputs["publicNetworkAccess"] == "Disabled"
    endpoint = made("messaging").one(":PrivateEndpoint").inputs
    assert endpoint["privateLinkServiceConnections"][0]["groupIds"] == ["namespace"]


def test_event_grid_gets_in_as_a_trusted_service_and_the_rest_is_denied() -> None:
    rules = made("messaging").one(":NamespaceNetworkRuleSet").inputs
    assert rules["trustedServiceAccessEnabled"] is True
    assert (rules["defaultAction"], rules["publicNetworkAccess"]) == ("Deny", "Disabled")


def test_a_narrow_firewall_stands_where_there_is_no_private_endpoint() -> None:
    registered = build(lambda: Messaging("main", standard(allowed_addresses=["198.51.100.0/24"])))
    rules = registered.one(":NamespaceNetworkRuleSet").inputs
    assert rules["ipRules"] == [{"ipMask": "198.51.100.0/24", "action": "Allow"}]
    assert rules["defaultAction"] == "Deny"
    assert "trustedServiceAccessEnabled" not in rules
    assert registered.one("servicebus:Namespace").inputs["publicNetworkAccess"] == "Enabled"
    assert build(lambda: Messaging("main", standard())).of(":NamespaceNetworkRuleSet") == []


def test_data_is_encrypted_twice_by_a_key_that_the_namespace_may_already_use() -> None:
    registered = made("messaging")
    made_encrypted = registered.one("servicebus:Namespace")
    assert made_encrypted.inputs["encryption"]["requireInfrastructureEncryption"] is True
    assert "keyVersion" not in made_encrypted.inputs["encryption"]["keyVaultProperties"][0]
    grant = registered.one(":RoleAssignment", "main-uses-key")
    assert grant.inputs["scope"] == "/id/of/Key/messages"
    assert made_encrypted.inputs["encryption"]["keyVaultProperties"][0]["keyName"] == "messages"
    assert grant.urn in made_encrypted.after


def test_messages_are_copied_to_a_second_region_before_they_are_acknowledged() -> None:
    replication = made("messaging").one("servicebus:Namespace").inputs["geoDataReplication"]
    assert replication["maxReplicationLagDurationInSeconds"] == 0
    assert [(each["locationName"], each["roleType"]) for each in replication["locations"]] == [
        ("westeurope", "Primary"),
        ("northeurope", "Secondary"),
    ]


def test_only_declared_filters_decide_what_a_subscription_takes() -> None:
    registered = made("messaging")
    # Azure's own rule "$Default" takes every message: azurerm#20718, #32430.
    default = registered.one(":DefaultRule", "main-consents-transaction").inputs
    assert default["sqlFilter"]["sqlExpression"] == "1=0"
    rules = {each.inputs["ruleName"]: each.inputs for each in registered.of("servicebus:Rule")}
    assert rules["granted"]["correlationFilter"]["properties"] == {"event": "granted"}
    assert rules["big"]["sqlFilter"]["sqlExpression"] == "a > 1"
    assert not [each for each in registered.of("Rule") if "audit" in each.name]


def test_messages_that_nobody_takes_are_kept_as_dead_letters() -> None:
    for each in [*made("messaging").of("servicebus:Subscription"), *made("messaging").of("servicebus:Queue")]:
        assert each.inputs["deadLetteringOnMessageExpiration"] is True
        assert each.inputs["maxDeliveryCount"] in (5, 10)
    subscription = made("messaging").one("servicebus:Subscription", "main-consents-transaction").inputs
    assert subscription["deadLetteringOnFilterEvaluationExceptions"] is True
    assert (subscription["requiresSession"], subscription["lockDuration"]) == (True, "PT5M")


def test_duplicates_are_dropped_unless_they_are_wanted() -> None:
    topic = made("messaging").one("servicebus:Topic").inputs
    assert (topic["requiresDuplicateDetection"], topic["duplicateDetectionHistoryTimeWindow"]) == (True, "PT10M")
    queue = made("messaging").one("servicebus:Queue").inputs
    assert queue["requiresDuplicateDetection"] is False
    assert "duplicateDetectionHistoryTimeWindow" not in queue


def test_rights_end_at_the_topic_and_the_subscription() -> None:
    grants = {each.name: each.inputs for each in made("messaging").of(":RoleAssignment")}
    assert grants["main-consents-consent-sender"]["scope"] == "/id/of/Topic/main-consents"
    receiver = grants["main-consents-transaction-transaction-receiver"]
    assert receiver["scope"] == "/id/of/Subscription/main-consents-transaction"
    assert receiver["principalId"] == "object of transaction"
    assert receiver["roleDefinitionId"].endswith("4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0")
    assert len(grants) == 4


def test_a_lock_goes_before_anything_that_it_would_keep_from_being_deleted() -> None:
    for name, scope in (
        ("messaging", "/id/of/Namespace/main"),
        ("gateway", "/id/of/ApiManagementService/main"),
        ("edge", "/id/of/PublicIPAddress/main"),
    ):
        lock = made(name).one(":ManagementLockByScope")
        assert (lock.inputs["level"], lock.inputs["scope"]) == ("CanNotDelete", scope)
        _, *others = (each.urn for each in made(name).resources)
        assert set(others) - set(lock.after) == {lock.urn}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"capacity": 3}, r"capacity: 3 is not allowed; allowed are 1, 2, 4, 8 and 16 units"),
        ({"tier": "Standard"}, r"capacity: needs tier Premium, and tier is Standard\. Leave it out, or raise the tier"),
        ({"tier": "Standard", "capacity": None}, r"access: needs tier Premium"),
        ({"queues": {"consents": QueueArgs()}}, r"\['consents'\]: a topic and a queue .* can't have one name"),
    ],
)
def test_a_namespace_that_azure_would_refuse_is_refused_before(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        messaging_args(**changes)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (SubscriptionArgs, {"lock": timedelta(minutes=6)}),
        (SubscriptionArgs, {"attempts": 0}),
        (QueueArgs, {"duplicates": timedelta(days=8)}),
        (QueueArgs, {"attempts": 2001}),
        (TopicArgs, {"subscriptions": {}, "duplicates": timedelta(seconds=19)}),
        (TopicArgs, {"subscriptions": {}, "size_mb": 100}),
    ],
)
def test_limits_of_service_bus_are_named_with_what_is_allowed(kind: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{list(wrong)[-1]}: .* is not allowed; allowed is .* to "):
        kind(**wrong)


@pytest.mark.parametrize("wrong", [{}, {"properties": {}}, {"sql": ""}, {"properties": {"a": "b"}, "sql": "1=1"}])
def test_a_filter_says_one_thing(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either properties or sql"):
        FilterArgs(**wrong)


def test_durations_are_written_as_azure_writes_them() -> None:
    durations = {"P14D": 14 * 86400, "PT1M30S": 90, "PT1H": 3600, "P1DT1S": 86401, "P2D": 172800}
    assert {iso_duration(timedelta(seconds=each)) for each in durations.values()} == set(durations)
