"""Replay: asks another Resource Manager what a recording asked, in the same order, and keeps its answers beside."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from local.azure.arm.types import by_token
from local.commands.plan import Planned
from local.instance import SUBSCRIPTION_ID, TENANT_ID
from local.plugins.azure_native import mapping
from tests.verification.exchange import Exchange

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_POLLED = re.compile(r"/operation(?:s|statuses|results)/|/providers/[^/]+/?(?:register)?$", re.IGNORECASE)
"""Polls of operations and of providers: how often they come is a matter of time."""
_SUBSCRIPTION = re.compile(rf"/subscriptions/({_GUID.pattern})", re.IGNORECASE)
_TENANT = re.compile(rf'"tenantId": "({_GUID.pattern})"', re.IGNORECASE)
_SECONDS = 120.0


@dataclass(frozen=True)
class Pair:
    """What was recorded, and what the other one answered to the same."""

    recorded: Exchange
    status: int
    answered: Any


def replayed(recording: Iterable[Exchange], arm: httpx.Client, known: Mapping[str, str]) -> Iterator[Pair]:
    """Each request of a recording again, and its answers.

    known: what stands for what there, e.g. the subscription's id. Ids that the other one gives out, such as those of
    identities, are learnt from its answers, and later requests name them.
    """
    names = dict(known)
    for each in recording:
        if _POLLED.search(each.path):
            continue
        sent = None if each.sent is None else json.loads(_renamed(json.dumps(each.sent), names))
        url = httpx.URL(quote(_renamed(each.path, names), safe="/"), params=each.query)
        answer = arm.request(each.method, url, json=sent) if sent is not None else arm.request(each.method, url)
        _await(arm, answer)
        answered = answer.json() if answer.content else None
        if each.makes and answer.is_success:
            settled = arm.get(url)
            learnt = settled.json() if settled.is_success else answered
            names |= _learnt(each.answered, learnt)
        else:
            names |= _learnt(each.answered, answered)
        yield Pair(each, answer.status_code, answered)


def known_ids(recording: Iterable[Exchange]) -> dict[str, str]:
    """What this machine's subscription and tenant stand for, by the ids that a recording has."""
    known: dict[str, str] = {}
    for each in recording:
        if found := _SUBSCRIPTION.match(each.path):
            known[found[1].lower()] = SUBSCRIPTION_ID
        known |= {tenant.lower(): TENANT_ID for tenant in _TENANT.findall(json.dumps(each.sent))}
    return known


def renamed(exchange: Exchange, names: Mapping[str, str]) -> Exchange:
    """An exchange with other ids in its request."""
    sent = json.loads(_renamed(json.dumps(exchange.sent), names))
    return dataclasses.replace(exchange, path=_renamed(exchange.path, names), sent=sent)


def planned_bodies(resources: Iterable[Planned]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Id and body planned for each resource of azure-native; several may have one id, as far as it is known."""
    for each in resources:
        if kind := by_token(each.token):
            yield mapping.to_arm(kind, each.inputs, SUBSCRIPTION_ID)


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return _GUID.sub(lambda found: names.get(found[0].lower(), found[0]), text)


def _learnt(recorded: Any, answered: Any) -> dict[str, str]:
    """GUIDs that stand at the same place of two answers."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        pairs = [(value, answered[key]) for key, value in recorded.items() if key in answered]
    elif isinstance(recorded, list) and isinstance(answered, list):
        pairs = list(zip(recorded, answered, strict=False))
    elif isinstance(recorded, str) and isinstance(answered, str) and _GUID.fullmatch(recorded):
        return {recorded.lower(): answered} if _GUID.fullmatch(answered) else {}
    else:
        return {}
    found: dict[str, str] = {}
    for one, other in pairs:
        found |= _learnt(one, other)
    return found


def _await(arm: httpx.Client, answer: httpx.Response) -> None:
    """Waits for the end of a long-running operation. Raises TimeoutError."""
    watched = answer.headers.get("Azure-AsyncOperation") or answer.headers.get("Location")
    deadline = time.monotonic() + _SECONDS
    while watched:
        told = arm.get(watched)
        if told.status_code != 202 and (not told.content or told.json().get("status") != "InProgress"):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{answer.request.url.path}: not done after {_SECONDS:.0f} s.")
        time.sleep(0.1)
