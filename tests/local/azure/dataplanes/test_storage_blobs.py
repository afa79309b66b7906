"""Blobs through the checking proxy, driven by Azure's own client against the real Azurite."""

from __future__ import annotations

import datetime
import io
import os
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import (
    BlobClient,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    PublicAccess,
    ResourceTypes,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)

from local.azure.context import ArmError, Resource
from tests.local.azure.dataplanes.conftest import Backend, Embedded, Identity

ACCOUNTS = "Microsoft.Storage/storageAccounts"
CONTAINERS = f"{ACCOUNTS}/blobServices/containers"
CONTRIBUTOR = "Storage Blob Data Contributor"


def _account(embedded: Embedded, **properties: object) -> Resource:
    body = {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": properties}
    return embedded.put(ACCOUNTS, f"st{uuid.uuid4().hex[:12]}", body)


@pytest.fixture(scope="module")
def account(embedded: Embedded, azurite: Backend) -> Resource:
    return _account(embedded, allowSharedKeyAccess=False, allowBlobPublicAccess=False)


@pytest.fixture(scope="module")
def contributor(embedded: Embedded, account: Resource) -> Identity:
    return embedded.identity((CONTRIBUTOR, account.id))


def _service(embedded: Embedded, account: Resource, credential: Any) -> BlobServiceClient:
    url = account.properties["primaryEndpoints"]["blob"]
    bundle = str(embedded.instance.ca_bundle)
    return BlobServiceClient(url, credential=credential, connection_verify=bundle, retry_total=0)


@pytest.fixture(scope="module")
def service(embedded: Embedded, account: Resource, contributor: Identity) -> Iterator[BlobServiceClient]:
    with _service(embedded, account, contributor.credential) as client:
        yield client


@pytest.fixture
def container(service: BlobServiceClient) -> ContainerClient:
    return service.create_container(f"c-{uuid.uuid4().hex[:8]}")


def _code(error: HttpResponseError) -> tuple[int | None, str]:
    code = getattr(error, "error_code", None)
    return error.status_code, str(getattr(code, "value", code))


def test_blobs_are_uploaded_listed_read_and_deleted(service: BlobServiceClient, container: ContainerClient) -> None:
    name = "folder/päge 1+2%.txt"
    container.upload_blob(name, b"hello", metadata={"of": "test", "a_b": "1", "a1": "2"})
    blob = container.get_blob_client(name)
    assert blob.download_blob().readall() == b"hello"
    assert blob.get_blob_properties().metadata == {"of": "test", "a_b": "1", "a1": "2"}
    assert [each.name for each in container.list_blobs(name_starts_with="folder/")] == [name]
    assert container.container_name in [each.name for each in service.list_containers()]
    with pytest.raises(ResourceExistsError):
        blob.upload_blob(b"again")
    blob.delete_blob()
    with pytest.raises(ResourceNotFoundError) as missing:
        blob.download_blob()
    assert _code(missing.value) == (404, "BlobNotFound")


def test_a_large_blob_streams_in_blocks(container: ContainerClient) -> None:
    data = os.urandom(9 * 1024 * 1024)
    blob = container.get_blob_client("large")
    blob.upload_blob(io.BytesIO(data), max_concurrency=2)
    assert blob.download_blob(max_concurrency=2).readall() == data
    assert blob.download_blob(offset=5_000_000, length=10).readall() == data[5_000_000:5_000_010]


def test_a_copy_needs_the_right_to_read_its_source(
    embedded: Embedded, account: Resource, container: ContainerClient, service: BlobServiceClient
) -> None:
    source = container.upload_blob("source", b"content")
    target = container.get_blob_client("target")
    target.start_copy_from_url(source.url)
    assert target.download_blob().readall() == b"content"
    other = service.create_container(f"c-{uuid.uuid4().hex[:8]}")
    scope = f"{account.id}/blobServices/default/containers/{other.container_name}"
    writer = embedded.identity((CONTRIBUTOR, scope))
    with _service(embedded, account, writer.credential) as narrow, pytest.raises(HttpResponseError) as refused:
        narrow.get_blob_client(other.container_name, "stolen").start_copy_from_url(source.url)
    assert _code(refused.value) == (403, "AuthorizationPermissionMismatch")


def test_an_identity_without_a_role_is_refused(
    embedded: Embedded, account: Resource, container: ContainerClient
) -> None:
    container.upload_blob("x", b"1")
    with _service(embedded, account, embedded.identity().credential) as stranger:
        for act in (
            lambda: stranger.get_blob_client(container.container_name, "x").download_blob(),
            lambda: stranger.get_blob_client(container.container_name, "y").upload_blob(b"2"),
            lambda: stranger.get_blob_client(container.container_name, "x").delete_blob(),
            lambda: list(stranger.get_container_client(container.container_name).list_blobs()),
            lambda: list(stranger.list_containers()),
        ):
            with pytest.raises(HttpResponseError) as refused:
                act()
            assert refused.value.status_code == 403
    assert [each.name for each in container.list_blobs()] == ["x"]


def test_a_reader_reads_and_nothing_else(embedded: Embedded, account: Resource, container: ContainerClient) -> None:
    container.upload_blob("x", b"1")
    reader = embedded.identity(("Storage Blob Data Reader", account.id))
    with _service(embedded, account, reader.credential) as client:
        blob = client.get_blob_client(container.container_name, "x")
        assert blob.download_blob().readall() == b"1"
        with pytest.raises(HttpResponseError) as refused:
            blob.upload_blob(b"2", overwrite=True)
        assert _code(refused.value) == (403, "AuthorizationPermissionMismatch")
        with pytest.raises(HttpResponseError) as refused:
            client.create_container("not-mine")
        assert refused.value.status_code == 403


def test_a_role_on_a_container_ends_at_its_border(
    embedded: Embedded, account: Resource, service: BlobServiceClient, container: ContainerClient
) -> None:
    scope = f"{account.id}/blobServices/default/containers/{container.container_name}"
    narrow = embedded.identity((CONTRIBUTOR, scope))
    other = service.create_container(f"c-{uuid.uuid4().hex[:8]}")
    with _service(embedded, account, narrow.credential) as client:
        client.get_blob_client(container.container_name, "mine").upload_blob(b"1")
        with pytest.raises(HttpResponseError) as refused:
            client.get_blob_client(other.container_name, "theirs").upload_blob(b"1")
        assert refused.value.status_code == 403
    token = narrow.credential.get_token("https://storage.azure.com/.default").token
    headers = {"Authorization": f"Bearer {token}", "x-ms-version": "2025-01-05"}
    other.upload_blob("x", b"secret")
    base = account.properties["primaryEndpoints"]["blob"]
    with httpx.Client(verify=ssl.create_default_context(cafile=str(embedded.instance.ca_bundle))) as plain:
        for path in (
            f"{container.container_name}/../{other.container_name}/x",
            f"{container.container_name}%2F..%2F{other.container_name}/x",
            f"{other.container_name}%2Fx",
            f"/{other.container_name}/x",
        ):
            raw = httpx.URL(base).copy_with(raw_path=(httpx.URL(base).raw_path + path.encode()))
            answer = plain.get(raw, headers=headers)
            assert answer.status_code in (400, 403, 404), path
            assert b"secret" not in answer.content


def test_a_revoked_role_ends_at_once(embedded: Embedded, account: Resource, container: ContainerClient) -> None:
    container.upload_blob("x", b"1")
    identity = embedded.identity()
    assignment = identity.grant("Storage Blob Data Reader", account.id)
    with _service(embedded, account, identity.credential) as client:
        blob = client.get_blob_client(container.container_name, "x")
        assert blob.download_blob().readall() == b"1"
        identity.revoke(assignment)
        with pytest.raises(HttpResponseError):
            blob.download_blob()


def test_tokens_are_verified(embedded: Embedded, account: Resource, contributor: Identity) -> None:
    url = f"{account.properties['primaryEndpoints']['blob']}?comp=list"
    storage = contributor.credential.get_token("https://storage.azure.com/.default").token
    vault = contributor.credential.get_token("https://vault.azure.net/.default").token
    header, payload, signature = storage.split(".")
    with httpx.Client(verify=ssl.create_default_context(cafile=str(embedded.instance.ca_bundle))) as plain:
        for token in (vault, f"{header}.{payload}.{signature[:-8]}AAAAAAAA", f"{header}.{payload}.", "nonsense"):
            answer = plain.get(url, headers={"Authorization": f"Bearer {token}", "x-ms-version": "2025-01-05"})
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")
        assert plain.get(url, headers={"x-ms-version": "2025-01-05"}).status_code == 401
        valid = plain.get(url, headers={"Authorization": f"Bearer {storage}", "x-ms-version": "2025-01-05"})
        assert valid.status_code == 200


def test_nobody_reads_anonymously(embedded: Embedded, container: ContainerClient) -> None:
    blob = container.upload_blob("x", b"1")
    bundle = str(embedded.instance.ca_bundle)
    with BlobClient.from_blob_url(blob.url, connection_verify=bundle) as anyone:
        with pytest.raises(ResourceExistsError) as refused:
            anyone.download_blob()
        assert _code(refused.value) == (409, "PublicAccessNotPermitted")
        with pytest.raises(ClientAuthenticationError):
            anyone.upload_blob(b"2", overwrite=True)


def test_a_container_cannot_be_made_public_where_the_account_forbids_it(service: BlobServiceClient) -> None:
    with pytest.raises(HttpResponseError) as refused:
        service.create_container(f"c-{uuid.uuid4().hex[:8]}", public_access=PublicAccess.BLOB)
    assert _code(refused.value) == (409, "PublicAccessNotPermitted")


def test_public_blobs_are_read_by_anyone_where_account_and_container_permit_it(
    embedded: Embedded, azurite: Backend
) -> None:
    account = _account(embedded, allowBlobPublicAccess=True)
    identity = embedded.identity((CONTRIBUTOR, account.id))
    bundle = str(embedded.instance.ca_bundle)
    with _service(embedded, account, identity.credential) as client:
        public = client.create_container("public", public_access=PublicAccess.BLOB).upload_blob("x", b"1")
        closed = client.create_container("closed").upload_blob("x", b"1")
    with BlobClient.from_blob_url(public.url, connection_verify=bundle) as anyone:
        assert anyone.download_blob().readall() == b"1"
    with BlobClient.from_blob_url(closed.url, connection_verify=bundle) as anyone, pytest.raises(HttpResponseError):
        anyone.download_blob()


def test_azurite_itself_opens_to_nobody_but_the_proxy(
    embedded: Embedded, account: Resource, contributor: Identity, container: ContainerClient
) -> None:
    container.upload_blob("x", b"1")
    token = contributor.credential.get_token("https://storage.azure.com/.default").token
    url = f"https://127.0.0.1:{embedded.instance.port('azurite-blob')}/{account.name}/{container.container_name}/x"
    with httpx.Client(verify=ssl.create_default_context(cafile=str(embedded.instance.ca_bundle))) as plain:
        for headers in ({}, {"Authorization": f"Bearer {token}"}):
            assert plain.get(url, headers={"x-ms-version": "2025-01-05", **headers}).status_code in (403, 404)


def _soon(minutes: int = 10) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)


