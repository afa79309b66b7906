"""What the API gateway promises: how it speaks, whom it trusts, what it logs, and which declarations it refuses."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from components.gateway import Gateway
from components.gateway_apis import ApiArgs, BackendArgs, ProductArgs, VersionArgs, operation_name
from tests.components.samples import DOCUMENT, POLICY, build, gateway_args, made, options


def without_id() -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    del document["paths"]["/accounts"]["get"]["operationId"]  # type: ignore[index]
    return document


def test_old_protocols_and_ciphers_are_off_on_both_sides() -> None:
    properties = made("gateway").one(":ApiManagementService").inputs["customProperties"]
    security = "Microsoft.WindowsAzure.ApiManagement.Gateway.Security"
    for old in ("Ssl30", "Tls10", "Tls11"):
        assert properties[f"{security}.Protocols.{old}"] == "False"
        assert properties[f"{security}.Backend.Protocols.{old}"] == "False"
    ciphers = [name for name in properties if ".Ciphers." in name]
    assert {properties[name] for name in ciphers} == {"False"}
    assert {"CBC_SHA", "TripleDes168", "TLS_RSA_WITH"} <= {
        part for part in ("CBC_SHA", "TripleDes168", "TLS_RSA_WITH") if any(part in name for name in ciphers)
    }
    assert not [name for name in ciphers if "ECDHE" in name and "GCM" in name]
    assert properties["Microsoft.WindowsAzure.ApiManagement.Gateway.Protocols.Server.Http2"] == "True"


def test_the_client_certificate_flag_is_what_azure_takes_outside_consumption() -> None:
    """pulumi-azure-native#1741, #1865: the SDK would send false, and Azure refuses it."""
    inputs = made("gateway").one(":ApiManagementService").inputs
    assert inputs["enableClientCertificate"] is True
    host = inputs["hostnameConfigurations"][0]
    assert host["negotiateClientCertificate"] is True
    assert "certificatePassword" not in host


def test_its_identity_may_read_the_vault_before_it_is_made() -> None:
    registered = made("gateway")
    grant = registered.one(":RoleAssignment", "main-reads-certificates")
    assert grant.inputs["scope"] == "/id/of/Vault/main"
    assert grant.urn in registered.one(":ApiManagementService").after
    (host,) = registered.one(":ApiManagementService").inputs["hostnameConfigurations"]
    assert host["identityClientId"] == "client of main-gateway"


def test_a_service_without_certificates_does_not_wait_for_rights_and_what_is_put_into_it_does() -> None:
    """It takes most of an hour to be made."""
    registered = build(lambda: Gateway("main", gateway_args(hosts=())))
    rights = {each.urn for each in registered.of(":RoleAssignment")}
    assert not rights & set(registered.one(":ApiManagementService").after)
    for part in (*registered.of(":NamedValue"), registered.one(":Logger")):
        assert rights <= set(part.after), part.name


def test_in_a_subnet_it_is_reached_from_the_virtual_network_only_unless_it_is_to_be_public() -> None:
    private = made("gateway").one(":ApiManagementService").inputs
    assert private["virtualNetworkType"] == "Internal"
    assert private["virtualNetworkConfiguration"] == {"subnetResourceId": "/id/of/Subnet/gateway"}
    both = build(lambda: Gateway("main", gateway_args(public=True))).one(":ApiManagementService").inputs
    assert both["virtualNetworkType"] == "External"
    assert both["virtualNetworkConfiguration"] == private["virtualNetworkConfiguration"]
    args = gateway_args(subnet_id=None, tier="Basic", capacity=1, zones=())
    public = build(lambda: Gateway("main", args)).one(":ApiManagementService").inputs
    assert public["virtualNetworkType"] == "None"
    assert "virtualNetworkConfiguration" not in public


def test_named_values_stay_in_the_vault() -> None:
    named = made("gateway").one(":NamedValue", "main-partner").inputs
    assert named["secret"] is True
    assert named["keyVault"] == {"secretIdentifier": "https://kv.example/secrets/partner"}
    assert "value" not in named


