"""Certificates of a vault, driven by Azure's own client; the connector signs and proves itself with them."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.certificates import (
    CertificateClient,
    CertificateContentType,
    CertificateOperation,
    CertificatePolicy,
    KeyVaultCertificate,
)
from azure.keyvault.secrets import SecretClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from local.azure.context import Resource
from local.kubernetes.node.downward import ConfigError
from local.kubernetes.node.secrets_store import SecretsStore
from stacks.vault_files import VaultFiles
from tests.local.azure.dataplanes.conftest import Embedded, Identity
from tests.local.azure.dataplanes.test_secrets_store import POD, VOLUME, Sources
from tests.workloads import qualified
from workloads.chassis import psd2
from workloads.chassis.problems import Problem
from workloads.services.connector import seal
from workloads.services.connector.qwac import Qwac

VAULTS = "Microsoft.KeyVault/vaults"


@pytest.fixture(scope="module")
def vault(embedded: Embedded) -> Resource:
    properties = {"sku": {"family": "A", "name": "premium"}, "enableRbacAuthorization": True}
    return embedded.put(VAULTS, f"kv-{uuid.uuid4().hex[:8]}", {"properties": properties})


@pytest.fixture(scope="module")
def admin(embedded: Embedded, vault: Resource) -> Identity:
    return embedded.identity(("Key Vault Administrator", vault.id))


@pytest.fixture(scope="module")
def client(embedded: Embedded, vault: Resource, admin: Identity) -> Iterator[CertificateClient]:
    bundle = str(embedded.instance.ca_bundle)
    with CertificateClient(vault.properties["vaultUri"], admin.credential, connection_verify=bundle) as client:
        yield client


@pytest.fixture(scope="module")
def connector(embedded: Embedded, vault: Resource) -> Identity:
    """Rights as stacks/rights.py gives them: to use keys, to read one certificate with its key, and one without."""
    return embedded.identity(
        ("Key Vault Crypto User", vault.id),
        *(("Key Vault Secrets User", f"{vault.id}/secrets/{each}") for each in ("qwac", "in-pem", "in-pfx")),
        ("Key Vault Certificate User", f"{vault.id}/certificates/seal"),
    )


@pytest.fixture
def for_services(embedded: Embedded, connector: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connector's own way to the vault: its credential, the machine's trust."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(embedded.instance.ca_bundle))
    monkeypatch.setattr(seal, "credential", lambda: connector.credential)


@pytest.fixture
def mount(
    embedded: Embedded, vault: Resource, connector: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """The file that the connector's pods have of a certificate, by the class that the program makes.

    The exchange of the pod's token is Entra's: here a secret proves who reads.
    """

    async def signed_in(*_: Any) -> str:
        return connector.credential.get_token("https://vault.azure.net/.default").token

    def mounted(name: str) -> Path:
        files = VaultFiles("bank-certificate", "/certificates", {"qwac.pem": name})
        given = files.parameters(vault.name, "t", str(connector.principal.client_id))
        sources = Sources({"spec": {"provider": "azure", "parameters": given}})
        store = SecretsStore(embedded.instance, sources)  # type: ignore[arg-type]  # what it asks of them
        monkeypatch.setattr(store, "_sign_in", signed_in)
        (found,) = asyncio.run(store.files(POD, VOLUME)).items()
        file = tmp_path / found[0]
        file.write_bytes(found[1].data)
        return file

    return mounted


def policy(**more: object) -> CertificatePolicy:
    wanted = {"subject": "CN=tpp.example,O=Tributary,C=DE", "san_dns_names": ["tpp.example"], "key_size": 2048}
    return CertificatePolicy("Self", **(wanted | more))


def create(client: CertificateClient, name: str, wanted: CertificatePolicy) -> KeyVaultCertificate:
    made = client.begin_create_certificate(name, wanted).result()
    assert isinstance(made, KeyVaultCertificate)
    return made


def given() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(65537, 2048)
    name, now = x509.Name.from_rfc4514_string("CN=imported,C=DE"), datetime.datetime.now(datetime.UTC)
    until = now + datetime.timedelta(days=30)
    made = x509.CertificateBuilder(name, name, key.public_key(), 0x9FA1, now, until)
    return key, made.sign(key, hashes.SHA256())


def test_a_certificate_is_made_listed_deleted_recovered_and_purged(client: CertificateClient) -> None:
    created = create(client, "own", policy())
    read = x509.load_der_x509_certificate(bytes(created.cer or b""))
    assert read.subject.rfc4514_string() == "CN=tpp.example,O=Tributary,C=DE"
    assert created.properties
    assert created.properties.expires_on == read.not_valid_after_utc
    assert "own" in {each.name for each in client.list_properties_of_certificates()}
    assert len(list(client.list_properties_of_certificate_versions("own"))) == 1
    deleted = client.begin_delete_certificate("own").result()
    assert deleted.recovery_id
    with pytest.raises(ResourceNotFoundError):
        client.get_certificate("own")
    client.begin_recover_deleted_certificate("own").wait()
    assert client.get_certificate("own").cer == created.cer
    client.begin_delete_certificate("own").result()
    client.purge_deleted_certificate("own")
    with pytest.raises(ResourceNotFoundError):
        client.get_deleted_certificate("own")


@pytest.mark.parametrize("form", ["pem", "pfx"])
def test_an_imported_certificate_is_found_in_its_secret_key_and_all(
    client: CertificateClient, form: str, mount: Callable[[str], Path]
) -> None:
    key, certificate = given()
    if form == "pem":
        value = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        value += certificate.public_bytes(Encoding.PEM)
        wanted = CertificatePolicy("Unknown", subject="CN=x", content_type=CertificateContentType.pem)
        imported = client.import_certificate(f"in-{form}", value, policy=wanted)
    else:
        value = pkcs12.serialize_key_and_certificates(b"x", key, certificate, None, NoEncryption())
        imported = client.import_certificate(f"in-{form}", value)
    assert bytes(imported.cer or b"") == certificate.public_bytes(Encoding.DER)
    assert Qwac(mount(f"in-{form}"), ssl.create_default_context).tls()


def test_an_authority_outside_signs_what_the_vault_asks_for(client: CertificateClient) -> None:
    subject = "CN=tpp, O=Tributary\\, Berlin, 2.5.4.97=PSDDE-BAFIN-123456, C=DE"
    wanted = CertificatePolicy("Unknown", subject=subject, key_size=2048)
    asked = client.begin_create_certificate("signed", wanted).result()
    assert isinstance(asked, CertificateOperation)
    request = x509.load_der_x509_csr(bytes(asked.csr or b""))
    assert request.is_signature_valid
    assert [each.value for each in request.subject][::-1] == ["tpp", "Tributary, Berlin", "PSDDE-BAFIN-123456", "DE"]
    key, authority = given()
    now = datetime.datetime.now(datetime.UTC)
    until = now + datetime.timedelta(days=30)
    made = x509.CertificateBuilder(authority.subject, request.subject, request.public_key(), 7, now, until)
    signed = made.add_extension(qualified.statements(qualified.PSP_AI), critical=False).sign(key, hashes.SHA256())
    with pytest.raises(HttpResponseError, match="not the certificate's"):
        client.merge_certificate("signed", [authority.public_bytes(Encoding.DER)])
    merged = client.merge_certificate("signed", [signed.public_bytes(Encoding.DER)])
    assert bytes(merged.cer or b"") == signed.public_bytes(Encoding.DER)
    assert merged.key_id
    assert psd2.has_role(x509.load_der_x509_certificate(bytes(merged.cer or b"")), psd2.ACCOUNT_INFORMATION)
    with pytest.raises(ResourceNotFoundError):
        client.get_certificate_operation("signed")
    client.begin_create_certificate("given-up", wanted).result()
    client.delete_certificate_operation("given-up")
    with pytest.raises(ResourceNotFoundError):
        client.get_certificate_operation("given-up")


def test_a_key_that_may_not_leave_is_not_in_the_secret_and_signs_in_the_vault(
    client: CertificateClient, embedded: Embedded, vault: Resource, admin: Identity, for_services: None
) -> None:
    client.begin_create_certificate("seal", policy(exportable=False, content_type="application/x-pem-file")).result()
    bundle = str(embedded.instance.ca_bundle)
    secrets = SecretClient(vault.properties["vaultUri"], admin.credential, connection_verify=bundle)
    assert "PRIVATE KEY" not in str(secrets.get_secret("seal").value)
    sealed = seal.VaultSeal(vault.properties["vaultUri"], "seal")
    public = sealed.certificate().public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(sealed.sign("RS256", b"message"), b"message", padding.PKCS1v15(), hashes.SHA256())
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    public.verify(sealed.sign("PS256", b"message"), b"message", pss, hashes.SHA256())


def test_what_the_connector_may_read_is_its_own_certificates_alone(
    client: CertificateClient, vault: Resource, for_services: None, mount: Callable[[str], Path]
) -> None:
    client.begin_create_certificate("services-ingress", policy()).result()
    with pytest.raises(ConfigError, match="services-ingress: 403"):
        mount("services-ingress")
    with pytest.raises(Problem, match="vault-unreachable"):
        seal.VaultSeal(vault.properties["vaultUri"], "services-ingress").certificate()


def test_the_qwac_is_shown_to_a_bank_that_asks_for_it(
    client: CertificateClient, mount: Callable[[str], Path], tmp_path: Path
) -> None:
    created = create(client, "qwac", policy())
    own = x509.load_der_x509_certificate(bytes(created.cer or b""))
    roots = tmp_path / "roots.pem"
    roots.write_bytes(own.public_bytes(Encoding.PEM))
    mounted = mount("qwac")
    bank = Qwac(mounted, partial(ssl.SSLContext, ssl.PROTOCOL_TLS_SERVER)).tls()
    bank.load_verify_locations(roots)
    bank.verify_mode = ssl.CERT_REQUIRED
    tpp = Qwac(mounted, partial(ssl.create_default_context, cafile=str(roots))).tls()
    here, there = socket.socketpair()
    shown: list[bytes | None] = []

    def serve() -> None:
        with bank.wrap_socket(there, server_side=True) as channel:
            shown.append(channel.getpeercert(binary_form=True))
            channel.sendall(b"x")

    serving = threading.Thread(target=serve)
    serving.start()
    with tpp.wrap_socket(here, server_hostname="tpp.example") as channel:
        channel.recv(1)
    serving.join(30)
    assert shown == [own.public_bytes(Encoding.DER)]


def test_what_the_vault_does_not_do_is_refused(
    client: CertificateClient, embedded: Embedded, vault: Resource, admin: Identity
) -> None:
    with pytest.raises(HttpResponseError, match="allowed here"):
        client.begin_create_certificate("ca", CertificatePolicy("DigiCert", subject="CN=x"))
    with pytest.raises(HttpResponseError, match="no certificate with its key"):
        client.import_certificate("bad", b"nonsense")
    bundle = str(embedded.instance.ca_bundle)
    SecretClient(vault.properties["vaultUri"], admin.credential, connection_verify=bundle).set_secret("taken", "x")
    with pytest.raises(HttpResponseError, match="already"):
        client.begin_create_certificate("taken", policy())
    stranger = embedded.identity(("Key Vault Secrets User", vault.id))
    with pytest.raises(HttpResponseError, match="not authorized"):
        CertificateClient(vault.properties["vaultUri"], stranger.credential, connection_verify=bundle).get_certificate(
            "qwac"
        )
