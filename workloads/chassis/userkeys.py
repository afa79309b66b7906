"""Personal data at rest: a key a user, wrapped by the Key Vault; AES-256-GCM with it, and a blind index for matching.

Destroying a user's row makes everything encrypted for that user unreadable, backups included.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import uuid
from functools import lru_cache
from typing import Any, Protocol

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from sqlalchemy import LargeBinary, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from workloads.chassis import dialect
from workloads.chassis.credential import credential
from workloads.chassis.prepared import PreparedQuery
from workloads.chassis.problems import Problem
from workloads.chassis.schema import TYPES, Owned, Text, metadata
from workloads.chassis.settings import KeySettings, SettingsError

_NONCE_BYTES = 12


class Base(DeclarativeBase):
    """The tables that the chassis itself keeps in a service's database."""

    metadata = metadata()
    type_annotation_map = TYPES


class UserKey(Owned, Base):
    """A user's data key, wrapped. wrapping_key: which key it was wrapped with, version and all."""

    __tablename__ = "user_key"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary(1024))
    wrapping_key: Mapped[str] = mapped_column(Text(400))


_KEY: sa.Table = UserKey.__table__  # type: ignore[assignment]  # a class with a __tablename__ has a table
_WRAPPED = PreparedQuery(select(_KEY.c.wrapped, _KEY.c.wrapping_key))


def create() -> None:
    """Create the table, in a migration. Frozen: a change of it is a function of its own beside this one."""
    from alembic import op  # 11 MB of every service, which only migrations need

    op.create_table(
        "user_key",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(1024), nullable=False),
        sa.Column("wrapping_key", Text(400), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_user_key"),
    )


class Wrapper(Protocol):
    """Wraps and unwraps data keys."""

    def wrap(self, key: bytes) -> tuple[bytes, str]:
        """The wrapped key, and the name of the key that wrapped it."""
        ...

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """The data key."""
        ...


class VaultWrapper:
    """A Key Vault key (RSA-OAEP-256): the data key is in clear only in this process's memory."""

    def __init__(self, vault: str, name: str) -> None:
        self._vault, self._name = vault, name

    def wrap(self, key: bytes) -> tuple[bytes, str]:
        """Wrapped with the key's newest version."""
        from azure.keyvault.keys import KeyClient  # 0.3 s to import: only when a key is asked for
        from azure.keyvault.keys.crypto import KeyWrapAlgorithm

        client = KeyClient(self._vault, credential()).get_cryptography_client(self._name)
        result = client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, key)
        return result.encrypted_key, str(result.key_id)

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """Unwrapped by the version that wrapped it."""
        from azure.keyvault.keys.crypto import CryptographyClient, KeyWrapAlgorithm

        return CryptographyClient(name, credential()).unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped).key


class GivenKeyWrapper:
    """A key given in the settings (AES key wrap, RFC 3394): where there is no vault."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def wrap(self, key: bytes) -> tuple[bytes, str]:
        """Wrapped with the given key."""
        return aes_key_wrap(self._key, key), "settings"

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """Unwrapped with the given key."""
        return aes_key_unwrap(self._key, wrapped)


class Cipher:
    """Encrypts for one user. Two keys are derived from the user's: one encrypts, one indexes."""

    def __init__(self, user: uuid.UUID, key: bytes) -> None:
        self._user = user.bytes
        self._encrypt = AESGCM(_derive(key, b"encrypt"))
        self._index = _derive(key, b"index")

    def seal(self, value: str, purpose: str) -> bytes:
        """Encrypted; opens only for the same user and purpose, e.g. "iban"."""
        return self.seal_bytes(value.encode(), purpose)

    def open(self, sealed: bytes, purpose: str) -> str:
        """The value again. Raises ValueError when it was sealed for another user or purpose, or altered."""
        return self.open_bytes(sealed, purpose).decode()

    def seal_bytes(self, value: bytes, purpose: str) -> bytes:
        """As ``seal``, of what is no text: a file."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._encrypt.encrypt(nonce, value, self._user + purpose.encode())

    def open_bytes(self, sealed: bytes, purpose: str) -> bytes:
        """As ``open``, of what is no text."""
        try:
            return self._encrypt.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._user + purpose.encode())
        except InvalidTag:
            raise ValueError(f"a sealed {purpose} does not open with this user's key") from None

    def has_key_of(self, other: Cipher) -> bool:
        """Whether both are of the same key."""
        return hmac.compare_digest(self._index, other._index)

    def index(self, value: str, purpose: str) -> str:
        """A blind index (HMAC-SHA-256): the same for the same value, telling nothing without the key."""
        return hmac.new(self._index, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, b"tributary " + purpose).derive(key)


class UserKeys:
    """The keys of a service's users, made on first use."""

    def __init__(self, wrapper: Wrapper) -> None:
        self._wrapper = wrapper
        self._unwrap: Any = lru_cache(maxsize=1024)(wrapper.unwrap)

    @classmethod
    def of(cls, settings: KeySettings) -> UserKeys:
        """As the settings say. Raises SettingsError when they name neither a vault nor a key."""
        if settings.data_key:
            return cls(GivenKeyWrapper(base64.b64decode(settings.data_key)))
        if settings.key_vault_url:
            return cls(VaultWrapper(str(settings.key_vault_url), settings.data_key_name))
        raise SettingsError(
            "KEY_VAULT_URL is missing. Set it to the vault whose key DATA_KEY_NAME (default user-data) wraps users' "
            "keys, or DATA_KEY to 32 bytes in base64 where there is no vault."
        )

    def cipher(self, session: Session, user: uuid.UUID) -> Cipher:
        """The user's cipher. Raises Problem 503 when the vault can't be asked."""
        rows = _WRAPPED.rows(session)
        if not rows:
            wrapped, name = self._ask(self._wrapper.wrap, os.urandom(32))
            new = {"user_id": user, "wrapped": wrapped, "wrapping_key": name}
            dialect.upsert(session, UserKey, [new], key=["user_id"])  # two first requests: one key wins
            rows = _WRAPPED.rows(session)
        return Cipher(user, self._ask(self._unwrap, *rows[0]))

    def hold(self, session: Session, user: uuid.UUID, cipher: Cipher) -> None:
        """Have the user's key stay until the transaction ends: for what was begun in an earlier one.

        An erasure destroys the key before it looks for rows. So it waits for this transaction, and finds what that
        wrote; or it was first, and nothing is written. Raises Problem 409 then, and 503 when the vault can't be asked.
        """
        row = session.scalar(dialect.locked(select(UserKey), UserKey))
        if row is None or not cipher.has_key_of(Cipher(user, self._ask(self._unwrap, row.wrapped, row.wrapping_key))):
            raise Problem(409, "erased", "Everything of the person was erased meanwhile.")

    @staticmethod
    def _ask(question: Any, *arguments: Any) -> Any:
        from azure.core.exceptions import AzureError

        try:
            return question(*arguments)
        except AzureError as error:
            raise Problem(503, "vault-unreachable", f"The key vault failed: {type(error).__name__}.") from None
