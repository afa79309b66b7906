"""What a storage request is about, read exactly as Azurite reads it, so that what is checked is what is done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from local.azure.dataplanes.storage.errors import bad, not_found

_SIGNATURE = frozenset(
    {"sv", "st", "se", "sr", "sp", "sip", "spr", "sig", "si", "ss", "srt", "ses", "sdd", "srh", "srq"}
    | {"skoid", "sktid", "skt", "ske", "sks", "skv", "skdutid", "sduoid", "saoid", "suoid", "scid"}
)
"""Query parameters of a shared access signature; ``snapshot`` and the response overrides (rsc…) stay."""


@dataclass(frozen=True)
class Target:
    """service: "blob", "queue" or "table". path: as it came, encoded. parts: below the account, decoded.

    query: decoded values by name, without those of a shared access signature, which are in ``signature``.
    """

    service: str
    method: str
    path: str
    account: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    signature: Mapping[str, str]

    @property
    def container(self) -> str:
        """The container, queue or table segment; empty for the account itself."""
        return self.parts[0] if self.parts else ""

    @property
    def name(self) -> str:
        """What follows the container: a blob's name."""
        return "/".join(self.parts[1:]).replace("\\", "/") if self.service == "blob" else "/".join(self.parts[1:])

    @property
    def query_string(self) -> str:
        """The query to forward: encoded anew, signature left out."""
        return "&".join(f"{quote(name, safe='$')}={quote(value, safe='')}" for name, value in self.query.items())


def parse(service: str, method: str, raw: str) -> Target:
    """The target of a request line's path and query. Raises StorageError for one that could be read in two ways."""
    path, _, query = raw.partition("?")
    if not path.startswith("/") or "#" in raw:
        raise bad("InvalidUri", "The requested URI does not represent any resource on the server.")
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError:
        raise bad("InvalidUri", "The path of the request is not UTF-8.") from None
    account, *parts = decoded[1:].split("/")
    if not re.fullmatch(r"[a-z0-9]{3,24}", account):
        raise not_found()
    if parts and len(parts) <= 2 and not parts[-1]:
        parts.pop()  # only of the account or a container: a blob's name may end with a slash
    if parts and not parts[0]:
        raise bad("InvalidUri", "The requested URI does not represent any resource on the server.")
    if any(part in (".", "..") for part in parts):
        raise bad("InvalidUri", "A path segment must not be '.' or '..'.")
    plain, signature = {}, {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        name, value = unquote(name), unquote(value)
        if name in plain or name in signature:
            raise bad("InvalidQueryParameterValue", f"The query parameter {name!r} is given twice.")
        if "[" in name or (service != "table" and name != name.lower()):
            raise bad(
                "InvalidQueryParameterValue", f"The query parameter {name!r} is not known; write it in lower case."
            )
        (signature if name in _SIGNATURE else plain)[name] = value
    return Target(service, method.upper(), path, account, tuple(parts), plain, signature)
