"""What a certificate says of a payment service provider is read from its statements; nothing else says it."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from tests.workloads import qualified
from workloads.chassis import psd2


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def test_roles_and_authority_are_read(key: rsa.RSAPrivateKey) -> None:
    found = psd2.said(qualified.certificate(key, [qualified.PSP_PI, qualified.PSP_AI]))
    assert found
    assert [each.name for each in found.roles] == ["PSP_PI", "PSP_AI"]
    assert (found.authority, found.authority_id) == ("BaFin", "DE-BAFIN")


@pytest.mark.parametrize("roles", [[], [qualified.PSP_PI], [("0.4.0.19495.1.30", "PSP_AI")]])
def test_another_role_is_not_the_role_whatever_it_is_called(
    key: rsa.RSAPrivateKey, roles: list[tuple[str, str]]
) -> None:
    assert not psd2.has_role(qualified.certificate(key, roles), psd2.ACCOUNT_INFORMATION)


def test_the_bytes_are_the_standards(key: rsa.RSAPrivateKey) -> None:
    """Written down by hand from ETSI TS 119 495, annex A, in DER (X.690)."""
    role = "3011" + "0607" + "04008198270103" + "0c06" + b"PSP_AI".hex()
    info = "3026" + "3013" + role + "0c05" + b"BaFin".hex() + "0c08" + b"DE-BAFIN".hex()
    statement = "3030" + "0606" + "040081982702"
    assert qualified.statements(qualified.PSP_AI).value.hex().endswith(statement + info)


class Certificate:
    """As much of one as is read."""

    def __init__(self, value: bytes) -> None:
        told = x509.UnrecognizedExtension(psd2.QC_STATEMENTS, value)
        self.extensions = x509.Extensions([x509.Extension(psd2.QC_STATEMENTS, False, told)])


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda each: bytes([0x30, len(each)]) + each))
def test_bytes_that_are_no_statements_say_nothing(value: bytes) -> None:
    assert psd2.said(Certificate(value)) is None  # type: ignore[arg-type]  # its extensions alone are asked for
