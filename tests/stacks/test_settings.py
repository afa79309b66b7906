"""A bad value ends in one error that names key, value, what is allowed, and what to do."""

from __future__ import annotations

import json
import string
from typing import Any

import pulumi
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from local.instance import REPOSITORY
from stacks.presets import PRESETS
from stacks.sections.foundation import REGIONS
from stacks.settings import Settings, parse
from tests.components.mocks import TENANT

GOOD: dict[str, Any] = {
    "tributary:preset": "dev",
    "tributary:location": "westeurope",
    "tributary:signIn": {
        "issuer": f"https://login.example/{TENANT}/v2.0",
        "audience": "api://tributary",
        "services": {"issuer": f"https://sts.example/{TENANT}/v2.0", "audience": "api://services"},
    },
    "tributary:domain": "tributary.example",
    "tributary:alerts": {"emails": {"on call": "oncall@example.com"}, "budgetSince": "2026-11-01"},
    "azure-native:metadataHost": "127.0.0.1:7401",
}
ALL = (
    "austriaeast, belgiumcentral, denmarkeast, francecentral, germanywestcentral, italynorth, northeurope, "
    "polandcentral, spaincentral, swedencentral, uksouth, ukwest, westeurope"
)


def read(**changes: Any) -> Settings:
    values = {**GOOD, **{f"tributary:{key}": value for key, value in changes.items()}}
    return parse({key: v if isinstance(v, str) else json.dumps(v) for key, v in values.items() if v is not None})


def complaint(**changes: Any) -> list[str]:
    with pytest.raises(pulumi.RunError) as refused:
        read(**changes)
    first, *problems, last = str(refused.value).splitlines()
    assert first == (
        f"{len(problems)} settings are wrong, so nothing was touched:"
        if len(problems) > 1
        else "1 setting is wrong, so nothing was touched:"
    )
    assert last == "Correct Pulumi.dev.yaml and run again."
    return [each.removeprefix("  tributary:") for each in problems]