def test_named_values_are_read_with_the_one_identity_that_a_vaults_firewall_lets_in() -> None:
    registered = made("gateway")
    assert registered.one(":ApiManagementService").inputs["identity"]["type"] == "SystemAssigned, UserAssigned"
    grant = registered.one(":RoleAssignment", "main-reads-secrets")
    assert grant.inputs["principalId"] == "object of the service main"
    assert grant.urn in registered.one(":NamedValue", "main-partner").after
    without = build(lambda: Gateway("main", gateway_args(named_values={})))
    assert without.one(":ApiManagementService").inputs["identity"]["type"] == "UserAssigned"
    assert "main-reads-secrets" not in {each.name for each in without.of(":RoleAssignment")}


def test_what_a_policy_names_is_there_before_the_policy() -> None:
    registered = made("gateway")
    named = {each.urn for each in registered.of(":NamedValue")}
    backend = registered.one(":Backend")
    assert named <= set(backend.after)
    policies = [each for each in registered.resources if each.type.endswith("Policy")]
    assert len(policies) == 5
    for policy in policies:
        assert {*named, backend.urn} <= set(policy.after), policy.name


def test_values_that_are_no_secret_are_readable_beside_those_that_are() -> None:
    value = made("gateway").one(":NamedValue", "main-audience").inputs
    assert (value["value"], value["secret"], "keyVault" in value) == ("api://example", False, False)
    with pytest.raises(ValueError, match="values: \\['partner'\\] are in named_values, too"):
        gateway_args(values={"partner": "x"})


def test_backends_prove_who_they_are() -> None:
    backend = made("gateway").one(":Backend").inputs
    assert backend["tls"] == {"validateCertificateChain": True, "validateCertificateName": True}


def test_requests_are_logged_without_headers_bodies_addresses_and_query_parameters() -> None:
    diagnostic = made("gateway").one(":Diagnostic").inputs
    assert diagnostic["logClientIp"] is False
    for side in ("frontend", "backend"):
        for message in diagnostic[side].values():
            assert (message["headers"], message["body"]["bytes"]) == ([], 0)
            assert message["dataMasking"]["queryParams"] == [{"value": "*", "mode": "Hide"}]
    credentials = made("gateway").one(":Logger").inputs["credentials"]
    assert credentials["identityClientId"] == "client of main-gateway"


def test_versions_of_an_api_share_a_set_and_its_products_hold_them_all() -> None:
    registered = made("gateway")
    versions = sorted(registered.of("apimanagement:Api"), key=lambda each: each.name)
    assert [each.inputs["apiVersion"] for each in versions] == ["v1", "v2"]
    assert {each.inputs["apiVersionSetId"] for each in versions} == {"/id/of/ApiVersionSet/main-accounts"}
    assert json.loads(versions[0].inputs["value"]) == DOCUMENT
    assert len(registered.of(":ProductApi")) == 2
    product = registered.one("apimanagement:Product").inputs
    assert product["approvalRequired"] is product["subscriptionRequired"] is True
    assert registered.one("apimanagement:Subscription").inputs["scope"] == "/id/of/Product/main-partners"


def test_an_api_without_a_policy_of_its_own_is_sent_to_its_backend() -> None:
    policies = {each.name: each.inputs["value"] for each in made("gateway").of(":ApiPolicy")}
    assert '<set-backend-service backend-id="account" />' in policies["main-accounts-v1"]
    assert policies["main-accounts-v2"] == POLICY


def test_a_policy_that_passes_its_backend_by_is_refused() -> None:
    with pytest.raises(ValueError, match=r'Add <set-backend-service backend-id="account" /> to its inbound section'):
        VersionArgs(openapi=DOCUMENT, backend="account", policy="<policies />")


