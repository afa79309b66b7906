"""Cryptographic operations of a vault's keys, by JSON Web Algorithm (RFC 7518, RFC 8812)."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

from local.azure.dataplanes.keyvault.errors import bad
from local.azure.dataplanes.keyvault.material import PrivateKey

_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1", "ES256K": "secp256k1"}
_RSA_SIGNATURES = tuple(f"{family}{bits}" for family in ("RS", "PS") for bits in _HASHES)
SIGNATURES = (*_RSA_SIGNATURES, *_CURVES)
ENCRYPTIONS: dict[str, padding.AsymmetricPadding] = {
    "RSA-OAEP": padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),  # noqa: S303  # RFC 7518, 4.3
    "RSA-OAEP-256": padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
    "RSA1_5": padding.PKCS1v15(),
}


def encrypt(key: PrivateKey, algorithm: str, plain: bytes) -> bytes:
    """Encrypt or wrap with the public part. Raises VaultError 400."""
    private, scheme = _encryption(key, algorithm)
    try:
        return private.public_key().encrypt(plain, scheme)
    except ValueError:
        raise bad(
            f"Property 'value' is {len(plain)} bytes long: too long for {algorithm} with a key of {private.key_size} "
            "bits."
        ) from None


def decrypt(key: PrivateKey, algorithm: str, sealed: bytes) -> bytes:
    """Decrypt or unwrap. Raises VaultError 400, which says no more than that it failed."""
    private, scheme = _encryption(key, algorithm)
    try:
        return private.decrypt(sealed, scheme)
    except ValueError:
        raise bad("Property 'value' cannot be decrypted with this key and algorithm.") from None


def _encryption(key: PrivateKey, algorithm: str) -> tuple[rsa.RSAPrivateKey, padding.AsymmetricPadding]:
    if algorithm not in ENCRYPTIONS:
        raise bad(f"Property 'alg' has invalid value {algorithm!r}; allowed: {', '.join(ENCRYPTIONS)}.")
    if not isinstance(key, rsa.RSAPrivateKey):
        raise bad(f"Key and encryption algorithm are incompatible: {algorithm!r} needs a key of type 'RSA'.")
    return key, ENCRYPTIONS[algorithm]


def sign(key: PrivateKey, algorithm: str, digest: bytes) -> bytes:
    """Sign a digest; an ECDSA signature is r and s side by side (RFC 7518, 3.4). Raises VaultError 400."""
    chosen = _signature(key, algorithm, digest)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(digest, _padding(algorithm, len(digest)), Prehashed(chosen))
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(chosen))))
    length = (key.curve.key_size + 7) // 8
    return r.to_bytes(length, "big") + s.to_bytes(length, "big")


def verify(key: PrivateKey, algorithm: str, digest: bytes, signature: bytes) -> bool:
    """Whether the signature is this key's over the digest. Raises VaultError 400."""
    chosen = _signature(key, algorithm, digest)
    try:
        if isinstance(key, rsa.RSAPrivateKey):
            key.public_key().verify(signature, digest, _padding(algorithm, len(digest)), Prehashed(chosen))
            return True
        length = (key.curve.key_size + 7) // 8
        if len(signature) != 2 * length:
            return False
        r, s = int.from_bytes(signature[:length], "big"), int.from_bytes(signature[length:], "big")
        key.public_key().verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(chosen)))
    except InvalidSignature:
        return False
    return True


def _padding(algorithm: str, digest: int) -> padding.AsymmetricPadding:
    if algorithm.startswith("RS"):
        return padding.PKCS1v15()
    return padding.PSS(padding.MGF1(_HASHES[algorithm[2:]]), digest)


def _signature(key: PrivateKey, algorithm: str, digest: bytes) -> hashes.HashAlgorithm:
    if algorithm not in SIGNATURES:
        raise bad(f"Property 'alg' has invalid value {algorithm!r}; allowed: {', '.join(SIGNATURES)}.")
    fits = (
        algorithm in _RSA_SIGNATURES if isinstance(key, rsa.RSAPrivateKey) else _CURVES.get(algorithm) == key.curve.name
    )
    if not fits:
        has = "RSA" if isinstance(key, rsa.RSAPrivateKey) else f"EC on {key.curve.name}"
        raise bad(f"Key and signing algorithm are incompatible: the key is {has}, the algorithm {algorithm!r}.")
    chosen = _HASHES[algorithm.removesuffix("K")[2:]]
    if len(digest) != chosen.digest_size:
        raise bad(
            f"Invalid length of 'value': {len(digest)} bytes. {algorithm} requires {chosen.digest_size} bytes, encoded "
            "with base64url."
        )
    return chosen