def test_a_user_delegation_sas_opens_what_it_says(
    embedded: Embedded, account: Resource, service: BlobServiceClient, container: ContainerClient
) -> None:
    container.upload_blob("shared", b"1")
    container.upload_blob("hidden", b"2")
    key = service.get_user_delegation_key(_soon(-5), _soon())
    names = (account.name, container.container_name)
    sas = generate_blob_sas(
        *names, "shared", user_delegation_key=key, permission=BlobSasPermissions(read=True), expiry=_soon()
    )
    bundle = str(embedded.instance.ca_bundle)
    base = f"{account.properties['primaryEndpoints']['blob']}{container.container_name}"

    def blob(name: str, signature: str) -> BlobClient:
        return BlobClient.from_blob_url(f"{base}/{name}?{signature}", connection_verify=bundle, retry_total=0)

    assert blob("shared", sas).download_blob().readall() == b"1"
    with pytest.raises(ClientAuthenticationError) as refused:
        blob("hidden", sas).download_blob()
    assert _code(refused.value) == (403, "AuthenticationFailed")
    with pytest.raises(HttpResponseError) as refused:
        blob("shared", sas).upload_blob(b"3", overwrite=True)
    assert _code(refused.value) == (403, "AuthorizationPermissionMismatch")
    with pytest.raises(ClientAuthenticationError):
        blob("shared", sas.replace("sp=r", "sp=rw")).upload_blob(b"3", overwrite=True)
    lapsed = generate_blob_sas(
        *names, "shared", user_delegation_key=key, permission=BlobSasPermissions(read=True), expiry=_soon(-1)
    )
    with pytest.raises(ClientAuthenticationError):
        blob("shared", lapsed).download_blob()


