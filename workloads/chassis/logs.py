"""Logs: one JSON object a line on standard output, redacted, with the request's id and trace."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from workloads.chassis import correlation, redaction

_QUIET = ("httpx", "httpcore", "azure", "uvicorn.access", "msal", "urllib3", "opentelemetry")
"""Libraries that tell URLs or tokens' metadata at INFO."""


def configure(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records the same way."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _correlate(service),
        structlog.processors.format_exc_info,
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    render = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=render))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _correlate(service: str) -> Processor:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        if request := correlation.request_id():
            event["request_id"], event["trace_id"] = request, correlation.trace_id()
        return event

    return add


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    keep = {"service", "request_id", "trace_id", "timestamp", "level", "_record", "_from_structlog"}
    return {name: each if name in keep else redaction.value(each, name) for name, each in event.items()}
