"""Microsoft.ManagedIdentity: user-assigned identities, and the outside issuers that they trust."""

from __future__ import annotations

from local.azure.arm.shapes import UNKNOWN
from local.azure.context import ArmError, Behaviour, Body, Resource

_MOST = 20
"""Federated credentials an identity may have."""


class UserAssignedIdentity(Behaviour):
    """An identity of its own: a service principal in the directory for as long as the resource lives."""

    type = "Microsoft.ManagedIdentity/userAssignedIdentities"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Make the service principal; the same resource keeps its own."""
        directory = self.azure.directory
        principal = await directory.create_service_principal(resource.name, resource=resource.id)
        return {
            "principalId": principal.object_id,
            "clientId": principal.client_id,
            "tenantId": directory.tenant_id,
        }


class FederatedCredential(Behaviour):
    """Tokens of an issuer and subject that the identity accepts in place of a secret."""

    type = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"

    async def check(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse a malformed issuer, and any number of audiences but one."""
        issuer, audiences = resource.properties.get("issuer"), resource.properties.get("audiences")
        if isinstance(issuer, str) and UNKNOWN not in issuer and not issuer.startswith("https://"):
            raise _refused(f"issuer is {issuer!r}; an https URL is expected.", "properties.issuer")
        if isinstance(audiences, list) and len(audiences) != 1:
            raise _refused(f"audiences has {len(audiences)} entries; exactly one is allowed.", "properties.audiences")

    async def check_state(self, resource: Resource, previous: Resource | None) -> None:
        """Refuse a second credential of one issuer and subject, and more than an identity may have."""
        owner = resource.id.rsplit("/", 2)[0]
        others = [each for each in self.azure.store.list(self.type, owner) if each.id.lower() != resource.id.lower()]
        if previous is None and len(others) >= _MOST:
            raise _refused(f"{owner} has {len(others)} federated credentials; {_MOST} are allowed.", "name")
        for other in others:
            if all(other.properties.get(name) == resource.properties.get(name) for name in ("issuer", "subject")):
                raise ArmError(
                    409,
                    "Conflict",
                    f"Issuer and subject combination already exists for this managed identity, in {other.name}.",
                    "properties.subject",
                )


def _refused(message: str, target: str) -> ArmError:
    return ArmError(400, "BadRequest", message, target, [{"code": "BadRequest", "message": message, "target": target}])
