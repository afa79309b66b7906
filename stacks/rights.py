"""Rights: what the identity of each service may do on the platform, from what services.py declares and no more."""

from __future__ import annotations

import pulumi

from components.vault import Vault
from components.workload_identity import Grant
from stacks.data import QSEAL, QWAC, UPLOADS
from stacks.platform import Platform
from stacks.services import Service
from stacks.topics import EVENTS


def grants(service: Service, platform: Platform) -> dict[str, Grant]:
    """Built-in roles of a service's identity, by what they are for. Its database is opened by T-SQL instead."""
    found = {"monitoring-metrics-publisher": Grant("Monitoring Metrics Publisher", platform.monitoring.component_id)}
    if service.keys:
        found["key-vault-crypto-user"] = Grant("Key Vault Crypto User", platform.vault.vault_id)
    if service.connects_banks:
        found |= _certificates(platform)
    if service.pushes:
        found |= {
            f"reads-{name}": Grant("Key Vault Secrets User", secret) for name, secret in platform.push_keys.items()
        }
    if service.files:
        container = platform.uploads.container_ids[UPLOADS]
        found["keeps-files"] = Grant("Storage Blob Data Contributor", container)
    if service.publishes:
        found["publishes-events"] = Grant("Azure Service Bus Data Sender", platform.messaging.topic_ids[EVENTS])
    if service.handles:
        subscription = platform.messaging.subscription_ids[EVENTS][service.name]
        found["handles-events"] = Grant("Azure Service Bus Data Receiver", subscription)
    return found


def _certificates(platform: Platform) -> dict[str, Grant]:
    """Those that were asked for. A certificate of TLS is read with its key, as a secret; a seal's is read alone."""
    roles = {QWAC: ("Key Vault Secrets User", "secrets"), QSEAL: ("Key Vault Certificate User", "certificates")}
    return {
        f"reads-{name}": Grant(role, _within(platform.vault, f"{kind}/{name}", platform.vault.requests[name]))
        for name, (role, kind) in roles.items()
        if name in platform.vault.requests
    }


def _within(vault: Vault, path: str, asked: pulumi.Output[str]) -> pulumi.Output[str]:
    """Scope of a vault's object, once it was asked for: there is none to give a role at before."""
    return pulumi.Output.all(vault.vault_id, asked).apply(lambda known: f"{known[0]}/{path}")
