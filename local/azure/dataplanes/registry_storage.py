"""What lies in the backend's storage, where its API can't say or do it: repositories, manifests, removal.

The layout is distribution's, stable since its version 2 (its ``registry/storage/paths.go``). A container registry's
repositories lie below a folder of its name. The functions block: call them in a thread.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Manifest:
    """A manifest of a repository. size: of it and what it refers to, in bytes. tags: those that point to it."""

    digest: str
    media_type: str
    size: int
    pushed: datetime
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Tag:
    """A tag. created, updated: when it was first and last pushed."""

    name: str
    digest: str
    created: datetime
    updated: datetime


class RegistryStorage:
    """The repositories of one container registry. root: the backend's root directory; registry: its name."""

    def __init__(self, root: Path, registry: str) -> None:
        self._version = root / "docker" / "registry" / "v2"
        self._home = self._version / "repositories" / registry.lower()

    def repositories(self) -> list[str]:
        """Names of those that hold a manifest, ordered."""
        found = (path for path in self._home.rglob("_manifests/revisions") if _links(path))
        return sorted(path.parents[1].relative_to(self._home).as_posix() for path in found)

    def exists(self, repository: str) -> bool:
        """Whether it holds a manifest."""
        return bool(_links(self._home / repository / "_manifests" / "revisions"))

    def times(self, repository: str) -> tuple[datetime, datetime]:
        """When the repository was made and when it last changed."""
        pushed = [_time(link) for link in _links(self._home / repository / "_manifests" / "revisions")]
        return min(pushed), max(pushed)

    def tags(self, repository: str) -> list[Tag]:
        """Its tags, ordered by name."""
        folder = self._home / repository / "_manifests" / "tags"
        found = []
        for current in sorted(folder.glob("*/current/link")):
            each = current.parents[1]
            first = min((_time(link) for link in _links(each / "index")), default=_time(current))
            found.append(Tag(each.name, current.read_text().strip(), first, _time(current)))
        return found

    def manifests(self, repository: str) -> list[Manifest]:
        """Its manifests, ordered by digest."""
        tags = self.tags(repository)
        found = []
        for link in _links(self._home / repository / "_manifests" / "revisions"):
            digest = link.read_text().strip()
            raw = self._blob(digest).read_bytes()
            body: dict[str, Any] = json.loads(raw)
            parts = [body.get("config") or {}, *(body.get("layers") or ()), *(body.get("manifests") or ())]
            size = len(raw) + sum(int(part.get("size", 0)) for part in parts)
            kind = str(body.get("mediaType") or "application/vnd.oci.image.manifest.v1+json")
            named = tuple(tag.name for tag in tags if tag.digest == digest)
            found.append(Manifest(digest, kind, size, _time(link), named))
        return sorted(found, key=lambda each: each.digest)

    def remove_tag(self, repository: str, tag: str) -> bool:
        """Remove a tag and leave its manifest. Says whether there was one."""
        folder = self._home / repository / "_manifests" / "tags" / tag
        if tag in ("", ".", "..") or not folder.is_dir():
            return False
        shutil.rmtree(folder)
        return True

    def remove_repository(self, repository: str) -> None:
        """Remove it with what no other repository refers to; those nested below its name stay."""
        for part in ("_manifests", "_layers", "_uploads"):
            shutil.rmtree(self._home / repository / part, ignore_errors=True)
        self._sweep()

    def remove(self) -> None:
        """Remove every repository with what no other registry refers to."""
        if self._home.exists():
            shutil.rmtree(self._home)
            self._sweep()

    def _sweep(self) -> None:
        """Remove blobs without a link from any repository. Nothing may be written meanwhile."""
        linked = set()
        for kind in ("_layers", "_manifests/revisions"):
            for folder in (self._version / "repositories").rglob(kind):
                linked.update(link.parent.name for link in _links(folder))
        for blob in (self._version / "blobs").glob("*/*/*"):
            if blob.name not in linked:
                shutil.rmtree(blob)

    def _blob(self, digest: str) -> Path:
        algorithm, _, value = digest.partition(":")
        return self._version / "blobs" / algorithm / value[:2] / value / "data"


def _links(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*/link"))  # <algorithm>/<digest>/link


def _time(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
