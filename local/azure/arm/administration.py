"""Administration: what the subscription's Owner tells this Azure itself to do, beside all that Azure offers.

``/faults`` (faults.py) and ``/provisioning`` (provisioning.py): GET says what is in force, PUT with JSON replaces it.
"""

from __future__ import annotations

from typing import Any, Protocol

from aiohttp import web

from local.azure.arm.requests import bearer, json_of
from local.azure.context import Azure
from local.azure.entra.audiences import ARM
from local.instance import SUBSCRIPTION_ID


class Administered(Protocol):
    """Something that is told what to do, and tells what it does."""

    def plan(self, given: Any) -> None:
        """Take another plan. Raises ArmError 400 saying what is allowed."""

    def told(self) -> dict[str, Any]:
        """What is in force."""


class Administration:
    """The administrators' routes."""

    def __init__(self, azure: Azure, faults: Administered, provisioning: Administered) -> None:
        self._azure = azure
        self._routes = {"/faults": faults, "/provisioning": provisioning}

    def register(self, application: web.Application) -> None:
        """Add the routes."""
        for path in self._routes:
            application.router.add_get(path, self._serve)
            application.router.add_put(path, self._serve)

    async def _serve(self, request: web.Request) -> web.Response:
        principal = self._azure.directory.verify(bearer(request), ARM)
        here = f"/subscriptions/{SUBSCRIPTION_ID}"
        self._azure.authorizer.require(principal, here, "Microsoft.Authorization/roleAssignments/write", data=False)
        administered = self._routes[request.path]
        if request.method == "PUT":
            administered.plan(await json_of(request))
        return web.json_response(administered.told())
