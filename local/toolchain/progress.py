"""What a person sees while waiting: a line a step, with the time it has taken. Plain text, so that a log reads well."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

QUIET_SECONDS = 2.0
"""A step that ends sooner says nothing."""
REMINDER_SECONDS = 15.0


class Progress:
    """Steps under way, possibly several at once.

    start: time.time() at which the whole command began; elapsed times at the left are counted from it.
    quiet: print nothing but what `say` is given.
    """

    def __init__(self, start: float | None = None, *, quiet: bool = False) -> None:
        self.start, self.quiet = start if start is not None else time.time(), quiet
        self.timings: list[tuple[str, float]] = []
        self._running: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ticker: threading.Thread | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the command began."""
        return time.time() - self.start

    def say(self, text: str) -> None:
        """One line, with the elapsed time before it."""
        sys.stderr.write(f"{self.elapsed:7.1f} s  {text}\n")
        sys.stderr.flush()

    @contextmanager
    def step(self, name: str, *, of_several: bool = False) -> Iterator[None]:
        """Something that takes time: announced once it has taken two seconds, repeated now and then, and its end.

        of_several: it consists of steps that speak for themselves; only its time is kept.
        """
        began = time.monotonic()
        with self._lock:
            if not of_several:
                self._running[name] = (began, began + QUIET_SECONDS)
            if self._ticker is None and not self.quiet:
                self._ticker = threading.Thread(target=self._tick, daemon=True)
                self._ticker.start()
        outcome = "failed"
        try:
            yield
            outcome = "done"
        finally:
            took = time.monotonic() - began
            with self._lock:
                self._running.pop(name, None)
                self.timings.append((name, took))
            if took >= QUIET_SECONDS and not self.quiet and not of_several:
                self.say(f"{name}: {outcome} in {took:.1f} s")

    def _tick(self) -> None:
        while not self._wake.wait(0.5):
            now = time.monotonic()
            with self._lock:
                due = [(name, began) for name, (began, at) in self._running.items() if now >= at]
                for name, began in due:
                    self._running[name] = (began, now + REMINDER_SECONDS)
            if due:
                self.say("; ".join(f"{name} … {now - began:.0f} s" for name, began in due))
