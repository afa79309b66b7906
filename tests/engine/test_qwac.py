"""A QWAC on its whole way: asked for by the stack, signed outside, mounted from the vault, shown by the connector.

And renewed on its whole way: a new version in the vault, the same pods, and a bank that sees it.
"""

from __future__ import annotations

import base64
import datetime
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.identity import ClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from local.kubernetes.network import loopback
from local.pki import Authority
from tests.end_to_end.platform import person_at
from tests.engine.deployment import Deployment
from tests.engine.test_two_banks import kubectl

pytestmark = [pytest.mark.full, pytest.mark.timeout(1200)]
SUBJECT = "CN=api.example.com, O=Example, C=DE"


@pytest.fixture
def asked(deployed: Deployment) -> Iterator[Deployment]:
    """The stack has asked for it; afterwards it is as it was."""
    deployed.configure("local", "local", vault={"certificates": {"qwac": {"subject": SUBJECT}}})
    deployed.run("up", "local")
    yield deployed
    deployed.configure("local", "local")
    deployed.run("up", "local")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A trust service provider."""
    folder = tmp_path_factory.mktemp("provider")
    return Authority(folder / "provider.pem", folder / "provider.key", "Trust Service Provider")


def signed(provider: Authority, request: str) -> x509.Certificate:
    """What it makes of a request, which is base64."""
    asked = x509.load_der_x509_csr(base64.b64decode(request))
    now, issuer = datetime.datetime.now(datetime.UTC), provider.certificate.subject
    until, number = now + datetime.timedelta(days=700), x509.random_serial_number()
    builder = x509.CertificateBuilder(issuer, asked.subject, asked.public_key(), number, now, until)
    return builder.sign(provider.key, hashes.SHA256())


@contextmanager
def vault_of(deployed: Deployment) -> Iterator[httpx.Client]:
    """The vault's certificates, for the one who deploys."""
    (outputs,) = [each["outputs"] for each in deployed.state("local") if each["urn"].endswith("::main-qwac")]
    bundle = str(deployed.instance.ca_bundle)
    said = json.loads((deployed.instance.azure / "deployer.json").read_text())
    credential = ClientSecretCredential(
        said["tenant_id"], said["client_id"], said["client_secret"], authority=f"https://{deployed.instance.arm}",
        disable_instance_discovery=True, connection_verify=bundle,
    )  # fmt: skip
    token = credential.get_token("https://vault.azure.net/.default").token
    with httpx.Client(
        base_url=outputs["vault"], params={"api-version": "7.4"}, headers={"Authorization": f"Bearer {token}"},
        verify=ssl.create_default_context(cafile=bundle),
    ) as vault:  # fmt: skip
        yield vault


def merge(vault: httpx.Client, provider: Authority, request: str) -> x509.Certificate:
    """What the provider signs, put into the vault."""
    made = signed(provider, request)
    told = base64.b64encode(made.public_bytes(Encoding.DER)).decode()
    vault.post("/certificates/qwac/pending/merge", json={"x5c": [told]}).raise_for_status()
    return made


def renew(vault: httpx.Client, provider: Authority) -> x509.Certificate:
    """As an operator does: the same policy, a new key, a new version."""
    policy = vault.get("/certificates/qwac/policy").raise_for_status().json()
    pending = vault.post("/certificates/qwac/create", json={"policy": policy}).raise_for_status().json()
    return merge(vault, provider, pending["csr"])


def pods(deployed: Deployment, name: str) -> list[dict[str, Any]]:
    label = f"app.kubernetes.io/name={name}"
    told = json.loads(kubectl(deployed.instance, "get", "pods", "-n", "tributary", "-l", label, "-o", "json"))["items"]
    return [each for each in told if "deletionTimestamp" not in each["metadata"]]


@contextmanager
def bank(deployed: Deployment, provider: Authority, folder: Path) -> Iterator[tuple[str, list[bytes]]]:
    """A bank that wants a certificate of the provider's: its base URL, and those it was shown (DER), a request each."""
    shown: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            told = self.connection.getpeercert(binary_form=True)  # type: ignore[attr-defined]  # a TLS socket
            shown.append(told)
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
            """Quiet."""

    ours = Authority(deployed.instance.ca_certificate, deployed.instance.azure / "ca.key", "unused")
    certificate, key = ours.issue_files(folder, "bank", ["127.0.0.1"])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    tls.load_verify_locations(provider.certificate_path)
    tls.verify_mode = ssl.CERT_REQUIRED
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that ends without a word
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}", shown
        server.shutdown()


