"""Who may do what at a hub: a shared access signature, by a rule of the hub or of its namespace.

Token: https://learn.microsoft.com/rest/api/eventhub/generate-sas-token; rights:
https://learn.microsoft.com/azure/notification-hubs/notification-hubs-push-notification-security.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from local.azure.context import Azure, Resource
from local.azure.dataplanes.notificationhubs.errors import HubError, unauthorized

NAMESPACE = "Microsoft.NotificationHubs/namespaces"
HUB = f"{NAMESPACE}/notificationHubs"
_RULES = {NAMESPACE: f"{NAMESPACE}/authorizationRules", HUB: f"{HUB}/authorizationRules"}
_SCHEME = "SharedAccessSignature"
_FIELDS = {"sr", "sig", "se", "skn"}


class Gate:
    """Decides for one namespace. address: host and port of its listener."""

    def __init__(self, azure: Azure, namespace: str, address: str) -> None:
        self._azure, self._namespace, self._address = azure, namespace, address

    @property
    def standard(self) -> bool:
        """Whether the namespace is of tier Standard."""
        namespace = self._azure.store.get(self._namespace)
        return namespace is not None and str((namespace.body.get("sku") or {}).get("name")) == "Standard"

    def hub(self, name: str) -> Resource:
        """A hub of the namespace. Raises HubError 404."""
        found = self._azure.store.get(f"{self._namespace}/notificationHubs/{name}")
        if found is None or found.type.lower() != HUB.lower():
            raise HubError(404, f"The hub {name} could not be found")
        return found

    def require(self, authorization: str | None, hub: str, path: str, right: str) -> None:
        """Raises HubError 401 unless a signature over the path, or what is above it, grants a right.

        right: "Listen", "Send" or "Manage"; Manage grants all.
        """
        token = _token(authorization)
        self._check_audience(token["sr"], path)
        if not token["se"].isdigit() or int(token["se"]) <= time.time():
            raise unauthorized(f"ExpiredToken: The token is expired. Expiration time: {token['se']}")
        rule = self._signer(token, hub)
        rights = {str(each) for each in rule.properties.get("rights") or []}
        if not rights & {right, "Manage"}:
            raise unauthorized(f"Unauthorized access. '{right}' claim(s) are required to perform this operation")

    def _check_audience(self, sr: str, path: str) -> None:
        """Refuse a signature over what is not above the path that is asked for."""
        target = urlsplit(unquote(sr))
        signed, asked = target.path.lower().rstrip("/"), path.lower().rstrip("/")
        within = asked == signed or asked.startswith(f"{signed}/")
        if target.netloc.lower() != self._address or not within:
            raise unauthorized(f"InvalidAudience: The token is for {unquote(sr)}, not for {self._address}{path}")

    def _signer(self, token: Mapping[str, str], hub: str) -> Resource:
        """The rule whose key signed a token: of the hub that is asked for, or of the namespace.

        Whatever the token is for: Azure's own client signs for the namespace with the keys of a hub's rules.
        """
        name = unquote(token["skn"])
        for kind, place in ((HUB, f"{self._namespace}/notificationHubs/{hub}"), (NAMESPACE, self._namespace)):
            rule = self._azure.store.get(f"{place}/authorizationRules/{name}")
            if rule and rule.type.lower() == _RULES[kind].lower() and _signed_by(rule, token):
                return rule
        raise unauthorized("InvalidSignature: The token has an invalid signature")


def _token(authorization: str | None) -> dict[str, str]:
    """The fields of a token, as they were sent. Raises HubError 401."""
    scheme, _, rest = (authorization or "").partition(" ")
    if not authorization:
        raise unauthorized("MissingToken: The authorization header was not found")
    if scheme.lower() != _SCHEME.lower():
        raise unauthorized(f"MalformedToken: The scheme is {scheme[:40]}; known here: {_SCHEME}")
    parts = [(name, value) for name, _, value in (each.partition("=") for each in rest.strip().split("&"))]
    if {name for name, _ in parts} != _FIELDS or len(parts) != len(_FIELDS):
        raise unauthorized(f"MalformedToken: The token needs {', '.join(sorted(_FIELDS))}, once each, and no more")
    return dict(parts)


def _signed_by(rule: Resource, token: Mapping[str, str]) -> bool:
    given = unquote(token["sig"]).encode()
    keys = [rule.properties.get(name) for name in ("primaryKey", "secondaryKey")]
    return any(hmac.compare_digest(signature(token["sr"], token["se"], key), given) for key in keys if key)


def signature(sr: str, se: str, key: str) -> bytes:
    """HMAC-SHA-256 in base64 of a resource as it stands in the token, and an expiry. key: as text, not decoded."""
    return base64.b64encode(hmac.new(key.encode(), f"{sr}\n{se}".encode(), hashlib.sha256).digest())
