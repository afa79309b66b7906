"""The gateway's expressions are executed: who is refused, whose requests are counted, which address banks are told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from components.gateway_apis import operation_name
from stacks.apis import operations_by_scopes
from tests.components.secrets import revealed
from tests.stacks.policy_expressions import Request, evaluated, expressions
from tests.stacks.program import STACKS, deployed
from workloads.chassis.calls import PSU_ADDRESS

ALLOWED = {
    "System.String": {"Split", "Trim", "ToLowerInvariant"},
    "System.Linq.Enumerable": {"Any", "Contains", "Except", "Last"},
    "System.Text.RegularExpressions.Regex": {"Replace"},
    "System.Collections.Generic.IReadOnlyDictionary`2": {"get_Item"},
}
"""Of the documented list of .NET's types and members, those that expressions use
(learn.microsoft.com/azure/api-management/api-management-policy-expressions)."""
_CONTEXT = ("Context", "RequestContext", "OperationContext", "SubscriptionContext", "Jwt", "Documented")
DEMANDED = {operation: scopes for scopes, operations in operations_by_scopes().items() for operation in operations}
EDGE, DIRECT = "prod", "dev"
ADDRESSES = [
    (EDGE, {"X-Forwarded-For": ["203.0.113.9:50123"]}, "203.0.113.9"),
    (EDGE, {"X-Forwarded-For": ["203.0.113.9"]}, "203.0.113.9"),
    (EDGE, {"x-forwarded-for": ["198.51.100.1, 203.0.113.9:50123"]}, "203.0.113.9"),
    (EDGE, {"X-Forwarded-For": ["198.51.100.1,, [::1]:1 ,203.0.113.9:50123 "]}, "203.0.113.9"),
    (EDGE, {"X-Forwarded-For": ["198.51.100.1", "203.0.113.9:50123"]}, "203.0.113.9"),
    (EDGE, {"X-Forwarded-For": ["[2001:db8::7]:50123"]}, "2001:db8::7"),
    (EDGE, {"X-Forwarded-For": ["198.51.100.1, [2001:db8::7]"]}, "2001:db8::7"),
    (EDGE, {"X-Forwarded-For": ["2001:db8::7"]}, "2001:db8::7"),
    (EDGE, {}, "10.0.0.4"),
    (EDGE, {PSU_ADDRESS: ["198.51.100.1"]}, "10.0.0.4"),
    (DIRECT, {}, "10.0.0.4"),
    (DIRECT, {"X-Forwarded-For": ["198.51.100.1"], PSU_ADDRESS: ["198.51.100.1"]}, "10.0.0.4"),
]
"""Stack, headers that reach the gateway, and the address that a bank is told: who reached the edge, or the gateway
where there is no edge. Whatever a client says of itself stands before what the edge appends."""
Claims = dict[str, list[str]]


def policies(stack: str) -> list[str]:
    return [
        revealed(each.inputs["value"])
        for kind in ("Policy", "ApiPolicy", "ApiOperationPolicy", "ProductPolicy")
        for each in deployed(stack).of(f"apimanagement:{kind}")
    ]


def inbound(stack: str) -> ElementTree.Element:
    found = ElementTree.fromstring(revealed(deployed(stack).one("apimanagement:ApiPolicy").inputs["value"]))
    return found.find("inbound") or pytest.fail("no inbound section")


def refusals(stack: str) -> list[str]:
    return [each.get("condition", "")[1:] for each in inbound(stack).findall("choose/when")]


def address(stack: str) -> str:
    [found] = inbound(stack).findall(f"set-header[@name='{PSU_ADDRESS}']")
    return (found.findtext("value") or "")[1:]


def counted(stack: str) -> tuple[str, str]:
    """The key by which a person's requests are counted, and that of a partner's."""
    product = ElementTree.fromstring(deployed(stack).one("apimanagement:ProductPolicy").inputs["value"])
    found = inbound(stack).find("rate-limit-by-key"), product.find("inbound/quota-by-key")
    person, partner = (each.get("counter-key", "")[1:] for each in found if each is not None)
    return person, partner


def tokens(scopes: Sequence[str]) -> list[tuple[Claims, bool]]:
    """Claims, and whether they grant what an operation needs."""
    every, without = " ".join(scopes), [each for each in DEMANDED.values() for each in each if each not in scopes]
    lacking: list[Claims] = [
        {}, {"scp": [""]}, {"scp": [every.upper()]}, {"scp": [every.replace(".", "x")]}, {"scp": [f"{every}x"]},
        {"scp": [" ".join(without)]}, {"roles": [every]}, {"scope": [every]},
    ]  # fmt: skip
    if len(scopes) > 1:
        lacking += [{"scp": [each]} for each in scopes] + [{"scp": [",".join(scopes)]}, {"scp": list(scopes)}]
    granting: list[Claims] = [
        {"scp": [every]}, {"scp": [" ".join([*without, *reversed(scopes)])]}, {"scp": [f" {every}  openid "]}
    ]  # fmt: skip
    return [(each, False) for each in lacking] + [(each, True) for each in granting]


def asked() -> list[tuple[str, dict[str, list[str]], str, bool]]:
    """A name of an operation, as Azure has it or as it was written, a token's claims, and whether it passes."""
    return [
        (name, claims, operation, granted)
        for operation, scopes in DEMANDED.items()
        for claims, granted in tokens(scopes)
        for name in (operation_name(operation), operation)
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[tuple[str, int], str], set[str]]:
    """What all expressions say of all cases, by expression and number of the case; and what they call."""
    cases = {
        **{(each, number): Request(operation=name, claims=claims)
           for each in refusals(EDGE) for number, (name, claims, *_) in enumerate(asked())},
        **{(address(stack), number): Request(headers=headers)
           for number, (stack, headers, _) in enumerate(ADDRESSES)},
        **{(each, 0): Request(subject="anna", subscription="partner") for each in counted(EDGE)},
        **{(each, -1): Request(operation="none")
           for stack in STACKS for document in policies(stack) for each in expressions(document)
           if each not in refusals(EDGE)},
    }  # fmt: skip
    listed = list(cases)
    ordered = [(expression, cases[expression, number]) for expression, number in listed]
    told, called = evaluated(ordered, tmp_path_factory.mktemp("expressions"))
    return dict(zip(listed, told, strict=True)), called


