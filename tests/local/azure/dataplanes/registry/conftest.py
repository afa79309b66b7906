"""Container registries of a test session: distribution, two registries, identities with roles, Azure's client."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import httpx
import pytest
from azure.containerregistry import ContainerRegistryClient

from local.azure.context import Resource
from local.azure.dataplanes import registry
from tests import programs
from tests.local.azure.dataplanes.conftest import ROLES, Embedded, Identity
from tests.local.azure.dataplanes.sql.conftest import Backend

REGISTRIES = "Microsoft.ContainerRegistry/registries"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_REG = "Microsoft.ContainerRegistry/registries/"
for _role, _actions in {
    "AcrPull": ["pull/read"],
    "AcrPush": ["pull/read", "push/write"],
    "AcrDelete": ["artifacts/delete"],
}.items():
    ROLES.setdefault(_role, {"actions": [_REG + each for each in _actions]})
ROLES.setdefault("Reader", {"actions": ["*/read"]})


@dataclass(frozen=True)
class Registry:
    """A container registry."""

    embedded: Embedded
    resource: Resource

    @property
    def url(self) -> str:
        return "https://" + self.resource.properties["loginServer"]

    def identity(self, *roles: str) -> Identity:
        return self.embedded.identity(*((role, self.resource.id) for role in roles))

    def client(self, who: Identity, audience: str = "https://containerregistry.azure.net") -> ContainerRegistryClient:
        trust = str(self.embedded.instance.ca_bundle)
        return ContainerRegistryClient(
            self.url, who.credential, audience=audience, connection_verify=trust, retry_total=0
        )

    def http(self, **more: Any) -> httpx.Client:
        trust = ssl.create_default_context(cafile=str(self.embedded.instance.ca_certificate))
        client = httpx.Client(base_url=self.url, verify=trust, timeout=30, **more)
        client.headers["Accept"] = f"{OCI_MANIFEST}, application/json"
        return client

    def exchange(self, who: Identity, audience: str = "https://containerregistry.azure.net") -> httpx.Response:
        form = {
            "grant_type": "access_token",
            "service": self.resource.properties["loginServer"],
            "access_token": who.credential.get_token(f"{audience}/.default").token,
        }
        with self.http() as client:
            return client.post("/oauth2/exchange", data=form)

    def bearer(self, who: Identity, *scopes: str) -> dict[str, str]:
        """The header that authorises: an access token for these scopes."""
        form = {
            "grant_type": "refresh_token",
            "service": self.resource.properties["loginServer"],
            "scope": list(scopes),
            "refresh_token": self.exchange(who).json()["refresh_token"],
        }
        with self.http() as client:
            answer = client.post("/oauth2/token", data=form)
        assert answer.status_code == 200, answer.text
        return {"Authorization": "Bearer " + answer.json()["access_token"]}

    def basic(self, who: Identity, user: str = "00000000-0000-0000-0000-000000000000") -> dict[str, str]:
        token = self.exchange(who).json()["refresh_token"]
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()}


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def push(client: ContainerRegistryClient, repository: str, layer: bytes, tag: str | None = None) -> str:
    """Push an image of one layer; its manifest's digest."""
    config = b'{"config":{}}'
    parts = [client.upload_blob(repository, BytesIO(each)) for each in (config, layer)]
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": parts[0][0],
            "size": parts[0][1],
        },
        "layers": [
            {
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": parts[1][0],
                "size": parts[1][1],
            }
        ],
    }
    return client.set_manifest(repository, BytesIO(json.dumps(manifest).encode()), tag=tag, media_type=OCI_MANIFEST)


@pytest.fixture(scope="session")
def backend(embedded: Embedded) -> Iterator[Backend]:
    (daemon,) = registry.daemons(embedded.instance, programs.needed("registry"))
    running = Backend(daemon, embedded.instance.logs / "registry.log")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def new_registry(embedded: Embedded, backend: Backend) -> Callable[[str], Registry]:
    return lambda name: Registry(embedded, embedded.put(REGISTRIES, name, {"properties": {}}))


@pytest.fixture(scope="session")
def one(new_registry: Callable[[str], Registry]) -> Registry:
    return new_registry("acrOne")


@pytest.fixture(scope="session")
def two(new_registry: Callable[[str], Registry]) -> Registry:
    return new_registry("acrTwo")
