"""What an embedded Azure knows, seen from outside by ARM's own lists."""

from __future__ import annotations

import ssl

import httpx
from azure.identity import ClientSecretCredential

from local.azure.entra.deployer import deployer
from local.instance import SUBSCRIPTION_ID, Instance

_LISTS = {
    "groups": ("resourcegroups", "2024-03-01"),
    "resources": ("resources", "2024-03-01"),
    "assignments": ("providers/Microsoft.Authorization/roleAssignments", "2022-04-01"),
    "deleted vaults": ("providers/Microsoft.KeyVault/deletedVaults", "2024-11-01"),
}
"""What is listed: path below the subscription, API version."""


def client(instance: Instance, resource: str, base: str) -> httpx.Client:
    """The deployer's client of an API of the embedded Azure. resource: whom its token is for. base: the API's path."""
    who = deployer(instance)
    credential = ClientSecretCredential(
        who["tenant_id"],
        who["client_id"],
        who["client_secret"],
        authority=f"https://{instance.arm}",
        disable_instance_discovery=True,
        connection_verify=str(instance.ca_bundle),
    )
    headers = {"Authorization": f"Bearer {credential.get_token(f'{resource}/.default').token}"}
    trusted = ssl.create_default_context(cafile=str(instance.ca_bundle))
    return httpx.Client(base_url=f"https://{instance.arm}{base}", verify=trusted, headers=headers, timeout=30)


def contents(instance: Instance) -> dict[str, list[str]]:
    """Resources, groups, assignments of roles and deleted vaults, by their ids."""
    found = {}
    with client(instance, "https://management.azure.com", f"/subscriptions/{SUBSCRIPTION_ID}") as http:
        for name, (path, version) in _LISTS.items():
            answer = http.get(f"/{path}", params={"api-version": version})
            answer.raise_for_status()
            found[name] = sorted(each["id"] for each in answer.json()["value"])
    return found
