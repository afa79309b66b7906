"""Microsoft.Sql/servers/databases: a database of its own in the PostgreSQL cluster."""

from __future__ import annotations

import uuid

from local.azure.context import ArmError, Behaviour, Body, Resource
from local.azure.dataplanes.sql import plane

_COLLATION = "SQL_Latin1_General_CP1_CI_AS"  # Azure SQL's default; PostgreSQL sorts by bytes whatever it says
_RESERVED = ("master", "tempdb", "model", "msdb")


class SqlDatabase(Behaviour):
    """A database (REST API 2023-08-01). Nobody but the server's administrator may enter it until let in."""

    type = "Microsoft.Sql/servers/databases"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse system databases, copies, restores and samples."""
        if resource.name.lower() in _RESERVED:
            raise _refusal(f"{resource.name} is a system database; choose another name.", "name")
        mode = resource.properties.get("createMode", "Default")
        if mode not in ("Default", "<unknown>"):
            raise _refusal(
                f"createMode is {mode!r}; a new, empty database (Default) is the only one made here: there are no "
                "copies, replicas or backups to start from.",
                "properties.createMode",
            )
        if resource.properties.get("sampleName"):
            raise _refusal("sampleName is given; there are no sample data here. Remove it.", "properties.sampleName")

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Create it where it is not there yet."""
        await plane(self.azure).admin.create_database(_server(resource), resource.name)
        sku = resource.body.get("sku") or {}
        return {
            "status": "Online",
            "databaseId": str(uuid.uuid5(uuid.NAMESPACE_URL, resource.id.lower())),
            "collation": resource.properties.get("collation") or _COLLATION,
            **({"currentServiceObjectiveName": sku["name"]} if sku.get("name") else {}),
        }

    async def delete(self, resource: Resource) -> None:
        """Drop it and whatever session is in it."""
        await plane(self.azure).admin.drop_database(_server(resource), resource.name)


def _server(database: Resource) -> str:
    return database.id.split("/")[-3]


def _refusal(message: str, target: str) -> ArmError:
    code = "InvalidParameterValue"
    return ArmError(400, code, message, target, [{"code": code, "message": message, "target": target}])
