"""Microsoft.Web: host names of apps and their slots, and where function apps on Flex Consumption take their code."""

from __future__ import annotations

from local.azure.context import Behaviour, Body, Resource
from local.azure.dataplanes.functionapps.listener import close_site, on_flex, open_site


class App(Behaviour):
    """A web or function app (REST API 2025-05-01)."""

    type = "Microsoft.Web/sites"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Give it its host names, and open the deployment site of one on Flex Consumption."""
        site = await open_site(self.azure, resource) if on_flex(resource) else None
        return _named(resource.name, site)

    async def restore(self, resource: Resource) -> None:
        """Open its deployment site again."""
        if on_flex(resource):
            await open_site(self.azure, resource)

    async def delete(self, resource: Resource) -> None:
        """Close it."""
        if on_flex(resource):
            await close_site(self.azure, resource)

    async def act(self, resource: Resource, action: str, body: Body) -> Body:
        """ "syncfunctiontriggers": there is nothing that would have to be told of them."""
        if action.lower() != "syncfunctiontriggers" or "functionapp" not in str(resource.body.get("kind")):
            return await super().act(resource, action, body)
        return {}


class Slot(Behaviour):
    """A slot of an app, whose host name tells both."""

    type = "Microsoft.Web/sites/slots"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Give it its host name."""
        return _named(f"{resource.id.split('/')[8]}-{resource.name}")


def _named(name: str, site: str | None = None) -> Body:
    host = f"{name}.azurewebsites.net"
    states = {host: "Standard", site or f"{name}.scm.azurewebsites.net": "Repository"}
    return {
        "defaultHostName": host,
        "hostNames": [host],
        "enabledHostNames": list(states),
        "hostNameSslStates": [
            {"name": each, "hostType": kind, "sslState": "Disabled"} for each, kind in states.items()
        ],
        "state": "Running",
    }
