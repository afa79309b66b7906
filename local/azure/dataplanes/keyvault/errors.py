"""Key Vault's refusals: HTTP status, code, message and inner code in the form of its REST API (7.6)."""

from __future__ import annotations

from typing import Any

from aiohttp import web


class VaultError(Exception):
    """One refusal. inner: the inner error's code, e.g. "ForbiddenByRbac"; headers: of the answer."""

    def __init__(
        self, status: int, code: str, message: str, inner: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.inner, self.headers = status, code, message, inner, headers or {}

    def response(self) -> web.Response:
        """The answer that carries it."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.inner:
            error["innererror"] = {"code": self.inner}
        return web.json_response({"error": error}, status=self.status, headers=self.headers)


def not_found(kind: str, name: str) -> VaultError:
    """No such secret or key, or no such version of it. kind: "secret" or "key"."""
    return VaultError(
        404,
        f"{kind.capitalize()}NotFound",
        f"A {kind} with (name/id) {name} was not found in this key vault. If you recently deleted this {kind} you may "
        "be able to recover it using the correct recovery command. For help resolving this issue, please see "
        "https://go.microsoft.com/fwlink/?linkid=2125182",
    )


def deleted_not_found(kind: str, name: str) -> VaultError:
    """No soft-deleted secret or key of this name."""
    return VaultError(404, f"{kind.capitalize()}NotFound", f"Deleted {kind.capitalize()} not found: {name}")


def held_by_deleted(kind: str, name: str) -> VaultError:
    """The name belongs to something soft-deleted."""
    return VaultError(
        409,
        "Conflict",
        f"{kind.capitalize()} {name} is currently in a deleted but recoverable state, and its name cannot be reused; "
        f"in this state, the {kind} can only be recovered or purged.",
        "ObjectIsDeletedButRecoverable",
    )


def bad(message: str) -> VaultError:
    """A parameter that is missing, unknown or wrong."""
    return VaultError(400, "BadParameter", message)


def forbidden(message: str, inner: str) -> VaultError:
    """Not allowed, for a reason that the inner code names."""
    return VaultError(403, "Forbidden", message, inner)
