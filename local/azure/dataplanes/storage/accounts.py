"""The secrets of storage accounts: two account keys and the root of user delegation keys, sealed in SQLite."""

from __future__ import annotations

import secrets
import sqlite3
import time
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from local.azure.dataplanes.keyvault.store import master_key
from local.instance import Instance

_LENGTH = 64
_COLUMNS = ("key1", "key2", "delegation")


@dataclass(frozen=True)
class AccountKeys:
    """created: seconds since 1970 of key1 and key2."""

    key1: bytes = field(repr=False)
    key2: bytes = field(repr=False)
    delegation: bytes = field(repr=False)
    created: tuple[int, int]


class Accounts:
    """Keys by account id (lower case)."""

    def __init__(self, instance: Instance) -> None:
        instance.azure.mkdir(parents=True, exist_ok=True)
        self._seal = AESGCM(master_key(instance.azure / "keyvault.key"))
        path = instance.azure / "storage.db"
        self._database = sqlite3.connect(path, isolation_level=None)
        path.chmod(0o600)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS keys (account TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL, "
            "sealed BLOB NOT NULL, PRIMARY KEY (account, name)) STRICT"
        )
        self._database.execute("CREATE TABLE IF NOT EXISTS leftovers (name TEXT PRIMARY KEY) STRICT")

    def keys(self, account: str) -> AccountKeys:
        """The account's keys, made on first use."""
        account = account.lower()
        found = {
            name: (created, self._seal.decrypt(sealed[:12], sealed[12:], f"{account}\n{name}".encode()))
            for name, created, sealed in self._database.execute(
                "SELECT name, created, sealed FROM keys WHERE account = ?", (account,)
            )
        }
        if len(found) < len(_COLUMNS):
            for name in _COLUMNS:
                if name not in found:
                    self.regenerate(account, name)
            return self.keys(account)
        created = (found["key1"][0], found["key2"][0])
        return AccountKeys(found["key1"][1], found["key2"][1], found["delegation"][1], created)

    def regenerate(self, account: str, name: str) -> None:
        """Replace one; what was made with the old one ends. name: "key1", "key2" or "delegation"."""
        if name not in _COLUMNS:
            raise KeyError(name)
        nonce = secrets.token_bytes(12)
        sealed = nonce + self._seal.encrypt(nonce, secrets.token_bytes(_LENGTH), f"{account.lower()}\n{name}".encode())
        self._database.execute(
            "INSERT OR REPLACE INTO keys (account, name, created, sealed) VALUES (?,?,?,?)",
            (account.lower(), name, int(time.time()), sealed),
        )

    def forget(self, account: str) -> None:
        """Forget a deleted account's keys."""
        self._database.execute("DELETE FROM keys WHERE account = ?", (account.lower(),))

    def leave(self, name: str) -> None:
        """Remember that a deleted account's data could not be removed yet."""
        self._database.execute("INSERT OR IGNORE INTO leftovers (name) VALUES (?)", (name,))

    def left(self, name: str) -> bool:
        """Whether data of a deleted account of this name may still be there."""
        return bool(self._database.execute("SELECT 1 FROM leftovers WHERE name = ?", (name,)).fetchone())

    def cleared(self, name: str) -> None:
        """It is gone."""
        self._database.execute("DELETE FROM leftovers WHERE name = ?", (name,))

    def close(self) -> None:
        """Close the database."""
        self._database.close()
