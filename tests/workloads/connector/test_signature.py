"""Signed requests: what is signed can be checked with the certificate alone, and nothing is signed without one."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.workloads import qualified
from tests.workloads.connector.test_profile import bank
from workloads.chassis import clock
from workloads.chassis.calls import trust
from workloads.chassis.problems import Problem
from workloads.services.connector import assertion
from workloads.services.connector.request import BankRequest
from workloads.services.connector.sections.security import Signature
from workloads.services.connector.signature import signed
from workloads.services.connector.transport import Transport


class GivenSeal:
    """A key at hand in the place of the vault's."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self._certificate = qualified.certificate(self.key)

    def certificate(self) -> x509.Certificate:
        return self._certificate

    def sign(self, algorithm: Any, data: bytes) -> bytes:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        return self.key.sign(data, pss if algorithm == "PS256" else padding.PKCS1v15(), hashes.SHA256())


SEAL = GivenSeal()
ASKED = BankRequest("POST", "https://h/v1/consents?a=1", {"X-Request-ID": "r", "PSU-ID": "anna"}, "r")


@pytest.mark.parametrize("target", [False, True])
def test_a_signature_is_verified_by_what_was_sent_alone(target: bool) -> None:
    sent = signed(ASKED, b'{"a":1}', Signature(use="always", request_target=target), SEAL, clock.now()).headers
    digest = base64.b64encode(hashlib.sha256(b'{"a":1}').digest()).decode()
    assert sent["Digest"] == f"SHA-256={digest}"
    told = dict(re.findall('(\\w+)="([^"]*)"', sent["Signature"]))
    assert told["keyId"] == "SN=9FA1,CA=CN=QSeal%20CA%201,O=Trust%20Services,C=DE"
    names = told["headers"].split()
    assert names == [*(["(request-target)"] if target else []), "Digest", "X-Request-ID", "PSU-ID", "Date"]
    values = {**sent, "(request-target)": "post /v1/consents?a=1"}
    text = "\n".join(f"{name.lower()}: {values[name]}" for name in names)
    certificate = x509.load_der_x509_certificate(base64.b64decode(sent["TPP-Signature-Certificate"]))
    key: Any = certificate.public_key()
    key.verify(base64.b64decode(told["signature"]), text.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_an_assertion_is_one_that_others_accept() -> None:
    made = assertion.jws(SEAL, {"iss": "c", "sub": "c", "aud": "https://bank/token"}, clock.now())
    read = jwt.decode(made, RSAKey.import_key(SEAL.key), algorithms=["PS256"])
    assert read.claims["aud"] == "https://bank/token"
    assert read.claims["exp"] > read.claims["iat"]


def test_a_bank_that_wants_signatures_is_not_asked_without_a_seal() -> None:
    transport = Transport(bank(signature={"use": "always"}), "http://127.0.0.1:9", trust(None))
    with pytest.raises(Problem) as refused:
        _ = transport.seal
    assert refused.value.kind == "seal-missing"
