"""What every block promises, whatever it is for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.components.mocks import unknown
from tests.components.samples import BLOCKS, build, made, options
from tests.components.secrets import revealed
from tests.components.site import SITE


@pytest.mark.parametrize("name", BLOCKS)
def test_every_resource_of_a_block_is_its_child_and_carries_its_tags(name: str) -> None:
    component, *children = made(name).resources
    assert component.type.startswith("tributary:azure:")
    assert len(children) > 4
    for each in children:
        assert each.parent == component.urn, each.name
        assert each.inputs.get("tags", {"owner": "me"}) == {"owner": "me"}, each.name


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_can_be_previewed_while_what_it_depends_on_is_unknown(name: str) -> None:
    def program() -> None:
        BLOCKS[name](replace(SITE, resource_group=unknown(), workspace_id=unknown()))

    planned = build(program, preview=True).resources
    assert sorted((r.type, r.name) for r in planned) == sorted((r.type, r.name) for r in made(name).resources)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_protects_and_moves_nothing_by_itself(name: str) -> None:
    """A component's own options reach its resources through their parent alone."""
    for kind, each in options(name).items():
        assert each.protect is each.provider is None, kind


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_sends_its_logs_to_the_workspace(name: str) -> None:
    settings = made(name).of(":DiagnosticSetting")
    assert bool(settings) == (name != "alerts")
    for each in settings:
        assert each.inputs["workspaceId"] == "/id/of/workspace"
        assert each.inputs["logs"]


def test_no_body_names_a_key_where_an_identity_would_do() -> None:
    """Push services take credentials as values, and those are secrets; nothing else may look like one."""
    words = ("password", "accountKey", "AccountKey", "SharedAccessKey")

    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for key, each in value.items() for text in (key, *texts(each))]
        return [text for each in value for text in texts(each)] if isinstance(value, list) else [str(value)]

    for name in BLOCKS:
        for each in made(name).resources:
            found = [text for text in texts(revealed(dict(each.inputs))) for word in words if word in text]
            assert not found, f"{each.name}: {found}"


def test_the_system_of_a_block_is_deployed_with_roles_that_name_their_principals_kind() -> None:
    grants = [each for name in BLOCKS for each in made(name).of(":RoleAssignment")]
    assert len(grants) > 12
    assert {each.inputs["principalType"] for each in grants} == {"ServicePrincipal"}
    assert len({each.inputs["roleAssignmentName"] for each in grants}) == len(grants)
