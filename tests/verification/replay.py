"""Replay: asks another Resource Manager what a recording asked, in the same order, and keeps its answers beside."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from tests.verification.exchange import Exchange

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_POLLED = re.compile(r"/operation(?:s|statuses|results)/|/providers/[^/]+/?(?:register)?$", re.IGNORECASE)
"""Polls of operations and of providers: how often they come is a matter of time."""
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
