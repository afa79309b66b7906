"""Uploads: Event Grid's word of a new blob, as an event of the platform's own."""

from __future__ import annotations

import datetime
import json
import re
import uuid

from workloads.chassis.events.envelope import Event

STORED = "file.stored"
GRACE = datetime.timedelta(days=1)
"""How long after a file was written it is told of: its upload was committed by then, or has failed."""
_CREATED = "Microsoft.Storage.BlobCreated"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_BLOB = re.compile(f"/blobServices/default/containers/[a-z0-9-]+/blobs/(?P<user>{_UUID})/(?P<document>{_UUID})")
"""A blob's name is its user's pseudonym and its document's id (workloads/services/document/files.py)."""


class Unreadable(ValueError):
    """What came tells of no file of a person's; the message names what is wrong, never what it says."""


def told(body: bytes) -> Event:
    """The event that tells of a file. The same word, delivered twice, is the same event.

    body: CloudEvent 1.0 of a storage account (learn.microsoft.com/azure/event-grid/event-schema-blob-storage). Raises
    Unreadable.
    """
    try:
        said = json.loads(body)
        kind, name, id_, time = said["type"], said["subject"], uuid.UUID(said["id"]), said["time"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Unreadable("no CloudEvent with type, subject, time and a UUID as its id") from None
    if kind != _CREATED:
        raise Unreadable(f"an event of another type than {_CREATED}")
    blob = _BLOB.fullmatch(name) if isinstance(name, str) else None
    if blob is None:
        raise Unreadable("its subject is no blob <user>/<document>")
    user = blob["user"]
    try:
        return Event(
            id=id_, source="/services/functions", type=STORED, subject=user, time=time, partitionkey=user,
            data={"document_id": blob["document"]},
        )  # fmt: skip
    except ValueError:
        raise Unreadable("its time is none") from None
