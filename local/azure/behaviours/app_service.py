"""Microsoft.Web: host names of apps and their slots. No code of theirs runs."""

from __future__ import annotations

from local.azure.context import Behaviour, Body, Resource


class App(Behaviour):
    """A web or function app (REST API 2025-05-01)."""

    type = "Microsoft.Web/sites"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Give it its host name."""
        return _named(resource.name)


class Slot(Behaviour):
    """A slot of an app, whose host name tells both."""

    type = "Microsoft.Web/sites/slots"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Give it its host name."""
        return _named(f"{resource.id.split('/')[8]}-{resource.name}")


def _named(name: str) -> Body:
    host = f"{name}.azurewebsites.net"
    return {"defaultHostName": host, "hostNames": [host], "enabledHostNames": [host], "state": "Running"}
