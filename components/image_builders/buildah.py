"""Builder ``buildah``: builds a Dockerfile without a daemon, and without rights that a container may not have.

Options: those of ``dockerfile``. Command line: github.com/containers/buildah, docs/buildah-build.1.md.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from components.image_builders.contract import Recipe
from components.image_builders.dockerfile import build_arguments, fingerprint, run, workplace

if TYPE_CHECKING:
    from components.registry_client import RegistryClient

__all__ = ["fingerprint", "push"]
_TO_DO = "Install buildah, or set images.builder to docker or digests."
_ENVIRONMENT = {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
"""Neither overlay mounts nor namespaces are needed so, and it runs in a build agent's container; slower, and larger."""


def push(recipe: Recipe, client: RegistryClient, tag: str) -> str:
    """Builds, pushes, and asks the registry for the digest."""
    name = f"{client.server}/{client.repository}:{tag}"
    environment = {**_ENVIRONMENT, **os.environ}
    with workplace(recipe, client) as place:
        login = f"--authfile={place.login / 'config.json'}"
        run(
            ["buildah", "bud", login, *build_arguments(recipe), f"--tag={name}", "."],
            place.context,
            environment,
            _TO_DO,
        )
        run(["buildah", "push", login, "--quiet", name, f"docker://{name}"], place.context, environment, _TO_DO)
        run(["buildah", "rmi", name], place.context, environment, _TO_DO)
    return client.digest_under(tag)
