"""Restoration: holds a service back until its database has every erasure there was, for it may be a restored backup.

Every service remembers in its own database which erasures it has applied (``erasure.py``), and the privacy service
knows which there were. What the database lacks is applied anew before the first request, event or task is let in. Where
connections were cut while the service runs, another database may have been put in its place: it is asked for again.

A service that was merely restarted does not wait for a privacy service that is down: its database says of itself, by
what only a restoration changes, that it is the one that had every erasure shortly before. Those since come as events.
"""

from __future__ import annotations

import datetime
import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Receive, Scope, Send

from workloads.chassis import erasure, problems
from workloads.chassis.calls import ServiceClient
from workloads.chassis.events.consumer import Handler, Handling
from workloads.chassis.events.envelope import Event
from workloads.chassis.problems import Problem

PATH = "/due-erasures"
"""Where the privacy service lists erasures to a service, the latest first."""
TRUSTED = datetime.timedelta(hours=6)
"""How long a database that was looked at is known to have every erasure: a copy put into its place by hand is older."""
_LOOKS_EVERY = 1800.0
"""Seconds between two looks while nothing happens, so that a restart finds a fresh one."""
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
        self._looked = False
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
        if not self._patiently(self._apply, unless=self._restarted):
            return
        self.pending = False
        for each in begin:
            each()
        pause = _LOOKS_EVERY if self._looked else 0.0
        while (suspected := self._suspected.wait(pause)) or not self._stopping.is_set():
            self._suspected.clear()
            if suspected and not self._patiently(self._look_whether_restored):
                return
            self._patiently(self._look_again, unless=self._suspected.is_set)
            pause = _LOOKS_EVERY

    def _patiently(self, do: Callable[[], None], unless: Callable[[], bool] = lambda: False) -> bool:
        """Try until it is done, or need not be now, or the service ends; whether it may go on."""
        pause = 0.05
        while not self._stopping.is_set():
            try:
                do()
            except Exception as error:  # whatever it is: nobody is let in on a guess
                _log.warning("erasures can't be looked up yet", error=type(error).__name__)
                if unless():
                    return True
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
        self._checked()

    def _checked(self) -> None:
        with self._app.database.session() as session:
            erasure.checked(session)
        self._looked = True

    def _last_checked(self) -> datetime.timedelta | None:
        with self._app.database.session() as session:
            return erasure.last_checked(session)

    def _restarted(self) -> bool:
        """Whether the service was merely restarted: its database is the one that was looked at a short while ago."""
        try:
            ago = self._last_checked()
        except SQLAlchemyError:
            return False
        known = ago is not None and abs(ago) <= TRUSTED
        if known:
            _log.warning("the privacy service does not answer; this database had every erasure a short while ago")
        return known

    def _look_again(self) -> None:
        # One that is under way, this service has not answered yet: its event comes, and it proves nothing.
        if any(each["answered"] for each in self._lacking()):
            self._start_anew()
        else:
            self._checked()

    def _look_whether_restored(self) -> None:
        """Whoever answers: a database that never was looked at is another one."""
        if self._last_checked() is None:
            self._start_anew()

    def _start_anew(self) -> None:
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
