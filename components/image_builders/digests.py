"""Builder ``digests``: takes an image that was built elsewhere, by digest, and copies it over where it lies elsewhere.

Options: reference, "sha256:…" of the image's own repository, or "<registry>/<repository>@sha256:…".
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from components.image_builders.contract import Recipe

if TYPE_CHECKING:
    from components.registry_client import RegistryClient

_REFERENCE = re.compile(r"(?:(?P<server>[^/@]+)/(?P<repository>[^@]+)@)?(?P<digest>sha256:[0-9a-f]{64})")


def fingerprint(recipe: Recipe) -> str:
    """Hash of the digest: where the image comes from does not matter. Raises ValueError for what is no reference."""
    return hashlib.sha256(_parsed(recipe)["digest"].encode()).hexdigest()


def push(recipe: Recipe, client: RegistryClient, tag: str) -> str:
    """Copies the image, unless it is there, and tags it, so that it is not cleaned up.

    Raises RegistryError when it is nowhere.
    """
    # Imported here, as only a deployment signs in.
    from components.registry_client import RegistryClient, RegistryError

    source = _parsed(recipe)
    digest = source["digest"]
    if not client.has(digest):
        if source["server"] in (None, client.server) and source["repository"] in (None, client.repository):
            raise RegistryError(f"{client.server}/{client.repository} has no {digest}. Push it, or correct the digest.")
        with RegistryClient(source["server"], source["repository"]) as origin:
            client.copy(origin, digest)
    client.tag(digest, tag)
    return digest


def _parsed(recipe: Recipe) -> dict[str, str]:
    reference = recipe.options["reference"]
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError(
            f"{reference!r} is no image by digest; allowed is sha256:<64 hexadecimal digits>, "
            "or <registry>/<repository>@sha256:<64 hexadecimal digits>."
        )
    return found.groupdict()
