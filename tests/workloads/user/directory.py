"""The user service beside the embedded tenant's Graph, with the way between them in the tests' hands."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from local.azure.entra.graph.permissions import APP_ROLES, ASSIGNMENTS
from local.azure.entra.graph.store import GraphStore
from tests.local.azure.dataplanes.conftest import Embedded
from tests.workloads.called import Called
from workloads.chassis import erasure
from workloads.chassis.events.consumer import Handling
from workloads.chassis.events.envelope import Event
from workloads.services.user.api import HANDLERS
from workloads.services.user.directory import SCOPE

PERMISSIONS = ("User.DeleteRestore.All", "User.ReadWrite.All")


@dataclass
class Weather(httpx.BaseTransport):
    """The way to Graph. answers: what is answered in its place, one request each; lost: answers that never arrive."""

    to: httpx.BaseTransport
    answers: list[httpx.Response] = field(default_factory=list)
    down: bool = False
    lost: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path))
        if self.down:
            raise httpx.ConnectTimeout("nobody answers")
        if self.answers:
            return self.answers.pop(0)
        answer = self.to.handle_request(request)
        answer.read()
        if self.lost:
            self.lost -= 1
            raise httpx.ReadTimeout("lost")
        return answer


class Tenant:
    """The embedded tenant: people with accounts, and an application that may administer them."""

    def __init__(self, embedded: Embedded) -> None:
        self._embedded = embedded
        self._application = embedded.identity()
        self.graph = httpx.Client(
            base_url=f"https://{embedded.instance.arm}/v1.0", verify=self.tls, headers=self._owner()
        )
        for permission in PERMISSIONS:
            self.permit(permission)

    @property
    def tls(self) -> Any:
        import ssl

        return ssl.create_default_context(cafile=str(self._embedded.instance.ca_bundle))

    @property
    def url(self) -> str:
        return f"https://{self._embedded.instance.arm}"

    def _owner(self) -> dict[str, str]:
        from local.azure.entra import deployer

        told = deployer.deployer(self._embedded.instance)
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        form |= {name: told[name] for name in ("client_id", "client_secret")}
        answer = httpx.post(f"{self.url}/{told['tenant_id']}/oauth2/v2.0/token", data=form, verify=self.tls)
        return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}

    def token(self) -> str:
        """The application's own."""
        return self._application.credential.get_token(SCOPE).token

    def permit(self, permission: str, *, allowed: bool = True) -> None:
        """Give the application a permission, or take it away."""
        collection = ASSIGNMENTS.format(self._application.principal.object_id)

        async def change() -> None:
            store = GraphStore(self._embedded.daemon._database)
            if allowed:
                store.put(collection, {"appRoleId": APP_ROLES[permission]}, {"id": permission})
            else:
                store.remove(collection, permission)

        self._embedded.run(change())

    def join(self, account: uuid.UUID, name: str) -> None:
        """Somebody signs up."""

        async def add() -> None:
            upn = f"{account}@tributary.test"
            self._embedded.daemon.directory.add(upn, "User", object_id=str(account), secret=uuid.uuid4().hex)

        self._embedded.run(add())
        assert self.graph.patch(f"/users/{account}", json={"displayName": name}).status_code == 204

    def name(self, account: uuid.UUID) -> str | None:
        answer = self.graph.get(f"/users/{account}")
        return answer.json()["displayName"] if answer.is_success else None

    def knows(self, account: uuid.UUID) -> bool:
        """Whether anything is left of it, what can be had back among it."""
        paths = (f"/users/{account}", f"/directory/deletedItems/{account}")
        return any(self.graph.get(each).is_success for each in paths)


class Service(Called):
    """The user service, called as people."""

    def requested(self, person: str, round_: int = erasure.ROUNDS, erasure_id: uuid.UUID | None = None) -> Event:
        data = {"erasure_id": str(erasure_id or uuid.uuid4()), "round": round_}
        return Event.new("privacy", erasure.REQUESTED, self.issuer.pseudonym(person), data)

    def erase(self, event: Event) -> None:
        HANDLERS[erasure.REQUESTED](Handling(event, self.app.state.database, self.app.state))
