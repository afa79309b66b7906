"""What the toolchain could not get, and how a person provides it."""

from __future__ import annotations

from collections.abc import Sequence


class ToolchainError(Exception):
    """A tool that could not be had; its text is meant for the person who ran the command."""


def could_not_get(what: str, tried: Sequence[str], remedy: str) -> ToolchainError:
    """The one form of such an error: what, each thing tried and why it failed, what to do."""
    lines = "\n".join("  - " + each.strip().replace("\n", "\n    ") for each in tried)
    return ToolchainError(f"Could not get {what}. Tried:\n{lines}\n  What to do: {remedy}")
