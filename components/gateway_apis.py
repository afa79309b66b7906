"""Gateway APIs: what APIs, backends and products are declared as, checked before anything is registered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import pulumi

_LONGEST_OPERATION = 76
_METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
_FORWARD = """\
<policies>
  <inbound><base /><set-backend-service backend-id="{backend}" /></inbound>
  <backend><base /></backend>
  <outbound><base /></outbound>
  <on-error><base /></on-error>
</policies>
"""


@dataclass(frozen=True, kw_only=True)
class BackendArgs:
    """Where requests are sent. Its certificate's chain and name are validated.

    url: base URL, https only. headers: sent with every request, e.g. a named value "{{partner-key}}".
    """

    url: pulumi.Input[str]
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.url, str) and not self.url.startswith("https://"):
            raise ValueError(f"url: {self.url} is not allowed; allowed are URLs that start with https://.")


@dataclass(frozen=True, kw_only=True)
class VersionArgs:
    """One version of an API.

    openapi: OpenAPI 3 document, parsed. backend: name of the backend that serves it.
    policy: policy document (learn.microsoft.com/azure/api-management/api-management-policies), XML, which must name the
    backend; None forwards to it and adds nothing. operation_policies: by operationId.
    """

    openapi: Mapping[str, Any]
    backend: str
    policy: pulumi.Input[str] | None = None
    operation_policies: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        operations = operation_ids(self.openapi)
        if strange := sorted(set(self.operation_policies) - set(operations)):
            raise ValueError(f"operation_policies: {strange} are no operations; allowed are {sorted(operations)}.")
        for name, document in {"policy": self.policy, **self.operation_policies}.items():
            if isinstance(document, str):
                _demand_xml(name, document)
        # Without it requests would go to the plain service URL, where no certificate chain is validated.
        if isinstance(self.policy, str) and f'backend-id="{self.backend}"' not in self.policy:
            raise ValueError(
                f"policy: it does not send requests to its backend. "
                f'Add <set-backend-service backend-id="{self.backend}" /> to its inbound section.'
            )

    @property
    def effective_policy(self) -> pulumi.Input[str]:
        """The policy document in force."""
        return self.policy or _FORWARD.format(backend=self.backend)


@dataclass(frozen=True, kw_only=True)
class ApiArgs:
    """An API.

    display_name: what developers see. path: first segment of its URLs; the version follows it, e.g. "accounts/v1".
    versions: by name, e.g. "v1". subscription_required: whether a product's key is asked for beside the token.
    """

    display_name: str
    path: str
    versions: Mapping[str, VersionArgs]
    subscription_required: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9/-]*[a-z0-9]", self.path):
            raise ValueError(
                f"path: {self.path!r} is not allowed; allowed are lower-case letters, digits, '-' and '/' inside."
            )
        if not self.versions:
            raise ValueError(f"versions: the API {self.display_name!r} has none. Give it at least one.")


@dataclass(frozen=True, kw_only=True)
class ProductArgs:
    """A product: APIs that are subscribed to together.

    display_name, description, terms: what developers see. apis: names of its APIs, all versions.
    approval_required: whether a person approves a subscription. subscriptions_limit: of one developer.
    subscriptions: keys made for known consumers, display names by name. policy: e.g. its rate limit and quota.
    """

    display_name: str
    description: str
    apis: Sequence[str]
    terms: str | None = None
    approval_required: bool = True
    subscriptions_limit: int = 1
    subscriptions: Mapping[str, str] = field(default_factory=dict)
    policy: str | None = None

    def __post_init__(self) -> None:
        if self.policy is not None:
            _demand_xml("policy", self.policy)


def _demand_xml(name: str, policy: str) -> None:
    try:
        ElementTree.fromstring(policy)  # noqa: S314  # the program's own document
    except ElementTree.ParseError as error:
        raise ValueError(
            f"{name}: the policy document is no XML: {error}. Inside of expressions, too, write &amp;, &lt; and, in "
            "attributes, &quot;."
        ) from None


def operation_name(operation_id: str) -> str:
    """What an import makes of an operationId: the operation's name in Azure, and its Id in policies' expressions.

    Raises ValueError for one that it would cut (learn.microsoft.com/azure/api-management/
    api-management-api-import-restrictions, Normalization rules for operationId).
    """
    found = re.sub("[^a-z0-9]+", "-", operation_id.lower()).strip("-")
    if not 0 < len(found) <= _LONGEST_OPERATION:
        raise ValueError(
            f"openapi: the operationId {operation_id!r} names nothing, or is longer than {_LONGEST_OPERATION} "
            "characters. Give it 1 to that many letters, digits and dashes."
        )
    return found


def operation_ids(openapi: Mapping[str, Any]) -> list[str]:
    """The operationIds of an OpenAPI document. Raises ValueError when one is missing or given twice.

    An import deletes operations that the file lacks, with their policies; without an operationId API Management makes
    one up, anew at each import (learn.microsoft.com/azure/api-management/import-api-from-oas).
    """
    found = []
    for path, item in openapi.get("paths", {}).items():
        for method, operation in item.items():
            if method in _METHODS:
                if "operationId" not in operation:
                    raise ValueError(f"openapi: {method.upper()} {path} has no operationId. Give it one, and keep it.")
                found.append(operation["operationId"])
    names = Counter(map(operation_name, found))
    if twice := [each for each in found if names[operation_name(each)] > 1]:
        raise ValueError(f"openapi: the operationId {twice[0]!r} is given twice. Make it unique, whatever its case.")
    if not found:
        raise ValueError("openapi: the document has no operations. Hand in the parsed OpenAPI document.")
    return found
