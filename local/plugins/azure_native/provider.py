"""The azure-native stand-in: Check, Diff, Create, Read, Update and Delete of a resource, and functions."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2 as rpc

from local.azure.arm.types import Type, by_token
from local.plugins import diffs
from local.plugins.azure_native import mapping
from local.plugins.azure_native.defaults import BOOKKEEPING, RANDOMLY_NAMED, Defaults
from local.plugins.azure_native.endpoint import Endpoint
from local.plugins.azure_native.functions import Functions
from local.plugins.azure_native.operations import Operations, Unfinished
from local.plugins.azure_native.settings import Settings, read
from local.plugins.naming import urn_type
from local.plugins.provider import PartlyDone, Provider, ProviderError, answered
from local.plugins.values import UNKNOWN, decode, encode, has_unknown, keep_secret, plain

_log = logging.getLogger(__name__)
FORETELL = "TRIBUTARY_FORETELL_IDS"
"""In the environment of an engine that plans: previews answer with the ids and names that resources will have."""
_ASKED_FOR_CREDENTIALS = {
    "azure-native:containerservice:ManagedCluster",
    "azure-native:notificationhubs:NotificationHubAuthorizationRule",
}
"""Their names are not foretold: a program would ask for the credentials of what is not there yet."""
_REPLACED_ANYWAY = {"PropertyChangeNotAllowed", "InvalidResourceLocation"}


class AzureNative(Provider):
    """One configured provider: an endpoint, a service principal, a subscription."""

    name = "azure-native"
    version = "3.29.0"

    def __init__(self) -> None:
        super().__init__()
        self._settings: Settings | None = None
        self._operations: Operations | None = None
        self._defaults = Defaults(None, UNKNOWN, None)
        self._configured = False
        self._foretells = bool(os.environ.get(FORETELL))

    def configure(self, config: dict[str, Any]) -> None:
        """Take the configuration; nothing is sent yet. Raises ProviderError."""
        self._settings = read(config)
        self._configured = True
        if self._settings:
            self._operations = Operations(Endpoint(self._settings, cancelled=self.cancelled), self.cancelled)
            self._defaults = Defaults(self._operations, self._settings.subscription_id, self._settings.location)

    @property
    def _subscription(self) -> str:
        return self._settings.subscription_id if self._settings else UNKNOWN

    @property
    def _arm(self) -> Operations:
        if self._operations is None:
            raise ProviderError("The azure-native provider's configuration is known only after deployment.")
        return self._operations

    @answered
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Fill in defaults and let the endpoint judge the request that would be sent."""
        kind = type_of(request.urn)
        given, olds = decode(request.news), plain(decode(request.olds))
        news = plain(given)
        added = self._defaults.filled(kind, request, olds, news)
        inputs = {key: value for key, value in given.items() if value is not None} | added
        failures = self._judged(kind, plain(inputs), known_before=bool(olds))
        return rpc.CheckResponse(inputs=encode(inputs), failures=failures)

    def _judged(self, kind: Type, inputs: dict[str, Any], *, known_before: bool) -> list[rpc.CheckFailure]:
        missing = [each for each in kind.parameters if inputs.get(each) is None]
        if missing:
            return [rpc.CheckFailure(property=p, reason=f"missing required property '{p}'") for p in missing]
        if self._operations is None:
            return []
        identity, body = mapping.to_arm(kind, inputs, self._subscription)
        error = self._operations.dry_run(kind, identity, body)
        if error is None or (known_before and error.get("code") in _REPLACED_ANYWAY):
            return []
        details = [each for each in error.get("details") or [] if isinstance(each, dict)] or [error]
        return [_failure(kind, each) for each in details]

    @answered
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Compare what the program said before and says now."""
        kind = type_of(request.urn)
        old, new = plain(decode(request.old_inputs)), plain(decode(request.news))
        state = plain(decode(request.olds))
        delete_first = not old.get(RANDOMLY_NAMED)
        old, new = ({k: v for k, v in each.items() if k not in BOOKKEEPING} for each in (old, new))
        found = dict(diffs.changes(old, new, mapping.same))
        replaces = [
            each
            for each in kind.replaces(old, new)
            if not (_at(old, each) is None and _at(state, each) == _at(new, each))
        ]
        return diffs.response(found, replaces, delete_first=delete_first)

    @answered
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Bring a resource about that is not there yet."""
        kind = type_of(request.urn)
        given = decode(request.properties)
        inputs = plain(given)
        identity, body = mapping.to_arm(kind, inputs, self._subscription)
        if request.preview:
            expected = mapping.preview(kind, inputs)
            if not self._foretells or UNKNOWN in identity:
                return rpc.CreateResponse(properties=encode(keep_secret(expected, given)))
            if kind.token not in _ASKED_FOR_CREDENTIALS:
                expected |= {"name": identity.rsplit("/", 1)[1]}
            return rpc.CreateResponse(id=identity, properties=encode(keep_secret(expected, given)))
        if not _singleton(kind) and self._arm.get(kind, identity) is not None:
            raise ProviderError(
                f"cannot create already existing resource '{identity}'. If an interrupted update made it, "
                "`make recover STACK=…` takes it into the state; otherwise import it or choose another name."
            )
        found = self._written(kind, identity, body, given, request.timeout)
        state = keep_secret(mapping.outputs(kind, identity, found), given)
        return rpc.CreateResponse(id=str(found.get("id") or identity), properties=encode(state))

    @answered
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Write the new inputs over the resource."""
        kind = type_of(request.urn)
        given, state = decode(request.news), decode(request.olds)
        inputs = plain(given)
        if request.preview:
            expected = mapping.preview(kind, inputs)
            expected |= {key: state[key] for key in ("name", "location") if key in state}
            return rpc.UpdateResponse(properties=encode(keep_secret(expected, given)))
        _, body = mapping.to_arm(kind, inputs, self._subscription)
        found = self._written(kind, request.id, body, given, request.timeout)
        return rpc.UpdateResponse(
            properties=encode(keep_secret(mapping.outputs(kind, request.id, found), given)),
        )

    def _written(
        self, kind: Type, identity: str, body: dict[str, Any], given: dict[str, Any], seconds: float
    ) -> dict[str, Any]:
        if has_unknown([identity, body]):
            raise ProviderError(f"{identity} would be written with a value that is not known; please report this.")
        try:
            return self._arm.put(kind, identity, body, seconds)
        except Unfinished as error:
            found = self._arm.get(kind, identity)
            if found is None:
                raise
            state = keep_secret(mapping.outputs(kind, identity, found), given)
            raise PartlyDone(str(found.get("id") or identity), given, state, str(error)) from error

    @answered
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The resource as it is: for refresh (inputs known) and for import (not)."""
        kind = type_of(request.urn)
        try:
            kind.parse_id(request.id)
        except ValueError as error:
            raise ProviderError(f"{error} Import needs the resource's whole id.") from None
        found = self._arm.get(kind, request.id)
        if found is None:
            return rpc.ReadResponse()
        state = mapping.outputs(kind, request.id, found)
        given = decode(request.inputs)
        if given:
            before, after = (
                mapping.without_children(mapping.writable(kind, each), request.id, given)
                for each in (plain(decode(request.properties)), plain(state))
            )
            inputs = diffs.carry_over(given, before, after)
        else:
            inputs = kind.inputs_of(request.id, found) | {"azureApiVersion": kind.version}
        return rpc.ReadResponse(
            id=str(found.get("id") or request.id),
            properties=encode(keep_secret(state, given)),
            inputs=encode(inputs),
        )

    @answered
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Take the resource down."""
        kind = type_of(request.urn)
        self._arm.delete(kind, request.id, request.timeout)
        return empty_pb2.Empty()

    @answered
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run a function: a GET of a resource, or one of its actions."""
        arguments = plain(decode(request.args))
        answer = Functions(self._arm).call(request.tok, arguments)
        return rpc.InvokeResponse(**{"return": encode(answer)})  # type: ignore[call-arg]  # a keyword


def type_of(urn: str) -> Type:
    """The type of a resource. Raises ProviderError for one that the table lacks."""
    token = urn_type(urn)
    found = by_token(token)
    if found is None:
        raise ProviderError(
            f"The stand-in for azure-native does not know the type {token}: the embedded Azure's table of types has no "
            "line for it. Add one (local/azure/arm/generate_types.py), or use the official plugin and a subscription."
        )
    return found


def _singleton(kind: Type) -> bool:
    """Whether Azure makes the resource with its parent, so that a program only ever configures it."""
    parameter = kind.name_parameter
    return parameter is None or len(kind.names.get(parameter, {}).get("enum", ())) == 1


def _failure(kind: Type, detail: Mapping[str, Any]) -> rpc.CheckFailure:
    target = str(detail.get("target") or "")
    path = mapping.sdk_path(kind, target) if target and not target.startswith("/") else ""
    reason = str(detail.get("message") or detail.get("code"))
    if path and path != target:
        reason = reason.replace(f"'{target}'", f"'{path}'")
    return rpc.CheckFailure(property=path, reason=reason)


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value