BAD: list[tuple[str, dict[str, Any], str]] = [
    (
        "unknown setting",
        {"netwrok": {}},
        "netwrok is not a setting. Did you mean network? Allowed: alerts, cluster, database, domain, edge, "
        "functions, gateway, identity, images, location, messaging, monitoring, network, notifications, preset, "
        "registry, safeguards, services, signIn, storage, tags, upgrades, vault, webSite.",
    ),
    (
        "unknown nested setting",
        {"network": {"subnets": {"clusterr": "10.20.0.0/20"}}},
        "network.subnets.clusterr is not a setting. Did you mean cluster? Allowed: apiServer, cluster, "
        "edge, firewall, functions, gateway, privateEndpoints, runner, web.",
    ),
    (
        "malformed CIDR",
        {"network": {"addressSpace": "10.20.0.0/33"}},
        "network.addressSpace is \"10.20.0.0/33\": '33' is not a valid netmask. "
        "Allowed: a private IPv4 network such as 10.20.0.0/16.",
    ),
    (
        "CIDR with host bits",
        {"network": {"pods": "10.244.0.1/16"}},
        'network.pods is "10.244.0.1/16": 10.244.0.1/16 has host bits set. '
        "Allowed: a private IPv4 network such as 10.20.0.0/16.",
    ),
    (
        "public address space",
        {"network": {"addressSpace": "8.8.0.0/16"}},
        'network.addressSpace is "8.8.0.0/16": it is not a private network (RFC 1918). '
        "Allowed: a private IPv4 network such as 10.20.0.0/16.",
    ),
    (
        "subnet too small",
        {"network": {"subnets": {"cluster": "10.20.0.0/29"}}},
        "network.subnets.cluster is wrong: 10.20.0.0/29 is too small. Allowed is /27 or larger.",
    ),
    (
        "firewall without a subnet",
        {"network": {"egress": "firewall"}},
        "network.subnets.firewall is wrong: is missing, and egress is firewall. Allowed is /26 or larger.",
    ),
    (
        "neither hosts nor tags",
        {"network": {"allowedHosts": {"banks": {"sources": ["cluster"]}}}},
        "network.allowedHosts.banks.hosts is wrong: either hosts or tags must be given, not both. "
        "Allowed is one rule for each.",
    ),
    (
        "address space of the wrong size",
        {"network": {"addressSpace": "10.0.0.0/8"}},
        "network.addressSpace is wrong: 10.0.0.0/8 has the wrong size. Allowed is /16 to /24.",
    ),
    (
        "subnet outside",
        {"network": {"subnets": {"cluster": "10.21.0.0/24"}}},
        "network.subnets.cluster is wrong: 10.21.0.0/24 is outside the address space 10.20.0.0/16.",
    ),
    (
        "overlapping subnets",
        {"network": {"subnets": {"privateEndpoints": "10.20.8.0/24"}}},
        "network.subnets.privateEndpoints is wrong: 10.20.8.0/24 overlaps subnets.cluster (10.20.0.0/20). "
        "Allowed are networks without overlap.",
    ),
    (
        "pods inside the virtual network",
        {"network": {"pods": "10.20.128.0/20"}},
        "network.pods is wrong: 10.20.128.0/20 overlaps addressSpace (10.20.0.0/16). "
        "Allowed are networks without overlap.",
    ),
    ("unsupported region", {"location": "eastus"}, f'location is "eastus". Allowed: {ALL}.'),
    (
        "misspelt region",
        {"location": "WestEurope"},
        f'location is "WestEurope". Allowed: {ALL}. Did you mean westeurope?',
    ),
    ("object as text", {"network": "hello"}, 'network is "hello". Allowed: an object.'),
    ("number as text", {"cluster": {"nodeCount": "two"}}, 'cluster.nodeCount is "two". Allowed: nodes, 1 to 100.'),
    ("quoted number", {"cluster": {"nodeCount": "2"}}, 'cluster.nodeCount is "2". Allowed: nodes, 1 to 100.'),
    (
        "number out of range",
        {"monitoring": {"retentionDays": 3}},
        "monitoring.retentionDays is 3. Allowed: days, 30 to 730.",
    ),
    (
        "text for a flag",
        {"services": {"sandboxBanks": "yes"}},
        'services.sandboxBanks is "yes". Allowed: true or false.',
    ),
    ("element of a list", {"cluster": {"zones": ["1", "4"]}}, 'cluster.zones[1] is "4". Allowed: 1, 2, 3.'),
    ("unknown preset", {"preset": "prd"}, 'preset is "prd". Allowed: local, dev, prod. Did you mean prod?'),
    ("missing preset", {"preset": None}, "preset is missing. Allowed: local, dev, prod."),
    (
        "plain-text issuer",
        {"signIn": {"issuer": "http://login.example", "audience": "a"}},
        'signIn.issuer is "http://login.example": its scheme is not https. Allowed: a URL that starts with https://.',
    ),
    (
        "External ID by a name that its tokens do not have",
        {"signIn": {**GOOD["tributary:signIn"], "issuer": f"https://people.ciamlogin.com/{TENANT}/v2.0"}},
        f'signIn.issuer is "https://people.ciamlogin.com/{TENANT}/v2.0": '
        "External ID's tokens name a tenant by its id, here "
        f"https://{TENANT}.ciamlogin.com/{TENANT}/v2.0. Allowed: a URL that starts with https://.",
    ),
    (
        "an issuer of no tenant",
        {"signIn": {"issuer": "https://login.example/v2.0", "audience": "a"}},
        "identity.tenantId is wrong: is missing, and signIn.issuer (https://login.example/v2.0) names no tenant. "
        "Allowed is a lower-case UUID, or identity: null for a tenant that is set up otherwise.",
    ),
    (
        "a document that is none",
        {"signIn": {**GOOD["tributary:signIn"], "discovery": "https://login.example/v2.0"}},
        'signIn.discovery is "https://login.example/v2.0": it does not end in /.well-known/openid-configuration. '
        "Allowed: a URL that starts with https://.",
    ),
    (
        "a document in plain text",
        {"signIn": {**GOOD["tributary:signIn"], "discovery": "http://login.example/.well-known/openid-configuration"}},
        'signIn.discovery is "http://login.example/.well-known/openid-configuration": its scheme is not https. '
        "Allowed: a URL that starts with https://.",
    ),
    (
        "a document beside the one of a tenant that is set up here",
        {"signIn": {**GOOD["tributary:signIn"], "discovery": "https://login.example/.well-known/openid-configuration"}},
        "signIn.discovery is wrong: is https://login.example/.well-known/openid-configuration, and the tenant that "
        "identity sets up has a document of its own. "
        "Allowed is null, or identity: null for a tenant that is set up otherwise.",
    ),
    (
        "people's tenant for services",
        {"signIn": {**GOOD["tributary:signIn"], "services": None}},
        "signIn.services is wrong: is missing, and no identity of a subscription gets tokens of a tenant that identity "
        "sets up for people. Allowed is the issuer and audience of an application in the subscription's tenant.",
    ),
    (
        "feature of another SKU",
        {"registry": {"zoneRedundant": True}},
        "registry.zoneRedundant is wrong: true needs sku Premium, and sku is Basic.",
    ),
    (
        "an address without an @",
        {"alerts": {"emails": {"on call": "nobody"}, "budgetSince": "2026-11-01"}},
        "alerts.emails.on call is not shown, as it may be personal or secret. "
        "Allowed: at least one e-mail address by name.",
    ),
    (
        "a budget that begins within a month",
        {"alerts": {"emails": {"on call": "oncall@example.com"}, "budgetSince": "2026-11-20"}},
        'alerts.budgetSince is "2026-11-20". Allowed: first day of a month, e.g. "2026-11-01".',
    ),
    (
        "a gateway that can't be in a network",
        {"gateway": {"tier": "Basic"}},
        'gateway.tier is "Basic". Allowed: Developer, Premium.',
    ),
    (
        "a domain that is an address",
        {"domain": "https://tributary.example/"},
        'domain is "https://tributary.example/". '
        "Allowed: a DNS name such as tributary.example, below which the stack's host names lie.",
    ),
    (
        "zones of a plan without",
        {"webSite": {"zoneRedundant": True}},
        "webSite.zoneRedundant is wrong: true needs a Premium plan and two instances, and there are S1 and 1.",
    ),
    (
        "messages copied by a tier that can't",
        {"messaging": {"replicated": True}},
        "messaging.replicated is wrong: true needs tier Premium, and tier is Standard.",
    ),
    (
        "a seal without hardware",
        {"vault": {"sealExpires": "2028-11-30"}},
        "vault.sealExpires is wrong: a seal's key needs sku premium, and sku is standard. Allowed is null.",
    ),
    (
        "keys of ours in a vault that forgets",
        {"safeguards": {"customerKeys": True}},
        "safeguards.customerKeys is wrong: true needs vault.purgeProtection, and that is false.",
    ),
    (
        "fewer than the least",
        {"cluster": {"nodeMaximum": 1}},
        "cluster.nodeMaximum is wrong: 1 is less than nodeCount (2).",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), [each[1:] for each in BAD], ids=[each[0] for each in BAD])
