"""What the help service is told."""

from __future__ import annotations

from workloads.chassis.settings import SecretKeeperSettings


class HelpSettings(SecretKeeperSettings):
    """The help service's settings: none beside those of every service that keeps secrets."""
