"""docs/deploy.md can be followed: what it says of the stacks is so."""

from __future__ import annotations

import ast
import re

import pulumi
import pytest

from local.azure.arm.types import by_token
from stacks.settings import parse
from tests.stacks.program import ROOT, config, deployed

PAGE = (ROOT / "docs" / "deploy.md").read_text()


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_each_resource_provider_is_registered_before(stack: str) -> None:
    """Azure refuses a resource of a provider that the subscription has not registered; azure-native registers none."""
    (listed,) = re.findall(r"^for each in (.+?); do$", PAGE, re.MULTILINE | re.DOTALL)
    registered = {f"microsoft.{each.lower()}" for each in listed.replace("\\", "").split()}
    types = [type_ for each in deployed(stack).resources if (type_ := by_token(each.type))]
    needed = {each.type.split("/")[0].lower() for each in types} - {"microsoft.resources", "microsoft.authorization"}
    delegated = {
        delegation["serviceName"].split("/")[0].lower()
        for subnet in deployed(stack).one(":VirtualNetwork").inputs["subnets"]
        for delegation in subnet.get("delegations") or ()
    }
    assert needed | delegated <= registered


def test_who_brings_certificates_to_devs_vault_is_let_in_by_an_address() -> None:
    acls = deployed("dev").one("keyvault:Vault").inputs["properties"]["networkAcls"]
    assert (acls["defaultAction"], acls["ipRules"]) == ("Deny", [{"value": "203.0.113.7/32"}])
    assert "`tributary:vault: {allowedAddresses: [" in PAGE
    given = config("prod") | {"tributary:vault": {"allowedAddresses": ["203.0.113.7"]}}
    with pytest.raises(pulumi.RunError, match=r"vault\.allowedAddresses is wrong: network\.private is true"):
        parse(given, stack="prod")


def test_the_outputs_that_it_names_are_there() -> None:
    program = ast.parse((ROOT / "__main__.py").read_text())
    calls = [each for each in ast.walk(program) if isinstance(each, ast.Call)]
    exported = {
        each.args[0].value
        for each in calls
        if isinstance(each.func, ast.Attribute)
        and each.func.attr == "export"
        and isinstance(each.args[0], ast.Constant)
    }
    named = {*re.findall(r"pulumi stack output (?:--\S+ )*(\w+)", PAGE), *re.findall(r"its output\s+`(\w+)`", PAGE)}
    assert {"images", "network", "webPushKey"} <= named - {"environments"} <= exported
