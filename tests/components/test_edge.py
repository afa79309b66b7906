"""What the edge promises: what it lets through, how it speaks to both sides, and that its parts fit together."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.edge import Edge
from components.edge_routes import RouteArgs
from components.firewall_policy import PassArgs
from tests.components.samples import build, edge_args, made


def gateway() -> dict[str, Any]:
    return dict(made("edge").one(":ApplicationGateway").inputs)


def test_attacks_are_blocked_and_not_only_counted() -> None:
    policy = made("edge").one(":WebApplicationFirewallPolicy").inputs
    settings = policy["policySettings"]
    assert (settings["mode"], settings["state"]) == ("Prevention", "Enabled")
    assert settings["requestBodyCheck"] is settings["requestBodyEnforcement"] is True
    kinds = {each["ruleSetType"] for each in policy["managedRules"]["managedRuleSets"]}
    assert kinds == {"Microsoft_DefaultRuleSet", "Microsoft_BotManagerRuleSet"}
    assert gateway()["firewallPolicy"] == {"id": "/id/of/WebApplicationFirewallPolicy/main"}
    assert gateway()["forceFirewallPolicyAssociation"] is True


def test_one_address_can_not_send_more_than_its_share() -> None:
    registered = build(lambda: Edge("main", edge_args(requests_per_minute=77)))
    (rule,) = registered.one(":WebApplicationFirewallPolicy").inputs["customRules"]
    assert (rule["rateLimitThreshold"], rule["rateLimitDuration"], rule["action"]) == (77, "OneMin", "Block")
    assert rule["groupByUserSession"][0]["groupByVariables"] == [{"variableName": "ClientAddr"}]
    # Not one impossible address: every address.
    assert rule["matchConditions"][0]["negationConditon"] is True


def test_only_a_file_s_post_to_a_path_of_uploads_passes_the_rules_by_and_not_the_limit() -> None:
    registered = build(lambda: Edge("main", edge_args(passes=PassArgs(uploads=["/api/photos", "/api/films"]))))
    limit, uploads = registered.one(":WebApplicationFirewallPolicy").inputs["customRules"]
    assert limit["priority"] < uploads["priority"]
    assert (uploads["ruleType"], uploads["action"], uploads["state"]) == ("MatchRule", "Allow", "Enabled")
    # Conditions hold together, values each for itself.
    assert {
        each["matchVariables"][0]["variableName"]: (each["operator"], each["matchValues"])
        for each in uploads["matchConditions"]
    } == {"RequestMethod": ("Equal", ["POST"]), "RequestUri": ("Equal", ["/api/photos", "/api/films"])}


def test_an_upload_s_path_is_one_path() -> None:
    with pytest.raises(ValueError, match=r"^uploads: \['/api/\*'\] are not all paths such as /api/photos"):
        PassArgs(uploads=["/api/*"])


def test_rules_that_microsoft_replaced_or_takes_back_stop_nobody() -> None:
    sets = made("edge").one(":WebApplicationFirewallPolicy").inputs["managedRules"]["managedRuleSets"]
    (group,) = sets[0]["ruleGroupOverrides"]
    # Azure refuses the names that its page had for years (hashicorp/terraform-provider-azurerm#24194).
    assert group["ruleGroupName"] == "SQLI"
    assert {rule["ruleId"] for rule in group["rules"]} == {"942110", "942150", "942260", "942430", "942440"}
    assert {rule["state"] for rule in group["rules"]} == {"Disabled"}


def test_a_link_passes_one_rule_and_a_secret_all_of_them() -> None:
    registered = build(lambda: Edge("main", edge_args(passes=PassArgs(links=["home"], secrets=["password"]))))
    link, secret = registered.one(":WebApplicationFirewallPolicy").inputs["managedRules"]["exclusions"]
    for each, selector, operator in ((link, "home", "EndsWith"), (secret, "password", "Equals")):
        assert (each["matchVariable"], each["selector"], each["selectorMatchOperator"]) == (
            "RequestArgValues", selector, operator,
        )  # fmt: skip
    (rules,) = link["exclusionManagedRuleSets"]
    assert rules["ruleGroups"] == [{"ruleGroupName": "RFI", "rules": [{"ruleId": "931130"}]}]
    (rules,) = secret["exclusionManagedRuleSets"]
    assert not rules.get("ruleGroups")


def test_tokens_do_not_get_into_the_firewall_s_log() -> None:
    scrubbing = made("edge").one(":WebApplicationFirewallPolicy").inputs["policySettings"]["logScrubbing"]
    assert scrubbing["state"] == "Enabled"
    assert {rule["selector"] for rule in scrubbing["scrubbingRules"]} == {"authorization", "cookie"}


def test_plain_http_is_only_redirected() -> None:
    listeners = {each["name"]: each for each in gateway()["httpListeners"]}
    plain = {name for name, each in listeners.items() if each["protocol"] == "Http"}
    assert plain == {"api-plain", "app-plain"}
    for rule in gateway()["requestRoutingRules"]:
        listener = rule["httpListener"]["id"].rsplit("/", 1)[1]
        assert ("redirectConfiguration" in rule) is (listener in plain)
        assert ("backendAddressPool" in rule) is (listener not in plain)
    assert gateway()["sslPolicy"]["policyName"] == "AppGwSslPolicy20220101S"


def test_backends_are_spoken_to_by_tls_and_asked_for_by_their_own_name() -> None:
    for settings in gateway()["backendHttpSettingsCollection"]:
        assert (settings["protocol"], settings["port"]) == ("Https", 443)
        assert settings["hostName"] == f"{settings['name']}.internal.example"
    assert {each["protocol"] for each in gateway()["probes"]} == {"Https"}


def test_certificates_come_from_the_vault_which_the_identity_may_read_before() -> None:
    assert gateway()["sslCertificates"] == [
        {"name": name, "keyVaultSecretId": f"https://kv.example/secrets/{name}"} for name in ("api", "app")
    ]
    grant = made("edge").one(":RoleAssignment")
    assert grant.urn in made("edge").one(":ApplicationGateway").after


def test_every_part_that_is_named_is_there() -> None:
    body = gateway()
    parts = {(kind, each["name"]) for kind, value in body.items() if isinstance(value, list) for each in _named(value)}
    own = "/subscriptions/51b5c9a2-6f0e-4a57-8a3c-2d9e6b8f4402/resourceGroups/rg-test/providers/"
    own += "Microsoft.Network/applicationGateways/agw-main-test/"
    named = set(re.findall(rf"{own}(\w+)/([\w-]+)'", str(body)))
    assert len(named) > 8
    assert named <= parts


def _named(parts: list[Any]) -> list[dict[str, Any]]:
    return [each for each in parts if isinstance(each, dict) and "name" in each]


def test_every_rule_has_a_priority_of_its_own() -> None:
    priorities = [rule["priority"] for rule in gateway()["requestRoutingRules"]]
    assert len(set(priorities)) == len(priorities) == 4


def test_the_address_that_dns_points_to_stays_and_spans_the_zones() -> None:
    address = made("edge").one(":PublicIPAddress").inputs
    assert (address["publicIPAllocationMethod"], address["zones"]) == ("Static", ["1", "2", "3"])
    assert made("edge").one(":ManagementLockByScope").inputs["scope"] == "/id/of/PublicIPAddress/main"


def _route(**changes: Any) -> RouteArgs:
    usual: dict[str, Any] = {
        "host": "a.example.com",
        "certificate": "c",
        "backend_address": "b",
        "backend_host": "b",
        "probe_path": "/",
    }
    return RouteArgs(**usual | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"routes": {}}, r"routes: there are 0; allowed are 1 to 50"),
        ({"minimum": 6}, r"minimum, maximum: 6 and 5 are not allowed"),
        ({"minimum": 0, "maximum": 1}, r"the maximum is at least 2"),
        ({"routes": {"a": _route(), "b": _route()}}, r"are not all different\. Give each host one route"),
    ],
)
def test_an_edge_that_azure_would_refuse_is_refused_before(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        edge_args(**changes)


@pytest.mark.parametrize("wrong", [{"host": "*.example.com"}, {"host": "Example.com"}, {"probe_path": "status"}])
def test_a_route_names_one_host_and_a_path(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))}: .* is not allowed; allowed are "):
        _route(**wrong)
