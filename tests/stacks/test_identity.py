"""Whose tokens the services take: whom the settings name, or the tenant that the stack sets up."""

from __future__ import annotations

import json
import runpy
from typing import Any

import pulumi
import pytest

from components.firewall import FirewallArgs
from stacks.identity import make_identity
from stacks.network import _egress
from stacks.services import SERVICES
from stacks.settings import Settings, parse
from tests.components.mocks import TENANT, Registered, run
from tests.stacks.program import NOBODYS, ROOT, config

IDENTITY: dict[str, Any] = {"tenantId": TENANT, "redirects": {"website": ["https://app.example.com/"]}}


def deployed(identity: dict[str, Any] | None, *, preview: bool = False, **more: Any) -> Registered:
    changed = config("dev") | {"tributary:identity": identity} | more
    return run(lambda: runpy.run_path(str(ROOT / "__main__.py")), config=changed, stack="dev", preview=preview)


def told(found: Registered, name: str) -> set[str]:
    """The values of a variable in all services."""
    containers = [each.inputs["spec"]["template"]["spec"]["containers"][0] for each in found.of("apps/v1:Deployment")]
    variables = [variable for container in containers for variable in container["env"]]
    return {each["value"] for each in variables if each["name"] == name}


def as_told(value: Any) -> str:
    """A setting as the engine hands it over."""
    return value if isinstance(value, str) else json.dumps(value) if value is not None else ""


def audiences(found: Registered) -> set[str]:
    return told(found, "TOKEN_AUDIENCE")


def tenants(found: Registered) -> set[str]:
    return {each.inputs["tenant_id"] for each in found.of(":GraphObject")}


def test_services_take_tokens_for_the_api_that_the_stack_registered() -> None:
    found = deployed(IDENTITY)
    assert audiences(found) == {"client of tributary-dev-api"}
    assert told(found, "SERVICE_TOKEN_AUDIENCE") == {"api://tributary-services"}, "identities can't have the other's"
    assert told(found, "SERVICE_TOKEN_ISSUER") == {f"https://login.microsoftonline.com/{TENANT}/v2.0"}


def test_the_user_service_alone_reaches_peoples_accounts_and_proves_itself_by_its_clusters_token() -> None:
    found = deployed(IDENTITY)
    objects = {each.name: each.inputs["body"] for each in found.of(":GraphObject")}
    trusted = objects["tributary-dev-directory-trust"]
    assert trusted["issuer"] == "https://issuer.example/"
    assert trusted["subject"] == "system:serviceaccount:tributary:user"
    assert told(found, "DIRECTORY_CLIENT") == {"client of tributary-dev-directory"}
    assert told(found, "DIRECTORY_TENANT") == {TENANT}
    assert told(found, "DIRECTORY_URL") == {"https://graph.microsoft.com"}
    variables = {
        each.name: {variable["name"] for variable in each.inputs["spec"]["template"]["spec"]["containers"][0]["env"]}
        for each in found.of("apps/v1:Deployment")
    }
    assert [name for name, given in variables.items() if "DIRECTORY_URL" in given] == ["user"]


def test_a_b2c_tenants_tokens_are_verified_as_its_sign_in_flow_says() -> None:
    host = f"https://people.b2clogin.com/{TENANT}"
    services = {"issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0", "audience": "api://tributary-services"}
    sign_in = {"issuer": f"{host}/v2.0/", "audience": "api://tributary", "services": services}
    found = deployed({**IDENTITY, "kind": "b2c", "secondFactor": False}, **{"tributary:signIn": sign_in})
    assert told(found, "TOKEN_ISSUER") == {f"{host}/B2C_1_signin/v2.0"}
    (policy,) = (each.inputs["value"] for each in found.of("apimanagement:ApiPolicy"))
    assert f'<openid-config url="{host}/B2C_1_signin/v2.0/.well-known/openid-configuration" />' in policy
    assert f"<issuer>{host}/v2.0/</issuer>" in policy


def test_the_tenant_that_issues_the_tokens_is_set_up_where_no_other_is_named() -> None:
    found = deployed({})
    assert tenants(found) == {TENANT}
    app = next(each for each in found.of(":GraphObject") if each.name == "tributary-dev-app")
    assert app.inputs["body"]["spa"]["redirectUris"] == ["https://app.dev.tributary.example/"]
    other = "11111111-1111-4111-8111-111111111111"
    assert tenants(deployed({"tenantId": other})) == {other}


