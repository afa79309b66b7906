"""Orphans: files that no document knows. They are removed a day after they were stored.

A file is written before its document is committed: a process that ends in between leaves it, and so does an upload that
an erasure overtakes. Its content is sealed; nobody could ever read or delete it.
"""

from __future__ import annotations

import uuid

from workloads.chassis.events.consumer import Handling, Unprocessable
from workloads.services.document import store

STORED = "file.stored"
"""Told of every file by workloads/functions, a day later: long after its upload was committed or has failed."""


def reconcile(handling: Handling) -> None:
    """Handles ``file.stored``: removes the file if no document knows it; whatever has a document stays.

    The removal is told of before it is done: one that fails half-way may be told of twice, none goes untold.
    """
    user, document_id = handling.user, _document(handling)
    with handling.database.session(user) as session:
        known = store.known(session, document_id)
    files = handling.app.files
    if not known and files.has(user, document_id):
        with handling.database.session(user) as session:
            store.discard(session, user, document_id)
        files.remove(user, document_id)
    with handling.transaction():
        pass  # the work is done: a repeated event finds nothing new


def _document(handling: Handling) -> uuid.UUID:
    try:
        return uuid.UUID(handling.event.data["document_id"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unprocessable("its document_id is malformed") from None
