"""The adapter that speaks a bank's standard."""

from __future__ import annotations

import ssl

from workloads.services.connector.berlin_group import BerlinGroupBank
from workloads.services.connector.port import Bank
from workloads.services.connector.profile import Profile
from workloads.services.connector.qwac import Qwac
from workloads.services.connector.seal import Seal
from workloads.services.connector.transport import Transport
from workloads.services.connector.uk import UkBank


def adapter(
    profile: Profile, base: str | None, tls: ssl.SSLContext, seal: Seal | None = None, qwac: Qwac | None = None
) -> Bank:
    """The bank of a profile.

    base: its configured URL, which replaces the profile's. tls: whom we trust. seal: our QSealC. qwac: our QWAC.
    """
    speaks = BerlinGroupBank if profile.standard == "berlin-group-1.3" else UkBank
    return speaks(profile, Transport(profile, base, tls, seal, qwac))
