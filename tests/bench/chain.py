"""The longest chain of a deployment: what must follow what because Azure says so, whatever the program waits for.

A resource follows those whose ids stand in its own id and in its body, and those that a rule of Azure's own names,
which no body shows (``ordering.yaml``). The program's ``depends_on`` is not asked. A resource takes its type's typical
time.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.azure.arm.provisioning import typical_seconds
from local.azure.arm.types import by_token
from local.commands.plan import Planned
from local.instance import SUBSCRIPTION_ID
from local.plugins.azure_native import mapping
from local.plugins.values import has_unknown

RULES = Path(__file__).with_name("ordering.yaml")
_ID = re.compile(r"/subscriptions/[^\s\"']+", re.IGNORECASE)
Needs = Mapping[str, set[str]]
"""By URN: URNs of those that must be there before."""


@dataclass(frozen=True)
class Chain:
    """Types and names of resources in order, and seconds from the first one's beginning to the last one's end.

    ids: theirs in ARM, empty for what is not ARM's.
    """

    names: Sequence[str]
    ids: Sequence[str]
    seconds: float


def demanded(resources: Sequence[Planned]) -> Chain:
    """The longest chain by Azure's own order. resources: a plan whose ids are foretold."""
    known = [each for each in resources if each.id]
    needs = _named_ids(known)
    for rule in yaml.safe_load(RULES.read_text()):
        later, earlier = ([each for each in known if _is_a(each, rule[side])] for side in ("later", "earlier"))
        for one in later:
            needs[one.urn] |= {
                each.urn for each in earlier if each is not one and RELATED[rule["where"]](one, each, needs)
            }
    return _longest(known, needs)


def programmed(resources: Sequence[Planned], waits: Mapping[str, Sequence[str]]) -> Chain:
    """The longest chain by what the program waits for. waits: by URN, URNs, as the engine has them."""
    everything = {each.urn for each in resources}
    return _longest(resources, {urn: everything & set(waits.get(urn, ())) for urn in everything})


def _longest(resources: Sequence[Planned], needs: Needs) -> Chain:
    by_urn = {each.urn: each for each in resources}

    @functools.cache
    def until(urn: str) -> tuple[float, str]:
        """When a resource is there at the earliest, and which one it waited for last."""
        before = max(((until(each)[0], each) for each in needs[urn]), default=(0.0, ""))
        return before[0] + _seconds(by_urn[urn]), before[1]

    at = max(by_urn, key=lambda urn: until(urn)[0], default="")
    seconds, found = until(at)[0] if at else 0.0, []
    while at:
        found.insert(0, by_urn[at])
        at = until(at)[1]
    names = [f"{each.token.split(':', 1)[1]} {each.name}" for each in found]
    return Chain(names, [each.id for each in found], seconds)


def _seconds(resource: Planned) -> float:
    kind = by_token(resource.token)
    return typical_seconds(kind.type) if kind else 0.0


def _is_a(resource: Planned, pattern: str) -> bool:
    kind = by_token(resource.token)
    return kind is not None and fnmatch.fnmatchcase(kind.type.lower(), pattern.lower())


def _named_ids(resources: Sequence[Planned]) -> dict[str, set[str]]:
    by_id = {each.id.lower(): each.urn for each in resources}
    return {each.urn: set(_named(each, by_id)) - {each.urn} for each in resources}


def _named(resource: Planned, by_id: Mapping[str, str]) -> Iterator[str]:
    """Those whose id stands in a resource's own id or in its body; for a part, e.g. a subnet, its whole."""
    kind = by_token(resource.token)
    assert kind, resource.token
    path, body = mapping.to_arm(kind, resource.inputs, SUBSCRIPTION_ID)
    ids = [path, *(found for text in _texts(body) for found in _ID.findall(text))]
    for each in ids:
        at = each.lower().rstrip("/")
        while "/" in at:
            if at in by_id:
                yield by_id[at]
            at = at.rpartition("/")[0]


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, each in value.items():  # identities are an object by id
                yield key
                yield from _texts(each)
        case list():
            for each in value:
                yield from _texts(each)


def _holds_a_value(later: Planned, earlier: Planned, _needs: Needs) -> bool:
    return any(has_unknown(later.inputs.get(name)) for name, urns in later.uses.items() if earlier.urn in urns)


def _acts_as(later: Planned, earlier: Planned, needs: Needs) -> bool:
    """The one that is made acts as the identity that the right is given to."""
    shared = needs[later.urn] & needs[earlier.urn]
    return any(":UserAssignedIdentity::" in urn for urn in shared)


def _beside(later: Planned, earlier: Planned, _needs: Needs) -> bool:
    return later.id.lower().rsplit("/", 2)[0] == earlier.id.lower().rsplit("/", 2)[0]


RELATED: Mapping[str, Callable[[Planned, Planned, Needs], bool]] = {
    "holds a value that Azure makes": _holds_a_value,
    "acts as the same identity": _acts_as,
    "in the same resource": _beside,
    "anywhere": lambda _later, _earlier, _needs: True,
}
"""What ``where`` of a rule means."""
