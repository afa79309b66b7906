"""Keys of a vault, driven by Azure's own client; signatures and ciphertexts are checked outside it, too."""

from __future__ import annotations

import datetime
import hashlib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.keys import (
    JsonWebKey,
    KeyClient,
    KeyCurveName,
    KeyOperation,
    KeyRotationPolicy,
    KeyVaultKey,
)
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from local.azure.context import Resource
from tests.local.azure.dataplanes.conftest import Embedded, Identity

VAULTS = "Microsoft.KeyVault/vaults"
CURVES = {"P-256": (SignatureAlgorithm.es256, "sha256"), "P-384": (SignatureAlgorithm.es384, "sha384")}
CURVES["P-521"] = (SignatureAlgorithm.es512, "sha512")


@pytest.fixture(scope="module")
def vault(embedded: Embedded) -> Resource:
    properties = {"sku": {"family": "A", "name": "premium"}, "enableRbacAuthorization": True}
    return embedded.put(VAULTS, f"kv-{uuid.uuid4().hex[:8]}", {"properties": properties})


@pytest.fixture(scope="module")
def admin(embedded: Embedded, vault: Resource) -> Identity:
    return embedded.identity(("Key Vault Administrator", vault.id))


@pytest.fixture(scope="module")
def client(embedded: Embedded, vault: Resource, admin: Identity) -> Iterator[KeyClient]:
    bundle = str(embedded.instance.ca_bundle)
    with KeyClient(vault.properties["vaultUri"], admin.credential, connection_verify=bundle) as client:
        yield client


@pytest.fixture(scope="module")
def rsa_key(client: KeyClient) -> KeyVaultKey:
    return client.create_rsa_key("rsa", size=2048)


def _remote(embedded: Embedded, identity: Identity, key: KeyVaultKey) -> CryptographyClient:
    """A client that leaves every operation to the vault: else it does itself what the public key suffices for."""
    client = CryptographyClient(str(key.id), identity.credential, connection_verify=str(embedded.instance.ca_bundle))
    client._initialized = True
    return client


def _number(key: KeyVaultKey, name: str) -> int:
    return int.from_bytes(getattr(key.key, name), "big")


def _public(key: KeyVaultKey) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(_number(key, "e"), _number(key, "n")).public_key()


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_rsa_signatures_hold_outside_the_vault(
    embedded: Embedded, admin: Identity, rsa_key: KeyVaultKey, algorithm: str
) -> None:
    digest = hashlib.new(f"sha{algorithm[2:]}", b"message").digest()
    chosen = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[2:]]
    with _remote(embedded, admin, rsa_key) as remote:
        signature = remote.sign(SignatureAlgorithm(algorithm), digest).signature
        assert remote.verify(SignatureAlgorithm(algorithm), digest, signature).is_valid
        assert not remote.verify(SignatureAlgorithm(algorithm), digest[::-1], signature).is_valid
    pss = padding.PSS(padding.MGF1(chosen), len(digest))
    scheme = padding.PKCS1v15() if algorithm.startswith("RS") else pss
    _public(rsa_key).verify(signature, digest, scheme, utils.Prehashed(chosen))


@pytest.mark.parametrize("curve", list(CURVES))
def test_ec_signatures_hold_outside_the_vault(
    embedded: Embedded, admin: Identity, client: KeyClient, curve: str
) -> None:
    algorithm, name = CURVES[curve]
    key = client.create_ec_key(f"ec-{curve}", curve=KeyCurveName(curve))
    digest = hashlib.new(name, b"message").digest()
    with _remote(embedded, admin, key) as remote:
        signature = remote.sign(algorithm, digest).signature
    half = len(signature) // 2
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    x, y = _number(key, "x"), _number(key, "y")
    curves = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    public = ec.EllipticCurvePublicNumbers(x, y, curves[curve]).public_key()
    chosen = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[name]
    public.verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(utils.Prehashed(chosen)))


