"""Get User Delegation Key (POST /?restype=service&comp=userdelegationkey): a key that signs an identity's SAS."""

from __future__ import annotations

import datetime
import re

from aiohttp import web

from local.azure.dataplanes.storage import sas
from local.azure.dataplanes.storage.accounts import Accounts
from local.azure.dataplanes.storage.errors import bad
from local.azure.dataplanes.storage.guard import Passage

_LONGEST = datetime.timedelta(days=7)
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


async def answer(request: web.Request, passage: Passage, accounts: Accounts, tenant: str) -> web.Response:
    """The key for the bearer of the request's token. Raises StorageError 400 for times that cannot be."""
    if passage.principal is None:
        raise ValueError("a user delegation key belongs to the bearer of a token")
    text = (await request.content.read(16 * 1024)).decode("utf-8", "replace")
    found = dict(re.findall(r"<(Start|Expiry)>([^<]*)</\1>", text))
    unknown = set(re.findall(r"<([A-Za-z]+)[ />]", text)) - {"KeyInfo", "Start", "Expiry"}
    if unknown:
        raise bad("InvalidXmlDocument", f"The element {min(unknown)} is not supported by this embedded Azure.")
    if "Expiry" not in found:
        raise bad("InvalidXmlDocument", "XML specified is not syntactically valid: KeyInfo needs Start and Expiry.")
    now = datetime.datetime.now(datetime.UTC)
    start = _time(found["Start"]) if found.get("Start") else now
    expiry = _time(found["Expiry"])
    if not start < expiry or expiry <= now or expiry > now + _LONGEST + datetime.timedelta(minutes=15):
        raise bad("InvalidXmlNodeValue", "The value for one of the XML nodes is not in the correct format: Expiry.")
    version = request.headers["x-ms-version"]
    signed = (passage.principal.object_id, tenant, start.strftime(_FORMAT), expiry.strftime(_FORMAT), version)
    value = sas.delegation_key(accounts.keys(passage.account.id).delegation, *signed)
    oid, tid, begins, ends, _ = signed
    body = (
        '<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>'
        f"<SignedOid>{oid}</SignedOid><SignedTid>{tid}</SignedTid><SignedStart>{begins}</SignedStart>"
        f"<SignedExpiry>{ends}</SignedExpiry><SignedService>b</SignedService><SignedVersion>{version}</SignedVersion>"
        f"<Value>{sas.encoded(value)}</Value></UserDelegationKey>"
    )
    return web.Response(text=body, content_type="application/xml", headers={"x-ms-version": version})


def _time(text: str) -> datetime.datetime:
    try:
        parsed = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise bad("InvalidXmlNodeValue", f"{text!r} is not a time in ISO 8601.") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
