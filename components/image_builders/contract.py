"""What every image builder promises, and what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from components.registry_client import RegistryClient


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What an image is made of.

    root: folder of the sources. sources: files and folders in it, by relative path.
    options: what one builder alone is told, as JSON values; its own module says which.
    """

    root: Path
    sources: Sequence[str]
    options: Mapping[str, Any]


class Builder(Protocol):
    """One way to an image. Both functions see the same recipe, one while the program runs, one while it is deployed."""

    def fingerprint(self, recipe: Recipe) -> str:
        """Hash of all that decides the image's content, 64 hexadecimal digits; the same on every machine.

        Its first 16 are the image's tag. Raises ValueError or OSError for a recipe that can't be built.
        """
        ...

    def push(self, recipe: Recipe, client: RegistryClient, tag: str) -> str:
        """Puts the image into the client's repository under the tag; answers the manifest's digest.

        Called only when the repository has no such tag. Raises RuntimeError when it can't be done.
        """
        ...
