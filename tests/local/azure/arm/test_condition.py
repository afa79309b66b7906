"""Conditions of role assignments: what they let through, and that what can't be judged is refused."""

from __future__ import annotations

import pytest

from bootstrap.pipelines import only_assigns
from local.azure.arm.condition import ConditionError, Facts, attributes, compiled

READER, OWNER = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
WRITE, DELETE = (f"Microsoft.Authorization/roleAssignments/{each}" for each in ("write", "delete"))
ROLE = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"


def of(role: str, kind: str = "ServicePrincipal") -> dict[str, str]:
    return attributes({"roleDefinitionId": f"/providers/x/{role.upper()}", "principalType": kind, "principalId": "p"})


def test_what_is_not_said_of_an_assignment_is_no_attribute_of_it() -> None:
    assert attributes({"roleDefinitionId": "/x/r", "principalType": None}) == {"roledefinitionid": "r"}
    assert not judged(f"{ROLE} GuidNotEquals {OWNER}", WRITE, "request")
    assert judged(f"{ROLE} GuidEquals {OWNER}", WRITE, "request", **attributes({"roleDefinitionId": "<unknown>"}))


def judged(text: str, action: str, source: str, **said: str) -> bool:
    return compiled(text)(Facts(action, {source: said}))


@pytest.mark.parametrize(("action", "source"), [(WRITE, "request"), (DELETE, "resource")])
def test_what_pipelines_may_give_and_take_is_listed_roles_of_applications(action: str, source: str) -> None:
    condition = only_assigns([READER, "00000000-0000-4000-8000-000000000001"])
    assert judged(condition, action, source, **of(READER))
    assert not judged(condition, action, source, **of(OWNER))
    assert not judged(condition, action, source, **of(READER, "User"))
    assert not judged(condition, action, source), "what nothing is known of"
    assert compiled(condition)(Facts("Microsoft.Network/virtualNetworks/write"))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (f"{ROLE} GuidEquals {READER}", True),
        (f"!({ROLE} GuidEquals {READER})", False),
        (f"NOT {ROLE} GuidEquals {OWNER} AND {ROLE} GuidEquals {OWNER}", False),
        (f"{ROLE} GuidEquals {OWNER} && {ROLE} GuidEquals {READER} || {ROLE} GuidEquals {READER}", True),
        (f"{ROLE} ForAnyOfAllValues:GuidNotEquals {{{OWNER}, {READER}}}", False),
        (f"{ROLE} ForAnyOfAnyValues:GuidNotEquals {{{OWNER}, {READER}}}", True),
        ("@Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringEquals 'serviceprincipal'", False),
        ("@Request[Microsoft.Authorization/roleAssignments:PrincipalType] StringNotEquals 'User'", True),
        ("ActionMatches{'Microsoft.Authorization/*/write'}", True),
    ],
)
def test_what_a_condition_says_is_what_it_lets_through(text: str, holds: bool) -> None:
    assert judged(text, WRITE, "request", **of(READER)) is holds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "@Request[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringEquals 'a'",
            "not known",
        ),
        ("@Environment[UtcNow] StringEquals 'a'", "not known"),
        (f"{ROLE} StringLikeEquals 'a'", "is not judged here; allowed are stringequals"),
        ("SubOperationMatches{'Blob.List'}", "can't be read at .SubOperationMatches"),
        (f"({ROLE} GuidEquals {READER}", "can't be read"),
        ("", "can't be read"),
    ],
)
def test_what_cannot_be_judged_is_refused(text: str, told: str) -> None:
    with pytest.raises(ConditionError, match=told):
        compiled(text)
