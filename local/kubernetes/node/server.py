"""The kubelet's HTTPS port, as far as the API server uses it: logs, a list of pods, health.

Callers show the API server's client certificate; health is open.
"""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from local.instance import Instance
from local.kubernetes.certificates import KUBELET_CLIENT
from local.kubernetes.files import Files
from local.kubernetes.node.container import Container
from local.kubernetes.node.logs import Selection, follow, read
from local.kubernetes.node.worker import Worker

_NO_STREAMS = (
    "this node agent does not stream {what}: containers are processes of this machine. "
    "`kubectl logs` works; to look inside, use the machine's own tools on the process."
)


class Server:
    """Serves one node's port.

    workers: the pods that run here, by UID. ready: whether the agent is up.
    """

    def __init__(
        self, instance: Instance, workers: Callable[[], Mapping[str, Worker]], ready: Callable[[], bool]
    ) -> None:
        self.instance, self.workers, self.ready = instance, workers, ready
        self.runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        application = web.Application(middlewares=[_authorised])
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/pods", self._pods)
        application.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        for what in ("exec", "attach", "run", "portForward"):
            application.router.add_route("*", f"/{what}/{{namespace}}/{{pod}}{{rest:.*}}", self._refuse_streams)
        files = Files.of(self.instance)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(files.client_ca))
        tls.load_cert_chain(files.pki / "kubelet.pem", files.pki / "kubelet.key")
        tls.verify_mode = ssl.CERT_OPTIONAL
        self.runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.instance.port("kubelet"), ssl_context=tls).start()

    async def close(self) -> None:
        """Stop listening."""
        if self.runner is not None:
            await self.runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok") if self.ready() else web.Response(status=503, text="starting")

    async def _pods(self, _: web.Request) -> web.Response:
        items = [each.pod.object for each in self.workers().values()]
        return web.json_response({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        container = self._container(request)
        query = request.query
        previous = query.get("previous") in ("true", "1")
        numbers = container.attempts()
        if not numbers or (previous and len(numbers) < 2):
            kind = "previous terminated container" if previous else "container"
            raise web.HTTPBadRequest(text=f'{kind} "{container.name}" in pod "{request.match_info["pod"]}" not found')
        process = container.attempt(numbers[-2 if previous else -1])
        selection = _selection(query)
        if query.get("follow") not in ("true", "1"):
            return web.Response(body=b"".join(read(process.log, selection))[: selection.limit])
        if not process.log.exists():
            return web.Response(body=b"")
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        async for line in follow(process.log, selection, lambda: process.shim() is not None):
            await response.write(line)
        return response

    async def _refuse_streams(self, request: web.Request) -> web.Response:
        """kubectl shows no text of a failed upgrade, so an event on the pod says it too."""
        message = _NO_STREAMS.format(what=request.path.split("/")[1])
        for worker in self.workers().values():
            metadata, wanted = worker.pod.object["metadata"], request.match_info
            if (metadata["namespace"], metadata["name"]) == (wanted["namespace"], wanted["pod"]):
                worker.pod.event("Warning", "NotSupported", message)
        raise web.HTTPBadRequest(text=message)

    def _container(self, request: web.Request) -> Container:
        wanted = request.match_info
        for worker in self.workers().values():
            metadata = worker.pod.object["metadata"]
            if (metadata["namespace"], metadata["name"]) == (wanted["namespace"], wanted["pod"]):
                for container in worker.every:
                    if container.name == wanted["container"]:
                        return container
        raise web.HTTPNotFound(text=f"{wanted['namespace']}/{wanted['pod']}/{wanted['container']} does not run here")


def _selection(query: Mapping[str, str]) -> Selection:
    since = None
    if "sinceSeconds" in query:
        age = datetime.timedelta(seconds=int(query["sinceSeconds"]))
        since = datetime.datetime.now(datetime.UTC) - age
    elif "sinceTime" in query:
        since = datetime.datetime.fromisoformat(query["sinceTime"].replace("Z", "+00:00"))
    return Selection(
        tail=int(query["tailLines"]) if "tailLines" in query else None,
        since=since,
        timestamps=query.get("timestamps") in ("true", "1"),
        limit=int(query["limitBytes"]) if "limitBytes" in query else None,
    )


@web.middleware
async def _authorised(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Only the API server: it has asked who its own caller is."""
    if request.path != "/healthz":
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        names = [value for each in (certificate or {}).get("subject", ()) for key, value in each if key == "commonName"]
        if names != [KUBELET_CLIENT]:
            raise web.HTTPUnauthorized(text=f"show the client certificate of {KUBELET_CLIENT}")
    return await handler(request)
