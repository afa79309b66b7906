"""APIs: what the gateway offers, from the documents in workloads/gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import Any
from xml.sax.saxutils import escape

import pulumi
import yaml

from components.gateway_apis import ApiArgs, BackendArgs, ProductArgs, VersionArgs, operation_name
from stacks.identity import Tokens
from stacks.settings import Settings

BACKEND = "services"
"""The one backend: the cluster's ingress, which leads each path to its service."""
PATH = "banking"
_AUDIENCE = "token-audience"
_PERSON = "context.Request.IpAddress"
_PERSON_BEHIND_EDGE = (
    "Regex.Replace("
    f"context.Request.Headers.GetValueOrDefault(\"X-Forwarded-For\", {_PERSON}).Split(',').Last().Trim(), "
    r'@"^\[(.*)\](:\d+)?$|^([^:]*):\d+$", "$1$3")'
)
"""The address of who asks, which banks are told of: the edge appends it, with a port, to whatever the header held
(learn.microsoft.com/azure/application-gateway/rewrite-http-headers-url, Default headers); who comes past the edge, from
inside, has no such header. One of IPv6 stands in brackets before its port, and has none without them."""
_QUOTE = {'"': "&quot;"}
_DOCUMENTS = Path(__file__).resolve().parent.parent / "workloads" / "gateway"


@cache
def document() -> Mapping[str, Any]:
    """The public API as an OpenAPI document."""
    return yaml.safe_load((_DOCUMENTS / "banking.v1.yaml").read_text())


def backends(settings: Settings) -> Mapping[str, BackendArgs]:
    """Where requests go."""
    return {BACKEND: BackendArgs(url=f"https://{settings.services_host}")}


def apis(settings: Settings, tokens: Tokens) -> Mapping[str, ApiArgs]:
    """The API of apps: with a user's token that grants what the operation needs, from the web app's origin, so many
    requests a minute.

    Which banks there are is the same for everybody: the gateway answers that by itself for a minute.
    """
    policy = _policy(settings, tokens, f"{{{{{_AUDIENCE}}}}}")
    remembered = {"listConnectableBanks": (_DOCUMENTS / "banks.xml").read_text()}
    person = {"type": "openIdConnect", "openIdConnectUrl": tokens.discovery}
    openapi = {**document(), "components": {"securitySchemes": {"person": person}}}
    version = VersionArgs(openapi=openapi, backend=BACKEND, policy=policy, operation_policies=remembered)
    return {"banking": ApiArgs(display_name="Banking", path=PATH, versions={"v1": version})}


def values(tokens: Tokens) -> Mapping[str, pulumi.Input[str]]:
    """What the API's policy names: known only once the tenant is set up, while the policy can be read and judged."""
    return {_AUDIENCE: tokens.audience}


def _policy(settings: Settings, tokens: Tokens, audience: str) -> str:
    told = {
        "issuer": tokens.issuer,
        "discovery": tokens.discovery,
        "audience": audience,
        "origin": f"https://{settings.app_host}",
        "calls": str(settings.gateway.calls_per_minute),
        "person": _PERSON_BEHIND_EDGE if settings.edge else _PERSON,
    }
    quoted = {name: escape(value, _QUOTE) for name, value in told.items()}
    return Template((_DOCUMENTS / "banking.xml").read_text()).substitute(quoted, refusals=_refusals())


def operations_by_scopes() -> Mapping[tuple[str, ...], Sequence[str]]:
    """Which operations the document demands the same scopes of a person's token for."""
    found: dict[tuple[str, ...], list[str]] = {}
    for item in document()["paths"].values():
        for method, operation in item.items():
            if method != "parameters":
                [demanded] = operation["security"]
                found.setdefault(tuple(demanded["person"]), []).append(operation["operationId"])
    return found


def _refusals() -> str:
    """The policy's answers to tokens that grant too little."""
    template = Template((_DOCUMENTS / "insufficient_scope.xml").read_text())
    return "".join(
        template.substitute(
            operations=_listed(list(map(operation_name, operations))), scopes=_listed(scopes), wanted=" ".join(scopes)
        )
        for scopes, operations in operations_by_scopes().items()
    )


def _listed(names: Sequence[str]) -> str:
    """Names as an expression in an attribute lists them."""
    return ", ".join(escape(f'"{each}"', _QUOTE) for each in names)


def products() -> Mapping[str, ProductArgs]:
    """What others than our own apps subscribe to, one at a time approved, for so many calls in thirty days."""
    return {
        "partners": ProductArgs(
            display_name="Partners",
            description="The banking API for apps of partners, on behalf of users who sign in there.",
            apis=["banking"],
            policy=(_DOCUMENTS / "partners.xml").read_text(),
        )
    }
