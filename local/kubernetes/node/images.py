"""Images: pulled once by digest, unpacked once, shared read-only by all containers that use them."""

from __future__ import annotations

import asyncio
import compileall
import io
import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.instance import Instance
from local.kubernetes.files import Files
from local.kubernetes.node.registry import PullError, Reference, Registry

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYERS = ("application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tar")
_UNKNOWN = ("Volumes", "Healthcheck", "Shell", "OnBuild")


@dataclass(frozen=True)
class Image:
    """An unpacked image.

    reference: as the pod named it. digest: of its manifest. root: folder that holds its files.
    """

    reference: str
    digest: str
    root: Path
    config: dict[str, Any]

    @property
    def id(self) -> str:
        """What a pod's status calls imageID."""
        parsed = Reference.parse(self.reference)
        return f"{parsed.host}/{parsed.repository}@{self.digest}"

    @property
    def folders(self) -> list[str]:
        """Top-level entries of the image, e.g. "app"."""
        return sorted(each.name for each in self.root.iterdir())


class Images:
    """The images of this node."""

    def __init__(self, instance: Instance) -> None:
        self.folder = Files.of(instance).images
        self.registry = Registry(instance)
        self.locks: dict[str, asyncio.Lock] = {}

    def present(self, reference: str) -> Image | None:
        """The image of a reference, if it was pulled before. Raises PullError for a malformed reference."""
        parsed = Reference.parse(reference)
        digest = parsed.digest or self._tags().get(reference)
        return self._load(reference, digest) if digest else None

    async def pull(self, reference: str) -> Image:
        """Fetch an image, or find that its digest is here already. Raises PullError."""
        parsed = Reference.parse(reference)
        async with self.locks.setdefault(reference, asyncio.Lock()):
            digest, manifest = await self.registry.manifest(parsed)
            image = self._load(reference, digest)
            if image is None:
                layers = manifest["layers"]
                self._refuse_unknown(reference, manifest)
                blobs = await self.registry.blobs(parsed, [each["digest"] for each in (manifest["config"], *layers)])
                await asyncio.to_thread(self._unpack, reference, digest, blobs)
                image = self._load(reference, digest)
            if parsed.digest is None:
                self._remember(reference, digest)
        if image is None:
            raise PullError("ErrImagePull", f"{reference}: nothing was unpacked.")
        return image

    def _refuse_unknown(self, reference: str, manifest: dict[str, Any]) -> None:
        kinds = [manifest["config"]["mediaType"], *(each["mediaType"] for each in manifest["layers"])]
        for kind, allowed in zip(kinds, [(_CONFIG,), *[_LAYERS] * (len(kinds) - 1)], strict=True):
            if kind not in allowed:
                raise PullError(
                    "ErrImagePull", f"{reference} has media type {kind!r}; run here: {' or '.join(allowed)}."
                )

    def _unpack(self, reference: str, digest: str, blobs: list[bytes]) -> None:
        document = json.loads(blobs[0])
        for key in _UNKNOWN:
            if document.get("config", {}).get(key):
                raise PullError("ErrImagePull", f"{reference}: its config has {key}, which is not supported here.")
        target = self._path(digest)
        scratch = target.with_name(target.name + ".new")
        shutil.rmtree(scratch, ignore_errors=True)
        root = scratch / "root"
        root.mkdir(parents=True)
        try:
            for layer in blobs[1:]:
                with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
                    for member in archive.getmembers():
                        _judge(reference, member)
                    # Python before 3.11.4 has no filters; what they are for is judged above.
                    filtered: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
                    archive.extractall(root, **filtered)  # noqa: S202
        except tarfile.TarError as problem:
            raise PullError("ErrImagePull", f"{reference}: a layer can't be unpacked: {problem}") from problem
        # The layer is read-only to its containers, so their interpreter could never keep its bytecode.
        compileall.compile_dir(root, quiet=2)
        (scratch / "config.json").write_text(json.dumps(document.get("config") or {}))
        shutil.rmtree(target, ignore_errors=True)
        scratch.rename(target)

    def _path(self, digest: str) -> Path:
        return self.folder / digest.replace(":", "-")

    def _load(self, reference: str, digest: str) -> Image | None:
        folder = self._path(digest)
        if not (folder / "config.json").exists():
            return None
        return Image(reference, digest, folder / "root", json.loads((folder / "config.json").read_text()))

    def _tags(self) -> dict[str, str]:
        path = self.folder / "tags.json"
        tags: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return tags

    def _remember(self, reference: str, digest: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        scratch = self.folder / "tags.json.new"
        scratch.write_text(json.dumps(self._tags() | {reference: digest}))
        scratch.replace(self.folder / "tags.json")


def _judge(reference: str, member: tarfile.TarInfo) -> None:
    """Raises PullError for an entry that is neither a file nor a folder nor a link, or that leads out of the image."""
    name = Path(member.name)
    if name.name.startswith(".wh."):
        raise PullError("ErrImagePull", f"{reference}: a layer deletes {name}; not supported here.")
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        raise PullError("ErrImagePull", f"{reference}: {name} is neither a file nor a folder nor a link.")
    target = Path(member.linkname) if member.islnk() else name.parent / member.linkname
    depth = lowest = 0
    for part in (target if member.issym() or member.islnk() else name).parts:
        depth += -1 if part == ".." else part not in (".", "")
        lowest = min(lowest, depth)
    if name.is_absolute() or ".." in name.parts or Path(member.linkname).is_absolute() or lowest < 0:
        raise PullError("ErrImagePull", f"{reference}: {name} leads out of the image.")
    member.mode &= 0o755
