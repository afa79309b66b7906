"""The document service's table: what is known of each file. The files themselves are blobs."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis import ids
from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The document service's table."""

    metadata = metadata()
    type_annotation_map = TYPES


class Document(Owned, Base):
    """A document. content_index: blind index of its content's hash: the same file is kept once.

    details: name and SHA-256 as JSON, sealed. kind: media type. size: in bytes.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("user_id", "content_index", name="uq_document_content"),
        Index("ix_document_user_id_transaction_id", "user_id", "transaction_id"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=ids.new_id)
    content_index: Mapped[str] = mapped_column(Text(64))
    details: Mapped[bytes] = mapped_column(LargeBinary(2000))
    kind: Mapped[str] = mapped_column(Text(40))
    size: Mapped[int]
    uploaded: Mapped[datetime.datetime]
    transaction_id: Mapped[uuid.UUID | None]
