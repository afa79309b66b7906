"""Storage accounts through ARM, driven by Azure's own management client; queues and tables behind their proxies."""

from __future__ import annotations

import json
import ssl
import uuid
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient
from azure.mgmt.storage.models import BlobContainer
from azure.storage.blob import BlobServiceClient

from local.azure.context import Resource
from local.azure.entra import deployer
from local.instance import SUBSCRIPTION_ID, TENANT_ID
from tests.local.azure.dataplanes.conftest import Backend, Embedded, Identity

ACCOUNTS = "Microsoft.Storage/storageAccounts"


@pytest.fixture(scope="module")
def options(embedded: Embedded) -> dict[str, Any]:
    who = deployer.deployer(embedded.instance)
    bundle = str(embedded.instance.ca_bundle)
    authority = f"https://{embedded.instance.arm}"
    credential = ClientSecretCredential(
        TENANT_ID,
        who["client_id"],
        who["client_secret"],
        authority=authority,
        disable_instance_discovery=True,
        connection_verify=bundle,
    )
    return {
        "credential": credential,
        "subscription_id": SUBSCRIPTION_ID,
        "base_url": authority,
        "credential_scopes": ["https://management.azure.com/.default"],
        "connection_verify": bundle,
        "polling_interval": 0.1,
    }


def test_an_account_made_through_arm_holds_what_its_containers_are_given(
    embedded: Embedded, azurite: Backend, options: dict[str, Any]
) -> None:
    group, name = "storage-arm", f"st{uuid.uuid4().hex[:12]}"
    with ResourceManagementClient(**options) as resources, StorageManagementClient(**options) as storage:
        resources.resource_groups.create_or_update(group, {"location": "westeurope"})
        parameters = {
            "location": "westeurope",
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "properties": {"allowSharedKeyAccess": False, "allowBlobPublicAccess": False},
        }
        account = storage.storage_accounts.begin_create(group, name, parameters).result()
        port = embedded.instance.port("storage")
        assert account.primary_endpoints.blob == f"https://127.0.0.1:{port}/{name}/"
        keys = storage.storage_accounts.list_keys(group, name).keys_property
        assert [key.key_name for key in keys or []] == ["key1", "key2"]
        container = BlobContainer({"properties": {"metadata": {"kept": "yes"}}})
        storage.blob_containers.create(group, name, "evidence", container)
        identity = embedded.identity(("Storage Blob Data Contributor", str(account.id)))
        bundle = str(embedded.instance.ca_bundle)
        with BlobServiceClient(
            account.primary_endpoints.blob, identity.credential, connection_verify=bundle, retry_total=0
        ) as blobs:
            container = blobs.get_container_client("evidence")
            assert container.get_container_properties().metadata == {"kept": "yes"}
            container.upload_blob("x", b"1")
            storage.blob_containers.delete(group, name, "evidence")
            with pytest.raises(ResourceNotFoundError):
                container.get_container_properties()
            resources.resource_groups.begin_delete(group).result()
            with pytest.raises(ResourceNotFoundError):
                list(blobs.list_containers())


@pytest.fixture(scope="module")
def account(embedded: Embedded, azurite: Backend) -> Resource:
    return embedded.put(ACCOUNTS, f"st{uuid.uuid4().hex[:12]}", {"properties": {"allowSharedKeyAccess": False}})


@pytest.fixture
def plain(embedded: Embedded) -> Iterator[httpx.Client]:
    with httpx.Client(verify=ssl.create_default_context(cafile=str(embedded.instance.ca_bundle))) as client:
        yield client


def _headers(identity: Identity) -> dict[str, str]:
    token = identity.credential.get_token("https://storage.azure.com/.default").token
    now = formatdate(usegmt=True)
    return {"Authorization": f"Bearer {token}", "x-ms-version": "2025-01-05", "x-ms-date": now}


def test_a_queues_messages_need_roles_of_queues(embedded: Embedded, account: Resource, plain: httpx.Client) -> None:
    embedded.put(f"{ACCOUNTS}/queueServices/queues", f"{account.name}/work", {"properties": {}})
    url = f"{account.properties['primaryEndpoints']['queue']}work/messages"
    sender = _headers(embedded.identity(("Storage Queue Data Message Sender", account.id)))
    worker = _headers(embedded.identity(("Storage Queue Data Message Processor", account.id)))
    message = "<QueueMessage><MessageText>aGVsbG8=</MessageText></QueueMessage>"
    assert plain.post(url, content=message, headers=sender).status_code == 201
    assert plain.post(url, content=message, headers=worker).status_code == 403
    assert plain.get(url, headers=sender).status_code == 403
    got = plain.get(url, headers=worker)
    assert got.status_code == 200
    assert "<MessageText>aGVsbG8=</MessageText>" in got.text
    blobs = _headers(embedded.identity(("Storage Blob Data Owner", account.id)))
    assert plain.post(url, content=message, headers=blobs).status_code == 403


def test_a_tables_entities_need_roles_of_tables(embedded: Embedded, account: Resource, plain: httpx.Client) -> None:
    embedded.put(f"{ACCOUNTS}/tableServices/tables", f"{account.name}/people", {"properties": {}})
    base = account.properties["primaryEndpoints"]["table"]
    kind = {"Accept": "application/json;odata=nometadata", "Content-Type": "application/json"}
    writer = kind | _headers(embedded.identity(("Storage Table Data Contributor", account.id)))
    reader = kind | _headers(embedded.identity(("Storage Table Data Reader", account.id)))
    entity = json.dumps({"PartitionKey": "a", "RowKey": "b", "Name": "c"})
    assert plain.post(f"{base}people", content=entity, headers=writer).status_code == 201
    refused = plain.post(f"{base}people", content=entity, headers=reader)
    assert (refused.status_code, refused.json()["odata.error"]["code"]) == (403, "AuthorizationPermissionMismatch")
    read = plain.get(f"{base}people(PartitionKey='a',RowKey='b')", headers=reader)
    assert (read.status_code, read.json()["Name"]) == (200, "c")
    found = plain.get(f"{base}people()?$filter=PartitionKey%20eq%20'a'", headers=reader)
    assert [each["RowKey"] for each in found.json()["value"]] == ["b"]
    gone = plain.delete(f"{base}people(PartitionKey='a',RowKey='b')", headers=writer | {"If-Match": "*"})
    assert gone.status_code == 204
