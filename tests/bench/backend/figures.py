"""A measured figure and the limit that was promised for it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A figure. limit: the most allowed; None: told only. load: the machine's, a minute's mean."""

    name: str
    value: float
    limit: float | None = None
    unit: str = "s"
    load: float = 0.0

    @classmethod
    def of(cls, name: str, value: float, limit: float | None = None, unit: str = "s") -> Figure:
        """Measured now."""
        return cls(name, value, limit, unit, os.getloadavg()[0])

    @property
    def is_kept(self) -> bool:
        """Whether the promise is."""
        return self.limit is None or self.value <= self.limit

    def line(self) -> str:
        """For people."""
        promised = "" if self.limit is None else f" of {self.limit:g} {self.unit}"
        return f"{self.name:<46} {self.value:9.3f} {self.unit}{promised}{'' if self.is_kept else '   MISSED'}"

    def document(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"kept": self.is_kept}


def told(figures: Iterable[Figure]) -> None:
    """Print them, and how busy the machine was: with others at work on it, times say little."""
    for each in figures:
        print(f"{each.line()}   (load {each.load:.1f})", flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed; infinite for none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("inf")
