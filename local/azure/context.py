"""What the parts of the embedded Azure know of each other: errors, resources, identities, and the shared context.

The ARM endpoint (``local/azure/arm``) stores and validates; a ``Behaviour`` adds what one resource type does beyond
that (outputs, POST actions, opening a listener); a data plane (``local/azure/dataplanes``) serves that listener and
asks the context who a token belongs to and what its bearer may do.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from aiohttp import web

from local.instance import Instance

Body = dict[str, Any]
About = Mapping[str, Mapping[str, str]]
"""What conditions of role assignments may ask of: "request" or "resource", each with attributes by lower-case name."""


class ArmError(Exception):
    """A refusal in ARM's form: HTTP status, code, message, target and details (ARM RPC, "error response").

    details: one entry a property, each with code, message and target (property path such as "properties.sku.name").
    """

    def __init__(
        self, status: int, code: str, message: str, target: str | None = None, details: Sequence[Body] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.target, self.details = status, code, message, target, details

    def body(self) -> Body:
        """The JSON body that ARM answers with."""
        error: Body = {"code": self.code, "message": self.message}
        if self.target:
            error["target"] = self.target
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


@dataclass(frozen=True)
class Resource:
    """A stored ARM resource.

    id: as given by its creator; compared case-insensitively. type: e.g. "Microsoft.KeyVault/vaults".
    body: the ARM body without id, name and type: location, tags, sku, identity, properties, …
    """

    id: str
    name: str
    type: str
    body: Body

    @property
    def properties(self) -> Body:
        """The properties envelope, empty where the type has none."""
        return self.body.get("properties") or {}


@dataclass(frozen=True)
class Principal:
    """Who a verified token belongs to.

    object_id, client_id, name: of the service principal or user. kind: "ServicePrincipal" or "User".
    claims: the verified claims.
    """

    object_id: str
    client_id: str | None
    name: str
    kind: str
    claims: Mapping[str, Any] = field(default_factory=dict)


class Directory(Protocol):
    """Entra ID of the one local tenant: identities and tokens."""

    tenant_id: str

    def issue(self, principal: Principal, audience: str, extra: Mapping[str, Any] | None = None) -> str:
        """A signed access token (RS256 JWT, v1 issuer ``https://sts.windows.net/<tenant>/``)."""
        ...

    def verify(self, token: str, audiences: Sequence[str]) -> Principal:
        """Whose token it is. Raises ArmError 401 when signature, issuer, audience or time is wrong."""
        ...

    async def create_service_principal(
        self, name: str, *, object_id: str | None = None, resource: str | None = None
    ) -> Principal:
        """A new identity without a secret (managed identities).

        resource: id of the ARM resource it belongs to; the same resource always gets the same identity back.
        """
        ...

    def principal(self, object_id: str) -> Principal | None:
        """The identity of an object id, if there is one."""
        ...


class Authorizer(Protocol):
    """Azure RBAC over the stored role assignments and the built-in role definitions."""

    def allows(self, principal: Principal, scope: str, action: str, *, data: bool, about: About | None = None) -> bool:
        """Whether an assignment at the scope or above grants the action (a data action when ``data``).

        about: what conditions of assignments may ask of the request.
        """
        ...

    def require(self, principal: Principal, scope: str, action: str, *, data: bool, about: About | None = None) -> None:
        """Raises ArmError 403 AuthorizationFailed, naming object id, action and scope, unless it is allowed."""
        ...


class Store(Protocol):
    """The ARM state: durable before an answer is sent."""

    def get(self, resource_id: str) -> Resource | None:
        """The resource of an id, whatever its case."""
        ...

    def list(self, type_name: str, scope: str = "/") -> list[Resource]:
        """Every resource of a type under a scope."""
        ...

    def put(self, resource: Resource) -> str:
        """Keep a resource that another brings along, such as an account's blobServices/default; its entity tag."""
        ...

    def merge(self, resource_id: str, outputs: Mapping[str, Any]) -> Resource:
        """Merge output properties into the stored body's properties envelope."""
        ...

    def port(self, key: str) -> int:
        """A dynamic port kept for this key (a resource id) as long as it is not released."""
        ...

    def release(self, key: str) -> None:
        """Give a port back."""
        ...


@dataclass(frozen=True)
class Tools:
    """Programs that data planes start or are told about; each an absolute path, None where it is not there."""

    postgres: Path | None = None
    """Folder with initdb, postgres, psql."""
    registry: Path | None = None
    azurite: Path | None = None
    node: Path | None = None


@dataclass
class Azure:
    """The context that every behaviour and data plane is given."""

    instance: Instance
    store: Store
    directory: Directory
    authorizer: Authorizer
    endpoints: dict[str, str] = field(default_factory=dict)
    """What listens where, by a readable name ("Key Vault kv-x" → "https://127.0.0.1:7440"); shown by `make up`."""

    def server_tls(self) -> ssl.SSLContext:
        """TLS for a loopback listener: a leaf for 127.0.0.1 and localhost, signed by the instance's CA."""
        raise NotImplementedError

    async def serve(self, application: web.Application, port: int) -> None:
        """Serve an application on https://127.0.0.1:port until ``stop_serving(port)`` or the daemon ends."""
        raise NotImplementedError

    async def stop_serving(self, port: int) -> None:
        """Close a listener."""
        raise NotImplementedError


class Behaviour:
    """What one ARM type does beyond being validated and stored. Subclass per type; methods may raise ArmError."""

    type: ClassVar[str]
    """ARM type, e.g. "Microsoft.KeyVault/vaults"."""

    def __init__(self, azure: Azure) -> None:
        self.azure = azure

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse what only this type knows to be wrong; runs before anything is stored, and in a dry run."""

    async def check_state(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse what conflicts with what is there now; not in a dry run, whose deployment may change that first."""

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Bring it about; the answer is merged into the stored ``properties`` (read-only outputs such as vaultUri).

        Runs again for the same resource after a crash: must be idempotent.
        """
        return {}

    async def restore(self, resource: Resource) -> None:
        """After the daemon's restart: open listeners again."""

    async def delete(self, resource: Resource) -> None:
        """Take it down; must be idempotent."""

    async def act(self, resource: Resource, action: str, body: Body) -> Body:
        """A POST action such as "listKeys". Raises ArmError 404 for one it does not know."""
        raise ArmError(404, "ResourceActionNotFound", f"{self.type} has no action {action!r} here.")


class DataPlane(Protocol):
    """A data plane with a fixed listener, started with the daemon (Azurite's proxy, Insights' ingestion)."""

    async def start(self) -> None:
        """Open listeners and child processes."""
        ...

    async def stop(self) -> None:
        """Close them."""
        ...
