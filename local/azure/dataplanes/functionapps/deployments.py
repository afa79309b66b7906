"""Deployments: what became of each package that an app was given. Kept as JSON, written before an answer is sent."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

SUCCESS, FAILED = 4, 3
"""States of a deployment (projectkudu/kudu, Kudu.Contracts/Deployment/DeployStatus.cs)."""
_KEPT = 10


@dataclass(frozen=True)
class Deployment:
    """A deployment. status: SUCCESS or FAILED. message: of its log. deployer: who says to have started it."""

    id: str
    status: int
    message: str
    deployer: str


class Deployments:
    """Those of one app, the newest last. path: of its file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> list[Deployment]:
        """The last ten."""
        if not self._path.exists():
            return []
        return [Deployment(**each) for each in json.loads(self._path.read_text())]

    def get(self, name: str) -> Deployment | None:
        """One by its id, or the newest by the name "latest"."""
        kept = self.all()
        return next((each for each in reversed(kept) if name in ("latest", each.id)), None)

    def add(self, status: int, message: str, deployer: str) -> Deployment:
        """Keep another one."""
        made = Deployment(str(uuid.uuid4()), status, message, deployer)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch = self._path.with_suffix(".new")
        scratch.write_text(json.dumps([asdict(each) for each in [*self.all(), made][-_KEPT:]]))
        scratch.replace(self._path)
        return made

    def forget(self) -> None:
        """Forget all: the app is gone."""
        self._path.unlink(missing_ok=True)
