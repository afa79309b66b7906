"""Secrets of a vault, driven by Azure's own client."""

from __future__ import annotations

import datetime
import sqlite3
import ssl
import uuid
from collections.abc import Iterator

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.secrets import DeletedSecret, SecretClient

from local.azure.context import Resource
from tests.local.azure.dataplanes.conftest import Embedded

VAULTS = "Microsoft.KeyVault/vaults"


def _properties(**more: object) -> dict[str, object]:
    return {"sku": {"family": "A", "name": "premium"}, "enableRbacAuthorization": True, **more}


@pytest.fixture(scope="module")
def vault(embedded: Embedded) -> Resource:
    return embedded.put(VAULTS, f"kv-{uuid.uuid4().hex[:8]}", {"properties": _properties()})


def _client(embedded: Embedded, vault: Resource, *roles: str) -> SecretClient:
    identity = embedded.identity(*((role, vault.id) for role in roles))
    return SecretClient(
        vault.properties["vaultUri"], identity.credential, connection_verify=str(embedded.instance.ca_bundle)
    )


def _trust(embedded: Embedded) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(embedded.instance.ca_bundle))


def _held(deleted: DeletedSecret) -> datetime.timedelta:
    assert deleted.scheduled_purge_date is not None
    assert deleted.deleted_date is not None
    return deleted.scheduled_purge_date - deleted.deleted_date


@pytest.fixture(scope="module")
def client(embedded: Embedded, vault: Resource) -> Iterator[SecretClient]:
    with _client(embedded, vault, "Key Vault Administrator") as client:
        yield client


def test_a_secret_is_kept_in_versions(client: SecretClient) -> None:
    first = client.set_secret("api-key", "first", content_type="text/plain", tags={"of": "test"})
    second = client.set_secret("api-key", "second")
    assert client.get_secret("api-key").value == "second"
    old = client.get_secret("api-key", first.properties.version)
    assert (old.value, old.properties.content_type, old.properties.tags) == ("first", "text/plain", {"of": "test"})
    versions = {each.version for each in client.list_properties_of_secret_versions("api-key")}
    assert versions == {first.properties.version, second.properties.version}
    assert second.properties.recovery_level == "Recoverable+Purgeable"


def test_properties_change_without_the_value(client: SecretClient) -> None:
    client.set_secret("dated", "value")
    soon = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
    client.update_secret_properties("dated", expires_on=soon, content_type="x")
    changed = client.get_secret("dated")
    assert (changed.value, changed.properties.expires_on, changed.properties.content_type) == ("value", soon, "x")
    client.update_secret_properties("dated", enabled=False)
    with pytest.raises(HttpResponseError) as refused:
        client.get_secret("dated")
    assert refused.value.status_code == 403
    assert "disabled secret" in str(refused.value)


def test_a_missing_secret_is_named_as_azure_names_it(client: SecretClient) -> None:
    with pytest.raises(ResourceNotFoundError) as missing:
        client.get_secret("nowhere")
    assert missing.value.error is not None
    assert missing.value.error.code == "SecretNotFound"
    assert "A secret with (name/id) nowhere was not found in this key vault" in str(missing.value)


def test_a_deleted_secret_holds_its_name_until_recovered_or_purged(client: SecretClient) -> None:
    client.set_secret("kept", "value")
    deleted = client.begin_delete_secret("kept").result()
    assert str(deleted.recovery_id).endswith("/deletedsecrets/kept")
    assert _held(deleted) == datetime.timedelta(days=90)
    with pytest.raises(ResourceNotFoundError):
        client.get_secret("kept")
    with pytest.raises(ResourceExistsError, match="deleted but recoverable"):
        client.set_secret("kept", "other")
    assert "kept" in [each.name for each in client.list_deleted_secrets()]
    client.begin_recover_deleted_secret("kept").wait()
    assert client.get_secret("kept").value == "value"
    client.begin_delete_secret("kept").wait()
    client.purge_deleted_secret("kept")
    assert client.set_secret("kept", "new").value == "new"
    assert len(list(client.list_properties_of_secret_versions("kept"))) == 1


