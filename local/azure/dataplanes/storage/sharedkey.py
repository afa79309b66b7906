"""Shared Key authorisation: the text that is signed, checked for clients and made for the hop to Azurite.

Source: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key, version 2015-02-21 and later.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

from local.azure.dataplanes.storage.target import Target

_HEADERS = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)
Order = Callable[[str], Any]


def signature(key: bytes, text: str) -> str:
    """HMAC-SHA256 in base64."""
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()


def icu(name: str) -> list[tuple[int, str]]:
    """The order of JavaScript's localeCompare for lower-case ASCII: punctuation, then digits, then letters."""
    return [
        ("_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$".find(char), char) if not char.isalnum() else (99, char) for char in name
    ]


def _hyphens_last(name: str) -> tuple[str, int]:
    """The order of .NET and of Azure's Python client: hyphens count only where all else is equal."""
    return name.replace("-", "").replace("_", "!"), name.count("-")  # the underscore precedes digits


def text_to_sign(target: Target, headers: Mapping[str, str], query: Mapping[str, str], order: Order) -> str:
    """What is signed for a request. headers: names in lower case."""
    if target.service == "table":
        dated = headers.get("date") or headers.get("x-ms-date", "")
        lines = [target.method, headers.get("content-md5", ""), headers.get("content-type", ""), dated]
        resource = f"/{target.account}{target.path}" + (f"?comp={query['comp']}" if "comp" in query else "")
        return "\n".join([*lines, resource])
    values = [headers.get(name, "") for name in _HEADERS]
    values[2] = "" if values[2] == "0" else values[2]
    own = sorted((name for name in headers if name.startswith("x-ms-")), key=order)
    canonical = "".join(f"{name}:{headers[name]}\n" for name in own)
    queries = "".join(f"\n{name.lower()}:{query[name]}" for name in sorted(query, key=str.lower))
    return "\n".join([target.method, *values]) + "\n" + canonical + f"/{target.account}{target.path}" + queries


def authorization(key: bytes, target: Target, headers: Mapping[str, str]) -> str:
    """The header that lets a request into Azurite."""
    return f"SharedKey {target.account}:{signature(key, text_to_sign(target, headers, target.query, icu))}"


def holds(keys: list[bytes], target: Target, headers: Mapping[str, str], given: str) -> bool:
    """Whether a client's signature is one of the account's keys' over this request, whichever way it sorts headers."""
    query = {**target.query, **target.signature}
    texts = {text_to_sign(target, headers, query, order) for order in (str, _hyphens_last, icu)}
    return any(hmac.compare_digest(signature(key, text), given) for key in keys for text in texts)
