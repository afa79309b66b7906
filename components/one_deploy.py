"""One deploy: hands a package to a Flex Consumption app, and waits until it runs there.

Requests: POST /api/publish and GET /api/deployments of the app's deployment site, with a token of Resource Manager,
as `az functionapp deployment source config-zip` sends them (Azure/azure-cli, appservice/custom.py,
enable_zip_deploy_flex).
The app takes the package to its storage itself, as its own identity and by its own network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import httpx

_PATIENCE = 1200.0
"""Seconds: rights of the app's identity take up to ten minutes to be known everywhere, a remote build some more."""
_SYNC_PATIENCE, _LOOK_PATIENCE = 300.0, 60.0
_VERSION = "2025-03-01"
_UPLOAD = 230.0
"""Seconds that Azure's front ends let one request take."""
_LOOKS_EVERY = 2.0
_LONGEST_PAUSE = 30.0
_BUSY = {408, 429, 500, 502, 503, 504}
_UNDER_WAY = {401, 403, 404}
"""Answers that rights and names give that are not known everywhere yet."""
_SUCCESS, _FAILED, _CONFLICT = 4, 3, 5
_RUNNING = {0, 1, 2}
"""States of a deployment (projectkudu/kudu, Kudu.Contracts/Deployment/DeployStatus.cs)."""
_NO_STORAGE = ("InaccessibleStorageException", "BlobUploadFailedException")
"""What the site says while its identity may not write to the packages' container yet."""
_ADVICE = {
    401: "Sign in anew (az login, or AZURE_CLIENT_ID and its companions)",
    403: "That needs Microsoft.Web/sites/publish/action at the app, which Website Contributor and Contributor have, "
    "and the way to it: a private app is reached from inside its network alone",
    404: "Is the app there, and its deployment site's name known in this network",
    409: "Another deployment of the app does not end: look at it in the portal",
}


_Answer = TypeVar("_Answer")


class DeploymentFailed(RuntimeError):
    """The code is not deployed; the message names the app's site, what was answered, and what to do."""


class _NotYet(Exception):
    """It may do a little later. status: what was answered; None where nothing was."""

    def __init__(self, said: str, status: int | None = None) -> None:
        super().__init__(said)
        self.status = status


