"""Registry client: puts an image into a container registry, signed in with an Entra token.

Protocols: OCI distribution specification 1.1; token exchange of Azure Container Registry (AAD-OAuth.md).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urljoin

import httpx
from azure.identity import DefaultAzureCredential

from components.image_layer import MANIFEST, Blob, LayerImage

SCOPE = "https://containerregistry.azure.net/.default"
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
        self._token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def push(self, image: LayerImage) -> str:
        """Uploads what is not there yet and answers the digest. The tag keeps the manifest from being cleaned up.

        Raises RegistryError when the registry still refuses after two minutes.
        """
        return patiently(lambda: self._push(image), f"{self.server}/{self.repository}")

    def has(self, digest: str) -> bool:
        """Whether a manifest is there. Raises RegistryError likewise."""

        def look() -> bool:
            self._sign_in("pull")
            return self._exists(f"manifests/{digest}", accept=MANIFEST)

        return patiently(look, f"{self.server}/{self.repository}")

    def _push(self, image: LayerImage) -> str:
        self._sign_in("pull,push")
        digest = image.manifest.digest
        if not self._exists(f"manifests/{digest}", accept=MANIFEST):
            for blob in (image.config, image.layer):
                if not self._exists(f"blobs/{blob.digest}"):
                    self._upload(blob)
        self._call(
            "PUT",
            self._url(f"manifests/{image.fingerprint[:16]}"),
            content=image.manifest.content,
            headers={"Content-Type": MANIFEST},
        )
        return digest

    def _upload(self, blob: Blob) -> None:
        started = self._call("POST", self._url("blobs/uploads/"))
        target = httpx.URL(urljoin(str(started.url), started.headers["Location"]))
        self._call(
            "PUT",
            str(target.copy_add_param("digest", blob.digest)),
            content=blob.content,
            headers={"Content-Type": "application/octet-stream"},
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
        refresh = self._token_of(
            "exchange", {"grant_type": "access_token", "access_token": entra}, answer="refresh_token"
        )
        self._token = self._token_of(
            "token",
            {
                "grant_type": "refresh_token",
                "refresh_token": refresh,
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
