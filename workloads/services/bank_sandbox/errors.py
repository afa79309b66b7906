"""The bank's errors: ``tppMessages`` (Berlin Group XS2A Implementation Guidelines 1.3, section 4.13)."""

from __future__ import annotations

import uuid

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

_log = structlog.get_logger(__name__)


class Refusal(Exception):
    """What the bank refuses. code: of the guidelines, e.g. "CONSENT_UNKNOWN". text: for the TPP's engineers."""

    def __init__(self, status: int, code: str, text: str, path: str | None = None) -> None:
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code, self.text, self.path = status, code, text, path


def request_id(request: Request) -> str:
    """The X-Request-ID to echo; a new one where the TPP sent none that is a UUID."""
    try:
        return str(uuid.UUID(request.headers.get("x-request-id", "")))
    except ValueError:
        return str(uuid.uuid4())


def answer(request: Request, refusal: Refusal) -> Response:
    """The HTTP answer of a refusal."""
    message = {"category": "ERROR", "code": refusal.code, "text": refusal.text[:500]}
    if refusal.path:
        message["path"] = refusal.path
    return JSONResponse({"tppMessages": [message]}, refusal.status, headers={"X-Request-ID": request_id(request)})


def install(app: FastAPI) -> None:
    """Answer every error of the application in this form."""
    codes = {404: "RESOURCE_UNKNOWN", 405: "SERVICE_INVALID", 415: "FORMAT_ERROR"}

    @app.exception_handler(Refusal)
    async def _refusal(request: Request, error: Refusal) -> Response:
        return answer(request, error)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        told = answer(request, Refusal(error.status_code, codes.get(error.status_code, "FORMAT_ERROR"), error.detail))
        told.headers.update(error.headers or {})
        return told

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(each) for each in first["loc"][1:])
        return answer(request, Refusal(400, "FORMAT_ERROR", f"{where}: {first['msg']}", where))

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> Response:
        _log.error("unforeseen error", error=type(error).__name__, exc_info=error)
        return answer(request, Refusal(500, "INTERNAL_SERVER_ERROR", "The bank failed."))