def test_a_user_delegation_sas_reaches_no_farther_than_its_delegator(
    embedded: Embedded, account: Resource, container: ContainerClient
) -> None:
    container.upload_blob("x", b"1")
    delegator = embedded.identity()
    assignment = delegator.grant(CONTRIBUTOR, account.id)
    with _service(embedded, account, delegator.credential) as client:
        key = client.get_user_delegation_key(_soon(-5), _soon())
    sas = generate_container_sas(
        account.name,
        container.container_name,
        user_delegation_key=key,
        permission=ContainerSasPermissions(read=True, list=True, write=True),
        expiry=_soon(),
    )
    bundle = str(embedded.instance.ca_bundle)
    url = f"{account.properties['primaryEndpoints']['blob']}{container.container_name}?{sas}"
    with ContainerClient.from_container_url(url, connection_verify=bundle, retry_total=0) as client:
        assert [each.name for each in client.list_blobs()] == ["x"]
        client.upload_blob("y", b"2")
        delegator.revoke(assignment)
        with pytest.raises(HttpResponseError) as refused:
            list(client.list_blobs())
        assert refused.value.status_code == 403
        delegator.grant("Storage Blob Data Reader", account.id)
        assert client.get_blob_client("y").download_blob().readall() == b"2"
        with pytest.raises(HttpResponseError):
            client.upload_blob("z", b"3")
        embedded.act(account, "revokeUserDelegationKeys")
        with pytest.raises(ClientAuthenticationError):
            list(client.list_blobs())


