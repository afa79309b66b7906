"""A registry knows no password, keeps its images to itself, and is where they are needed."""

from __future__ import annotations

from typing import Any

import pytest

from components.registry import Registry
from tests.components.core_samples import registry_args
from tests.components.mocks import Registered
from tests.components.samples import build
from tests.components.samples import made as whole
from tests.components.site import ACCESS

BASIC: dict[str, Any] = {
    "sku": "Basic",
    "zone_redundant": False,
    "retention_days": 0,
    "replicas": {},
    "cached": {},
    "access": None,
    "key": None,
    "locked": False,
}


def made(**changes: Any) -> Registered:
    return build(lambda: Registry("main", registry_args(**changes)))


@pytest.mark.parametrize("changes", [{}, BASIC], ids=["whole", "basic"])
def test_nobody_gets_in_with_a_password_or_without_a_name(changes: dict[str, Any]) -> None:
    inputs = made(**changes).one("containerregistry:Registry").inputs
    assert (inputs["adminUserEnabled"], inputs["anonymousPullEnabled"]) == (False, False)


def test_a_private_registry_gives_its_images_to_no_other() -> None:
    inputs = whole("registry").one("containerregistry:Registry").inputs
    assert inputs["publicNetworkAccess"] == "Disabled"
    assert inputs["policies"]["exportPolicy"] == {"status": "disabled"}
    assert inputs["policies"]["retentionPolicy"] == {"status": "enabled", "days": 30}
    assert "policies" not in made(**BASIC).one("containerregistry:Registry").inputs


def test_images_are_encrypted_by_our_key_in_its_newest_version() -> None:
    registry = whole("registry").one("containerregistry:Registry")
    encryption = registry.inputs["encryption"]
    assert encryption["status"] == "enabled"
    assert encryption["keyVaultProperties"] == {
        "keyIdentifier": "https://kv.example/keys/data",
        "identity": "client of main-registry-key",
    }
    assert whole("registry").one(":RoleAssignment", "main-registry-uses-key").urn in registry.after


def test_the_endpoint_waits_for_all_regions_it_is_to_have_an_address_in() -> None:
    registered = whole("registry")
    assert registered.one(":Replication").inputs["location"] == "northeurope"
    assert registered.one(":Replication").urn in registered.one(":PrivateEndpoint").after


def test_a_replica_is_spread_over_zones_where_its_region_has_some() -> None:
    assert whole("registry").one(":Replication").inputs["zoneRedundancy"] == "Enabled"
    assert made(replicas={"ukwest": False}).one(":Replication").inputs["zoneRedundancy"] == "Disabled"


def test_public_images_are_copied_where_it_is_asked_for() -> None:
    rule = whole("registry").one(":CacheRule").inputs
    assert (rule["sourceRepository"], rule["targetRepository"]) == ("mcr.microsoft.com/*", "mcr/*")


BAD: list[tuple[dict[str, Any], str]] = [
    ({**BASIC, "access": ACCESS}, "access: needs sku Premium, and sku is Basic"),
    ({**BASIC, "zone_redundant": True}, "zone_redundant: needs sku Premium"),
    ({**BASIC, "retention_days": 7}, "retention_days: needs sku Premium"),
    ({**BASIC, "replicas": {"northeurope": False}}, "replicas: needs sku Premium"),
    ({"retention_days": 366}, "allowed are 0 to 365"),
    ({"replicas": {"westeurope": True}}, "is where the registry is"),
    ({"cached": {"mcr/*": "mcr.microsoft.com/dotnet/sdk"}}, "many into one"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[each[1][:24] for each in BAD])
def test_what_cannot_work_is_refused_before_anything_is_registered(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        registry_args(**changes)
