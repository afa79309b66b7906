"""Loads and keeps what is known of the session user's documents."""

from __future__ import annotations

import hashlib
import json
import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from workloads.chassis import clock, dialect
from workloads.chassis.events import outbox
from workloads.chassis.problems import Problem, not_found
from workloads.chassis.userkeys import Cipher
from workloads.services.document import domain
from workloads.services.document.models import Document

SERVICE = "document"
_DETAILS = "document details"
_HASH = "document content"


def get(session: Session, document_id: uuid.UUID, *, lock: bool = False) -> Document:
    """A document of the user's. Raises Problem 404."""
    query = select(Document).where(Document.id == document_id)
    found = session.scalar(dialect.locked(query, Document) if lock else query)
    if found is None:
        raise not_found("document")
    return found


def known(session: Session, document_id: uuid.UUID) -> bool:
    """Whether the user has this document."""
    return session.scalar(select(Document.id).where(Document.id == document_id)) is not None


def every(session: Session, transaction_id: uuid.UUID | None) -> list[Document]:
    """The user's documents, newest first. transaction_id: only those of this transaction."""
    query = select(Document).order_by(Document.uploaded.desc())
    if transaction_id:
        query = query.where(Document.transaction_id == transaction_id)
    return list(session.scalars(query))


def same(session: Session, cipher: Cipher, content: bytes) -> Document | None:
    """The document with this content, if the user has it already."""
    return session.scalar(select(Document).where(Document.content_index == _index(cipher, content)))


def check_room(session: Session, size: int) -> None:
    """Whether so many bytes more may be kept. Raises Problem 409 storage-full."""
    used = session.scalar(select(func.sum(Document.size))) or 0
    if used + size > domain.MOST_BYTES:
        raise Problem(409, "storage-full", f"All documents together may have {domain.MOST_BYTES} bytes; delete some.")


def add(
    session: Session, user: uuid.UUID, cipher: Cipher, document_id: uuid.UUID, content: bytes, name: str, kind: str
) -> Document:
    """The document with this content: a new one with this id, or the one that was uploaded just before."""
    details = json.dumps({"name": name, "sha256": hashlib.sha256(content).hexdigest()})
    row = {
        "id": document_id, "user_id": user, "content_index": _index(cipher, content),
        "details": cipher.seal(details, _DETAILS), "kind": kind, "size": len(content), "uploaded": clock.now(),
        "transaction_id": None,
    }  # fmt: skip
    if dialect.insert_new(session, Document, row, key=["user_id", "content_index"]):
        outbox.write(session, SERVICE, "document.uploaded", user, {"document_id": str(document_id)})
    return session.scalars(select(Document).where(Document.content_index == row["content_index"])).one()


def details(cipher: Cipher, row: Document) -> dict[str, str]:
    """Name and sha256 of a document."""
    return json.loads(cipher.open(row.details, _DETAILS))


def attach(session: Session, user: uuid.UUID, document_id: uuid.UUID, transaction_id: uuid.UUID | None) -> Document:
    """Say which transaction a document belongs to; None: to none. Raises Problem 404."""
    row = get(session, document_id, lock=True)
    if transaction_id and row.transaction_id != transaction_id:
        told = {"document_id": str(document_id), "transaction_id": str(transaction_id)}
        outbox.write(session, SERVICE, "document.matched", user, told)
    row.transaction_id = transaction_id
    return row


def delete(session: Session, user: uuid.UUID, document_id: uuid.UUID) -> None:
    """Forget a document, whose file is gone. Raises Problem 404."""
    session.delete(get(session, document_id, lock=True))
    outbox.write(session, SERVICE, "document.deleted", user, {"document_id": str(document_id)})


def discard(session: Session, user: uuid.UUID, document_id: uuid.UUID) -> None:
    """Tell that a file goes which no document knows."""
    outbox.write(session, SERVICE, "document.discarded", user, {"document_id": str(document_id)})


def _index(cipher: Cipher, content: bytes) -> str:
    return cipher.index(hashlib.sha256(content).hexdigest(), _HASH)