def test_a_backup_comes_back_only_where_its_name_is_free(client: SecretClient) -> None:
    client.set_secret("saved", "one")
    client.set_secret("saved", "two")
    backup = client.backup_secret("saved")
    assert b"two" not in backup
    with pytest.raises(ResourceExistsError):
        client.restore_secret_backup(backup)
    client.begin_delete_secret("saved").wait()
    client.purge_deleted_secret("saved")
    client.restore_secret_backup(backup)
    assert client.get_secret("saved").value == "two"
    assert len(list(client.list_properties_of_secret_versions("saved"))) == 2


def test_listing_goes_page_by_page(client: SecretClient) -> None:
    names = {f"page-{number:02}" for number in range(30)}
    for name in names:
        client.set_secret(name, name)
    pages = [[each.name for each in page] for page in client.list_properties_of_secrets(max_page_size=10).by_page()]
    assert all(len(page) <= 10 for page in pages)
    listed = [name for page in pages for name in page if name in names]
    assert sorted(listed) == sorted(names)


def test_an_identity_without_a_role_is_refused_by_rbac(embedded: Embedded, vault: Resource) -> None:
    with _client(embedded, vault) as stranger, pytest.raises(HttpResponseError) as refused:
        stranger.get_secret("api-key")
    assert refused.value.status_code == 403
    assert refused.value.error is not None
    assert refused.value.error.code == "Forbidden"
    assert refused.value.error.innererror == {"code": "ForbiddenByRbac"}
    assert "Microsoft.KeyVault/vaults/secrets/getSecret/action" in str(refused.value)


def test_a_reader_of_secrets_cannot_set_them(embedded: Embedded, vault: Resource, client: SecretClient) -> None:
    client.set_secret("readable", "value")
    with _client(embedded, vault, "Key Vault Secrets User") as reader:
        assert reader.get_secret("readable").value == "value"
        with pytest.raises(HttpResponseError) as refused:
            reader.set_secret("readable", "other")
    assert refused.value.status_code == 403


def test_a_role_on_one_secret_opens_that_one_only(embedded: Embedded, vault: Resource, client: SecretClient) -> None:
    client.set_secret("mine", "value")
    client.set_secret("yours", "value")
    identity = embedded.identity(("Key Vault Secrets User", f"{vault.id}/secrets/mine"))
    uri, bundle = vault.properties["vaultUri"], str(embedded.instance.ca_bundle)
    with SecretClient(uri, identity.credential, connection_verify=bundle) as narrow:
        assert narrow.get_secret("mine").value == "value"
        with pytest.raises(HttpResponseError, match="not authorized"):
            narrow.get_secret("yours")


def test_access_policies_count_where_rbac_is_off(embedded: Embedded) -> None:
    identity = embedded.identity()
    policy = {"objectId": identity.principal.object_id, "permissions": {"secrets": ["Get", "Set"]}}
    body = {"properties": _properties(enableRbacAuthorization=False, accessPolicies=[policy])}
    vault = embedded.put(VAULTS, f"kv-{uuid.uuid4().hex[:8]}", body)
    uri, bundle = vault.properties["vaultUri"], str(embedded.instance.ca_bundle)
    with SecretClient(uri, identity.credential, connection_verify=bundle) as client:
        client.set_secret("one", "value")
        assert client.get_secret("one").value == "value"
        with pytest.raises(HttpResponseError, match="does not have secrets list permission"):
            list(client.list_properties_of_secrets())


