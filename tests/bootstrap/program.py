"""The bootstrap under mocks."""

from __future__ import annotations

import functools
import runpy
from typing import Any

import pulumi

from tests.components.mocks import TENANT, Registered, run
from tests.stacks.program import ROOT

NETWORK = "/subscriptions/51b5c9a2-6f0e-4a57-8a3c-2d9e6b8f4402/resourceGroups/rg-prod/providers/Microsoft.Network"
CONFIG: dict[str, Any] = {
    "tributary-bootstrap:location": "westeurope",
    "tributary-bootstrap:environments": {
        "dev": {"github": {"repository": "org/tributary"}},
        "prod": {
            "github": {"repository": "org/tributary"},
            "azureDevOps": {"issuer": "https://login.microsoftonline.com/t/v2.0", "subject": "/eid1/c/pub/sc/prod"},
        },
    },
    "tributary-bootstrap:addressSpace": "10.10.0.0/24",
    "tributary-bootstrap:allowedAddresses": ["203.0.113.7"],
    "tributary-bootstrap:purgeProtection": "true",
    "tributary-bootstrap:runner": {"sshPublicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA"},
    "tributary-bootstrap:peers": {
        "prod": {
            "networkId": f"{NETWORK}/virtualNetworks/vnet-main-prod",
            "zoneIds": [f"{NETWORK}/privateDnsZones/privatelink.database.windows.net"],
        }
    },
    "tributary-bootstrap:signIn": {"tenantId": TENANT},
}


def registered(**changes: Any) -> Registered:
    """What the program registers. changes: settings by name, instead of CONFIG's."""
    return _ran(**changes) if changes else _unchanged()


@functools.cache
def _unchanged() -> Registered:
    return _ran()


def _ran(**changes: Any) -> Registered:
    config = CONFIG | {f"tributary-bootstrap:{name}": value for name, value in changes.items()}

    def program() -> None:
        # Without the SDK's aliases, which take ten times as long as all the rest.
        pulumi.runtime.register_stack_transformation(_without_aliases)
        runpy.run_path(str(ROOT / "bootstrap" / "__main__.py"))

    return run(program, config=config, stack="main")


def _without_aliases(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
    args.opts.aliases = []
    return pulumi.ResourceTransformationResult(args.props, args.opts)
