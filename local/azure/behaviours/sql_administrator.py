"""Microsoft.Sql/servers/administrators and azureADOnlyAuthentications: who administers a server, set on its own."""

from __future__ import annotations

from local.azure.behaviours.sql_server import check_identity
from local.azure.context import ArmError, Behaviour, Body, Resource


def _server_id(child: Resource) -> str:
    return child.id.rsplit("/", 2)[0]


class SqlAdministrator(Behaviour):
    """The server's Entra administrator; always named ActiveDirectory."""

    type = "Microsoft.Sql/servers/administrators"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse one that is no identity of this tenant."""
        check_identity(resource.properties, self.azure.directory.tenant_id, "properties.")

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Becomes the administrator of the server, as its property administrators says from now on."""
        wanted = resource.properties
        administrators = {
            name: wanted[name] for name in ("administratorType", "login", "sid", "tenantId") if name in wanted
        }
        server = self.azure.store.get(_server_id(resource))
        if server is None:
            raise ArmError(404, "ParentResourceNotFound", f"The server of {resource.id} is not there. Create it first.")
        now = server.properties.get("administrators") or {}
        self.azure.store.merge(
            server.id, {"administrators": {"azureADOnlyAuthentication": True, **now, **administrators}}
        )
        return {"azureADOnlyAuthentication": True}

    async def delete(self, resource: Resource) -> None:
        """The server has no administrator then; other identities' roles stay."""
        if self.azure.store.get(_server_id(resource)) is not None:
            self.azure.store.merge(_server_id(resource), {"administrators": None})


class SqlEntraOnly(Behaviour):
    """Whether only Entra identities may log in: always, here."""

    type = "Microsoft.Sql/servers/azureADOnlyAuthentications"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse to switch password logins on."""
        if resource.properties.get("azureADOnlyAuthentication") is False:
            message = "azureADOnlyAuthentication is false; only true is allowed: no password login is served here."
            target = "properties.azureADOnlyAuthentication"
            details = [{"code": "InvalidParameterValue", "message": message, "target": target}]
            raise ArmError(400, "InvalidParameterValue", message, target, details)
