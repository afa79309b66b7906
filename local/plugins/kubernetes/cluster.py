"""One API server through the official Kubernetes client: discovery, and requests on objects of any kind.

The client brings authentication, TLS and connections; objects stay JSON, so that every kind and field passes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from local.plugins.kubernetes.settings import Settings
from local.plugins.provider import ProviderError

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Object = dict[str, Any]
_CONNECTIONS = 32
_SECONDS = 60


class Unreachable(ProviderError):
    """The API server does not answer."""


class UnknownKind(ProviderError):
    """The API server has no such kind; its CustomResourceDefinition may come later."""


class ApiRefused(ProviderError):
    """The API server's refusal. status: HTTP status. reason: e.g. "Invalid", "Conflict", "NotFound"."""

    def __init__(self, what: str, status: int, body: Mapping[str, Any]) -> None:
        self.status, self.reason = status, str(body.get("reason") or "")
        self.causes = [each for each in (body.get("details") or {}).get("causes") or [] if isinstance(each, dict)]
        self.message = str(body.get("message") or f"HTTP {status}")
        super().__init__(f"{what}: {self.message}")

    @property
    def immutable(self) -> bool:
        """Whether the object would have to be made anew."""
        return self.status == 422 and ("immutable" in self.message or "may not change once set" in self.message)


@dataclass(frozen=True)
class Kind:
    """A kind as the API server serves it. plural: its name in paths."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str = "") -> str:
        """Where its objects are, or one of them."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        within = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{within}/{self.plural}" + (f"/{name}" if name else "")


class Cluster:
    """Requests to one API server; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: ApiClient | None = None
        self._kinds: dict[str, dict[str, Kind]] = {}

    @property
    def client(self) -> ApiClient:
        """The official client, made when first needed. Raises ProviderError for a kubeconfig that it can't use."""
        with self._lock:
            if self._client is None:
                # The import takes half a second: a preview whose cluster is still unknown does without.
                from kubernetes import client, config
                from kubernetes.config import ConfigException

                settings = client.Configuration()
                settings.connection_pool_maxsize = _CONNECTIONS
                settings.retries = False
                try:
                    config.load_kube_config_from_dict(
                        self._settings.kubeconfig, self._settings.context, settings, persist_config=False
                    )
                except ConfigException as error:
                    raise ProviderError(f"The kubeconfig of the kubernetes provider can't be used: {error}") from None
                self._client = client.ApiClient(settings)
            return self._client

    def kind(self, api_version: str, kind: str) -> Kind:
        """A kind by its name. Raises UnknownKind, Unreachable."""
        with self._lock:
            known = self._kinds.get(api_version, {}).get(kind)
        if known:
            return known
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        status, body = self.request("GET", root)
        found = {
            each["kind"]: Kind(api_version, each["kind"], each["name"], bool(each["namespaced"]))
            for each in (body.get("resources") or [] if status == 200 else [])
            if "/" not in each["name"]
        }
        with self._lock:
            self._kinds[api_version] = found
        if kind not in found:
            raise UnknownKind(f"The Kubernetes API server has no {kind} in {api_version}. Is its CRD installed?")
        return found[kind]

    def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """An object; None when it is not there. Raises ApiRefused."""
        status, body = self.request("GET", kind.path(namespace, name))
        if status == 404:
            return None
        if status != 200:
            raise ApiRefused(f"reading {kind.kind} {name}", status, body)
        return body

    def list(self, api_version: str, kind: str, namespace: str | None, **query: str) -> list[Object]:
        """Objects of a namespace. Raises ApiRefused."""
        found = self.kind(api_version, kind)
        status, body = self.request("GET", found.path(namespace), query)
        if status != 200:
            raise ApiRefused(f"listing {kind}", status, body)
        return list(body.get("items") or [])

    def apply(self, kind: Kind, wanted: Object, manager: str, *, force: bool, dry: bool) -> Object:
        """Server-side apply (kubernetes.io/docs/reference/using-api/server-side-apply). Raises ApiRefused."""
        metadata = wanted["metadata"]
        query = {"fieldManager": manager, "force": "true" if force else "false", "fieldValidation": "Strict"}
        if dry:
            query["dryRun"] = "All"
        path = kind.path(metadata.get("namespace"), metadata["name"])
        status, body = self.request("PATCH", path, query, wanted, "application/apply-patch+yaml")
        if status not in (200, 201):
            raise ApiRefused(f"applying {kind.kind} {metadata['name']}", status, body)
        return body

    def delete(self, kind: Kind, namespace: str | None, name: str, propagation: str, uid: str | None) -> Object | None:
        """Ask for an object's deletion; None when it is gone already. Raises ApiRefused."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        status, body = self.request("DELETE", kind.path(namespace, name), {}, options)
        if status == 404 or (status == 409 and uid):
            return None
        if status not in (200, 202):
            raise ApiRefused(f"deleting {kind.kind} {name}", status, body)
        return body

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
    ) -> tuple[int, Object]:
        """Status and JSON body of an answer. Raises Unreachable."""
        import urllib3  # comes with the client

        client = self.client
        headers = {"Accept": "application/json", "User-Agent": "pulumi-kubernetes-stand-in"}
        if body is not None:
            headers["Content-Type"] = content_type
        queries = list((query or {}).items())
        client.update_params_for_auth(headers, queries, ["BearerToken"], path, method, body)
        url = client.configuration.host.rstrip("/") + path + (f"?{urlencode(queries)}" if queries else "")
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = client.rest_client.pool_manager.request(
                method, url, headers=headers, body=data, timeout=_SECONDS, retries=False
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            host = client.configuration.host
            raise Unreachable(f"The Kubernetes API server {host} does not answer: {_shortly(error)}.") from error
        return answer.status, _json(answer.data)


def _json(data: bytes) -> Object:
    try:
        body = json.loads(data) if data else {}
    except ValueError:
        return {"message": data[:500].decode(errors="replace")}
    return body if isinstance(body, dict) else {"message": str(body)}


def _shortly(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error) or type(error).__name__
