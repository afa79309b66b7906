"""The storage services of one embedded Azure together: what ARM's behaviours ask of the data."""

from __future__ import annotations

import re
from urllib.parse import quote
from weakref import WeakKeyDictionary

from local.azure.context import ArmError, Azure
from local.azure.dataplanes.storage.accounts import Accounts
from local.azure.dataplanes.storage.azurite import SERVICES, backend_key
from local.azure.dataplanes.storage.errors import StorageError
from local.azure.dataplanes.storage.proxy import StorageProxy


class StoragePlane:
    """The three proxies and the accounts' keys."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self.accounts = Accounts(azure.instance)
        key = backend_key(azure.instance)
        self._proxies = {service: StorageProxy(azure, service, self.accounts, key) for service in SERVICES}

    async def start(self) -> None:
        """Listen."""
        for proxy in self._proxies.values():
            await proxy.start()

    async def stop(self) -> None:
        """Close."""
        for proxy in self._proxies.values():
            await proxy.stop()
        self.accounts.close()

    def endpoints(self, account: str) -> dict[str, str]:
        """The account's ``primaryEndpoints``."""
        ports = {"blob": "storage", "queue": "storage-queue", "table": "storage-table"}
        return {
            service: f"https://127.0.0.1:{self._azure.instance.port(ports[service])}/{account}/" for service in SERVICES
        }

    async def call(
        self,
        service: str,
        method: str,
        path: str,
        expected: tuple[int, ...],
        headers: dict[str, str] | None = None,
        body: dict[str, str] | None = None,
    ) -> str:
        """A request to the backend, a body in JSON. Raises ArmError when its status is not expected."""
        try:
            status, text = await self._proxies[service].call(method, path, headers, body)
        except StorageError as refused:
            raise ArmError(refused.status, refused.code, refused.message) from refused
        if status not in expected:
            code = re.search(r"<Code>(\w+)</Code>", text)
            raise ArmError(
                status, code[1] if code else "StorageError", f"{method} {path.partition('?')[0]} ended with {status}."
            )
        return text

    async def empty(self, account: str) -> None:
        """Remove everything that an account holds."""
        listings = {
            "blob": (
                f"/{account}?comp=list",
                r"<Container><Name>([^<]+)</Name>",
                "/{account}/{name}?restype=container",
            ),
            "queue": (f"/{account}?comp=list", r"<Queue><Name>([^<]+)</Name>", "/{account}/{name}"),
            "table": (f"/{account}/Tables", r'"TableName":"([^"]+)"', "/{account}/Tables('{name}')"),
        }
        for service, (listing, pattern, item) in listings.items():
            while names := re.findall(pattern, await self.call(service, "GET", listing, (200,))):
                for name in names:
                    path = item.format(account=account, name=quote(name, safe="$"))
                    await self.call(service, "DELETE", path, (202, 204, 404))


_planes: WeakKeyDictionary[object, StoragePlane] = WeakKeyDictionary()


def plane_of(azure: Azure) -> StoragePlane:
    """The one plane of an embedded Azure, for its daemon and for the behaviours."""
    if azure.authorizer not in _planes:
        _planes[azure.authorizer] = StoragePlane(azure)
    return _planes[azure.authorizer]
