"""Telemetry envelopes as Application Insights' SDKs send them (schema version 2, endpoint v2.1), checked one by one."""

from __future__ import annotations

import datetime
import json
from typing import Any

from local.azure.dataplanes.insights.store import Item

_REQUIRED = {
    "Request": ("id", "duration", "responseCode", "success"),
    "RemoteDependency": ("name", "duration"),
    "Message": ("message",),
    "Exception": ("exceptions",),
    "Event": ("name",),
    "Metric": ("metrics",),
    "PageView": ("name",),
    "Availability": ("id", "name", "duration", "success"),
}
_LARGEST = 64 * 1024


class Malformed(Exception):
    """An item that is refused. status: HTTP status of its entry in the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def split(body: bytes) -> list[Any]:
    """The envelopes of a body: a JSON array, one object, or an object a line. Raises Malformed."""
    text = body.decode("utf-8", "strict") if body else ""
    if not text.strip():
        raise Malformed(400, "The body is empty.")
    try:
        whole = json.loads(text)
    except ValueError:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise Malformed(400, "The body is neither a JSON array nor a JSON object a line.") from None
    return whole if isinstance(whole, list) else [whole]


def instrumentation_key(envelope: Any) -> str:
    """The key that names the component. Raises Malformed."""
    key = envelope.get("iKey") if isinstance(envelope, dict) else None
    if not isinstance(key, str) or not key:
        raise Malformed(400, "Field 'iKey' on type 'Envelope' is required.")
    return key.lower()


def item_of(envelope: dict[str, Any], component: str) -> Item:
    """The item of an envelope. Raises Malformed naming the field."""
    time, data = envelope.get("time"), envelope.get("data")
    try:
        when = datetime.datetime.fromisoformat(str(time))
    except ValueError:
        raise Malformed(400, f"Field 'time' on type 'Envelope' is {time!r}: an ISO 8601 time is expected.") from None
    when = when if when.tzinfo else when.replace(tzinfo=datetime.UTC)
    if not isinstance(data, dict) or not isinstance(data.get("baseData"), dict):
        raise Malformed(400, "Field 'data' on type 'Envelope' needs baseType and baseData.")
    kind = str(data.get("baseType", "")).removesuffix("Data")
    if kind not in _REQUIRED:
        raise Malformed(
            400, f"Field 'baseType' is {data.get('baseType')!r}; allowed: {', '.join(_REQUIRED)}, each + Data."
        )
    body = data["baseData"]
    for field in _REQUIRED[kind]:
        if body.get(field) is None:
            raise Malformed(400, f"Field '{field}' on type '{kind}Data' is required but missing or empty.")
    if len(json.dumps(body)) > _LARGEST:
        raise Malformed(400, f"The item is larger than {_LARGEST} bytes.")
    tags = envelope.get("tags") if isinstance(envelope.get("tags"), dict) else {}
    return Item(
        component,
        kind,
        when.astimezone(datetime.UTC).isoformat(timespec="microseconds"),
        str(tags.get("ai.operation.id") or ""),
        str(tags.get("ai.operation.parentId") or ""),
        str(body.get("id") or ""),
        str(tags.get("ai.cloud.role") or ""),
        body,
    )
