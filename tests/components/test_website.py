"""What the website promises, for itself and for the slot that it is tried out in."""

from __future__ import annotations

from typing import Any

import pytest

from components.website import WebSite
from tests.components.samples import build, made, website_args


def sites() -> list[dict[str, Any]]:
    return [dict(made("website").one("web:WebApp").inputs), dict(made("website").one("web:WebAppSlot").inputs)]


def test_site_and_slot_speak_https_only_and_leave_through_the_network() -> None:
    for site in sites():
        assert site["httpsOnly"] is True
        assert site["siteConfig"]["minTlsVersion"] == site["siteConfig"]["scmMinTlsVersion"] == "1.2"
        assert site["siteConfig"]["ftpsState"] == "Disabled"
        assert site["siteConfig"]["remoteDebuggingEnabled"] is False
        assert site["siteConfig"]["vnetRouteAllEnabled"] is True
        assert site["virtualNetworkSubnetId"] == "/id/of/Subnet/web"
        assert site["siteConfig"]["healthCheckPath"] == "/index.html"


def test_nobody_deploys_with_a_password_to_site_or_slot() -> None:
    allowed = {
        each.type.rsplit(":", 1)[1]: each.inputs["allow"]
        for each in made("website").resources
        if "Allowed" in each.type
    }
    assert allowed == {
        "WebAppFtpAllowed": False,
        "WebAppScmAllowed": False,
        "WebAppFtpAllowedSlot": False,
        "WebAppScmAllowedSlot": False,
    }


def test_application_settings_have_one_writer() -> None:
    """pulumi-azure-native#1876: a second one would replace the whole set."""
    assert not [each for each in made("website").resources if "ApplicationSettings" in each.type]
    site, slot = ({each["name"]: each["value"] for each in each["siteConfig"]["appSettings"]} for each in sites())
    assert site == {"API_URL": "https://api.example.com", "STAGE": "live"}
    assert slot == site | {"STAGE": "trial"}


def test_a_swap_leaves_the_slot_s_settings_where_they_are() -> None:
    names = made("website").one(":WebAppSlotConfigurationNames").inputs
    assert names["appSettingNames"] == ["STAGE"]
    plain = build(lambda: WebSite("main", website_args(slot_settings={})))
    assert plain.of(":WebAppSlotConfigurationNames") == []


def test_site_and_slot_have_a_private_endpoint_each_or_none() -> None:
    groups = {
        each.inputs["privateLinkServiceConnections"][0]["groupIds"][0]
        for each in made("website").of(":PrivateEndpoint")
    }
    assert groups == {"sites", "sites-staging"}
    assert {each["publicNetworkAccess"] for each in sites()} == {"Disabled"}
    public = build(lambda: WebSite("main", website_args(access=None)))
    assert public.of(":PrivateEndpoint") == []
    assert public.one("web:WebApp").inputs["publicNetworkAccess"] == "Enabled"


def test_secrets_are_read_from_the_vault_as_the_site_s_identity() -> None:
    for site in sites():
        assert site["identity"]["type"] == "UserAssigned"
        assert site["keyVaultReferenceIdentity"] == "/id/of/UserAssignedIdentity/main-site"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sku": "B1"}, r"sku: B1 has no slots; allowed are Standard \(S1\) and better"),
        ({"instances": 1}, r"zone_redundant: needs a Premium plan and 2 instances; given are P1v3 and 1"),
        ({"sku": "S1"}, r"zone_redundant: needs a Premium plan"),
        ({"health_path": "index.html"}, r"health_path: 'index.html' is not allowed"),
        ({"slot_settings": {"OTHER": "x"}}, r"slot_settings: \['OTHER'\] are no settings; allowed are"),
    ],
)
def test_a_website_that_azure_would_refuse_is_refused_before(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        website_args(**changes)