@contextmanager
def connector_to(deployed: Deployment, url: str) -> Iterator[str]:
    """The deployed connector once more, with that bank in the place of the sandbox's, which speaks plain HTTP."""
    made = json.loads(kubectl(deployed.instance, "get", "deployment", "connector", "-n", "tributary", "-o", "json"))
    name = "connector-to-tls"
    named = {"app.kubernetes.io/name": name}
    spec, template = made["spec"], made["spec"]["template"]
    for each in template["spec"]["containers"][0]["env"]:
        if each["name"] == "BANK_URLS":
            each["value"] = json.dumps({"aurora": url})
    template["metadata"]["labels"] |= named
    body = {
        "apiVersion": made["apiVersion"], "kind": made["kind"], "metadata": {"name": name, "namespace": "tributary"},
        "spec": {**spec, "replicas": 1, "selector": {"matchLabels": template["metadata"]["labels"]}},
    }  # fmt: skip
    file = deployed.folder / "connector-to-tls.json"
    file.write_text(json.dumps(body))
    kubectl(deployed.instance, "create", "-f", str(file))
    try:
        kubectl(deployed.instance, "rollout", "status", f"deployment/{name}", "-n", "tributary", "--timeout=180s")
        (pod,) = pods(deployed, name)
        yield f"http://{loopback(pod['status']['podIP'])}:8080"
    finally:
        kubectl(deployed.instance, "delete", "-f", str(file), "--wait=true")


def starts(deployed: Deployment, *names: str) -> list[tuple[str, str]]:
    """Each pod, and when its container was started."""
    found = [pod for name in names for pod in pods(deployed, name)]
    return [
        (each["metadata"]["uid"], each["status"]["containerStatuses"][0]["state"]["running"]["startedAt"])
        for each in found
    ]


def test_a_certificate_that_was_signed_is_mounted_and_a_renewed_one_is_shown_to_banks_without_a_restart(
    asked: Deployment, provider: Authority, tmp_path: Path
) -> None:
    (outputs,) = [each["outputs"] for each in asked.state("local") if each["urn"].endswith("::main-qwac")]
    with vault_of(asked) as vault:
        first = merge(vault, provider, outputs["request"])
    asked.configure("local", "local", vault={"certificates": {"qwac": {"subject": SUBJECT, "merged": True}}})
    asked.run("up", "local")
    (pod,) = pods(asked, "connector")
    assert [each["ready"] for each in pod["status"]["containerStatuses"]] == [True], "it loads the file as it starts"
    (file,) = {
        each.resolve() for each in (asked.instance.state / "kubernetes").rglob("qwac.pem")
        if pod["metadata"]["uid"] in str(each)
    }  # fmt: skip
    assert b"PRIVATE KEY" in file.read_bytes()
    assert x509.load_pem_x509_certificate(file.read_bytes()) == first

    with (
        bank(asked, provider, tmp_path) as (url, shown),
        connector_to(asked, url) as connector,
        person_at(asked.instance, asked.outputs("local")) as platform,
    ):
        before = starts(asked, "connector", "connector-to-tls")

        def asks() -> bytes:
            """What the bank is shown when a person wants to connect it."""
            token = platform.issuer.token("renewal")
            headers = {"Authorization": f"Bearer {token}", "PSU-IP-Address": "192.0.2.7"}
            told = {"redirect_uri": "https://app.example/return"}
            answer = httpx.post(f"{connector}/banks/aurora/consents", headers=headers, json=told, timeout=60)
            assert answer.json()["type"] == "/problems/bank-failed", answer.text
            return shown[-1]

        assert asks() == first.public_bytes(Encoding.DER)
        with vault_of(asked) as vault:
            second = renew(vault, provider)
        deadline = time.monotonic() + 480  # the secrets store looks every two minutes
        while asks() != second.public_bytes(Encoding.DER):
            assert time.monotonic() < deadline, "the renewed certificate is not shown after eight minutes"
            time.sleep(2)
        assert starts(asked, "connector", "connector-to-tls") == before, "nothing was restarted"
