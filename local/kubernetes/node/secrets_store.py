"""CSI volumes of the secrets store driver with the Azure provider: a vault's secrets, keys and certificates as files.

As AKS's add-on does it: the pod's own token is exchanged at Entra for one of the identity that the SecretProviderClass
names (workload identity), and the vault is read with that. Key Vault REST API 7.4.
"""

from __future__ import annotations

import base64
import binascii
import json
import ssl
import time
from dataclasses import dataclass
from typing import Any

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, SECP521R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, pkcs12

from local.instance import Instance
from local.kubernetes.node import provider_class
from local.kubernetes.node.client import Object
from local.kubernetes.node.downward import ConfigError
from local.kubernetes.node.provider_class import ProviderClass, Wanted
from local.kubernetes.node.sources import Sources

DRIVER = "secrets-store.csi.k8s.io"
AUDIENCE = "api://AzureADTokenExchange"
_VERSION = "7.4"
_POLL_SECONDS = 120.0
"""How long what was read is taken for current: the add-on's rotationPollInterval."""
_TOKEN_SECONDS = 3600
_COLLECTIONS = {"secret": "secrets", "key": "keys", "cert": "certificates"}
_PFX = "application/x-pkcs12"
_CURVES: dict[str, Any] = {"P-256": SECP256R1, "P-384": SECP384R1, "P-521": SECP521R1}


@dataclass(frozen=True)
class Mounted:
    """What a file in the volume holds. mode: None for the driver's own, 0644."""

    data: bytes
    mode: int | None


class SecretsStore:
    """Reads vaults for pods of one node."""

    def __init__(self, instance: Instance, sources: Sources) -> None:
        self._instance, self._sources = instance, sources
        self._read: dict[tuple[str, str], tuple[float, dict[str, Mounted]]] = {}

    async def files(self, pod: Object, volume: Object) -> dict[str, Mounted]:
        """A volume's files, read anew when two minutes have passed.

        Raises ConfigError when the class, the identity or an object is not there or not understood; ApiError or what
        UNREACHABLE lists as the API server, Entra and the vault do.
        """
        key = (pod["metadata"]["uid"], volume["name"])
        until, known = self._read.get(key, (0.0, {}))
        if time.monotonic() < until:
            return known
        namespace, name = pod["metadata"]["namespace"], volume["csi"]["volumeAttributes"]["secretProviderClass"]
        wanted = provider_class.read(name, await self._sources.provider_class(namespace, name))
        token = await self._sources.token(pod, AUDIENCE, _TOKEN_SECONDS)
        trust = ssl.create_default_context(cafile=str(self._instance.ca_certificate))
        limits, connector = aiohttp.ClientTimeout(total=20), aiohttp.TCPConnector(ssl=trust)
        async with aiohttp.ClientSession(timeout=limits, connector=connector) as session:
            vault = _Vault(session, self._address(wanted), await self._sign_in(session, wanted, token.value))
            found = {each.file: Mounted(await vault.content(each), each.mode) for each in wanted.objects}
        self._read[key] = (time.monotonic() + _POLL_SECONDS, found)
        return found

    def forget(self, pod: Object) -> None:
        """A pod is gone."""
        self._read = {key: each for key, each in self._read.items() if key[0] != pod["metadata"]["uid"]}

    def _address(self, wanted: ProviderClass) -> str:
        """Where the vault of that name listens: here, in the place of https://<name>.vault.azure.net."""
        known = self._instance.azure / "endpoints.json"
        listed: dict[str, str] = json.loads(known.read_text()) if known.exists() else {}
        found = {name.lower(): url for name, url in listed.items()}.get(f"key vault {wanted.vault}".lower())
        if found is None:
            raise ConfigError(f"there is no vault {wanted.vault}")
        return found.rstrip("/")

    async def _sign_in(self, session: aiohttp.ClientSession, wanted: ProviderClass, assertion: str) -> str:
        """A token for Key Vault of the identity that trusts the pod's service account (RFC 7523)."""
        form = {
            "grant_type": "client_credentials", "client_id": wanted.client, "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "scope": "https://vault.azure.net/.default",
        }  # fmt: skip
        address = f"https://{self._instance.arm}/{wanted.tenant}/oauth2/v2.0/token"
        async with session.post(address, data=form) as answer:
            told = await answer.json()
            if answer.status != 200:
                raise ConfigError(f"identity {wanted.client} is not given a token: {told.get('error_description')}")
            return str(told["access_token"])


class _Vault:
    """One vault, read as one identity."""

    def __init__(self, session: aiohttp.ClientSession, address: str, token: str) -> None:
        self._session, self._address = session, address
        self._headers = {"Authorization": f"Bearer {token}"}

    async def content(self, wanted: Wanted) -> bytes:
        """What the file of an object holds. Raises ConfigError."""
        path = "/".join(filter(None, [_COLLECTIONS[wanted.kind], wanted.name, wanted.version]))
        url = f"{self._address}/{path}?api-version={_VERSION}"
        async with self._session.get(url, headers=self._headers) as answer:
            told = await answer.json()
            if answer.status != 200:
                error = told.get("error", {})
                raise ConfigError(f"{wanted.kind} {wanted.name}: {answer.status} {error.get('code')}")
        if wanted.kind == "cert":
            return x509.load_der_x509_certificate(base64.b64decode(told["cer"])).public_bytes(Encoding.PEM)
        if wanted.kind == "key":
            return _public_key(told["key"])
        return _encoded(wanted, _secret(wanted, told))


def _secret(wanted: Wanted, told: dict[str, Any]) -> str:
    if told.get("contentType") != _PFX or wanted.format == "pfx":
        return str(told["value"])
    key, leaf, chain = pkcs12.load_key_and_certificates(base64.b64decode(told["value"]), None)
    parts = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())] if key else []
    parts += [each.public_bytes(Encoding.PEM) for each in (leaf, *chain) if each]
    return b"".join(parts).decode()


def _encoded(wanted: Wanted, value: str) -> bytes:
    try:
        if wanted.encoding == "base64":
            return base64.b64decode(value, validate=True)
        return bytes.fromhex(value) if wanted.encoding == "hex" else value.encode()
    except (binascii.Error, ValueError):
        raise ConfigError(f"secret {wanted.name} is not {wanted.encoding}, which objectEncoding says it is") from None


def _public_key(jwk: dict[str, str]) -> bytes:
    def number(name: str) -> int:
        return int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "=" * (-len(jwk[name]) % 4)))

    if jwk["kty"].startswith("RSA"):
        key: Any = RSAPublicNumbers(number("e"), number("n")).public_key()
    else:
        key = EllipticCurvePublicNumbers(number("x"), number("y"), _CURVES[jwk["crv"]]()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
