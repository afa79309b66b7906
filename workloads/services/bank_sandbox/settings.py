"""What a sandbox bank is told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workloads.chassis.settings import DataSettings


class SandboxSettings(DataSettings):
    """A sandbox bank's settings."""

    sandbox_bank: Literal["aurora", "borealis", "albion"] = Field(description="the data set it serves")
