"""Microsoft.Sql/servers: a loopback listener that takes Entra tokens, and the administrator's role behind it."""

from __future__ import annotations

import uuid

from local.azure.context import ArmError, Behaviour, Body, Resource
from local.azure.dataplanes.sql import plane

UNKNOWN = "<unknown>"


class SqlServer(Behaviour):
    """A logical SQL server (REST API 2023-08-01). Entra-only: a login with a password is refused."""

    type = "Microsoft.Sql/servers"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse passwords and an administrator that is no identity of this tenant."""
        properties = resource.properties
        for name in ("administratorLogin", "administratorLoginPassword"):
            if properties.get(name):
                raise _refusal(
                    "InvalidParameterValue",
                    f"{name} is given, but only Entra authentication is served here. Remove it and set "
                    "administrators.azureADOnlyAuthentication to true.",
                    f"properties.{name}",
                )
        administrators = properties.get("administrators")
        if not administrators:
            if previous is None:
                raise _refusal(
                    "InvalidParameterValue",
                    "administrators is missing: a server without password login needs an Entra administrator. "
                    "Give it administratorType, login, sid, tenantId and azureADOnlyAuthentication.",
                    "properties.administrators",
                )
            return
        if administrators.get("azureADOnlyAuthentication") not in (True, UNKNOWN):
            raise _refusal(
                "InvalidParameterValue",
                "administrators.azureADOnlyAuthentication must be true: no password login is served here.",
                "properties.administrators.azureADOnlyAuthentication",
            )
        check_identity(administrators, self.azure.directory.tenant_id, "properties.administrators.")

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Make the administrator's role and listen."""
        data_plane = plane(self.azure)
        await data_plane.admin.create_server(resource.name)
        port = await data_plane.open(resource)
        outputs: Body = {"fullyQualifiedDomainName": f"127.0.0.1:{port}", "state": "Ready", "version": "12.0"}
        master = f"{resource.id}/databases/master"
        if self.azure.store.get(master) is None:
            body = {"location": resource.body.get("location"), "properties": {"status": "Online"}}
            self.azure.store.put(Resource(master, "master", f"{self.type}/databases", body))
        kept = previous.properties.get("administrators") if previous else None
        if kept and not resource.properties.get("administrators"):
            outputs["administrators"] = kept  # as in Azure: an update that does not name them leaves them
        return outputs

    async def restore(self, resource: Resource) -> None:
        """Listen again, on the same port."""
        await plane(self.azure).open(resource)

    async def delete(self, resource: Resource) -> None:
        """End its sessions and drop what it held."""
        await plane(self.azure).remove(resource)


def check_identity(administrator: Body, tenant_id: str, path: str) -> None:
    """Raises ArmError 400 unless it names an object id, and this tenant where it names one.

    path: of the object in the request, with the dot.
    """
    sid = administrator.get("sid")
    if sid != UNKNOWN:
        try:
            uuid.UUID(str(sid))
        except ValueError:
            raise _refusal(
                "InvalidParameterValue",
                f"sid is {sid!r}; the object id of an Entra identity or group is expected, a UUID.",
                f"{path}sid",
            ) from None
    tenant = administrator.get("tenantId")
    if tenant not in (None, UNKNOWN, tenant_id):
        raise _refusal(
            "InvalidParameterValue", f"tenantId is {tenant!r}; the tenant here is {tenant_id}.", f"{path}tenantId"
        )


def _refusal(code: str, message: str, target: str) -> ArmError:
    return ArmError(400, code, message, target, [{"code": code, "message": message, "target": target}])
