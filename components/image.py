"""Image: a service's image in the registry, built from its sources where the program runs.

Leaves out: base images and other builders; deleting. An image that is not wanted any more stays in the registry, so
that a cluster can go back to it, until the registry's retention or its deletion takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi import dynamic

from components.image_layer import build


@dataclass(frozen=True, kw_only=True)
class ImageArgs:
    """What an image needs to know.

    registry: login server, host and port. repository: e.g. "consent".
    root: folder of the sources. sources: files and folders in it, by relative path. entrypoint: program and arguments.
    environment: variables that the image itself sets.
    """

    registry: pulumi.Input[str]
    repository: str
    root: Path
    sources: Sequence[str]
    entrypoint: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class _LayerBuilder(dynamic.ResourceProvider):
    """Pushes config, layer and manifest; runs in a process of its own, with the deployer's sign-in."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        outputs = _push(props)
        return dynamic.CreateResult(f"{props['registry']}/{props['repository']}", outputs)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        moved = [each for each in ("registry", "repository") if _olds.get(each) != _news.get(each)]
        changed = bool(moved) or _olds.get("fingerprint") != _news.get("fingerprint")
        return dynamic.DiffResult(changes=changed, replaces=moved)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(_push(_news))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        from components.registry_client import RegistryClient

        with RegistryClient(props["registry"], props["repository"]) as client:
            return dynamic.ReadResult(id_ if client.has(props["digest"]) else "", props)


def _push(props: dict[str, Any]) -> dict[str, Any]:
    # Imported here, as only this process needs it: the program that declares the image does not sign in.
    from components.registry_client import RegistryClient

    image = build(Path(props["root"]), props["sources"], props["entrypoint"], props["environment"])
    if image.fingerprint != props["fingerprint"]:
        raise RuntimeError(f"The sources of {props['repository']} changed during the deployment. Run it again.")
    with RegistryClient(props["registry"], props["repository"]) as client:
        digest = client.push(image)
    reference = f"{props['registry']}/{props['repository']}@{digest}"
    given = {name: value for name, value in props.items() if name != "__provider"}
    return {**given, "digest": digest, "reference": reference}


class Image(dynamic.Resource, module="tributary", name="Image"):
    """An image, pushed when its content changed."""

    digest: pulumi.Output[str]
    """Digest of its manifest, "sha256:…"."""
    reference: pulumi.Output[str]
    """What a container spec names: registry/repository@digest."""

    def __init__(self, name: str, args: ImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self.content = build(args.root, args.sources, args.entrypoint, args.environment).fingerprint
        """Fingerprint of the content, known before anything is pushed."""
        super().__init__(
            _LayerBuilder(),
            name,
            {
                "registry": args.registry,
                "repository": args.repository,
                "root": str(args.root),
                "sources": list(args.sources),
                "entrypoint": list(args.entrypoint),
                "environment": dict(args.environment),
                "fingerprint": self.content,
                "digest": None,
                "reference": None,
            },
            opts,
        )
