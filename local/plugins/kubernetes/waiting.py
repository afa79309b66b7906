"""Waiting for an object: until it is ready, or until it is gone; ended by a timeout or by the user."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from local.plugins.kubernetes.cluster import Cluster, Kind, Object
from local.plugins.kubernetes.readiness import NeverReady, check_of, reasons
from local.plugins.provider import ProviderError

_TEN_MINUTES = 600.0  # the official provider's default
_SKIP, _TIMEOUT, _WAIT_FOR = "pulumi.com/skipAwait", "pulumi.com/timeoutSeconds", "pulumi.com/waitFor"
_PROPAGATION = "pulumi.com/deletionPropagationPolicy"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
_ASK_WHY = 3.0  # seconds between questions to the pods why it takes long


class NotReady(Exception):
    """The object is there, but did not become ready. live: how it was last seen."""

    def __init__(self, live: Object, reason: str) -> None:
        super().__init__(reason)
        self.live = live


class Waiting:
    """Waits on one cluster. tell: shows a passing status. cancelled: set when the user gives up."""

    def __init__(self, cluster: Cluster, cancelled: threading.Event, tell: Callable[[str], None]) -> None:
        self._cluster, self._cancelled, self._tell = cluster, cancelled, tell

    def ready(self, kind: Kind, applied: Object, seconds: float) -> Object:
        """The object when it is ready. Raises NotReady."""
        check = check_of(kind.api_version, kind.kind)
        if check is None or annotation(applied, _SKIP) == "true":
            return applied
        deadline = time.monotonic() + _seconds(applied, seconds)
        metadata, pause, told, live = applied["metadata"], _FIRST_PAUSE, "", applied
        missing, why, asked = "", [], time.monotonic()
        while True:
            try:
                live = self._cluster.get(kind, metadata.get("namespace"), metadata["name"]) or {}
                if not live:
                    raise NotReady(applied, "it was deleted while we waited for it")
                missing = check(self._cluster, live)
            except NeverReady as error:
                raise NotReady(live, self._explained(live, str(error))) from None
            if not missing:
                return live
            if time.monotonic() - asked > _ASK_WHY:
                why, asked = self._why(live)[:1], time.monotonic()
            status = "; ".join([missing, *why])
            if status != told:
                self._tell(status)
                told = status
            if time.monotonic() + pause > deadline:
                raise NotReady(live, self._explained(live, f"not ready within the timeout: {missing}"))
            if self._cancelled.wait(pause):
                raise NotReady(live, f"not waited for, the update was cancelled: {missing}")
            pause = min(pause * 1.3, _LONGEST_PAUSE)

    def gone(self, kind: Kind, namespace: str | None, name: str, state: Object, seconds: float) -> None:
        """Delete an object and return when it is gone. Raises ProviderError."""
        propagation = annotation(state, _PROPAGATION) or "Foreground"
        found = self._cluster.get(kind, namespace, name)
        if found is None:
            return
        uid = (state.get("metadata") or {}).get("uid")
        if uid and found["metadata"].get("uid") != uid:
            return  # ours is gone; what has its name now is another's
        if self._cluster.delete(kind, namespace, name, propagation.capitalize(), uid) is None:
            return
        if annotation(state, _SKIP) == "true":
            return
        deadline, pause = time.monotonic() + _seconds(state, seconds), _FIRST_PAUSE
        while True:
            now = self._cluster.get(kind, namespace, name)
            if now is None or now["metadata"].get("uid") != found["metadata"].get("uid"):
                return
            holders = ", ".join(now["metadata"].get("finalizers") or [])
            what = f"{kind.kind} {name} is still being deleted" + (f" (finalizers: {holders})" if holders else "")
            if time.monotonic() + pause > deadline:
                raise ProviderError(f"{what} after the timeout; see `kubectl describe`.")
            if self._cancelled.wait(pause):
                raise ProviderError(f"{what}; the update was cancelled.")
            pause = min(pause * 1.3, _LONGEST_PAUSE)

    def _explained(self, live: Object, reason: str) -> str:
        return "\n".join([reason, *(f"  - {each}" for each in self._why(live))])

    def _why(self, live: Object) -> list[str]:
        try:
            return reasons(self._cluster, live)
        except ProviderError:  # the reasons are an extra: without them the failure still stands
            return []


def annotation(value: Mapping[str, Any], name: str) -> str | None:
    """An annotation of an object."""
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return annotations.get(name) if isinstance(annotations, Mapping) else None


def refuse_custom_conditions(inputs: Mapping[str, Any]) -> None:
    """Raises ProviderError for a readiness condition of the user's own, which only the official provider knows."""
    if annotation(inputs, _WAIT_FOR):
        raise ProviderError(
            f"The stand-in for kubernetes does not know the annotation {_WAIT_FOR}; "
            "remove it, or use the official plugin."
        )
    value = annotation(inputs, _TIMEOUT)
    if value is not None and not str(value).isdigit() and value != "<unknown>":
        raise ProviderError(f"The annotation {_TIMEOUT} is {value!r}; allowed are whole seconds, e.g. '300'.")


def _seconds(value: Mapping[str, Any], asked: float) -> float:
    return asked or float(annotation(value, _TIMEOUT) or _TEN_MINUTES)
