"""Files are reached by Entra identities from known networks alone; uploads can be erased, evidence can't."""

from __future__ import annotations

from typing import Any

import pytest

from components.file_containers import ContainerArgs
from components.file_store import FileStore
from tests.components.core_samples import store_args
from tests.components.mocks import Registered
from tests.components.samples import build
from tests.components.samples import made as whole
from tests.components.site import ACCESS


def made(**changes: Any) -> Registered:
    return build(lambda: FileStore("files", store_args(**changes)))


def test_no_key_no_password_and_no_anonymous_reader_gets_in() -> None:
    account = whole("file store").one(":StorageAccount").inputs
    assert account["allowSharedKeyAccess"] is account["allowBlobPublicAccess"] is account["isLocalUserEnabled"] is False
    assert account["allowCrossTenantReplication"] is False
    assert (account["minimumTlsVersion"], account["enableHttpsTrafficOnly"]) == ("TLS1_2", True)
    assert {each.inputs["publicAccess"] for each in whole("file store").of(":BlobContainer")} == {"None"}


def test_a_private_store_has_an_endpoint_a_sub_service_and_no_public_address() -> None:
    registered = whole("file store")
    assert registered.one(":StorageAccount").inputs["publicNetworkAccess"] == "Disabled"
    groups = [r.inputs["privateLinkServiceConnections"][0]["groupIds"] for r in registered.of(":PrivateEndpoint")]
    assert sorted(groups) == [["blob"], ["queue"]]


def test_an_open_store_lets_in_listed_subnets_and_addresses_alone() -> None:
    registered = made(access={}, subnet_ids=["/subnet"], allowed_addresses=["198.51.100.7"])
    rules = registered.one(":StorageAccount").inputs["networkRuleSet"]
    assert rules["defaultAction"] == "Deny"
    assert rules["virtualNetworkRules"] == [{"virtualNetworkResourceId": "/subnet", "action": "Allow"}]
    assert rules["ipRules"] == [{"iPAddressOrRange": "198.51.100.7", "action": "Allow"}]
    assert registered.of(":PrivateEndpoint") == []


def test_everything_is_encrypted_twice_once_with_our_key_in_its_newest_version() -> None:
    registered = whole("file store")
    account = registered.one(":StorageAccount")
    encryption = account.inputs["encryption"]
    assert (encryption["requireInfrastructureEncryption"], encryption["keySource"]) == (True, "Microsoft.Keyvault")
    assert encryption["keyVaultProperties"] == {"keyName": "data", "keyVaultUri": "https://kv.example/"}
    assert registered.one(":RoleAssignment", "files-storage-uses-key").urn in account.after


def test_what_is_deleted_can_be_had_back_for_a_while_and_is_gone_then() -> None:
    registered = whole("file store")
    service = registered.one(":BlobServiceProperties").inputs
    assert service["isVersioningEnabled"] is True
    assert service["deleteRetentionPolicy"] == {"enabled": True, "days": 30}
    rules = {rule["name"]: rule["definition"] for rule in registered.one(":ManagementPolicy").inputs["policy"]["rules"]}
    assert rules["earlier-versions"]["filters"]["prefixMatch"] == ["uploads/"], "evidence keeps its versions"
    assert rules["earlier-versions"]["actions"]["version"]["delete"]["daysAfterCreationGreaterThan"] == 30
    blobs = rules["uploads"]["actions"]["baseBlob"]
    assert blobs["tierToCool"]["daysAfterModificationGreaterThan"] == 90
    assert blobs["delete"]["daysAfterModificationGreaterThan"] == 400


def test_only_evidence_is_immutable_and_that_for_good() -> None:
    registered = whole("file store")
    policy = registered.one(":BlobContainerImmutabilityPolicy")
    assert policy.inputs["containerName"] == "audit"
    assert policy.inputs["immutabilityPeriodSinceCreationInDays"] == 1826
    locked = registered.one(":ImmutabilityLock")
    assert locked.inputs["policy"] == "/id/of/BlobContainerImmutabilityPolicy/files-audit"
    trial = made(containers={"audit": ContainerArgs(immutable_days=1)})
    assert trial.of(":ImmutabilityLock") == []


BAD: list[tuple[dict[str, Any], str]] = [
    ({"soft_delete_days": 0}, "allowed are 1 to 365"),
    ({"access": {"web": ACCESS, "blob": ACCESS}}, r"access: \['web'\] are no sub-services"),
    ({"access": {"queue": ACCESS}}, "blobs have no private endpoint"),
    ({"allowed_addresses": ["198.51.100.7"]}, "have no effect"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[each[1][:20] for each in BAD])
def test_what_cannot_work_is_refused_before_anything_is_registered(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        store_args(**changes)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"immutable_days": 146001}, "allowed are 0 to 146000"),
        ({"final": True}, "there is nothing to lock"),
        ({"immutable_days": 30, "delete_days": 30}, "allowed are more than"),
    ],
)
def test_a_container_that_contradicts_itself_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ContainerArgs(**given)


def test_the_one_key_encrypts_every_sub_service() -> None:
    """Queues and tables keep a key of Microsoft's unless it is said when the account is made."""
    services = made().one(":StorageAccount").inputs["encryption"]["services"]
    assert services == {key: {"enabled": True, "keyType": "Account"} for key in ("blob", "file", "queue", "table")}
