"""What a supervised daemon is: one program, how it is started, and how one knows that it is ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """One long-running program of an instance.

    name: unique, e.g. "kube-apiserver"; also the stem of its log. argv: absolute program and its arguments.
    ready: answers whether it serves now, called repeatedly; must not block longer than a second.
    after: names of the daemons that must be ready before this one is started.
    user: name of the account to run as when we are root; None keeps ours.
    stop_signal: what ends it gracefully.
    """

    name: str
    argv: Sequence[str]
    ready: Callable[[], bool]
    after: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    user: str | None = None
    stop_signal: str = "TERM"
