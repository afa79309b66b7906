"""A container registry and a managed-identity endpoint, small, over HTTPS: what the node agent pulls from in tests.

It refuses what the real ones refuse: a wrong identity header, a wrong token.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import ssl
import tarfile
import threading
from typing import Any

from aiohttp import web

from local.instance import Instance
from local.pki import Authority

_HEADER = "test-header"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class TestRegistry:
    """Runs in a thread of the test's process."""

    __test__ = False

    def __init__(self, instance: Instance, port: int = 0) -> None:
        self.instance, self.port = instance, port or instance.port_base + 41
        self.host = f"127.0.0.1:{self.port}"
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.pulls = 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def start(self) -> None:
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self.loop).result(10)
        endpoint = {"endpoint": f"https://{self.host}/msi/token", "header": _HEADER}
        (self.instance.azure / "node-identity.json").write_text(json.dumps(endpoint))
        (self.instance.kubernetes / "cluster.json").write_text(json.dumps({"client_id": "kubelet"}))

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.runner.cleanup(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def push(self, name: str, files: dict[str, str], *, layer: bytes = b"", **config: Any) -> str:
        """An image with these files below /app, or with a layer as it is; returns its reference by digest."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for path, text in files.items():
                entry = tarfile.TarInfo(f"app/{path}")
                entry.size, entry.mode = len(text.encode()), 0o644
                archive.addfile(entry, io.BytesIO(text.encode()))
        settings = {"WorkingDir": "/app"} | config
        document = json.dumps({"architecture": "amd64", "os": "linux", "config": settings}).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self._blob("application/vnd.oci.image.config.v1+json", document),
            "layers": [self._blob(_LAYER, layer or buffer.getvalue())],
        }
        data = json.dumps(manifest).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.manifests[f"{name}/{digest}"] = data
        return f"{self.host}/{name}@{digest}"

    def _blob(self, kind: str, data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    async def _serve(self) -> None:
        application = web.Application()
        application.router.add_get("/msi/token", self._identity)
        application.router.add_post("/oauth2/exchange", self._exchange)
        application.router.add_post("/oauth2/token", self._token)
        application.router.add_get("/v2/{name:.+}/{kind:manifests|blobs}/{digest}", self._read)
        authority = Authority(self.instance.ca_certificate, self.instance.azure / "ca.key", "Tributary local CA")
        chain, key = authority.issue_files(self.instance.azure, "test-registry", ["127.0.0.1"])
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(chain, key)
        self.runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port, ssl_context=tls).start()

    async def _identity(self, request: web.Request) -> web.Response:
        right = request.headers.get("X-IDENTITY-HEADER") == _HEADER and request.query["client_id"] == "kubelet"
        return web.json_response({"access_token": "entra"}) if right else web.Response(status=401)

    async def _exchange(self, request: web.Request) -> web.Response:
        form = await request.post()
        right = form["access_token"] == "entra" and form["service"] == self.host
        return web.json_response({"refresh_token": "refresh"}) if right else web.Response(status=401)

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        right = form["refresh_token"] == "refresh"
        return web.json_response({"access_token": form["scope"]}) if right else web.Response(status=401)

    async def _read(self, request: web.Request) -> web.Response:
        name, kind, digest = (request.match_info[each] for each in ("name", "kind", "digest"))
        if request.headers.get("Authorization") != f"Bearer repository:{name}:pull":
            return web.Response(status=401, text="wrong token")
        self.pulls += kind == "manifests"
        data = self.manifests.get(f"{name}/{digest}") if kind == "manifests" else self.blobs.get(digest)
        return web.Response(body=data) if data is not None else web.Response(status=404, text=f"{name} unknown")
