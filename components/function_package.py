"""Function package: the zip that Functions' one deploy takes, made of a function app's own files.

Its name is the hash of what it is made of: the same for the same files, whoever packs them, and known before they are.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from components.image_builders.files import listed
from components.python_wheels import install

Build = Literal["remote", "wheels"]
_BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip knows."""
_WHEELS = ".python_packages/lib/site-packages"
"""Where the Functions host looks for packages (learn.microsoft.com/azure/azure-functions/python-build-options)."""


@dataclass(frozen=True, kw_only=True)
class PackageArgs:
    """What a package of a Python app is made of.

    root: folder of the sources. top: files by the name that they have at the package's top, host.json among them.
    sources: files and folders that keep their path. requirements, constraints: pip's files of the packages that it
    needs. build: who installs those, "remote" the app's own deployment site, which must reach a package index then;
    "wheels" whoever deploys, so that the app's network stays closed. python: version that the app runs on, e.g. "3.12".
    """

    root: Path
    top: Mapping[str, str]
    sources: Sequence[str]
    requirements: str
    constraints: str
    build: Build
    python: str

    def __post_init__(self) -> None:
        if "host.json" not in self.top:
            raise ValueError(f"top: there is no host.json among {sorted(self.top)}. No host takes an app without one.")

    def fingerprint(self) -> str:
        """Hash of all that decides its content, 64 hexadecimal digits. Raises FileNotFoundError and ValueError."""
        digest = hashlib.sha256(f"{self.build} {self.python}".encode())
        for name, content in sorted(self._members()):
            digest.update(f"\n{name} {hashlib.sha256(content).hexdigest()}".encode())
        return digest.hexdigest()

    def pack(self) -> bytes:
        """The zip. Raises RuntimeError when the packages that it needs can't be had."""
        members = dict(self._members())
        if self.build == "wheels":
            found = install(members["requirements.txt"], members["constraints.txt"], self.python)
            members |= {f"{_WHEELS}/{name}": content for name, content in found}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(members.items()):
                info = zipfile.ZipInfo(name, _BEGINNING)
                info.external_attr = 0o644 << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, content)
        return buffer.getvalue()

    def _members(self) -> Iterator[tuple[str, bytes]]:
        for name in listed(self.root, self.sources):
            yield name, (self.root / name).read_bytes()
        for name, source in self.top.items():
            yield name, (self.root / source).read_bytes()
        # Whoever installs them takes the versions that the app was tried with.
        requirements = (self.root / self.requirements).read_bytes()
        yield "requirements.txt", b"-c constraints.txt\n" + requirements
        yield "constraints.txt", (self.root / self.constraints).read_bytes()
