"""A vault's objects as files of a pod, read from a vault of the embedded Azure by the identity that the class names."""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from azure.keyvault.certificates import CertificateClient, CertificatePolicy
from azure.keyvault.keys import KeyClient
from azure.keyvault.secrets import SecretClient
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key, pkcs12

from local.azure.context import Resource
from local.kubernetes.node import secrets_store
from local.kubernetes.node.downward import ConfigError
from local.kubernetes.node.secrets_store import DRIVER, Mounted, SecretsStore
from local.kubernetes.node.sources import Token
from tests.local.azure.dataplanes.conftest import Embedded, Identity

POD = {"metadata": {"uid": "u", "namespace": "n", "name": "p"}, "spec": {}}
VOLUME = {
    "name": "v",
    "csi": {"driver": DRIVER, "readOnly": True, "volumeAttributes": {"secretProviderClass": "bank"}},
}


@dataclass
class Sources:
    """What the API server would tell: the class, and the pod's token."""

    document: dict[str, Any]
    asked: list[str] = field(default_factory=list)

    async def provider_class(self, namespace: str, name: str) -> dict[str, Any]:
        assert (namespace, name) == ("n", "bank")
        return self.document

    async def token(self, pod: dict[str, Any], audience: str, seconds: int) -> Token:
        self.asked.append(audience)
        return Token("a pod's token", "2030-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def vault(embedded: Embedded) -> Resource:
    properties = {"sku": {"family": "A", "name": "premium"}, "enableRbacAuthorization": True}
    return embedded.put("Microsoft.KeyVault/vaults", f"kv-{uuid.uuid4().hex[:8]}", {"properties": properties})


@pytest.fixture(scope="module")
def filled(embedded: Embedded, vault: Resource) -> Iterator[SecretClient]:
    """A secret of text, one of bytes, a key and a certificate."""
    administrator = embedded.identity(("Key Vault Administrator", vault.id)).credential
    told = {"vault_url": vault.properties["vaultUri"], "credential": administrator,
            "connection_verify": str(embedded.instance.ca_bundle)}  # fmt: skip
    with SecretClient(**told) as client, KeyClient(**told) as keys, CertificateClient(**told) as certificates:
        client.set_secret("api-key", "first")
        client.set_secret("bytes", base64.b64encode(b"\x00\xff").decode())
        keys.create_ec_key("signing")
        policy = CertificatePolicy("Self", subject="CN=tpp.example", exportable=True)
        certificates.begin_create_certificate("qwac", policy).result()
        yield client


@pytest.fixture
def reader(embedded: Embedded, vault: Resource) -> Identity:
    return embedded.identity(("Key Vault Secrets User", vault.id), ("Key Vault Reader", vault.id))


def document(vault: Resource, reader: Identity, *objects: dict[str, Any], **more: str) -> dict[str, Any]:
    parameters = {
        "keyvaultName": vault.name, "tenantId": "t", "clientID": str(reader.principal.client_id),
        "objects": yaml.safe_dump({"array": [yaml.safe_dump(each) for each in objects]}), **more,
    }  # fmt: skip
    return {"spec": {"provider": "azure", "parameters": parameters}}


@pytest.fixture
def files(embedded: Embedded, reader: Identity, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Mounts a class. The exchange of the pod's token is Entra's, tried on the whole platform: here a secret proves."""

    async def signed_in(*_: Any) -> str:
        return reader.credential.get_token("https://vault.azure.net/.default").token

    def mount(sources: Sources, store: SecretsStore | None = None) -> dict[str, Mounted]:
        store = store or SecretsStore(embedded.instance, sources)  # type: ignore[arg-type]  # as much of them as it asks
        monkeypatch.setattr(store, "_sign_in", signed_in)
        return asyncio.run(store.files(POD, VOLUME))

    return mount


def test_each_kind_of_object_is_a_file_as_the_driver_writes_it(
    vault: Resource, filled: SecretClient, reader: Identity, files: Any
) -> None:
    sources = Sources(
        document(
            vault,
            reader,
            {"objectName": "api-key", "objectType": "secret", "filePermission": "0600"},
            {"objectName": "bytes", "objectType": "secret", "objectEncoding": "base64", "objectAlias": "raw.bin"},
            {"objectName": "signing", "objectType": "key"},
            {"objectName": "qwac", "objectType": "cert", "objectAlias": "qwac.pem"},
            {"objectName": "qwac", "objectType": "secret", "objectAlias": "tls.pem"},
            {"objectName": "qwac", "objectType": "secret", "objectAlias": "tls.pfx", "objectFormat": "pfx"},
        )
    )
    found = files(sources)
    assert sources.asked == ["api://AzureADTokenExchange"]
    assert found["api-key"] == Mounted(b"first", 0o600)
    assert found["raw.bin"].data == b"\x00\xff"
    load_pem_public_key(found["signing"].data)
    leaf = x509.load_pem_x509_certificate(found["qwac.pem"].data)
    assert leaf.subject.rfc4514_string() == "CN=tpp.example"
    assert load_pem_private_key(found["tls.pem"].data, None).public_key() == leaf.public_key()
    assert x509.load_pem_x509_certificates(found["tls.pem"].data)[0] == leaf
    held = pkcs12.load_pkcs12(base64.b64decode(found["tls.pfx"].data), None).cert
    assert held
    assert held.certificate == leaf


def test_a_new_version_is_seen_after_two_minutes_and_an_old_one_can_be_named(
    embedded: Embedded,
    vault: Resource,
    filled: SecretClient,
    reader: Identity,
    files: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = filled.set_secret("rotated", "one").properties.version
    sources = Sources(
        document(
            vault,
            reader,
            {"objectName": "rotated", "objectType": "secret"},
            {"objectName": "rotated", "objectType": "secret", "objectVersion": first, "objectAlias": "old"},
        )
    )
    store = SecretsStore(embedded.instance, sources)  # type: ignore[arg-type]  # as much of them as it asks
    files(sources, store)
    filled.set_secret("rotated", "two")
    assert files(sources, store)["rotated"].data == b"one"
    now = time.monotonic()
    monkeypatch.setattr(secrets_store, "time", SimpleNamespace(monotonic=lambda: now + 121))
    assert {name: each.data for name, each in files(sources, store).items()} == {"rotated": b"two", "old": b"one"}


SECRET = {"objectName": "api-key", "objectType": "secret"}


@pytest.mark.parametrize(
    ("objects", "more", "said"),
    [
        ([{"objectName": "nothing", "objectType": "secret"}], {}, "secret nothing: 404 SecretNotFound"),
        ([{**SECRET, "objectType": "password"}], {}, "objectType 'password' (known: secret, key, cert)"),
        ([{**SECRET, "objectVersionHistory": 2}], {}, "objectVersionHistory not known here"),
        ([{**SECRET, "objectAlias": "../up"}], {}, "must be a plain file name"),
        ([{**SECRET, "filePermission": "0999"}], {}, "no octal mode"),
        ([{**SECRET, "objectEncoding": "hex"}], {}, "is not hex"),
        ([SECRET, SECRET], {}, "two objects have one file name"),
        ([{**SECRET, "objectFormat": "pfx", "objectType": "cert"}], {}, "is for objectType secret only"),
        ([SECRET], {"usePodIdentity": "true"}, "usePodIdentity 'true'"),
        ([SECRET], {"cloudName": "AzureChinaCloud"}, "cloudName 'AzureChinaCloud'"),
        ([SECRET], {"keyvaultName": "elsewhere"}, "there is no vault elsewhere"),
        ([SECRET], {"clientID": ""}, "parameters.clientID is missing"),
        ([SECRET], {"objects": "array: 1"}, "no YAML with an array"),
        ([SECRET], {"future": "x"}, "future not known here"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_or_not_known_is_named(
    vault: Resource,
    filled: SecretClient,
    reader: Identity,
    files: Any,
    objects: list[dict[str, Any]],
    more: dict[str, str],
    said: str,
) -> None:
    with pytest.raises(ConfigError) as refused:
        files(Sources(document(vault, reader, *objects, **more)))
    assert said in str(refused.value)


def test_synchronised_secrets_and_other_providers_are_refused(vault: Resource, reader: Identity, files: Any) -> None:
    synchronised = document(vault, reader, SECRET)
    synchronised["spec"]["secretObjects"] = [{"secretName": "s"}]
    with pytest.raises(ConfigError, match="secretObjects not known here"):
        files(Sources(synchronised))
    with pytest.raises(ConfigError, match="provider 'vault'"):
        files(Sources({"spec": {"provider": "vault"}}))


def test_an_identity_without_a_role_is_refused_by_the_vault(
    embedded: Embedded, vault: Resource, filled: SecretClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = embedded.identity()
    sources = Sources(document(vault, stranger, SECRET))
    store = SecretsStore(embedded.instance, sources)  # type: ignore[arg-type]  # as much of them as it asks

    async def signed_in(*_: Any) -> str:
        return stranger.credential.get_token("https://vault.azure.net/.default").token

    monkeypatch.setattr(store, "_sign_in", signed_in)
    with pytest.raises(ConfigError, match="secret api-key: 403 Forbidden"):
        asyncio.run(store.files(POD, VOLUME))


def test_a_token_that_entra_does_not_take_is_told(embedded: Embedded, vault: Resource, reader: Identity) -> None:
    sources = Sources(document(vault, reader, SECRET))
    store = SecretsStore(embedded.instance, sources)  # type: ignore[arg-type]  # as much of them as it asks
    with pytest.raises(ConfigError, match="is not given a token"):
        asyncio.run(store.files(POD, VOLUME))
