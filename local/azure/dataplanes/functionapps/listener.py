"""The deployment site of a function app on Flex Consumption: one HTTPS listener an app.

Requests: those of `az functionapp deployment source config-zip` (Azure/azure-cli, appservice/custom.py,
enable_zip_deploy_flex) and of Azure/functions-action.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from local.azure.context import ArmError, Azure, Resource
from local.azure.dataplanes.functionapps import packages
from local.azure.dataplanes.functionapps.deployments import FAILED, SUCCESS, Deployment, Deployments
from local.azure.entra.audiences import ARM

_ACTION = "Microsoft.Web/sites/publish/Action"
_ASKED = {"remotebuild", "deployer", "message"}
_LARGEST = 512 * 1024 * 1024


def on_flex(app: Resource) -> bool:
    """Whether an app is on Flex Consumption: it has a functionAppConfig."""
    return bool(app.properties.get("functionAppConfig"))


def _deployments(azure: Azure, app: str) -> Deployments:
    return Deployments(azure.instance.azure / "functionapps" / f"{app.rsplit('/', 1)[-1].lower()}.json")


class _Site:
    """The operations of one app's site. app: its resource id."""

    def __init__(self, azure: Azure, app: str) -> None:
        self._azure, self._app = azure, app
        self._kept = _deployments(azure, app)

    def register(self, application: web.Application) -> None:
        """Serve them."""
        application.router.add_post("/api/publish", self._publish)
        application.router.add_get("/api/deployments/{name}", self._read, allow_head=False)
        application.router.add_get("/api/deployments/{name}/log", self._log, allow_head=False)

    async def _publish(self, request: web.Request) -> web.Response:
        app, asked = self._entered(request), {name.lower(): value for name, value in request.query.items()}
        if unknown := sorted(set(asked) - _ASKED):
            raise web.HTTPBadRequest(text=f"{', '.join(unknown)}: not known here; known: {', '.join(sorted(_ASKED))}")
        if (build := asked.get("remotebuild", "false").lower()) not in ("true", "false"):
            raise web.HTTPBadRequest(text="RemoteBuild: allowed are true and false")
        if request.content_type != "application/zip":
            raise web.HTTPUnsupportedMediaType(text="A package is application/zip")
        content = await request.read()
        try:
            packages.checked(app, content, remote_build=build == "true")
            await packages.store(self._azure, app, content)
        except packages.Refused as refused:
            made = self._kept.add(FAILED, str(refused), asked.get("deployer", ""))
        else:
            made = self._kept.add(SUCCESS, "Deployment was successful.", asked.get("deployer", ""))
        return web.json_response(made.id, status=202)

    async def _read(self, request: web.Request) -> web.Response:
        found = self._found(request)
        return web.json_response(
            {
                "id": found.id,
                "status": found.status,
                "status_text": "" if found.status == SUCCESS else found.message,
                "message": "Created via a push deployment",
                "deployer": found.deployer,
                "complete": True,
            }
        )

    async def _log(self, request: web.Request) -> web.Response:
        return web.json_response([{"id": "0", "message": self._found(request).message, "type": 0}])

    def _found(self, request: web.Request) -> Deployment:
        self._entered(request)
        found = self._kept.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound(text="There is no such deployment")
        return found

    def _entered(self, request: web.Request) -> Resource:
        """The app of whoever may publish to it. Raises the refusals of an HTTP server."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise web.HTTPUnauthorized(text="Basic authentication is switched off; a token of Resource Manager opens")
        try:
            principal = self._azure.directory.verify(token, ARM)
            self._azure.authorizer.require(principal, self._app, _ACTION, data=False)
        except ArmError as refused:
            kind: Any = web.HTTPUnauthorized if refused.status == 401 else web.HTTPForbidden
            raise kind(text=refused.message) from None
        app = self._azure.store.get(self._app)
        if app is None:
            raise web.HTTPNotFound(text="The app is gone")
        return app


async def open_site(azure: Azure, app: Resource) -> str:
    """Serve an app's deployment site; its host and port."""
    port = azure.store.port(app.id)
    application = web.Application(client_max_size=_LARGEST)
    _Site(azure, app.id).register(application)
    await azure.serve(application, port)
    azure.endpoints[f"Deployment site {app.name}"] = f"https://127.0.0.1:{port}"
    return f"127.0.0.1:{port}"


async def close_site(azure: Azure, app: Resource) -> None:
    """Stop serving it, give its port back, and forget what was deployed."""
    await azure.stop_serving(azure.store.port(app.id))
    azure.store.release(app.id)
    azure.endpoints.pop(f"Deployment site {app.name}", "")
    _deployments(azure, app.id).forget()
