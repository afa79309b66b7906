"""Certificates that a stack asks a vault for, with whatever becomes of them there between two updates."""

from __future__ import annotations

import base64
import datetime
import ssl
from collections.abc import Callable, Iterator

import httpx
import pytest
from azure.identity import ClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.components.deployed.alone import Alone
from tests.engine.deployment import changes

pytestmark = [pytest.mark.xdist_group("components/deployed"), pytest.mark.full]


@pytest.fixture
def program(alone: Callable[[str], Alone]) -> Alone:
    """The vault alone, deployed."""
    made = alone("vault")
    made.up()
    return made


@pytest.fixture
def vault(program: Alone) -> Iterator[httpx.Client]:
    """Its certificates, for the one who deployed it."""
    said, bundle = program.environment, program.environment["SSL_CERT_FILE"]
    credential = ClientSecretCredential(
        said["ARM_TENANT_ID"],
        said["ARM_CLIENT_ID"],
        said["ARM_CLIENT_SECRET"],
        authority=said["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
        connection_verify=bundle,
    )
    token = credential.get_token("https://vault.azure.net/.default").token
    headers = {"Authorization": f"Bearer {token}"}
    trusted = ssl.create_default_context(cafile=bundle)
    at = program.resources()["main-qwac"]["outputs"]["vault"]
    with httpx.Client(base_url=at, params={"api-version": "7.4"}, headers=headers, verify=trusted) as http:
        yield http


def signed(request: str) -> str:
    """What an authority outside makes of a request, both in base64."""
    asked = x509.load_der_x509_csr(base64.b64decode(request))
    assert asked.is_signature_valid
    now, issuer = datetime.datetime.now(datetime.UTC), x509.Name.from_rfc4514_string("CN=Trust Service Provider")
    until = now + datetime.timedelta(days=700)
    builder = x509.CertificateBuilder(issuer, asked.subject, asked.public_key(), 7, now, until)
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


def asked(program: Alone, name: str = "qwac") -> dict[str, str]:
    return program.resources()[f"main-{name}"]["outputs"]


def test_a_request_is_signed_outside_and_whatever_is_changed_there_is_seen_and_mended(
    program: Alone, vault: httpx.Client
) -> None:
    for name in ("qwac", "qseal"):
        body = {"x5c": [signed(asked(program, name)["request"])]}
        vault.post(f"/certificates/{name}/pending/merge", json=body).raise_for_status()
    first = asked(program)["request"]
    program.run("refresh", "--yes")
    program.up("--expect-no-changes")
    assert asked(program)["request"] == first, "what was signed stays as it was asked for"

    drifted = {"policy": {"x509_props": {"subject": "CN=somebody.example"}, "issuer": {"name": "Unknown"}}}
    vault.post("/certificates/qwac/create", json=drifted).raise_for_status()
    assert changes(program.run("refresh", "--yes"))
    assert asked(program)["subject"] == "CN=somebody.example"
    program.up()
    assert vault.get("/certificates/qwac/policy").json()["x509_props"]["subject"].startswith("CN=api.example.com")
    assert asked(program)["request"] != first

    vault.delete("/certificates/qseal").raise_for_status()
    program.run("refresh", "--yes")
    assert "main-qseal" not in program.resources()
    program.up()
    assert vault.get("/certificates/qseal/pending").json()["csr"] == asked(program, "qseal")["request"]
    program.up("--expect-no-changes")
    program.destroy()
    assert program.made() == set()