@pytest.mark.parametrize(
    "document",
    ['<policies a="@("x")" />', "<policies>@(a && b)</policies>", "<policies>@(List<int>)</policies>", "none"],
)
def test_a_policy_whose_expressions_are_not_written_as_xml_is_refused(document: str) -> None:
    """It is sent as XML, where Azure takes it for what it says; as "rawxml" it could not be told apart."""
    sent = [each for kind in ("Api", "ApiOperation", "Product", "") for each in made("gateway").of(f":{kind}Policy")]
    assert {each.inputs["format"] for each in sent} == {"xml"}
    backend = '<set-backend-service backend-id="account" />'
    with pytest.raises(ValueError, match=r"policy: the policy document is no XML: .*write &amp;"):
        VersionArgs(openapi=DOCUMENT, backend="account", policy=backend + document)
    with pytest.raises(ValueError, match="listAccounts: the policy document is no XML"):
        VersionArgs(openapi=DOCUMENT, backend="account", operation_policies={"listAccounts": document})
    with pytest.raises(ValueError, match="policy: the policy document is no XML"):
        ProductArgs(display_name="Partners", description="", apis=[], policy=document)


def test_an_operations_name_is_what_an_import_makes_of_its_id() -> None:
    assert [operation_name(each) for each in ("listAccounts", "GET-/foo/{bar}?buzz={quix}", "-A_b-")] == [
        "listaccounts", "get-foo-bar-buzz-quix", "a-b",
    ]  # fmt: skip
    for strange in ("", "{}", "x" * 77):
        with pytest.raises(ValueError, match="names nothing, or is longer than 76"):
            operation_name(strange)
    twice: Any = copy.deepcopy(DOCUMENT)
    twice["paths"]["/accounts"]["head"] = {"operationId": "ListAccounts"}
    with pytest.raises(ValueError, match=r"operationId 'listAccounts' is given twice"):
        VersionArgs(openapi=twice, backend="account")


def test_operations_keep_their_ids_over_imports() -> None:
    """An import deletes operations that the file lacks, with their policies."""
    with pytest.raises(ValueError, match=r"openapi: GET /accounts has no operationId\. Give it one, and keep it"):
        VersionArgs(openapi=without_id(), backend="account")
    twice: Any = copy.deepcopy(DOCUMENT)
    twice["paths"]["/accounts"]["head"] = {"operationId": "listAccounts"}
    with pytest.raises(ValueError, match=r"operationId 'listAccounts' is given twice"):
        VersionArgs(openapi=twice, backend="account")
    with pytest.raises(ValueError, match=r"\['gone'\] are no operations; allowed are \['listAccounts'\]"):
        VersionArgs(openapi=DOCUMENT, backend="account", operation_policies={"gone": POLICY})
    with pytest.raises(ValueError, match="no operations"):
        VersionArgs(openapi={"paths": {}}, backend="account")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tier": "Developer"}, r"zones: \['1', '2', '3'\] need tier Premium and a multiple of 3 units"),
        ({"capacity": 2}, r"a multiple of 3 units; given are Premium and 2"),
        ({"tier": "Standard", "zones": ()}, r"subnet_id: needs tier Developer or Premium, and tier is Standard"),
        ({"subnet_id": None, "public": True}, "public: without a subnet"),
        ({"backends": {}}, r"apis: accounts v1 has the backend 'account'; allowed are \[\]"),
        ({"apis": {}}, r"products: partners has the APIs \['accounts'\]; allowed are \[\]"),
    ],
)
def test_a_gateway_that_azure_would_refuse_is_refused_before(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gateway_args(**changes)


def test_names_and_addresses_that_can_not_work_are_refused() -> None:
    with pytest.raises(ValueError, match=r"path: '/accounts' is not allowed"):
        ApiArgs(display_name="A", path="/accounts", versions={"v1": VersionArgs(openapi=DOCUMENT, backend="a")})
    with pytest.raises(ValueError, match=r"the API 'A' has none"):
        ApiArgs(display_name="A", path="accounts", versions={})
    with pytest.raises(ValueError, match=r"url: http://x is not allowed"):
        BackendArgs(url="http://x")


def test_subscriptions_need_a_person_s_approval_unless_said_otherwise() -> None:
    assert ProductArgs(display_name="P", description="d", apis=[]).approval_required is True


def test_it_is_given_the_hours_that_azure_takes() -> None:
    """Creation takes 30 to 90 minutes, and may take longer: azure-native alone gives up after two hours."""
    timeouts = options("gateway")["ApiManagementService"].custom_timeouts
    assert timeouts
    assert (timeouts.create, timeouts.update) == ("3h", "3h")