def test_delegating_needs_a_role(embedded: Embedded, account: Resource) -> None:
    with _service(embedded, account, embedded.identity().credential) as client, pytest.raises(HttpResponseError) as no:
        client.get_user_delegation_key(_soon(-5), _soon())
    assert _code(no.value) == (403, "AuthorizationPermissionMismatch")


def test_account_keys_open_nothing_where_they_are_switched_off(embedded: Embedded, account: Resource) -> None:
    key = embedded.act(account, "listKeys")["keys"][0]["value"]
    with _service(embedded, account, key) as client, pytest.raises(HttpResponseError) as refused:
        list(client.list_containers())
    assert _code(refused.value) == (403, "KeyBasedAuthenticationNotPermitted")
    sas = generate_account_sas(account.name, key, ResourceTypes(service=True), "rl", _soon())
    with _service(embedded, account, sas) as client, pytest.raises(HttpResponseError) as refused:
        list(client.list_containers())
    assert _code(refused.value) == (403, "KeyBasedAuthenticationNotPermitted")


def test_account_keys_and_their_signatures_work_where_they_are_on(embedded: Embedded, azurite: Backend) -> None:
    account = _account(embedded)
    key = embedded.act(account, "listKeys")["keys"][1]["value"]
    with _service(embedded, account, key) as client:
        container = client.create_container("with-key", metadata={"a_b": "1", "ab": "2", "a1": "3"})
        container.upload_blob("x y", b"1")
        assert [each.name for each in container.list_blobs()] == ["x y"]
    types = ResourceTypes(service=True, container=True, object=True)
    with _service(embedded, account, generate_account_sas(account.name, key, types, "rl", _soon())) as client:
        assert [each.name for each in client.list_containers()] == ["with-key"]
        with pytest.raises(HttpResponseError):
            client.create_container("another")
    sas = generate_blob_sas(account.name, "with-key", "x y", account_key=key, permission="r", expiry=_soon())
    with _service(embedded, account, sas) as client:
        assert client.get_blob_client("with-key", "x y").download_blob().readall() == b"1"
    embedded.act(account, "regenerateKey", {"keyName": "key2"})
    with _service(embedded, account, key) as client, pytest.raises(ClientAuthenticationError):
        list(client.list_containers())