def test_a_tenant_that_is_left_alone_is_not_touched() -> None:
    found = deployed(None)
    assert not found.of(":GraphObject")
    assert told(found, "DIRECTORY_URL") == set()
    assert audiences(found) == {config("dev")["tributary:signIn"]["audience"]}


def otherwise(stack: str, **sign_in: str) -> Settings:
    """The settings of a stack whose tenant is set up otherwise."""
    values = config(stack)
    values |= {"tributary:identity": None, "tributary:signIn": values["tributary:signIn"] | sign_in}
    return parse({key: as_told(each) for key, each in values.items()})


def test_a_b2c_tenant_that_is_set_up_otherwise_is_asked_where_its_policys_document_is() -> None:
    host = "https://people.b2clogin.com"
    document = f"{host}/people.onmicrosoft.com/B2C_1A_signin/v2.0/.well-known/openid-configuration"
    tokens = make_identity(otherwise("dev", issuer=f"{host}/{TENANT}/v2.0/", discovery=document), "https://c", SERVICES)
    assert (tokens.issuer, tokens.discovery) == (f"{host}/{TENANT}/v2.0/", document)
    other = make_identity(otherwise("dev", issuer=f"{host}/{TENANT}/v2.0/"), "https://c", SERVICES)
    assert other.discovery == f"{host}/{TENANT}/v2.0/.well-known/openid-configuration"


def test_where_services_find_the_document_the_firewall_lets_them_go() -> None:
    document = "https://login.example.com/people/B2C_1A_signin/v2.0/.well-known/openid-configuration"
    egress = _egress(otherwise("prod", issuer="https://people.b2clogin.com/p/v2.0/", discovery=document))
    assert isinstance(egress, FirewallArgs)
    assert egress.allowed["sign-in"].hosts == ["people.b2clogin.com", "login.example.com"]
    assert "directory" not in egress.allowed
    ours = _egress(parse({key: as_told(each) for key, each in config("prod").items()}))
    assert isinstance(ours, FirewallArgs)
    assert ours.allowed["directory"].hosts == ["graph.microsoft.com"]


def test_the_committed_tenant_is_previewed_and_not_deployed_to() -> None:
    ours = config("dev")["tributary:signIn"]
    people = {**ours, "issuer": f"https://{NOBODYS}.ciamlogin.com/{NOBODYS}/v2.0"}
    services = {**ours, "services": {"issuer": f"https://login.example/{NOBODYS}/v2.0", "audience": "api://a"}}
    both = {"tributary:signIn": {**people, "services": services["services"]}}
    assert deployed({}, preview=True, **both).of(":GraphObject")
    for name, committed in {"signIn.issuer": people, "signIn.services.issuer": services}.items():
        with pytest.raises(pulumi.RunError, match=f"{name} names the tenant {NOBODYS}, which is nobody's"):
            deployed({}, **{"tributary:signIn": committed})


def test_an_api_server_that_answers_nobody_is_previewed_and_not_deployed() -> None:
    nobody: dict[str, Any] = {"tributary:cluster": {"allowedAddresses": []}}
    assert deployed({}, preview=True, **nobody).of(":ManagedCluster")
    with pytest.raises(pulumi.RunError, match=r"cluster.allowedAddresses is empty: the API server would answer the"):
        deployed({}, **nobody)


@pytest.mark.parametrize(
    ("identity", "complaint"),
    [
        ({"tenantId": "x"}, 'tributary:identity.tenantId is "x". Allowed: a lower-case UUID.'),
        (
            {**IDENTITY, "kind": "b2c"},
            "tributary:identity.kind is wrong: b2c goes without second_factor and enrichment.",
        ),
        ({**IDENTITY, "enrichment": {"url": "https://x"}}, "tributary:identity.enrichment.resourceId is missing."),
    ],
)
def test_a_wrong_tenant_is_refused_by_name(identity: dict[str, Any], complaint: str) -> None:
    values = {key: as_told(each) for key, each in config("dev").items()}
    values["tributary:identity"] = json.dumps(identity)
    with pytest.raises(pulumi.RunError) as refused:
        parse(values)
    assert complaint in str(refused.value)
