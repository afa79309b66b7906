"""ConfigMaps, Secrets and tokens of a pod, read from the API server as the node."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from local.kubernetes.node.client import Api, ApiError, Object
from local.kubernetes.node.downward import ConfigError

_PLURALS = {"ConfigMap": "configmaps", "Secret": "secrets"}


@dataclass(frozen=True)
class Token:
    """A service-account token and when it ends (RFC 3339)."""

    value: str
    expires: str


class Sources:
    """Reads what pods refer to."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def data(self, kind: str, namespace: str, name: str, *, optional: bool) -> dict[str, bytes] | None:
        """All entries of a ConfigMap or Secret; None when it is absent and optional.

        Raises ConfigError when it is absent; otherwise as ``Api.call`` does.
        """
        try:
            found = await self.api.call("GET", f"/api/v1/namespaces/{namespace}/{_PLURALS[kind]}/{name}")
        except ApiError as refusal:
            # 403: the node authorizer has not yet seen that the pod is bound here and refers to it.
            if refusal.status not in (403, 404):
                raise
            if optional:
                return None
            raise ConfigError(f'{kind.lower()} "{name}" not found') from None
        return _decode(kind, found)

    async def provider_class(self, namespace: str, name: str) -> Object:
        """A SecretProviderClass. Raises ConfigError when there is none; otherwise as ``Api.call`` does."""
        path = f"/apis/secrets-store.csi.x-k8s.io/v1/namespaces/{namespace}/secretproviderclasses/{name}"
        try:
            return await self.api.call("GET", path)
        except ApiError as refusal:
            if refusal.status != 404:
                raise
            raise ConfigError(f'secretproviderclass "{name}" not found') from None

    async def token(self, pod: Object, audience: str, seconds: int) -> Token:
        """A token bound to the pod (TokenRequest API). Raises as ``Api.call`` does."""
        metadata, account = pod["metadata"], pod["spec"].get("serviceAccountName", "default")
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec: Object = {"expirationSeconds": seconds, "boundObjectRef": bound}
        if audience:
            spec["audiences"] = [audience]
        status = (await self.api.call("POST", path, {"spec": spec}))["status"]
        return Token(status["token"], status["expirationTimestamp"])


def _decode(kind: str, found: Object) -> dict[str, bytes]:
    if kind == "Secret":
        return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}
    plain = {key: value.encode() for key, value in (found.get("data") or {}).items()}
    return plain | {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