def test_a_container_of_arm_is_there_and_goes_with_it(
    embedded: Embedded, account: Resource, service: BlobServiceClient
) -> None:
    resource = embedded.put(CONTAINERS, f"{account.name}/evidence", {"properties": {"metadata": {"kept": "yes"}}})
    container = service.get_container_client("evidence")
    assert container.get_container_properties().metadata == {"kept": "yes"}
    container.upload_blob("x", b"1")
    embedded.put(CONTAINERS, f"{account.name}/evidence", {"properties": {"metadata": {"kept": "still"}}})
    assert container.get_container_properties().metadata == {"kept": "still"}
    assert [each.name for each in container.list_blobs()] == ["x"]
    embedded.delete(resource)
    with pytest.raises(ResourceNotFoundError):
        container.get_container_properties()
    public = {"properties": {"publicAccess": "Blob"}}
    behaviour = embedded.daemon.lifecycle.behaviour(CONTAINERS)
    with pytest.raises(ArmError, match="Public access is not permitted"):
        embedded.run(behaviour.check(Resource(resource.id, "evidence", CONTAINERS, public), None))


def test_a_deleted_account_takes_its_data_along(embedded: Embedded, azurite: Backend) -> None:
    account = _account(embedded)
    identity = embedded.identity((CONTRIBUTOR, account.id))
    with _service(embedded, account, identity.credential) as client:
        client.create_container("data").upload_blob("x", b"1")
        embedded.delete(account)
        with pytest.raises(ResourceNotFoundError):
            list(client.list_containers())
        embedded.put(ACCOUNTS, account.name, {"properties": {}})
        identity.grant(CONTRIBUTOR, account.id)
        assert list(client.list_containers()) == []


def test_an_account_deleted_while_azurite_was_down_comes_back_empty(embedded: Embedded, azurite: Backend) -> None:
    account = _account(embedded)
    identity = embedded.identity((CONTRIBUTOR, embedded.group))
    with _service(embedded, account, identity.credential) as client:
        client.create_container("data").upload_blob("x", b"1")
        azurite.kill()
        embedded.delete(account)
        with pytest.raises(ArmError, match="does not answer"):
            _again(embedded, account)
        azurite.start()
        _again(embedded, account)
        assert list(client.list_containers()) == []


def _again(embedded: Embedded, account: Resource) -> Resource:
    return embedded.put(ACCOUNTS, account.name, {"properties": {}})


def test_what_was_answered_survives_a_kill_amid_writes(azurite: Backend, container: ContainerClient) -> None:
    answered: dict[str, bytes] = {}

    def write(writer: int) -> None:
        for number in range(10_000):
            name, data = f"{writer}-{number}", os.urandom(100)
            try:
                container.upload_blob(name, data)
            except (HttpResponseError, ServiceRequestError, ServiceResponseError):
                return
            answered[name] = data

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for each in writers:
        each.start()
    deadline = time.monotonic() + 20
    while len(answered) < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    azurite.kill()
    for each in writers:
        each.join(20)
    assert len(answered) >= 20
    with pytest.raises(HttpResponseError) as down:
        list(container.list_blobs())
    assert down.value.status_code == 503
    azurite.start()
    assert {each.name for each in container.list_blobs()} >= answered.keys()
    for name, data in answered.items():
        assert container.get_blob_client(name).download_blob().readall() == data


def test_what_is_not_known_is_refused(container: ContainerClient) -> None:
    container.upload_blob("x", b"1")
    with pytest.raises(HttpResponseError) as refused:
        container.delete_blobs("x")
    assert refused.value.status_code == 501
    assert [each.name for each in container.list_blobs()] == ["x"]
