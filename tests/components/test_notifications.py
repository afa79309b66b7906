"""What notifications promise: credentials stay secret, and a key can listen or send but not both."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import pulumi
import pytest

from components.notifications import Notifications
from tests.components.samples import build, made, notifications_args
from tests.components.secrets import is_secret, revealed


def test_credentials_of_the_push_services_are_kept_encrypted() -> None:
    hub = made("notifications").one(":NotificationHub").inputs
    for name in ("fcmV1Credential", "apnsCredential", "browserCredential"):
        assert is_secret(hub[name]) or any(is_secret(each) for each in hub[name].values()), name
    assert revealed(hub["fcmV1Credential"])["privateKey"] == "key of google"
    assert revealed(hub["apnsCredential"])["token"] == "key of apple"
    assert revealed(hub["browserCredential"])["vapidPrivateKey"] == "key of browsers"


def test_push_services_that_are_not_used_are_left_out() -> None:
    hub = build(lambda: Notifications("main", notifications_args(google=None, apple=None))).one(":NotificationHub")
    assert "browserCredential" in hub.inputs
    assert not {"fcmV1Credential", "apnsCredential"} & set(hub.inputs)
    made: list[Notifications] = []
    build(lambda: made.append(Notifications("main", notifications_args(browser=None))))
    assert made[0].browser_key is None, "there is nothing that browsers could subscribe with"


def test_apple_s_stages_are_different_services() -> None:
    def endpoint(stage: Literal["production", "sandbox"]) -> str:
        apple = notifications_args().apple
        assert apple
        args = notifications_args(apple=dataclasses.replace(apple, stage=stage))
        return revealed(build(lambda: Notifications("main", args)).one(":NotificationHub").inputs["apnsCredential"])[
            "endpoint"
        ]

    assert endpoint("production").startswith("https://api.push.apple.com:443/")
    assert endpoint("sandbox").startswith("https://api.development.push.apple.com:443/")


def test_a_key_can_listen_or_send_and_never_manage() -> None:
    rules = {
        each.inputs["authorizationRuleName"]: each.inputs for each in made("notifications").of("AuthorizationRule")
    }
    assert {name: rule["rights"] for name, rule in rules.items()} == {"listen": ["Listen"], "send": ["Send"]}
    assert not [rule for rule in rules.values() if {"primaryKey", "secondaryKey"} & set(rule)]


def test_connection_strings_leave_the_block_as_secrets() -> None:
    secret: list[bool] = []

    async def look(outputs: list[pulumi.Output[str]]) -> None:
        secret.extend([await each.is_secret() for each in outputs])

    def program() -> None:
        made = Notifications("main", notifications_args())
        pulumi.Output.from_input(look([made.listen, made.send]))

    build(program)
    assert secret == [True, True]


def test_registrations_stay_in_the_region_and_the_namespace_in_the_network() -> None:
    namespace = made("notifications").one("notificationhubs:Namespace").inputs
    assert namespace["replicationRegion"] == "None"
    assert namespace["zoneRedundancy"] == "Enabled"
    assert namespace["publicNetworkAccess"] == "Disabled"


def test_a_device_that_is_not_registered_again_is_forgotten_in_time() -> None:
    assert made("notifications").one(":NotificationHub").inputs["registrationTtl"] == "90.00:00:00"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"google": None, "apple": None, "browser": None}, r"none is given\. Give the credentials of at least one"),
        ({"forgets_after_days": 91}, r"forgets_after_days: 91 is not allowed; allowed is 1 to 90"),
        ({"tier": "Basic"}, r"need tier Standard, and tier is Basic\. Leave them out"),
    ],
)
def test_notifications_that_azure_would_refuse_are_refused_before(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        notifications_args(**changes)
