"""Who may do what in a vault: bearer token, then Azure RBAC data action or access policy."""

from __future__ import annotations

from dataclasses import dataclass

from local.azure.context import ArmError, Azure, Principal, Resource
from local.azure.dataplanes.keyvault.errors import VaultError, forbidden

AUDIENCE = "https://vault.azure.net"


@dataclass(frozen=True)
class Permission:
    """What an operation needs. action: RBAC data action; section, name: of the access policy model."""

    action: str
    section: str
    name: str


def _table(section: str, actions: dict[str, str]) -> dict[str, Permission]:
    provider = "Microsoft.KeyVault/vaults"
    return {name: Permission(f"{provider}/{action}", section, name) for name, action in actions.items()}


SECRETS = _table(
    "secrets",
    {
        "get": "secrets/getSecret/action",
        "set": "secrets/setSecret/action",
        "list": "secrets/readMetadata/action",
        "delete": "secrets/delete",
        "recover": "secrets/recover/action",
        "purge": "secrets/purge/action",
        "backup": "secrets/backup/action",
        "restore": "secrets/restore/action",
    },
) | {
    "update": Permission("Microsoft.KeyVault/vaults/secrets/update/action", "secrets", "set"),
    "getDeleted": Permission("Microsoft.KeyVault/vaults/secrets/readMetadata/action", "secrets", "get"),
}
KEYS = _table(
    "keys",
    {
        "get": "keys/read",
        "list": "keys/read",
        "create": "keys/create/action",
        "import": "keys/import/action",
        "update": "keys/update/action",
        "delete": "keys/delete",
        "recover": "keys/recover/action",
        "purge": "keys/purge/action",
        "backup": "keys/backup/action",
        "restore": "keys/restore/action",
        "encrypt": "keys/encrypt/action",
        "decrypt": "keys/decrypt/action",
        "wrapKey": "keys/wrap/action",
        "unwrapKey": "keys/unwrap/action",
        "sign": "keys/sign/action",
        "verify": "keys/verify/action",
        "rotate": "keys/rotate/action",
        "getrotationpolicy": "keyrotationpolicies/read",
        "setrotationpolicy": "keyrotationpolicies/write",
    },
)
CERTIFICATES = _table(
    "certificates",
    {
        "get": "certificates/read",
        "list": "certificates/read",
        "create": "certificates/create/action",
        "import": "certificates/import/action",
        "delete": "certificates/delete",
        "recover": "certificates/recover/action",
        "purge": "certificates/purge/action",
    },
)
"""Data actions: https://learn.microsoft.com/azure/role-based-access-control/permissions/security#microsoftkeyvault."""


class Gate:
    """Decides for one vault. address: host and port of its listener."""

    def __init__(self, azure: Azure, address: str) -> None:
        self._azure = azure
        host, port = address.split(":")
        self._resource = f"https://{host.split('.', 1)[1]}:{port}"  # official clients check: a suffix of the host

    def authenticate(self, authorization: str | None) -> Principal:
        """Whose bearer token this is. Raises VaultError 401 with the challenge that leads clients to a token."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise self._challenge("AKV10000: Request is missing a Bearer or PoP token.")
        try:
            return self._azure.directory.verify(token.strip(), (AUDIENCE, self._resource))
        except ArmError as refused:
            raise self._challenge(f"AKV10032: {refused.message}", 'error="invalid_token"') from None

    def _challenge(self, message: str, extra: str = "") -> VaultError:
        authority = f"https://{self._azure.instance.arm}/{self._azure.directory.tenant_id}"
        challenge = f'Bearer authorization="{authority}", resource="{self._resource}"'
        header = ", ".join(filter(None, (challenge, extra)))
        return VaultError(401, "Unauthorized", message, headers={"WWW-Authenticate": header})

    def require(self, principal: Principal, vault: Resource, permission: Permission, name: str = "") -> None:
        """Raises VaultError 403 unless the vault's permission model grants it, on the vault or on this one object."""
        who = f"appid={principal.client_id};oid={principal.object_id};iss={principal.claims.get('iss', '')}"
        where = f"{vault.name};location={str(vault.body.get('location', '')).replace(' ', '').lower()}"
        if vault.properties.get("enableRbacAuthorization"):
            scope = f"{vault.id}/{permission.section}/{name}" if name else vault.id
            if not self._azure.authorizer.allows(principal, scope, permission.action, data=True):
                raise forbidden(
                    "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments "
                    "or role definitions were changed recently, please observe propagation time.\r\n"
                    f"Caller: {who}\r\nAction: '{permission.action}'\r\nResource: '{scope.lower()}'\r\n"
                    f"Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: {where}\r\n",
                    "ForbiddenByRbac",
                )
        elif not _policy_grants(vault, principal, permission):
            raise forbidden(
                f"The user, group or application '{who}' does not have {permission.section} {permission.name} "
                f"permission on key vault '{where}'. For help resolving this issue, please see "
                "https://go.microsoft.com/fwlink/?linkid=2125287",
                "ForbiddenByPolicy",
            )


def _policy_grants(vault: Resource, principal: Principal, permission: Permission) -> bool:
    for policy in vault.properties.get("accessPolicies") or []:
        if str(policy.get("objectId", "")).lower() != principal.object_id.lower() or policy.get("applicationId"):
            continue
        granted = {str(each).lower() for each in (policy.get("permissions") or {}).get(permission.section) or []}
        # Azure's "all" has never covered purge.
        if permission.name.lower() in granted or ("all" in granted and permission.name != "purge"):
            return True
    return False
