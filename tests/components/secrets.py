"""Secrets as Pulumi sends them to the engine: values in an envelope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi.runtime import rpc


def is_secret(value: Any) -> bool:
    """Whether the engine would keep a value encrypted."""
    return isinstance(value, Mapping) and value.get(rpc._special_sig_key) == rpc._special_secret_sig


def revealed(value: Any) -> Any:
    """The same without envelopes."""
    if is_secret(value):
        return revealed(value["value"])
    if isinstance(value, Mapping):
        return {key: revealed(each) for key, each in value.items()}
    return [revealed(each) for each in value] if isinstance(value, list) else value
