"""What the vaults hold, in SQLite: durable before it is answered, secret parts sealed with AES-GCM (NIST SP 800-38D).

The master key lies beside it in a file of its own (mode 600): a copy of the database alone reveals no secret.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from local.azure.sqlite import transaction
from local.pki import write_private

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    vault TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, deleted INTEGER, purge INTEGER,
    policy TEXT, PRIMARY KEY (vault, kind, name)
) STRICT;
CREATE TABLE IF NOT EXISTS versions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, vault TEXT NOT NULL, kind TEXT NOT NULL,
    name TEXT NOT NULL COLLATE NOCASE, version TEXT NOT NULL, public TEXT NOT NULL, sealed BLOB NOT NULL,
    UNIQUE (vault, kind, name, version)
) STRICT;
"""


@dataclass(frozen=True)
class Version:
    """One version of a secret or key. public: what its bundle shows besides the value; value: the secret part."""

    name: str
    version: str
    public: dict[str, Any]
    value: bytes = field(repr=False)


@dataclass(frozen=True)
class Deletion:
    """When something was deleted and when it will be purged, seconds since 1970."""

    name: str
    deleted: int
    purge: int


def master_key(path: Path) -> bytes:
    """The 256-bit key of a file, made on first use."""
    if not path.exists():
        write_private(path, secrets.token_bytes(32))
    return path.read_bytes()


