"""How large a request may be: what is read into memory before anybody has looked at it."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_JSON = 1024 * 1024
"""Bytes. The longest form there is, with every character of it escaped, has a fifth of that."""
LARGEST = 8 * 1024 * 1024
"""Of what is no JSON: a document, which is measured again where it is kept."""


class Bounded:
    """Middleware: ends with 413 a request whose body is larger than any that there is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3. Raises HTTPException 413 where the body is read, which the application answers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_json = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower().endswith("json")
        left = LARGEST_JSON if is_json else LARGEST

        async def bounded() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, "The request's body is larger than any that there is.")
            return message

        await self._app(scope, bounded, send)
