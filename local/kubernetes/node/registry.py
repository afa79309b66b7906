"""Reads from a container registry as an AKS node does: kubelet identity → Azure Container Registry token → blobs.

OCI Distribution Specification 1.1; Azure Container Registry's token exchange (``/oauth2/exchange``, ``/oauth2/token``).
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
from dataclasses import dataclass
from typing import Any

import aiohttp

from local.instance import TENANT_ID, Instance

_AUDIENCE = "https://containerregistry.azure.net"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_REFERENCE = re.compile(
    r"(?P<host>[^/@]+[.:][^/@]*)/(?P<repository>[a-z0-9._/-]+?)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


class PullError(Exception):
    """An image that can't be pulled: the kubelet's reason and what went wrong."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


@dataclass(frozen=True)
class Reference:
    """A parsed image reference."""

    host: str
    repository: str
    tag: str
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Raises PullError InvalidImageName, also for a reference without a registry: nothing is pulled from
        Docker Hub here."""
        match = _REFERENCE.fullmatch(text)
        if match is None:
            raise PullError(
                "InvalidImageName",
                f"image {text!r} is not <registry host>/<repository>[:tag][@sha256:…]; images come from the container "
                "registry's login server only.",
            )
        return cls(match["host"], match["repository"], match["tag"] or "latest", match["digest"])


class Registry:
    """A client that authenticates with the cluster's kubelet identity."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.trust = ssl.create_default_context(cafile=str(instance.ca_certificate))

    async def manifest(self, reference: Reference) -> tuple[str, dict[str, Any]]:
        """Digest and document of an image's manifest. Raises PullError."""
        async with self._session() as session:
            token = await self._token(session, reference)
            name = reference.digest or reference.tag
            url = f"https://{reference.host}/v2/{reference.repository}/manifests/{name}"
            data = await self._get(session, url, {"Authorization": f"Bearer {token}", "Accept": _MANIFEST})
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if reference.digest not in (None, digest):
            raise PullError("ErrImagePull", f"{url} has digest {digest}, not the one that was asked for.")
        document = json.loads(data)
        if document.get("mediaType", _MANIFEST) != _MANIFEST or "config" not in document:
            raise PullError("ErrImagePull", f"{url} is {document.get('mediaType')!r}; only {_MANIFEST} is run here.")
        return digest, document

    async def blobs(self, reference: Reference, digests: list[str]) -> list[bytes]:
        """Blobs, each checked against its digest. Raises PullError."""
        async with self._session() as session:
            headers = {"Authorization": f"Bearer {await self._token(session, reference)}"}
            found = []
            for digest in digests:
                url = f"https://{reference.host}/v2/{reference.repository}/blobs/{digest}"
                data = await self._get(session, url, headers)
                if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
                    raise PullError("ErrImagePull", f"{url}: the content does not have this digest.")
                found.append(data)
            return found

    def _session(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=120, sock_connect=5)
        return aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(ssl=self.trust))

    async def _token(self, session: aiohttp.ClientSession, reference: Reference) -> str:
        host = reference.host
        entra = await self._identity_token(session)
        exchange = {"grant_type": "access_token", "service": host, "tenant": TENANT_ID, "access_token": entra}
        refresh = (await self._post(session, f"https://{host}/oauth2/exchange", exchange))["refresh_token"]
        scope = f"repository:{reference.repository}:pull"
        grant = {"grant_type": "refresh_token", "service": host, "scope": scope, "refresh_token": refresh}
        return str((await self._post(session, f"https://{host}/oauth2/token", grant))["access_token"])

    async def _identity_token(self, session: aiohttp.ClientSession) -> str:
        """A token of the kubelet identity, from the managed-identity endpoint."""
        endpoint = self._read(self.instance.azure / "node-identity.json", "the embedded Azure writes it when it starts")
        cluster = self._read(self.instance.kubernetes / "cluster.json", "creating the managed cluster writes it")
        url = f"{endpoint['endpoint']}?resource={_AUDIENCE}&client_id={cluster['client_id']}&api-version=2019-08-01"
        data = await self._get(session, url, {"X-IDENTITY-HEADER": endpoint["header"]})
        return str(json.loads(data)["access_token"])

    def _read(self, path: Any, where_from: str) -> dict[str, str]:
        try:
            document: dict[str, str] = json.loads(path.read_text())
        except FileNotFoundError:
            raise PullError("ErrImagePull", f"there is no {path}: {where_from}.") from None
        return document

    async def _get(self, session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> bytes:
        try:
            async with session.get(url, headers=headers) as answer:
                return await self._checked(answer)
        except (aiohttp.ClientError, OSError, TimeoutError) as problem:
            raise PullError("ErrImagePull", f"GET {url.partition('?')[0]}: {problem}") from problem

    async def _post(self, session: aiohttp.ClientSession, url: str, form: dict[str, str]) -> dict[str, Any]:
        try:
            async with session.post(url, data=form) as answer:
                document: dict[str, Any] = json.loads(await self._checked(answer))
                return document
        except (aiohttp.ClientError, OSError, TimeoutError) as problem:
            raise PullError("ErrImagePull", f"POST {url}: {problem}") from problem

    async def _checked(self, answer: aiohttp.ClientResponse) -> bytes:
        data = await answer.read()
        if answer.status != 200:
            where = f"{answer.method} {str(answer.url).partition('?')[0]}"
            text = data[:300].decode(errors="replace")
            raise PullError("ErrImagePull", f"{where} answered {answer.status}: {text}")
        return data
