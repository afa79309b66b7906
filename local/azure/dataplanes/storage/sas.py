"""Shared access signatures: user delegation, service and account SAS, checked against the keys they are made with.

Sources: https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas, create-service-sas and
create-account-sas; signed versions from 2020-12-06 on.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from local.azure.dataplanes.storage.errors import StorageError, authentication_failed
from local.azure.dataplanes.storage.sharedkey import signature
from local.azure.dataplanes.storage.target import Target

_FIRST, _DELEGATED_USER, _BOUND_REQUEST = "2020-12-06", "2025-07-05", "2026-04-06"
_OVERRIDES = ("rscc", "rscd", "rsce", "rscl", "rsct")
_SERVICES = {"blob": "b", "queue": "q", "table": "t"}


@dataclass(frozen=True)
class Grant:
    """What a valid signature allows. delegator: object id whose rights bound it, None for one made with a key.

    kind: "blob" (sr=b), "container" (sr=c) or "account"; levels: resource types of an account SAS.
    """

    permissions: str
    kind: str
    levels: str = "sco"
    delegator: str | None = None


def delegation_key(master: bytes, oid: str, tid: str, start: str, expiry: str, version: str) -> bytes:
    """The user delegation key of an identity for a time; derived, so that it needs no keeping."""
    text = "\n".join(("b", oid, tid, start, expiry, version))
    return hmac.new(master, text.encode(), hashlib.sha256).digest()


def moment(text: str, what: str) -> datetime.datetime:
    """A time of a signature, UTC. Raises StorageError 403."""
    try:
        parsed = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise authentication_failed(f"{what} is {text!r}: an ISO 8601 time in UTC is expected.") from None
    return parsed.replace(tzinfo=parsed.tzinfo or datetime.UTC)


def check(target: Target, keys: list[bytes], master: bytes, *, tenant: str, remote: str) -> Grant:
    """What the request's signature allows. Raises StorageError 403 when it does not hold.

    keys: the account's, empty when they are switched off; master: of its user delegation keys; remote: client's IP.
    """
    sas = target.signature
    for name in ("si", "sdd", "skdutid", "sduoid", "srh", "srq", "ses"):
        if sas.get(name):
            raise authentication_failed(f"A signature with {name} is not supported by this embedded Azure.")
    if sas.get("sv", "") < _FIRST:
        raise authentication_failed(f"The signed version is {sas.get('sv')!r}; {_FIRST} and later are supported.")
    if "skoid" in sas:
        grant, texts = _delegated(target, master, tenant)
    elif "ss" in sas:
        grant, texts = _of_account(target, keys)
    else:
        grant, texts = _of_service(target, keys)
    given = sas.get("sig", "")
    if not any(hmac.compare_digest(signature(key, text).encode(), given.encode()) for key, text in texts):
        raise authentication_failed("Signature did not match.")
    _check_bounds(sas, remote)
    return grant


def _check_bounds(sas: Mapping[str, str], remote: str) -> None:
    now = datetime.datetime.now(datetime.UTC)
    if "se" not in sas or moment(sas["se"], "se") <= now:
        raise authentication_failed(f"Signature not valid in the specified time frame: Expiry [{sas.get('se')}].")
    if sas.get("st") and moment(sas["st"], "st") > now:
        raise authentication_failed(f"Signature not valid in the specified time frame: Start [{sas['st']}].")
    if sas.get("spr", "https") not in ("https", "https,http"):
        raise StorageError(
            403,
            "AuthorizationProtocolMismatch",
            "This request is not authorized to perform this operation using this protocol.",
        )
    if sas.get("sip"):
        first, _, last = sas["sip"].partition("-")
        address = ipaddress.ip_address(remote)
        try:
            inside = ipaddress.ip_address(first) <= address <= ipaddress.ip_address(last or first)  # type: ignore[operator]  # both of IPv4
        except (ValueError, TypeError):
            inside = False
        if not inside:
            raise StorageError(
                403,
                "AuthorizationSourceIPMismatch",
                "This request is not authorized to perform this operation using this source IP.",
            )


def _resource(target: Target) -> tuple[str, str]:
    """The canonicalised resource, and its kind."""
    kind = {"b": "blob", "c": "container"}.get(target.signature.get("sr", ""))
    if kind is None or not target.container or target.service != "blob":
        raise authentication_failed(
            f"sr is {target.signature.get('sr')!r} for this {target.service} request; allowed are b and c, for blobs."
        )
    path = f"/blob/{target.account}/{target.container}"
    return (f"{path}/{target.name}" if kind == "blob" else path), kind


def _common(target: Target, resource: str, middle: list[str], late: list[str]) -> str:
    sas = target.signature
    head = [sas.get(name, "") for name in ("sp", "st", "se")]
    tail = [sas.get(name, "") for name in ("sip", "spr", "sv", "sr")]
    overrides = [target.query.get(name, "") for name in _OVERRIDES]
    return "\n".join([*head, resource, *middle, *tail, "", sas.get("ses", ""), *late, *overrides])


def _delegated(target: Target, master: bytes, tenant: str) -> tuple[Grant, list[tuple[bytes, str]]]:
    sas = target.signature
    resource, kind = _resource(target)
    names = ("skoid", "sktid", "skt", "ske", "sks", "skv")
    if missing := [name for name in names if not sas.get(name)]:
        raise authentication_failed(f"A user delegation SAS needs {missing[0]}.")
    if sas["sks"] != "b" or sas["sktid"].lower() != tenant.lower():
        raise authentication_failed("The user delegation key is of another service or tenant.")
    now = datetime.datetime.now(datetime.UTC)
    if not moment(sas["skt"], "skt") <= now < moment(sas["ske"], "ske"):
        raise authentication_failed(f"The user delegation key is valid from {sas['skt']} to {sas['ske']} only.")
    middle = [sas[name] for name in names] + [sas.get(name, "") for name in ("saoid", "suoid", "scid")]
    middle += ["", ""] if sas["sv"] >= _DELEGATED_USER else []
    late = ["", ""] if sas["sv"] >= _BOUND_REQUEST else []
    key = delegation_key(master, sas["skoid"], sas["sktid"], sas["skt"], sas["ske"], sas["skv"])
    text = _common(target, resource, middle, late)
    return Grant(sas.get("sp", ""), kind, delegator=sas["skoid"]), [(key, text)]


def _of_service(target: Target, keys: list[bytes]) -> tuple[Grant, list[tuple[bytes, str]]]:
    resource, kind = _resource(target)
    text = _common(target, resource, [""], [])
    return Grant(target.signature.get("sp", ""), kind), [(key, text) for key in keys]


def _of_account(target: Target, keys: list[bytes]) -> tuple[Grant, list[tuple[bytes, str]]]:
    sas = target.signature
    if _SERVICES[target.service] not in sas["ss"]:
        raise StorageError(
            403,
            "AuthorizationServiceMismatch",
            "This request is not authorized to perform this operation using this service.",
        )
    names = ("sp", "ss", "srt", "st", "se", "sip", "spr", "sv", "ses")
    text = "\n".join([target.account, *(sas.get(name, "") for name in names), ""])
    return Grant(sas.get("sp", ""), "account", sas.get("srt", "")), [(key, text) for key in keys]


def encoded(key: bytes) -> str:
    """A key as Azure shows it."""
    return base64.b64encode(key).decode()
