"""The bank's application."""

from __future__ import annotations

from fastapi import FastAPI

from workloads.chassis.app import create_app
from workloads.services.bank_sandbox import accounts, consents, embedded, errors, ledger, oauth, oauth_page, page, uk
from workloads.services.bank_sandbox.settings import SandboxSettings


def build(settings: SandboxSettings) -> FastAPI:
    """The application of one sandbox bank; its data set is read and checked now."""
    books = ledger.dataset(settings.sandbox_bank)
    return create_app(
        f"bank-{books.bank}", books.name, settings,
        [consents.router, embedded.router, accounts.router, page.router, oauth.router, oauth_page.router, uk.router],
        errors=errors.install,
    )  # fmt: skip
