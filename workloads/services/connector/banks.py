"""The adapter that speaks a bank's standard."""

from __future__ import annotations

import ssl

from workloads.services.connector.berlin_group import BerlinGroupBank
from workloads.services.connector.port import Bank
from workloads.services.connector.profile import Profile


def adapter(profile: Profile, base: str | None, tls: ssl.SSLContext) -> Bank:
    """The bank of a profile. base: its configured URL, which replaces the profile's."""
    return BerlinGroupBank(profile, base, tls)
