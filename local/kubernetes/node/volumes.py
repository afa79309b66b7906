"""A pod's volumes as folders: ConfigMap, Secret, projected, downward API, secrets store and emptyDir, kept up to date.

An update is atomic for readers: files are links through ``..data``, which is switched to a new folder at once, as a
kubelet's do.
"""

from __future__ import annotations

import datetime
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from local.kubernetes.node import downward
from local.kubernetes.node.client import Object
from local.kubernetes.node.downward import ConfigError
from local.kubernetes.node.secrets_store import SecretsStore
from local.kubernetes.node.sources import Sources


@dataclass(frozen=True)
class File:
    """Content and permission bits of one file in a volume."""

    data: bytes
    mode: int


@dataclass(frozen=True)
class Owner:
    """Who the files are for: set only where the agent is root and processes really change their user."""

    uid: int | None = None
    gid: int | None = None


class Volumes:
    """The volumes of one pod below a folder."""

    def __init__(
        self, folder: Path, sources: Sources, vaults: SecretsStore, pod: Object, pod_ip: str, owner: Owner,
        allocatable: Object,
    ) -> None:  # fmt: skip
        self.folder, self.sources, self.vaults, self.pod, self.pod_ip = folder, sources, vaults, pod, pod_ip
        self.owner, self.allocatable = owner, allocatable
        self.namespace = pod["metadata"]["namespace"]
        self.tokens: dict[tuple[str, str], tuple[bytes, float]] = {}
        self.written: dict[Path, dict[str, File]] = {}

    def path(self, name: str) -> Path:
        """The folder of a volume."""
        return self.folder / name

    async def refresh(self) -> None:
        """Make every volume, or bring it up to date. Raises ConfigError; ApiError as the API server does."""
        for volume in self.pod["spec"].get("volumes") or ():
            if "emptyDir" in volume:
                self._empty(self.path(volume["name"]))
            else:
                self._write(self.path(volume["name"]), await self._files(volume))

    def remove(self) -> None:
        """Delete every volume."""
        self.vaults.forget(self.pod)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _empty(self, path: Path) -> None:
        if not path.exists():
            path.mkdir(parents=True)
            path.chmod(0o777 if self.owner.gid is None else 0o2777)
            self._own(path)

    async def _files(self, volume: Object) -> dict[str, File]:
        for key in ("configMap", "secret", "downwardAPI"):
            if key in volume:
                return await self._source(key, volume[key], int(volume[key].get("defaultMode", 0o644)))
        if "csi" in volume:
            mounted = await self.vaults.files(self.pod, volume)
            return {name: File(each.data, 0o644 if each.mode is None else each.mode) for name, each in mounted.items()}
        projected = volume["projected"]
        found: dict[str, File] = {}
        for source in projected.get("sources") or ():
            for key, value in source.items():
                found |= await self._source(key, value, int(projected.get("defaultMode", 0o644)))
        return found

    async def _source(self, key: str, source: Object, mode: int) -> dict[str, File]:
        if key == "downwardAPI":
            return {each["path"]: File(self._downward(each), int(each.get("mode", mode))) for each in source["items"]}
        if key == "serviceAccountToken":
            data = await self._token(source.get("audience", ""), int(source.get("expirationSeconds", 3600)))
            # As the kubelet: a process of another user must be able to read it, anyone else need not.
            return {source["path"]: File(data, 0o600 if self.owner.uid is not None else 0o644)}
        kind = {"configMap": "ConfigMap", "secret": "Secret"}[key]
        name = str(source.get("name") or source.get("secretName"))
        optional = bool(source.get("optional"))
        entries = await self.sources.data(kind, self.namespace, name, optional=optional) or {}
        if not source.get("items"):
            return {entry: File(data, mode) for entry, data in entries.items()}
        found = {}
        for item in source["items"]:
            if item["key"] in entries:
                found[item["path"]] = File(entries[item["key"]], int(item.get("mode", mode)))
            elif not optional:
                raise ConfigError(f"references non-existent {kind} key: {item['key']} of {self.namespace}/{name}")
        return found

    def _downward(self, item: Object) -> bytes:
        if "fieldRef" in item:
            return downward.field(self.pod, item["fieldRef"]["fieldPath"], self.pod_ip).encode()
        reference = item["resourceFieldRef"]
        containers = self.pod["spec"]["containers"]
        owner = next((each for each in containers if each["name"] == reference.get("containerName")), None)
        if owner is None:
            raise ConfigError(f"resourceFieldRef.containerName {reference.get('containerName')!r} names no container")
        value = downward.resource(owner, reference["resource"], reference.get("divisor", ""), self.allocatable)
        return value.encode()

    async def _token(self, audience: str, seconds: int) -> bytes:
        """A projected token, renewed when 80 % of its life is over (as the kubelet) or after a day."""
        known = self.tokens.get((audience, str(seconds)))
        if known and time.time() < known[1]:
            return known[0]
        token = await self.sources.token(self.pod, audience, seconds)
        life = datetime.datetime.fromisoformat(token.expires.replace("Z", "+00:00")).timestamp() - time.time()
        renew = time.time() + min(life * 0.8, 24 * 3600)
        self.tokens[audience, str(seconds)] = (token.value.encode(), renew)
        return token.value.encode()

    def _write(self, path: Path, files: dict[str, File]) -> None:
        path.mkdir(parents=True, exist_ok=True)
        if self.written.get(path) == files and path.exists():
            return
        fresh = path / f"..{datetime.datetime.now(datetime.UTC):%Y_%m_%d_%H_%M_%S}.{uuid.uuid4().hex[:8]}"
        for name, file in files.items():
            target = fresh / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(mode=0o600)
            target.write_bytes(file.data)
            target.chmod(file.mode | (0o040 if self.owner.gid is not None else 0))
            self._own(target)
        fresh.mkdir(exist_ok=True)
        previous = path / (path / "..data").readlink() if (path / "..data").is_symlink() else None
        link = path / "..data.new"
        link.unlink(missing_ok=True)
        link.symlink_to(fresh.name)
        link.replace(path / "..data")
        tops = {name.split("/")[0] for name in files}
        for entry in path.iterdir():
            if not entry.name.startswith("..") and entry.name not in tops:
                entry.unlink()
        for name in tops:
            if not (path / name).is_symlink():
                (path / name).symlink_to(f"..data/{name}")
        if previous is not None:
            shutil.rmtree(previous, ignore_errors=True)
        self.written[path] = files

    def _own(self, path: Path) -> None:
        if self.owner != Owner():
            os.chown(
                path, -1 if self.owner.uid is None else self.owner.uid, -1 if self.owner.gid is None else self.owner.gid
            )
