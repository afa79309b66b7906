"""Refusals in the form of the registry API (OCI distribution specification, "Error Codes")."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

AUTHENTICATE = "authentication required, visit https://aka.ms/acr/authorization for more information."


def error(status: int, code: str, message: str, detail: Any = None, headers: dict[str, str] | None = None) -> Exception:
    """An exception to raise in a handler: aiohttp answers with it."""
    body = {"errors": [{"code": code, "message": message, "detail": detail}]}
    kind = {
        400: web.HTTPBadRequest,
        401: web.HTTPUnauthorized,
        403: web.HTTPForbidden,
        404: web.HTTPNotFound,
        501: web.HTTPNotImplemented,
        503: web.HTTPServiceUnavailable,
    }[status]
    return kind(text=json.dumps(body), content_type="application/json", headers=headers)
