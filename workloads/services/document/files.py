"""Files: a container of a storage account, entered as the service's own identity; a folder a user.

What lies there is sealed with the user's key: versions and deleted blobs that Azure keeps for a while can't be opened
once that key is destroyed.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workloads.chassis.credential import credential
from workloads.chassis.problems import Problem, not_found

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_PATIENCE = {"retry_total": 2, "initial_backoff": 1, "increment_base": 2, "connection_timeout": 5, "read_timeout": 20}
"""A person waits for the answer: the SDK's own choice is three tries with 15 s and more between them."""


class Files:
    """Sealed files of all users. container: its URL."""

    def __init__(self, container: str) -> None:
        self._url, self._lock = container, threading.Lock()
        self._made: ContainerClient | None = None

    def keep(self, user: uuid.UUID, document: uuid.UUID, sealed: bytes) -> None:
        """Write a file. Raises Problem 503 when the storage account does not answer."""
        with _available():
            self._container().upload_blob(_name(user, document), sealed, overwrite=True)

    def read(self, user: uuid.UUID, document: uuid.UUID) -> bytes:
        """A file as it was written. Raises Problem 404 and 503."""
        with _available():
            return self._container().download_blob(_name(user, document)).readall()

    def has(self, user: uuid.UUID, document: uuid.UUID) -> bool:
        """Whether a file is there. Raises Problem 503."""
        with _available():
            return self._container().get_blob_client(_name(user, document)).exists()

    def remove(self, user: uuid.UUID, document: uuid.UUID) -> None:
        """Delete a file; one that is gone already is no error. Raises Problem 503."""
        with _available():
            self._delete(_name(user, document))

    def remove_all(self, user: uuid.UUID) -> int:
        """Delete everything of a user, whether a row tells of it or not; how many files. Raises Problem 503."""
        with _available():
            names = list(self._container().list_blob_names(name_starts_with=f"{user}/"))
            for each in names:
                self._delete(each)
            return len(names)

    def _delete(self, name: str) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            self._container().delete_blob(name, delete_snapshots="include")
        except ResourceNotFoundError:
            return

    def _container(self) -> ContainerClient:
        from azure.storage.blob import ContainerClient  # 0.2 s to import: only when a file is asked for

        with self._lock:
            self._made = self._made or ContainerClient.from_container_url(self._url, credential(), **_PATIENCE)
            return self._made

    def close(self) -> None:
        """Close its connections."""
        if self._made is not None:
            self._made.close()


def _name(user: uuid.UUID, document: uuid.UUID) -> str:
    return f"{user}/{document}"


@contextmanager
def _available() -> Iterator[None]:
    from azure.core.exceptions import AzureError, ResourceNotFoundError

    try:
        yield
    except ResourceNotFoundError:
        raise not_found("file") from None
    except AzureError as error:
        raise Problem(503, "files-unreachable", f"The file store failed: {type(error).__name__}.") from None
