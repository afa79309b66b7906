"""Notification Hubs' refusals: XML with status and detail, as its REST API and Service Bus' answer."""

from __future__ import annotations

import datetime
import uuid
from xml.sax.saxutils import escape

from aiohttp import web


class HubError(Exception):
    """One refusal. detail: begins with a code where Azure has one, e.g. "InvalidSignature: …"."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail

    def response(self) -> web.Response:
        """The answer that carries it."""
        tracking, now = uuid.uuid4(), datetime.datetime.now(datetime.UTC)
        detail = f"{self.detail}.TrackingId:{tracking},TimeStamp:{now:%m/%d/%Y %I:%M:%S %p}"
        text = f"<Error><Code>{self.status}</Code><Detail>{escape(detail)}</Detail></Error>"
        return web.Response(
            status=self.status, text=text, content_type="application/xml", headers={"TrackingId": str(tracking)}
        )


def bad(detail: str) -> HubError:
    """400."""
    return HubError(400, detail)


def unauthorized(detail: str) -> HubError:
    """401: no signature, one that does not hold, or one that may not do this."""
    return HubError(401, detail)
