"""A key's rotation policy (Key Vault REST API 7.6, KeyRotationPolicy): checked, and what its durations mean."""

from __future__ import annotations

import re
import time
from typing import Any

from local.azure.dataplanes.keyvault.common import known
from local.azure.dataplanes.keyvault.errors import bad

_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?")
_DAYS = (365, 30, 1)


def default_policy() -> dict[str, Any]:
    """What a key has that was given none."""
    return {
        "lifetimeActions": [{"trigger": {"timeBeforeExpiry": "P30D"}, "action": {"type": "Notify"}}],
        "attributes": {},
    }


def seconds(duration: Any, where: str) -> int:
    """Seconds of an ISO 8601 duration in years, months and days. Raises VaultError 400."""
    found = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    if found is None or not any(found.groups()):
        raise bad(f"Property '{where}' has invalid value {duration!r}: an ISO 8601 duration such as P90D is expected.")
    return sum(int(part or 0) * days for part, days in zip(found.groups(), _DAYS, strict=True)) * 86400


def expiry_of(policy: dict[str, Any]) -> int | None:
    """Seconds that a rotated key lasts, None when it does not expire."""
    lasts = (policy.get("attributes") or {}).get("expiryTime")
    return seconds(lasts, "attributes.expiryTime") if lasts else None


def policy_of(body: dict[str, Any], previous: dict[str, Any] | None) -> dict[str, Any]:
    """A policy as it is kept. Raises VaultError 400."""
    known(body, {"id", "lifetimeActions", "attributes"})
    given = body.get("attributes") or {}
    known(given, {"expiryTime", "created", "updated"}, "attributes.")
    actions = body.get("lifetimeActions")
    actions = default_policy()["lifetimeActions"] if actions is None else actions
    if not isinstance(actions, list) or not all(isinstance(each, dict) for each in actions):
        raise bad("Property 'lifetimeActions' has invalid value: a list of objects is expected.")
    lasts = seconds(given["expiryTime"], "attributes.expiryTime") if given.get("expiryTime") else None
    if lasts is not None and lasts < 28 * 86400:
        raise bad(f"Property 'attributes.expiryTime' is {given['expiryTime']!r}; at least 28 days are allowed.")
    kept = []
    for number, action in enumerate(actions):
        where = f"lifetimeActions[{number}]."
        known(action, {"trigger", "action"}, where)
        kind = str((action.get("action") or {}).get("type", "")).capitalize()
        if kind not in ("Rotate", "Notify"):
            raise bad(f"Property '{where}action.type' has invalid value {kind!r}; allowed: Rotate, Notify.")
        trigger = {name: value for name, value in (action.get("trigger") or {}).items() if value is not None}
        known(trigger, {"timeAfterCreate", "timeBeforeExpiry"}, f"{where}trigger.")
        if len(trigger) != 1:
            raise bad(f"Property '{where}trigger' needs one of timeAfterCreate and timeBeforeExpiry.")
        for name, value in trigger.items():
            if seconds(value, f"{where}trigger.{name}") < 7 * 86400:
                raise bad(f"Property '{where}trigger.{name}' is {value!r}; at least 7 days are allowed.")
        kept.append({"trigger": trigger, "action": {"type": kind}})
    now = int(time.time())
    times = {"created": ((previous or {}).get("attributes") or {}).get("created", now), "updated": now}
    expiry = {"expiryTime": given["expiryTime"]} if lasts else {}
    return {"lifetimeActions": kept, "attributes": expiry | times}