def test_a_bad_value_is_named_with_what_is_allowed(changes: dict[str, Any], expected: str) -> None:
    assert complaint(**changes) == [expected]


def test_all_wrong_values_are_in_the_one_error() -> None:
    said = complaint(preset="prd", location="eastus", netwrok={}, vault={"softDeleteDays": 1})
    assert sorted(each.split()[0] for each in said) == ["location", "netwrok", "preset", "vault.softDeleteDays"]


def test_zones_are_refused_where_the_region_has_none() -> None:
    (said,) = complaint(preset="prod", location="ukwest")
    assert said.startswith('location is "ukwest": it has no availability zones. Allowed: ')
    assert "uksouth" in said
    assert "ukwest," not in said.split("Allowed")[1]


def test_a_secret_value_is_not_repeated() -> None:
    values = {
        **{k: v if isinstance(v, str) else json.dumps(v) for k, v in GOOD.items()},
        "tributary:location": "hunter2",
    }
    with pytest.raises(pulumi.RunError) as refused:
        parse(values, secret={"tributary:location"})
    assert "hunter2" not in str(refused.value)


def test_the_projects_own_defaults_change_nothing_of_a_preset() -> None:
    """The engine hands over Pulumi.yaml's defaults: an empty object is none of a block that a preset leaves out."""
    project = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())["config"]
    defaults = {name: said["default"] for name, said in project.items() if "default" in said and name != "alerts"}
    for preset in PRESETS:
        assert read(preset=preset, **defaults) == read(preset=preset)


def test_yaml_holds_only_what_differs_from_the_preset() -> None:
    assert read(cluster={"nodeCount": 3}).cluster == PRESETS["dev"].cluster.model_copy(update={"node_count": 3})
    assert read(database={"elasticPool": None}).database.elastic_pool is None


@pytest.mark.parametrize("name", ["edge", "identity"])
def test_a_null_leaves_a_block_out_as_json_and_as_the_empty_text_that_the_engine_makes_of_it(name: str) -> None:
    for said in ("null", ""):
        settings = read(preset="prod", **{name: said})
        assert getattr(settings, name) is None
    assert getattr(read(preset="prod"), name) is not None


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_valid_in_every_zoned_region(preset: str) -> None:
    for region in REGIONS:
        if region != "ukwest":
            assert read(preset=preset, location=region).location == region


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().location = "northeurope"  # type: ignore[misc]


words = st.text(string.printable, max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(sorted(Settings.model_fields)) | words


@given(name=names, value=values)
def test_any_input_is_accepted_or_refused_in_one_readable_error(name: str, value: Any) -> None:
    raw = {k: v if isinstance(v, str) else json.dumps(v) for k, v in GOOD.items()}
    raw[f"tributary:{name}"] = value if isinstance(value, str) else json.dumps(value)
    try:
        assert isinstance(parse(raw), Settings)
    except pulumi.RunError as refused:
        said = str(refused)
    else:
        return
    assert f"tributary:{name}" in said
    assert "pydantic" not in said


@given(network=st.ip_addresses(v=4), prefix=st.integers(0, 32))
def test_only_private_networks_of_the_right_size_become_an_address_space(network: Any, prefix: int) -> None:
    raw = {k: v if isinstance(v, str) else json.dumps(v) for k, v in GOOD.items()}
    raw["tributary:network"] = json.dumps({"addressSpace": f"{network}/{prefix}"})
    try:
        settings = parse(raw)
    except pulumi.RunError as refused:
        said = str(refused)
    else:
        assert settings.network.address_space.startswith(("10.", "172.", "192.168."))
        assert 16 <= prefix <= 24
        return
    assert "tributary:network" in said