@pytest.mark.parametrize("algorithm", ["RSA-OAEP", "RSA-OAEP-256", "RSA1_5"])
def test_a_wrapped_key_comes_out_as_it_went_in(
    embedded: Embedded, admin: Identity, rsa_key: KeyVaultKey, algorithm: str
) -> None:
    secret = bytes(range(32))
    with _remote(embedded, admin, rsa_key) as remote:
        wrapped = remote.wrap_key(KeyWrapAlgorithm(algorithm), secret).encrypted_key
        assert wrapped != secret
        assert remote.unwrap_key(KeyWrapAlgorithm(algorithm), wrapped).key == secret
        sealed = remote.encrypt(EncryptionAlgorithm(algorithm), b"text").ciphertext
        assert remote.decrypt(EncryptionAlgorithm(algorithm), sealed).plaintext == b"text"


def test_what_was_encrypted_outside_is_decrypted_inside(
    embedded: Embedded, admin: Identity, rsa_key: KeyVaultKey
) -> None:
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    sealed = _public(rsa_key).encrypt(b"from outside", oaep)
    with _remote(embedded, admin, rsa_key) as remote:
        assert remote.decrypt(EncryptionAlgorithm.rsa_oaep_256, sealed).plaintext == b"from outside"


def test_only_a_crypto_user_may_use_a_key(embedded: Embedded, vault: Resource, rsa_key: KeyVaultKey) -> None:
    user = embedded.identity(("Key Vault Crypto User", vault.id))
    stranger = embedded.identity(("Key Vault Secrets User", vault.id))
    digest = hashlib.sha256(b"message").digest()
    with _remote(embedded, user, rsa_key) as remote:
        assert remote.sign(SignatureAlgorithm.rs256, digest).signature
    with _remote(embedded, stranger, rsa_key) as remote, pytest.raises(HttpResponseError) as refused:
        remote.sign(SignatureAlgorithm.rs256, digest)
    assert refused.value.status_code == 403
    with (
        KeyClient(
            vault.properties["vaultUri"], user.credential, connection_verify=str(embedded.instance.ca_bundle)
        ) as limited,
        pytest.raises(HttpResponseError, match=r"keys/create/action"),
    ):
        limited.create_rsa_key("another")


def test_a_key_does_only_what_its_operations_name(embedded: Embedded, admin: Identity, client: KeyClient) -> None:
    key = client.create_rsa_key("sign-only", size=2048, key_operations=[KeyOperation.sign, KeyOperation.verify])
    with _remote(embedded, admin, key) as remote, pytest.raises(HttpResponseError, match="wrapKey is not permitted"):
        remote.wrap_key(KeyWrapAlgorithm.rsa_oaep, b"key")


def test_a_disabled_or_expired_key_is_refused(embedded: Embedded, admin: Identity, client: KeyClient) -> None:
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    digest = hashlib.sha256(b"message").digest()
    key = client.create_rsa_key("lapsed", size=2048)
    with _remote(embedded, admin, key) as remote:
        sealed = remote.encrypt(EncryptionAlgorithm.rsa_oaep, b"old").ciphertext
        client.update_key_properties("lapsed", expires_on=past)
        with pytest.raises(HttpResponseError, match="expired key"):
            remote.sign(SignatureAlgorithm.rs256, digest)
        assert remote.decrypt(EncryptionAlgorithm.rsa_oaep, sealed).plaintext == b"old"
        client.update_key_properties("lapsed", enabled=False)
        with pytest.raises(HttpResponseError, match="disabled key"):
            remote.decrypt(EncryptionAlgorithm.rsa_oaep, sealed)


def test_an_imported_key_signs_as_the_original(embedded: Embedded, admin: Identity, client: KeyClient) -> None:
    original = rsa.generate_private_key(65537, 2048)
    private, public = original.private_numbers(), original.public_key().public_numbers()

    def octets(number: int) -> bytes:
        return number.to_bytes((number.bit_length() + 7) // 8, "big")

    names = {"n": public.n, "e": public.e, "d": private.d, "p": private.p, "q": private.q}
    names |= {"dp": private.dmp1, "dq": private.dmq1, "qi": private.iqmp}
    jwk = JsonWebKey(kty="RSA", key_ops=["sign", "verify"], **{name: octets(value) for name, value in names.items()})
    key = client.import_key("imported", jwk, hardware_protected=True)
    assert key.key_type == "RSA-HSM"
    assert getattr(key.key, "d") is None  # noqa: B009  # set as the answer has it
    digest = hashlib.sha256(b"message").digest()
    with _remote(embedded, admin, key) as remote:
        signature = remote.sign(SignatureAlgorithm.rs256, digest).signature
    original.public_key().verify(signature, digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))


