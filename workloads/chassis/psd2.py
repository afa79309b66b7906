"""What a qualified certificate says of whom it is for: the roles of a payment service provider, and its authority.

QCStatements (RFC 3739, section 3.2.6) as PSD2 has them (ETSI TS 119 495, section 5.1 and annex A). A subject's name
says nothing of that.
"""

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

ACCOUNT_INFORMATION = ObjectIdentifier("0.4.0.19495.1.3")
"""The role PSP_AI."""
QC_STATEMENTS = ObjectIdentifier("1.3.6.1.5.5.7.1.3")
PSD2 = ObjectIdentifier("0.4.0.19495.2")
"""The statement that is PSD2's."""


@asn1.sequence
class RoleOfPsp:
    """A role, and its name, e.g. PSP_AI."""

    oid: ObjectIdentifier
    name: str


@asn1.sequence
class Psd2QcType:
    """The roles, and the competent authority that granted them."""

    roles: list[RoleOfPsp]
    authority: str
    authority_id: str


@asn1.sequence
class Psd2Statement:
    """A QCStatement of PSD2."""

    id: ObjectIdentifier
    info: Psd2QcType


@asn1.sequence
class _Extension:
    """The extension's value within a sequence: the library reads no list by itself."""

    value: asn1.TLV


@asn1.sequence
class _Statements:
    """The same, read as what it is."""

    value: list[asn1.TLV]


def said(certificate: x509.Certificate) -> Psd2QcType | None:
    """What the certificate says; None where it says nothing, or nothing that can be read."""
    try:
        extension = certificate.extensions.get_extension_for_oid(QC_STATEMENTS).value
        wrapped = asn1.encode_der(_Extension(value=asn1.decode_der(asn1.TLV, extension.public_bytes())))
        statements = asn1.decode_der(_Statements, wrapped).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None
    return next((found.info for each in statements if (found := _psd2(each))), None)


def _psd2(statement: asn1.TLV) -> Psd2Statement | None:
    try:
        found = statement.parse(Psd2Statement)
    except ValueError:
        return None  # another statement: that it is qualified, where its terms are
    return found if found.id == PSD2 else None


def has_role(certificate: x509.Certificate, role: ObjectIdentifier) -> bool:
    """Whether it is a provider's with a role."""
    told = said(certificate)
    return told is not None and any(each.oid == role for each in told.roles)
