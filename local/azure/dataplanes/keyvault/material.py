"""Key material of a vault: generation, JSON Web Keys (RFC 7517, 7518) in and out, PKCS #8 for keeping."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from local.azure.dataplanes.keyvault.common import b64, unb64
from local.azure.dataplanes.keyvault.errors import bad

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "P-256K": ec.SECP256K1(),
}
_NAMES = {curve.name: name for name, curve in CURVES.items()}
RSA_SIZES = (2048, 3072, 4096)
TYPES = ("RSA", "RSA-HSM", "EC", "EC-HSM")
OPERATIONS = ("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey")


def key_type(kty: Any, *, premium: bool) -> str:
    """A key type that this tier of vault has. Raises VaultError 400."""
    if kty in ("oct", "oct-HSM"):
        raise bad(f"Key type {kty!r} is supported by managed HSMs only; allowed in a vault: {', '.join(TYPES)}.")
    if kty not in TYPES:
        raise bad(f"Property 'kty' has invalid value {kty!r}; allowed: {', '.join(TYPES)}.")
    if kty.endswith("-HSM") and not premium:
        raise bad(f"Key type {kty!r} needs a vault of sku premium; this one is standard: use {kty[:-4]!r}.")
    return kty


def generate(kty: str, size: Any, curve: Any, exponent: Any) -> PrivateKey:
    """A new key. size: bits of an RSA key; curve: of an EC key. Raises VaultError 400."""
    if kty.startswith("RSA"):
        if curve is not None:
            raise bad("Property 'crv' does not belong to an RSA key.")
        if size not in (None, *RSA_SIZES):
            raise bad(f"Property 'key_size' has invalid value {size!r}; allowed: {', '.join(map(str, RSA_SIZES))}.")
        if exponent not in (None, 3, 65537):
            raise bad(f"Property 'public_exponent' has invalid value {exponent!r}; allowed: 3, 65537.")
        return rsa.generate_private_key(exponent or 65537, size or 2048)
    if exponent is not None:
        raise bad("Property 'public_exponent' does not belong to an EC key.")
    chosen = CURVES.get(curve or "P-256")
    if chosen is None:
        raise bad(f"Property 'crv' has invalid value {curve!r}; allowed: {', '.join(CURVES)}.")
    if size not in (None, chosen.key_size):
        raise bad(f"Property 'key_size' is {size!r}, but curve {curve or 'P-256'} has {chosen.key_size} bits.")
    return ec.generate_private_key(chosen)


def load(jwk: dict[str, Any]) -> PrivateKey:
    """The private key of a JSON Web Key. Raises VaultError 400."""

    def number(name: str) -> int:
        if name not in jwk:
            raise bad(f"Property 'key.{name}' is missing.")
        return int.from_bytes(unb64(jwk[name], f"key.{name}"), "big")

    try:
        if str(jwk.get("kty")).startswith("RSA"):
            public = rsa.RSAPublicNumbers(number("e"), number("n"))
            d = number("d")
            p, q = (number("p"), number("q")) if "p" in jwk else rsa.rsa_recover_prime_factors(public.n, public.e, d)
            crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
            key: PrivateKey = rsa.RSAPrivateNumbers(p, q, d, *crt, public).private_key()
            if key.key_size not in RSA_SIZES:
                raise bad(f"The RSA key has {key.key_size} bits; allowed: {', '.join(map(str, RSA_SIZES))}.")
            return key
        curve = CURVES.get(str(jwk.get("crv")))
        if curve is None:
            raise bad(f"Property 'key.crv' has invalid value {jwk.get('crv')!r}; allowed: {', '.join(CURVES)}.")
        point = ec.EllipticCurvePublicNumbers(number("x"), number("y"), curve)
        return ec.EllipticCurvePrivateNumbers(number("d"), point).private_key()
    except ValueError:
        raise bad("Property 'key' has invalid value: its numbers are not those of a private key.") from None


def dump(key: PrivateKey) -> bytes:
    """PKCS #8 DER, for the sealed part of a version."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def undump(data: bytes) -> PrivateKey:
    """The key of ``dump``'s bytes."""
    key = serialization.load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError(f"a {type(key).__name__} is not a key that a vault keeps")
    return key


def public_jwk(key: PrivateKey) -> dict[str, Any]:
    """The public part: n and e, or crv, x and y."""
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return {"n": _encode(numbers.n, key.key_size), "e": _encode(numbers.e, 24)}
    point, bits = key.public_key().public_numbers(), key.curve.key_size
    return {"crv": _NAMES[key.curve.name], "x": _encode(point.x, bits), "y": _encode(point.y, bits)}


def _encode(number: int, bits: int) -> str:
    length = max((bits + 7) // 8, 1) if bits != 24 else (number.bit_length() + 7) // 8
    return b64(number.to_bytes(length, "big"))
