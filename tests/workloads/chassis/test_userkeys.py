"""A person's data opens with that person's key only, which a Key Vault wraps for the service's identity."""

from __future__ import annotations

import os
import uuid

import pytest
from azure.core.exceptions import HttpResponseError
from azure.keyvault.keys import KeyClient

from tests.local.azure.dataplanes.conftest import Embedded, embedded, instance  # noqa: F401  # fixtures
from workloads.chassis import userkeys
from workloads.chassis.userkeys import Cipher, GivenKeyWrapper, VaultWrapper


def test_what_is_sealed_opens_for_the_same_person_and_purpose_only() -> None:
    key, anna, ben = os.urandom(32), uuid.uuid4(), uuid.uuid4()
    sealed = Cipher(anna, key).seal("DE89370400440532013000", "iban")
    assert b"DE89" not in sealed
    assert Cipher(anna, key).open(sealed, "iban") == "DE89370400440532013000"
    assert sealed != Cipher(anna, key).seal("DE89370400440532013000", "iban")
    for other, purpose in (
        (Cipher(ben, key), "iban"),
        (Cipher(anna, key), "psu"),
        (Cipher(anna, os.urandom(32)), "iban"),
    ):
        with pytest.raises(ValueError, match="does not open"):
            other.open(sealed, purpose)


def test_the_blind_index_is_stable_and_a_persons_own() -> None:
    key = os.urandom(32)
    one = Cipher(uuid.uuid4(), key)
    assert one.index("x", "iban") == one.index("x", "iban")
    assert len({one.index("x", "iban"), one.index("y", "iban"), one.index("x", "psu")}) == 3
    assert one.index("x", "iban") != Cipher(uuid.uuid4(), os.urandom(32)).index("x", "iban")


def test_a_given_key_wraps_where_there_is_no_vault() -> None:
    wrapper, key = GivenKeyWrapper(os.urandom(32)), os.urandom(32)
    wrapped, name = wrapper.wrap(key)
    assert key not in wrapped
    assert wrapper.unwrap(wrapped, name) == key


def test_the_vault_wraps_for_an_identity_with_the_role_and_for_no_other(
    embedded: Embedded,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(embedded.instance.ca_bundle))
    properties = {"sku": {"family": "A", "name": "premium"}, "enableRbacAuthorization": True}
    vault = embedded.put("Microsoft.KeyVault/vaults", f"kv-{uuid.uuid4().hex[:8]}", {"properties": properties})
    address = vault.properties["vaultUri"]
    admin = embedded.identity(("Key Vault Administrator", vault.id))
    with KeyClient(address, admin.credential) as client:
        client.create_rsa_key("user-data", size=2048)
    service, stranger = embedded.identity(("Key Vault Crypto User", vault.id)), embedded.identity()
    wrapper, key = VaultWrapper(address, "user-data"), os.urandom(32)

    monkeypatch.setattr(userkeys, "credential", lambda: service.credential)
    wrapped, name = wrapper.wrap(key)
    assert key not in wrapped
    assert len(name.rpartition("/keys/user-data/")[2]) == 32, "the version is kept: a rotated key still unwraps"
    assert wrapper.unwrap(wrapped, name) == key
    monkeypatch.setattr(userkeys, "credential", lambda: stranger.credential)
    with pytest.raises(HttpResponseError) as refused:
        wrapper.unwrap(wrapped, name)
    assert refused.value.status_code == 403
