"""How storage requests are read and signed: the same way by the proxy, by Azurite and by Azure's clients."""

from __future__ import annotations

import pytest
from azure.storage.blob._shared.authentication import _storage_header_sort
from hypothesis import given, settings
from hypothesis import strategies as st

from local.azure.dataplanes.storage import permissions, sharedkey
from local.azure.dataplanes.storage.errors import StorageError
from local.azure.dataplanes.storage.target import parse


@settings(max_examples=50, deadline=None)
@given(st.lists(st.from_regex(r"x-ms-[a-z0-9]{1,4}(-[a-z0-9]{1,4})?(_[a-z0-9]{1,3})?", fullmatch=True), unique=True))
def test_headers_sort_as_azures_python_client_sorts_them(names: list[str]) -> None:
    theirs = [name for name, _ in _storage_header_sort([(name, "") for name in names])]
    assert sorted(names, key=sharedkey._hyphens_last) == theirs


@pytest.mark.parametrize(
    "raw",
    [
        "//container/blob",
        "/account//container/blob",
        "/account/container/../other/blob",
        "/account/container/%2e%2e/other",
        "/Account/container",
        "/ac/container",
        "/account-secondary/container",
        "/account/container?comp=list&comp=acl",
        "/account/container?COMP=acl&restype=container",
        "/account/container?comp[]=acl",
        "/account/%ff/blob",
        "container/blob",
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused(raw: str) -> None:
    with pytest.raises(StorageError):
        parse("blob", "GET", raw)


@pytest.mark.parametrize(
    ("service", "method", "raw"),
    [
        ("blob", "PUT", "/account/container/blob?comp=future"),
        ("blob", "PUT", "/account/container/blob?restype=container"),
        ("blob", "GET", "/account/container"),
        ("blob", "POST", "/account?comp=batch"),
        ("queue", "PATCH", "/account/queue"),
        ("table", "POST", "/account/$batch"),
    ],
)
def test_an_operation_that_is_not_known_is_refused(service: str, method: str, raw: str) -> None:
    with pytest.raises(StorageError):
        permissions.needs(parse(service, method, raw))


@pytest.mark.parametrize(
    ("service", "method", "raw", "action"),
    [
        ("blob", "GET", "/account?comp=list", "blobServices/containers/read"),
        ("blob", "PUT", "/account/c?restype=container", "blobServices/containers/write"),
        ("blob", "GET", "/account/c?restype=container&comp=list", "blobServices/containers/blobs/read"),
        ("blob", "HEAD", "/account/c/b", "blobServices/containers/blobs/read"),
        ("blob", "PUT", "/account/c%2Fb", "blobServices/containers/blobs/write"),
        ("blob", "PUT", "/account/c/b?comp=block&blockid=a", "blobServices/containers/blobs/write"),
        ("blob", "DELETE", "/account/c/b", "blobServices/containers/blobs/delete"),
        ("blob", "PUT", "/account/c/b?comp=tags", "blobServices/containers/blobs/tags/write"),
        ("queue", "POST", "/account/q/messages", "queueServices/queues/messages/add/action"),
        ("queue", "GET", "/account/q/messages", "queueServices/queues/messages/process/action"),
        ("queue", "GET", "/account/q/messages?peekonly=true", "queueServices/queues/messages/read"),
        ("table", "POST", "/account/Tables", "tableServices/tables/write"),
        ("table", "GET", "/account/people()", "tableServices/tables/entities/read"),
        ("table", "DELETE", "/account/people(PartitionKey='a',RowKey='b')", "tableServices/tables/entities/delete"),
    ],
)
def test_an_operation_needs_the_action_that_azure_names(service: str, method: str, raw: str, action: str) -> None:
    first = permissions.needs(parse(service, method, raw))[0]
    assert first.actions == (f"Microsoft.Storage/storageAccounts/{action}",)
