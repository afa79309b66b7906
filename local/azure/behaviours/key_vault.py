"""What vaults and their ARM children do beyond being stored: a listener a vault, keys and secrets created into it."""

from __future__ import annotations

from typing import Any

from local.azure.context import ArmError, Behaviour, Body, Resource
from local.azure.dataplanes.keyvault.errors import VaultError
from local.azure.dataplanes.keyvault.keys import create_key
from local.azure.dataplanes.keyvault.listener import close_vault, open_vault, store_of, vault_of
from local.azure.dataplanes.keyvault.rotation import policy_of
from local.azure.dataplanes.keyvault.secrets import set_secret
from local.azure.dataplanes.keyvault.store import Version

_SHOWN = ("enabled", "created", "updated", "nbf", "exp")


class KeyVault(Behaviour):
    """A vault: its data plane, addressed by ``vaultUri``."""

    type = "Microsoft.KeyVault/vaults"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Open its listener. A new vault starts empty, a recovered one with what it held."""
        if previous is None and str(resource.properties.get("createMode", "")).lower() != "recover":
            store_of(self.azure).forget(resource.id.lower())
        return {"vaultUri": await open_vault(self.azure, resource)}

    async def restore(self, resource: Resource) -> None:
        """Open its listener again."""
        await open_vault(self.azure, resource)

    async def delete(self, resource: Resource) -> None:
        """Close its listener; what it holds stays for recovery, as a deleted vault's does."""
        await close_vault(self.azure, resource)
        if resource.properties.get("enableSoftDelete") is False:
            store_of(self.azure).forget(resource.id.lower())

    async def act(self, resource: Resource, action: str, body: Body) -> Body:
        """ "purge" of a soft-deleted vault: forget what it held."""
        if action.lower() != "purge":
            return await super().act(resource, action, body)
        store_of(self.azure).forget(resource.id.lower())
        return {}


class _Child(Behaviour):
    """A key or secret that ARM creates: once made it is the data plane's; ARM cannot delete it."""

    kind: str

    def _vault_id(self, resource: Resource) -> str:
        return resource.id.rsplit("/", 2)[0]

    def _current(self, resource: Resource) -> Version | None:
        store, vault = store_of(self.azure), self._vault_id(resource).lower()
        return None if store.deletion(vault, self.kind, resource.name) else store.get(vault, self.kind, resource.name)

    def _uris(self, resource: Resource, version: Version) -> Body:
        vault = vault_of(self.azure, self._vault_id(resource))
        return {
            f"{self.kind}Uri": vault.identifier(self.kind, version.name),
            f"{self.kind}UriWithVersion": vault.identifier(self.kind, version.name, version.version),
        }


class KeyVaultKey(_Child):
    """A key created through ARM; later changes of its properties leave the key as it is, as Azure does."""

    type = "Microsoft.KeyVault/vaults/keys"
    kind = "key"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Create it where it is not there yet."""
        version = self._current(resource)
        properties = resource.properties
        if version is None:
            names = {"kty": "kty", "keyOps": "key_ops", "keySize": "key_size", "curveName": "crv"}
            body: dict[str, Any] = {
                new: properties[old] for old, new in names.items() if properties.get(old) is not None
            }
            body |= {"tags": resource.body["tags"]} if resource.body.get("tags") else {}
            given = properties.get("attributes") or {}
            body["attributes"] = {
                each: given[each] for each in ("enabled", "nbf", "exp") if given.get(each) is not None
            }
            vault = vault_of(self.azure, self._vault_id(resource))
            try:
                version = await create_key(vault, resource.name, body)
                if properties.get("rotationPolicy"):
                    policy = policy_of(_data_plane_policy(properties["rotationPolicy"]), None)
                    vault.store.set_policy(vault.key, resource.name, policy)
            except VaultError as refused:
                raise ArmError(refused.status, refused.code, refused.message, "properties") from refused
        jwk, kept = version.public["key"], version.public["attributes"]
        return {
            "kty": jwk["kty"],
            "keyOps": jwk["key_ops"],
            "attributes": {
                name: kept[name] for name in ("enabled", "created", "updated", "nbf", "exp") if name in kept
            },
            **self._uris(resource, version),
        }


class KeyVaultSecret(_Child):
    """A secret set through ARM, which answers without its value."""

    type = "Microsoft.KeyVault/vaults/secrets"
    kind = "secret"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Set it; the value that is already there makes no new version."""
        version, properties = self._current(resource), resource.properties
        value = properties.get("value")
        if version is None and value is None:
            raise ArmError(400, "BadParameter", "The secret's value is missing.", "properties.value")
        if value is not None and (version is None or version.value != value.encode()):
            body: dict[str, Any] = {"value": value, "contentType": properties.get("contentType")}
            given = properties.get("attributes") or {}
            body["attributes"] = {
                each: given[each] for each in ("enabled", "nbf", "exp") if given.get(each) is not None
            }
            try:
                vault = vault_of(self.azure, self._vault_id(resource))
                version = set_secret(vault, resource.name, {**body, "tags": resource.body.get("tags")})
            except VaultError as refused:
                raise ArmError(refused.status, refused.code, refused.message, "properties") from refused
        if version is None:  # for the type checker: one of the two branches above has run
            raise ArmError(500, "InternalServerError", f"The secret {resource.name} was not kept.")
        kept = version.public["attributes"]
        shown = {name: kept[name] for name in _SHOWN if name in kept}
        return {"value": None, "attributes": shown, **self._uris(resource, version)}


def _settable(properties: Body) -> Body:
    given = properties.get("attributes") or {}
    return {name: given[name] for name in ("enabled", "nbf", "exp") if given.get(name) is not None}


def _data_plane_policy(policy: Body) -> Body:
    """ARM's rotation policy in the data plane's words: action types in lower case, no read-only times."""
    expiry = (policy.get("attributes") or {}).get("expiryTime")
    return {
        "lifetimeActions": policy.get("lifetimeActions") or [],
        "attributes": {"expiryTime": expiry} if expiry else {},
    }
