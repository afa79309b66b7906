"""Requests: what the control plane reads off one: whose it is, and its JSON."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from local.azure.context import ArmError


def bearer(request: web.Request) -> str:
    """The bearer token (RFC 6750). Raises ArmError 401 where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise ArmError(
            401,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing or no bearer token.",
        )
    return token.strip()


async def json_of(request: web.Request) -> Any:
    """The body; an empty object where there is none. Raises ArmError 400 for what is no JSON."""
    body = await request.read()
    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        raise ArmError(400, "InvalidRequestContent", f"The request content is no valid JSON: {error}.") from None
