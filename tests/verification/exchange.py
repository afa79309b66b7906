"""Exchange: one request to Resource Manager and its answer, as they are kept in a recording."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Exchange:
    """path: without the query. sent, answered: JSON bodies, None where there is none."""

    method: str
    path: str
    query: dict[str, str]
    sent: Any
    status: int
    answered: Any

    @property
    def makes(self) -> bool:
        """Whether it makes or changes a resource."""
        return self.method in ("PUT", "PATCH")


def keep(exchanges: Iterable[Exchange], file: Path) -> None:
    """Writes a recording, a line an exchange, for its owner alone: bodies may hold secrets of the stack."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as lines:
        lines.writelines(json.dumps(dataclasses.asdict(each)) + "\n" for each in exchanges)


def kept(file: Path) -> Iterator[Exchange]:
    """Reads a recording. Raises ValueError for what is none."""
    for number, line in enumerate(file.read_text().splitlines(), 1):
        try:
            yield Exchange(**json.loads(line))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{file}, line {number}: no exchange of a recording: {error}.") from None
