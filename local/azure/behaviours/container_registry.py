"""Microsoft.ContainerRegistry/registries: a loopback listener for its part of the registry behind."""

from __future__ import annotations

import datetime

from local.azure.context import ArmError, Behaviour, Body, Resource
from local.azure.dataplanes.registry import plane

_OFF = {
    "adminUserEnabled": "there are no passwords here: sign in with an Entra token",
    "anonymousPullEnabled": "every pull needs an identity with AcrPull here",
}


class ContainerRegistry(Behaviour):
    """A container registry (REST API 2023-07-01)."""

    type = "Microsoft.ContainerRegistry/registries"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse the admin user and anonymous pull."""
        for name, why in _OFF.items():
            if resource.properties.get(name) is True:
                message, target = f"{name} is true; only false is allowed: {why}.", f"properties.{name}"
                details = [{"code": "InvalidParameterValue", "message": message, "target": target}]
                raise ArmError(400, "InvalidParameterValue", message, target, details)

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Listen."""
        created = (previous.properties if previous else {}).get("creationDate")
        return {
            "loginServer": await plane(self.azure).open(resource),
            "creationDate": created or datetime.datetime.now(datetime.UTC).isoformat(),
        }

    async def restore(self, resource: Resource) -> None:
        """Listen again, on the same port."""
        await plane(self.azure).open(resource)

    async def delete(self, resource: Resource) -> None:
        """Stop, and remove its images."""
        await plane(self.azure).remove(resource)

    async def act(self, resource: Resource, action: str, body: Body) -> Body:
        """The action listCredentials is refused: the admin user is off."""
        if action.lower() == "listcredentials":
            raise ArmError(
                400,
                "AdminUserDisabled",
                f"The admin user of registry {resource.name} is disabled, and can't be enabled here. "
                "Exchange an Entra token at its /oauth2/exchange.",
            )
        return await super().act(resource, action, body)