def test_purge_protection_refuses_purging(embedded: Embedded) -> None:
    body = {"properties": _properties(enablePurgeProtection=True, softDeleteRetentionInDays=7)}
    vault = embedded.put(VAULTS, f"kv-{uuid.uuid4().hex[:8]}", body)
    with _client(embedded, vault, "Key Vault Administrator") as client:
        client.set_secret("held", "value")
        deleted = client.begin_delete_secret("held").result()
        assert _held(deleted) == datetime.timedelta(days=7)
        with pytest.raises(HttpResponseError, match="purge protection is enabled"):
            client.purge_deleted_secret("held")
        client.begin_recover_deleted_secret("held").wait()
        assert client.get_secret("held").properties.recovery_level == "CustomizedRecoverable"


def test_a_token_is_asked_for_and_must_be_for_vaults(embedded: Embedded, vault: Resource) -> None:
    url = f"{vault.properties['vaultUri']}secrets/api-key?api-version=7.6"
    identity = embedded.identity(("Key Vault Administrator", vault.id))
    storage = identity.credential.get_token("https://storage.azure.com/.default").token
    azure = identity.credential.get_token("https://vault.azure.net/.default").token
    with httpx.Client(verify=_trust(embedded)) as plain:
        anonymous = plain.get(url)
        assert anonymous.status_code == 401
        challenge = anonymous.headers["WWW-Authenticate"]
        assert f'resource="https://0.0.1:{url.split(":")[2].split("/")[0]}"' in challenge
        assert plain.get(url, headers={"Authorization": f"Bearer {storage}"}).status_code == 401
        assert plain.get(url, headers={"Authorization": f"Bearer {azure}x"}).status_code == 401
        assert plain.get(url, headers={"Authorization": f"Bearer {azure}"}).status_code in (200, 404)


def test_what_is_not_known_is_refused(embedded: Embedded, vault: Resource) -> None:
    identity = embedded.identity(("Key Vault Administrator", vault.id))
    token = identity.credential.get_token("https://vault.azure.net/.default").token
    headers = {"Authorization": f"Bearer {token}"}
    base = vault.properties["vaultUri"]
    with httpx.Client(verify=_trust(embedded), headers=headers) as plain:
        extra = plain.put(f"{base}secrets/a?api-version=7.6", json={"value": "v", "colour": "red"})
        assert (extra.status_code, extra.json()["error"]["code"]) == (400, "BadParameter")
        assert "colour" in extra.json()["error"]["message"]
        assert plain.get(f"{base}secrets?api-version=1.0").status_code == 400
        assert plain.get(f"{base}storage?api-version=7.6").status_code == 404
        assert plain.put(f"{base}secrets/a_b?api-version=7.6", json={"value": "v"}).status_code == 400


def test_nothing_secret_lies_open_on_disk(embedded: Embedded, client: SecretClient) -> None:
    client.set_secret("open", "correct-horse-battery-staple")
    folder = embedded.instance.azure
    with sqlite3.connect(folder / "keyvault.db") as reader:
        assert reader.execute("SELECT count(*) FROM versions WHERE name = 'open'").fetchone() == (1,)
    for path in folder.glob("keyvault.*"):
        assert b"correct-horse-battery-staple" not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0


def test_a_deleted_vault_answers_no_more_and_a_new_one_is_empty(embedded: Embedded) -> None:
    name = f"kv-{uuid.uuid4().hex[:8]}"
    vault = embedded.put(VAULTS, name, {"properties": _properties()})
    with _client(embedded, vault, "Key Vault Administrator") as client:
        client.set_secret("old", "value")
    embedded.delete(vault)
    with pytest.raises(httpx.ConnectError):
        httpx.get(vault.properties["vaultUri"], verify=_trust(embedded))
    recovered = embedded.put(VAULTS, name, {"properties": _properties(createMode="recover")})
    with _client(embedded, recovered, "Key Vault Administrator") as client:
        assert client.get_secret("old").value == "value"
    embedded.delete(recovered)
    fresh = embedded.put(VAULTS, name, {"properties": _properties()})
    with _client(embedded, fresh, "Key Vault Administrator") as client:
        assert list(client.list_properties_of_secrets()) == []
