"""A vault is opened by roles from known networks alone; its keys do one thing, rotate, and are missed in time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from components.vault import Vault
from components.vault_key import KeyArgs
from tests.components.core_samples import vault_args
from tests.components.mocks import Registered
from tests.components.samples import build
from tests.components.samples import made as whole
from tests.components.secrets import is_secret, revealed

OPEN: dict[str, Any] = {
    "sku": "standard",
    "purge_protection": False,
    "soft_delete_days": 7,
    "access": None,
    "subnet_ids": ["/subnet"],
    "allowed_addresses": ["198.51.100.0/24"],
    "keys": {"user-data": KeyArgs()},
    "locked": False,
}


def made(**changes: Any) -> Registered:
    return build(lambda: Vault("main", vault_args(**changes)))


def test_roles_open_it_and_no_access_policy() -> None:
    properties = whole("vault").one("keyvault:Vault").inputs["properties"]
    assert properties["enableRbacAuthorization"] is True
    assert "accessPolicies" not in properties
    assert properties["networkAcls"]["defaultAction"] == "Deny"


def test_a_private_vault_has_an_endpoint_and_no_public_address() -> None:
    properties = whole("vault").one("keyvault:Vault").inputs["properties"]
    assert properties["publicNetworkAccess"] == "Disabled"
    assert properties["networkAcls"]["ipRules"] == properties["networkAcls"]["virtualNetworkRules"] == []
    endpoint = whole("vault").one(":PrivateEndpoint").inputs
    assert endpoint["privateLinkServiceConnections"][0]["groupIds"] == ["vault"]


def test_an_open_vault_lets_in_listed_subnets_and_addresses_alone() -> None:
    rules = made(**OPEN).one("keyvault:Vault").inputs["properties"]["networkAcls"]
    assert rules["defaultAction"] == "Deny"
    assert rules["virtualNetworkRules"] == [{"id": "/subnet"}]
    assert rules["ipRules"] == [{"value": "198.51.100.0/24"}]


def test_purge_protection_is_on_or_absent_but_never_false() -> None:
    assert whole("vault").one("keyvault:Vault").inputs["properties"]["enablePurgeProtection"] is True
    assert "enablePurgeProtection" not in made(**OPEN).one("keyvault:Vault").inputs["properties"]


def test_only_a_vault_without_purge_protection_gives_its_name_back_after_it_is_gone() -> None:
    registered = made(**OPEN)
    assert registered.one(":NameRelease").urn in registered.one("keyvault:Vault").after
    assert whole("vault").of(":NameRelease") == []


def test_a_wrapping_key_can_do_nothing_but_wrap_and_rotates() -> None:
    key = whole("vault").one(":Key", "main-user-data").inputs["properties"]
    assert (key["kty"], key["keyOps"]) == ("RSA-HSM", ["wrapKey", "unwrapKey"])
    assert key["keySize"] >= 3072
    actions = {each["action"]["type"]: each["trigger"] for each in key["rotationPolicy"]["lifetimeActions"]}
    assert actions == {"rotate": {"timeAfterCreate": "P365D"}, "notify": {"timeBeforeExpiry": "P30D"}}
    assert key["rotationPolicy"]["attributes"]["expiryTime"] == "P730D"


def test_a_seals_key_is_in_hardware_signs_alone_ends_with_its_certificate_and_cannot_leave() -> None:
    key = whole("vault").one(":Key", "main-seal").inputs["properties"]
    assert (key["kty"], key["keyOps"]) == ("RSA-HSM", ["sign", "verify"])
    assert key["attributes"] == {"expires": 1859241599, "exportable": False}
    assert not {"rotationPolicy", "releasePolicy"} & set(key)


def test_people_are_told_before_something_expires() -> None:
    subscription = whole("vault").one(":SystemTopicEventSubscription").inputs
    assert {"Microsoft.KeyVault.KeyNearExpiry", "Microsoft.KeyVault.CertificateNearExpiry"} <= set(
        subscription["filter"]["includedEventTypes"]
    )
    assert subscription["destination"]["endpointType"] == "MonitorAlert"
    assert subscription["destination"]["actionGroups"] == ["/id/of/ActionGroup/main"]
    assert subscription["eventDeliverySchema"] == "CloudEventSchemaV1_0"


def test_a_block_is_handed_a_key_with_all_that_services_ask_for() -> None:
    seen: list[Any] = []

    def program() -> None:
        key = Vault("main", vault_args()).customer_key("user-data")
        key.uri.apply(seen.append)
        key.name.apply(seen.append)

    build(program)
    assert sorted(seen) == ["https://kv.example/keys/main-user-data", "main-user-data"]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"soft_delete_days": 6}, "allowed are 7 to 90"),
    ({"sku": "standard"}, r"keys: \['seal', 'user-data'\] want hardware, which needs sku premium"),
    ({"subnet_ids": ["/subnet"]}, "subnet_ids and allowed_addresses have no effect"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[each[1][:20] for each in BAD])
def test_what_cannot_work_is_refused_before_anything_is_registered(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        vault_args(**changes)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"use": "sign", "expires": date(2028, 1, 1)}, "has to be in an HSM"),
        ({"use": "sign", "hardware": True, "rotate_days": 90, "expires": date(2028, 1, 1)}, "can't rotate"),
        ({"use": "sign", "hardware": True}, "expires: is missing"),
        ({"rotate_days": 7}, "allowed are 28 to 365"),
    ],
)
def test_a_key_that_breaks_its_purpose_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KeyArgs(**given)


def test_certificates_are_asked_for_with_the_right_to_and_once_the_vault_is_reached() -> None:
    registered = whole("vault")
    right = registered.one(":RoleAssignment", "main-asks-for-certificates")
    assert right.inputs["principalId"] == "object of the pipeline"
    asked = registered.one("tributary:VaultCertificate")
    assert (asked.inputs["name"], asked.inputs["use"]) == ("qwac", "transport")
    assert {right.urn, registered.one(":PrivateDnsZoneGroup").urn} <= set(asked.after)
    assert not made(certificates={}).of(":RoleAssignment")
    with pytest.raises(ValueError, match="deployer_id: is missing"):
        vault_args(deployer_id=None)


def test_a_secret_that_is_kept_follows_its_value_ends_one_day_and_is_encrypted_in_the_state() -> None:
    registered = build(lambda: Vault("main", vault_args()).keep("opens-something", "the value"))
    kept = registered.one("keyvault:Secret")
    properties = kept.inputs["properties"]
    assert (kept.name, kept.inputs["secretName"]) == ("main-opens-something", "opens-something")
    assert is_secret(properties) or is_secret(properties["value"])
    left = revealed(properties)["attributes"]["expires"] - datetime.now(UTC).timestamp()
    assert timedelta(days=728).total_seconds() < left <= timedelta(days=730).total_seconds()