def test_rotation_makes_a_version_that_expires_as_the_policy_says(client: KeyClient) -> None:
    first = client.create_ec_key("rotated", curve=KeyCurveName.p_256)
    assert client.get_key_rotation_policy("rotated").lifetime_actions[0].action == "Notify"
    client.update_key_rotation_policy("rotated", KeyRotationPolicy(expires_in="P90D"))
    second = client.rotate_key("rotated")
    assert second.properties.version != first.properties.version
    assert client.get_key("rotated").properties.version == second.properties.version
    assert second.properties.expires_on is not None
    left = second.properties.expires_on - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(days=89) < left <= datetime.timedelta(days=90)
    assert len(list(client.list_properties_of_key_versions("rotated"))) == 2


def test_a_deleted_key_is_recovered_and_a_purged_one_restored_from_backup(client: KeyClient) -> None:
    key = client.create_ec_key("kept")
    backup = client.backup_key("kept")
    client.begin_delete_key("kept").wait()
    with pytest.raises(ResourceNotFoundError) as missing:
        client.get_key("kept")
    assert missing.value.error is not None
    assert missing.value.error.code == "KeyNotFound"
    client.begin_recover_deleted_key("kept").wait()
    client.begin_delete_key("kept").wait()
    assert [each.name for each in client.list_deleted_keys()] == ["kept"]
    client.purge_deleted_key("kept")
    assert _number(client.restore_key_backup(backup), "x") == _number(key, "x")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"key_type": "oct-HSM"}, "managed HSMs only"),
        ({"key_type": "RSA", "size": 1024}, "1024"),
        ({"key_type": "EC", "curve": "P-192"}, "P-192"),
        ({"key_type": "EC", "key_operations": ["wrapKey"]}, "key_ops"),
        ({"key_type": "RSA", "exportable": True}, "exportable"),
    ],
)
def test_a_key_that_cannot_be_is_refused(client: KeyClient, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(HttpResponseError, match=message):
        client.create_key("impossible", **arguments)


def test_hsm_keys_need_a_premium_vault(embedded: Embedded) -> None:
    properties = {"sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True}
    vault = embedded.put(VAULTS, f"kv-{uuid.uuid4().hex[:8]}", {"properties": properties})
    identity = embedded.identity(("Key Vault Administrator", vault.id))
    bundle = str(embedded.instance.ca_bundle)
    with KeyClient(vault.properties["vaultUri"], identity.credential, connection_verify=bundle) as client:
        with pytest.raises(HttpResponseError, match="premium"):
            client.create_rsa_key("hsm", hardware_protected=True)
        assert client.create_ec_key("soft").key_type == "EC"


def test_keys_and_secrets_created_through_arm_are_in_the_vault(
    embedded: Embedded, vault: Resource, client: KeyClient
) -> None:
    properties = {"kty": "RSA", "keySize": 2048, "keyOps": ["wrapKey", "unwrapKey"]}
    policy = {
        "attributes": {"expiryTime": "P1Y"},
        "lifetimeActions": [{"trigger": {"timeAfterCreate": "P300D"}, "action": {"type": "rotate"}}],
    }
    body = {"properties": {**properties, "rotationPolicy": policy}}
    made = embedded.put(f"{VAULTS}/keys", f"{vault.name}/from-arm", body)
    key = client.get_key("from-arm")
    assert made.properties["keyUriWithVersion"] == key.id
    assert key.key_operations == ["wrapKey", "unwrapKey"]
    assert client.get_key_rotation_policy("from-arm").expires_in == "P1Y"
    again = embedded.put(f"{VAULTS}/keys", f"{vault.name}/from-arm", body)
    assert again.properties["keyUriWithVersion"] == key.id
    secret = embedded.put(f"{VAULTS}/secrets", f"{vault.name}/from-arm", {"properties": {"value": "hidden"}})
    assert secret.properties.get("value") is None
    assert secret.properties["secretUri"].endswith("/secrets/from-arm")
