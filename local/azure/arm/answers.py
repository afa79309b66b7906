"""What ARM answers with: rendered resources, pages of lists, headers of long-running operations."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from local.azure.arm.operations import Operation
from local.azure.arm.shapes import Shape
from local.azure.arm.store import LocalStore
from local.azure.arm.types import Type, by_path, shapes
from local.azure.context import ArmError, Body, Resource
from local.instance import SUBSCRIPTION_ID

PAGE = 100
"""Resources a page; a caller may ask for fewer with ``$top``."""


def rendered(resource: Resource, store: LocalStore) -> Body:
    """A resource as a GET answers it: id, name and type first, write-only properties left out."""
    kind = by_path(resource.id)
    body = {"id": resource.id, "name": resource.name, "type": resource.type, **resource.body}
    etag = store.etag(resource.id)
    if kind and etag and "etag" in kind.shape.by_path:
        body["etag"] = f'W/"{etag}"'
    return _visible(body, kind.shape, "") if kind else body


def _visible(value: Mapping[str, Any], shape: Shape, where: str) -> Body:
    """An object without what Azure takes and never gives back (passwords, create modes)."""
    shown: Body = {}
    for wire, each in value.items():
        path = f"{where}.{wire}" if where else wire
        known = shape.by_path.get(path)
        if path in shape.envelopes and isinstance(each, Mapping):
            shown[wire] = _visible(each, shape, path)
        elif known is None:
            shown[wire] = each
        elif not known.write_only:
            shown[wire] = _visible_value(each, known.type)
    return shown


def _visible_value(value: Any, kind: str) -> Any:
    match kind[0], value:
        case "[", list():
            return [_visible_value(each, kind[1:-1]) for each in value]
        case "@", dict():
            return _visible(value, shapes()[kind[1:]], "")
    return value


def base_url(request: web.Request) -> str:
    """Where this endpoint is for the caller."""
    return f"https://{request.host}"


def async_headers(request: web.Request, kind: Type, operation: Operation, resource: Resource) -> dict[str, str]:
    """Where the caller may ask how an operation goes on.

    Clients that read ``retry-after-ms`` ask again after a tenth of a second, others after one.
    """
    namespace = kind.type.split("/")[0]
    location = str(resource.body.get("location") or "global").replace(" ", "").lower()
    root = f"{base_url(request)}/subscriptions/{SUBSCRIPTION_ID}/providers/{namespace}/locations/{location}"
    version = f"?api-version={request.query.get('api-version', kind.version)}"
    return {
        "Azure-AsyncOperation": f"{root}/operationStatuses/{operation.id}{version}",
        "Location": f"{root}/operationResults/{operation.id}{version}",
        "Retry-After": "1",
        "retry-after-ms": "100",
    }


def listing(request: web.Request, bodies: Sequence[Body]) -> web.Response:
    """One page of a list; ``nextLink`` leads on. Raises ArmError 400 for a malformed ``$top`` or ``$skipToken``."""
    try:
        top = min(int(request.query.get("$top", PAGE)), PAGE)
        token = request.query.get("$skipToken", "")
        start = int(base64.urlsafe_b64decode(token).decode()) if token else 0
        if top < 1 or start < 0:
            raise ValueError("negative")
    except (ValueError, binascii.Error):
        raise ArmError(
            400, "InvalidRequestUri", "$top must be a number above 0, $skipToken one of a nextLink."
        ) from None
    answer: Body = {"value": list(bodies[start : start + top])}
    if start + top < len(bodies):
        following = base64.urlsafe_b64encode(str(start + top).encode()).decode()
        query = {**request.query, "$skipToken": following}
        answer["nextLink"] = str(request.url.with_scheme("https").with_host(request.url.host or "").with_query(query))
    return web.json_response(answer)
