"""Whose tokens the services take: whom the settings name, or the tenant that the stack sets up."""

from __future__ import annotations

import json
import runpy
from typing import Any

import pulumi
import pytest

from stacks.settings import parse
from tests.components.mocks import TENANT, Registered, run
from tests.stacks.program import ROOT, config

IDENTITY: dict[str, Any] = {"tenantId": TENANT, "redirects": {"website": ["https://app.example.com/"]}}


def deployed(identity: dict[str, Any]) -> Registered:
    changed = config("dev") | {"tributary:identity": identity}
    return run(lambda: runpy.run_path(str(ROOT / "__main__.py")), config=changed, stack="dev")


def audiences(found: Registered) -> set[str]:
    containers = [each.inputs["spec"]["template"]["spec"]["containers"][0] for each in found.of("apps/v1:Deployment")]
    variables = [variable for container in containers for variable in container["env"]]
    return {each["value"] for each in variables if each["name"] == "TOKEN_AUDIENCE"}


def test_services_take_tokens_for_the_api_that_the_stack_registered() -> None:
    found = deployed(IDENTITY)
    assert found.of(":GraphObject")
    assert audiences(found) == {"client of tributary-dev-api"}


def test_without_a_tenant_nothing_of_it_is_touched() -> None:
    found = deployed({})
    assert not found.of(":GraphObject")
    assert audiences(found) == {config("dev")["tributary:signIn"]["audience"]}


@pytest.mark.parametrize(
    ("identity", "complaint"),
    [
        ({}, None),
        ({"tenantId": "x"}, 'tributary:identity.tenantId is "x". Allowed: a lower-case UUID.'),
        (
            {**IDENTITY, "kind": "b2c"},
            "tributary:identity.kind is wrong: b2c goes without second_factor and enrichment.",
        ),
        ({**IDENTITY, "enrichment": {"url": "https://x"}}, "tributary:identity.enrichment.resourceId is missing."),
    ],
)
def test_a_wrong_tenant_is_refused_by_name(identity: dict[str, Any], complaint: str | None) -> None:
    values = {key: v if isinstance(v, str) else json.dumps(v) for key, v in config("dev").items()}
    values["tributary:identity"] = json.dumps(identity)
    if complaint is None:
        assert parse(values).identity is None
        return
    with pytest.raises(pulumi.RunError) as refused:
        parse(values)
    assert complaint in str(refused.value)
