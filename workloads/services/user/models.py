"""The user service's table."""

from __future__ import annotations

import datetime
import uuid

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from workloads.chassis.schema import TYPES, Owned, Text, metadata


class Base(DeclarativeBase):
    """The user service's table."""

    metadata = metadata()
    type_annotation_map = TYPES


class Profile(Owned, Base):
    """A person, by pseudonym. Name and e-mail stay with the identity provider. language: BCP 47, e.g. "de".

    version: of what others were told of it, the highest is the newest; 0 where nobody was.
    account: its id there, sealed; None until the person asks for something, and where it is not ours to delete.
    """

    __tablename__ = "profile"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    registered: Mapped[datetime.datetime]
    language: Mapped[str] = mapped_column(Text(5))
    timezone: Mapped[str] = mapped_column(Text(40))
    currency: Mapped[str] = mapped_column(Text(3))
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")
    account: Mapped[bytes | None] = mapped_column(LargeBinary(100))
