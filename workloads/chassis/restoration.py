"""Restoration: holds a service back until its database has every erasure there was, for it may be a restored backup.

Every service remembers in its own database which erasures it has applied (``erasure.py``), and the privacy service
knows which there were. What the database lacks is applied anew before the first request, event or task is let in. Where
connections were cut while the service runs, another database may have been put in its place: it is asked for again.
"""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from workloads.chassis import erasure, problems
from workloads.chassis.calls import ServiceClient
from workloads.chassis.events.consumer import Handler, Handling
from workloads.chassis.events.envelope import Event
from workloads.chassis.problems import Problem

PATH = "/due-erasures"
"""Where the privacy service lists erasures to a service, the latest first."""
_LONGEST_PAUSE = 10.0
_OPEN_PATHS = ("/healthz/", "/openapi.json")
"""What is answered while everything else is held back: no data of anybody."""
_log = structlog.get_logger(__name__)


def held_back() -> Problem:
    """The refusal of everything until then."""
    detail = "Erasures are applied to this service's database first; try again soon."
    return Problem(503, "erasures-pending", detail, headers={"Retry-After": "5"})


def _end_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


class Restoration:
    """Applies what the database lacks, then lets the service begin.

    erase: the service's handler of ``erasure.requested``. app: the application's state. privacy: the service that
    lists erasures. restart: ends the process, whose caches are of another database; Kubernetes starts it anew.
    """

    def __init__(
        self, erase: Handler, privacy: ServiceClient, app: Any, restart: Callable[[], None] = _end_process
    ) -> None:
        self._erase, self._privacy, self._app, self.restart = erase, privacy, app, restart
        self._stopping, self._suspected = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self.pending = True

    def start(self, begin: Sequence[Callable[[], None]]) -> None:
        """Look, in a thread of its own. begin: what must not run before the database has every erasure."""
        self._app.database.on_cut(self._suspected.set)
        self._thread = threading.Thread(target=self._run, args=(begin,), name="restoration", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stopping.set()
        self._suspected.set()
        if self._thread:
            self._thread.join(10)
        self._privacy.close()

    def _run(self, begin: Sequence[Callable[[], None]]) -> None:
        if not self._patiently(self._apply):
            return
        self.pending = False
        for each in begin:
            each()
        while self._suspected.wait() and not self._stopping.is_set():
            self._suspected.clear()
            self._patiently(self._look_again)

    def _patiently(self, do: Callable[[], None]) -> bool:
        """Try until it is done, or the service ends; whether it was done."""
        pause = 0.05
        while not self._stopping.is_set():
            try:
                do()
            except Exception as error:  # whatever it is: nobody is let in on a guess
                _log.warning("erasures can't be looked up yet", error=type(error).__name__)
                self._stopping.wait(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
            else:
                return True
        return False

    def _apply(self) -> None:
        for due in self._lacking():
            about = {"erasure_id": due["id"], "round": due["round"]}
            event = Event.new("privacy", erasure.REQUESTED, uuid.UUID(due["subject"]), about)
            self._erase(Handling(event, self._app.database, self._app))
            _log.info("an erasure is applied again", erasure_id=due["id"])

    def _look_again(self) -> None:
        # One that is under way, this service has not answered yet: its event comes, and it proves nothing.
        if any(each["answered"] for each in self._lacking()):
            _log.warning("the database is older than the erasures there were: starting anew")
            self.pending = True
            self.restart()

    def _lacking(self) -> Iterator[dict[str, Any]]:
        """Erasures that the database does not know of. A page that it knows whole ends the search: it knew all before.

        Raises Problem and SQLAlchemy's errors.
        """
        before: str | None = None
        while True:
            params = {"before": before} if before else {}
            page = self._privacy.call("GET", PATH, self._app.acting.itself(), params=params)
            ids = {uuid.UUID(each["id"]) for each in page["erasures"]}
            with self._app.database.session() as session:
                known = erasure.applied(session, ids)
            yield from (each for each in page["erasures"] if uuid.UUID(each["id"]) not in known)
            answered = {uuid.UUID(each["id"]) for each in page["erasures"] if each["answered"]}
            before = page["before"]
            if before is None or (answered and answered <= known):
                return


class HeldBack:
    """Middleware: answers 503 for a service whose database may lack erasures."""

    def __init__(self, app: ASGIApp, restoration: Restoration) -> None:
        self._app, self._restoration = app, restoration

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3: a request, or another kind of connection, which is let through."""
        refused = scope["type"] == "http" and self._restoration.pending
        if refused and not scope["path"].startswith(_OPEN_PATHS):
            await problems.answer(held_back())(scope, receive, send)
            return
        await self._app(scope, receive, send)
