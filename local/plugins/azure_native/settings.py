"""Configuration of the azure-native stand-in: the official provider's keys, and their environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.plugins.provider import ProviderError, is_unknown, unknown_setting

_ENVIRONMENT = {
    "clientId": "ARM_CLIENT_ID",
    "clientSecret": "ARM_CLIENT_SECRET",
    "tenantId": "ARM_TENANT_ID",
    "subscriptionId": "ARM_SUBSCRIPTION_ID",
    "metadataHost": "ARM_METADATA_HOSTNAME",
}
PAUSE = "TRIBUTARY_PAUSE_SECONDS"
"""Environment variable: seconds before a request is sent again for the first time; tests have less patience."""
_ACCEPTED = {  # settings without an effect on what the stand-in does
    "disableInstanceDiscovery",
    "disablePulumiPartnerId",
    "environment",
    "partnerId",
    "skipReadOnUpdate",
    "version",
}
_REFUSED = {
    "auxiliaryTenantIds",
    "clientCertificatePassword",
    "clientCertificatePath",
    "msiEndpoint",
    "oidcAudience",
    "oidcRequestToken",
    "oidcRequestUrl",
    "oidcToken",
    "oidcTokenFilePath",
    "useDefaultAzureCredential",
    "useMsi",
    "useOidc",
}


@dataclass(frozen=True)
class Settings:
    """A provider's configuration. metadata_host: host and port of the embedded Azure. location: default region.

    pause: seconds before a request is sent again for the first time, where the answer does not say.
    """

    client_id: str
    client_secret: str
    tenant_id: str
    subscription_id: str
    metadata_host: str
    location: str | None
    pause: float = 0.5


def read(config: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings | None:
    """The settings; None when one is known only after deployment. Raises ProviderError for a missing or strange one."""
    given = {key: value for key, value in config.items() if value not in (None, "", "false", False)}
    for key in sorted(_REFUSED & set(given)):
        raise ProviderError(
            f"The stand-in for azure-native signs in with a client secret only; remove azure-native:{key}."
        )
    unknown_setting(given, frozenset(_ENVIRONMENT) | _ACCEPTED | _REFUSED | {"location"}, "azure-native")
    if any(is_unknown(value) for value in given.values()):
        return None
    found = {key: str(given.get(key) or environment.get(name) or "") for key, name in _ENVIRONMENT.items()}
    missing = [f"azure-native:{key} (or {_ENVIRONMENT[key]})" for key, value in found.items() if not value]
    if missing:
        raise ProviderError(
            f"The stand-in for azure-native needs {', '.join(missing)}. `make env` prints what an embedded "
            "Azure wants; for a subscription of yours, install the official plugin: "
            "`pulumi plugin install resource azure-native`."
        )
    return Settings(
        client_id=found["clientId"],
        client_secret=found["clientSecret"],
        tenant_id=found["tenantId"],
        subscription_id=found["subscriptionId"],
        metadata_host=found["metadataHost"],
        location=given.get("location"),
        pause=_seconds(environment.get(PAUSE)),
    )


def _seconds(given: str | None) -> float:
    try:
        found = float(given) if given else Settings.pause
    except ValueError:
        found = -1.0
    if not 0 <= found <= 60:
        raise ProviderError(f"{PAUSE} is {given!r}; allowed are 0 to 60 seconds.")
    return found