class VaultStore:
    """Secrets and keys of every vault. ``vault`` is the vault's ARM id in lower case, ``kind`` "secret" or "key"."""

    def __init__(self, folder: Path) -> None:
        self._seal = AESGCM(master_key(folder / "keyvault.key"))
        self._database = sqlite3.connect(folder / "keyvault.db", isolation_level=None)
        (folder / "keyvault.db").chmod(0o600)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def seal(self, value: bytes, context: str) -> bytes:
        """Encrypt and authenticate a value; it opens only with the same context."""
        nonce = secrets.token_bytes(12)
        return nonce + self._seal.encrypt(nonce, value, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """The value of a sealed one. Raises cryptography's InvalidTag when it is not ours."""
        return self._seal.decrypt(sealed[:12], sealed[12:], context.encode())

    def add(self, vault: str, kind: str, version: Version) -> None:
        """Keep a new version; it becomes the current one."""
        self.add_all(vault, kind, [version])

    def add_all(self, vault: str, kind: str, versions: list[Version]) -> None:
        """Keep several versions of one name at once, oldest first (a restored backup)."""
        with transaction(self._database):
            for each in versions:
                self._database.execute(
                    "INSERT OR IGNORE INTO objects (vault, kind, name) VALUES (?,?,?)", (vault, kind, each.name)
                )
                sealed = self.seal(each.value, _context(vault, kind, each.name, each.version))
                self._database.execute(
                    "INSERT INTO versions (vault, kind, name, version, public, sealed) VALUES (?,?,?,?,?,?)",
                    (vault, kind, each.name, each.version, json.dumps(each.public), sealed),
                )

    def update(self, vault: str, kind: str, version: Version) -> None:
        """Replace what a version shows; its value stays."""
        self._database.execute(
            "UPDATE versions SET public = ? WHERE vault = ? AND kind = ? AND name = ? AND version = ?",
            (json.dumps(version.public), vault, kind, version.name, version.version),
        )

    def versions(self, vault: str, kind: str, name: str) -> list[Version]:
        """Every version of a name, newest first."""
        rows = self._database.execute(
            "SELECT name, version, public, sealed FROM versions WHERE vault = ? AND kind = ? AND name = ? "
            "ORDER BY number DESC",
            (vault, kind, name),
        )
        return [self._version(vault, kind, row) for row in rows]

    def get(self, vault: str, kind: str, name: str, version: str = "") -> Version | None:
        """A version, or the current one; of deleted things too."""
        row = self._database.execute(
            "SELECT name, version, public, sealed FROM versions WHERE vault = ? AND kind = ? AND name = ? "
            "AND (? = '' OR version = ?) ORDER BY number DESC LIMIT 1",
            (vault, kind, name, version, version.lower()),
        ).fetchone()
        return self._version(vault, kind, row) if row else None

    def _version(self, vault: str, kind: str, row: tuple[str, str, str, bytes]) -> Version:
        name, version, public, sealed = row
        return Version(name, version, json.loads(public), self.open(sealed, _context(vault, kind, name, version)))

    def names(self, vault: str, kind: str, *, deleted: bool, after: str = "", limit: int = 25) -> list[str]:
        """Names in order, those not deleted or those deleted, following ``after``."""
        self.purge_due()
        state = "NOT NULL" if deleted else "NULL"
        rows = self._database.execute(
            f"SELECT name FROM objects WHERE vault = ? AND kind = ? AND deleted IS {state} AND name > ? "  # noqa: S608
            "ORDER BY name LIMIT ?",
            (vault, kind, after, limit),
        )
        return [name for (name,) in rows]

    def deletion(self, vault: str, kind: str, name: str) -> Deletion | None:
        """When a name was soft-deleted, if it is."""
        self.purge_due()
        row = self._database.execute(
            "SELECT name, deleted, purge FROM objects WHERE vault = ? AND kind = ? AND name = ? "
            "AND deleted IS NOT NULL",
            (vault, kind, name),
        ).fetchone()
        return Deletion(*row) if row else None

    def delete(self, vault: str, kind: str, name: str, days: int) -> Deletion:
        """Soft-delete a name for some days."""
        now = int(time.time())
        self._database.execute(
            "UPDATE objects SET deleted = ?, purge = ? WHERE vault = ? AND kind = ? AND name = ?",
            (now, now + days * 86400, vault, kind, name),
        )
        return Deletion(name, now, now + days * 86400)

    def recover(self, vault: str, kind: str, name: str) -> None:
        """Undo a deletion."""
        self._database.execute(
            "UPDATE objects SET deleted = NULL, purge = NULL WHERE vault = ? AND kind = ? AND name = ?",
            (vault, kind, name),
        )

    def purge(self, vault: str, kind: str, name: str) -> None:
        """Forget a name and its versions for good."""
        with transaction(self._database):
            for table in ("versions", "objects"):
                self._database.execute(
                    f"DELETE FROM {table} WHERE vault = ? AND kind = ? AND name = ?",  # noqa: S608
                    (vault, kind, name),
                )

    def purge_due(self) -> None:
        """Forget what has been deleted for longer than its vault keeps it."""
        due = self._database.execute(
            "SELECT vault, kind, name FROM objects WHERE purge <= ?", (int(time.time()),)
        ).fetchall()
        for vault, kind, name in due:
            self.purge(vault, kind, name)

    def forget(self, vault: str) -> None:
        """Forget everything of a vault."""
        with transaction(self._database):
            for table in ("versions", "objects"):
                self._database.execute(f"DELETE FROM {table} WHERE vault = ?", (vault,))  # noqa: S608

    def policy(self, vault: str, name: str) -> dict[str, Any] | None:
        """A key's rotation policy, if one was set."""
        row = self._database.execute(
            "SELECT policy FROM objects WHERE vault = ? AND kind = 'key' AND name = ?", (vault, name)
        ).fetchone()
        return json.loads(row[0]) if row and row[0] else None

    def set_policy(self, vault: str, name: str, policy: dict[str, Any]) -> None:
        """Keep a key's rotation policy."""
        self._database.execute(
            "UPDATE objects SET policy = ? WHERE vault = ? AND kind = 'key' AND name = ?",
            (json.dumps(policy), vault, name),
        )


def _context(vault: str, kind: str, name: str, version: str) -> str:
    return "\n".join((vault, kind, name.lower(), version))
