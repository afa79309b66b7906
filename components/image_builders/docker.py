"""Builder ``docker``: builds a Dockerfile with Docker's own daemon and has it push.

Options: those of ``dockerfile``. Command line: docs.docker.com/reference/cli/docker.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from components.image_builders.contract import Recipe
from components.image_builders.dockerfile import build_arguments, fingerprint, run, workplace

if TYPE_CHECKING:
    from components.registry_client import RegistryClient

__all__ = ["fingerprint", "push"]
_TO_DO = "Install Docker, or set images.builder to buildah or digests."


def push(recipe: Recipe, client: RegistryClient, tag: str) -> str:
    """Builds, pushes, and asks the registry for the digest."""
    name = f"{client.server}/{client.repository}:{tag}"
    with workplace(recipe, client) as place:
        environment = {**os.environ, **_endpoint()}
        docker = ["docker", f"--config={place.login}"]
        run([*docker, "build", *build_arguments(recipe), f"--tag={name}", "."], place.context, environment, _TO_DO)
        run([*docker, "push", "--quiet", name], place.context, environment, _TO_DO)
    return client.digest_under(tag)


def _endpoint() -> dict[str, str]:
    """Where the person's daemon is: their current context lies in their configuration, which is not the one in use."""
    if os.environ.get("DOCKER_HOST"):
        return {}
    command = ["docker", "context", "inspect", "--format={{.Endpoints.docker.Host}}"]
    return {"DOCKER_HOST": run(command, Path.cwd(), dict(os.environ), _TO_DO).strip()}
