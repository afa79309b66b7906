"""Registry client: puts an image into a container registry, signed in with an Entra token.

Protocols: OCI distribution specification 1.1; token exchange of Azure Container Registry (AAD-OAuth.md).
"""

from __future__ import annotations

import base64
import json
import ssl
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urljoin

import httpx
from azure.identity import DefaultAzureCredential

from components.image_builders.layer_image import MANIFEST, Blob, LayerImage

SCOPE = "https://containerregistry.azure.net/.default"
TOKEN_USER = "00000000-0000-0000-0000-000000000000"  # noqa: S105  # a user name
"""The user whose password is a refresh token (learn.microsoft.com/azure/container-registry, "az acr login")."""
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""Manifests that list manifests."""
_MANIFESTS = ", ".join((MANIFEST, "application/vnd.docker.distribution.manifest.v2+json", *INDEXES))
_PATIENCE = 120.0
"""Seconds: a role assignment takes up to two minutes to be known everywhere."""
_AGAIN = {401, 403, 408, 429, 500, 502, 503, 504}


_ADVICE = {
    401: "Sign in anew (az login, or AZURE_CLIENT_ID and its companions)",
    403: "Pushing needs the role AcrPush at the registry, or Owner or Contributor above it",
    404: "Is the name of the registry right",
}
_Answer = TypeVar("_Answer")


class RegistryError(RuntimeError):
    """A registry refused; the message names registry, repository and answer."""


class RegistryClient:
    """One repository of a registry. Use as a context manager.

    server: login server, host and port. repository: its name.
    """

    def __init__(self, server: str, repository: str) -> None:
        self.server, self.repository = server, repository
        # The standard library's context honours SSL_CERT_FILE and the machine's roots alike.
        self._http = httpx.Client(verify=ssl.create_default_context(), timeout=60, follow_redirects=True)
        self._token = self._refresh = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def push(self, image: LayerImage, tag: str) -> str:
        """Uploads what is not there yet and answers the digest. The tag keeps the manifest from being cleaned up.

        Raises RegistryError when the registry still refuses after two minutes.
        """
        return self._patiently("pull,push", lambda: self._push(image, tag))

    def has(self, digest: str) -> bool:
        """Whether a manifest is there. Raises RegistryError likewise."""
        return self._patiently("pull", lambda: self._exists(f"manifests/{digest}", accept=_MANIFESTS))

    def digest_of(self, tag: str) -> str | None:
        """Digest of the manifest under a tag; None where there is no such tag. Raises RegistryError likewise."""

        def look() -> str | None:
            found = self._call("HEAD", self._url(f"manifests/{tag}"), headers={"Accept": _MANIFESTS}, missing=True)
            return None if found.status_code == 404 else found.headers["Docker-Content-Digest"]

        return self._patiently("pull", look)

    def digest_under(self, tag: str) -> str:
        """The same for a tag that was just pushed. Raises RegistryError also when there is none."""
        found = self.digest_of(tag)
        if found is None:
            raise RegistryError(
                f"{self.server}/{self.repository} has no tag {tag}, though it was pushed. Run it again."
            )
        return found

    def tag(self, digest: str, tag: str) -> None:
        """Puts a manifest that is there under a tag, too."""
        manifest = self.manifest(digest)
        self._patiently("pull,push", lambda: self._put_manifest(tag, manifest))

    def manifest(self, digest: str) -> Blob:
        """A manifest as it is kept. Raises RegistryError, also when it is not what the digest says."""

        def get() -> Blob:
            found = self._call("GET", self._url(f"manifests/{digest}"), headers={"Accept": _MANIFESTS})
            return Blob(found.headers["Content-Type"], found.content)

        manifest = self._patiently("pull", get)
        if manifest.digest != digest:
            raise RegistryError(f"{self.server}/{self.repository}@{digest} has the digest {manifest.digest}.")
        return manifest

    def login(self, actions: str) -> str:
        """What signs another program in (Basic), once the rights for the actions, e.g. "pull,push", are there.

        It opens for some hours all that the deployer may do here. Raises RegistryError likewise.
        """
        return self._patiently(actions, lambda: base64.b64encode(f"{TOKEN_USER}:{self._refresh}".encode()).decode())

    def copy(self, origin: RegistryClient, digest: str) -> None:
        """Copies an image, with every image of an index, from another repository. Raises RegistryError likewise."""
        manifest = origin.manifest(digest)
        parts = json.loads(manifest.content)
        if manifest.media_type in INDEXES:
            for each in parts["manifests"]:
                self.copy(origin, each["digest"])
        else:
            for each in (parts["config"], *parts["layers"]):
                self._patiently("pull,push", lambda each=each: self._copy_blob(origin, each["digest"], each["size"]))
        self._patiently("pull,push", lambda: self._put_manifest(digest, manifest))

    def _copy_blob(self, origin: RegistryClient, digest: str, size: int) -> None:
        if self._exists(f"blobs/{digest}"):
            return
        origin._sign_in("pull")
        headers = {"Authorization": f"Bearer {origin._token}"}
        with origin._http.stream("GET", origin._url(f"blobs/{digest}"), headers=headers) as source:
            source.raise_for_status()
            # The registry that receives it checks the digest.
            self._upload(digest, source.iter_bytes(), size)

    def _push(self, image: LayerImage, tag: str) -> str:
        digest = image.manifest.digest
        if not self._exists(f"manifests/{digest}", accept=MANIFEST):
            for blob in (image.config, image.layer):
                if not self._exists(f"blobs/{blob.digest}"):
                    self._upload(blob.digest, blob.content, len(blob.content))
        self._put_manifest(tag, image.manifest)
        return digest

    def _put_manifest(self, reference: str, manifest: Blob) -> None:
        headers = {"Content-Type": manifest.media_type}
        self._call("PUT", self._url(f"manifests/{reference}"), content=manifest.content, headers=headers)

    def _patiently(self, actions: str, attempt: Callable[[], _Answer]) -> _Answer:
        def signed_in() -> _Answer:
            self._sign_in(actions)
            return attempt()

        return patiently(signed_in, f"{self.server}/{self.repository}", _PATIENCE)

    def _upload(self, digest: str, content: bytes | Iterator[bytes], size: int) -> None:
        started = self._call("POST", self._url("blobs/uploads/"))
        target = httpx.URL(urljoin(str(started.url), started.headers["Location"]))
        self._call(
            "PUT",
            str(target.copy_add_param("digest", digest)),
            content=content,
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(size)},
        )

    def _exists(self, path: str, accept: str = "*/*") -> bool:
        return self._call("HEAD", self._url(path), headers={"Accept": accept}, missing=True).status_code != 404

    def _url(self, path: str) -> str:
        return f"https://{self.server}/v2/{self.repository}/{path}"

    def _call(self, method: str, url: str, *, missing: bool = False, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}", **options.pop("headers", {})}
        answer = self._http.request(method, url, headers=headers, **options)
        if not (missing and answer.status_code == 404):
            answer.raise_for_status()
        return answer

    def _sign_in(self, actions: str) -> None:
        # login.microsoftonline.com lists Azure's own authorities only; which one is ours, the environment says.
        with DefaultAzureCredential(disable_instance_discovery=True) as credential:
            entra = credential.get_token(SCOPE).token
        self._refresh = self._token_of(
            "exchange", {"grant_type": "access_token", "access_token": entra}, answer="refresh_token"
        )
        self._token = self._token_of(
            "token",
            {
                "grant_type": "refresh_token",
                "refresh_token": self._refresh,
                "scope": f"repository:{self.repository}:{actions}",
            },
            answer="access_token",
        )

    def _token_of(self, step: str, form: dict[str, str], answer: str) -> str:
        response = self._http.post(f"https://{self.server}/oauth2/{step}", data={"service": self.server, **form})
        response.raise_for_status()
        return response.json()[answer]


def patiently(attempt: Callable[[], _Answer], where: str, patience: float = _PATIENCE) -> _Answer:
    """Tries again while the answer may change by itself: rights under way, a busy registry, a broken connection."""
    pause, until = 1.0, time.monotonic() + patience
    while True:
        try:
            return attempt()
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            if status not in _AGAIN or time.monotonic() + pause > until:
                # Only method and path: an answer's body, or a URL's query, may carry a token.
                request = error.request
                raise RegistryError(
                    f"{where}: {request.method} {request.url.path} was answered {status}. "
                    f"{_ADVICE.get(status, 'Look at the health of the registry')}."
                ) from None
        except httpx.TransportError as error:
            if time.monotonic() + pause > until:
                raise RegistryError(
                    f"{where} can't be reached: {error}. Is the registry's network open to you?"
                ) from None
        time.sleep(pause)
        pause = min(pause * 2, 15)
