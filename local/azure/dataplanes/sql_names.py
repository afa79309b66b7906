"""What an Azure SQL server's databases and its administrator are called inside the shared PostgreSQL cluster."""

from __future__ import annotations

import hashlib

_LIMIT = 63  # bytes of a PostgreSQL identifier (NAMEDATALEN - 1)


def database(server: str, name: str) -> str:
    """The PostgreSQL database ``<server>/<database>``; Azure compares both names without case."""
    return _fit(f"{server}/{name}".lower())


def owner(server: str) -> str:
    """The role that the server's Entra administrator acts as in every database, as Azure SQL's ``dbo``."""
    return _fit(f"{server}/dbo".lower())


def _fit(name: str) -> str:
    if len(name.encode()) <= _LIMIT:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return name.encode()[: _LIMIT - 17].decode(errors="ignore") + "~" + digest