Run = tuple[dict[tuple[str, int], str], set[str]]


def test_an_operation_is_refused_to_every_token_that_lacks_one_of_its_scopes_and_to_no_other(run: Run) -> None:
    assert all(refusals(stack) == refusals(EDGE) for stack in STACKS)
    wrong = []
    for number, (name, claims, operation, granted) in enumerate(asked()):
        said = [run[0][each, number] for each in refusals(EDGE)]
        demands = [each for each, refused in zip(operations_by_scopes(), said, strict=True) if refused == "True"]
        if demands != ([] if granted else [DEMANDED[operation]]) or set(said) - {"True", "False"}:
            wrong.append((name, claims, said))
    assert wrong == []


@pytest.mark.parametrize("number", range(len(ADDRESSES)))
def test_a_bank_is_told_the_address_that_nobody_can_choose(run: Run, number: int) -> None:
    stack, headers, expected = ADDRESSES[number]
    assert run[0][address(stack), number] == expected, headers


def test_a_persons_requests_are_counted_by_the_person_and_a_partners_by_the_subscription(run: Run) -> None:
    assert [run[0][each, 0] for each in counted(EDGE)] == ["anna", "partner"]


def test_expressions_call_what_is_documented_as_allowed_and_nothing_else(run: Run) -> None:
    assert run[1]
    called = [each.rpartition(".")[::2] for each in run[1]]
    others = {(kind, name) for kind, name in called if kind not in _CONTEXT}
    assert others == {(kind, name) for kind, names in ALLOWED.items() for name in names}


def test_an_expression_that_fails_or_is_none_is_told(tmp_path: Path) -> None:
    said, _ = evaluated([('(context.Request.Headers["none"][0])', Request()), ("{ return 1; }", Request())], tmp_path)
    assert said == ["throws KeyNotFoundException", "1"]
    with pytest.raises(AssertionError, match="error CS"):
        evaluated([("(context.Request.Undocumented)", Request())], tmp_path)