@dataclass(frozen=True)
class Site:
    """An app's deployment site. http: a client that is signed in to Resource Manager. host: of the site."""

    http: httpx.Client
    host: str

    def publish(self, package: bytes, *, remote_build: bool) -> str:
        """Deploys a package, the same again if an answer is lost; id of its deployment. Raises DeploymentFailed."""
        try:
            return _patiently(lambda: self._deploy(package, remote_build=remote_build), _PATIENCE)
        except _NotYet as reason:
            advice = _ADVICE.get(reason.status or 0, "Run it again, and look at the app's log if it stays so")
            raise DeploymentFailed(
                f"The code of {self.host} is not deployed after {_PATIENCE:.0f} s: {reason}. {advice}."
            ) from None

    def sync_triggers(self, app: str) -> None:
        """Tells the platform which triggers an app has: it wakes the app for those alone. app: its resource id.

        The site does so itself after a deployment, and not always with effect (azure-functions-host#10169). Raises
        DeploymentFailed.
        """

        def sync() -> None:
            answer = self._managed("POST", f"{app}/syncfunctiontriggers")
            if not answer.is_success:
                raise _NotYet(f"it answered {answer.status_code}, {_shortened(answer.text)}", answer.status_code)

        try:
            _patiently(sync, _SYNC_PATIENCE)
        except _NotYet as reason:
            raise DeploymentFailed(
                f"The code of {self.host} is deployed, and its triggers are not known to the platform: {reason}. "
                "Restart the app, and run it again."
            ) from None

    def has_code(self, app: str) -> bool:
        """Whether there is an app with code. app: its resource id. Raises DeploymentFailed when nobody says."""

        def look() -> bool:
            return self._managed("GET", app).status_code != 404 and self._state("latest") is not None

        try:
            return _patiently(look, _LOOK_PATIENCE)
        except _NotYet as reason:
            raise DeploymentFailed(f"{self.host} does not say what is deployed there: {reason}.") from None

    def _managed(self, method: str, path: str) -> httpx.Response:
        """What Resource Manager answers. Raises _NotYet when it does not."""
        import httpx

        try:
            return self.http.request(method, path, params={"api-version": _VERSION}, timeout=_UPLOAD)
        except httpx.TransportError as error:
            raise _NotYet(f"Resource Manager can't be reached: {type(error).__name__}") from None

    def _deploy(self, package: bytes, *, remote_build: bool) -> str:
        answer = self._asked(
            "POST",
            "publish",
            params={"RemoteBuild": str(remote_build).lower(), "Deployer": "tributary"},
            content=package,
            headers={"Content-Type": "application/zip", "Cache-Control": "no-cache"},
            timeout=_UPLOAD,
        )
        if answer.status_code == 409:
            self._wait_for_another()
        if answer.status_code not in (200, 202):
            if any(each in answer.text for each in _NO_STORAGE):
                raise _NotYet("its identity may not write to the container of its packages")
            raise DeploymentFailed(
                f"{self.host} refuses the package: {answer.status_code}, {_shortened(answer.text)}. Is the app on Flex "
                "Consumption, and does its package have host.json at its top?"
            )
        deployment = answer.text.strip().strip('"')
        self._wait_for(deployment)
        return deployment

    def _wait_for_another(self) -> None:
        """Waits for the deployment that is under way. Raises _NotYet, whatever became of it: ours comes after it."""
        until = time.monotonic() + _PATIENCE
        while (state := self._state("latest")) and state.get("status") in _RUNNING and time.monotonic() < until:
            time.sleep(_LOOKS_EVERY)
        raise _NotYet("another deployment was under way", 409)

    def _wait_for(self, deployment: str) -> None:
        """Waits for the end of a deployment. Raises DeploymentFailed, or _NotYet where another try may do."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            try:
                state = self._state(deployment)
            except _NotYet:
                state = None  # the deployment goes on, whoever looks
            status = state.get("status") if state else 0
            if status == _SUCCESS:
                return
            if status == _CONFLICT:
                raise _NotYet("another deployment took its place", 409)
            if status not in _RUNNING:
                self._tell_failure(deployment, state or {})
            time.sleep(_LOOKS_EVERY)
        raise DeploymentFailed(f"The deployment {deployment} of {self.host} does not end within {_PATIENCE:.0f} s.")

    def _tell_failure(self, deployment: str, state: dict[str, Any]) -> None:
        said = f"{state.get('status_text') or ''} {state.get('message') or ''} {self._log(deployment)}"
        if any(each in said for each in _NO_STORAGE):
            raise _NotYet("its identity may not write to the container of its packages")
        raise DeploymentFailed(
            f"The deployment {deployment} of {self.host} ended with status {state.get('status')}: {_shortened(said)}. "
            f"All of its log: https://{self.host}/api/deployments/{deployment}/log"
        )

    def _log(self, deployment: str) -> str:
        try:
            answer = self._asked("GET", f"deployments/{deployment}/log")
            return " ".join(str(each.get("message", "")) for each in answer.json())
        except (_NotYet, ValueError, AttributeError, TypeError):
            return ""

    def _state(self, deployment: str) -> dict[str, Any] | None:
        """What is known of a deployment; None where there is none. Raises _NotYet."""
        answer = self._asked("GET", f"deployments/{deployment}", missing=True)
        if answer.status_code == 404:
            return None
        try:
            return answer.json() or None  # a site that has just started answers with nothing
        except ValueError:
            raise _NotYet(f"{self.host} does not answer with JSON", answer.status_code) from None

    def _asked(self, method: str, path: str, *, missing: bool = False, **options: Any) -> httpx.Response:
        """What the site answers. Raises _NotYet for what may pass by itself."""
        import httpx

        try:
            answer = self.http.request(method, f"https://{self.host}/api/{path}", **options)
        except httpx.TransportError as error:
            raise _NotYet(f"{self.host} can't be reached: {type(error).__name__}") from None
        gone = answer.status_code == 404 and missing
        if answer.status_code in _BUSY or (answer.status_code in _UNDER_WAY and not gone):
            raise _NotYet(f"{method} /api/{path} was answered {answer.status_code}", answer.status_code)
        return answer


def _patiently(attempt: Callable[[], _Answer], patience: float) -> _Answer:
    """Tries again while it may do a little later. Raises _NotYet when so many seconds are over."""
    pause, until = 1.0, time.monotonic() + patience
    while True:
        try:
            return attempt()
        except _NotYet:
            if time.monotonic() + pause > until:
                raise
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _shortened(text: str) -> str:
    told = " ".join(text.split())
    return told if len(told) <= 600 else f"…{told[-600:]}"
