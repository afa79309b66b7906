"""Azure Storage's refusals, in XML for blobs and queues, in JSON for tables (Status and error codes, REST API)."""

from __future__ import annotations

import datetime
import uuid
from xml.sax.saxutils import escape

from aiohttp import web


class StorageError(Exception):
    """One refusal. detail: what Azure puts into AuthenticationErrorDetail or ExtendedErrorDetail."""

    def __init__(
        self, status: int, code: str, message: str, detail: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.detail, self.headers = status, code, message, detail, headers or {}

    def response(self, service: str, *, head: bool) -> web.Response:
        """The answer that carries it. service: "blob", "queue" or "table"; head: without a body."""
        identity = str(uuid.uuid4())
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
        message = f"{self.message}\nRequestId:{identity}\nTime:{now}"
        headers = {"x-ms-request-id": identity, "x-ms-error-code": self.code, **self.headers}
        if head:
            return web.Response(status=self.status, headers=headers)
        if service == "table":
            body = {"odata.error": {"code": self.code, "message": {"lang": "en-US", "value": message}}}
            return web.json_response(body, status=self.status, headers=headers)
        detail = f"<AuthenticationErrorDetail>{escape(self.detail)}</AuthenticationErrorDetail>" if self.detail else ""
        text = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f"<Error><Code>{self.code}</Code><Message>{escape(message)}</Message>{detail}</Error>"
        )
        return web.Response(status=self.status, headers=headers, text=text, content_type="application/xml")


def challenge(authority: str, code: str = "NoAuthenticationInformation", detail: str = "") -> StorageError:
    """401 with the challenge that leads clients to a token. authority: the tenant's address."""
    return StorageError(
        401,
        code,
        "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
        detail,
        {
            "WWW-Authenticate": f"Bearer authorization_uri={authority}/oauth2/authorize resource_id=https://storage.azure.com"
        },
    )


def authentication_failed(detail: str) -> StorageError:
    """403: a signature that does not hold."""
    return StorageError(
        403,
        "AuthenticationFailed",
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly "
        "including the signature.",
        detail,
    )


def permission_mismatch() -> StorageError:
    """403: known, but not allowed."""
    return StorageError(
        403,
        "AuthorizationPermissionMismatch",
        "This request is not authorized to perform this operation using this permission.",
    )


def key_based_refused() -> StorageError:
    """403: account keys are switched off."""
    return StorageError(
        403,
        "KeyBasedAuthenticationNotPermitted",
        "Key based authentication is not permitted on this storage account.",
    )


def public_access_refused() -> StorageError:
    """409: the account forbids anonymous access."""
    return StorageError(409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.")


def not_found() -> StorageError:
    """404: no such account."""
    return StorageError(404, "ResourceNotFound", "The specified resource does not exist.")


def bad(code: str, message: str) -> StorageError:
    """400."""
    return StorageError(400, code, message)


def unsupported(what: str) -> StorageError:
    """501: Azure has it, this embedded Azure does not."""
    return StorageError(501, "NotImplemented", f"{what} is not implemented by this embedded Azure.")
