"""Image layer: an OCI image of one application layer, the same bytes for the same files wherever it is built.

Layout: docs/architecture.md, "Images". Format: OCI image specification 1.1.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.image_builders.files import archive

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
HOME = "app"
"""Folder of the image that the sources are put into."""
USER = "10001:10001"
"""Numbers, not names: a kubelet refuses runAsNonRoot for a name, which could be anybody's."""


@dataclass(frozen=True)
class Blob:
    """Content under its digest. media_type: OCI media type."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """ "sha256:" and the hexadecimal hash of the content."""
        return "sha256:" + hashlib.sha256(self.content).hexdigest()

    def descriptor(self) -> dict[str, object]:
        """How a manifest refers to it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


@dataclass(frozen=True)
class LayerImage:
    """A built image. fingerprint: hash of everything that went in, the same for every version of gzip."""

    config: Blob
    layer: Blob
    manifest: Blob
    fingerprint: str


def build(root: Path, sources: Sequence[str], entrypoint: Sequence[str], environment: Mapping[str, str]) -> LayerImage:
    """An image of files and folders below ``root``, which keep their path below /app.

    Raises FileNotFoundError for a source that is not there, ValueError for a link, which another machine may not have.
    """
    tar = archive(root, sources, HOME)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": list(entrypoint),
            "User": USER,
            "Env": [f"{name}={value}" for name, value in sorted(environment.items())],
            "WorkingDir": f"/{HOME}",
        },
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
    }
    config_blob = Blob(CONFIG, _json(config))
    layer_blob = Blob(LAYER, gzip.compress(tar, mtime=0))
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config_blob.descriptor(),
        "layers": [layer_blob.descriptor()],
    }
    # The configuration names the layer by the hash of its files before compression: it stands for the whole image.
    return LayerImage(config_blob, layer_blob, Blob(MANIFEST, _json(manifest)), config_blob.digest.split(":")[1])


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
