"""Scopes: what a person lets an app do (RFC 6749, section 3.3). Every operation demands those it needs."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """A right of the API, as it stands in the ``scp`` of a person's token.

    Operations call other services with the token they were given: they demand what those demand, too.
    """

    ACCOUNTS_READ = "accounts.read"
    ACCOUNTS_WRITE = "accounts.write"
    CONSENTS_READ = "consents.read"
    CONSENTS_WRITE = "consents.write"
    PROFILE_READ = "profile.read"
    PROFILE_WRITE = "profile.write"
    PRIVACY_MANAGE = "privacy.manage"
