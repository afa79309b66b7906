"""Errors as problem details (RFC 9457): one form for every refusal, and nothing leaks from an unforeseen one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from workloads.chassis import correlation

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger(__name__)


class Violation(BaseModel):
    """One thing wrong with a request."""

    location: str = Field(description="Where: body, query, path or header, then the name.", examples=["body.bank"])
    message: str = Field(description="What is wrong with it.", examples=["Field required"])


class ProblemDetails(BaseModel):
    """Problem details, RFC 9457 section 3.1."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(description="URI reference of the kind of problem.", examples=["/problems/not-found"])
    title: str = Field(description="The kind of problem, in words.", examples=["Not found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str | None = Field(default=None, description="What happened here.", examples=["There is no such consent."])
    instance: str | None = Field(default=None, description="The id of the request, to quote when asking for help.")
    violations: list[Violation] | None = Field(default=None, description="What is wrong with the request.")


class Problem(Exception):
    """A refusal: raise it anywhere below an endpoint.

    status: HTTP status. kind: stable, kebab-case; clients decide by it. detail: for people; no personal data.
    headers: added to the answer. extra: members added to the body.
    """

    def __init__(
        self, status: int, kind: str, detail: str, *, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(f"{status} {kind}: {detail}")
        self.status, self.kind, self.detail, self.extra = status, kind, detail, extra
        self.headers = dict(headers or {})


def not_found(what: str) -> Problem:
    """A 404 for a thing that does not exist, or belongs to someone else: the two look alike."""
    return Problem(404, "not-found", f"There is no such {what}.")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of an operation: these statuses answer with problem details."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": "Problem details (RFC 9457)", "content": content} for status in statuses}


def answer(problem: Problem) -> Response:
    """The HTTP answer of a problem."""
    body: dict[str, Any] = {
        "type": f"/problems/{problem.kind}",
        "title": problem.kind.replace("-", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
        "instance": correlation.request_id(),
        **problem.extra,
    }
    return JSONResponse(body, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of an application with problem details."""
    kinds = {401: "unauthorized", 403: "forbidden", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}

    @app.exception_handler(Problem)
    async def _problem(_: Request, error: Problem) -> Response:
        return answer(error)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        kind = kinds.get(error.status_code, "bad-request" if error.status_code < 500 else "internal-error")
        return answer(Problem(error.status_code, kind, str(error.detail), headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        # The offending value is left out on purpose: it may be an IBAN.
        found = [{"location": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        return answer(Problem(422, "invalid-request", "The request is not valid.", violations=found))

    @app.exception_handler(Exception)
    async def _unforeseen(_: Request, error: Exception) -> Response:
        _log.error("unforeseen error", error=type(error).__name__, exc_info=error)
        return answer(Problem(500, "internal-error", "Something went wrong on our side; the request id identifies it."))
