"""The adapter that speaks a bank's standard."""

from __future__ import annotations

import ssl

from workloads.services.connector.berlin_group import BerlinGroupBank
from workloads.services.connector.port import Bank
from workloads.services.connector.profile import Profile
from workloads.services.connector.seal import Seal
from workloads.services.connector.uk import UkBank


def adapter(profile: Profile, base: str | None, tls: ssl.SSLContext, seal: Seal | None = None) -> Bank:
    """The bank of a profile.

    base: its configured URL, which replaces the profile's. tls: with our QWAC, where there is one. seal: our QSealC.
    """
    speaks = BerlinGroupBank if profile.standard == "berlin-group-1.3" else UkBank
    return speaks(profile, base, tls, seal)
