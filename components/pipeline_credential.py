"""Pipeline credential: signs a pipeline, or a person, in to a tenant that is not the subscription's.

A pipeline shows a fresh token of its own at each sign-in, since one lives for minutes only: an `az` session, or a token
written to a file once, is outlived by a long deployment.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_AUDIENCE = "api://AzureADTokenExchange"


def credential(tenant_id: str, client_id: str | None, environment: Mapping[str, str] = os.environ) -> TokenCredential:
    """Who signs in to the tenant.

    client_id: application of the tenant that trusts the pipeline (a federated credential); None for a person, who signs
    in as whoever deploys. Looked at in this order: GitHub Actions, Azure Pipelines, a projected token file.
    """
    # Imported here, as only a deployment signs in: the program that declares resources does not.
    from azure.identity import (
        AzurePipelinesCredential,
        ClientAssertionCredential,
        DefaultAzureCredential,
        WorkloadIdentityCredential,
    )

    if client_id and "ACTIONS_ID_TOKEN_REQUEST_URL" in environment:
        return ClientAssertionCredential(
            tenant_id, client_id, func=lambda: _github_token(environment), disable_instance_discovery=True
        )
    if client_id and "SYSTEM_OIDCREQUESTURI" in environment:
        return AzurePipelinesCredential(
            tenant_id=tenant_id,
            client_id=client_id,
            service_connection_id=environment["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
            system_access_token=environment["SYSTEM_ACCESSTOKEN"],
            disable_instance_discovery=True,
        )
    if client_id and "AZURE_FEDERATED_TOKEN_FILE" in environment:
        return WorkloadIdentityCredential(
            tenant_id=tenant_id,
            client_id=client_id,
            token_file_path=environment["AZURE_FEDERATED_TOKEN_FILE"],
            disable_instance_discovery=True,
        )
    return DefaultAzureCredential(disable_instance_discovery=True, additionally_allowed_tenants=[tenant_id])


def _github_token(environment: Mapping[str, str]) -> str:
    """A token of this job (docs.github.com/actions/reference/security/oidc)."""
    import httpx

    answer = httpx.get(
        environment["ACTIONS_ID_TOKEN_REQUEST_URL"],
        params={"audience": _AUDIENCE},
        headers={"Authorization": f"Bearer {environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
        verify=ssl.create_default_context(),
        timeout=30,
    )
    answer.raise_for_status()
    return answer.json()["value"]
