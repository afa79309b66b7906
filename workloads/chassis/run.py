"""Runs a service: settings from the environment, logs, then the server until it is told to stop."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from workloads.chassis import logs
from workloads.chassis.settings import Settings, SettingsError

S = TypeVar("S", bound=Settings)
_GRACE_SECONDS = 20
"""Below Kubernetes' 30 seconds between TERM and KILL."""
KEPT_SECONDS = 65
"""How long an idle connection is kept: longer than any client of ours keeps one, so that none meets its end."""

_COLLECTED_AFTER = 50_000
"""New objects, more than went, until the collector looks for cycles among them; Python's own number is 700."""

_SWITCHED_AFTER = 0.001
"""Seconds until a thread that computes lets one on that has waited; Python's own number is 0.005. A page waits for the
database some times, and its thread for its turn after each: beside a few other pages that added up."""


def run(service: str, settings_class: type[S], build: Callable[[S], FastAPI]) -> None:
    """Serve until TERM. Exits with 2 and one clear message when the settings are wrong."""
    try:
        settings = settings_class.load(os.environ)
        logs.configure(service, settings.log_level)
        application = build(settings)
    except SettingsError as error:
        print(f"{service} can't start:\n{error}", file=sys.stderr)
        raise SystemExit(2) from None
    # What is there by now stays. Unfrozen, the collector would go over all of it again and again while thousands of
    # transactions are read: a third of the time that taking over a bank's list takes.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER)
    sys.setswitchinterval(_SWITCHED_AFTER)
    uvicorn.run(
        application,
        host=str(settings.pod_ip),
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE_SECONDS,
        timeout_keep_alive=KEPT_SECONDS,
    )
