"""A QWAC on its whole way: asked for by the stack, signed outside, mounted from the vault, shown by the connector."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator

import httpx
import pytest
from azure.identity import ClientSecretCredential
from cryptography import x509

from tests.components.deployed.test_certificates import signed
from tests.engine.deployment import Deployment
from tests.engine.test_two_banks import kubectl

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]
SUBJECT = "CN=api.example.com, O=Example, C=DE"
PODS = ("get", "pods", "-n", "tributary", "-l", "app.kubernetes.io/name=connector", "-o", "json")


@pytest.fixture
def asked(deployed: Deployment) -> Iterator[Deployment]:
    """The stack has asked for it; afterwards it is as it was."""
    deployed.configure("local", "local", vault={"certificates": {"qwac": {"subject": SUBJECT}}})
    deployed.run("up", "local")
    yield deployed
    deployed.configure("local", "local")
    deployed.run("up", "local")


def merge(deployed: Deployment) -> x509.Certificate:
    """What a trust service provider signs, put into the vault by the one who deploys."""
    (outputs,) = [each["outputs"] for each in deployed.state("local") if each["urn"].endswith("::main-qwac")]
    made, bundle = signed(outputs["request"]), str(deployed.instance.ca_bundle)
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
        vault.post("/certificates/qwac/pending/merge", json={"x5c": [made]}).raise_for_status()
    return x509.load_der_x509_certificate(base64.b64decode(made))


def test_a_certificate_that_was_signed_is_mounted_into_the_connector_which_starts_with_it(asked: Deployment) -> None:
    certificate = merge(asked)
    asked.configure("local", "local", vault={"certificates": {"qwac": {"subject": SUBJECT, "merged": True}}})
    asked.run("up", "local")
    told = json.loads(kubectl(asked.instance, *PODS))["items"]
    (pod,) = [each for each in told if "deletionTimestamp" not in each["metadata"]]
    assert [each["ready"] for each in pod["status"]["containerStatuses"]] == [True], "it loads the file as it starts"
    (file,) = {
        each.resolve() for each in (asked.instance.state / "kubernetes").rglob("qwac.pem")
        if pod["metadata"]["uid"] in str(each)
    }  # fmt: skip
    assert b"PRIVATE KEY" in file.read_bytes()
    assert x509.load_pem_x509_certificate(file.read_bytes()) == certificate
