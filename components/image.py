"""Image: a service's image in the registry, by one of the builders, under the hash of what it is made of.

Leaves out: deleting. An image that is not wanted any more stays in the registry, so that a cluster can go back to it,
until the registry's retention or its deletion takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pulumi
from pulumi import dynamic

from components.image_builders import buildah, digests, docker, layer
from components.image_builders.contract import Builder, Recipe

BuilderName = Literal["layer", "docker", "buildah", "digests"]
BUILDERS: Mapping[str, Builder] = {"layer": layer, "docker": docker, "buildah": buildah, "digests": digests}
_TAG = 16
"""Digits of the fingerprint in a tag."""


@dataclass(frozen=True, kw_only=True)
class LayerArgs:
    """Builder ``layer``: our own files alone. entrypoint: program and arguments. environment: set by the image."""

    entrypoint: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DockerfileArgs:
    """Builders ``docker`` and ``buildah``.

    program: which of the two. dockerfile: path below the root. context: further files that it copies.
    arguments: its ARGs by name.
    """

    program: Literal["docker", "buildah"]
    dockerfile: str
    context: Sequence[str] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DigestArgs:
    """Builder ``digests``: an image built elsewhere.

    reference: "sha256:…" in this image's repository, or "<registry>/<repository>@sha256:…", which is copied.
    """

    reference: str


@dataclass(frozen=True, kw_only=True)
class ImageArgs:
    """What an image needs to know.

    registry: login server, host and port. repository: e.g. "consent".
    root: folder of the sources. sources: files and folders in it, by relative path. build: by which builder.
    """

    registry: pulumi.Input[str]
    repository: str
    root: Path
    sources: Sequence[str]
    build: LayerArgs | DockerfileArgs | DigestArgs

    def builder(self) -> BuilderName:
        """Name of the builder."""
        match self.build:
            case LayerArgs():
                return "layer"
            case DockerfileArgs(program=program):
                return program
            case DigestArgs():
                return "digests"

    def recipe(self) -> Recipe:
        """What the builder is given."""
        options = {name: _plain(value) for name, value in vars(self.build).items() if name != "program"}
        return Recipe(root=self.root, sources=list(self.sources), options=options)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return dict(value) if isinstance(value, Mapping) else list(value)


class _ImageProvider(dynamic.ResourceProvider):
    """Has an image built and pushed where there is none; in a process of its own, with the deployer's sign-in."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        outputs = _provide(props)
        return dynamic.CreateResult(f"{props['registry']}/{props['repository']}", outputs)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        moved = [each for each in ("registry", "repository") if _olds.get(each) != _news.get(each)]
        changed = bool(moved) or _olds.get("fingerprint") != _news.get("fingerprint")
        return dynamic.DiffResult(changes=changed, replaces=moved)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(_provide(_news))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        from components.registry_client import RegistryClient

        with RegistryClient(props["registry"], props["repository"]) as client:
            return dynamic.ReadResult(id_ if client.has(props["digest"]) else "", props)


def _provide(props: dict[str, Any]) -> dict[str, Any]:
    # Imported here, as only this process needs it: the program that declares the image does not sign in.
    from components.registry_client import RegistryClient

    builder = BUILDERS[props["builder"]]
    recipe = Recipe(root=Path(props["root"]), sources=props["sources"], options=props["options"])
    fingerprint = builder.fingerprint(recipe)
    if fingerprint != props["fingerprint"]:
        raise RuntimeError(f"The sources of {props['repository']} changed during the deployment. Run it again.")
    tag = fingerprint[:_TAG]
    with RegistryClient(props["registry"], props["repository"]) as client:
        digest = client.digest_of(tag) or builder.push(recipe, client, tag)
    reference = f"{props['registry']}/{props['repository']}@{digest}"
    given = {name: value for name, value in props.items() if name != "__provider"}
    return {**given, "digest": digest, "reference": reference}


class Image(dynamic.Resource, module="tributary", name="Image"):
    """An image, built and pushed when its content changed and the registry has none of that content."""

    digest: pulumi.Output[str]
    """Digest of its manifest, "sha256:…"."""
    reference: pulumi.Output[str]
    """What a container spec names: registry/repository@digest."""

    def __init__(self, name: str, args: ImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        recipe, builder = args.recipe(), args.builder()
        self.content = BUILDERS[builder].fingerprint(recipe)
        """Fingerprint of the content, known before anything is pushed."""
        super().__init__(
            _ImageProvider(),
            name,
            {
                "registry": args.registry,
                "repository": args.repository,
                "builder": builder,
                "root": str(recipe.root),
                "sources": recipe.sources,
                "options": recipe.options,
                "fingerprint": self.content,
                "digest": None,
                "reference": None,
            },
            opts,
        )
