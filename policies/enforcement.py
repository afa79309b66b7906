"""Enforcement: which rules stop a deployment where. Written to policies/config/, which `--policy-pack-config` takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from policies.rule import Rule

TOPICS = {
    "identity": "who may enter, and with what",
    "encryption": "encryption in transit and at rest",
    "exposure": "what strangers can reach",
    "logging": "traces that an investigation needs",
    "hardening": "what an intruder could do from here",
    "supply chain": "what runs, and where it comes from",
    "secrets": "where secrets are kept and how long they live",
    "residency": "where data lies",
    "what Azure takes": "what the cloud would refuse, half-way through an update",
    "hygiene": "order: tags, references, upkeep",
    "open banking": "what PSD2 and its technical standards ask for",
    "availability": "what survives a failure",
    "cost": "what it may cost",
    "private networking": "reachable from the virtual network only",
    "customer-managed key": "encrypted with a key of ours",
    "hsm": "keys that never leave hardware",
    "purge protection": "deleted data can be had back",
    "immutability": "written once, never changed",
    "resource protection": "kept from being deleted by mistake",
}
"""What a rule is about."""

ADVISORY_IN_DEV = frozenset(
    {
        "availability",
        "cost",
        "private networking",
        "customer-managed key",
        "hsm",
        "purge protection",
        "immutability",
        "resource protection",
    }
)
"""Topics that cost money or get in the way where no real data lies. All else stops a deployment there, too."""

ENVIRONMENTS = ("prod", "dev", "local")
"""A policy config each. local is enforced as dev is."""


def config(environment: str, rules: Iterable[Rule]) -> dict[str, Any]:
    """The policy config of an environment: everything is mandatory but what is said otherwise."""
    said: dict[str, Any] = {"all": "mandatory"}
    if environment == "prod":
        return said
    for each in rules:
        level = "advisory" if each.topic in ADVISORY_IN_DEV else "mandatory"
        if each.settings_outside_prod:
            said[each.id] = {"enforcementLevel": level, **each.settings_outside_prod}
        elif level != "mandatory":
            said[each.id] = level
    return said
