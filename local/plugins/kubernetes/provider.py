"""The kubernetes stand-in: Check, Diff, Create, Read, Update and Delete of an object by server-side apply."""

from __future__ import annotations

import time
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2 as rpc

from local.plugins import diffs
from local.plugins.kubernetes import objects, settings
from local.plugins.kubernetes.cluster import ApiRefused, Cluster, Kind, Object, UnknownKind, Unreachable
from local.plugins.kubernetes.immutable import fixed_fields, touched
from local.plugins.kubernetes.waiting import NotReady, Waiting, annotation, refuse_custom_conditions
from local.plugins.provider import PartlyDone, Provider, ProviderError, answered, is_unknown
from local.plugins.values import UNKNOWN, decode, encode, has_unknown, plain

_FORCE = "pulumi.com/patchForce"
_TRIES = 5
"""Times that a creation is tried whose namespace or definition may only be coming."""


class KubernetesProvider(Provider):
    """One configured provider: a cluster that may be known only after deployment."""

    name = "kubernetes"
    version = "4.34.2"

    def __init__(self) -> None:
        super().__init__()
        self._settings: settings.Settings | None = None
        self._cluster: Cluster | None = None

    def configure(self, config: dict[str, Any]) -> None:
        """Take the configuration; nothing is sent yet. Raises ProviderError."""
        self._settings = settings.read(config)
        self._cluster = Cluster(self._settings) if self._settings else None

    @answered
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Another cluster replaces the provider, and all objects with it; another kubeconfig does not."""
        old, new = (plain(decode(each)) for each in (request.old_inputs, request.news))
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        replaces = []
        if old.get("clusterIdentifier") and new.get("clusterIdentifier"):
            replaces = [key for key in changed if key == "clusterIdentifier" and not is_unknown(new[key])]
        elif changed:
            before, after = settings.server(old), settings.server(new)
            replaces = ["kubeconfig"] if before and after and before != after else []
        some = rpc.DiffResponse.DIFF_SOME if changed else rpc.DiffResponse.DIFF_NONE
        return rpc.DiffResponse(changes=some, diffs=changed, replaces=replaces)

    @property
    def _reached(self) -> Cluster:
        if self._cluster is None:
            raise ProviderError("The kubernetes provider's kubeconfig is known only after deployment.")
        return self._cluster

    def _kind(self, urn: str) -> Kind | None:
        """The kind, as far as the cluster is known and answers."""
        api_version, kind = objects.api_kind(urn)
        try:
            return self._cluster.kind(api_version, kind) if self._cluster else None
        except (Unreachable, UnknownKind):
            return None

    @answered
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Name the object and put it into a namespace."""
        api_version, kind = objects.api_kind(request.urn)
        given, olds = decode(request.news), plain(decode(request.olds))
        inputs = {key: value for key, value in given.items() if value is not None}
        for key, value in (("apiVersion", api_version), ("kind", kind)):
            if inputs.setdefault(key, value) != value:
                reason = f"{key} is {inputs[key]!r}; by the resource's type it is {value!r}"
                return rpc.CheckResponse(inputs=request.news, failures=[rpc.CheckFailure(property=key, reason=reason)])
        refuse_custom_conditions(plain(inputs))
        inputs = objects.named(inputs, olds, request)
        metadata = inputs.get("metadata", {})
        found = self._kind(request.urn)
        if self._settings and found and isinstance(metadata, dict):
            if found.namespaced and not metadata.get("namespace"):
                inputs = {**inputs, "metadata": {**metadata, "namespace": self._settings.namespace}}
            elif not found.namespaced and metadata.get("namespace"):
                reason = f"{kind} is no namespaced kind; leave the namespace out"
                failure = rpc.CheckFailure(property="metadata.namespace", reason=reason)
                return rpc.CheckResponse(inputs=request.news, failures=[failure])
        return rpc.CheckResponse(inputs=encode(objects.annotated(inputs, given)))

    @answered
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Compare what was said; ask the server whether it makes a difference, and whether it can be changed."""
        api_version, kind = objects.api_kind(request.urn)
        old, new = plain(decode(request.old_inputs)), plain(decode(request.news))
        found = dict(diffs.changes(_canonical(old), _canonical(new)))
        fixed = fixed_fields(api_version, kind, self._settings, immutable=bool(old.get("immutable")))
        replaces = touched(found, fixed)
        if found and not replaces and not has_unknown(new):
            try:
                applied = self._dry_run(request.urn, new, plain(decode(request.olds)))
            except ApiRefused as error:
                if not error.immutable:
                    raise
                replaces = touched(found, _fields(error)) or sorted(found)
            else:
                if applied is not None and self._unchanged(request.urn, request.id, applied):
                    found = {}
        metadata = new.get("metadata") or {}
        chosen = (metadata.get("annotations") or {}).get(objects.AUTONAMED) == "true"
        return diffs.response(found, replaces, delete_first=not chosen and _same_place(old, new))

    def _dry_run(self, urn: str, inputs: Object, state: Object) -> Object | None:
        """What the server would make of it; None where it can't be asked. Raises ApiRefused when it refuses."""
        kind = self._kind(urn)
        if kind is None or self._cluster is None:
            return None
        wanted = objects.wanted(inputs, kind.api_version, kind.kind)
        manager = state.get(objects.MANAGER) or objects.manager_of(urn)
        try:
            return self._cluster.apply(kind, wanted, manager, force=True, dry=True)
        except Unreachable:
            return None
        except ApiRefused as error:
            if error.status in (403, 404):  # not ours to preview, or its namespace is still to come
                return None
            raise

    def _unchanged(self, urn: str, resource_id: str, applied: Object) -> bool:
        kind = self._kind(urn)
        if kind is None or self._cluster is None:
            return False
        live = self._cluster.get(kind, *objects.parts(resource_id))
        return live is not None and objects.comparable(live) == objects.comparable(applied)

    @answered
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Apply an object that is not there yet, and wait until it is ready."""
        given = decode(request.properties)
        inputs = plain(given)
        if request.preview:
            if not has_unknown(inputs):
                self._dry_run(request.urn, inputs, {})
            shown = objects.annotated(objects.expected(inputs), given)
            return rpc.CreateResponse(properties=encode(shown))
        manager = objects.manager_of(request.urn)
        kind, live = self._created(request.urn, inputs, manager)
        live = self._ready(request, kind, live, given, manager)
        state = objects.state(given, live, manager)
        return rpc.CreateResponse(id=objects.identity(live), properties=encode(state))

    def _created(self, urn: str, inputs: Object, manager: str) -> tuple[Kind, Object]:
        cluster = self._reached
        for attempt in range(_TRIES):
            try:
                kind = cluster.kind(*objects.api_kind(urn))
                wanted = objects.wanted(inputs, kind.api_version, kind.kind)
                self._refuse_existing(kind, wanted, manager)
                return kind, cluster.apply(kind, wanted, manager, force=self._forced(inputs), dry=False)
            except (ApiRefused, UnknownKind) as error:
                coming = isinstance(error, UnknownKind) or error.status == 404
                if not coming or attempt == _TRIES - 1:
                    raise
                self.tell(urn, f"Retry #{attempt + 1}: {error}")
                if self.cancelled.wait(0.5 * 2**attempt):
                    raise
        raise AssertionError("the last try raises")

    def _refuse_existing(self, kind: Kind, wanted: Object, manager: str) -> None:
        metadata = wanted["metadata"]
        if self._settings is None or self._settings.upsert:
            return
        live = self._reached.get(kind, metadata.get("namespace"), metadata["name"])
        # One that this very resource has applied is ours: the answer to its creation was lost.
        if live is not None and not objects.managed_by(live, manager):
            raise ProviderError(
                f"{kind.kind} {objects.identity(wanted)} already exists in the cluster. Import it, choose another "
                "name, or set upsertExistingObjects on the provider."
            )

    def _forced(self, inputs: Object) -> bool:
        return annotation(inputs, _FORCE) == "true" or bool(self._settings and self._settings.patch_force)

    def _ready(self, request: Any, kind: Kind, applied: Object, given: Object, manager: str) -> Object:
        waiting = Waiting(self._reached, self.cancelled, lambda status: self.tell(request.urn, status))
        try:
            return waiting.ready(kind, applied, request.timeout)
        except NotReady as error:
            what = f"{kind.kind} {objects.identity(applied)} was applied, but: {error}"
            state = objects.state(given, error.live, manager)
            raise PartlyDone(objects.identity(applied), given, state, what) from error

    @answered
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Apply the new inputs, and wait until they are rolled out."""
        given, before = decode(request.news), plain(decode(request.olds))
        inputs = plain(given)
        if request.preview:
            applied = None if has_unknown(inputs) else self._dry_run(request.urn, inputs, before)
            shown = {**applied, "status": UNKNOWN} if applied else objects.expected(inputs, before)
            return rpc.UpdateResponse(properties=encode(objects.annotated(shown, given)))
        manager = before.get(objects.MANAGER) or objects.manager_of(request.urn)
        kind = self._reached.kind(*objects.api_kind(request.urn))
        wanted = objects.wanted(inputs, kind.api_version, kind.kind)
        live = self._reached.apply(kind, wanted, manager, force=self._forced(inputs), dry=False)
        live = self._ready(request, kind, live, given, manager)
        return rpc.UpdateResponse(properties=encode(objects.state(given, live, manager)))

    @answered
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The object as it is: for refresh (inputs known) and for import (not)."""
        given, before = decode(request.inputs), plain(decode(request.properties))
        try:
            kind = self._reached.kind(*objects.api_kind(request.urn))
        except UnknownKind:
            return rpc.ReadResponse()  # its definition is gone, and with it every object
        namespace, name = objects.parts(request.id)
        if kind.namespaced and namespace is None:
            namespace = self._settings.namespace if self._settings else None
        live = self._reached.get(kind, namespace, name)
        if live is None:
            return rpc.ReadResponse()
        live = {"apiVersion": kind.api_version, "kind": kind.kind, **live}
        manager = before.get(objects.MANAGER) or objects.manager_of(request.urn)
        inputs = objects.refreshed(live, plain(given)) if given else objects.imported(live)
        inputs = objects.annotated(inputs, given)
        return rpc.ReadResponse(
            id=objects.identity(live),
            properties=encode(objects.state(inputs, live, manager)),
            inputs=encode(inputs),
        )

    @answered
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Delete the object and what it owns, and wait until it is gone."""
        state = plain(decode(request.properties))
        try:
            kind = self._reached.kind(*objects.api_kind(request.urn))
        except UnknownKind:
            return empty_pb2.Empty()
        started = time.monotonic()
        waiting = Waiting(self._reached, self.cancelled, lambda status: self.tell(request.urn, status))
        waiting.gone(kind, *objects.parts(request.id), state, max(request.timeout - (time.monotonic() - started), 0))
        return empty_pb2.Empty()

    @answered
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Refused: the functions render YAML, Helm charts and kustomizations."""
        raise ProviderError(
            f"The stand-in for kubernetes does not know the function {request.tok}. Declare the objects one by one."
        )


def _canonical(inputs: Object) -> Object:
    metadata = inputs.get("metadata")
    if not isinstance(metadata, dict):
        return inputs
    return {**inputs, "metadata": {**metadata, "namespace": metadata.get("namespace") or "default"}}


def _same_place(old: Object, new: Object) -> bool:
    before, after = (_canonical(each).get("metadata") or {} for each in (old, new))
    return all(before.get(key) == after.get(key) for key in ("name", "namespace"))


def _fields(error: ApiRefused) -> list[str]:
    return [str(each.get("field")) for each in error.causes if each.get("field")]
