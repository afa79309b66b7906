"""Decides whether a storage request may pass: by bearer token and RBAC, shared key, signature, or anonymously."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from local.azure.context import ArmError, Azure, Principal, Resource
from local.azure.dataplanes.storage import sas, sharedkey
from local.azure.dataplanes.storage.accounts import Accounts
from local.azure.dataplanes.storage.errors import (
    StorageError,
    authentication_failed,
    bad,
    challenge,
    key_based_refused,
    not_found,
    permission_mismatch,
    public_access_refused,
)
from local.azure.dataplanes.storage.permissions import Need, needs
from local.azure.dataplanes.storage.target import Target

ACCOUNTS = "Microsoft.Storage/storageAccounts"
AUDIENCE = "https://storage.azure.com"
_FRESH = datetime.timedelta(minutes=15)


@dataclass(frozen=True)
class Passage:
    """How a request goes on. account: its ARM resource; principal: whose token it carried, if any.

    signed: whether the proxy signs it, or Azurite decides on an anonymous one; creates_only: must not overwrite.
    """

    account: Resource
    principal: Principal | None = None
    signed: bool = True
    creates_only: bool = False


class Guard:
    """The checks of all three services."""

    def __init__(self, azure: Azure, accounts: Accounts) -> None:
        self._azure, self._accounts = azure, accounts
        self._authority = f"https://{azure.instance.arm}/{azure.directory.tenant_id}"

    def account(self, name: str) -> Resource:
        """The ARM resource of an account. Raises StorageError 404."""
        for resource in self._azure.store.list(ACCOUNTS):
            if resource.name == name:
                return resource
        raise not_found()

    def check(self, target: Target, headers: Mapping[str, str], remote: str) -> Passage:
        """Let a request pass. headers: names in lower case. Raises StorageError saying what is missing."""
        account = self.account(target.account)
        if not headers.get("x-ms-version") and "sv" not in target.signature and target.service != "table":
            raise bad("InvalidHeaderValue", "The header x-ms-version is missing; name the REST API version you speak.")
        if headers.get("x-ms-blob-public-access") and account.properties.get("allowBlobPublicAccess") is not True:
            raise public_access_refused()
        scheme, _, value = headers.get("authorization", "").partition(" ")
        ways = needs(target)
        if scheme.lower() == "bearer":
            return self._bearer(account, target, value.strip(), ways)
        if scheme == "SharedKey":
            return self._shared_key(account, target, headers, value.strip())
        if scheme:
            raise challenge(self._authority, "InvalidAuthenticationInfo", f"The scheme {scheme!r} is not supported.")
        if "sig" in target.signature:
            return self._sas(account, target, remote, ways)
        return self._anonymous(account, target)

    def allowed(self, account: Resource, target: Target, principal: Principal, ways: list[Need]) -> Need:
        """The way that the principal's roles open. Raises StorageError 403."""
        for way in ways:
            scope = scope_of(account, target)
            if all(self._azure.authorizer.allows(principal, scope, action, data=way.data) for action in way.actions):
                return way
        raise permission_mismatch()

    def _bearer(self, account: Resource, target: Target, token: str, ways: list[Need]) -> Passage:
        own = f"https://{account.name}.{target.service}.core.windows.net"
        try:
            principal = self._azure.directory.verify(token, (AUDIENCE, own))
        except ArmError as refused:
            raise challenge(self._authority, "InvalidAuthenticationInfo", refused.message) from None
        way = self.allowed(account, target, principal, ways)
        return Passage(account, principal, creates_only=way.creates_only)

    def _shared_key(self, account: Resource, target: Target, headers: Mapping[str, str], value: str) -> Passage:
        if not keys_allowed(account):
            raise key_based_refused()
        _check_date(headers.get("x-ms-date") or headers.get("date", ""))
        name, _, signature = value.partition(":")
        keys = self._accounts.keys(account.id)
        if name != account.name or not sharedkey.holds([keys.key1, keys.key2], target, headers, signature):
            raise authentication_failed(
                "The MAC signature found in the HTTP request is not the same as any computed one."
            )
        if target.query.get("comp") == "userdelegationkey":
            raise authentication_failed("Only authentication scheme Bearer is supported.")
        return Passage(account)

    def _sas(self, account: Resource, target: Target, remote: str, ways: list[Need]) -> Passage:
        if "skoid" not in target.signature and not keys_allowed(account):
            raise key_based_refused()
        keys = self._accounts.keys(account.id)
        tenant = self._azure.directory.tenant_id
        grant = sas.check(target, [keys.key1, keys.key2], keys.delegation, tenant=tenant, remote=remote)
        for way in ways:
            if not any(letter in grant.permissions for letter in way.sas):
                continue
            if grant.kind == "account" and way.level not in grant.levels:
                raise StorageError(
                    403,
                    "AuthorizationResourceTypeMismatch",
                    "This request is not authorized to perform this operation using this resource type.",
                )
            if grant.kind != "account" and not _within(grant.kind, way, target):
                continue
            if grant.delegator is not None:
                self._delegated(account, target, grant.delegator, ways)
            return Passage(account, creates_only=way.creates_only)
        raise permission_mismatch()

    def _delegated(self, account: Resource, target: Target, delegator: str, ways: list[Need]) -> None:
        """A user delegation SAS reaches no farther than its delegator's rights do now."""
        principal = self._azure.directory.principal(delegator)
        if principal is None:
            raise authentication_failed("The identity that made the user delegation key is no more.")
        self.allowed(account, target, principal, ways)

    def _anonymous(self, account: Resource, target: Target) -> Passage:
        if target.service == "blob" and target.container and target.method in ("GET", "HEAD"):
            if account.properties.get("allowBlobPublicAccess") is True:
                return Passage(account, signed=False)
            raise public_access_refused()
        raise challenge(self._authority)


def _check_date(text: str) -> None:
    """A signed request is good for a quarter of an hour: what was overheard cannot be sent again later."""
    try:
        signed = parsedate_to_datetime(text)
    except ValueError:
        raise authentication_failed("The x-ms-date or Date header is missing or is no date of RFC 1123.") from None
    signed = signed if signed.tzinfo else signed.replace(tzinfo=datetime.UTC)
    if abs(datetime.datetime.now(datetime.UTC) - signed) > _FRESH:
        raise authentication_failed(f"Request date header too old: '{text}'")


def keys_allowed(account: Resource) -> bool:
    """Whether account keys open anything: Azure's default is that they do."""
    return account.properties.get("allowSharedKeyAccess") is not False


def scope_of(account: Resource, target: Target) -> str:
    """The ARM id that role assignments are looked up from."""
    if not target.container:
        return account.id
    kind = {"blob": "blobServices/default/containers", "queue": "queueServices/default/queues"}.get(target.service)
    if kind is None:
        name = target.container.partition("(")[0]
        return account.id if name == "Tables" else f"{account.id}/tableServices/default/tables/{name}"
    return f"{account.id}/{kind}/{target.container}"


def _within(kind: str, way: Need, target: Target) -> bool:
    """A service SAS of a blob opens that blob; one of a container its blobs and their listing."""
    if not way.data:
        return False
    return bool(target.name) or kind == "container"
