"""A stack that Azure would refuse, through the real engine: refused at preview, with the rule and its source."""

from __future__ import annotations

import httpx

from policies.constraints.constraint import constraints
from tests.local.azure.conftest import RunningAzure
from tests.local.plugins.conftest import resources_of
from tests.local.plugins.engine import Program

REFUSED = """
from pulumi_azure_native import containerregistry, resources
group = resources.ResourceGroup("g", resource_group_name="rg-constraints", location="westeurope")
containerregistry.Registry(
    "images", registry_name="crconstraints", resource_group_name=group.name, location="westeurope",
    sku={"name": "Standard"}, zone_redundancy="Enabled",
)
"""


def test_a_stack_that_azure_would_refuse_is_refused_before_anything_is_created(
    program: Program, azure: RunningAzure, arm: httpx.Client
) -> None:
    program.write(REFUSED)
    said = program.run("preview", fails=True)
    assert "TRB-AZURE-001: Zone redundancy of a registry needs Premium" in said
    (rule,) = (each for each in constraints() if each.id == "TRB-AZURE-001")
    assert rule.source in said
    said = program.run("up", "--yes", fails=True)
    assert "TRB-AZURE-001" in said
    assert program.resources() == {}
    assert "rg-constraints" not in resources_of(arm, azure)
